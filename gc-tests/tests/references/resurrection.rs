//! Finalizers that make their objects reachable again: what they bring back is as it was, and can die again.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::barrier::unlock;
use gc_core::finalizer::{Finalize, Finalizing};
use gc_core::{Arena, Collect, Gc, Lock, Rootable};
use gc_tests::way::in_each_way;

use crate::nodes::{Node, Pointer, forget, heap, strong, weak};

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
