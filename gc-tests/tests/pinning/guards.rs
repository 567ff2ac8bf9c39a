//! Guards and raw pins, one at a time.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::{Arena, Gc, GcWeak, Pinned, Rootable};

use crate::{Guard, Node, empty, in_each_way, left, litter};

#[test]
fn the_object_and_what_it_leads_to_stay_where_they_are() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let guard: Guard = heap.mutate(|mc, _| Gc::pin(mc, Node::list(mc, 100)));
        let address = guard.as_ptr().addr();
        for _ in 0..3 {
            left(&mut heap, 100);
            heap.mutate(|mc, _| {
                litter(mc, 200);
                let node = guard.get(mc);
                assert!(Gc::is_pinned(mc, node));
                assert!(!Gc::is_pinned(mc, node.next.get().unwrap()));
                assert_eq!((node.check(), Gc::as_ptr(node).addr()), (100, address));
            });
        }
        // SAFETY: the object is pinned, and its arena is there.
        assert_eq!(unsafe { &*guard.as_ptr() }.value, 99);
        drop(guard);
        left(&mut heap, 0);
    });
}

/// Pins of all kinds nest: the object stays until the last is gone, in whatever order they go.
#[test]
fn pins_nest() {
    in_each_way(|way| {
        for first in 0..4 {
            let mut heap = empty(way.options());
            let (one, other, address) = heap.mutate(|mc, _| {
                let node = Node::list(mc, 2);
                let guard: Guard = Gc::pin(mc, node);
                let address = Gc::pin_raw(mc, node).cast::<()>();
                (guard, Gc::pin(mc, node), address)
            });
            let mut guards: Vec<Guard> = vec![one.clone(), one, other];
            let mut raw = true;
            assert_eq!(heap.pinned()[0].pins, 4);
            for round in 0..4 {
                left(&mut heap, 2);
                heap.mutate(|mc, _| {
                    // SAFETY: the object is pinned.
                    let node = unsafe { Gc::from_ptr(address.cast::<Node<'_>>()) };
                    assert!(Gc::is_pinned(mc, node) && node.check() == 2);
                    let statistics = mc.metrics().statistics();
                    let counts = (statistics.pinned_objects, statistics.pins);
                    assert_eq!(counts, (1, 4 - round));
                    let turn = (first + round) % 4;
                    if turn == 3 {
                        // SAFETY: it is the pin that was made above, taken back once.
                        unsafe { Gc::unpin_raw(mc, address).unwrap() };
                        raw = false;
                    } else {
                        drop(guards.swap_remove(turn % guards.len()));
                    }
                    assert_eq!(
                        Gc::is_pinned(mc, node),
                        raw || !guards.is_empty(),
                        "{first} {round}"
                    );
                });
            }
            assert!(heap.pinned().is_empty());
            left(&mut heap, 0);
        }
    });
}

/// Where a dead object had a pin, a new one has none.
#[test]
fn memory_that_is_used_again_is_not_pinned() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        for round in 0..3 {
            let guards: Vec<Guard> = heap.mutate(|mc, _| {
                let pin = |_| Gc::pin(mc, Node::new(mc, 0, None));
                (0..500).map(pin).collect()
            });
            // Half of them die at once, and the rest when the next ones are there.
            let kept: Vec<Guard> = guards.into_iter().skip(round % 2).step_by(2).collect();
            left(&mut heap, 250);
            heap.mutate(|mc, _| {
                for _ in 0..1000 {
                    assert!(!Gc::is_pinned(mc, Node::new(mc, 1, None)));
                }
                for guard in &kept {
                    assert!(Gc::is_pinned(mc, guard.get(mc)));
                    assert_eq!(guard.get(mc).value, 0);
                }
            });
        }
        left(&mut heap, 0);
    });
}

/// A weak pointer leads to a pinned object, and to nothing when the pin is gone.
#[test]
fn weak_pointers_see_pins() {
    in_each_way(|way| {
        type Weak<'gc> = Option<GcWeak<'gc, Node<'gc>>>;
        let mut heap =
            gc_core::Arena::<Rootable![Weak<'_>]>::with_options(way.options(), |_| None).unwrap();
        let guard: Guard = heap.mutate_root(|mc, weak| {
            let node = Node::list(mc, 3);
            *weak = Some(Gc::downgrade(node));
            Gc::pin(mc, node)
        });
        left(&mut heap, 3);
        heap.mutate(|mc, weak| assert_eq!(weak.unwrap().upgrade(mc).unwrap().check(), 3));
        drop(guard);
        // The shell of the first.
        left(&mut heap, 1);
        heap.mutate(|mc, weak| assert!(weak.unwrap().upgrade(mc).is_none()));
    });
}

/// A value with `Drop` is dropped when its pin is gone, and a guard that it has, with it.
#[test]
fn values_with_pins_are_dropped() {
    struct Keeper {
        _guard: Guard,
        dropped: Rc<Cell<usize>>,
    }
    gc_core::static_collect!(Keeper);
    impl Drop for Keeper {
        fn drop(&mut self) {
            self.dropped.set(self.dropped.get() + 1);
        }
    }
    in_each_way(|way| {
        let dropped = Rc::new(Cell::new(0));
        let mut heap = empty(way.options());
        let keeper = heap.mutate(|mc, _| {
            let guard = Gc::pin(mc, Node::list(mc, 10));
            let dropped = dropped.clone();
            let keeper = Keeper {
                _guard: guard,
                dropped,
            };
            Gc::pin::<Rootable![Keeper]>(mc, Gc::new(mc, keeper))
        });
        left(&mut heap, 11);
        assert_eq!((heap.pinned().len(), dropped.get()), (2, 0));
        drop(keeper);
        // The cycle that drops the keeper began with a pinned list.
        left(&mut heap, 10);
        assert_eq!((heap.pinned().len(), dropped.get()), (0, 1));
        left(&mut heap, 0);
        // Both die with the arena.
        heap.mutate(|mc, _| {
            let guard = Gc::pin(mc, Node::list(mc, 10));
            let dropped = dropped.clone();
            Gc::new(
                mc,
                Keeper {
                    _guard: guard,
                    dropped,
                },
            );
        });
        drop(heap);
        assert_eq!(dropped.get(), 2);
    });
}

/// A guard is an address and an entry of a table: whoever may use the object can clone and drop it, while the thread of
/// the arena collects, and when there is no arena any more.
#[test]
fn guards_of_what_threads_can_share_go_to_other_threads() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![()]>::with_options(way.options(), |_| ()).unwrap();
        let guards: Vec<Pinned<Rootable![String]>> = arena.mutate(|mc, _| {
            let pin = |number: u32| Gc::pin(mc, Gc::new(mc, number.to_string()));
            (0..100).map(pin).collect()
        });
        let last = guards[99].clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (number, guard) in guards.into_iter().enumerate() {
                    // SAFETY: the object is pinned, and nobody writes to it.
                    let text = unsafe { &*guard.clone().as_ptr() };
                    assert_eq!(*text, number.to_string());
                }
            });
            (0..10).for_each(|_| arena.finish_cycle());
        });
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 1);
        arena.mutate(|mc, _| assert_eq!(*last.get(mc), "99"));
        drop(arena);
        std::thread::spawn(move || drop(last.clone()))
            .join()
            .unwrap();
    });
}
