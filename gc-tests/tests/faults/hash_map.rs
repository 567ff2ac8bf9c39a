//! The operations of `HashMap`.

use std::marker::PhantomData;

use gc_core::Mutation;
use gc_core::collections::{Entry, HashMap, Vec};

use crate::fuse::{Call, hit};
use crate::items::{Builder, Family, Item, Items, Key, allocate, keeps};
use crate::stage::After::{Any, Fewer, More, Same};
use crate::stage::{Operation, Subject};

/// `HashMap` whose keys and values are of one kind of items.
pub struct Subjects<F>(PhantomData<F>);

type Map<'gc, I> = HashMap<'gc, I, I, Builder>;

fn pair<'gc, I: Item<'gc>>(mc: &Mutation<'gc>, id: u64) -> (I, I) {
    (I::make(mc, id), I::make(mc, id + 1000))
}

fn pairs<'gc, I: Item<'gc>>(
    mc: &Mutation<'gc>,
    ids: impl IntoIterator<Item = u64>,
) -> impl Iterator<Item = (I, I)> {
    let values = Items::new(mc, std::iter::repeat_n(1000, 30));
    Items::new(mc, ids).zip(values)
}

impl<F: Family> Subject for Subjects<F> {
    type In<'gc> = Map<'gc, F::Of<'gc>>;

    const STATES: usize = 2;

    fn new<'gc>(mc: &Mutation<'gc>, state: usize) -> Self::In<'gc> {
        // A table that is full; and one with room, from which something was removed.
        let count = [6, 8][state];
        let mut map = HashMap::with_hasher(Builder);
        for id in 0..count {
            let (key, value) = pair(mc, id);
            map.insert(mc, key, value);
        }
        if state == 1 {
            map.remove(mc, &Key(2));
        }
        map
    }

    fn contents<'gc>(_: &Mutation<'gc>, map: &Self::In<'gc>) -> std::vec::Vec<u64> {
        map.iter()
            .map(|(key, value)| {
                value.id();
                key.id()
            })
            .collect()
    }

    fn check<'gc>(mc: &Mutation<'gc>, map: &mut Self::In<'gc>, honest: bool) {
        assert!(map.len() <= map.capacity());
        for index in 0..map.len() {
            let id = map.get_index(index).unwrap().0.id();
            let found = map.get_index_of(&Key(id));
            assert!(!honest || found == Some(index), "{id}: {found:?}");
        }
        // One for each hash.
        for id in 500..505 {
            assert!(!map.contains_key(&Key(id)));
        }
        // A copy has an index of its own.
        let mut copy = map.clone_in(mc);
        copy.shrink_to_fit(mc);
        for index in 0..copy.len() {
            let id = copy.get_index(index).unwrap().0.id();
            assert_eq!(copy.get_index_of(&Key(id)), map.get_index_of(&Key(id)));
        }
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, map: &mut Self::In<'gc>) {
        let len = map.len();
        for id in 100..120 {
            let (key, value) = pair(mc, id);
            assert!(map.insert(mc, key, value).is_none());
        }
        for id in 100..110 {
            assert_eq!(map.shift_remove(mc, &Key(id)).unwrap().id(), id + 1000);
        }
        for id in 110..115 {
            assert_eq!(map.remove(mc, &Key(id)).unwrap().id(), id + 1000);
        }
        map.retain(mc, |key, _| key.id() != 117);
        assert_eq!(map.len(), len + 4);
        map.shrink_to_fit(mc);
        assert!(map.contains_key(&Key(119)));
    }
}

/// The first key of a map.
fn first<'gc>(map: &Map<'gc, impl Item<'gc>>) -> Key {
    Key(map.get_index(0).unwrap().0.id())
}

