//! Ephemerons: a value is there as long as its key is, and keeps nothing alive by itself.

use gc_core::barrier::unlock;
use gc_core::collect::DynCollect;
use gc_core::{Arena, Collect, Ephemeron, Gc, GcWeak, HeapOptions, Lock, RefLock, Rootable};
use gc_tests::seed::seeds;
use gc_tests::way::in_each_way;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: usize,
    next: Lock<Option<Gc<'gc, Node<'gc>>>>,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;
type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

/// Pointers whose places depend on the value.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Moving<'gc> {
    Empty(usize, usize),
    Pair(Pair<'gc>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    strong: Gc<'gc, [Lock<Option<Pointer<'gc>>>]>,
    pairs: Gc<'gc, [Lock<Pair<'gc>>]>,
    outside: Gc<'gc, RefLock<Vec<Pair<'gc>>>>,
    cells: Gc<'gc, [Lock<Moving<'gc>>]>,
    weak: Vec<GcWeak<'gc, Node<'gc>>>,
    here: Option<Pair<'gc>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

/// A heap with so many nodes, all of which the roots lead to.
fn heap(options: HeapOptions, count: usize) -> Heap {
    Arena::with_options(options, |mc| {
        let node = |id| {
            let next = Lock::new(None);
            Gc::new(mc, Node { id, next })
        };
        let nodes: Vec<_> = (0..count).map(node).collect();
        let none = Ephemeron::new(nodes[0], nodes[0]);
        Roots {
            strong: Gc::slice_from_iter(mc, nodes.iter().map(|node| Lock::new(Some(*node)))),
            pairs: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(none))),
            outside: Gc::new(mc, RefLock::default()),
            cells: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(Moving::Empty(0, 0)))),
            weak: nodes.into_iter().map(Gc::downgrade).collect(),
            here: None,
        }
    })
    .unwrap()
}

/// Where an ephemeron can be.
#[derive(Clone, Copy, Debug)]
enum Place {
    Slice,
    Outside,
    Cell,
}

/// Puts an ephemeron of two nodes, which must be there, into one place.
fn link(heap: &mut Heap, place: Place, index: usize, key: usize, value: usize) {
    heap.mutate_root(|mc, roots| {
        let node = |id: usize| roots.strong[id].get().unwrap();
        let pair = Ephemeron::new(node(key), node(value));
        match place {
            Place::Slice => Gc::write_at(mc, roots.pairs, index).unlock().set(pair),
            Place::Outside => roots.outside.borrow_mut(mc).push(pair),
            Place::Cell => {
                Gc::write_at(mc, roots.cells, index)
                    .unlock()
                    .set(Moving::Pair(pair));
            }
        }
    });
}

/// Forgets the strong pointers to all nodes but some.
fn keep(heap: &Heap, kept: &[usize]) {
    heap.mutate(|mc, roots| {
        for id in 0..roots.strong.len() {
            if !kept.contains(&id) {
                Gc::write_at(mc, roots.strong, id).unlock().set(None);
            }
        }
    });
}

/// Which nodes are there.
fn there(heap: &Heap) -> Vec<usize> {
    heap.mutate(|mc, roots| {
        let there = roots.weak.iter().filter_map(|weak| weak.upgrade(mc));
        there.map(|node| node.id).collect()
    })
}

/// What an ephemeron in the slice tells: the numbers of key and value.
fn told(heap: &Heap, index: usize) -> Option<(usize, usize)> {
    heap.mutate(|mc, roots| {
        let pair = roots.pairs[index].get();
        assert_eq!(pair.key(mc).is_some(), pair.value(mc).is_some());
        pair.get(mc).map(|(key, value)| (key.id, value.id))
    })
}

const PLACES: [Place; 3] = [Place::Slice, Place::Outside, Place::Cell];

