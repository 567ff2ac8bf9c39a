//! Finalizers: each runs once, for an object that was found to be dead, and whatever it does, the heap
//! stays as it should be.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_core::barrier::unlock;
use gc_core::finalizer::FinalizerReport;
use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Lock, Mode, Rootable};
use gc_tests::cycle::{begin, run_out};
use gc_tests::seed::seeds;
use gc_tests::way::{Way, in_each_way};

use crate::nodes::{Log, Node, Pointer, forget, heap, node, register, sorted, strong, weak};

#[test]
fn each_runs_once_when_its_object_is_dead() {
    in_each_way(|way| {
        let count = way.size(20, 2000);
        let mut heap = heap(way.options(), count);
        let log = Log::default();
        for id in 0..count {
            _ = register(&heap, &log, id);
        }
        heap.finish_cycle();
        assert_eq!(sorted(&log), []);
        for id in (0..count).step_by(2) {
            forget(&heap, id);
        }
        heap.finish_cycle();
        assert_eq!(sorted(&log), (0..count).step_by(2).collect::<Vec<_>>());
        let odd: Vec<_> = (1..count).step_by(2).collect();
        // They were kept for their finalizers, and short weak pointers knew nothing of it.
        assert_eq!(weak(&heap), (odd.clone(), (0..count).collect()));
        heap.finish_cycle();
        assert_eq!(weak(&heap), (odd.clone(), odd));
        assert_eq!(sorted(&log), []);
        assert_eq!(
            heap.metrics().statistics().finalizers_run,
            count.div_ceil(2) as u64
        );
    });
}

#[test]
fn a_cycle_at_safepoints_enqueues_and_runs_them() {
    in_each_way(|way| {
        let count = way.size(20, 500);
        let mut heap = heap(way.options(), count);
        let log = Log::default();
        for id in 0..count {
            _ = register(&heap, &log, id);
            if id % 3 != 0 {
                forget(&heap, id);
            }
        }
        let expected: Vec<_> = (0..count).filter(|id| id % 3 != 0).collect();
        heap.metrics().adjust_debt(1e15);
        heap.collect_debt();
        heap.metrics().adjust_debt(f64::NAN);
        let mut left = 3000;
        while log.borrow().len() < expected.len() && left > 0 {
            heap.collect_debt();
            // What the program sees at any time.
            heap.mutate(|mc, roots| {
                for (id, weak) in roots.weak.iter().enumerate() {
                    let there = weak.upgrade(mc).map(|node| node.id);
                    assert!(there.is_none_or(|there| there == id));
                    assert!(id % 3 != 0 || there.is_some());
                }
            });
            std::thread::yield_now();
            left -= 1;
        }
        // A short one that was followed while marking went on has kept its target until the next cycle.
        heap.finish_cycle();
        assert_eq!(sorted(&log), expected);
    });
}

/// An object is dead if only dead ones lead to it, itself included: then all of them are finalized.
#[test]
fn circles_and_chains_are_finalized() {
    in_each_way(|way| {
        let mut heap = heap(way.options(), 6);
        let log = Log::default();
        heap.mutate(|mc, roots| {
            // A circle of two, one that leads to itself, a chain of three.
            for (from, to) in [(0, 1), (1, 0), (2, 2), (3, 4), (4, 5)] {
                unlock!(Gc::write(mc, strong(roots, from)), Node, next)
                    .set(Some(strong(roots, to)));
            }
        });
        for id in 0..6 {
            _ = register(&heap, &log, id);
            forget(&heap, id);
        }
        heap.finish_cycle();
        assert_eq!(sorted(&log), [0, 1, 2, 3, 4, 5]);
        heap.finish_cycle();
        assert_eq!(weak(&heap), (vec![], vec![]));
        assert_eq!(sorted(&log), []);
    });
}

#[test]
fn one_that_is_unregistered_never_runs() {
    in_each_way(|way| {
        let mut heap = heap(way.options(), 3);
        let other = self::heap(way.options(), 1);
        let log = Log::default();
        let registrations: Vec<_> = (0..3).map(|id| register(&heap, &log, id)).collect();
        heap.mutate(|mc, _| {
            assert!(registrations[1].unregister(mc).unwrap());
            assert!(!registrations[1].unregister(mc).unwrap());
        });
        let error = other.mutate(|mc, _| registrations[0].unregister(mc).unwrap_err());
        assert!(error.to_string().contains("another arena"));
        (0..3).for_each(|id| forget(&heap, id));
        heap.finish_cycle();
        assert_eq!(sorted(&log), [0, 2]);
        heap.mutate(|mc, _| {
            assert!(!registrations[0].unregister(mc).unwrap());
        });
        assert_eq!(weak(&heap).1, [0, 2]);
    });
}