/// All of them.
pub fn operations<F: Family>() -> std::vec::Vec<Operation<Subjects<F>>> {
    type Op<F> = Operation<Subjects<F>>;
    vec![
        Op::<F>::new(
            &[
                "HashMap::capacity",
                "HashMap::try_reserve",
                "HashMap::reserve",
            ],
            Same,
            |mc, map| {
                map.reserve(mc, 30);
                let _ = map.try_reserve(mc, usize::MAX);
            },
        ),
        Op::<F>::new(&["HashMap::shrink_to_fit"], Same, |mc, map| {
            map.shrink_to_fit(mc)
        }),
        Op::<F>::new(&["HashMap::insert"], More, |mc, map| {
            for id in [1, 50, 3, 51] {
                let (key, value) = pair(mc, id);
                drop(map.insert(mc, key, value));
                let (key, value) = pair(mc, id);
                drop(map.insert(mc, key, value));
            }
        }),
        Op::<F>::new(
            &["HashMap::remove", "HashMap::remove_entry"],
            Any,
            |mc, map| {
                drop(map.remove(mc, &first(map)));
                drop(map.remove_entry(mc, &Key(4)));
                drop(map.remove(mc, &Key(99)));
            },
        ),
        Op::<F>::new(&["HashMap::shift_remove"], Fewer, |mc, map| {
            drop(map.shift_remove(mc, &first(map)));
            drop(map.shift_remove(mc, &Key(4)));
            drop(map.shift_remove(mc, &Key(99)));
        }),
        Op::<F>::new(&["HashMap::clear"], Fewer, |mc, map| map.clear(mc)),
        Op::<F>::new(&["HashMap::retain"], Fewer, |mc, map| {
            map.retain(mc, |key, value| {
                *value = key.clone();
                allocate(mc);
                keeps(key.id())
            });
        }),
        Op::<F>::new(&["HashMap::drain"], Fewer, |mc, map| {
            let mut drain = map.drain(mc);
            drop(drain.next());
            drop(drain.next_back());
        }),
        Op::<F>::new(&["HashMap::drain"], Fewer, |mc, map| {
            let mut drain = map.drain(mc);
            drop(drain.next());
            core::mem::forget(drain);
        })
        .leaking(),
        Op::<F>::new(
            &["HashMap::into_iter", "HashMap::with_hasher"],
            Fewer,
            |mc, map| {
                let all = core::mem::replace(map, HashMap::with_hasher(Builder));
                all.into_iter(mc)
                    .for_each(|(key, value)| drop((keeps(key.id()), value)));
            },
        ),
        Op::<F>::new(&["HashMap::clone_in"], Same, |mc, map| {
            _ = map.clone_in(mc);
        }),
        Op::<F>::new(&["HashMap::extend"], More, |mc, map| {
            map.extend(mc, pairs(mc, [70, 1, 71, 70, 72, 73, 74, 75]));
        }),
        Op::<F>::new(&["HashMap::from_iter"], Same, |mc, _| {
            Map::<F::Of<'_>>::from_iter(mc, pairs(mc, [70, 1, 71, 70, 72, 73, 74, 75]));
        }),
        Op::<F>::new(
            &["HashMap::new", "HashMap::with_capacity", "HashMap: Default"],
            Same,
            |mc, _| {
                let mut maps = [HashMap::new(), HashMap::with_capacity(mc, 5)];
                for map in &mut maps {
                    let (key, value) = pair::<F::Of<'_>>(mc, 1);
                    map.insert(mc, key, value);
                }
                _ = Map::<F::Of<'_>>::default();
            },
        ),
        Op::<F>::new(
            &[
                "HashMap::len",
                "HashMap::is_empty",
                "HashMap::hasher",
                "HashMap::get_index",
                "HashMap::get_index_of",
                "HashMap::get",
                "HashMap::contains_key",
                "HashMap: Index",
                "HashMap: Collect",
            ],
            Same,
            |_, map| {
                for id in 0..8 {
                    let key = Key(id);
                    let _ = map.get(&key).is_some() && map[&key].id() > 0;
                    let _ = map.contains_key(&key);
                    let _ = map.get_index_of(&key).map(|at| map.get_index(at).is_some());
                }
                assert!(map.len() > 5 && !map.is_empty());
                assert_eq!(format!("{:?}", map.hasher()), "Builder");
            },
        ),
        Op::<F>::new(&["HashMap::get_mut"], Same, |mc, map| {
            if let Some(value) = map.get_mut(mc, &Key(3)) {
                *value = value.clone();
            }
        }),
        Op::<F>::new(&["HashMap::write_value"], Same, |mc, map| {
            if let Some(value) = map.write_value(mc, &Key(3)) {
                assert!(value.id() > 0);
            }
        }),
        Op::<F>::new(
            &[
                "HashMap::iter",
                "HashMap::keys",
                "HashMap::values",
                "HashMap: IntoIterator",
                "Iter: Clone",
                "Keys: Clone",
            ],
            Same,
            |_, map| {
                let (keys, values) = (map.keys(), map.values());
                let text = format!("{:?} {keys:?}", map.iter());
                assert!(!text.is_empty() && keys.len() == values.len());
                let both = keys.clone().rev().zip(values.clone().rev());
                both.for_each(|(key, value)| _ = key == value);
                map.iter()
                    .clone()
                    .for_each(|(key, value)| _ = keeps(key.id().max(value.id())));
                (&*map).into_iter().nth(2).unwrap().0.id();
                assert!(map.iter().rev().fuse().count() > 5);
            },
        ),
        Op::<F>::new(
            &["HashMap::iter_mut", "HashMap::values_mut"],
            Same,
            |mc, map| {
                for (key, value) in map.iter_mut(mc) {
                    *value = key.clone();
                }
                for value in map.values_mut(mc) {
                    *value = value.clone();
                }
            },
        ),
        Op::<F>::new(
            &[
                "HashMap::entry",
                "Entry::key",
                "Entry::or_insert",
                "Entry::or_insert_with",
                "Entry::or_default",
                "Entry::and_modify",
                "Entry: Debug",
            ],
            More,
            |mc, map| {
                for id in [3, 50] {
                    let item = |id| F::Of::make(mc, id);
                    *map.entry(mc, item(id)).or_insert(item(1)) = item(2);
                    map.entry(mc, item(id + 10)).or_insert_with(|| {
                        allocate(mc);
                        hit(Call::Closure);
                        item(1)
                    });
                    map.entry(mc, item(id + 30)).or_default();
                    let entry = map.entry(mc, item(id)).and_modify(|value| {
                        *value = value.clone();
                        hit(Call::Closure);
                    });
                    let _ = format!("{entry:?}").is_empty() || *entry.key() == item(id);
                }
            },
        ),
        Op::<F>::new(
            &[
                "OccupiedEntry::key",
                "OccupiedEntry::get",
                "OccupiedEntry::get_mut",
                "OccupiedEntry::into_mut",
                "OccupiedEntry::remove",
                "OccupiedEntry: Debug",
            ],
            Any,
            |mc, map| {
                let item = |id| F::Of::make(mc, id);
                if let Entry::Occupied(mut entry) = map.entry(mc, item(3)) {
                    let _ = entry.key() == entry.get() || format!("{entry:?}").is_empty();
                    drop(std::mem::replace(entry.get_mut(), item(4)));
                    *entry.get_mut() = item(5);
                    *entry.into_mut() = item(6);
                }
                if let Entry::Occupied(entry) = map.entry(mc, item(3)) {
                    drop(entry.remove());
                }
                if let Entry::Occupied(entry) = map.entry(mc, item(4)) {
                    drop(entry.remove());
                }
            },
        ),
        Op::<F>::new(
            &[
                "VacantEntry::key",
                "VacantEntry::insert",
                "VacantEntry: Debug",
            ],
            More,
            |mc, map| {
                let item = |id| F::Of::make(mc, id);
                for id in 50..53 {
                    if let Entry::Vacant(entry) = map.entry(mc, item(id)) {
                        let _ = *entry.key() == item(1) || format!("{entry:?}").is_empty();
                        *entry.insert(item(1)) = item(2);
                    }
                }
            },
        ),
        Op::<F>::new(
            &["HashMap: PartialEq", "HashMap: Eq", "HashMap: Debug"],
            Same,
            |mc, map| {
                let other = map.clone_in(mc);
                let _ = *map == other || format!("{map:?}").is_empty();
            },
        ),
        // Collections in collections: the drop of a key drops nothing of the heap.
        Op::<F>::new(&["HashMap::insert"], Same, |mc, _| {
            let mut outer: HashMap<'_, u64, Map<'_, F::Of<'_>>> = HashMap::new();
            for id in 0..3 {
                let inner = Map::from_iter(mc, pairs(mc, 0..4));
                _ = outer.insert(mc, id % 2, inner);
            }
            let vecs = Vec::from_iter(mc, outer.drain(mc).map(|(_, map)| map));
            assert_eq!(vecs.len(), 2);
        }),
    ]
}
