//! Arenas that stand where everything is marked.

use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::unlock;
use gc_core::collect::Trace;
use gc_core::{
    Arena, Collect, DynamicRootSet, Finalization, Gc, GcWeak, HeapOptions, Lock, Mode, Mutation,
    Pinned, RefLock, Rootable, Zeal,
};
use gc_tests::way::{Way, in_each_way, panic_of};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: u64,
    next: Lock<Option<Gc<'gc, Node<'gc>>>>,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    /// What is stored here is reachable.
    kept: Gc<'gc, Lock<Option<Pointer<'gc>>>>,
    outside: Gc<'gc, RefLock<Vec<Pointer<'gc>>>>,
    handles: DynamicRootSet<'gc>,
    /// To the first and the second of two nodes, one of which leads to the other.
    weak: (GcWeak<'gc, Node<'gc>>, GcWeak<'gc, Node<'gc>>),
}

type Heap = Arena<Rootable![Roots<'_>]>;

fn node<'gc>(mc: &Mutation<'gc>, id: u64, next: Option<Pointer<'gc>>) -> Pointer<'gc> {
    let next = Lock::new(next);
    Gc::new(mc, Node { id, next })
}

/// A heap with two dead nodes.
fn heap(way: Way) -> Heap {
    Arena::with_options(way.options(), |mc| {
        let second = node(mc, 2, None);
        let first = node(mc, 1, Some(second));
        Roots {
            kept: Gc::new(mc, Lock::new(None)),
            outside: Gc::new(mc, RefLock::default()),
            handles: DynamicRootSet::new(mc),
            weak: (Gc::downgrade(first), Gc::downgrade(second)),
        }
    })
    .unwrap()
}

fn mark(heap: &mut Heap) -> gc_core::arena::MarkedArena<'_, Rootable![Roots<'_>]> {
    heap.finish_marking().expect("the arena does not sweep")
}

/// Which of the two nodes can be upgraded to.
fn alive(heap: &Heap) -> (bool, bool) {
    heap.mutate(|mc, roots| {
        let (first, second) = roots.weak;
        let second = second.upgrade(mc).map(|node| node.id);
        assert!(second.is_none_or(|id| id == 2));
        let first = first
            .upgrade(mc)
            .map(|node| (node.id, node.next.get().unwrap().id));
        assert!(first.is_none_or(|ids| ids == (1, 2)));
        (first.is_some(), second.is_some())
    })
}

fn dead<'gc>(fc: &Finalization<'gc>, roots: &Roots<'gc>) -> (bool, bool) {
    (roots.weak.0.is_dead(fc), roots.weak.1.is_dead(fc))
}

#[test]
fn phases_are_ordered() {
    use CollectionPhase::*;
    assert!(Sleeping < Marking && Marking < Marked && Marked < Sweeping);
    in_each_way(|way| {
        let mut heap = heap(way);
        assert_eq!(heap.collection_phase(), Sleeping);
        _ = mark(&mut heap);
        assert_eq!(heap.collection_phase(), Marked);
        // It goes on where it was.
        mark(&mut heap).start_sweeping();
        assert_eq!(heap.collection_phase(), Sweeping);
        assert!(heap.finish_marking().is_none() && heap.mark_debt().is_none());
        heap.finish_cycle();
        assert_eq!(heap.collection_phase(), Sleeping);
        _ = mark(&mut heap);
        heap.finish_cycle();
        assert_eq!(heap.collection_phase(), Sleeping);
        assert_eq!(alive(&heap), (false, false));
    });
}

#[test]
fn a_marked_arena_that_is_dropped_goes_on_at_safepoints() {
    in_each_way(|way| {
        let mut heap = heap(way);
        _ = mark(&mut heap);
        let before = heap.metrics().statistics().collections;
        // It may have to wait for threads that other tests keep busy, but not so long.
        let since = std::time::Instant::now();
        while heap.metrics().statistics().collections == before {
            heap.collect_debt();
            std::thread::yield_now();
            assert!(since.elapsed().as_secs() < 100, "the cycle never ended");
        }
        assert_eq!(alive(&heap), (false, false));
    });
}

