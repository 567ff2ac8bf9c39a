//! Finalizers and destructors where an arena ends: what runs and what is only dropped, and what they do to other arenas.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::finalizer::FinalizerReport;
use gc_core::{Arena, FinalizerMode, Gc, HeapOptions, Lock, Mode, RefLock, Rootable, Static};
use gc_tests::cycle::begin;
use gc_tests::drops::Counted;
use gc_tests::way::in_each_way;

use crate::nodes::{Log, forget, heap, register, sorted, strong};

#[test]
fn what_has_not_run_when_the_arena_is_dropped() {
    in_each_way(|way| {
        for run in [false, true] {
            let options = way.options().finalizers(FinalizerMode::Manual);
            let mut heap = heap(options.finalize_at_drop(run), 7);
            let (log, missed) = (Log::default(), Arc::new(AtomicUsize::new(0)));
            for id in 0..7 {
                _ = register(&heap, &log, id);
            }
            heap.mutate(|mc, roots| {
                let again = Rc::clone(&log);
                _ = mc.finalize_with(strong(roots, 6), move |node, token| {
                    _ = token.finalize_with(node, move |_, _| again.borrow_mut().push(100));
                    panic!("on purpose");
                });
                // One that never dies.
                let log = Rc::clone(&log);
                _ = mc.finalize_with(Gc::new(mc, ()), move |_, _| log.borrow_mut().push(200));
            });
            let count = Arc::clone(&missed);
            heap.set_finalizer_hook(move |report| {
                if let FinalizerReport::NotRun { count: missed } = report {
                    count.fetch_add(*missed, Ordering::Relaxed);
                }
            });
            (0..4).for_each(|id| forget(&heap, id));
            heap.finish_cycle();
            // In the middle of another cycle.
            heap.metrics().adjust_debt(1e15);
            heap.collect_debt();
            drop(heap);
            let missed = missed.load(Ordering::Relaxed);
            if run {
                assert_eq!((sorted(&log), missed), (vec![0, 1, 2, 3, 4, 5, 6, 200], 1));
            } else {
                assert_eq!((sorted(&log), missed), (vec![], 9));
            }
            // What closures owned is dropped.
            assert_eq!(Rc::strong_count(&log), 1);
        }
    });
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a bomb");
    }
}

/// A finalizer that never runs owns something that panics when it is dropped: all values are dropped even so.
#[test]
fn what_a_finalizer_owns_panics_and_all_values_are_dropped() {
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

type List = Arena<Rootable![RefLock<Vec<Gc<'_, u64>>>]>;

/// An arena in which a cycle that is made in many steps has begun.
fn in_steps() -> List {
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::from_nanos(1))
        .floor(1 << 30);
    let mut arena = List::with_options(options, |mc| {
        RefLock::new((0..100_000).map(|i| Gc::new(mc, i)).collect())
    })
    .unwrap();
    begin(&mut arena);
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena
}

/// A write that is told no arena finds the one that it is in, also in a finalizer that runs while that arena is
/// dropped: no marker of it reads what is written, and cycles of other arenas go on.
#[test]
fn barriers_find_an_arena_that_is_dropped() {
    let mut other = in_steps();
    let options = HeapOptions::default().finalize_at_drop(true);
    type Slot<'gc> = Gc<'gc, Lock<Option<Gc<'gc, u64>>>>;
    let arena = Arena::<Rootable![Slot<'_>]>::with_options(options, |mc| {
        let slot = Gc::new(mc, Lock::new(Some(Gc::new(mc, 7))));
        _ = mc.finalize_with(slot, |slot, _| assert_eq!(*slot.take().unwrap(), 7));
        slot
    })
    .unwrap();
    let before = other.metrics().statistics().collections;
    drop(arena);
    other.collect_debt();
    assert_eq!(other.collection_phase(), CollectionPhase::Marking);
    assert_eq!(other.metrics().statistics().collections, before);
}

type Numbers<'gc> = Vec<Gc<'gc, Lock<Option<Gc<'gc, u64>>>>>;
type Other = Arena<Rootable![Numbers<'_>]>;

fn numbers(options: HeapOptions) -> Other {
    Arena::with_options(options, |mc| {
        let make = |number| Gc::new(mc, Lock::new(Some(Gc::new(mc, number))));
        (0..100).map(make).collect()
    })
    .unwrap()
}

/// Takes numbers out of locks, of which nobody says in which arena they are.
fn take(arena: &Other) -> u64 {
    arena.mutate(|_, root| {
        root.iter()
            .filter_map(|lock| lock.take())
            .map(|number| *number)
            .sum()
    })
}

/// Works on other arenas when it is dropped.
struct Owner {
    options: HeapOptions,
    other: Option<Other>,
    sum: Rc<Cell<u64>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut made = numbers(self.options);
        begin(&mut made);
        let other = self.other.take().map_or(0, |other| take(&other));
        self.sum.set(self.sum.get() + other + take(&made));
    }
}

/// Arenas that are dropped, made and written to while another one is dropped, by its finalizers and destructors, each
/// in the middle of a cycle.
#[test]
fn arenas_within_the_end_of_another() {
    in_each_way(|way| {
        let options = || way.options().finalize_at_drop(true);
        let sum = Rc::new(Cell::new(0));
        let owner = || {
            let mut other = numbers(options());
            begin(&mut other);
            Owner {
                options: options(),
                other: Some(other),
                sum: sum.clone(),
            }
        };
        let mut before = numbers(options());
        let mut arena = Arena::<Rootable![(Gc<'_, Static<Owner>>, Numbers<'_>)]>::with_options(
            options(),
            |mc| {
                let make = |number| Gc::new(mc, Lock::new(Some(Gc::new(mc, number))));
                let numbers: Numbers<'_> = (0..100).map(make).collect();
                let run = owner();
                let gc = Gc::new(mc, Static(()));
                _ = mc.finalize_with(gc, move |_, _| drop(run));
                for lock in &numbers {
                    _ = mc.finalize_with(*lock, |lock, fc| {
                        // It may be a marker's turn to read it.
                        let number = lock.take().unwrap();
                        lock.set(fc, Some(Gc::new(fc, *number)));
                        _ = fc.finalize_with(lock, |_, _| ());
                    });
                }
                (Gc::new(mc, Static(owner())), numbers)
            },
        )
        .unwrap();
        let mut after = numbers(options());
        begin(&mut before);
        begin(&mut arena);
        begin(&mut after);
        drop(arena);
        // Each of the two owners had one of its own, and made one.
        assert_eq!(sum.get(), 4 * (99 * 100 / 2));
        assert_eq!((take(&before), take(&after)), (4950, 4950));
        before.finish_cycle();
        after.finish_cycle();
        assert_eq!(after.metrics().total_gc_count(), 100);
    });
}

/// The same at the end of a thread, from variables of it.
#[test]
fn arenas_of_variables_of_a_thread() {
    thread_local! {
        static FIRST: RefCell<Vec<Other>> = const { RefCell::new(Vec::new()) };
        static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
    }
    for owner_first in [true, false] {
        let thread = std::thread::spawn(move || {
            let options = HeapOptions::default;
            let mut first = numbers(options());
            begin(&mut first);
            let other = Some(numbers(options()));
            let owner = Owner {
                options: options(),
                other,
                sum: Rc::default(),
            };
            if owner_first {
                OWNER.set(Some(owner));
                FIRST.set(vec![first, numbers(options())]);
            } else {
                FIRST.set(vec![first, numbers(options())]);
                OWNER.set(Some(owner));
            }
        });
        thread.join().unwrap();
    }
}
