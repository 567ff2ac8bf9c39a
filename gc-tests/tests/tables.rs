//! Tables of handles, pins and finalizers, which are outside of the heap: what they take is for what is in use.
//!
//! The tests count the bytes that all threads of the process have allocated, by an allocator of their own. So they are
//! in a binary of their own, and take turns. What a collection visits is counted by the unit tests of `slot_table` and
//! of those who use it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gc_core::{
    Arena, DynamicRootSet, Ephemeron, Gc, GcWeak, HeapOptions, Lock, Mode, Pinned, Rootable,
    Static, Zeal, shared,
};

/// Counts the bytes that are allocated and not freed.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it is the system's allocator, but for counting.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Relaxed: a figure by itself.
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on to the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // Relaxed: a figure by itself.
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on to the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, or one would count what another allocates.
static TURN: Mutex<()> = Mutex::new(());

const BURST: usize = 100_000;

/// What may be left of a burst: some pieces of each table, and a directory of less than a byte for each entry.
const LITTLE: usize = BURST;

fn options(mode: Mode) -> HeapOptions {
    HeapOptions::default().mode(mode).zeal(Zeal::NONE)
}

/// Lets `burst` fill and empty tables, and `idle` do what makes the collector forget it, three times. The first time may leave
/// what is only allocated once; of the others nothing stays.
fn nothing_stays<T>(state: &mut T, burst: impl Fn(&mut T), idle: impl Fn(&mut T)) {
    idle(state);
    let before = BYTES.load(Ordering::Relaxed);
    for round in 0..3 {
        burst(state);
        idle(state);
        let left = BYTES.load(Ordering::Relaxed).saturating_sub(before);
        assert!(left < LITTLE, "{left} bytes are left of burst {round}");
    }
}

fn in_turn(test: impl Fn(Mode)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    [Mode::StopTheWorld, Mode::Incremental]
        .into_iter()
        .for_each(test);
}

#[test]
fn handles_of_a_set() {
    in_turn(|mode| {
        type Root<'gc> = DynamicRootSet<'gc>;
        #[allow(clippy::redundant_closure, reason = "the function is for one lifetime")]
        let new =
            Arena::<Rootable![Root<'_>]>::with_options(options(mode), |mc| DynamicRootSet::new(mc));
        let mut arena = new.unwrap();
        let burst = |arena: &mut Arena<Rootable![Root<'_>]>| {
            let stash = |number| {
                arena.mutate(|mc, roots| roots.stash::<Rootable![u64]>(mc, Gc::new(mc, number)))
            };
            let handles: Vec<_> = (0..BURST as u64).map(stash).collect();
            // Not in the order in which they were made.
            let (even, odd): (Vec<_>, Vec<_>) = handles
                .into_iter()
                .enumerate()
                .partition(|(n, _)| n % 2 == 0);
            drop(even);
            arena.mutate(|_, roots| {
                assert!(odd.iter().all(|(n, root)| *roots.fetch(root) == *n as u64))
            });
        };
        nothing_stays(&mut arena, burst, |arena| arena.finish_cycle());
    });
}

type Number = Rootable![u64];

#[test]
fn pins() {
    in_turn(|mode| {
        let mut arena = Arena::<Rootable![()]>::with_options(options(mode), |_| ()).unwrap();
        let burst = |arena: &mut Arena<Rootable![()]>| {
            let pin = |number| arena.mutate(|mc, _| Gc::pin(mc, Gc::new(mc, number)));
            let pins: Vec<Pinned<Number>> = (0..BURST as u64).map(pin).collect();
            assert_eq!(arena.metrics().statistics().pinned_objects, BURST);
            drop(pins);
        };
        nothing_stays(&mut arena, burst, |arena| arena.finish_cycle());
    });
}

#[test]
fn handles_and_pins_of_a_shared_arena() {
    in_turn(|mode| {
        let arena = shared::Arena::<Rootable![()]>::with_options(options(mode), |_| ()).unwrap();
        let here = arena.attach();
        let burst = |_: &mut ()| {
            let make = |number| {
                here.mutate(|mc, _| {
                    let object = mc.allocate(number);
                    (
                        mc.root::<Rootable![u64]>(object),
                        Gc::pin::<Rootable![u64]>(mc, object),
                    )
                })
            };
            let made: Vec<_> = (0..BURST as u64).map(make).collect();
            // Handles may be dropped on any thread.
            std::thread::scope(|scope| _ = scope.spawn(|| drop(made)).join());
        };
        nothing_stays(&mut (), burst, |()| here.finish_cycle());
    });
}

#[test]
fn finalizers() {
    in_turn(|mode| {
        let mut arena = Arena::<Rootable![()]>::with_options(options(mode), |_| ()).unwrap();
        let burst = |arena: &mut Arena<Rootable![()]>| {
            arena.mutate(|mc, _| {
                for number in 0..BURST as u64 {
                    _ = mc.finalize_with(Gc::new(mc, number), move |object, _| {
                        assert_eq!(*object, number)
                    });
                }
            });
        };
        nothing_stays(&mut arena, burst, |arena| {
            arena.finish_cycle();
            arena.finish_cycle();
        });
        let statistics = arena.metrics().statistics();
        assert_eq!(
            (statistics.finalizers_run, statistics.finalizers_panicked),
            (3 * BURST as u64, 0)
        );
    });
}

/// What the collector keeps of a cycle with much to do: stacks, lists of weak targets, ephemerons, objects to be traced.
#[test]
fn what_one_cycle_needs() {
    #[derive(gc_core::Collect)]
    #[collect(no_drop)]
    struct Entry<'gc> {
        weak: GcWeak<'gc, u64>,
        pair: Ephemeron<'gc, u64, u64>,
        outside: Lock<Option<Gc<'gc, Static<Vec<u8>>>>>,
        listed: Vec<Gc<'gc, u64>>,
    }
    type Root<'gc> = Vec<Gc<'gc, Entry<'gc>>>;
    in_turn(|mode| {
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options(mode), |_| Vec::new()).unwrap();
        let burst = |arena: &mut Arena<Rootable![Root<'_>]>| {
            arena.mutate_root(|mc, root| {
                root.extend((0..BURST as u64 / 4).map(|number| {
                    let [key, value] = [number; 2].map(|number| Gc::new(mc, number));
                    Gc::new(
                        mc,
                        Entry {
                            weak: Gc::downgrade(key),
                            pair: Ephemeron::new(key, value),
                            outside: Lock::new(Some(Gc::new(mc, Static(Vec::new())))),
                            listed: vec![value],
                        },
                    )
                }));
            });
            arena.finish_cycle();
            arena.mutate(|mc, root| {
                assert!(root.iter().all(|entry| entry.weak.upgrade(mc).is_none()))
            });
            arena.mutate_root(|_, root| *root = Vec::new());
        };
        nothing_stays(&mut arena, burst, |arena| {
            arena.finish_cycle();
            arena.finish_cycle();
        });
    });
}