#[test]
fn marking_that_is_due_stands_at_its_end() {
    in_each_way(|way| {
        let mut heap = heap(way);
        if way.zeal == gc_core::Zeal::NONE {
            assert!(heap.mark_debt().is_none());
            assert_eq!(heap.collection_phase(), CollectionPhase::Sleeping);
        }
        heap.metrics().adjust_debt(1e15);
        let mut left = 100_000;
        let found = loop {
            if let Some(marked) = heap.mark_debt() {
                break marked.finalize(dead);
            }
            std::thread::yield_now();
            left -= 1;
            if left == 0 {
                // No other thread has come by.
                break mark(&mut heap).finalize(dead);
            }
        };
        assert_eq!(found, (true, true));
        assert_eq!(heap.collection_phase(), CollectionPhase::Marked);
        // And stays there.
        assert!(heap.mark_debt().is_some());
    });
}

#[test]
fn nothing_is_resurrected_by_looking() {
    in_each_way(|way| {
        let mut heap = heap(way);
        for _ in 0..3 {
            mark(&mut heap).finalize(|fc, roots| {
                assert_eq!(dead(fc, roots), (true, true));
                let first = roots.weak.0.upgrade(fc).unwrap();
                let second = first.next.get().unwrap();
                assert!(Gc::is_dead(fc, first) && Gc::is_dead(fc, second));
                assert!(!Gc::is_dead(fc, roots.kept));
                // Nor by writing to what is dead.
                unlock!(Gc::write(fc, first), Node, next).set(Some(second));
                assert!(!roots.weak.0.is_dropped());
            });
        }
        mark(&mut heap).start_sweeping();
        assert_eq!(alive(&heap), (false, false));
        heap.finish_cycle();
        mark(&mut heap).finalize(|fc, roots| {
            assert_eq!(dead(fc, roots), (true, true));
            assert!(roots.weak.0.resurrect(fc).is_none());
        });
    });
}

#[test]
fn what_is_resurrected_lives_on_with_all_that_it_leads_to() {
    in_each_way(|way| {
        for both in [false, true] {
            let mut heap = heap(way);
            mark(&mut heap).finalize(|fc, roots| {
                if both {
                    let first = roots.weak.0.upgrade(fc).unwrap();
                    Gc::resurrect(fc, first);
                    assert!(!Gc::is_dead(fc, first));
                } else {
                    assert_eq!(roots.weak.1.resurrect(fc).unwrap().id, 2);
                }
            });
            assert_eq!(heap.collection_phase(), CollectionPhase::Marking);
            mark(&mut heap).finalize(|fc, roots| assert_eq!(dead(fc, roots), (!both, false)));
            mark(&mut heap).start_sweeping();
            assert_eq!(alive(&heap), (both, true));
            heap.finish_cycle();
            heap.finish_cycle();
            assert_eq!(alive(&heap), (false, false));
        }
    });
}

