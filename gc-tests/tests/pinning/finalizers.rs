//! Pins and finalizers: what is pinned is not dead, and what is dead can be pinned by whoever sees it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gc_core::{Arena, Gc, GcWeak, Rootable};

use crate::{Guard, Node, begin, empty, in_each_way, left, litter};

#[test]
fn a_pinned_object_is_not_finalized() {
    in_each_way(|way| {
        for delay in 0..4 {
            let runs = Rc::new(Cell::new(0));
            let mut heap = empty(way.options());
            let guard: Guard = heap.mutate(|mc, _| {
                let (node, runs) = (Node::list(mc, 3), runs.clone());
                _ = mc.finalize_with(node, move |node, _| runs.set(runs.get() + node.check()));
                Gc::pin(mc, node)
            });
            for _ in 0..3 {
                left(&mut heap, 3);
                assert_eq!(runs.get(), 0);
            }
            begin(&mut heap);
            for _ in 0..delay {
                heap.collect_debt();
            }
            drop(guard);
            // One cycle finds it dead, and the next one that its finalizer has run.
            heap.finish_cycle();
            left(&mut heap, 0);
            assert_eq!(runs.get(), 3);
        }
    });
}

#[test]
fn a_finalizer_pins_what_it_sees() {
    in_each_way(|way| {
        let guards: Rc<RefCell<Vec<Guard>>> = Rc::default();
        let mut heap = empty(way.options());
        heap.mutate(|mc, _| {
            let guards = guards.clone();
            _ = mc.finalize_with(Node::list(mc, 3), move |node, token| {
                guards.borrow_mut().push(Gc::pin(token, node));
            });
        });
        for _ in 0..3 {
            left(&mut heap, 3);
            heap.mutate(|mc, _| {
                litter(mc, 50);
                assert_eq!(guards.borrow()[0].get(mc).check(), 3);
            });
        }
        assert_eq!(guards.take().len(), 1);
        // It does not run again.
        left(&mut heap, 0);
        assert!(guards.borrow().is_empty());
    });
}

/// A finalizer that has a guard of its own object waits for itself, until the arena is dropped.
#[test]
fn a_finalizer_with_a_guard_of_its_object_does_not_run() {
    in_each_way(|way| {
        let runs = Rc::new(Cell::new(0));
        let mut heap = empty(way.options());
        heap.mutate(|mc, _| {
            let (node, runs) = (Node::list(mc, 3), runs.clone());
            let guard: Guard = Gc::pin(mc, node);
            _ = mc.finalize_with(node, move |_, _| {
                drop(guard);
                runs.set(runs.get() + 1);
            });
        });
        for _ in 0..3 {
            left(&mut heap, 3);
        }
        assert_eq!((runs.get(), heap.pinned().len()), (0, 1));
        drop(heap);
        // Nor is anything left of it.
        assert_eq!((runs.get(), Rc::strong_count(&runs)), (0, 1));
    });
}

/// A finalization call gets at dead objects without keeping them alive. To pin one is enough.
#[test]
fn a_dead_object_is_pinned() {
    type Weak<'gc> = [GcWeak<'gc, Node<'gc>>; 2];
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Weak<'_>]>::with_options(way.options(), |mc| {
            [Node::list(mc, 5), Node::list(mc, 5)].map(Gc::downgrade)
        })
        .unwrap();
        let marked = heap.finish_marking().expect("the arena does not sweep");
        let guard: Guard = marked.finalize(|fc, weak| {
            let [kept, dropped] = weak.map(|weak| weak.upgrade(fc).unwrap());
            drop(Gc::pin::<Rootable!['gc => Node<'gc>]>(fc, dropped));
            Gc::pin(fc, kept)
        });
        for _ in 0..3 {
            // With the shell of the other.
            left(&mut heap, 5 + 1);
            heap.mutate(|mc, weak| {
                litter(mc, 50);
                assert_eq!(guard.get(mc).check(), 5);
                assert!(weak[0].upgrade(mc).is_some() && weak[1].upgrade(mc).is_none());
            });
        }
        drop(guard);
        left(&mut heap, 2);
    });
}
