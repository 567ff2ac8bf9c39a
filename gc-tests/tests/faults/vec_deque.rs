//! The operations of `VecDeque`.

use std::marker::PhantomData;

use gc_core::Mutation;
use gc_core::collections::VecDeque;

use crate::items::{Family, Item, Items, allocate, keeps};
use crate::stage::After::{Any, Fewer, More, Same};
use crate::stage::{Operation, Subject};

/// `VecDeque` of one kind of items.
pub struct Subjects<F>(PhantomData<F>);

impl<F: Family> Subject for Subjects<F> {
    type In<'gc> = VecDeque<'gc, F::Of<'gc>>;

    const STATES: usize = 3;

    fn new<'gc>(mc: &Mutation<'gc>, state: usize) -> Self::In<'gc> {
        // In one piece with room for more; in two pieces with room, and without.
        let mut deque = VecDeque::with_capacity(mc, [20, 12, 8][state]);
        let ids = [1, 2, 3, 4, 5, 6, 6, 7].map(|id| F::Of::make(mc, id));
        if state == 0 {
            deque.extend(mc, ids);
        } else {
            for (index, item) in ids.into_iter().enumerate() {
                if index < 4 {
                    deque.insert(mc, index, item);
                } else {
                    deque.push_back(mc, item);
                }
            }
            // Turns the ring, so that its end is in the middle of the elements.
            for _ in 0..8 {
                let front = deque.pop_front(mc).unwrap();
                deque.push_back(mc, front);
            }
            for _ in 0..3 {
                let back = deque.pop_back(mc).unwrap();
                deque.push_front(mc, back);
            }
        }
        deque
    }

    fn contents<'gc>(_: &Mutation<'gc>, deque: &Self::In<'gc>) -> std::vec::Vec<u64> {
        deque.iter().map(Item::id).collect()
    }

    fn check<'gc>(_: &Mutation<'gc>, deque: &mut Self::In<'gc>, _: bool) {
        assert!(deque.len() <= deque.capacity());
        let (front, back) = deque.as_slices();
        assert_eq!(front.len() + back.len(), deque.len());
        for index in 0..deque.len() {
            assert_eq!(deque[index].id(), deque.get(index).unwrap().id());
        }
        assert!(deque.get(deque.len()).is_none());
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, deque: &mut Self::In<'gc>) {
        let copy = deque.clone_in(mc);
        assert!(copy.iter().map(Item::id).eq(deque.iter().map(Item::id)));
        let len = deque.len();
        for id in 100..110 {
            deque.push_back(mc, F::Of::make(mc, id));
            deque.push_front(mc, F::Of::make(mc, id));
        }
        assert_eq!(deque.remove(mc, len + 10).unwrap().id(), 100);
        deque.retain(mc, |item| item.id() % 2 == 1);
        deque.shrink_to_fit(mc);
        deque.make_contiguous(mc);
        assert_eq!(deque.pop_back(mc).map(|item| item.id()), Some(109));
        assert_eq!(deque.pop_front(mc).map(|item| item.id()), Some(109));
    }
}