#[test]
fn chains_are_followed_from_a_key_that_is_reached_and_no_other() {
    in_each_way(|way| {
        let count = way.size(30, 3000);
        for place in PLACES {
            for reverse in [false, true] {
                for kept in [0, count / 2, count - 1] {
                    let mut heap = heap(way.options(), count);
                    for index in 0..count - 1 {
                        let key = if reverse { count - 2 - index } else { index };
                        link(&mut heap, place, index, key, key + 1);
                    }
                    heap.finish_cycle();
                    assert_eq!(there(&heap).len(), count);
                    keep(&heap, &[kept]);
                    heap.finish_cycle();
                    let expected: Vec<_> = (kept..count).chain((kept > 0).then_some(0)).collect();
                    let mut found = there(&heap);
                    // The slice begins with ephemerons from the first node to itself.
                    found.retain(|id| *id != 0 || kept == 0);
                    assert_eq!(found, expected[..count - kept], "{place:?} {reverse}");
                    keep(&heap, &[]);
                    heap.finish_cycle();
                    assert_eq!(there(&heap), []);
                    heap.finish_cycle();
                }
            }
        }
    });
}

#[test]
fn a_value_that_leads_to_its_key_keeps_nothing() {
    in_each_way(|way| {
        for place in PLACES {
            let mut heap = heap(way.options(), 6);
            // To itself; to each other; and one whose value leads to its key by a strong pointer.
            for (index, (key, value)) in [(0, 0), (1, 2), (2, 1), (3, 4)].into_iter().enumerate() {
                link(&mut heap, place, index, key, value);
            }
            heap.mutate(|mc, roots| {
                let node = |id: usize| roots.strong[id].get().unwrap();
                unlock!(Gc::write(mc, node(4)), Node, next).set(Some(node(3)));
            });
            keep(&heap, &[2]);
            heap.finish_cycle();
            assert_eq!(there(&heap), [1, 2]);
            keep(&heap, &[]);
            heap.finish_cycle();
            assert_eq!(there(&heap), []);
        }
    });
}

#[test]
fn an_ephemeron_in_the_root() {
    in_each_way(|way| {
        let mut heap = heap(way.options(), 3);
        heap.mutate_root(|_, roots| {
            let node = |id: usize| roots.strong[id].get().unwrap();
            roots.here = Some(Ephemeron::new(node(1), node(2)));
        });
        keep(&heap, &[1]);
        heap.finish_cycle();
        assert_eq!(there(&heap), [1, 2]);
        keep(&heap, &[]);
        heap.finish_cycle();
        assert_eq!(there(&heap), []);
        heap.mutate(|mc, roots| assert!(roots.here.unwrap().get(mc).is_none()));
    });
}

#[test]
fn dead_values_may_be_used_again() {
    in_each_way(|way| {
        let mut heap = heap(way.options(), 2);
        link(&mut heap, Place::Slice, 1, 0, 1);
        keep(&heap, &[]);
        for round in 0..5 {
            heap.finish_cycle();
            assert_eq!(told(&heap, 1), None);
            // The memory of the value is used again, with other things in it.
            heap.mutate(|mc, roots| {
                for id in 0..100 {
                    let next = Lock::new(roots.strong[1].get());
                    let node = Gc::new(
                        mc,
                        Node {
                            id: id + round,
                            next,
                        },
                    );
                    Gc::write_at(mc, roots.strong, 1).unlock().set(Some(node));
                }
            });
        }
    });
}

/// The value is one whose pointers the collector must see though nobody marked it before it was read.
#[test]
fn what_is_read_while_marking_goes_on_stays() {
    in_each_way(|way| {
        let count = way.size(12, 50);
        for delay in 0..way.size(6, 30) {
            let mut heap = heap(way.options(), count);
            for key in (0..count - 1).rev() {
                link(&mut heap, Place::Slice, key, key, key + 1);
            }
            keep(&heap, &[0]);
            heap.metrics().adjust_debt(1e15);
            heap.collect_debt();
            heap.metrics().adjust_debt(f64::NAN);
            for _ in 0..delay {
                heap.collect_debt();
            }
            // The last value is taken out of its ephemeron, and the chain to it is cut.
            heap.mutate(|mc, roots| {
                let value = roots.pairs[count - 2]
                    .get()
                    .value(mc)
                    .expect("its key is reached");
                let key = roots.strong[0].get().unwrap();
                let nothing = Ephemeron::new(key, key);
                for pair in 0..count {
                    Gc::write_at(mc, roots.pairs, pair).unlock().set(nothing);
                }
                Gc::write_at(mc, roots.strong, 1).unlock().set(Some(value));
            });
            for _ in 0..200 {
                heap.collect_debt();
            }
            assert!(there(&heap).contains(&(count - 1)));
            heap.finish_cycle();
            assert_eq!(there(&heap), [0, count - 1]);
        }
    });
}

