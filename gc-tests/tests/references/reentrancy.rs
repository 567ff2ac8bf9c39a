//! Weak maps and caches whose users come back while they are at work.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gc_core::weak_collections::WeakMap;
use gc_core::{Arena, Collect, Gc, Rootable, SoftCache};
use gc_tests::cycle::begin;
use gc_tests::way::in_each_way;

type Root<'gc> = (WeakMap<'gc, u64, u64>, Vec<Gc<'gc, u64>>);

/// A closure that fills, clears and shrinks the map for which it makes a value.
#[test]
fn a_map_that_changes_while_a_value_is_made() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            (
                WeakMap::new(mc),
                (0..200).map(|number| Gc::new(mc, number)).collect(),
            )
        })
        .unwrap();
        for round in 0..8_u64 {
            begin(&mut arena);
            arena.mutate(|mc, (map, keys)| {
                let key = keys[round as usize];
                let value = map.get_or_insert_with(mc, key, || {
                    for &other in keys {
                        map.insert(mc, other, Gc::new(mc, *other + 1));
                    }
                    if round % 2 == 0 {
                        map.clear(mc);
                    }
                    map.shrink_to_fit(mc);
                    map.remove(mc, key);
                    if round % 3 == 0 {
                        map.get_or_insert_with(mc, key, || Gc::new(mc, 7));
                    }
                    Gc::new(mc, round)
                });
                assert!(map.get(mc, key).is_some_and(|same| Gc::ptr_eq(same, value)));
                assert!(map.contains_key(mc, key) && *value == round);
                let count = map.iter(mc).count();
                assert_eq!(count, if round % 2 == 0 { 1 } else { 200 });
                map.clear(mc);
            });
            arena.finish_cycle();
        }
        arena.mutate_root(|_, root| root.1.truncate(1));
        arena.finish_cycle();
        arena.finish_cycle();
        arena.mutate(|mc, (map, _)| assert_eq!(map.iter(mc).count(), 0));
        assert!(arena.verify().is_ok());
    });
}

/// A key that may panic when it is hashed or compared.
struct Key<'gc> {
    number: u64,
    cache: SoftCache<'gc, Key<'gc>, u64>,
    mode: Cell<u8>,
}

// SAFETY: the pointer is visited, and there is no destructor.
unsafe impl<'gc> Collect<'gc> for Key<'gc> {
    fn trace<T: gc_core::collect::Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.cache);
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        assert!(self.mode.get() != 1, "not comparable");
        self.number == other.number
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(self.mode.get() != 2, "not hashable");
        // All in one place.
        0_u8.hash(state);
    }
}

/// A cache whose keys panic is as usable as before.
#[test]
#[allow(
    clippy::redundant_closure,
    reason = "the function is not general enough in its brand"
)]
fn keys_that_panic() {
    in_each_way(|way| {
        type Cache<'gc> = SoftCache<'gc, Key<'gc>, u64>;
        let mut arena =
            Arena::<Rootable![Cache<'_>]>::with_options(way.options(), |mc| SoftCache::new(mc))
                .unwrap();
        for round in 0..6_u64 {
            begin(&mut arena);
            arena.mutate(|mc, &cache| {
                let key = |number, mode| Key {
                    number,
                    cache,
                    mode: Cell::new(mode),
                };
                for number in 0..20 {
                    cache.insert(mc, key(number, 0), Gc::new(mc, number));
                }
                for mode in [1, 2] {
                    let at = |number| key(number, mode);
                    let insert = || cache.insert(mc, at(round), Gc::new(mc, 1));
                    assert!(catch_unwind(AssertUnwindSafe(insert)).is_err());
                    let remove = || cache.remove(mc, &at(round));
                    assert!(catch_unwind(AssertUnwindSafe(remove)).is_err());
                    let get = || cache.get(mc, &at(round));
                    assert!(catch_unwind(AssertUnwindSafe(get)).is_err());
                }
                assert_eq!(cache.count(mc), 20);
                assert_eq!(cache.remove(mc, &key(round, 0)).as_deref(), Some(&round));
                let made = cache.get_or_insert_with(mc, key(round, 0), || {
                    cache.clear(mc);
                    Gc::new(mc, 5)
                });
                assert_eq!((*made, cache.count(mc)), (5, 1));
            });
            arena.finish_cycle();
        }
        assert!(arena.verify().is_ok());
    });
}
