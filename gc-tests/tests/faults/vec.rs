//! The operations of `Vec`.

use std::marker::PhantomData;

use gc_core::Mutation;
use gc_core::collections::Vec;

use crate::fuse::{Call, hit, or_lie};
use crate::items::{Bounds, Family, Item, Items, Plain, allocate, keeps};
use crate::stage::After::{Any, Fewer, More, Same};
use crate::stage::{Operation, Subject};

/// `Vec` of one kind of items.
pub struct Subjects<F>(PhantomData<F>);

impl<F: Family> Subject for Subjects<F> {
    type In<'gc> = Vec<'gc, F::Of<'gc>>;

    const STATES: usize = 2;

    fn new<'gc>(mc: &Mutation<'gc>, state: usize) -> Self::In<'gc> {
        let mut vec = Vec::new();
        // With room for more, and without.
        match state {
            0 => vec.reserve(mc, 20),
            _ => vec.reserve(mc, 9),
        }
        for id in [1, 2, 3, 3, 4, 5, 6, 6, 7] {
            vec.push(mc, F::Of::make(mc, id));
        }
        vec
    }

    fn contents<'gc>(_: &Mutation<'gc>, vec: &Self::In<'gc>) -> std::vec::Vec<u64> {
        vec.iter().map(Item::id).collect()
    }

    fn check<'gc>(_: &Mutation<'gc>, vec: &mut Self::In<'gc>, _: bool) {
        assert!(vec.len() <= vec.capacity());
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, vec: &mut Self::In<'gc>) {
        let copy = vec.clone_in(mc);
        let ids = |vec: &Self::In<'gc>| vec.iter().map(Item::id).collect::<std::vec::Vec<_>>();
        assert_eq!(ids(&copy), ids(vec));
        let len = vec.len();
        for id in 100..110 {
            vec.push(mc, F::Of::make(mc, id));
        }
        assert_eq!(vec.remove(mc, len).id(), 100);
        vec.retain(mc, |item| item.id() % 2 == 1);
        vec.shrink_to_fit(mc);
        assert_eq!(vec.pop(mc).map(|item| item.id()), Some(109));
    }
}

fn id_of<'gc>(item: &impl Item<'gc>) -> u64 {
    item.id()
}