#[test]
fn one_that_panics_is_counted_and_the_others_run() {
    in_each_way(|way| {
        let mut heap = heap(way.options(), 9);
        let log = Log::default();
        let reports = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reports);
        heap.set_finalizer_hook(move |report| {
            if let FinalizerReport::Panicked { payload } = report {
                assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
                counted.fetch_add(1, Ordering::Relaxed);
                panic!("this one too");
            }
        });
        for id in 0..9 {
            _ = register(&heap, &log, id);
            if id % 3 == 0 {
                heap.mutate(|mc, roots| {
                    _ = mc.finalize_with(strong(roots, id), |_, _| panic!("on purpose"));
                });
            }
            forget(&heap, id);
        }
        heap.finish_cycle();
        assert_eq!(sorted(&log), (0..9).collect::<Vec<_>>());
        let statistics = heap.metrics().statistics();
        assert_eq!(
            (statistics.finalizers_run, statistics.finalizers_panicked),
            (12, 3)
        );
        assert_eq!(reports.load(Ordering::Relaxed), 3);
        heap.finish_cycle();
        assert_eq!(weak(&heap), (vec![], vec![]));
    });
}

#[test]
fn by_hand_they_run_when_they_are_told_to() {
    in_each_way(|way| {
        let count = way.size(12, 1200);
        let options = way.options().finalizers(FinalizerMode::Manual);
        let mut heap = heap(options, count);
        let log = Log::default();
        for id in 0..count {
            _ = register(&heap, &log, id);
            forget(&heap, id);
        }
        for _ in 0..3 {
            heap.finish_cycle();
            for _ in 0..20 {
                heap.collect_debt();
            }
            assert_eq!(heap.metrics().statistics().finalizers_waiting, count);
            assert_eq!((sorted(&log), weak(&heap).1.len()), (vec![], count));
        }
        // Cycles go on between them, while the queue shrinks.
        let mut run = 0;
        while run < count {
            run += heap.run_finalizers(count / 6);
            heap.metrics().adjust_debt(1e15);
            heap.collect_debt();
            heap.metrics().adjust_debt(f64::NAN);
        }
        assert_eq!((heap.run_finalizers(10), sorted(&log).len()), (0, count));
        heap.finish_cycle();
        assert_eq!(weak(&heap), (vec![], vec![]));
    });
}

#[test]
fn finalizers_that_allocate_until_the_limit() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let options = HeapOptions::default().mode(mode).limit(1 << 20);
        let mut heap = heap(options, 40);
        let failed = Rc::new(Cell::new(0));
        for id in 0..40 {
            let failed = Rc::clone(&failed);
            heap.mutate(|mc, roots| {
                _ = mc.finalize_with(strong(roots, id), move |node, token| {
                    let mut last = node;
                    if id % 2 == 0 {
                        while let Ok(next) = Gc::try_new(token, [0_u64; 64]) {
                            assert_eq!(next[63], 0);
                        }
                        failed.set(failed.get() + 1);
                    } else {
                        loop {
                            last = self::node(token, 0, Some(last));
                        }
                    }
                });
            });
            forget(&heap, id);
        }
        for _ in 0..100 {
            heap.finish_cycle();
            heap.collect_debt();
        }
        let statistics = heap.metrics().statistics();
        assert_eq!((failed.get(), statistics.finalizers_panicked), (20, 20));
        // The heap is as usable as before.
        heap.mutate(|mc, _| _ = node(mc, 0, None));
        heap.verify().unwrap();
    }
}

/// All finalizers of a dead chain are enqueued by the cycle that finds it dead.
#[test]
fn a_long_dead_chain_is_enqueued_by_one_cycle() {
    in_each_way(|way| {
        for backwards in [false, true] {
            let count = way.size(1600, 6000);
            let options = way.options().finalizers(FinalizerMode::Manual);
            type Last<'gc> = Gc<'gc, Lock<Option<Pointer<'gc>>>>;
            let mut arena = Arena::<Rootable![Last<'_>]>::with_options(options, |mc| {
                let mut nodes = vec![node(mc, 0, None)];
                for id in 1..count {
                    nodes.push(node(mc, id, nodes.last().copied()));
                }
                let last = *nodes.last().unwrap();
                if backwards {
                    nodes.reverse();
                }
                for node in nodes {
                    _ = mc.finalize_with(node, |node, _| {
                        let next = node.next.get().map(|next| next.id);
                        assert_eq!(next, node.id.checked_sub(1));
                    });
                }
                Gc::new(mc, Lock::new(Some(last)))
            })
            .unwrap();
            arena.mutate(|mc, last| last.set(mc, None));
            begin(&mut arena);
            run_out(&mut arena);
            assert_eq!(
                arena.run_finalizers(usize::MAX),
                count,
                "backwards: {backwards}"
            );
            assert_eq!(arena.metrics().statistics().finalizers_panicked, 0);
        }
    });
}

