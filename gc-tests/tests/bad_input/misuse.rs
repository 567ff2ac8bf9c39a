//! Uses that nobody had in mind, all of which are allowed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, LinkedList, VecDeque};
use std::iter::{self, repeat_n};
use std::rc::Rc;

use gc_core::arena::rootless_mutate;
use gc_core::barrier::Write;
use gc_core::{Arena, Collect, DynamicRoot, DynamicRootSet, Gc, Lock, Mutation, RefLock, Rootable};
use gc_tests::way::in_each_way;

use crate::{Counted, checked, panic_of};

type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;

#[test]
fn a_leaked_guard_frees_nothing() {
    type Labelled<'gc> = RefLock<(u8, Vec<Gc<'gc, u64>>)>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        numbers: Numbers<'gc>,
        one: Gc<'gc, RefLock<Option<Gc<'gc, u64>>>>,
        many: Gc<'gc, [Labelled<'gc>]>,
    }
    let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |mc| Roots {
        numbers: Gc::new(mc, RefLock::default()),
        one: Gc::new(mc, RefLock::new(None)),
        many: Gc::slice_from_iter(mc, (0..3).map(|i| RefLock::new((i, Vec::new())))),
    })
    .unwrap();
    arena.mutate(|mc, root| {
        let mut numbers = root.numbers.borrow_mut(mc);
        numbers.push(Gc::new(mc, 1));
        std::mem::forget(numbers);
        let mut one = root.one.borrow_mut(mc);
        *one = Some(Gc::new(mc, 2));
        std::mem::forget(one);
        let mut last = Gc::write(mc, root.many)[2].unlock().borrow_mut();
        last.1.push(Gc::new(mc, 3));
        std::mem::forget(last);
    });
    for _ in 0..2 {
        arena.finish_cycle();
        arena.verify().unwrap();
        assert_eq!(arena.metrics().total_gc_count(), 6);
    }
    arena.mutate(|_, root| {
        assert!(root.numbers.try_borrow().is_err());
        // SAFETY: the guards are gone, if not dropped, and nobody else borrows.
        unsafe {
            assert_eq!(**(&*root.numbers.as_ptr()).first().unwrap(), 1);
            assert_eq!(*(*root.one.as_ptr()).unwrap(), 2);
            assert_eq!(*(&*root.many[2].as_ptr()).1[0], 3);
        }
    });
}

/// Memory that several may share: nobody can use a guard of pointers, so what is in the lock is marked, as long as it is there.
#[test]
fn a_leaked_guard_in_shared_memory() {
    type Lock<'gc> = Rc<RefLock<Vec<Gc<'gc, u64>>>>;
    let mut arena =
        Arena::<Rootable![Lock<'_>]>::with_options(checked(), |_| Lock::default()).unwrap();
    arena.mutate_root(|mc, root| {
        let mut numbers = Write::from_mut(root).as_deref().unlock().borrow_mut();
        numbers.push(Gc::new(mc, 1));
        std::mem::forget(numbers);
    });
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 1);
    arena.mutate_root(|_, root| {
        let numbers = std::mem::take(Rc::get_mut(root).unwrap().get_mut());
        *root = Rc::new(RefLock::new(numbers));
    });
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| *root.borrow()[0]), 1);
    arena.mutate_root(|_, root| _ = std::mem::take(root));
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 0);
}