/// All of them.
pub fn operations<F: Family>() -> std::vec::Vec<Operation<Subjects<F>>> {
    type Op<F> = Operation<Subjects<F>>;
    vec![
        Op::<F>::new(&["Vec::reserve", "Vec::try_reserve"], Same, |mc, vec| {
            vec.reserve(mc, 30);
            let _ = vec.try_reserve(mc, usize::MAX);
        }),
        Op::<F>::new(&["Vec::shrink_to_fit"], Same, |mc, vec| {
            vec.shrink_to_fit(mc)
        }),
        Op::<F>::new(&["Vec::push"], More, |mc, vec| {
            vec.push(mc, F::Of::make(mc, 50));
            vec.push(mc, F::Of::make(mc, 51));
        }),
        Op::<F>::new(&["Vec::pop"], Fewer, |mc, vec| {
            drop(vec.pop(mc));
            drop(vec.pop(mc));
        }),
        Op::<F>::new(&["Vec::insert"], More, |mc, vec| {
            vec.insert(mc, 3, F::Of::make(mc, 50));
            vec.insert(mc, 0, F::Of::make(mc, 51));
        }),
        Op::<F>::new(&["Vec::remove"], Fewer, |mc, vec| {
            drop(vec.remove(mc, 3));
            drop(vec.remove(mc, 0));
        }),
        Op::<F>::new(&["Vec::swap_remove"], Any, |mc, vec| {
            drop(vec.swap_remove(mc, 3));
            drop(vec.swap_remove(mc, 0));
        }),
        Op::<F>::new(&["Vec::truncate"], Fewer, |mc, vec| vec.truncate(mc, 4)),
        Op::<F>::new(&["Vec::clear"], Fewer, |mc, vec| vec.clear(mc)),
        Op::<F>::new(&["Vec::extend"], More, |mc, vec| {
            vec.extend(mc, Items::new(mc, 60..75));
        }),
        Op::<F>::new(&["Vec::from_iter", "Vec::new"], Same, |mc, _| {
            Vec::<F::Of<'_>>::from_iter(mc, Items::new(mc, 60..75));
        }),
        Op::<F>::new(&["Vec::clone_in"], Same, |mc, vec| _ = vec.clone_in(mc)),
        Op::<F>::new(&["Vec::resize"], Any, |mc, vec| {
            vec.resize(mc, 15, F::Of::make(mc, 50));
            vec.resize(mc, 3, F::Of::make(mc, 50));
        }),
        Op::<F>::new(&["Vec::append"], More, |mc, vec| {
            let mut other = Vec::from_iter(mc, Items::new(mc, 60..75));
            vec.append(mc, &mut other);
        }),
        Op::<F>::new(&["Vec::split_off"], Fewer, |mc, vec| {
            drop(vec.split_off(mc, 4).into_iter(mc))
        }),
        Op::<F>::new(&["Vec::drain", "IntoIter: Drop"], Fewer, |mc, vec| {
            let mut drain = vec.drain(mc, Bounds(2, 7));
            allocate(mc);
            drop(drain.next());
            drop(drain.next_back());
        }),
        Op::<F>::new(&["Vec::drain"], Fewer, |mc, vec| {
            core::mem::forget(vec.drain(mc, ..5));
            let mut drain = vec.drain(mc, 1..);
            drop(drain.next());
            core::mem::forget(drain);
        })
        .leaking(),
        Op::<F>::new(
            &[
                "Vec::into_iter",
                "IntoIter: Iterator",
                "IntoIter: DoubleEndedIterator",
                "IntoIter: ExactSizeIterator",
                "IntoIter: FusedIterator",
                "IntoIter: Debug",
            ],
            Fewer,
            |mc, vec| {
                let mut all = core::mem::take(vec).into_iter(mc);
                let text = format!("{all:?} {}", all.len());
                drop((text, all.next(), all.next_back()));
                all.for_each(|item| drop((keeps(item.id()), item)));
            },
        ),
        Op::<F>::new(&["Vec::retain"], Fewer, |mc, vec| {
            vec.retain(mc, |item| keeps(item.id()));
        }),
        Op::<F>::new(&["Vec::dedup"], Fewer, |mc, vec| vec.dedup(mc)),
        Op::<F>::new(&["Vec::dedup_by"], Any, |mc, vec| {
            vec.dedup_by(mc, |one, before| {
                core::mem::swap(one, before);
                !keeps(one.id())
            });
        }),
        Op::<F>::new(&["Vec::with_capacity"], Same, |mc, _| {
            Vec::<F::Of<'_>>::with_capacity(mc, 5).push(mc, F::Of::make(mc, 1));
        }),
        Op::<F>::new(
            &[
                "Vec::capacity",
                "Vec: Deref",
                "Vec: AsRef",
                "Vec: IntoIterator",
                "Vec: Collect",
            ],
            Same,
            |_, vec| {
                vec.iter().for_each(|item| _ = item.id());
                AsRef::<[_]>::as_ref(vec)
                    .iter()
                    .for_each(|item| _ = id_of(item));
                (&*vec)
                    .into_iter()
                    .for_each(|item| assert!(item.id() < 1000));
                assert!(vec.capacity() >= vec.len());
            },
        ),
        Op::<F>::new(&["Vec::as_mut_slice"], Any, |mc, vec| {
            vec.as_mut_slice(mc).sort();
            vec.as_mut_slice(mc).sort_unstable_by_key(|item| {
                hit(Call::Closure);
                u64::MAX - item.id()
            });
        }),
        Op::<F>::new(&["Vec::get_mut", "Vec::iter_mut"], Any, |mc, vec| {
            *vec.get_mut(mc, 3).unwrap() = F::Of::make(mc, 50);
            for item in vec.iter_mut(mc) {
                *item = item.clone();
            }
        }),
        Op::<F>::new(&["Vec::write_at"], Same, |mc, vec| {
            assert!(vec.write_at(mc, 3).id() > 0);
        }),
        Op::<F>::new(&["Vec::into_gc"], Fewer, |mc, vec| {
            let gc = core::mem::take(vec).into_gc();
            allocate(mc);
            let _ = gc.iter().max();
        }),
        Op::<F>::new(&["Vec: Default"], Fewer, |_, vec| *vec = Vec::default()),
        Op::<F>::new(
            &[
                "Vec: PartialEq",
                "Vec: Eq",
                "Vec: PartialOrd",
                "Vec: Ord",
                "Vec: Hash",
                "Vec: Debug",
                "Vec: Borrow",
            ],
            Same,
            |mc, vec| {
                let other = vec.clone_in(mc);
                let _ = *vec == other && other == vec[..];
                let _ = other.partial_cmp(vec).is_some() && other.cmp(vec).is_eq();
                let mut map = std::collections::HashMap::new();
                let slice: &[_] = vec;
                map.insert(other, format!("{vec:?}"));
                let _ = map.get(slice);
            },
        ),
    ]
}

/// Those that copy, and so call nothing of an item's.
pub fn operations_with_copies() -> std::vec::Vec<Operation<Subjects<Plain>>> {
    vec![Operation::new(
        &["Vec::extend_from_slice"],
        Same,
        |mc, _| {
            let mut vec = Vec::new();
            vec.extend_from_slice(mc, &[1, 2, 3]);
            hit(Call::Closure);
            let twins: std::vec::Vec<u64> = vec.iter().map(|id| or_lie(*id, 9)).collect();
            vec.extend_from_slice(mc, &twins);
            assert_eq!(vec.len(), 6);
        },
    )]
}
