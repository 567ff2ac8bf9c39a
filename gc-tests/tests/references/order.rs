//! The order of processing, row by row of the table in `docs/references.md`. What is seen by finalizers tells in
//! which order things have happened.

use std::cell::RefCell;
use std::rc::Rc;

use gc_core::barrier::unlock;
use gc_core::{
    Arena, Collect, Ephemeron, FinalizerMode, Gc, GcWeak, GcWeakLong, Lock, Mutation, Rootable,
    Soft,
};
use gc_tests::way::{Way, in_each_way};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: usize,
    next: Lock<Option<Gc<'gc, Node<'gc>>>>,
    weak: Lock<Option<GcWeak<'gc, Node<'gc>>>>,
    pair: Lock<Option<Ephemeron<'gc, Node<'gc>, Node<'gc>>>>,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;
type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    strong: Vec<Pointer<'gc>>,
    weak: Vec<GcWeak<'gc, Node<'gc>>>,
    long: Vec<GcWeakLong<'gc, Node<'gc>>>,
    pairs: Vec<Pair<'gc>>,
    soft: Vec<Soft<'gc, Node<'gc>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

const COUNT: usize = 8;

/// A heap with some nodes, to which all kinds of references lead, and nothing else when `strong` is empty.
fn heap(way: Way) -> Heap {
    let options = way.options().finalizers(FinalizerMode::Manual).soft_idle(0);
    Arena::with_options(options, |mc| {
        let nodes: Vec<_> = (0..COUNT).map(|id| node(mc, id)).collect();
        Roots {
            weak: nodes.iter().copied().map(Gc::downgrade).collect(),
            long: nodes.iter().copied().map(Gc::downgrade_long).collect(),
            strong: nodes,
            pairs: Vec::new(),
            soft: Vec::new(),
        }
    })
    .unwrap()
}

fn node<'gc>(mc: &Mutation<'gc>, id: usize) -> Pointer<'gc> {
    let node = Node {
        id,
        next: Lock::new(None),
        weak: Lock::new(None),
        pair: Lock::new(None),
    };
    Gc::new(mc, node)
}

fn link<'gc>(mc: &Mutation<'gc>, from: Pointer<'gc>, to: Pointer<'gc>) {
    unlock!(Gc::write(mc, from), Node, next).set(Some(to));
}

/// To which nodes short and long weak pointers lead.
fn there(heap: &Heap) -> (Vec<usize>, Vec<usize>) {
    heap.mutate(|mc, roots| {
        let short = roots.weak.iter().filter_map(|weak| weak.upgrade(mc));
        let long = roots.long.iter().filter_map(|weak| weak.upgrade(mc));
        (
            short.map(|node| node.id).collect(),
            long.map(|node| node.id).collect(),
        )
    })
}

fn forget(heap: &mut Heap, kept: &[usize]) {
    heap.mutate_root(|_, roots| roots.strong.retain(|node| kept.contains(&node.id)));
}

type Log = Rc<RefCell<Vec<usize>>>;

/// Row 1: what strong pointers lead to is not touched, whatever else leads there.
#[test]
fn strong_pointers_come_before_all() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate(|mc, roots| {
            link(mc, roots.strong[0], roots.strong[1]);
            for node in &roots.strong[..2] {
                _ = mc.finalize_with(*node, |_, _| panic!("it is alive"));
            }
        });
        forget(&mut heap, &[0]);
        heap.finish_cycle();
        assert_eq!(heap.run_finalizers(10), 0);
        assert_eq!(there(&heap), (vec![0, 1], vec![0, 1]));
    });
}

/// Row 2: soft references that the policy keeps are strong: ephemerons whose keys they lead to are followed, and
/// finalizers wait. Those that it lets go are no more than weak.
#[test]
fn soft_references_come_before_ephemerons_and_finalizers() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate_root(|mc, roots| {
            let nodes = roots.strong.clone();
            roots.soft.push(Soft::new(mc, nodes[0]));
            roots.pairs.push(Ephemeron::new(nodes[0], nodes[1]));
            _ = mc.finalize_with(nodes[1], |_, _| ());
        });
        forget(&mut heap, &[]);
        heap.finish_cycle();
        assert_eq!(heap.run_finalizers(10), 0);
        assert_eq!(there(&heap).0, [0, 1]);
        // Now it is idle.
        heap.finish_cycle();
        assert!(heap.mutate(|mc, roots| roots.soft[0].peek(mc).is_none()));
        assert_eq!(heap.run_finalizers(10), 1);
        heap.finish_cycle();
        assert_eq!(there(&heap), (vec![], vec![]));
    });
}

/// Row 3: the value of an ephemeron whose key is alive is alive before anything is cleared or enqueued.
#[test]
fn ephemerons_come_before_short_weak_pointers_and_finalizers() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate_root(|mc, roots| {
            let nodes = roots.strong.clone();
            roots.pairs.push(Ephemeron::new(nodes[1], nodes[2]));
            roots.pairs.push(Ephemeron::new(nodes[0], nodes[1]));
            _ = mc.finalize_with(nodes[2], |_, _| panic!("it is alive"));
        });
        forget(&mut heap, &[0]);
        heap.finish_cycle();
        assert_eq!(heap.run_finalizers(10), 0);
        assert_eq!(there(&heap).0, [0, 1, 2]);
    });
}

