//! Payloads of panics whose own `Drop` panics, thrown by everything that the collector calls but `trace`: none is dropped by the
//! collector, and no panic keeps the others from being called.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gc_core::{Arena, Collect, FinalizerMode, Gc, Rootable, shared};
use gc_tests::way::in_each_way;

use crate::cycles::{DROPPED, Payload};

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static IS_ARMED: Cell<bool> = const { Cell::new(false) };
}

fn call() {
    CALLS.set(CALLS.get() + 1);
    if IS_ARMED.get() && !std::thread::panicking() {
        resume_unwind(Box::new(Payload));
    }
}

/// Throws when it tells what it owns, and when it is dropped.
#[derive(Collect)]
#[collect(require_static, owned_bytes = owned)]
struct Thrower;

impl Drop for Thrower {
    fn drop(&mut self) {
        call();
    }
}

fn owned(_: &Thrower) -> usize {
    call();
    1000
}

/// So many of them.
const COUNT: usize = 5;

/// Calls `f` while all throw. How many calls there were, and whether one has thrown out of it. A later safepoint throws nothing.
fn armed(f: impl FnOnce()) -> (usize, bool) {
    CALLS.set(0);
    IS_ARMED.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    IS_ARMED.set(false);
    let has_thrown = result.is_err();
    if let Err(payload) = result {
        assert!(payload.is::<Payload>());
        std::mem::forget(payload);
    }
    assert_eq!(DROPPED.get(), 0, "a payload was dropped");
    (CALLS.get(), has_thrown)
}

#[test]
fn values_and_the_root_tell_what_they_own() {
    type Root<'gc> = (Vec<Gc<'gc, Thrower>>, Thrower);
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let all = (0..COUNT).map(|_| Gc::new(mc, Thrower));
            (all.collect(), Thrower)
        })
        .unwrap();
        arena.mutate(|mc, root| root.0.iter().for_each(|gc| _ = Gc::write(mc, *gc)));
        let (calls, has_thrown) = armed(|| arena.finish_cycle());
        assert!(calls > COUNT && has_thrown);
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), COUNT);
        arena.mutate_root(|_, root| root.0.clear());
        let (calls, has_thrown) = armed(|| arena.finish_cycle());
        assert!(calls >= COUNT && has_thrown);
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 0);
    });
}

#[test]
fn values_and_the_root_of_a_shared_arena() {
    type Root<'gc> = (Gc<'gc, shared::Mutex<Vec<Gc<'gc, Thrower>>>>, Thrower);
    in_each_way(|way| {
        let arena = shared::Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let all = (0..COUNT).map(|_| mc.allocate(Thrower)).collect();
            (mc.allocate(shared::Mutex::new(all)), Thrower)
        })
        .unwrap();
        let here = arena.attach();
        let (calls, has_thrown) = armed(|| {
            here.mutate(|mc, root| root.0.lock(mc).iter().for_each(|gc| _ = mc.write(*gc)));
            here.finish_cycle();
        });
        assert!(calls > COUNT && has_thrown);
        here.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 1 + COUNT);
        here.mutate(|mc, root| root.0.lock(mc).clear());
        let (calls, has_thrown) = armed(|| here.finish_cycle());
        assert!(calls >= COUNT && has_thrown);
        here.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 1);
    });
}

/// Finalizers that throw, what they own, and who hears of them.
#[test]
fn finalizers_and_their_hook() {
    for run in [true, false] {
        in_each_way(|way| {
            let mode = match run {
                true => FinalizerMode::AfterCollection,
                false => FinalizerMode::Manual,
            };
            let options = way.options().finalizers(mode);
            let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
            arena.set_finalizer_hook(|_| call());
            arena.mutate(|mc, ()| {
                for _ in 0..COUNT {
                    let owned = Thrower;
                    _ = mc.finalize_with(Gc::new(mc, 1), move |_, _| {
                        let _owned = &owned;
                        call();
                    });
                }
            });
            // Each finalizer, and what hears of its panic; or what it owns, and what hears of that.
            let (calls, has_thrown) = armed(|| arena.finish_cycle());
            assert!(!has_thrown && (!run || calls >= 2 * COUNT), "{calls}");
            let (calls, has_thrown) = armed(|| drop(arena));
            assert!(!has_thrown && (run || calls > 2 * COUNT), "{calls}");
        });
    }
}
