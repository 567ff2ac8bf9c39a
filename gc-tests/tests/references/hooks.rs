//! The hook for finalizers: it is the user's, and so is what it owns. Whatever either does, no lock of the collector is held.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use gc_core::finalizer::FinalizerReport;
use gc_core::{Arena, Rootable, shared};
use gc_tests::child::in_time;

type NoRoot = Rootable![()];

/// Calls something when it is dropped.
struct Last<F: Fn()>(F);

impl<F: Fn()> Drop for Last<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn what_a_hook_owns_sets_another_when_it_is_dropped() {
    thread_local! {
        static ARENA: RefCell<Option<Arena<NoRoot>>> = const { RefCell::new(None) };
    }
    let set = |dropped: Arc<AtomicUsize>| {
        ARENA.with_borrow(|arena| {
            let last = Last(move || {
                dropped.fetch_add(1, Ordering::Relaxed);
                ARENA.with_borrow(|arena| arena.as_ref().unwrap().set_finalizer_hook(|_| ()));
            });
            arena
                .as_ref()
                .unwrap()
                .set_finalizer_hook(move |_| _ = &last);
        });
    };
    in_time(move || {
        ARENA.set(Some(Arena::new(|_| ())));
        let dropped = Arc::default();
        set(Arc::clone(&dropped));
        // The second takes the place of the first, which lets a third take the place of the second.
        set(Arc::clone(&dropped));
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn the_same_in_a_shared_arena() {
    static ARENA: LazyLock<shared::Arena<NoRoot>> = LazyLock::new(|| shared::Arena::new(|_| ()));
    in_time(|| {
        let last = Last(|| ARENA.set_finalizer_hook(|_| ()));
        ARENA.set_finalizer_hook(move |_| _ = &last);
        ARENA.set_finalizer_hook(|_| ());
    });
}

/// A hook that is replaced while it is called is dropped when it returns: a panic of that goes no farther either.
#[test]
fn a_hook_that_replaces_itself() {
    static ARENA: LazyLock<shared::Arena<NoRoot>> = LazyLock::new(|| shared::Arena::new(|_| ()));
    static HEARD: AtomicUsize = AtomicUsize::new(0);
    in_time(|| {
        let last = Last(|| panic!("on purpose"));
        ARENA.set_finalizer_hook(move |_| {
            _ = &last;
            ARENA.set_finalizer_hook(|report| {
                assert!(matches!(report, FinalizerReport::Panicked { .. }));
                HEARD.fetch_add(1, Ordering::Relaxed);
            });
        });
        let here = ARENA.attach();
        here.mutate(|mc, ()| {
            for _ in 0..3 {
                _ = mc.finalize_with(mc.allocate(1), |_, _| panic!("on purpose"));
            }
        });
        here.finish_cycle();
        assert_eq!(ARENA.metrics().statistics().finalizers_panicked, 3);
        assert_eq!(HEARD.load(Ordering::Relaxed), 2);
    });
}

/// What a finalizer owns comes back to the registry when it is dropped.
#[test]
fn what_a_finalizer_owns_unregisters_another_when_it_is_dropped() {
    in_time(|| {
        let arena = Arc::new(shared::Arena::<Rootable![()]>::new(|_| ()));
        let here = arena.attach();
        here.mutate(|mc, ()| {
            let other = mc.finalize_with(mc.allocate(1), |_, _| ());
            let again = Arc::clone(&arena);
            let last = Last(move || {
                again.attach().mutate(|mc, ()| {
                    assert!(other.unregister(mc).unwrap());
                    _ = mc.finalize_with(mc.allocate(2), |_, _| ());
                });
            });
            let first = mc.finalize_with(mc.allocate(3), move |_, _| _ = &last);
            assert!(first.unregister(mc).unwrap());
        });
        here.finish_cycle();
        assert_eq!(arena.metrics().statistics().finalizers_run, 1);
    });
}
