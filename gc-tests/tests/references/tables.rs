//! Weak maps, sets and interners, against a model.

use std::collections::{BTreeMap, BTreeSet};

use gc_core::arena::rootless_mutate;
use gc_core::weak_collections::{WeakInterner, WeakMap, WeakSet};
use gc_core::{Arena, Collect, FinalizerMode, Gc, HeapError, HeapOptions, Lock, Rootable};
use gc_tests::seed::{Seed, seeds};
use gc_tests::way::in_each_way;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    held: Vec<Option<Gc<'gc, usize>>>,
    map: WeakMap<'gc, usize, Value<'gc>>,
    set: WeakSet<'gc, usize>,
}

/// A value that leads to a key: often its own.
#[derive(Collect)]
#[collect(no_drop)]
struct Value<'gc> {
    number: u64,
    key: Gc<'gc, usize>,
}

#[test]
fn maps_and_sets_beside_a_model() {
    in_each_way(|way| {
        for seed in seeds(0..way.size(2, 8) as u64) {
            let mut random = seed.random();
            let keys = way.size(24, 200);
            let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.often(), |mc| Roots {
                held: (0..keys).map(|id| Some(Gc::new(mc, id))).collect(),
                map: WeakMap::new(mc),
                set: WeakSet::new(mc),
            })
            .unwrap();
            let mut map = BTreeMap::new();
            let mut set = BTreeSet::new();
            for step in 0..way.size(300, 4000) {
                let id = random.below(keys);
                let number = random.number();
                let choice = random.below(12);
                heap.mutate_root(|mc, roots| {
                    let Some(key) = roots.held[id] else {
                        // Another object with the same number.
                        roots.held[id] = (choice == 0).then(|| Gc::new(mc, id));
                        return;
                    };
                    match choice {
                        0..4 => {
                            let new = Gc::new(mc, Value { number, key });
                            let old = roots.map.insert(mc, key, new).map(|value| value.number);
                            assert_eq!(old, map.insert(id, number));
                        }
                        4 => {
                            let old = roots.map.remove(mc, key).map(|value| value.number);
                            assert_eq!(old, map.remove(&id));
                        }
                        5..7 => assert_eq!(roots.set.insert(mc, key), set.insert(id)),
                        7 => assert_eq!(roots.set.remove(mc, key), set.remove(&id)),
                        8 | 9 => {
                            // The model forgets with the program: nobody else can tell.
                            roots.held[id] = None;
                            map.remove(&id);
                            set.remove(&id);
                        }
                        10 if random.one_in(100) => {
                            roots.map.clear(mc);
                            map.clear();
                        }
                        10 if random.one_in(20) => {
                            roots.map.shrink_to_fit(mc);
                            roots.set.shrink_to_fit(mc);
                        }
                        10 if random.one_in(20) => {
                            // What nobody holds any more may still be there; the model has forgotten it.
                            roots.map.retain(mc, |_, value| value.number & 3 != 0);
                            map.retain(|_, number| *number & 3 != 0);
                            roots.set.retain(mc, |key| *key % 5 != 0);
                            set.retain(|id| id % 5 != 0);
                        }
                        _ => {
                            let value = roots.map.get(mc, key);
                            assert_eq!(value.map(|value| value.number), map.get(&id).copied());
                            assert!(value.is_none_or(|value| *value.key == id));
                            assert_eq!(roots.set.contains(mc, key), set.contains(&id));
                        }
                    }
                });
                if step % 3 == 0 {
                    heap.collect_debt();
                }
                if random.one_in(way.size(60, 200)) {
                    heap.finish_cycle();
                    heap.mutate(|mc, roots| {
                        let found = roots.map.iter(mc);
                        let found: BTreeMap<_, _> =
                            found.map(|(key, value)| (*key, value.number)).collect();
                        assert_eq!(found, map, "seed {seed}");
                        let found: BTreeSet<_> = roots.set.iter(mc).map(|key| *key).collect();
                        assert_eq!(found, set, "seed {seed}");
                        assert!(roots.map.len_upper_bound() >= map.len());
                        assert!(roots.set.len_upper_bound() >= set.len());
                        if id.is_multiple_of(2) {
                            roots.map.shrink_to_fit(mc);
                            roots.set.shrink_to_fit(mc);
                            assert_eq!(roots.map.len_upper_bound(), map.len());
                            assert_eq!(roots.set.len_upper_bound(), set.len());
                        }
                    });
                }
            }
            // The tables alone keep nothing, but the places of what is gone.
            heap.mutate_root(|_, roots| roots.held.clear());
            heap.finish_cycle();
            heap.mutate(|mc, roots| {
                assert_eq!(roots.map.iter(mc).count() + roots.set.iter(mc).count(), 0);
                roots.map.clear(mc);
                roots.set.clear(mc);
            });
            heap.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 2);
        }
    });
}