/// Random graphs of strong pointers and ephemerons, changed between the steps of cycles, against a
/// model.
#[test]
fn random_graphs() {
    in_each_way(|way| {
        let nodes = 24;
        for seed in seeds(0..way.size(4, 25) as u64) {
            let mut random = seed.random();
            let mut below = |n: usize| random.below(n);
            let mut heap = heap(way.options(), nodes);
            // What the model knows: pairs in the slice, pointers in nodes, and which nodes are held.
            let mut pairs = vec![(0, 0); nodes];
            let mut next = vec![None; nodes];
            let mut held = vec![true; nodes];
            let mut alive = vec![true; nodes];
            for _ in 0..60 {
                let (a, b, at) = (below(nodes), below(nodes), below(nodes));
                match below(8) {
                    0..4 if held[a] && held[b] => {
                        link(&mut heap, Place::Slice, at, a, b);
                        pairs[at] = (a, b);
                    }
                    4 if held[a] && held[b] => {
                        heap.mutate(|mc, roots| {
                            let node = |id: usize| roots.strong[id].get().unwrap();
                            unlock!(Gc::write(mc, node(a)), Node, next).set(Some(node(b)));
                        });
                        next[a] = Some(b);
                    }
                    5 if alive[a] => {
                        held[a] = false;
                        heap.mutate(|mc, roots| {
                            Gc::write_at(mc, roots.strong, a).unlock().set(None);
                        });
                    }
                    6 => {
                        heap.metrics().adjust_debt(1e15);
                        for _ in 0..below(12) {
                            heap.collect_debt();
                        }
                        heap.metrics().adjust_debt(f64::NAN);
                    }
                    7 => {
                        heap.finish_cycle();
                        let mut reached = held.clone();
                        while {
                            let before = reached.clone();
                            for id in 0..nodes {
                                if let (true, Some(to)) = (reached[id], next[id]) {
                                    reached[to] = true;
                                }
                            }
                            for &(key, value) in &pairs {
                                reached[value] |= reached[key];
                            }
                            reached != before
                        } {}
                        let found = there(&heap);
                        let expected: Vec<_> = (0..nodes).filter(|id| reached[*id]).collect();
                        assert_eq!(found, expected, "seed {seed}");
                        for (at, &pair) in pairs.iter().enumerate() {
                            assert_eq!(told(&heap, at), reached[pair.0].then_some(pair));
                        }
                        // What is gone stays gone; ephemerons of it are no more.
                        for pair in pairs.iter_mut().filter(|pair| !reached[pair.0]) {
                            *pair = (pair.0, pair.0);
                        }
                        alive = reached;
                    }
                    _ => {}
                }
            }
        }
    });
}

/// An ephemeron is one also where its type is not known.
#[test]
fn in_trait_objects_values_keep_no_keys() {
    type Objects<'gc> = Vec<Box<dyn DynCollect<'gc> + 'gc>>;
    type Roots<'gc> = (Option<Pointer<'gc>>, Objects<'gc>, GcWeak<'gc, Node<'gc>>);
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
            let node = |id, next| {
                let next = Lock::new(next);
                Gc::new(mc, Node { id, next })
            };
            let key = node(0, None);
            let value = node(1, Some(key));
            let pair: Box<dyn DynCollect<'_>> = Box::new(Ephemeron::new(key, value));
            (Some(key), vec![pair], Gc::downgrade(value))
        })
        .unwrap();
        heap.finish_cycle();
        heap.mutate(|mc, (_, _, value)| assert_eq!(value.upgrade(mc).unwrap().id, 1));
        heap.mutate_root(|_, roots| roots.0 = None);
        heap.finish_cycle();
        heap.mutate(|_, (_, _, value)| assert!(value.is_dropped()));
    });
}
