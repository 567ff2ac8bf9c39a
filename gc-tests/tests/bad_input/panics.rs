//! Panics of the user's code, wherever the heap calls it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Mutation, RefLock, Rootable};

use gc_tests::drops::Fragile;

use crate::{Counted, checked, panic_of};

#[test]
fn a_panic_inside_mutate_leaves_the_arena_usable() {
    let mut arena =
        Arena::<Rootable![Gc<'_, RefLock<Vec<Gc<'_, u32>>>>]>::with_options(checked(), |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
    for round in 0..5 {
        let text = panic_of(|| {
            arena.mutate(|mc, root| {
                root.borrow_mut(mc).push(Gc::new(mc, round));
                let _garbage = Gc::new(mc, round);
                let _guard = root.borrow_mut(mc);
                panic!("round {round}");
            })
        });
        assert_eq!(text, format!("round {round}"));
        let text = panic_of(|| {
            arena.mutate_root(|mc, root| -> () {
                root.borrow_mut(mc).push(Gc::new(mc, round));
                panic!("round {round}");
            })
        });
        assert_eq!(text, format!("round {round}"));
        arena.finish_cycle();
        arena.mutate(|_, root| {
            assert_eq!(root.borrow().len(), 2 * round as usize + 2);
            assert!((0..).zip(&*root.borrow()).all(|(i, gc)| **gc == i / 2));
        });
        assert_eq!(arena.metrics().total_gc_count(), 2 * round as usize + 3);
    }
}

#[test]
fn a_panic_while_the_root_is_made_drops_what_was_made() {
    let drops = Rc::new(Cell::new(0));
    let text = panic_of(|| {
        Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| {
            Gc::new(mc, Counted(drops.clone()));
            panic!("no root")
        })
    });
    assert_eq!((text.as_str(), drops.get()), ("no root", 1));
    let failed = Arena::<Rootable![Gc<'_, Counted>]>::try_new(|mc| {
        Gc::new(mc, Counted(drops.clone()));
        Err("no root")
    });
    assert_eq!((failed.err(), drops.get()), (Some("no root"), 2));

    let arena = Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| Gc::new(mc, Counted(drops.clone())));
    panic_of(|| arena.map_root::<Rootable![()]>(|_, _| panic!("no other root")));
    assert_eq!(drops.get(), 3);
    let arena = Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| Gc::new(mc, Counted(drops.clone())));
    assert!(
        arena
            .try_map_root::<Rootable![()], _>(|_, _| Err(()))
            .is_err()
    );
    assert_eq!(drops.get(), 4);
}

/// A value whose `trace` panics on demand.
struct Bomb<'gc> {
    armed: Rc<Cell<bool>>,
    behind: Gc<'gc, u64>,
}

// SAFETY: the one pointer is visited in place, unless `trace` does not return.
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        assert!(!self.armed.get(), "bang");
        cc.trace(&self.behind);
    }
}

impl<'gc> Bomb<'gc> {
    fn new(mc: &Mutation<'gc>, armed: &Rc<Cell<bool>>) -> Gc<'gc, Bomb<'gc>> {
        Gc::new(
            mc,
            Bomb {
                armed: armed.clone(),
                behind: Gc::new(mc, 77),
            },
        )
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: u64,
    next: Option<Gc<'gc, Node<'gc>>>,
    bomb: Option<Gc<'gc, Bomb<'gc>>>,
}

/// Makes an array of nodes, each with one behind it and the last of some with a bomb, and
/// returns how many objects that are.
fn an_array_with_bombs(bombs: &[usize], bomb_first: bool) {
    const NODES: usize = 20_000;
    type Array<'gc> = Gc<'gc, [Gc<'gc, Node<'gc>>]>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        bomb: Option<Gc<'gc, Bomb<'gc>>>,
        array: Array<'gc>,
        late_bomb: Option<Gc<'gc, Bomb<'gc>>>,
        weak: GcWeak<'gc, u64>,
    }
    let armed = Rc::new(Cell::new(false));