#[test]
fn equal_strings_are_one_as_long_as_they_live() {
    type Roots<'gc> = (Vec<Option<Gc<'gc, str>>>, WeakInterner<'gc>);
    in_each_way(|way| {
        let seed = Seed::or(7);
        let mut random = seed.random();
        let names = way.size(30, 300);
        type Heap = Arena<Rootable![Roots<'_>]>;
        let mut heap =
            Heap::with_options(way.often(), |mc| (vec![None; names], WeakInterner::new(mc)))
                .unwrap();
        for step in 0..way.size(400, 6000) {
            let id = random.below(names);
            let text = if id == 0 {
                String::new()
            } else {
                format!("name {id}")
            };
            let forget = random.one_in(3);
            heap.mutate_root(|mc, (held, interner)| {
                let string = interner.intern(mc, &text);
                assert_eq!(*string, *text);
                if let Some(held) = held[id] {
                    assert!(Gc::ptr_eq(held, string));
                }
                assert!(Gc::ptr_eq(
                    interner.get(mc, &text).unwrap_or(string),
                    string
                ));
                held[id] = (!forget).then_some(string);
            });
            if step % 2 == 0 {
                heap.collect_debt();
            }
            if random.one_in(way.size(50, 400)) {
                heap.finish_cycle();
                heap.mutate(|mc, (held, interner)| {
                    let count = held.iter().skip(1).flatten().count();
                    assert_eq!(interner.iter(mc).count(), count);
                    assert!(interner.len_upper_bound() >= count);
                    if id.is_multiple_of(2) {
                        interner.shrink_to_fit(mc);
                        assert_eq!(interner.len_upper_bound(), count);
                        let mut held = held.iter().skip(1).flatten();
                        assert!(
                            held.all(|string| Gc::ptr_eq(interner.intern(mc, string), *string))
                        );
                    }
                });
            }
        }
        heap.mutate(|mc, (held, interner)| {
            interner.clear(mc);
            assert_eq!(
                (interner.iter(mc).count(), interner.len_upper_bound()),
                (0, 0)
            );
            for string in held.iter().skip(1).flatten() {
                assert!(interner.get(mc, string).is_none());
                assert!(!Gc::ptr_eq(interner.intern(mc, string), *string));
            }
        });
    });
}

#[test]
fn large_tables_become_small() {
    type Roots<'gc> = (
        WeakMap<'gc, usize, usize>,
        WeakSet<'gc, usize>,
        WeakInterner<'gc>,
    );
    in_each_way(|way| {
        let options = way.options();
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| {
            (WeakMap::new(mc), WeakSet::new(mc), WeakInterner::new(mc))
        })
        .unwrap();
        heap.finish_cycle();
        let small = heap.metrics().statistics().live_bytes;
        heap.mutate(|mc, (map, set, interner)| {
            for number in 0..2000 {
                let key = Gc::new(mc, number);
                map.insert(mc, key, key);
                set.insert(mc, key);
                interner.intern(mc, &number.to_string());
            }
        });
        heap.finish_cycle();
        let large = heap.metrics().statistics().live_bytes;
        assert!(large > small + 3 * 2000 * 16, "{small} {large}");
        heap.mutate(|mc, (map, set, interner)| {
            assert_eq!(map.len_upper_bound() + set.len_upper_bound(), 4000);
            assert_eq!(interner.len_upper_bound(), 2000);
            map.shrink_to_fit(mc);
            set.shrink_to_fit(mc);
            interner.shrink_to_fit(mc);
        });
        heap.finish_cycle();
        heap.finish_cycle();
        let shrunk = heap.metrics().statistics().live_bytes;
        assert!(shrunk < small + 3000, "{small} {shrunk}");
    });
}