/// What is stored in a finalization call is reachable: in an old object that was written before or was
/// not, in a new one, in memory outside of the heap, behind a handle.
#[test]
fn what_is_stored_lives_on() {
    in_each_way(|way| {
        for place in 0..6 {
            let mut heap = heap(way);
            if place == 1 {
                _ = mark(&mut heap);
                heap.mutate(|mc, roots| roots.kept.set(mc, None));
            }
            let mut handle = None;
            mark(&mut heap).finalize(|fc, roots| {
                let first = roots.weak.0.upgrade(fc).unwrap();
                match place {
                    0 | 1 => roots.kept.set(fc, Some(first)),
                    2 => roots.kept.set(fc, Some(node(fc, 3, Some(first)))),
                    3 => roots.outside.borrow_mut(fc).push(first),
                    4 => handle = Some(roots.handles.stash::<Rootable![Node<'_>]>(fc, first)),
                    _ => {
                        // A large object, and a way through dead ones.
                        let large =
                            Gc::slice_from_iter(fc, (0..5000).map(|_| Lock::new(Some(first))));
                        Gc::write(fc, large)[77].unlock().set(None);
                        let (a, b) = (node(fc, 4, None), node(fc, 5, Some(first)));
                        unlock!(Gc::write(fc, a), Node, next).set(Some(b));
                        roots.kept.set(fc, Some(a));
                    }
                }
                assert!(place == 4 || Gc::is_dead(fc, first));
            });
            mark(&mut heap).finalize(|fc, roots| assert_eq!(dead(fc, roots), (false, false)));
            mark(&mut heap).start_sweeping();
            assert_eq!(alive(&heap), (true, true));
            heap.finish_cycle();
            heap.finish_cycle();
            assert_eq!(alive(&heap), (true, true), "place {place}");
            drop(handle);
        }
    });
}

#[test]
fn the_cycle_that_stands_is_the_one_that_is_finished() {
    in_each_way(|way| {
        let mut heap = heap(way);
        mark(&mut heap).finalize(|fc, roots| _ = roots.weak.1.resurrect(fc));
        heap.finish_cycle();
        assert_eq!(alive(&heap), (false, true));
        heap.finish_cycle();
        assert_eq!(alive(&heap), (false, false));
    });
}

#[test]
fn a_program_goes_on_where_a_cycle_stands() {
    in_each_way(|way| {
        for round in 0..way.size(4, 20) {
            let mut heap = heap(way);
            for id in 0..round as u64 {
                heap.mutate(|mc, roots| roots.kept.set(mc, Some(node(mc, id, roots.kept.get()))));
            }
            let before = heap.metrics().statistics().collections;
            let stored = round % 2 == 0;
            _ = mark(&mut heap);
            for step in 0..1000 {
                heap.mutate(|mc, roots| {
                    let new = node(mc, round as u64 + step, roots.kept.get());
                    roots.kept.set(mc, Some(new));
                    if step == 0 {
                        // An upgrade keeps nothing alive; what it gives does, once it is stored.
                        let first = roots.weak.0.upgrade(mc).unwrap();
                        if stored {
                            roots.outside.borrow_mut(mc).push(first);
                        }
                    }
                });
                heap.collect_debt();
                if heap.metrics().statistics().collections > before {
                    break;
                }
            }
            if heap.metrics().statistics().collections == before {
                heap.finish_cycle();
            } else if way.zeal == gc_core::Zeal::NONE {
                assert_eq!(alive(&heap), (stored, stored));
            }
            heap.mutate(|_, roots| {
                let mut next = roots.kept.get();
                let mut id = next.unwrap().id;
                while let Some(node) = next {
                    assert_eq!(node.id, id);
                    id = id.wrapping_sub(1);
                    next = node.next.get();
                }
                assert_eq!(id, u64::MAX);
            });
        }
    });
}

#[test]
fn an_unknown_write_gives_the_cycle_up() {
    in_each_way(|way| {
        let mut heap = heap(way);
        let unknown = |mc: &Mutation<'_>| {
            let new = Gc::new(mc, 0_u32);
            mc.forward_barrier(None, Gc::erase(new));
        };
        heap.mutate(|mc, _| unknown(mc));
        // Marking begins in spite of it, and sees what is dead.
        mark(&mut heap).finalize(|fc, roots| {
            assert_eq!(dead(fc, roots), (true, true));
            unknown(fc);
        });
        assert_eq!(heap.collection_phase(), CollectionPhase::Marking);
        mark(&mut heap).finalize(|fc, roots| assert_eq!(dead(fc, roots), (true, true)));
        heap.mutate(|mc, _| unknown(mc));
        heap.finish_cycle();
        assert_eq!(alive(&heap), (false, false));
    });
}

#[test]
fn a_finalization_that_panics_counts() {
    in_each_way(|way| {
        let mut heap = heap(way);
        let text = panic_of(|| {
            mark(&mut heap).finalize(|fc, roots| {
                roots.kept.set(fc, roots.weak.0.upgrade(fc));
                panic!("on purpose");
            })
        });
        assert_eq!(text.as_deref(), Some("on purpose"));
        heap.finish_cycle();
        assert_eq!(alive(&heap), (true, true));
    });
}

/// The root can be replaced while a cycle stands.
#[test]
fn roots_change_where_a_cycle_stands() {
    in_each_way(|way| {
        let mut heap = heap(way);
        _ = mark(&mut heap);
        heap.mutate_root(|mc, roots| {
            let new = node(mc, 9, roots.weak.0.upgrade(mc));
            roots.kept = Gc::new(mc, Lock::new(Some(new)));
        });
        mark(&mut heap).start_sweeping();
        assert_eq!(alive(&heap), (true, true));
        heap.finish_cycle();
        assert_eq!(alive(&heap), (true, true));
    });
}

/// As a known virtual machine does it: all threads of its programs are looked at in each collection, and
/// those that are dead are told so, once.
#[test]
fn threads_of_a_virtual_machine_are_reset_once() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Thread<'gc> {
        id: usize,
        stack: RefLock<Vec<Gc<'gc, Thread<'gc>>>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Machine<'gc> {
        main: Gc<'gc, Thread<'gc>>,
        all: Gc<'gc, RefLock<Vec<GcWeak<'gc, Thread<'gc>>>>>,
    }
    in_each_way(|way| {
        let count = way.size(20, 200);
        let mut heap = Arena::<Rootable![Machine<'_>]>::with_options(way.options(), |mc| {
            let stack = RefLock::default();
            let main = Gc::new(mc, Thread { id: 0, stack });
            let all = Gc::new(mc, RefLock::default());
            Machine { main, all }
        })
        .unwrap();
        // Chains of three: two of them dead.
        heap.mutate(|mc, machine| {
            for id in 1..=count {
                let make = |id, under: Option<_>| {
                    let stack = RefLock::new(under.into_iter().collect());
                    let thread = Gc::new(mc, Thread { id, stack });
                    machine.all.borrow_mut(mc).push(Gc::downgrade(thread));
                    thread
                };
                let thread = make(id, Some(make(id + 1000, None)));
                if id % 3 == 0 {
                    unlock!(Gc::write(mc, machine.main), Thread, stack)
                        .borrow_mut()
                        .push(thread);
                }
            }
        });
        let mut reset = 0;
        for _ in 0..3 {
            if heap.collection_phase() != CollectionPhase::Sweeping {
                mark(&mut heap).finalize(|fc, machine| {
                    for thread in machine.all.borrow().iter() {
                        assert!(thread.upgrade(fc).is_some(), "a thread was missed");
                    }
                });
                mark(&mut heap).finalize(|fc, machine| {
                    machine.all.borrow_mut(fc).retain(|thread| {
                        let thread = thread.upgrade(fc).expect("a thread was missed");
                        if Gc::is_dead(fc, thread) {
                            assert!(thread.id % 1000 % 3 != 0);
                            unlock!(Gc::write(fc, thread), Thread, stack)
                                .borrow_mut()
                                .clear();
                            reset += 1;
                        }
                        !Gc::is_dead(fc, thread)
                    });
                });
            }
            heap.finish_cycle();
        }
        assert_eq!(reset, 2 * (count - count / 3));
        heap.mutate(|_, machine| assert_eq!(machine.all.borrow().len(), 2 * (count / 3)));
        assert_eq!(heap.metrics().total_gc_count(), 2 + 2 * (count / 3));
    });

    fn mark<R>(heap: &mut Arena<R>) -> gc_core::arena::MarkedArena<'_, R>
    where
        R: for<'a> Rootable<'a>,
        for<'a> gc_core::arena::Root<'a, R>: Collect<'a>,
    {
        heap.finish_marking().expect("the arena does not sweep")
    }
}