/// What was enqueued was found to be dead, and stays so for short weak pointers, also if the cycle is aborted before it
/// has marked what was enqueued.
#[test]
fn what_is_enqueued_was_found_dead_also_if_the_cycle_is_aborted() {
    const DEAD: u64 = 5_000;
    for steps in 0..40 {
        let options = HeapOptions::default()
            .mode(Mode::Incremental)
            .step(Duration::from_nanos(1))
            .finalizers(FinalizerMode::Manual)
            .floor(1 << 30);
        let mut arena = Arena::<Rootable![Gc<'_, Lock<u64>>]>::with_options(options, |mc| {
            for i in 0..DEAD {
                let object = Gc::new(mc, (i, Gc::new(mc, !i)));
                _ = mc.finalize_with(object, |object, mc| {
                    assert_eq!(*object.1, !object.0);
                    assert!(mc.was_found_dead(object), "{}", object.0);
                    let weak = Gc::downgrade(object);
                    assert!(weak.upgrade(mc).is_none(), "{}", object.0);
                });
            }
            Gc::new(mc, Lock::new(0))
        })
        .unwrap();
        begin(&mut arena);
        while arena.metrics().statistics().finalizers_waiting == 0 {
            arena.collect_debt();
        }
        for _ in 0..steps {
            arena.collect_debt();
        }
        arena.mutate(|mc, root| mc.forward_barrier(None, Gc::erase(*root)));
        arena.run_finalizers(DEAD as usize / 2);
        arena.finish_cycle();
        arena.run_finalizers(DEAD as usize);
        let statistics = arena.metrics().statistics();
        assert_eq!(
            (statistics.finalizers_run, statistics.finalizers_panicked),
            (DEAD, 0)
        );
    }
}

/// A program that does everything between the steps: registers, forgets, resurrects, unregisters.
#[test]
fn random_programs() {
    in_each_way(|way| {
        for seed in seeds(0..way.size(3, 12) as u64) {
            let mut random = seed.random();
            let count = 16;
            let mut heap = heap(way.options(), count);
            let log = Log::default();
            // How often each was registered, and taken back.
            let (mut registered, mut back) = (vec![0; count], vec![0; count]);
            let mut registrations = Vec::new();
            let mut made = 0;
            for _ in 0..way.size(100, 400) {
                let id = random.below(count);
                let there = heap.mutate(|_, roots| roots.strong[id].get().is_some());
                match random.below(9) {
                    0 | 1 if there => {
                        registrations.push((id, register(&heap, &log, id)));
                        registered[id] += 1;
                    }
                    2 if !registrations.is_empty() => {
                        let (id, one) =
                            registrations.swap_remove(random.below(registrations.len()));
                        if heap.mutate(|mc, _| one.unregister(mc).unwrap()) {
                            back[id] += 1;
                        }
                    }
                    3 if there => forget(&heap, id),
                    4 => heap.mutate(|mc, roots| {
                        // Up from a long weak pointer.
                        if let Some(node) = roots.long[id].upgrade(mc) {
                            assert_eq!(node.id, id);
                            Gc::write_at(mc, roots.strong, id).unlock().set(Some(node));
                        }
                    }),
                    5 if there => heap.mutate(|mc, roots| {
                        let to = roots.strong[random.below(count)].get();
                        unlock!(Gc::write(mc, strong(roots, id)), Node, next).set(to);
                    }),
                    6 => {
                        heap.metrics().adjust_debt(1e15);
                        for _ in 0..random.below(8) {
                            heap.collect_debt();
                        }
                        heap.metrics().adjust_debt(f64::NAN);
                    }
                    7 if random.one_in(3) => heap.finish_cycle(),
                    8 => {
                        heap.mutate(|mc, _| _ = node(mc, made, None));
                        made += 1;
                    }
                    _ => {}
                }
                // A short weak pointer leads to nothing that a long one does not.
                let (short, long) = weak(&heap);
                assert!(short.iter().all(|id| long.contains(id)));
            }
            for id in 0..count {
                forget(&heap, id);
            }
            for _ in 0..3 {
                heap.finish_cycle();
            }
            let mut ran = vec![0; count];
            for id in log.take() {
                ran[id] += 1;
            }
            for id in 0..count {
                assert_eq!(ran[id], registered[id] - back[id], "seed {seed}, node {id}");
            }
            assert_eq!(weak(&heap), (vec![], vec![]));
            assert_eq!(heap.metrics().total_gc_count(), 1 + count);
        }
    });
}

#[test]
fn a_value_with_drop_is_dropped_after_its_finalizer() {
    thread_local! {
        static DROPPED: Cell<usize> = const { Cell::new(0) };
    }
    struct Handle(#[allow(dead_code, reason = "it makes the value have a size")] u64);
    impl Drop for Handle {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    gc_core::static_collect!(Handle);
    in_each_way(|way: Way| {
        DROPPED.set(0);
        let mut heap = Arena::<Rootable![()]>::with_options(way.options(), |mc| {
            _ = mc.finalize_with(Gc::new(mc, Handle(1)), |_, _| assert_eq!(DROPPED.get(), 0));
        })
        .unwrap();
        heap.finish_cycle();
        assert_eq!(DROPPED.get(), 0);
        heap.finish_cycle();
        assert_eq!(DROPPED.get(), 1);
        assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
    });
}
