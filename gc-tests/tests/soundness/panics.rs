//! Panics whose payloads panic again when they are dropped.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, GcWeak, Rootable};

use crate::checked;

/// What is thrown: dropping it throws once more.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            resume_unwind(Box::new("a payload was dropped"));
        }
    }
}

#[derive(Collect)]
#[collect(require_static)]
struct Thrower(Rc<Cell<u32>>);

impl Drop for Thrower {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        resume_unwind(Box::new(Payload));
    }
}

/// Runs `f`, which throws a payload, and leaks that.
fn payload_of(f: impl FnOnce()) {
    let thrown = catch_unwind(AssertUnwindSafe(f)).expect_err("nothing was thrown");
    assert!(thrown.is::<Payload>());
    std::mem::forget(thrown);
}

#[test]
fn a_collection_with_several_is_completed() {
    type Root<'gc> = (Gc<'gc, String>, Vec<GcWeak<'gc, Thrower>>);
    let drops = Rc::new(Cell::new(0));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| {
        (Gc::new(mc, "root".to_string()), Vec::new())
    })
    .unwrap();
    for round in 1..4 {
        arena.mutate_root(|mc, root| {
            for _ in 0..5 {
                Gc::new(mc, Thrower(drops.clone()));
                // A shell is made by other means than the sweep's.
                root.1
                    .push(Gc::downgrade(Gc::new(mc, Thrower(drops.clone()))));
            }
        });
        payload_of(|| arena.finish_cycle());
        assert_eq!(drops.get(), 10 * round);
        assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
        assert_eq!(arena.metrics().total_gc_count(), 1 + 5 * round as usize);
        arena.verify().unwrap();
        arena.mutate(|mc, root| {
            assert_eq!(root.0.as_str(), "root");
            assert!(root.1.iter().all(|weak| weak.upgrade(mc).is_none()));
        });
    }
    arena.mutate(|mc, _| {
        Gc::new(mc, Thrower(drops.clone()));
        Gc::new(mc, Thrower(drops.clone()));
    });
    payload_of(|| drop(arena));
    assert_eq!(drops.get(), 32);
}
