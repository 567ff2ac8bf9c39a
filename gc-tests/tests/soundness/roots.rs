//! Roots that panic when they are traced, arenas that change places, and values that do.

use std::cell::Cell;
use std::mem::swap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gc_core::collect::Trace;
use gc_core::{Arena, Collect, DynamicRootSet, Gc, Lock, RefLock, Rootable};
use gc_tests::way::{Way, in_each_way};

use crate::{begin, run_out};

/// A root whose `trace` panics between its pointers, after it was called as often as the fuse says.
struct Explosive<'gc> {
    fuse: Rc<Cell<u32>>,
    first: Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>,
    second: Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>,
}

// SAFETY: both pointers are visited in place, unless `trace` does not return.
#[allow(unsafe_code, reason = "no derived `trace` panics")]
unsafe impl<'gc> Collect<'gc> for Explosive<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.first);
        let left = self.fuse.get();
        self.fuse.set(left.saturating_sub(1));
        assert_ne!(left, 1, "bang");
        cc.trace(&self.second);
    }
}

/// The first call of `trace` is that of the snapshot, with which a cycle begins; the others are of the end of
/// marking, of checks, or of the next cycle.
#[test]
fn that_panic_at_a_snapshot() {
    const NUMBERS: u64 = 20;
    in_each_way(|way| {
        for fuse in 1..5 {
            let lit = Rc::new(Cell::new(0));
            let mut arena = Arena::<Rootable![Explosive<'_>]>::with_options(way.options(), |mc| {
                let numbers = || (0..NUMBERS).map(|number| Gc::new(mc, number)).collect();
                Explosive {
                    fuse: lit.clone(),
                    first: Gc::new(mc, RefLock::new(numbers())),
                    second: Gc::new(mc, RefLock::new(numbers())),
                }
            })
            .unwrap();
            for round in 0..way.size(4, 10) {
                lit.set(fuse);
                arena.metrics().adjust_debt(1e15);
                for _ in 0..round {
                    // What one list has goes to the other, and part of it is replaced.
                    arena.mutate(|mc, root| {
                        let (mut first, mut second) =
                            (root.first.borrow_mut(mc), root.second.borrow_mut(mc));
                        swap(&mut *first, &mut *second);
                        first[round] = Gc::new(mc, round as u64);
                    });
                    let _ = catch_unwind(AssertUnwindSafe(|| arena.collect_debt()));
                }
                let _ = catch_unwind(AssertUnwindSafe(|| arena.finish_cycle()));
                lit.set(0);
                arena.verify().unwrap();
                arena.mutate(|mc, root| {
                    (0..100).for_each(|_| _ = Gc::new(mc, u64::MAX));
                    for list in [root.first, root.second] {
                        let list = list.borrow();
                        assert!(list.iter().map(|gc| **gc).eq(0..NUMBERS));
                    }
                });
                arena.finish_cycle();
                let expected = 2 + 2 * NUMBERS as usize;
                assert_eq!(arena.metrics().total_gc_count(), expected);
            }
        }
    });
}

type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;
type Pair<'gc> = (DynamicRootSet<'gc>, Numbers<'gc>, Numbers<'gc>);
type Pairs = Arena<Rootable![Pair<'_>]>;

fn pair(way: Way, from: u64) -> Pairs {
    Pairs::with_options(way.options(), |mc| {
        let numbers = |from: u64| (from..from + 100).map(|i| Gc::new(mc, i)).collect();
        (
            DynamicRootSet::new(mc),
            Gc::new(mc, RefLock::new(numbers(from))),
            Gc::new(mc, RefLock::new(numbers(from + 100))),
        )
    })
    .unwrap()
}

fn check(arena: &Pairs, from: u64, exchanged: bool) {
    arena.mutate(|mc, root| {
        (0..100).for_each(|_| _ = Gc::new(mc, u64::MAX));
        let (low, high) = if exchanged {
            (root.2, root.1)
        } else {
            (root.1, root.2)
        };
        let (low, high) = (low.borrow(), high.borrow());
        assert!(
            low.iter()
                .chain(high.iter())
                .map(|gc| **gc)
                .eq(from..from + 200)
        );
    });
}

/// Two arenas change places while both are in the middle of a cycle. Handles stay with what they were of.
#[test]
fn of_arenas_that_are_swapped() {
    in_each_way(|way| {
        for delay in 0..10 {
            let (mut one, mut other) = (pair(way, 0), pair(way, 1000));
            let handle = one.mutate(|mc, root| root.0.stash::<Rootable![u64]>(mc, Gc::new(mc, 7)));
            let metrics = one.metrics().clone();
            begin(&mut one);
            begin(&mut other);
            (0..delay).for_each(|_| one.collect_debt());
            swap(&mut one, &mut other);
            check(&one, 1000, false);
            check(&other, 0, false);
            one.mutate(|_, root| assert!(root.0.try_fetch(&handle).is_err()));
            other.mutate(|_, root| assert_eq!(*root.0.fetch(&handle), 7));
            run_out(&mut one);
            drop(one);
            run_out(&mut other);
            other.finish_cycle();
            assert_eq!(metrics.total_gc_count(), 1 + 2 + 200 + 1);
            check(&other, 0, false);
            other.mutate(|_, root| assert_eq!(*root.0.fetch(&handle), 7));
        }
    });
}

/// What two objects hold changes places, and what two words of the root hold, at each point of a cycle.
#[test]
fn whose_values_are_swapped() {
    in_each_way(|way| {
        let mut arena = pair(way, 0);
        let mut exchanged = false;
        for delay in 0..way.size(10, 20) {
            begin(&mut arena);
            (0..delay).for_each(|_| arena.collect_debt());
            arena.mutate(|mc, root| {
                swap(&mut *root.1.borrow_mut(mc), &mut *root.2.borrow_mut(mc));
            });
            arena.collect_debt();
            check(&arena, 0, !exchanged);
            arena.mutate_root(|_, root| swap(&mut root.1, &mut root.2));
            check(&arena, 0, exchanged);
            arena.mutate_root(|mc, root| {
                let lists = [root.1, root.2].map(|list| list.take());
                let [first, second] = lists.map(|list| Gc::new(mc, RefLock::new(list)));
                (root.1, root.2) = (second, first);
            });
            exchanged = !exchanged;
            run_out(&mut arena);
            check(&arena, 0, exchanged);
            arena.finish_cycle();
            assert_eq!(arena.metrics().total_gc_count(), 1 + 2 + 200);
        }
    });
}

/// What two cells hold changes places.
#[test]
fn whose_cells_are_swapped() {
    type Cells<'gc> = [Gc<'gc, Lock<Option<Gc<'gc, u64>>>>; 2];
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Cells<'_>]>::with_options(way.options(), |mc| {
            [1, 2].map(|number| Gc::new(mc, Lock::new(Some(Gc::new(mc, number)))))
        })
        .unwrap();
        for round in 0..20 {
            begin(&mut arena);
            (0..round).for_each(|_| arena.collect_debt());
            arena.mutate(|mc, [one, other]| one.unlock(mc).swap(other.unlock(mc)));
            run_out(&mut arena);
            arena.finish_cycle();
            arena.mutate(|mc, cells| {
                (0..100).for_each(|_| _ = Gc::new(mc, u64::MAX));
                let numbers = cells.map(|cell| *cell.get().unwrap());
                assert_eq!(numbers, if round % 2 == 0 { [2, 1] } else { [1, 2] });
            });
        }
    });
}
