//! The operations of `HashSet`.

use std::marker::PhantomData;

use gc_core::Mutation;
use gc_core::collections::HashSet;

use crate::items::{Builder, Family, Item, Items, Key, allocate, keeps};
use crate::stage::After::{Any, Fewer, More, Same};
use crate::stage::{Operation, Subject};

/// `HashSet` of one kind of items.
pub struct Subjects<F>(PhantomData<F>);

type Set<'gc, I> = HashSet<'gc, I, Builder>;

impl<F: Family> Subject for Subjects<F> {
    type In<'gc> = Set<'gc, F::Of<'gc>>;

    const STATES: usize = 2;

    fn new<'gc>(mc: &Mutation<'gc>, state: usize) -> Self::In<'gc> {
        let mut set = HashSet::with_hasher(Builder);
        for id in 0..[6, 8][state] {
            set.insert(mc, F::Of::make(mc, id));
        }
        set
    }

    fn contents<'gc>(_: &Mutation<'gc>, set: &Self::In<'gc>) -> std::vec::Vec<u64> {
        set.iter().map(Item::id).collect()
    }

    fn check<'gc>(_: &Mutation<'gc>, set: &mut Self::In<'gc>, honest: bool) {
        assert!(set.len() <= set.capacity());
        for index in 0..set.len() {
            let id = set.iter().nth(index).unwrap().id();
            assert!(set.contains(&Key(id)) || !honest);
        }
        for id in 500..505 {
            assert!(!set.contains(&Key(id)));
        }
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, set: &mut Self::In<'gc>) {
        let len = set.len();
        for id in 100..110 {
            assert!(set.insert(mc, F::Of::make(mc, id)));
        }
        assert!(set.shift_remove(mc, &Key(100)) && set.remove(mc, &Key(101)));
        assert_eq!(set.get(&Key(102)).unwrap().id(), 102);
        assert!(set.remove(mc, &Key(102)));
        let copy = set.clone_in(mc);
        assert_eq!((set.len(), copy.len()), (len + 7, len + 7));
        set.shrink_to_fit(mc);
        assert!(set.contains(&Key(109)) && copy.contains(&Key(109)));
    }
}

/// All of them.
pub fn operations<F: Family>() -> std::vec::Vec<Operation<Subjects<F>>> {
    type Op<F> = Operation<Subjects<F>>;
    vec![
        Op::<F>::new(
            &[
                "HashSet::capacity",
                "HashSet::try_reserve",
                "HashSet::reserve",
            ],
            Same,
            |mc, set| {
                set.reserve(mc, 30);
                let _ = set.try_reserve(mc, usize::MAX);
            },
        ),
        Op::<F>::new(&["HashSet::shrink_to_fit"], Same, |mc, set| {
            set.shrink_to_fit(mc)
        }),
        Op::<F>::new(&["HashSet::insert"], More, |mc, set| {
            for id in [1, 50, 51] {
                set.insert(mc, F::Of::make(mc, id));
                set.insert(mc, F::Of::make(mc, id));
            }
        }),
        Op::<F>::new(
            &["HashSet::remove", "HashSet::contains", "HashSet::get"],
            Any,
            |mc, set| {
                set.remove(mc, &Key(1));
                set.remove(mc, &Key(2));
                let _ = set.contains(&Key(3)) && set.get(&Key(3)).is_some();
            },
        ),
        Op::<F>::new(&["HashSet::shift_remove"], Fewer, |mc, set| {
            set.shift_remove(mc, &Key(1));
            set.shift_remove(mc, &Key(4));
        }),
        Op::<F>::new(&["HashSet::clear"], Fewer, |mc, set| set.clear(mc)),
        Op::<F>::new(&["HashSet::retain"], Fewer, |mc, set| {
            set.retain(mc, |item| {
                allocate(mc);
                keeps(item.id())
            });
        }),
        Op::<F>::new(&["HashSet::drain"], Fewer, |mc, set| {
            drop(set.drain(mc).next())
        }),
        Op::<F>::new(&["HashSet::into_iter"], Fewer, |mc, set| {
            let all = core::mem::replace(set, HashSet::with_hasher(Builder));
            all.into_iter(mc).for_each(|item| _ = keeps(item.id()));
        }),
        Op::<F>::new(&["HashSet::clone_in"], Same, |mc, set| {
            _ = set.clone_in(mc);
        }),
        Op::<F>::new(&["HashSet::extend"], More, |mc, set| {
            set.extend(mc, Items::new(mc, [70, 1, 71, 70, 72, 73, 74, 75]));
        }),
        Op::<F>::new(&["HashSet::from_iter"], Same, |mc, _| {
            Set::<F::Of<'_>>::from_iter(mc, Items::new(mc, [70, 71, 70, 72]));
        }),
        Op::<F>::new(
            &[
                "HashSet::new",
                "HashSet::with_capacity",
                "HashSet::with_hasher",
                "HashSet: Default",
            ],
            Same,
            |mc, _| {
                for mut set in [HashSet::new(), HashSet::with_capacity(mc, 3)] {
                    set.insert(mc, F::Of::make(mc, 1));
                }
                _ = Set::<F::Of<'_>>::default();
            },
        ),
        Op::<F>::new(
            &[
                "HashSet::len",
                "HashSet::is_empty",
                "HashSet::iter",
                "HashSet: IntoIterator",
                "HashSet: Collect",
            ],
            Same,
            |_, set| {
                (&*set).into_iter().for_each(|item| _ = keeps(item.id()));
                assert!(!set.is_empty());
                assert_ne!(set.len(), 0);
            },
        ),
        Op::<F>::new(
            &["HashSet: PartialEq", "HashSet: Eq", "HashSet: Debug"],
            Same,
            |mc, set| {
                let mut other = set.clone_in(mc);
                other.insert(mc, F::Of::make(mc, 9));
                let _ = set.iter().all(|item| other.contains(&Key(item.id()))) || *set == other;
                drop(format!("{set:?}"));
            },
        ),
    ]
}