    let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |mc| {
        let array = Gc::slice_from_iter(
            mc,
            (0..NODES).map(|i| {
                let bomb = bombs.contains(&i).then(|| Bomb::new(mc, &armed));
                let last = Gc::new(
                    mc,
                    Node {
                        id: i as u64,
                        next: None,
                        bomb,
                    },
                );
                let _garbage = Gc::new(mc, 8_u64);
                Gc::new(
                    mc,
                    Node {
                        id: i as u64,
                        next: Some(last),
                        bomb: None,
                    },
                )
            }),
        );
        let bomb = Some(Bomb::new(mc, &armed));
        let weak = Gc::downgrade(Gc::new(mc, 9));
        match bomb_first {
            true => Roots {
                bomb,
                array,
                late_bomb: None,
                weak,
            },
            false => Roots {
                bomb: None,
                array,
                late_bomb: bomb,
                weak,
            },
        }
    })
    .unwrap();
    let live = 1 + 2 * NODES + 2 * (bombs.len() + 1);
    let all = arena.allocations();
    assert_eq!(all.len(), live + NODES + 1);

    for _ in 0..3 {
        armed.set(true);
        assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
        armed.set(false);
        assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
        // Nothing was freed, not even garbage.
        assert_eq!(arena.allocations(), all);
        arena.verify().unwrap();
        arena.mutate(|mc, root| {
            assert!(root.weak.upgrade(mc).is_some());
            for (i, node) in (0..).zip(root.array.iter()) {
                assert_eq!((node.id, node.next.unwrap().id), (i, i));
            }
        });
    }
    assert_eq!(arena.metrics().statistics().collections, 0);
    arena.finish_cycle();
    // The live objects and a shell.
    assert_eq!(arena.metrics().total_gc_count(), live + 1);
    arena.mutate(|mc, root| {
        assert!(root.weak.upgrade(mc).is_none());
        for (i, node) in (0..).zip(root.array.iter()) {
            assert_eq!((node.id, node.next.unwrap().id), (i, i));
            assert!(
                node.next
                    .unwrap()
                    .bomb
                    .is_none_or(|bomb| *bomb.behind == 77)
            );
        }
    });
}

#[test]
fn after_a_panic_inside_trace_nothing_is_freed() {
    an_array_with_bombs(&[], true);
    an_array_with_bombs(&[], false);
    an_array_with_bombs(&[0], false);
    an_array_with_bombs(&[9_999, 10_001], true);
    an_array_with_bombs(&[19_999], false);
}

#[test]
fn a_panic_inside_the_trace_of_the_root_frees_nothing() {
    struct Root<'gc> {
        armed: Rc<Cell<bool>>,
        first: Gc<'gc, u64>,
        second: Gc<'gc, u64>,
    }
    // SAFETY: both pointers are visited in place, unless `trace` does not return.
    unsafe impl<'gc> Collect<'gc> for Root<'gc> {
        fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
            cc.trace(&self.first);
            assert!(!self.armed.get(), "bang");
            cc.trace(&self.second);
        }
    }
    let armed = Rc::new(Cell::new(true));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| Root {
        armed: armed.clone(),
        first: Gc::new(mc, 1),
        second: Gc::new(mc, 2),
    })
    .unwrap();
    assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
    assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
    armed.set(false);
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| (*root.first, *root.second)), (1, 2));
    assert_eq!(arena.metrics().total_gc_count(), 2);
}

