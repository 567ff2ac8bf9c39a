//! Ephemerons that are visited through trait objects, or by a visitor of the user's.

use gc_core::collect::{DynCollect, Trace};
use gc_core::{Arena, Collect, Ephemeron, Gc, GcWeak, Lock, Mutation, Rootable};
use gc_tests::way::in_each_way;

/// Something that leads back to its key.
#[derive(Collect)]
#[collect(no_drop)]
struct Value<'gc> {
    key: Gc<'gc, Key<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Key<'gc> {
    number: u64,
    up: Lock<Option<Gc<'gc, Key<'gc>>>>,
}

type Pair<'gc> = Ephemeron<'gc, Key<'gc>, Value<'gc>>;

fn pair<'gc>(mc: &Mutation<'gc>, number: u64) -> Pair<'gc> {
    let up = Lock::new(None);
    let key = Gc::new(mc, Key { number, up });
    Ephemeron::new(key, Gc::new(mc, Value { key }))
}

#[derive(Collect)]
#[collect(no_drop)]
struct Boxed<'gc> {
    object: Box<dyn DynCollect<'gc> + 'gc>,
    weak: GcWeak<'gc, Key<'gc>>,
    kept: Gc<'gc, Key<'gc>>,
    kept_value: GcWeak<'gc, Value<'gc>>,
}

/// An ephemeron that is visited through a trait object keeps its value no longer than the key, though the value leads
/// to the key.
#[test]
fn ephemerons_in_boxed_trait_objects_are_ephemerons() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Boxed<'_>]>::with_options(way.options(), |mc| {
            let pairs = vec![pair(mc, 1), pair(mc, 2)];
            let (key, value) = pairs[1].get(mc).unwrap();
            Boxed {
                weak: pairs[0].weak_key(),
                object: Box::new(pairs),
                kept: key,
                kept_value: Gc::downgrade(value),
            }
        })
        .unwrap();
        arena.finish_cycle();
        arena.finish_cycle();
        arena.mutate(|mc, root| {
            assert!(root.weak.upgrade(mc).is_none());
            let value = root.kept_value.upgrade(mc).unwrap();
            assert_eq!((value.key.number, root.kept.number), (2, 2));
            assert!(root.kept.up.get().is_none());
        });
    });
}

/// Looks at pointers, and keeps what it sees.
#[derive(Default)]
struct Keeper<'gc> {
    strong: Vec<Gc<'gc, ()>>,
    weak: Vec<GcWeak<'gc, ()>>,
}

impl<'gc> Trace<'gc> for Keeper<'gc> {
    fn trace_gc(&mut self, gc: Gc<'gc, ()>) {
        self.strong.push(gc);
    }

    fn trace_gc_weak(&mut self, gc: GcWeak<'gc, ()>) {
        self.weak.push(gc);
    }
}

/// The value of an ephemeron whose key is dead was freed, and nobody has said so to the ephemeron: a visitor of the user's
/// gets no pointer to it. Nor does one while a cycle marks, which would not hear of that.
#[test]
fn visitors_get_no_value_that_may_be_gone() {
    in_each_way(|way| {
        let mut arena =
            Arena::<Rootable![Pair<'_>]>::with_options(way.options(), |mc| pair(mc, 1)).unwrap();
        for _ in 0..3 {
            arena.mutate(|mc, pair| {
                let mut keeper = Keeper::default();
                keeper.trace(pair);
                keeper.trace(&[*pair; 3]);
                assert_eq!((keeper.strong.len(), keeper.weak.len()), (0, 4));
                // What a freed address would not survive.
                for gc in keeper.strong {
                    mc.backward_barrier(gc, None);
                    _ = Gc::downgrade(gc).upgrade(mc);
                }
                let there = keeper.weak[0].upgrade(mc).is_some();
                assert_eq!(there, pair.key(mc).is_some());
            });
            arena.finish_cycle();
        }
        arena.mutate(|mc, pair| assert!(pair.get(mc).is_none()));
    });
}
