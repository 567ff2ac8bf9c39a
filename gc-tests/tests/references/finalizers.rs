//! Finalizers: each runs once, for an object that was found to be dead, and whatever it does, the heap
//! stays as it should be.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::barrier::unlock;
use gc_core::finalizer::{Finalize, FinalizerReport, Finalizing, Registration};
use gc_core::{
    Arena, Collect, FinalizerMode, Gc, GcWeak, GcWeakLong, HeapOptions, Lock, Mode, Mutation,
    Rootable,
};
use gc_tests::way::{Way, in_each_way};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: usize,
    next: Lock<Option<Gc<'gc, Node<'gc>>>>,
    weak: Lock<Option<GcWeak<'gc, Node<'gc>>>>,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    strong: Gc<'gc, [Lock<Option<Pointer<'gc>>>]>,
    weak: Vec<GcWeak<'gc, Node<'gc>>>,
    long: Vec<GcWeakLong<'gc, Node<'gc>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

fn node<'gc>(mc: &Mutation<'gc>, id: usize, next: Option<Pointer<'gc>>) -> Pointer<'gc> {
    let (next, weak) = (Lock::new(next), Lock::new(None));
    Gc::new(mc, Node { id, next, weak })
}

/// A heap with so many nodes, all of which the roots lead to.
fn heap(options: HeapOptions, count: usize) -> Heap {
    Arena::with_options(options, |mc| {
        let nodes: Vec<_> = (0..count).map(|id| node(mc, id, None)).collect();
        Roots {
            strong: Gc::slice_from_iter(mc, nodes.iter().map(|node| Lock::new(Some(*node)))),
            weak: nodes.iter().copied().map(Gc::downgrade).collect(),
            long: nodes.into_iter().map(Gc::downgrade_long).collect(),
        }
    })
    .unwrap()
}

fn strong<'gc>(roots: &Roots<'gc>, id: usize) -> Pointer<'gc> {
    roots.strong[id].get().unwrap()
}

fn forget(heap: &Heap, id: usize) {
    heap.mutate(|mc, roots| Gc::write_at(mc, roots.strong, id).unlock().set(None));
}

/// To which nodes short and long weak pointers lead.
fn weak(heap: &Heap) -> (Vec<usize>, Vec<usize>) {
    heap.mutate(|mc, roots| {
        let short = roots.weak.iter().filter_map(|weak| weak.upgrade(mc));
        let long = roots.long.iter().filter_map(|weak| weak.upgrade(mc));
        (
            short.map(|node| node.id).collect(),
            long.map(|node| node.id).collect(),
        )
    })
}

/// What finalizers have told.
type Log = Rc<RefCell<Vec<usize>>>;

fn register(heap: &Heap, log: &Log, id: usize) -> Registration {
    let log = Rc::clone(log);
    heap.mutate(|mc, roots| {
        mc.finalize_with(strong(roots, id), move |node, _| {
            log.borrow_mut().push(node.id)
        })
    })
}

fn sorted(log: &Log) -> Vec<usize> {
    let mut ids = log.take();
    ids.sort_unstable();
    ids
}

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

/// What a finalizer stores is alive again, with all that it leads to; short weak pointers do not come back.
#[test]
fn a_resurrected_object_is_whole() {
    in_each_way(|way| {
        for rounds in 0..3 {
            let mut heap = heap(way.options(), 4);
            heap.mutate(|mc, roots| {
                // 0 leads to 1, and 1 has a weak pointer to 2, to which 3 leads.
                let (a, b) = (strong(roots, 0), strong(roots, 1));
                unlock!(Gc::write(mc, a), Node, next).set(Some(b));
                unlock!(Gc::write(mc, b), Node, weak).set(Some(roots.weak[2]));
                unlock!(Gc::write(mc, strong(roots, 3)), Node, next).set(Some(strong(roots, 2)));
                // The finalizer stores its object where a dead one does that is kept for another one.
                let _ = mc.finalize_with(a, move |a, token| {
                    let b = a.next.get().unwrap();
                    assert!(token.was_found_dead(a) && token.was_found_dead(b));
                    // It is alive.
                    assert_eq!(b.weak.get().unwrap().upgrade(token).unwrap().id, 2);
                    unlock!(Gc::write(token, b), Node, next).set(Some(a));
                });
            });
            for id in 0..3 {
                forget(&heap, id);
            }
            heap.mutate(|mc, roots| {
                let keeper = strong(roots, 3);
                let _ = mc.finalize_with(strong(roots, 3), |_, _| panic!("it is alive"));
                if rounds == 0 {
                    // Nobody leads to what is resurrected.
                    return;
                }
                let a = roots.long[0].upgrade(mc).unwrap();
                let _ = mc.finalize_with(a, move |a, token| {
                    let keeper = a.next.get().unwrap();
                    assert_eq!(keeper.id, 1);
                    let _ = token;
                });
                let _ = keeper;
            });
            heap.finish_cycle();
            let (short, long) = weak(&heap);
            assert_eq!(short, [2, 3]);
            assert_eq!(long, [0, 1, 2, 3]);
            heap.finish_cycle();
            assert_eq!(weak(&heap).1, [2, 3]);
            assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
        }
    });
}