#[test]
fn a_panic_inside_drop_does_not_keep_others_from_being_dropped() {
    type Roots<'gc> = Vec<(Gc<'gc, Fragile>, GcWeak<'gc, Fragile>)>;
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |_| Vec::new()).unwrap();
    arena.mutate_root(|mc, root| {
        for id in 0..5000 {
            let panics = id % 1000 == 500;
            let gc = Gc::new(mc, Fragile::new(id, panics, &dropped));
            if id % 5 == 1 {
                root.push((gc, Gc::downgrade(gc)));
            }
        }
    });
    let text = panic_of(|| arena.finish_cycle());
    assert!(text.contains("is fragile"), "{text}");
    let take = || {
        let mut ids = dropped.take();
        ids.sort_unstable();
        ids
    };
    assert!(take().into_iter().eq((0..5000).filter(|id| id % 5 != 1)));
    assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
    assert_eq!(arena.metrics().statistics().collections, 1);
    assert_eq!(arena.metrics().total_gc_count(), 1000);
    arena.verify().unwrap();
    arena.finish_cycle();
    assert!(dropped.borrow().is_empty());
    arena.mutate(|_, root| assert!(root.iter().all(|(gc, _)| gc.id % 5 == 1)));

    // Also where a weak pointer keeps a shell.
    arena.mutate_root(|mc, root| {
        for id in 5000..5003 {
            let gc = Gc::new(mc, Fragile::new(id, true, &dropped));
            root[id - 5000].1 = Gc::downgrade(gc);
        }
    });
    let text = panic_of(|| arena.finish_cycle());
    assert!(text.contains("is fragile"), "{text}");
    assert_eq!(take(), [5000, 5001, 5002]);
    assert_eq!(arena.metrics().total_gc_count(), 1003);
    arena.finish_cycle();
    arena.mutate(|mc, root| assert!(root[..3].iter().all(|(_, weak)| weak.upgrade(mc).is_none())));

    // And when the arena ends.
    arena.mutate_root(|mc, _| {
        for id in 6000..6010 {
            Gc::new(mc, Fragile::new(id, id == 6004, &dropped));
        }
    });
    assert_eq!(panic_of(|| drop(arena)), "value 6004 is fragile");
    let last = (0..5000).filter(|id| id % 5 == 1).chain(6000..6010);
    assert!(take().into_iter().eq(last));
}

#[test]
fn an_arena_that_ends_while_unwinding_drops_its_values() {
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let text = panic_of(|| {
        let arena = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
        arena.mutate(|mc, _| {
            for id in 0..3 {
                Gc::new(mc, Fragile::new(id, id == 1, &dropped));
            }
        });
        panic!("the first panic");
    });
    assert_eq!(text, "the first panic");
    assert_eq!(dropped.borrow().len(), 3);
}

/// An iterator that says one length and has another, or panics.
struct Items<F>(usize, usize, F);

impl<T, F: FnMut(usize) -> Option<T>> Iterator for Items<F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0 += 1;
        (self.2)(self.0 - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.1 - self.0, Some(self.1 - self.0))
    }
}

impl<T, F: FnMut(usize) -> Option<T>> ExactSizeIterator for Items<F> {}

#[test]
fn a_panic_while_a_slice_is_made_drops_the_items() {
    type Roots<'gc> = Vec<Gc<'gc, u64>>;
    let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |_| Vec::new()).unwrap();
    let drops = Rc::new(Cell::new(0));
    for (length, at) in [(10, 0), (10, 5), (3000, 2999), (100_000, 50_000)] {
        drops.set(0);
        let text = panic_of(|| {
            arena.mutate_root(|mc, root| {
                Gc::slice_from_iter(
                    mc,
                    Items(0, length, |i| {
                        root.push(Gc::new(mc, i as u64));
                        assert!(i < at, "no item {i}");
                        Some((Counted(drops.clone()), root[i]))
                    }),
                );
            })
        });
        assert_eq!((text, drops.get()), (format!("no item {at}"), at));
        // It ends early.
        let text = panic_of(|| {
            arena.mutate(|mc, _| {
                Gc::slice_from_iter(
                    mc,
                    Items(0, length, |i| (i < at).then(|| Counted(drops.clone()))),
                );
            })
        });
        assert!(
            text.contains(&length.to_string()) && text.contains(&at.to_string()),
            "{text}"
        );
        assert_eq!(drops.get(), 2 * at);
        arena.verify().unwrap();
        arena.finish_cycle();
        assert_eq!(drops.get(), 2 * at, "an item was dropped twice");
        arena.mutate_root(|_, root| {
            assert!((0..).zip(&*root).all(|(i, gc)| **gc == i));
            root.clear();
        });
        assert_eq!(arena.metrics().total_gc_count(), at + 1);
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 0);
    }
}

#[test]
fn an_iterator_that_goes_on_is_cut_off() {
    let drops = Rc::new(Cell::new(0));
    let mut arena = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
    arena.mutate(|mc, _| {
        let slice = Gc::slice_from_iter(mc, Items(0, 5, |_| Some(Counted(drops.clone()))));
        assert_eq!(slice.len(), 5);
    });
    arena.finish_cycle();
    assert_eq!(drops.get(), 5);
}
