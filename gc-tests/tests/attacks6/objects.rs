//! Values that are traced through trait objects.

use gc_core::collect::DynCollect;
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