/// Leaked guards of locks in memory that the root or an object owns: nobody can use them, so what is in the locks is
/// marked.
#[test]
fn leaked_guards_in_owned_memory() {
    type Cell<'gc> = RefLock<Vec<Gc<'gc, u64>>>;
    #[derive(Default, Collect)]
    #[collect(no_drop)]
    struct Owners<'gc> {
        boxed: Box<Cell<'gc>>,
        #[allow(clippy::vec_box, reason = "memory that memory owns")]
        vector: Vec<Box<Cell<'gc>>>,
        deque: VecDeque<Cell<'gc>>,
        map: HashMap<u32, Cell<'gc>>,
        tree: BTreeMap<u32, Vec<Cell<'gc>>>,
        list: LinkedList<Cell<'gc>>,
        slice: Box<[Cell<'gc>]>,
    }
    impl<'gc> Owners<'gc> {
        /// With a guard of each of its locks leaked, in which there is a number.
        fn new(mc: &Mutation<'gc>) -> Owners<'gc> {
            let mut owners = Owners {
                boxed: Box::default(),
                vector: vec![Box::default(), Box::default()],
                deque: VecDeque::from_iter([Cell::default(), Cell::default()]),
                map: HashMap::from([(1, Cell::default())]),
                tree: BTreeMap::from([(1, vec![Cell::default()])]),
                list: LinkedList::from([Cell::default()]),
                slice: Box::new([Cell::default()]),
            };
            let cells = iter::once(&mut *owners.boxed)
                .chain(owners.vector.iter_mut().map(|cell| &mut **cell))
                .chain(&mut owners.deque)
                .chain(owners.map.values_mut())
                .chain(owners.tree.values_mut().flatten())
                .chain(&mut owners.list)
                .chain(&mut owners.slice);
            for cell in cells {
                let mut numbers = Write::from_mut(cell).unlock().borrow_mut();
                numbers.push(Gc::new(mc, 7));
                std::mem::forget(numbers);
            }
            owners
        }
    }
    const CELLS: usize = 9;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        own: Owners<'gc>,
        object: Gc<'gc, Owners<'gc>>,
    }
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| Root {
            own: Owners::new(mc),
            object: Gc::new(mc, Owners::new(mc)),
        })
        .unwrap();
        for round in 0..way.size(5, 50) {
            for _ in 0..20 {
                arena.mutate(|mc, root| {
                    _ = Gc::new(mc, [round; 500]);
                    Gc::write(mc, root.object);
                });
                arena.collect_debt();
            }
            if round % 4 == 0 {
                arena.finish_cycle();
                assert_eq!(arena.metrics().total_gc_count(), 1 + 2 * CELLS);
            }
        }
        assert!(arena.metrics().statistics().collections > 1);
        assert!(arena.mutate(|_, root| root.own.boxed.try_borrow().is_err()));
        arena.verify().unwrap();
    });
}

#[test]
fn a_handle_of_another_set_is_refused() {
    type Two<'gc> = [DynamicRootSet<'gc>; 2];
    let make = || {
        Arena::<Rootable![Two<'_>]>::with_options(checked(), |mc| {
            [DynamicRootSet::new(mc), DynamicRootSet::new(mc)]
        })
        .unwrap()
    };
    let (mut first, second) = (make(), make());
    let handle: DynamicRoot<Rootable![u64]> =
        first.mutate(|mc, sets| sets[0].stash(mc, Gc::new(mc, 5)));
    for (arena, set) in [(&first, 1), (&second, 0), (&second, 1)] {
        arena.mutate(|_, sets| {
            assert!(!sets[set].contains(&handle));
            let error = sets[set].try_fetch(&handle).unwrap_err().to_string();
            assert!(error.contains("another set"), "{error}");
            assert_eq!(panic_of(|| *sets[set].fetch(&handle)), error);
        });
    }
    first.finish_cycle();
    assert_eq!(first.mutate(|_, sets| *sets[0].fetch(&handle)), 5);

    // A handle outlives its set, and its arena.
    first.mutate_root(|mc, sets| sets[0] = DynamicRootSet::new(mc));
    first.finish_cycle();
    assert_eq!(first.metrics().total_gc_count(), 2);
    first.mutate(|_, sets| assert!(sets.iter().all(|set| set.try_fetch(&handle).is_err())));
    drop(first);
    drop(handle.clone());
    second.mutate(|_, sets| assert!(sets[0].try_fetch(&handle).is_err()));
}

#[test]
fn a_set_with_a_handle_of_its_own_inside_is_no_trouble() {
    type Handle = DynamicRoot<Rootable![Holder<'_>]>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Holder<'gc> {
        next: Lock<Option<Gc<'gc, Holder<'gc>>>>,
        #[collect(require_static)]
        handle: RefCell<Option<Handle>>,
    }
    let mut arena = Arena::<Rootable![Option<DynamicRootSet<'_>>]>::with_options(checked(), |mc| {
        let set = DynamicRootSet::new(mc);
        for _ in 0..10 {
            let (next, handle) = (Lock::new(None), RefCell::new(None));
            let holder = Gc::new(mc, Holder { next, handle });
            *holder.handle.borrow_mut() = Some(set.stash(mc, holder));
        }
        Some(set)
    })
    .unwrap();
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 11);
    // The holders keep themselves alive only as long as there is the set.
    arena.mutate_root(|_, root| *root = None);
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 0);
}