/// An arena that is `Marked` has nothing left to mark, and nobody marks in it.
#[test]
fn nothing_is_left_to_mark_in_a_marked_arena() {
    type List = Arena<Rootable![(GcWeak<'_, Node<'_>>, Gc<'_, Lock<Option<Pointer<'_>>>>)]>;
    in_each_way(|way| {
        for round in 0..way.size(2, 6) {
            let count = way.size(2000, 100_000) as u64;
            let mut arena = List::with_options(way.options(), |mc| {
                let list = (0..count).fold(node(mc, 0, None), |list, id| node(mc, id, Some(list)));
                (Gc::downgrade(list), Gc::new(mc, Lock::new(None)))
            })
            .unwrap();
            arena.finish_marking().unwrap();
            arena.mutate(|mc, (list, root)| root.set(mc, list.upgrade(mc)));
            let mut marked = false;
            for turn in 0.. {
                let stands = if round % 2 == 0 || turn > 10_000 {
                    arena.collect_debt();
                    std::thread::yield_now();
                    arena.finish_marking()
                } else {
                    std::thread::yield_now();
                    arena.mark_debt()
                };
                if let Some(stands) = stands {
                    stands.finalize(|fc, (_, root)| {
                        let mut next = root.get();
                        while let Some(node) = next {
                            assert!(!Gc::is_dead(fc, node), "{round}: not everything is marked");
                            next = node.next.get();
                        }
                    });
                    marked = true;
                    break;
                }
                if arena.collection_phase() >= CollectionPhase::Marked {
                    break;
                }
            }
            assert!(marked || round % 2 == 0);
            arena.finish_cycle();
        }
    });
}

