//! The operations of weak tables, whose closures may do anything with the same table.

use gc_core::weak_collections::{WeakInterner, WeakMap, WeakSet};
use gc_core::{Collect, Gc, Mutation};
use gc_tests::cargo::{Cargo, Crate};

use crate::fuse::{self, Call, hit};
use crate::items::{allocate, keeps};
use crate::stage::After::{Any, Same};
use crate::stage::{Operation, Subject};

/// One table of each kind, and what keeps the keys alive.
pub struct Subjects;

/// See there.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Tables<'gc> {
    keys: Vec<Crate<'gc>>,
    map: WeakMap<'gc, Cargo<'gc>, Cargo<'gc>>,
    set: WeakSet<'gc, Cargo<'gc>>,
    interner: WeakInterner<'gc>,
}

impl Subject for Subjects {
    type In<'gc> = Tables<'gc>;

    const STATES: usize = 1;

    fn new<'gc>(mc: &Mutation<'gc>, _: usize) -> Tables<'gc> {
        let tables = Tables {
            keys: (0..9).map(|id| Cargo::new(mc, id)).collect(),
            map: WeakMap::new(mc),
            set: WeakSet::new(mc),
            interner: WeakInterner::new(mc),
        };
        for key in &tables.keys {
            tables.map.insert(mc, *key, Cargo::new(mc, key.id() + 100));
            tables.set.insert(mc, *key);
            tables.interner.intern(mc, "text");
        }
        tables
    }

    fn contents<'gc>(mc: &Mutation<'gc>, tables: &Tables<'gc>) -> Vec<u64> {
        let pairs = tables
            .map
            .iter(mc)
            .map(|(key, value)| (key.id(), value.id()));
        let mut ids: Vec<u64> = pairs.map(|(key, _)| key).collect();
        ids.extend(tables.set.iter(mc).map(|key| key.id() + 1000));
        tables
            .interner
            .iter(mc)
            .for_each(|text| assert!(text.len() < 20));
        ids.sort();
        // Those that have no other pointers to them go at the next collection.
        ids.retain(|id| id % 1000 < 9);
        ids
    }

    fn check<'gc>(mc: &Mutation<'gc>, tables: &mut Tables<'gc>, _: bool) {
        for key in &tables.keys {
            let value = tables.map.get(mc, *key);
            assert!(value.is_none_or(|value| value.id() >= 100));
            assert_eq!(tables.map.contains_key(mc, *key), value.is_some());
        }
        let stranger = Cargo::new(mc, 500);
        assert!(!tables.map.contains_key(mc, stranger) && !tables.set.contains(mc, stranger));
        assert!(tables.interner.get(mc, "never seen").is_none());
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, tables: &mut Tables<'gc>) {
        for id in 200..240 {
            let key = Cargo::new(mc, id);
            tables.map.insert(mc, key, Cargo::new(mc, 100));
            tables.set.insert(mc, key);
            tables.interner.intern(mc, &format!("text {id}"));
        }
        tables.map.shrink_to_fit(mc);
        tables.set.shrink_to_fit(mc);
        tables.interner.shrink_to_fit(mc);
    }
}

