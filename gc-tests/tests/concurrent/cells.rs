//! Cells in which a word is now a pointer and now a number, and barriers that name no object, in the
//! middle of a cycle.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::barrier::Write;
use gc_core::collect::OwnedBytes;
use gc_core::lock::OnceLock;
use gc_core::{Arena, Collect, Gc, Lock, Rootable};
use gc_tests::seed::Seed;

use crate::cargo::{Ballast, Cargo, Crate, Moving, OBJECTS, litter};
use crate::{begin, delay, in_each_way, run_out, steps};

#[derive(Collect)]
#[collect(no_drop)]
struct Cells<'gc> {
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
    cells: Gc<'gc, [Gc<'gc, Lock<Moving<'gc>>>]>,
    more: Option<Gc<'gc, Ballast<'gc>>>,
}

/// Where a pointer was is a number that could be one, of an object that is gone or of a part of one.
#[test]
fn words_change_what_they_are() {
    in_each_way(|way| {
        let count = way.size(100, 1500);
        let ballast = way.size(100, 1000);
        let seed = Seed::or(7);
        let mut random = seed.random();
        let mut heap = Arena::<Rootable![Cells<'_>]>::with_options(way.options(), |mc| {
            let cell =
                |id: usize| Gc::new(mc, Lock::new(Moving::First(Cargo::new(mc, id as u64), id)));
            Cells {
                ballast: Ballast::new(mc, ballast),
                cells: Gc::slice_from_iter(mc, (0..count).map(cell)),
                more: Ballast::new(mc, ballast),
            }
        })
        .unwrap();
        let mut full = vec![true; count];
        for round in 0..way.size(12, 40) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for _ in 0..way.size(40, 800) {
                let (index, choice) = (random.below(count), random.below(6));
                let by = random.below(24);
                full[index] = choice != 0 && (full[index] || choice == 1);
                let is_full = full[index];
                heap.mutate(|mc, root| {
                    let cell = root.cells[index];
                    let (cargo, address) = match cell.get() {
                        Moving::First(cargo, _) | Moving::Second(_, cargo) => {
                            (Some(cargo), Gc::as_ptr(cargo).addr() + by)
                        }
                        Moving::Empty(address, _) => (None, address),
                        Moving::Weak(weak, _) => (None, weak.as_ptr().addr() + by),
                    };
                    let cargo = match choice {
                        // A new one takes its place.
                        1 => Some(Cargo::new(mc, index as u64)),
                        _ => cargo,
                    };
                    let value = match (is_full, cargo) {
                        (true, Some(cargo)) if choice % 2 == 0 => Moving::First(cargo, address),
                        (true, Some(cargo)) => Moving::Second(address, cargo),
                        (false, Some(cargo)) => Moving::Weak(Gc::downgrade(cargo), address),
                        (false, None) => Moving::Empty(address, address),
                        (true, None) => unreachable!("the cell is full"),
                    };
                    if by.is_multiple_of(8) {
                        mc.forward_barrier(None, Gc::erase(cell));
                        // SAFETY: the barrier was called for all objects.
                        unsafe { Write::assume(cell.as_ref()) }.unlock().set(value);
                    } else {
                        cell.set(mc, value);
                    }
                });
                if random.one_in(way.size(10, 100)) {
                    heap.collect_debt();
                }
            }
            match round % 2 {
                0 => run_out(&mut heap),
                _ => heap.finish_cycle(),
            }
            let shells = heap.mutate(|mc, root| {
                litter(mc, 100);
                let mut shells = 0;
                for (index, cell) in root.cells.iter().enumerate() {
                    match cell.get() {
                        Moving::First(cargo, _) | Moving::Second(_, cargo) => {
                            assert!(full[index]);
                            assert_eq!(cargo.id(), index as u64);
                        }
                        Moving::Weak(weak, _) => {
                            let upgraded = weak.upgrade(mc);
                            assert!(upgraded.is_none_or(|cargo| cargo.id() == index as u64));
                            assert!(!full[index]);
                            shells += 1;
                        }
                        Moving::Empty(..) => assert!(!full[index]),
                    }
                }
                shells
            });
            heap.finish_cycle();
            let full = full.iter().filter(|full| **full).count();
            let expected = 1 + count + 2 * ballast + OBJECTS * full + shells;
            assert_eq!(heap.metrics().total_gc_count(), expected);
            heap.verify().unwrap();
        }
    });
}

/// A cell that is written once, at any point of a cycle, to an object that only it knows then.
#[test]
fn once() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Onces<'gc> {
        cells: Gc<'gc, [Gc<'gc, OnceLock<Crate<'gc>>>]>,
        from: Gc<'gc, [Lock<Option<Crate<'gc>>>]>,
    }
    in_each_way(|way| {
        let count = way.size(60, 1000);
        for round in 0..way.size(6, 15) {
            let mut heap = Arena::<Rootable![Onces<'_>]>::with_options(way.options(), |mc| {
                let ids = 0..count;
                let from = ids
                    .clone()
                    .map(|id| Lock::new(Some(Cargo::new(mc, id as u64))));
                Onces {
                    cells: Gc::slice_from_iter(mc, ids.map(|_| Gc::new(mc, OnceLock::new()))),
                    from: Gc::slice_from_iter(mc, from),
                }
            })
            .unwrap();
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for index in 0..count {
                heap.mutate(|mc, root| {
                    let cargo = root.from[index].get().unwrap();
                    assert!(root.cells[count - 1 - index].set(mc, cargo).is_ok());
                    Gc::write(mc, root.from)[index].unlock().set(None);
                });
                if index % (count / 5) == 0 {
                    heap.collect_debt();
                }
            }
            run_out(&mut heap);
            heap.mutate(|mc, _| litter(mc, 100));
            heap.finish_cycle();
            let expected = 2 + count + OBJECTS * count;
            assert_eq!(heap.metrics().total_gc_count(), expected);
            heap.mutate(|mc, root| {
                litter(mc, 100);
                for (id, cell) in root.cells.iter().rev().enumerate() {
                    assert_eq!(cell.get().unwrap().id(), id as u64);
                }
            });
        }
    });
}

/// Counts how often it is measured: at the next safepoint after a barrier, among others.
struct Measured(Rc<Cell<usize>>);

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Measured {
    const NEEDS_TRACE: bool = false;

    fn owned_bytes(&self, _: &mut OwnedBytes) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_value_that_is_refused_costs_no_barrier() {
    in_each_way(|way| {
        let measured = Rc::new(Cell::new(0));
        let value = || Measured(Rc::clone(&measured));
        let mut heap =
            Arena::<Rootable![Gc<'_, OnceLock<Measured>>]>::with_options(way.options(), |mc| {
                Gc::new(mc, OnceLock::from(value()))
            })
            .unwrap();
        let measures = |heap: &mut Arena<_>| {
            let before = measured.get();
            heap.finish_marking();
            measured.get() - before
        };
        measures(&mut heap);
        heap.mutate(|mc, lock| {
            assert!(lock.set(mc, value()).is_err());
            lock.get_or_init(mc, || panic!("it is set"));
        });
        assert_eq!(measures(&mut heap), 0);
        // Whoever says that he writes has to pay.
        heap.mutate(|mc, lock| _ = lock.unlock(mc));
        assert!(measures(&mut heap) > 0);
    });
}
