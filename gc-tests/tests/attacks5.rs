//! Attacks on ephemerons, finalizers, soft and long weak pointers, and arenas that stand where everything is
//! marked.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gc_core::arena::{CollectionPhase, Root};
use gc_core::barrier::unlock;
use gc_core::{
    Arena, Collect, Ephemeron, FinalizerMode, Gc, GcWeak, Lock, Mutation, RefLock, Rootable,
};
use gc_tests::way::in_each_way;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: u64,
    next: Lock<Option<Pointer<'gc>>>,
    check: u64,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;
type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

fn node<'gc>(mc: &Mutation<'gc>, id: u64, next: Option<Pointer<'gc>>) -> Pointer<'gc> {
    let (next, check) = (Lock::new(next), !id);
    Gc::new(mc, Node { id, next, check })
}

fn look(node: Pointer<'_>) -> u64 {
    assert_eq!(node.check, !node.id, "an object that was freed");
    node.id
}

fn set<'gc>(mc: &Mutation<'gc>, node: Pointer<'gc>, next: Option<Pointer<'gc>>) {
    unlock!(Gc::write(mc, node), Node, next).set(next);
}

/// Begins a cycle that lasts while the program goes on, where the way has such.
fn begin<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.metrics().adjust_debt(1e15);
    arena.collect_debt();
    arena.metrics().adjust_debt(f64::NAN);
}

/// Lets the cycle in progress end at safepoints.
fn run_out<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let before = arena.metrics().statistics().collections;
    let since = std::time::Instant::now();
    while arena.collection_phase() != CollectionPhase::Sleeping
        && arena.metrics().statistics().collections == before
    {
        arena.collect_debt();
        std::thread::yield_now();
        assert!(since.elapsed().as_secs() < 100, "a cycle does not end");
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Keys<'gc> {
    /// A list, of which the last node is the key.
    list: Pointer<'gc>,
    pair: Gc<'gc, Lock<Pair<'gc>>>,
}

/// A key that is written after an ephemeron was met, or before, and before it is marked: nobody scans it.
#[test]
fn a_key_that_is_claimed_before_it_is_marked() {
    in_each_way(|way| {
        for delay in 0..6 {
            let mut arena = Arena::<Rootable![Keys<'_>]>::with_options(way.options(), |mc| {
                let key = node(mc, 1, None);
                let value = node(mc, 2, None);
                let pair = Gc::new(mc, Lock::new(Ephemeron::new(key, value)));
                let list = (0..5000).fold(key, |list, id| node(mc, 10 + id, Some(list)));
                Keys { list, pair }
            })
            .unwrap();
            begin(&mut arena);
            for _ in 0..delay {
                arena.collect_debt();
            }
            arena.mutate(|mc, keys| {
                let mut key = keys.list;
                while let Some(next) = key.next.get() {
                    key = next;
                }
                set(mc, key, None);
            });
            run_out(&mut arena);
            arena.mutate(|mc, keys| {
                // What was freed is used again.
                for id in 0..100 {
                    Gc::new(mc, [id; 3]);
                }
                let (key, value) = keys.pair.get().get(mc).expect("the key is reachable");
                assert_eq!((look(key), look(value)), (1, 2));
            });
        }
    });
}