/// A cycle of a small heap is not worth a thread, nor claims: each object is traced once, whoever waits for it.
#[test]
fn small_heaps_are_marked_at_once_and_swept_at_once() {
    use std::cell::Cell;
    use std::rc::Rc;

    struct Traced(Rc<Cell<usize>>);

    // SAFETY: there are no pointers in it.
    unsafe impl<'gc> Collect<'gc> for Traced {
        fn trace<T: Trace<'gc>>(&self, _: &mut T) {
            self.0.set(self.0.get() + 1);
        }
    }

    const COUNT: usize = 1000;
    for mode in [Mode::StopTheWorld, Mode::Concurrent] {
        let traces = Rc::new(Cell::new(0));
        let options = HeapOptions::default().mode(mode).zeal(Zeal::NONE);
        type Root<'gc> = Vec<Gc<'gc, Traced>>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            (0..COUNT)
                .map(|_| Gc::new(mc, Traced(traces.clone())))
                .collect()
        })
        .unwrap();
        for cycle in 0..3 {
            traces.set(0);
            arena.finish_marking().unwrap().finalize(|fc, root| {
                assert!(!Gc::is_dead(fc, root[0]));
            });
            // The program may go on in between. What it makes and does not keep goes with this cycle.
            arena.mutate(|mc, _| _ = Gc::new(mc, Traced(traces.clone())));
            arena.finish_marking().unwrap().start_sweeping();
            assert_eq!(arena.collection_phase(), CollectionPhase::Sweeping);
            assert_eq!(traces.get(), COUNT, "{mode:?}, cycle {cycle}");
            arena.cycle_debt();
            assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
            let statistics = arena.metrics().statistics();
            assert_eq!(statistics.concurrent_time, Duration::ZERO);
            assert_eq!(statistics.collections, cycle + 1);
        }
        assert_eq!(Rc::strong_count(&traces), 1 + COUNT, "{mode:?}");
    }
}