#[test]
fn who_is_asked_what_to_keep_may_change_the_table() {
    rootless_mutate(|mc| {
        let keys: Vec<_> = (0..1000).map(|number| Gc::new(mc, number)).collect();
        let map = WeakMap::new(mc);
        keys[..10]
            .iter()
            .for_each(|key| _ = map.insert(mc, *key, *key));
        let mut asked = 0;
        map.retain(mc, |key, _| {
            if asked == 0 {
                // The table grows meanwhile, more than once.
                keys[10..]
                    .iter()
                    .for_each(|key| _ = map.insert(mc, *key, *key));
            }
            asked += 1;
            *key >= 5
        });
        assert!(asked >= 10);
        for key in &keys {
            assert_eq!(map.contains_key(mc, *key), **key >= 5, "{}", **key);
        }
        map.retain(mc, |key, _| {
            map.clear(mc);
            *key >= 5
        });
        assert_eq!(map.iter(mc).count(), 0);
    });
}

#[test]
fn a_string_that_waits_for_a_finalizer_is_the_one_of_its_kind() {
    type Saved<'gc> = Gc<'gc, Lock<Option<Gc<'gc, str>>>>;
    type Roots<'gc> = (Saved<'gc>, WeakInterner<'gc>);
    in_each_way(|way| {
        for asked_before in [false, true] {
            let options = way.options().finalizers(FinalizerMode::Manual);
            let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| {
                (Gc::new(mc, Lock::new(None)), WeakInterner::new(mc))
            })
            .unwrap();
            heap.mutate(|mc, (saved, names)| {
                let object = Gc::new(mc, (names.intern(mc, "name"), *saved));
                _ = mc.finalize_with(object, |object, mc| object.1.set(mc, Some(object.0)));
            });
            heap.finish_cycle();
            let address = |heap: &Arena<Rootable![Roots<'_>]>| {
                heap.mutate(|mc, (_, names)| Gc::as_ptr(names.intern(mc, "name")).addr())
            };
            // The object was found dead, and the string with it.
            let before = asked_before.then(|| address(&heap));
            assert_eq!(heap.run_finalizers(10), 1);
            let saved = heap.mutate(|_, (saved, _)| Gc::as_ptr(saved.get().unwrap()).addr());
            assert!(before.is_none_or(|before| before == saved));
            assert_eq!(address(&heap), saved);
            heap.finish_cycle();
            assert_eq!(address(&heap), saved);

            heap.mutate(|mc, (saved, _)| saved.set(mc, None));
            heap.finish_cycle();
            heap.mutate(|mc, (_, names)| assert!(names.get(mc, "name").is_none()));
        }
    });
}

#[test]
fn tables_that_cannot_grow_are_as_they_were() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        objects: Vec<(Gc<'gc, str>, Gc<'gc, usize>)>,
        names: WeakInterner<'gc>,
        map: WeakMap<'gc, usize, usize>,
        set: WeakSet<'gc, usize>,
    }
    let options = HeapOptions::default().limit(1 << 20);
    let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| Roots {
        objects: Vec::new(),
        names: WeakInterner::new(mc),
        map: WeakMap::new(mc),
        set: WeakSet::new(mc),
    })
    .unwrap();
    for _ in 0..3 {
        let error = heap.mutate_root(|mc, roots| {
            loop {
                let number = roots.objects.len();
                let add = || {
                    let object = Gc::try_new(mc, number)?;
                    let string = roots.names.try_intern(mc, &format!("name {number}"))?;
                    assert!(roots.map.insert_or_error(mc, object, object)?.is_none());
                    assert!(roots.set.insert_or_error(mc, object)?);
                    Ok((string, object))
                };
                match add() {
                    Ok(added) => roots.objects.push(added),
                    Err(error) => break error,
                }
            }
        });
        assert!(matches!(error, HeapError::LimitReached { .. }));
        heap.mutate_root(|mc, roots| {
            assert!(roots.objects.len() > 1000);
            for (string, object) in &roots.objects {
                assert!(Gc::ptr_eq(roots.names.intern(mc, string), *string));
                assert!(Gc::ptr_eq(roots.map.get(mc, *object).unwrap(), *object));
                assert!(roots.set.contains(mc, *object));
            }
            roots.objects.clear();
        });
        heap.finish_cycle();
    }
    heap.verify().unwrap();
}

#[derive(Collect)]
#[collect(no_drop)]
struct Tables<'gc> {
    held: Vec<Gc<'gc, [u64; 4]>>,
    strings: Vec<Gc<'gc, str>>,
    map: WeakMap<'gc, [u64; 4], u64>,
    set: WeakSet<'gc, [u64; 4]>,
    interner: WeakInterner<'gc>,
}

