//! Weak pointers, which are upgraded while other threads collect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{Collect, Gc, GcWeak, Rootable};
use gc_tests::drops::Witness;
use gc_tests::seed::Seed;

use crate::{arena, in_each_way, on_threads, verify};

#[derive(Collect)]
#[collect(no_drop)]
struct Slot<'gc> {
    strong: AtomicGc<'gc, Witness>,
    weak: Mutex<Option<GcWeak<'gc, Witness>>>,
}

#[test]
fn an_upgraded_value_is_alive() {
    const SLOTS: usize = 8;
    in_each_way(|way| {
        let heap: Arena<Rootable![Gc<'_, [Slot<'_>]>]> = arena(way.often(), |mc| {
            mc.allocate_slice((0..SLOTS).map(|_| Slot {
                strong: AtomicGc::null(),
                weak: Mutex::new(None),
            }))
        });
        let dropped = Arc::new(AtomicUsize::new(0));
        let made = AtomicUsize::new(0);
        let upgraded = AtomicUsize::new(0);
        let seed = Seed::or(0);
        on_threads(4, |number| {
            let here = heap.attach();
            let mut random = seed.random_of(number as u64);
            for _ in 0..way.size(300, 5000) {
                here.mutate(|mc, slots| {
                    let index = random.below(SLOTS);
                    let write = mc.write_at(*slots, index);
                    let weak = gc_core::barrier::field!(write, Slot, weak);
                    match random.below(4) {
                        0 => {
                            made.fetch_add(1, Ordering::Relaxed);
                            let value = mc.allocate(Witness::new(&dropped));
                            *weak.lock() = Some(Gc::downgrade(value));
                            slots[index].strong.store(mc, Some(value));
                        }
                        1 => slots[index].strong.store(mc, None),
                        _ => {
                            let weak = *weak.lock();
                            if let Some(value) = weak.and_then(|weak| mc.upgrade(weak)) {
                                value.check();
                                upgraded.fetch_add(1, Ordering::Relaxed);
                                if random.one_in(8) {
                                    // Back from the dead, nearly.
                                    let other = random.below(SLOTS);
                                    slots[other].strong.store(mc, Some(value));
                                }
                            } else if let Some(weak) = weak {
                                // Nothing makes it come back.
                                assert!(mc.upgrade(weak).is_none());
                            }
                        }
                    }
                });
                here.collect_debt();
            }
        });
        assert!(upgraded.into_inner() > 0);
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        let reachable = here.mutate(|_, slots| {
            let all = slots.iter().filter_map(|slot| slot.strong.load());
            let mut all: Vec<_> = all.map(Gc::as_ptr).collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        });
        let made = made.into_inner();
        assert_eq!(made - dropped.load(Ordering::Relaxed), reachable);
        drop(here);
        drop(heap);
        assert_eq!(made, dropped.load(Ordering::Relaxed));
    });
}

/// Strong and weak pointers to the same objects.
type Polled<'gc> = (
    Gc<'gc, Mutex<Vec<Gc<'gc, AtomicUsize>>>>,
    Gc<'gc, Vec<GcWeak<'gc, AtomicUsize>>>,
);

/// Reading is not keeping, whoever reads.
#[test]
fn weak_pointers_that_are_polled_die() {
    in_each_way(|way| {
        let count = way.size(20, 1000);
        let heap: Arena<Rootable![Polled<'_>]> = arena(way.options(), |mc| {
            let objects = (0..count).map(|_| mc.allocate(AtomicUsize::new(0)));
            let objects: Vec<_> = objects.collect();
            let weak = objects.iter().map(|gc| Gc::downgrade(*gc)).collect();
            (mc.allocate(Mutex::new(objects)), mc.allocate(weak))
        });
        let done = AtomicUsize::new(0);
        let poll = |here: &gc_core::shared::Attached<'_, Rootable![Polled<'_>]>| {
            here.mutate(|mc, (_, weak)| {
                let there = weak.iter().filter_map(|weak| mc.upgrade(*weak));
                there
                    .inspect(|gc| _ = gc.fetch_add(1, Ordering::Relaxed))
                    .count()
            })
        };
        let collections = || heap.metrics().statistics().collections;
        on_threads(3, |number| {
            let here = heap.attach();
            if number > 0 {
                while done.load(Ordering::Relaxed) == 0 {
                    poll(&here);
                    here.collect_debt();
                }
                return;
            }
            let run = |cycles| {
                let end = collections() + cycles;
                while collections() < end {
                    crate::begin(&here);
                    poll(&here);
                    here.collect_debt();
                }
            };
            run(2);
            let kept = poll(&here);
            here.mutate(|mc, (strong, _)| mc.write(*strong).lock().clear());
            run(3);
            let left = poll(&here);
            done.store(1, Ordering::Relaxed);
            assert_eq!((kept, left), (count, 0));
        });
        verify(&heap.attach());
    });
}