/// What is made while the cycle stands is told apart as what was there before: by whether something leads to it.
#[test]
fn what_is_made_while_a_cycle_stands() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Places<'gc> {
        kept: Gc<'gc, Lock<Option<Pointer<'gc>>>>,
        handles: DynamicRootSet<'gc>,
        weak: Gc<'gc, RefLock<Vec<GcWeak<'gc, Node<'gc>>>>>,
    }
    type Heap = Arena<Rootable![Places<'_>]>;
    in_each_way(|way| {
        for (finalizes, sweeps) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut heap = Heap::with_options(way.options(), |mc| Places {
                kept: Gc::new(mc, Lock::new(None)),
                handles: DynamicRootSet::new(mc),
                weak: Gc::new(mc, RefLock::default()),
            })
            .unwrap();
            heap.finish_marking().unwrap();
            let (handle, pin) = heap.mutate(|mc, places| {
                let all: Vec<_> = (0..4)
                    .map(|id| node(mc, id, Some(node(mc, 10, None))))
                    .collect();
                places.kept.set(mc, Some(all[0]));
                *places.weak.borrow_mut(mc) = all.iter().copied().map(Gc::downgrade).collect();
                let handle = places.handles.stash::<Rootable![Node<'_>]>(mc, all[1]);
                let pin: Pinned<Rootable![Node<'_>]> = Gc::pin(mc, all[2]);
                (handle, pin)
            });
            if finalizes {
                heap.finish_marking().unwrap().finalize(|fc, places| {
                    let weak = places.weak.borrow().clone();
                    let dead = weak.iter().map(|weak| weak.is_dead(fc));
                    assert_eq!(dead.collect::<Vec<_>>(), [false, false, false, true]);
                    assert_eq!(weak[3].resurrect(fc).unwrap().id, 3);
                    // Nobody will lead to the second.
                    let new = [4, 5].map(|id| node(fc, id, Some(node(fc, 10, None))));
                    Gc::resurrect(fc, new[0]);
                    let mut weak = places.weak.borrow_mut(fc);
                    weak.extend(new.map(Gc::downgrade));
                });
            }
            if sweeps {
                heap.finish_marking().unwrap().start_sweeping();
            } else {
                heap.finish_cycle();
            }
            heap.mutate(|mc, places| {
                let mut there = Vec::new();
                for weak in places.weak.borrow().iter() {
                    let node = weak.upgrade(mc);
                    assert!(node.is_none_or(|node| node.next.get().unwrap().id == 10));
                    there.push(node.map(|node| node.id));
                }
                let expected: &[_] = match finalizes {
                    false => &[Some(0), Some(1), Some(2), None],
                    true => &[Some(0), Some(1), Some(2), Some(3), Some(4), None],
                };
                assert_eq!(there, expected);
                assert_eq!(places.kept.get().unwrap().id, 0);
                assert_eq!(places.handles.fetch(&handle).id, 1);
            });
            drop(pin);
            heap.finish_cycle();
            heap.finish_cycle();
            heap.verify().unwrap();
        }
    });
}

#[test]
fn what_was_allocated_while_it_marked_is_no_survivor_after_a_pause() {
    type Numbers = Arena<Rootable![Vec<Gc<'_, u64>>]>;
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::from_micros(1))
        .zeal(Zeal::NONE);
    let heap = Numbers::with_options(options, |mc| {
        (0..100_000).map(|number| Gc::new(mc, number)).collect()
    });
    let mut heap = heap.unwrap();
    heap.finish_cycle();
    let live = heap.metrics().statistics().live_bytes;
    let mut meanwhile = 0;
    loop {
        heap.metrics().adjust_debt(1e6);
        if let Some(marked) = heap.mark_debt() {
            marked.start_sweeping();
            break;
        }
        if heap.collection_phase() == CollectionPhase::Marking {
            meanwhile += 1;
            heap.mutate(|mc, _| _ = Gc::new(mc, 1));
        }
    }
    assert!(meanwhile > 0, "it marked in one step");
    while heap.collection_phase() != CollectionPhase::Sleeping {
        heap.cycle_debt();
    }
    assert_eq!(heap.metrics().statistics().live_bytes, live);
}
