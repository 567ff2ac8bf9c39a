//! The same in shared arenas: each thread sees what it has written.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use gc_core::collect::OwnedBytes;
use gc_core::shared::{Arena, AtomicGc, Attached, Mutex, RwLock};
use gc_core::{Collect, Gc, Rootable, collections};

use crate::counting::peak_of;
use crate::{KIB, MIB, ways};

#[test]
fn objects_of_several_threads_are_collected_in_time() {
    type Root<'gc> = Mutex<Option<Gc<'gc, RwLock<Vec<u8>>>>>;
    for options in ways() {
        let arena = Arena::<Rootable![Gc<'_, Root<'_>>]>::with_options(options, |mc| {
            mc.allocate(Mutex::new(None))
        })
        .unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mine = arena.attach();
                    for round in 0..2000 {
                        mine.mutate(|mc, root| {
                            let grown = mc.allocate(RwLock::new(Vec::new()));
                            *grown.lock_write(mc) = Vec::with_capacity(64 * KIB);
                            if round % 100 == 0 {
                                *root.lock(mc) = Some(grown);
                            }
                        });
                        mine.collect_debt();
                    }
                });
            }
        });
        let mine = arena.attach();
        let statistics = arena.metrics().statistics();
        // 375 MiB were allocated. Two floors, and some for threads that wait for each other.
        assert!(statistics.collections >= 10, "{}", statistics.collections);
        assert!(
            statistics.owned_bytes < 64 * MIB,
            "{} KiB",
            statistics.owned_bytes / KIB
        );
        mine.finish_cycle();
        assert_eq!(arena.metrics().statistics().owned_bytes, 64 * KIB);
        mine.mutate(|mc, root| *root.lock(mc) = None);
        mine.finish_cycle();
        assert_eq!(arena.metrics().statistics().owned_bytes, 0);
    }
}

/// What a value owns is computed by code of the user's, which may use the arena; but it must not collect what is to be
/// measured after it.
#[test]
fn who_is_asked_may_begin_a_call() {
    type Nothing = Rootable![()];

    #[derive(Collect)]
    #[collect(require_static, owned_bytes = uses_the_arena)]
    struct Text(String);

    thread_local! {
        static HERE: Cell<Option<&'static Attached<'static, Nothing>>> = const { Cell::new(None) };
        static REFUSED: Cell<usize> = const { Cell::new(0) };
    }

    fn uses_the_arena(text: &Text) -> usize {
        if let Some(here) = HERE.take() {
            here.mutate(|mc, ()| _ = mc.allocate(Text("another".to_string())));
            let collect = AssertUnwindSafe(|| here.finish_cycle());
            REFUSED.set(REFUSED.get() + usize::from(catch_unwind(collect).is_err()));
        }
        assert!(text.0 == "a text" || text.0 == "another", "{}", text.0);
        text.0.capacity()
    }

    for (round, options) in ways().into_iter().enumerate() {
        let arena = Box::leak(Box::new(
            Arena::<Nothing>::with_options(options, |_| ()).unwrap(),
        ));
        let here: &Attached<'static, Nothing> = Box::leak(Box::new(arena.attach()));
        here.mutate(|mc, ()| {
            for _ in 0..10 {
                mc.write(mc.allocate(Text("a text".to_string())));
            }
            HERE.set(Some(here));
        });
        assert_eq!(REFUSED.get(), round + 1);
        here.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 0);
    }
}

/// While one thread looks what the root owns, another may take a pointer out of it, but free nothing.
#[test]
fn what_is_seen_by_the_root_stays() {
    static STEP: AtomicUsize = AtomicUsize::new(0);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    struct Target;

    impl Drop for Target {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    gc_core::static_collect!(Target);

    #[derive(Collect)]
    #[collect(no_drop, owned_bytes = look_for_long)]
    struct Root<'gc> {
        target: AtomicGc<'gc, Target>,
        _owner: String,
    }

    fn look_for_long(root: &Root<'_>) -> usize {
        if STEP
            .compare_exchange(1, 2, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
        {
            let _target = root.target.load().unwrap();
            while STEP.load(Ordering::SeqCst) < 3 {
                thread::yield_now();
            }
            for _ in 0..10_000 {
                thread::yield_now();
                assert_eq!(DROPPED.load(Ordering::SeqCst), 0);
            }
        }
        0
    }

    for (round, options) in ways().into_iter().enumerate() {
        DROPPED.store(0, Ordering::SeqCst);
        let arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root {
            target: AtomicGc::new(Some(mc.allocate(Target))),
            _owner: format!("{round}"),
        })
        .unwrap();
        STEP.store(0, Ordering::SeqCst);
        thread::scope(|scope| {
            scope.spawn(|| {
                let here = arena.attach();
                while STEP.load(Ordering::SeqCst) < 2 {
                    thread::yield_now();
                }
                here.mutate(|mc, root| root.target.store(mc, None));
                STEP.store(3, Ordering::SeqCst);
                here.finish_cycle();
            });
            let here = arena.attach();
            STEP.store(1, Ordering::SeqCst);
            here.finish_cycle();
        });
        assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
    }
}