/// A finalizer makes its object reachable again, for ever: each collection ends, each finalizer runs once in
/// it, and what is resurrected is as it was.
#[test]
fn endless_resurrection() {
    fn again<'gc>(node: Pointer<'gc>, token: &Finalizing<'gc>, runs: Rc<Cell<usize>>) {
        runs.set(runs.get() + 1);
        let next = node.next.get().expect("what it leads to is there");
        assert_eq!(next.id, 1);
        let _ = token.finalize_with(node, move |node, token| again(node, token, runs));
    }
    in_each_way(|way| {
        let mut heap = heap(way.options(), 2);
        let runs = Rc::new(Cell::new(0));
        heap.mutate(|mc, roots| {
            let runs = Rc::clone(&runs);
            let first = strong(roots, 0);
            unlock!(Gc::write(mc, first), Node, next).set(Some(strong(roots, 1)));
            _ = mc.finalize_with(first, move |node, token| again(node, token, runs));
        });
        forget(&heap, 0);
        forget(&heap, 1);
        for round in 1..10 {
            heap.finish_cycle();
            assert_eq!(runs.get(), round);
            assert_eq!(weak(&heap), (vec![], vec![0, 1]));
        }
        for _ in 0..2000 {
            heap.collect_debt();
        }
        assert!(runs.get() >= 9);
    });
}

#[test]
fn a_finalizer_stores_its_object_in_the_root() {
    thread_local! {
        static STORED: Cell<usize> = const { Cell::new(0) };
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Phoenix<'gc> {
        nest: Gc<'gc, Lock<Option<Gc<'gc, Phoenix<'gc>>>>>,
        ashes: Gc<'gc, u64>,
    }
    impl<'gc> Finalize<'gc> for Phoenix<'gc> {
        fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
            assert_eq!(*this.ashes, 77);
            this.nest.set(token, Some(this));
            _ = token.finalize(this);
            STORED.set(STORED.get() + 1);
        }
    }
    type Nest<'gc> = Gc<'gc, Lock<Option<Gc<'gc, Phoenix<'gc>>>>>;
    in_each_way(|way| {
        STORED.set(0);
        let mut heap = Arena::<Rootable![Nest<'_>]>::with_options(way.options(), |mc| {
            let nest = Gc::new(mc, Lock::new(None));
            let ashes = Gc::new(mc, 77);
            _ = mc.finalize(Gc::new(mc, Phoenix { nest, ashes }));
            nest
        })
        .unwrap();
        for round in 1..6 {
            heap.finish_cycle();
            assert_eq!(STORED.get(), round);
            for _ in 0..50 {
                heap.mutate(|mc, _| _ = Gc::new(mc, [round; 100]));
                heap.collect_debt();
            }
            heap.finish_cycle();
            assert_eq!(STORED.get(), round);
            heap.mutate(|mc, nest| {
                assert_eq!(*nest.get().unwrap().ashes, 77);
                nest.set(mc, None);
            });
        }
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
            assert!(mc.unregister_finalizer(registrations[1]).unwrap());
            assert!(!mc.unregister_finalizer(registrations[1]).unwrap());
        });
        let error = other.mutate(|mc, _| mc.unregister_finalizer(registrations[0]).unwrap_err());
        assert!(error.to_string().contains("another arena"));
        (0..3).for_each(|id| forget(&heap, id));
        heap.finish_cycle();
        assert_eq!(sorted(&log), [0, 2]);
        heap.mutate(|mc, _| {
            assert!(!mc.unregister_finalizer(registrations[0]).unwrap());
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
fn what_has_not_run_when_the_arena_is_dropped() {
    in_each_way(|way| {
        for run in [false, true] {
            let options = way.options().finalizers(FinalizerMode::Manual);
            let mut heap = heap(options.finalize_at_drop(run), 7);
            let (log, missed) = (Log::default(), Arc::new(AtomicUsize::new(0)));
            for id in 0..7 {
                _ = register(&heap, &log, id);
            }
            heap.mutate(|mc, roots| {
                let again = Rc::clone(&log);
                _ = mc.finalize_with(strong(roots, 6), move |node, token| {
                    _ = token.finalize_with(node, move |_, _| again.borrow_mut().push(100));
                    panic!("on purpose");
                });
                // One that never dies.
                let log = Rc::clone(&log);
                _ = mc.finalize_with(Gc::new(mc, ()), move |_, _| log.borrow_mut().push(200));
            });
            let count = Arc::clone(&missed);
            heap.set_finalizer_hook(move |report| {
                if let FinalizerReport::NotRun { count: missed } = report {
                    count.fetch_add(*missed, Ordering::Relaxed);
                }
            });
            (0..4).for_each(|id| forget(&heap, id));
            heap.finish_cycle();
            // In the middle of another cycle.
            heap.metrics().adjust_debt(1e15);
            heap.collect_debt();
            drop(heap);
            let missed = missed.load(Ordering::Relaxed);
            if run {
                assert_eq!((sorted(&log), missed), (vec![0, 1, 2, 3, 4, 5, 6, 200], 1));
            } else {
                assert_eq!((sorted(&log), missed), (vec![], 9));
            }
            // What closures owned is dropped.
            assert_eq!(Rc::strong_count(&log), 1);
        }
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

/// A program that does everything between the steps: registers, forgets, resurrects, unregisters.
#[test]
fn random_programs() {
    in_each_way(|way| {
        for seed in 0..way.size(3, 12) as u64 {
            let mut random = gc_tests::random::Random::new(seed);
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
                        if heap.mutate(|mc, _| mc.unregister_finalizer(one).unwrap()) {
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