#[test]
fn arenas_nest() {
    let mut outer = Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |mc| {
        Gc::new(mc, RefLock::default())
    })
    .unwrap();
    outer.mutate(|mc, numbers| {
        let mut inner = Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |inner_mc| {
            numbers.borrow_mut(mc).push(Gc::new(mc, 1));
            Gc::new(inner_mc, RefLock::default())
        })
        .unwrap();
        for i in 0..1000 {
            inner.mutate(|inner_mc, inner_numbers| {
                inner_numbers
                    .borrow_mut(inner_mc)
                    .push(Gc::new(inner_mc, i));
                numbers.borrow_mut(mc).push(Gc::new(mc, i));
                // The same arena again.
                outer.mutate(|again, same| {
                    same.borrow_mut(again).push(Gc::new(again, i));
                });
            });
            if i % 100 == 0 {
                inner.finish_cycle();
            }
        }
        assert_eq!(inner.metrics().total_gc_count(), 1001);
        assert_eq!(rootless_mutate(|mc| *Gc::new(mc, 8)), 8);
        drop(inner);
        assert!(
            numbers
                .borrow()
                .iter()
                .skip(1)
                .zip((0..).map(|i| i / 2))
                .all(|(gc, i)| **gc == i)
        );
    });
    outer.finish_cycle();
    assert_eq!(outer.metrics().total_gc_count(), 2002);

    // A callback of one arena drops another that was there before.
    let drops = Rc::new(Cell::new(0));
    let mut other = Some(Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| {
        Gc::new(mc, Counted(drops.clone()))
    }));
    outer.mutate_root(|mc, numbers| {
        drop(other.take());
        *numbers = Gc::new(mc, RefLock::default());
    });
    assert_eq!(drops.get(), 1);
    outer.finish_cycle();
    assert_eq!(outer.metrics().total_gc_count(), 1);
}

#[test]
fn values_use_other_arenas_while_they_are_dropped() {
    type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;
    type Inner = Arena<Rootable![Numbers<'_>]>;
    #[derive(Collect)]
    #[collect(require_static)]
    struct Owner(Rc<Cell<usize>>, RefCell<Inner>);
    impl Drop for Owner {
        fn drop(&mut self) {
            let arena = self.1.get_mut();
            arena.mutate(|mc, numbers| {
                (0..100).for_each(|i| numbers.borrow_mut(mc).push(Gc::new(mc, i)));
            });
            arena.finish_cycle();
            self.0.set(self.0.get() + arena.metrics().total_gc_count());
            self.0
                .set(self.0.get() + rootless_mutate(|mc| Gc::slice_from_iter(mc, [1, 2]).len()));
        }
    }
    let count = Rc::new(Cell::new(0));
    let mut outer = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
    for _ in 0..2 {
        outer.mutate(|mc, _| {
            for _ in 0..10 {
                let inner = Arena::with_options(checked(), |mc| Gc::new(mc, RefLock::default()));
                Gc::new(mc, Owner(count.clone(), RefCell::new(inner.unwrap())));
            }
        });
        outer.finish_cycle();
        assert_eq!(count.take(), 10 * 103);
    }
    outer.mutate(|mc, _| {
        let inner = Arena::with_options(checked(), |mc| Gc::new(mc, RefLock::default()));
        Gc::new(mc, Owner(count.clone(), RefCell::new(inner.unwrap())));
    });
    drop(outer);
    assert_eq!(count.get(), 103);
}

#[test]
fn a_thousand_arenas_share_a_space() {
    type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;
    const ARENAS: u64 = 250;
    let together = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let together = &together;
            scope.spawn(move || {
                let mut arenas: Vec<_> = (0..ARENAS)
                    .map(|_| {
                        Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |mc| {
                            Gc::new(mc, RefLock::default())
                        })
                        .unwrap()
                    })
                    .collect();
                let number = |arena: usize, i: u64| (thread * ARENAS + arena as u64) << 32 | i;
                for round in 0..3_u64 {
                    together.wait();
                    for (index, arena) in arenas.iter_mut().enumerate() {
                        arena.mutate(|mc, numbers| {
                            for i in 0..20 {
                                let gc = Gc::new(mc, number(index, round * 20 + i));
                                numbers.borrow_mut(mc).push(gc);
                                Gc::slice_from_iter(mc, repeat_n(i, 100));
                            }
                            Gc::slice_from_iter(mc, repeat_n(7_u64, 5000));
                        });
                        if (index as u64 + round).is_multiple_of(2) {
                            arena.finish_cycle();
                        }
                    }
                }
                // Some end early, and others take their blocks.
                arenas.drain(..ARENAS as usize / 2);
                together.wait();
                for (index, arena) in arenas.iter_mut().enumerate() {
                    let index = index + ARENAS as usize / 2;
                    arena.finish_cycle();
                    arena.verify().unwrap();
                    assert_eq!(arena.metrics().total_gc_count(), 61);
                    arena.mutate(|_, numbers| {
                        let numbers = numbers.borrow();
                        assert!((0..).zip(&*numbers).all(|(i, gc)| **gc == number(index, i)));
                        let other = Gc::as_ptr(numbers[0]).addr();
                        assert_eq!(arena.allocation_of(other).unwrap().base, other);
                    });
                }
                // An address of another arena is none of this.
                let foreign = arenas[0].mutate(|_, numbers| Gc::as_ptr(*numbers).addr());
                assert!(
                    arenas[1..]
                        .iter()
                        .all(|arena| arena.allocation_of(foreign).is_none())
                );
            });
        }
    });
}