/// What elements of collections own is known in time, though only a stop of all threads can tell, and nothing but a collection
/// would stop them.
#[test]
fn elements_of_collections_that_die_are_collected_in_time() {
    const STEP: usize = 64 * KIB;
    type Elements<'gc> = collections::Vec<'gc, Vec<u8>>;
    type Fill = for<'gc> fn(&gc_core::shared::Mutation<'gc>, &mut Elements<'gc>);
    let fills: [Fill; 2] = [
        |mc, elements| elements.push(mc, Vec::with_capacity(STEP)),
        // There before it owns anything.
        |mc, elements| {
            elements.push(mc, Vec::new());
            elements.get_mut(mc, 0).unwrap().reserve(STEP);
        },
    ];
    for options in ways() {
        for fill in fills {
            let arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
            let other = arena.attach();
            let peak = thread::scope(|scope| {
                let thread = scope.spawn(|| {
                    let mine = arena.attach();
                    let peak = peak_of(|| {
                        for _ in 0..512 * MIB / STEP {
                            mine.mutate(|mc, ()| fill(mc, &mut collections::Vec::new()));
                            mine.collect_debt();
                        }
                    });
                    mine.finish_cycle();
                    peak
                });
                thread.join().unwrap()
            });
            drop(other);
            // As for objects that are measured at once, and an eighth of the floor that is not known.
            assert!(
                peak < 2 * 4 * MIB + 4 * STEP + 2 * MIB,
                "{} KiB",
                peak / KIB
            );
        }
    }
}

/// An element that owns 1000 bytes, and notes it if it is measured while a thread may write to it.
struct Element(#[allow(dead_code, reason = "a value with a size")] u8);

static IS_WRITTEN: AtomicBool = AtomicBool::new(false);
static MEASURED_TOO_EARLY: AtomicBool = AtomicBool::new(false);

impl Drop for Element {
    fn drop(&mut self) {}
}

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Element {
    const NEEDS_TRACE: bool = false;

    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        if IS_WRITTEN.load(Ordering::SeqCst) {
            MEASURED_TOO_EARLY.store(true, Ordering::SeqCst);
        }
        owned.add(1000);
    }
}

/// The lock of a collection is not in the object with its elements, so nobody sees from there that it is taken.
#[test]
fn elements_of_collections_are_not_measured_while_another_thread_has_them() {
    type Root<'gc> = Gc<'gc, Mutex<collections::Vec<'gc, Element>>>;
    let arena =
        Arena::<Rootable![Root<'_>]>::new(|mc| mc.allocate(Mutex::new(collections::Vec::new())));
    let (locked, over) = (Barrier::new(2), Barrier::new(2));
    let pushed = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mine = arena.attach();
            mine.mutate(|mc, root| {
                root.lock(mc).push(mc, Element(1));
                pushed.wait();
                locked.wait();
            });
            drop(mine);
            over.wait();
        });
        scope.spawn(|| {
            let mine = arena.attach();
            pushed.wait();
            mine.mutate(|mc, root| {
                let mut elements = root.lock(mc);
                elements.push(mc, Element(2));
                IS_WRITTEN.store(true, Ordering::SeqCst);
                locked.wait();
                over.wait();
                *elements.get_mut(mc, 0).unwrap() = Element(3);
                IS_WRITTEN.store(false, Ordering::SeqCst);
            });
        });
    });
    assert!(!MEASURED_TOO_EARLY.load(Ordering::SeqCst));
    // The threads have gone, and what they have written is known nevertheless.
    arena.attach().finish_cycle();
    assert_eq!(arena.metrics().statistics().owned_bytes, 2000);
}