/// All of them.
pub fn operations<F: Family>() -> std::vec::Vec<Operation<Subjects<F>>> {
    type Op<F> = Operation<Subjects<F>>;
    vec![
        Op::<F>::new(
            &["VecDeque::reserve", "VecDeque::try_reserve"],
            Same,
            |mc, deque| {
                deque.reserve(mc, 30);
                let _ = deque.try_reserve(mc, usize::MAX);
            },
        ),
        Op::<F>::new(&["VecDeque::shrink_to_fit"], Same, |mc, deque| {
            deque.shrink_to_fit(mc)
        }),
        Op::<F>::new(&["VecDeque::push_back"], More, |mc, deque| {
            deque.push_back(mc, F::Of::make(mc, 50));
            deque.push_back(mc, F::Of::make(mc, 51));
        }),
        Op::<F>::new(&["VecDeque::push_front"], More, |mc, deque| {
            deque.push_front(mc, F::Of::make(mc, 50));
            deque.push_front(mc, F::Of::make(mc, 51));
        }),
        Op::<F>::new(
            &["VecDeque::pop_front", "VecDeque::pop_back"],
            Fewer,
            |mc, deque| {
                drop(deque.pop_front(mc));
                drop(deque.pop_back(mc));
            },
        ),
        Op::<F>::new(&["VecDeque::swap"], Same, |mc, deque| deque.swap(mc, 1, 6)),
        Op::<F>::new(&["VecDeque::insert"], Any, |mc, deque| {
            deque.insert(mc, 2, F::Of::make(mc, 50));
            deque.insert(mc, 7, F::Of::make(mc, 51));
        }),
        Op::<F>::new(&["VecDeque::remove"], Any, |mc, deque| {
            drop(deque.remove(mc, 1));
            drop(deque.remove(mc, 5));
            assert!(deque.remove(mc, 50).is_none());
        }),
        Op::<F>::new(&["VecDeque::truncate"], Fewer, |mc, deque| {
            deque.truncate(mc, 3)
        }),
        Op::<F>::new(&["VecDeque::clear"], Fewer, |mc, deque| deque.clear(mc)),
        Op::<F>::new(&["VecDeque::extend"], More, |mc, deque| {
            deque.extend(mc, Items::new(mc, 60..75));
        }),
        Op::<F>::new(&["VecDeque::from_iter", "VecDeque::new"], Same, |mc, _| {
            VecDeque::<F::Of<'_>>::from_iter(mc, Items::new(mc, 60..75));
        }),
        Op::<F>::new(
            &["VecDeque::clone_in", "VecDeque::with_capacity"],
            Same,
            |mc, deque| {
                _ = deque.clone_in(mc);
                VecDeque::<F::Of<'_>>::with_capacity(mc, 3).push_back(mc, F::Of::make(mc, 1));
            },
        ),
        Op::<F>::new(&["VecDeque::append"], More, |mc, deque| {
            let mut other = VecDeque::from_iter(mc, Items::new(mc, 60..75));
            deque.append(mc, &mut other);
        }),
        Op::<F>::new(&["VecDeque::retain"], Any, |mc, deque| {
            deque.retain(mc, |item| {
                allocate(mc);
                keeps(item.id())
            });
        }),
        Op::<F>::new(&["VecDeque::drain"], Fewer, |mc, deque| {
            let mut drain = deque.drain(mc);
            drop(drain.next());
            drop(drain.next_back());
        }),
        Op::<F>::new(&["VecDeque::drain"], Fewer, |mc, deque| {
            let mut drain = deque.drain(mc);
            drop(drain.next());
            core::mem::forget(drain);
        })
        .leaking(),
        Op::<F>::new(&["VecDeque::into_iter"], Fewer, |mc, deque| {
            let all = core::mem::take(deque).into_iter(mc);
            all.rev().for_each(|item| drop((keeps(item.id()), item)));
        }),
        Op::<F>::new(
            &[
                "VecDeque::len",
                "VecDeque::is_empty",
                "VecDeque::capacity",
                "VecDeque::as_slices",
                "VecDeque::get",
                "VecDeque::front",
                "VecDeque::back",
                "VecDeque: Index",
                "VecDeque: IntoIterator",
                "VecDeque: Collect",
                "VecDeque::iter",
                "VecDequeIter: Iterator",
                "VecDequeIter: DoubleEndedIterator",
                "VecDequeIter: ExactSizeIterator",
                "VecDequeIter: FusedIterator",
                "VecDequeIter: Debug",
            ],
            Same,
            |_, deque| {
                let iter = (&*deque).into_iter();
                assert_eq!(iter.clone().rev().count(), deque.len());
                let text = format!("{iter:?}");
                assert!(!text.is_empty() && iter.len() == deque.len());
                iter.for_each(|item| _ = keeps(item.id()));
                let (front, _) = deque.as_slices();
                assert!(!front.is_empty() && !deque.is_empty());
                let ends = (deque.front(), deque.back(), deque.get(2));
                let _ = ends.0 == ends.1 && deque[3] == deque[4] && ends.2 == ends.0;
            },
        ),
        Op::<F>::new(&["VecDeque::make_contiguous"], Any, |mc, deque| {
            deque.make_contiguous(mc).sort();
        }),
        Op::<F>::new(
            &["VecDeque::get_mut", "VecDeque::iter_mut"],
            Any,
            |mc, deque| {
                *deque.get_mut(mc, 3).unwrap() = F::Of::make(mc, 50);
                let iter = deque.iter_mut(mc);
                assert!(!format!("{iter:?}").is_empty() && iter.len() == 8);
                for item in iter.rev() {
                    *item = item.clone();
                }
            },
        ),
        Op::<F>::new(&["VecDeque::write_at"], Same, |mc, deque| {
            assert!(deque.write_at(mc, 3).id() > 0);
        }),
        Op::<F>::new(&["VecDeque: Default"], Fewer, |_, deque| {
            *deque = VecDeque::default()
        }),
        Op::<F>::new(
            &[
                "VecDeque: PartialEq",
                "VecDeque: Eq",
                "VecDeque: PartialOrd",
                "VecDeque: Ord",
                "VecDeque: Hash",
                "VecDeque: Debug",
            ],
            Same,
            |mc, deque| {
                let other = deque.clone_in(mc);
                let slice: std::vec::Vec<_> = deque.iter().cloned().collect();
                let _ = *deque == other && other == slice[..];
                let _ = other.partial_cmp(deque).is_some() && other.cmp(deque).is_eq();
                let mut map = std::collections::HashMap::new();
                map.insert(other, format!("{deque:?}"));
            },
        ),
    ]
}