#[test]
fn metrics_outlive_their_arena() {
    let mut arena = Arena::<Rootable![Gc<'_, [u64]>]>::with_options(checked(), |mc| {
        Gc::slice_from_iter(mc, repeat_n(1, 100_000))
    })
    .unwrap();
    arena.finish_cycle();
    let metrics = arena.metrics().clone();
    assert_eq!(metrics.total_gc_count(), 1);
    drop(arena);
    assert_eq!(metrics.total_gc_count(), 0);
    let statistics = metrics.statistics();
    assert_eq!((statistics.heap_bytes, statistics.collections), (0, 1));
    assert!(statistics.peak_heap_bytes >= 800_000 && statistics.allocated_bytes >= 800_000);
    metrics.adjust_debt(10.0);
    metrics.set_pacing(gc_core::metrics::Pacing::STOP_THE_WORLD);
    assert!(format!("{metrics:?}").contains("total_gc_count"));
}

#[test]
fn pacing_without_sense_does_no_harm() {
    use gc_core::metrics::Pacing;
    let options = checked().floor(10_000);
    let mut arena =
        Arena::<Rootable![Gc<'_, u64>]>::with_options(options, |mc| Gc::new(mc, 1)).unwrap();
    for factor in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.0,
        f64::MAX,
    ] {
        let pacing = Pacing {
            sleep_factor: factor,
            min_sleep: 10_000,
            ..Pacing::DEFAULT
        };
        arena.metrics().set_pacing(pacing);
        for debt in [
            0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -1.0,
            f64::MAX,
            f64::MIN,
        ] {
            arena.metrics().adjust_debt(debt);
            arena.mutate(|mc, _| _ = Gc::slice_from_iter(mc, repeat_n(0_u64, 2000)));
            arena.collect_debt();
            arena.finish_cycle();
        }
    }
    arena.metrics().set_pacing(Pacing::DEFAULT);
    assert_eq!(arena.mutate(|_, root| **root), 1);
    assert_eq!(arena.metrics().total_gc_count(), 1);
}

/// Two of the ways in which a cast can be wrong are seen in debug builds.
#[test]
#[cfg(debug_assertions)]
fn casts_to_what_does_not_fit_are_refused() {
    rootless_mutate(|mc| {
        let byte = Gc::new(mc, 7_u8);
        // SAFETY: none; it panics before there is a pointer.
        let panic = panic_of(|| _ = unsafe { Gc::cast::<[u64; 8]>(byte) });
        assert!(panic.contains("64 bytes"));
        #[repr(align(256))]
        struct Aligned;
        let numbers = Gc::new(mc, [0_u64; 64]);
        let twin = Gc::new(mc, [0_u64; 2]);
        for numbers in [Gc::erase(numbers), Gc::erase(twin)] {
            if !Gc::as_ptr(numbers).addr().is_multiple_of(256) {
                // SAFETY: as above.
                let panic = panic_of(|| _ = unsafe { Gc::cast::<Aligned>(numbers) });
                assert!(panic.contains("aligned to 256"));
            }
        }
        // SAFETY: it was made as this.
        assert_eq!(*unsafe { Gc::cast::<u8>(Gc::erase(byte)) }, 7);
    });
}
