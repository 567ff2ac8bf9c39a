//! Destructors that use what safe code lets them have: handles, pins, and the collector's own figures.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use gc_core::arena::{CollectionPhase, rootless_mutate};
use gc_core::metrics::{Metrics, Pacing};
use gc_core::{
    Arena, Collect, DynamicRoot, DynamicRootSet, Gc, GcWeak, Lock, Mode, Pinned, Rootable, Static,
    Zeal,
};
use gc_tests::list::{check, list, litter};
use gc_tests::way::{eager, in_each_way};

use crate::{begin, run_out};

/// Something that notes its drop.
#[derive(Collect)]
#[collect(require_static)]
struct Counted(u64, Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.set(self.1.get() + 1);
    }
}

type Handle = DynamicRoot<Rootable![Counted]>;
type Pin = Pinned<Rootable![Counted]>;

/// Hands on, when it dies, what it alone kept alive.
#[derive(Collect)]
#[collect(require_static)]
struct Phoenix {
    handle: Handle,
    pin: Pin,
    risen: Rc<RefCell<Vec<(Handle, Pin)>>>,
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        let both = (self.handle.clone(), self.pin.clone());
        self.risen.borrow_mut().push(both);
    }
}

const COUNT: u64 = 40;

#[test]
fn that_hand_on_what_they_kept_alive() {
    in_each_way(|way| {
        for delay in 0..way.size(8, 16) {
            let drops = Rc::new(Cell::new(0));
            let risen = Rc::new(RefCell::new(Vec::new()));
            let mut arena =
                Arena::<Rootable![DynamicRootSet<'_>]>::with_options(way.options(), |mc| {
                    DynamicRootSet::new(mc)
                })
                .unwrap();
            arena.mutate(|mc, set| {
                for number in 0..COUNT {
                    let handed = set.stash(mc, Gc::new(mc, Counted(number, drops.clone())));
                    let pinned = Gc::pin(mc, Gc::new(mc, Counted(number, drops.clone())));
                    let phoenix = Phoenix {
                        handle: handed,
                        pin: pinned,
                        risen: risen.clone(),
                    };
                    Gc::new(mc, phoenix);
                }
            });
            begin(&mut arena);
            for _ in 0..delay {
                arena.collect_debt();
                arena.mutate(|mc, _| (0..20).for_each(|_| _ = Gc::new(mc, [u64::MAX; 2])));
            }
            run_out(&mut arena);
            arena.finish_cycle();
            assert_eq!(risen.borrow().len() as u64, COUNT);
            arena.mutate(|mc, set| {
                for (handle, pin) in risen.borrow().iter() {
                    assert_eq!(set.fetch(handle).0, pin.get(mc).0);
                    assert!(Rc::ptr_eq(&set.fetch(handle).1, &drops));
                }
            });
            assert_eq!(drops.get(), 0);
            if delay % 2 == 0 {
                risen.take();
                arena.finish_cycle();
                assert_eq!(arena.metrics().total_gc_count(), 1);
            } else {
                // The handles outlive the arena, and lead nowhere.
                drop(arena);
                rootless_mutate(|mc| {
                    let set = DynamicRootSet::new(mc);
                    for (handle, pin) in risen.borrow().iter() {
                        assert!(set.try_fetch(handle).is_err() && pin.try_get(mc).is_err());
                    }
                });
            }
            assert_eq!(drops.get() as u64, 2 * COUNT);
        }
    });
}

/// Asks and sets all that there is when it dies.
#[derive(Collect)]
#[collect(require_static)]
struct Meddles {
    metrics: Metrics,
    number: usize,
    drops: Rc<Cell<usize>>,
}

impl Drop for Meddles {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
        let statistics = self.metrics.statistics();
        assert!(statistics.heap_bytes <= statistics.peak_heap_bytes);
        let _ = (
            self.metrics.total_gc_count(),
            self.metrics.allocation_debt(),
        );
        match self.number % 3 {
            0 => self.metrics.adjust_debt(1e15),
            1 => self.metrics.adjust_debt(-1e15),
            _ => self.metrics.set_pacing(Pacing::default()),
        }
        let (number, weak) = rootless_mutate(|mc| {
            let gc = Gc::new(mc, 5);
            (*gc, Gc::downgrade(gc).is_dropped())
        });
        assert!(number == 5 && !weak);
    }
}

#[test]
fn that_meddle_with_the_collector() {
    in_each_way(|way| {
        type Weak<'gc> = Vec<GcWeak<'gc, Meddles>>;
        let drops = Rc::new(Cell::new(0));
        let mut arena =
            Arena::<Rootable![Weak<'_>]>::with_options(way.options(), |_| Vec::new()).unwrap();
        let rounds = way.size(6, 12);
        for delay in 0..rounds {
            let metrics = arena.metrics().clone();
            arena.mutate_root(|mc, weak| {
                weak.clear();
                for number in 0..60 {
                    let (metrics, drops) = (metrics.clone(), drops.clone());
                    let gc = Gc::new(
                        mc,
                        Meddles {
                            metrics,
                            number,
                            drops,
                        },
                    );
                    // Some leave shells.
                    weak.extend((number % 2 == 0).then(|| Gc::downgrade(gc)));
                }
            });
            begin(&mut arena);
            (0..delay).for_each(|_| arena.collect_debt());
            run_out(&mut arena);
            arena.finish_cycle();
            assert_eq!(drops.get(), 60 * (delay + 1));
            arena.mutate(|mc, weak| {
                assert!(weak.iter().all(|weak| weak.is_dropped()));
                assert!(weak.iter().all(|weak| weak.upgrade(mc).is_none()));
            });
            arena.verify().unwrap();
        }
        let metrics = arena.metrics().clone();
        arena.mutate(|mc, _| {
            let (number, drops) = (0, drops.clone());
            Gc::new(
                mc,
                Meddles {
                    metrics,
                    number,
                    drops,
                },
            );
        });
        drop(arena);
        assert_eq!(drops.get(), 60 * rounds + 1);
    });
}

/// Takes a value out of a lock that is in no heap.
struct Taker;

impl Drop for Taker {
    fn drop(&mut self) {
        Lock::new(1_u32).take();
    }
}

/// The destructor runs at the safepoint at which marking ends.
fn take_where_marking_ends(mode: Mode) {
    const LENGTH: u64 = 100_000;
    let options = eager(mode).step(Duration::from_nanos(1)).zeal(Zeal::NONE);
    let mut list = list(options, LENGTH);
    list.mutate(|mc, _| _ = Gc::new(mc, Static(Taker)));
    begin(&mut list);
    assert_eq!(list.collection_phase(), CollectionPhase::Marking);
    let panic = catch_unwind(AssertUnwindSafe(|| list.finish_cycle()));
    litter(&list, 2 * LENGTH);
    check(&list, LENGTH);
    panic.unwrap();
    list.verify().unwrap();
    for _ in 0..3 {
        list.finish_cycle();
    }
    check(&list, LENGTH);
}

#[test]
fn that_take_from_a_lock_where_marking_ends_in_steps() {
    take_where_marking_ends(Mode::Incremental);
}

#[test]
fn that_take_from_a_lock_where_marking_ends_concurrently() {
    take_where_marking_ends(Mode::Concurrent);
}