/// The same with keys that large arrays lead to, keys that have to be asked, and large keys.
#[test]
fn keys_of_all_sorts_that_are_claimed() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        asked: Gc<'gc, RefLock<Vec<Pointer<'gc>>>>,
        large: Gc<'gc, [Lock<Option<Pointer<'gc>>>; 3000]>,
        small: Pointer<'gc>,
        array: Gc<'gc, [Lock<Option<Pointer<'gc>>>]>,
    }
    type Cell<'gc> = RefLock<Vec<Pointer<'gc>>>;
    type Large<'gc> = [Lock<Option<Pointer<'gc>>>; 3000];
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Pairs<'gc> {
        asked: Ephemeron<'gc, Cell<'gc>, Node<'gc>>,
        large: Ephemeron<'gc, Large<'gc>, Node<'gc>>,
        small: Ephemeron<'gc, Node<'gc>, Node<'gc>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct All<'gc> {
        list: Gc<'gc, Link<'gc>>,
        pairs: Gc<'gc, Pairs<'gc>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    enum Link<'gc> {
        More(Gc<'gc, Link<'gc>>),
        End(Roots<'gc>),
    }
    in_each_way(|way| {
        for delay in 0..4 {
            let mut arena = Arena::<Rootable![All<'_>]>::with_options(way.options(), |mc| {
                let small = node(mc, 1, None);
                let roots = Roots {
                    asked: Gc::new(mc, RefLock::new(vec![node(mc, 5, None)])),
                    large: Gc::new(mc, [const { Lock::new(None) }; 3000]),
                    small,
                    array: Gc::slice_from_iter(mc, (0..3000).map(|_| Lock::new(Some(small)))),
                };
                let pairs = Gc::new(
                    mc,
                    Pairs {
                        asked: Ephemeron::new(roots.asked, node(mc, 2, None)),
                        large: Ephemeron::new(roots.large, node(mc, 3, None)),
                        small: Ephemeron::new(small, node(mc, 4, None)),
                    },
                );
                let end = Gc::new(mc, Link::End(roots));
                let list = (0..3000).fold(end, |list, _| Gc::new(mc, Link::More(list)));
                All { list, pairs }
            })
            .unwrap();
            begin(&mut arena);
            for _ in 0..delay {
                arena.collect_debt();
            }
            arena.mutate(|mc, all| {
                let mut link = all.list;
                let roots = loop {
                    match &*link {
                        Link::More(next) => link = *next,
                        Link::End(roots) => break roots,
                    }
                };
                roots.asked.borrow_mut(mc).clear();
                Gc::write(mc, roots.large);
                set(mc, roots.small, None);
                Gc::write_at(mc, roots.array, 7).unlock().set(None);
            });
            run_out(&mut arena);
            arena.mutate(|mc, all| {
                for id in 0..200 {
                    Gc::new(mc, [id; 3]);
                }
                let pairs = all.pairs;
                let values = [
                    pairs.asked.value(mc),
                    pairs.large.value(mc),
                    pairs.small.value(mc),
                ];
                assert_eq!(values.map(|value| look(value.unwrap())), [2, 3, 4]);
            });
        }
    });
}

/// An arena that is `Marked` has nothing left to mark, and nobody marks in it.
#[test]
fn a_marked_arena_is_marked() {
    type Heap = Arena<Rootable![(GcWeak<'_, Node<'_>>, Gc<'_, Lock<Option<Pointer<'_>>>>)]>;
    in_each_way(|way| {
        for round in 0..way.size(2, 6) {
            let count = way.size(2000, 100_000) as u64;
            let mut arena = Heap::with_options(way.options(), |mc| {
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

/// All finalizers of a dead chain are enqueued by the cycle that finds it dead.
#[test]
fn a_long_dead_chain_is_enqueued_at_once() {
    in_each_way(|way| {
        for backwards in [false, true] {
            let count = way.size(1600, 6000) as u64;
            let options = way.options().finalizers(FinalizerMode::Manual);
            let mut arena = Arena::<Rootable![Gc<'_, Lock<Option<Pointer<'_>>>>]>::with_options(
                options,
                |mc| {
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
                            look(node);
                        });
                    }
                    Gc::new(mc, Lock::new(Some(last)))
                },
            )
            .unwrap();
            arena.mutate(|mc, root| root.set(mc, None));
            begin(&mut arena);
            // Markers begin late, for this thread does not wait for them.
            for _ in 0..100_000 {
                if arena.collection_phase() == CollectionPhase::Sleeping {
                    break;
                }
                arena.collect_debt();
            }
            run_out(&mut arena);
            assert_eq!(
                arena.run_finalizers(usize::MAX) as u64,
                count,
                "{backwards}"
            );
            assert_eq!(arena.metrics().statistics().finalizers_panicked, 0);
        }
    });
}

#[derive(Collect)]
#[collect(require_static)]
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a bomb");
    }
}

/// A finalizer that never runs owns something that panics when it is dropped: all values are dropped even so.
#[test]
fn what_a_finalizer_owns_panics() {
    for bombs in [1, 3] {
        in_each_way(|way| {
            let dropped = Rc::new(Cell::new(0));
            let arena = Arena::<Rootable![()]>::with_options(way.options(), |mc| {
                for _ in 0..10 {
                    Gc::new(mc, Counted(dropped.clone()));
                }
                for _ in 0..bombs {
                    let bomb = Bomb;
                    _ = mc.finalize_with(Gc::new(mc, 1), move |_, _| drop(bomb));
                }
                let more = Counted(dropped.clone());
                _ = mc.finalize_with(Gc::new(mc, 1), move |_, _| drop(more));
            })
            .unwrap();
            _ = catch_unwind(AssertUnwindSafe(|| drop(arena)));
            assert_eq!(dropped.get(), 11);
        });
    }
}