impl<'gc> Tables<'gc> {
    /// Adds new entries to each table, and holds them.
    fn add(&mut self, mc: &gc_core::Mutation<'gc>, ids: std::ops::Range<u64>) {
        for id in ids {
            let [key, member] = [0; 2].map(|_| Gc::new(mc, [id; 4]));
            self.map.insert(mc, key, Gc::new(mc, id));
            self.set.insert(mc, member);
            self.held.extend([key, member]);
            self.strings
                .push(self.interner.intern(mc, &format!("string {id}")));
        }
    }
}

/// What lets a table let go of what is gone.
#[derive(Clone, Copy, Debug)]
enum By {
    Iterating,
    Retaining,
    Inserting,
    Removing,
}

#[test]
fn what_is_left_of_dead_entries_goes() {
    in_each_way(|way| {
        for by in [By::Iterating, By::Retaining, By::Inserting, By::Removing] {
            let count = way.size(100, 1000) as u64;
            let mut heap =
                Arena::<Rootable![Tables<'_>]>::with_options(way.options(), |mc| Tables {
                    held: Vec::new(),
                    strings: Vec::new(),
                    map: WeakMap::new(mc),
                    set: WeakSet::new(mc),
                    interner: WeakInterner::new(mc),
                })
                .unwrap();
            let objects = |heap: &mut Arena<Rootable![Tables<'_>]>| {
                heap.finish_cycle();
                heap.metrics().total_gc_count()
            };
            // One of each stays.
            heap.mutate_root(|mc, tables| tables.add(mc, 0..1));
            let before = objects(&mut heap);
            heap.mutate_root(|mc, tables| tables.add(mc, 1..count));
            // Removed entries leave nothing, though their keys die later.
            heap.mutate_root(|mc, tables| {
                if let By::Removing = by {
                    for pair in tables.held.chunks(2).skip(1) {
                        tables.map.remove(mc, pair[0]);
                        tables.set.remove(mc, pair[1]);
                    }
                    // An interner has no such method.
                    tables.interner.shrink_to_fit(mc);
                }
                tables.held.truncate(2);
                tables.strings.truncate(1);
            });
            let dead = objects(&mut heap);
            // As many as can be inserted until all places were looked at.
            let mut inserted = 0;
            match by {
                By::Iterating => heap.mutate(|mc, tables| {
                    let found = (tables.map.iter(mc).count(), tables.set.iter(mc).count());
                    assert_eq!((found, tables.interner.iter(mc).count()), ((1, 1), 1));
                }),
                By::Retaining => heap.mutate(|mc, tables| {
                    tables.map.retain(mc, |key, value| key[0] == *value);
                    tables.set.retain(mc, |key| key[0] == 0);
                    assert_eq!(tables.interner.iter(mc).count(), 1);
                    assert_eq!(tables.map.len_upper_bound(), 1);
                }),
                By::Inserting => {
                    inserted = count.next_power_of_two() + 2;
                    heap.mutate_root(|mc, tables| tables.add(mc, count..count + inserted));
                }
                By::Removing => {
                    // Strings are left.
                    assert_eq!(dead, before + count as usize - 1);
                    heap.mutate(|mc, tables| assert_eq!(tables.interner.iter(mc).count(), 1));
                }
            }
            let left = objects(&mut heap);
            assert_eq!(left, before + 4 * inserted as usize, "{by:?}");
            heap.verify().unwrap();
        }
    });
}

#[test]
fn tables_of_the_dead_become_small() {
    #[allow(clippy::redundant_closure, reason = "the function is for one lifetime")]
    let mut heap = Arena::<Rootable![WeakMap<'_, u64, u64>]>::new(|mc| WeakMap::new(mc));
    heap.mutate(|mc, map| {
        (0..100_000).for_each(|id| _ = map.insert(mc, Gc::new(mc, id), Gc::new(mc, id)))
    });
    heap.finish_cycle();
    let large = heap.mutate(|_, map| map.len_upper_bound());
    for _ in 0..200 {
        heap.mutate(|mc, map| {
            (0..1000).for_each(|id| _ = map.insert(mc, Gc::new(mc, id), Gc::new(mc, id)))
        });
        heap.finish_cycle();
    }
    let small = heap.mutate(|_, map| map.len_upper_bound());
    assert!(large == 100_000 && small < 10_000, "{small}");
}