/// All of them.
pub fn operations() -> Vec<Operation<Subjects>> {
    type Op = Operation<Subjects>;
    vec![
        Op::new(&["WeakMap::retain"], Any, |mc, tables| {
            let Tables { keys, map, .. } = tables;
            map.retain(mc, |key, value| {
                assert_eq!(key.id() + 100, value.id());
                // The closure has the table too.
                for id in 0..4 {
                    map.insert(mc, Cargo::new(mc, 300 + id), Cargo::new(mc, 400 + id));
                }
                map.remove(mc, keys[3]);
                if keeps(key.id()) {
                    map.shrink_to_fit(mc);
                }
                key.id() % 2 == 0
            });
        }),
        Op::new(&["WeakSet::retain"], Any, |mc, tables| {
            let Tables { keys, set, .. } = tables;
            set.retain(mc, |key| {
                allocate(mc);
                set.remove(mc, keys[3]);
                set.insert(mc, Cargo::new(mc, 300));
                set.shrink_to_fit(mc);
                keeps(key.id())
            });
        }),
        Op::new(&["WeakMap::get_or_insert_with"], Any, |mc, tables| {
            let Tables { map, .. } = tables;
            let key = Cargo::new(mc, 300);
            let value = map.get_or_insert_with(mc, key, || {
                map.insert(mc, key, Cargo::new(mc, 401));
                hit(Call::Closure);
                map.clear(mc);
                Cargo::new(mc, 400)
            });
            assert_eq!(value.id(), 400);
            assert!(Gc::ptr_eq(map.get(mc, key).unwrap(), value));
        }),
        Op::new(
            &[
                "WeakMap::iter",
                "WeakSet::iter",
                "WeakInterner::iter",
                "WeakMap::insert",
                "WeakMap::remove",
                "WeakMap::clear",
                "WeakSet::clear",
                "WeakInterner::clear",
            ],
            Any,
            |mc, tables| {
                let Tables {
                    keys,
                    map,
                    set,
                    interner,
                } = tables;
                for (key, _) in map.iter(mc) {
                    for id in 0..3 {
                        map.insert(mc, Cargo::new(mc, 300 + id), key);
                    }
                    map.remove(mc, key);
                    keeps(key.id());
                    map.shrink_to_fit(mc);
                }
                for key in set.iter(mc) {
                    set.clear(mc);
                    keeps(key.id());
                    set.insert(mc, keys[1]);
                }
                for text in interner.iter(mc) {
                    interner.clear(mc);
                    hit(Call::Closure);
                    interner.intern(mc, &text[1..]);
                }
                map.clear(mc);
            },
        ),
        // The others call nothing; a call of our own makes it sure that they are run with each fuse.
        Op::new(
            &[
                "WeakMap::new",
                "WeakMap::insert_or_error",
                "WeakMap::get",
                "WeakMap::contains_key",
                "WeakMap::len_upper_bound",
                "WeakMap::shrink_to_fit",
                "WeakSet::new",
                "WeakSet::insert",
                "WeakSet::insert_or_error",
                "WeakSet::contains",
                "WeakSet::remove",
                "WeakSet::len_upper_bound",
                "WeakSet::shrink_to_fit",
                "WeakInterner::new",
                "WeakInterner::intern",
                "WeakInterner::try_intern",
                "WeakInterner::get",
                "WeakInterner::len_upper_bound",
                "WeakInterner::shrink_to_fit",
            ],
            Same,
            |mc, _| {
                hit(Call::Closure);
                let keys: Vec<_> = (300..320).map(|id| Cargo::new(mc, id)).collect();
                let (map, set) = (WeakMap::new(mc), WeakSet::new(mc));
                let interner = WeakInterner::new(mc);
                for key in &keys {
                    assert!(map.insert_or_error(mc, *key, *key).unwrap().is_none());
                    assert!(set.insert(mc, *key) && !set.insert_or_error(mc, *key).unwrap());
                    let text = interner.intern(mc, &key.id().to_string());
                    let again = interner.try_intern(mc, &text).unwrap();
                    assert!(Gc::ptr_eq(text, again));
                    if fuse::is(true) {
                        map.shrink_to_fit(mc);
                        set.shrink_to_fit(mc);
                        interner.shrink_to_fit(mc);
                    }
                }
                assert!(keys.iter().all(|key| map.get(mc, *key).is_some()));
                assert!(keys.iter().all(|key| map.contains_key(mc, *key)));
                assert!(set.contains(mc, keys[0]) && set.remove(mc, keys[0]));
                assert!(interner.get(mc, "300").is_some());
                assert!(map.len_upper_bound() >= 20 && set.len_upper_bound() >= 20);
                assert!(interner.len_upper_bound() >= 20);
            },
        ),
    ]
}
