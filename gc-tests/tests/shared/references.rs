//! Ephemerons, long weak pointers and finalizers, while several threads work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{Collect, Ephemeron, FinalizerMode, Gc, GcWeak, GcWeakLong, Rootable};
use gc_tests::drops::Witness;
use gc_tests::seed::Seed;

use crate::{arena, in_each_way, on_threads, verify};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: usize,
    next: AtomicGc<'gc, Node<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Slot<'gc> {
    strong: AtomicGc<'gc, Node<'gc>>,
    weak: Mutex<Option<(GcWeak<'gc, Node<'gc>>, GcWeakLong<'gc, Node<'gc>>)>>,
    pair: Mutex<Option<Ephemeron<'gc, Node<'gc>, Node<'gc>>>>,
}

#[test]
fn everything_at_once() {
    const SLOTS: usize = 8;
    in_each_way(|way| {
        let heap: Arena<Rootable![Gc<'_, [Slot<'_>]>]> = arena(way.often(), |mc| {
            mc.allocate_slice((0..SLOTS).map(|_| Slot {
                strong: AtomicGc::null(),
                weak: Mutex::new(None),
                pair: Mutex::new(None),
            }))
        });
        let (registered, run) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seed = Seed::or(0);
        on_threads(4, |number| {
            let here = heap.attach();
            let mut random = seed.random_of(number as u64);
            for _ in 0..way.size(200, 3000) {
                here.mutate(|mc, slots| {
                    let (index, other) = (random.below(SLOTS), random.below(SLOTS));
                    let write = mc.write_at(*slots, index);
                    let slot = &slots[index];
                    match random.below(6) {
                        0 | 1 => {
                            let id = random.below(1000);
                            let next = AtomicGc::null();
                            if let Some(old) = slots[other].strong.load() {
                                next.store(mc, Some(old));
                            }
                            let new = mc.allocate(Node { id, next });
                            slot.strong.store(mc, Some(new));
                            let weak = (Gc::downgrade(new), Gc::downgrade_long(new));
                            *gc_core::barrier::field!(write, Slot, weak).lock() = Some(weak);
                            if id.is_multiple_of(3) {
                                registered.fetch_add(1, Ordering::Relaxed);
                                let run = Arc::clone(&run);
                                _ = mc.finalize_with(new, move |node, mc| {
                                    assert_eq!(node.id, id);
                                    let next = node.next.load();
                                    assert!(next.is_none_or(|next| next.id < 1000));
                                    mc.allocate(node.id);
                                    run.fetch_add(1, Ordering::Relaxed);
                                });
                            }
                        }
                        2 => slot.strong.store(mc, None),
                        3 => {
                            let key = slots[other].strong.load();
                            if let (Some(key), Some(value)) = (key, slot.strong.load()) {
                                let pair = Ephemeron::new(key, value);
                                *gc_core::barrier::field!(write, Slot, pair).lock() = Some(pair);
                            }
                        }
                        4 => {
                            let weak = *gc_core::barrier::field!(write, Slot, weak).lock();
                            if let Some((short, long)) = weak {
                                let node = match random.below(2) {
                                    0 => mc.upgrade(short),
                                    _ => mc.upgrade_long(long),
                                };
                                if let Some(node) = node {
                                    assert!(node.id < 1000);
                                    slots[other].strong.store(mc, Some(node));
                                }
                            }
                        }
                        _ => {
                            let pair = *gc_core::barrier::field!(write, Slot, pair).lock();
                            if let Some((key, value)) = pair.and_then(|pair| mc.get_ephemeron(pair))
                            {
                                assert!(key.id < 1000 && value.id < 1000);
                                slots[other].strong.store(mc, Some(value));
                            }
                        }
                    }
                });
                here.collect_debt();
            }
        });
        let here = heap.attach();
        here.mutate(|mc, slots| slots.iter().for_each(|slot| slot.strong.store(mc, None)));
        // What a finalizer saw is found dead by the next collection, and so on.
        while run.load(Ordering::Relaxed) < registered.load(Ordering::Relaxed) {
            here.finish_cycle();
        }
        here.finish_cycle();
        verify(&here);
        assert_eq!(
            run.load(Ordering::Relaxed),
            registered.load(Ordering::Relaxed)
        );
        assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
    });
}

#[test]
fn an_arena_that_is_dropped() {
    in_each_way(|way| {
        for at_drop in [false, true] {
            let options = way.options().finalize_at_drop(at_drop);
            let heap: Arena<Rootable![()]> = arena(options, |_| ());
            let run = Arc::new(AtomicUsize::new(0));
            let missed = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&missed);
            heap.set_finalizer_hook(move |report| {
                if let gc_core::finalizer::FinalizerReport::NotRun { count: missed } = report {
                    count.store(*missed, Ordering::Relaxed);
                }
            });
            heap.attach().mutate(|mc, ()| {
                for id in 0..5_usize {
                    let run = Arc::clone(&run);
                    _ = mc.finalize_with(mc.allocate(id), move |found, _| {
                        assert_eq!(*found, id);
                        run.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
            drop(heap);
            let expected = if at_drop { (5, 0) } else { (0, 5) };
            let found = (run.load(Ordering::Relaxed), missed.load(Ordering::Relaxed));
            assert_eq!(found, expected);
        }
    });
}

/// Finalizers on a thread of their own: each runs once, whoever collects meanwhile, and dropping the arena
/// waits for the one that runs.
#[test]
fn a_thread_runs_them() {
    in_each_way(|way| {
        let options = way.often().finalizers(FinalizerMode::Thread);
        let heap: Arena<Rootable![()]> = arena(options, |_| ());
        let (run, count) = (Arc::new(AtomicUsize::new(0)), way.size(50, 1000));
        on_threads(2, |_| {
            let here = heap.attach();
            for id in 0..count {
                here.mutate(|mc, ()| {
                    let run = Arc::clone(&run);
                    _ = mc.finalize_with(mc.allocate(id), move |found, mc| {
                        assert_eq!(std::thread::current().name(), Some("gc-finalizers"));
                        assert_eq!((*found, *mc.allocate(id)), (id, id));
                        run.fetch_add(1, Ordering::Relaxed);
                    });
                });
                here.collect_debt();
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        while run.load(Ordering::Relaxed) < 2 * count {
            std::thread::yield_now();
        }
        here.finish_cycle();
        verify(&here);
        assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
    });
}

/// A finalizer that owns the arena, and drops it while it runs on the arena's own thread.
#[test]
fn a_finalizer_drops_the_arena() {
    in_each_way(|way| {
        type Heap = Arena<Rootable![()]>;
        let options = way.options().finalizers(FinalizerMode::Thread);
        let heap = Arc::new(arena::<Rootable![()]>(options, |_| ()));
        let (done, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        heap.attach().mutate(|mc, ()| {
            let owner: Arc<Heap> = Arc::clone(&heap);
            let done = Arc::clone(&done);
            _ = mc.finalize_with(mc.allocate(Witness::new(&dropped)), move |witness, mc| {
                while Arc::strong_count(&owner) > 1 {
                    std::thread::yield_now();
                }
                drop(owner);
                // It is there until this returns.
                witness.check();
                assert_eq!(*mc.allocate(5), 5);
                done.store(1, Ordering::Relaxed);
            });
        });
        heap.attach().finish_cycle();
        drop(heap);
        while dropped.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(done.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn only_shared_arenas_have_such_a_thread() {
    let options = gc_core::HeapOptions::default().finalizers(FinalizerMode::Thread);
    let error = gc_core::Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap_err();
    assert!(error.to_string().contains("finalizers"));
}