/// Row 4: when a finalizer runs, no short weak pointer leads to its object, nor to what only dead objects lead
/// to, wherever the pointer is: alive or dead, met before its target was marked for a finalizer or after.
#[test]
fn short_weak_pointers_are_cleared_before_finalizers_see_anything() {
    in_each_way(|way| {
        let mut heap = heap(way);
        let log = Log::default();
        heap.mutate(|mc, roots| {
            let nodes = &roots.strong;
            // Nodes 0 and 1 are finalized and lead to 2; 3 is alive. Weak pointers from 0 to 1, 1 to 2, 2 to 0.
            link(mc, nodes[0], nodes[2]);
            link(mc, nodes[1], nodes[2]);
            for (from, to) in [(0, 1), (1, 2), (2, 0), (3, 2)] {
                unlock!(Gc::write(mc, nodes[from]), Node, weak).set(Some(Gc::downgrade(nodes[to])));
            }
            for id in [0, 1] {
                let log = Rc::clone(&log);
                _ = mc.finalize_with(nodes[id], move |node, token| {
                    let other = node.next.get().unwrap();
                    assert_eq!(other.id, 2);
                    for node in [node, other] {
                        assert!(node.weak.get().unwrap().upgrade(token).is_none());
                        assert!(token.was_found_dead(node));
                    }
                    assert!(Gc::downgrade(node).upgrade(token).is_none());
                    log.borrow_mut().push(node.id);
                });
            }
        });
        forget(&mut heap, &[3]);
        heap.finish_cycle();
        assert_eq!(there(&heap).0, [3]);
        heap.mutate(|mc, roots| {
            assert!(roots.strong[0].weak.get().unwrap().upgrade(mc).is_none());
        });
        assert_eq!(heap.run_finalizers(10), 2);
        assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
        let mut ids = log.take();
        ids.sort_unstable();
        assert_eq!(ids, [0, 1]);
    });
}

/// Row 5: all finalizers of dead objects are enqueued at once, also those of objects that others lead to.
#[test]
fn finalizers_are_enqueued_before_anything_is_kept_for_one() {
    in_each_way(|way| {
        for reverse in [false, true] {
            let mut heap = heap(way);
            heap.mutate(|mc, roots| {
                let mut ids: Vec<_> = (0..COUNT).collect();
                if reverse {
                    ids.reverse();
                }
                for &id in &ids {
                    _ = mc.finalize_with(roots.strong[id], |_, _| ());
                }
                for id in 1..COUNT {
                    link(mc, roots.strong[id - 1], roots.strong[id]);
                }
            });
            forget(&mut heap, &[]);
            heap.finish_cycle();
            assert_eq!(heap.metrics().statistics().finalizers_waiting, COUNT);
        }
    });
}

/// Row 6: what finalizers see is kept until they have run, ephemerons with such keys included; and what waits
/// is kept by every cycle.
#[test]
fn ephemerons_are_followed_again_from_what_finalizers_see() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate_root(|mc, roots| {
            let nodes = roots.strong.clone();
            link(mc, nodes[0], nodes[1]);
            // One is alive, one a part of what dies; and a chain of two.
            roots.pairs.push(Ephemeron::new(nodes[1], nodes[2]));
            let pair = Ephemeron::new(nodes[2], nodes[3]);
            unlock!(Gc::write(mc, nodes[1]), Node, pair).set(Some(pair));
            // And one whose key nobody sees.
            roots.pairs.push(Ephemeron::new(nodes[4], nodes[5]));
            _ = mc.finalize_with(nodes[0], |node, token| {
                let one = node.next.get().unwrap();
                let (key, value) = one.pair.get().unwrap().get(token).unwrap();
                assert_eq!((one.id, key.id, value.id), (1, 2, 3));
            });
        });
        forget(&mut heap, &[]);
        for _ in 0..3 {
            heap.finish_cycle();
            heap.mutate(|mc, roots| {
                let (key, value) = roots.pairs[0].get(mc).unwrap();
                assert_eq!((key.id, value.id), (1, 2));
                assert!(roots.pairs[1].get(mc).is_none());
            });
            assert_eq!(there(&heap), (vec![], vec![0, 1, 2, 3]));
        }
        assert_eq!(heap.run_finalizers(10), 1);
        assert_eq!(heap.metrics().statistics().finalizers_panicked, 0);
        heap.finish_cycle();
        assert_eq!(there(&heap), (vec![], vec![]));
    });
}

/// Row 7: long weak pointers lead to what finalizers see, and to what they have resurrected, and are cleared in
/// the cycle that frees it.
#[test]
fn long_weak_pointers_are_cleared_last() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate(|mc, roots| {
            _ = mc.finalize_with(roots.strong[0], |_, _| ());
        });
        forget(&mut heap, &[]);
        heap.finish_cycle();
        assert_eq!(there(&heap), (vec![], vec![0]));
        // It is up again by a long one, and stays.
        heap.mutate_root(|mc, roots| roots.strong.push(roots.long[0].upgrade(mc).unwrap()));
        assert_eq!(heap.run_finalizers(10), 1);
        for _ in 0..3 {
            heap.finish_cycle();
            assert_eq!(there(&heap), (vec![], vec![0]));
        }
        forget(&mut heap, &[]);
        heap.finish_cycle();
        assert_eq!(there(&heap), (vec![], vec![]));
    });
}

/// Row 8: what nothing sees is freed in the same cycle; what finalizers saw, in the next.
#[test]
fn the_rest_is_freed() {
    in_each_way(|way| {
        let mut heap = heap(way);
        heap.mutate_root(|mc, roots| {
            link(mc, roots.strong[0], roots.strong[1]);
            _ = mc.finalize_with(roots.strong[0], |_, _| ());
            roots.weak.clear();
            roots.long.clear();
        });
        forget(&mut heap, &[]);
        heap.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 2);
        assert_eq!(heap.run_finalizers(10), 1);
        heap.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 0);
    });
}
