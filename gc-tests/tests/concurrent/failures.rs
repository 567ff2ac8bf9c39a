//! Panics of the user's code in the middle of a cycle.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::unlock;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Rootable};
use gc_tests::drops::Fragile;

use crate::cargo::{Ballast, Cargo, Crate, OBJECTS, litter};
use crate::{begin, collections, delay, in_cycle, in_each_way, panic_of, run_out, steps};

/// A value whose `trace` panics on demand, after or before it has told its pointer.
struct Bomb<'gc> {
    armed: Rc<Cell<bool>>,
    early: bool,
    cargo: Lock<Option<Crate<'gc>>>,
}

// SAFETY: the one pointer is visited in place, unless `trace` does not return.
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        assert!(!(self.early && self.armed.get()), "bang");
        cc.trace(&self.cargo);
        assert!(!self.armed.get(), "bang");
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
    bombs: Gc<'gc, [Gc<'gc, Bomb<'gc>>]>,
    slots: Gc<'gc, [Lock<Option<Crate<'gc>>>]>,
    weak: GcWeak<'gc, Cargo<'gc>>,
}

const BOMBS: usize = 40;

fn bombs(way: crate::Way, armed: &Rc<Cell<bool>>) -> Arena<Rootable![Roots<'_>]> {
    Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
        let bomb = |id: usize| {
            let bomb = Bomb {
                armed: armed.clone(),
                early: id.is_multiple_of(2),
                cargo: Lock::new(Some(Cargo::new(mc, id as u64))),
            };
            Gc::new(mc, bomb)
        };
        Roots {
            ballast: Ballast::new(mc, way.size(100, 2000)),
            bombs: Gc::slice_from_iter(mc, (0..BOMBS).map(bomb)),
            slots: Gc::slice_from_iter(mc, (0..BOMBS).map(|_| Lock::new(None))),
            weak: Gc::downgrade(Cargo::new(mc, 1000)),
        }
    })
    .unwrap()
}

/// Moves what the bombs hold to the slots, or back.
fn exchange(heap: &Arena<Rootable![Roots<'_>]>, indices: impl Iterator<Item = usize>) {
    heap.mutate(|mc, root| {
        for index in indices {
            let (bomb, slot) = (root.bombs[index], root.slots[index].get());
            let cargo = bomb.cargo.get();
            unlock!(Gc::write(mc, bomb), Bomb, cargo).set(slot);
            Gc::write(mc, root.slots)[index].unlock().set(cargo);
        }
        litter(mc, 5);
    });
}

fn check(heap: &Arena<Rootable![Roots<'_>]>) {
    heap.mutate(|mc, root| {
        litter(mc, 50);
        for index in 0..BOMBS {
            let cargo = root.bombs[index].cargo.get();
            let cargo = cargo.or(root.slots[index].get());
            assert_eq!(cargo.unwrap().id(), index as u64);
        }
        let weak = root.weak.upgrade(mc);
        assert!(weak.is_none_or(|cargo| cargo.id() == 1000));
    });
}

/// Lets the cycle in progress end, and then collects everything: nothing is lost, and nothing else is left.
fn finish(way: crate::Way, heap: &mut Arena<Rootable![Roots<'_>]>) {
    run_out(heap);
    check(heap);
    heap.finish_cycle();
    check(heap);
    heap.finish_cycle();
    // The cargo, and a shell.
    let expected = way.size(100, 2000) + 2 + BOMBS + OBJECTS * BOMBS + 1;
    assert_eq!(heap.metrics().total_gc_count(), expected);
}

#[test]
fn a_trace_panics_at_a_safepoint() {
    in_each_way(|way| {
        let armed = Rc::new(Cell::new(false));
        for round in 0..way.size(8, 30) {
            let mut heap = bombs(way, &armed);
            begin(&mut heap);
            steps(&mut heap, delay(round) / 2);
            exchange(&heap, (0..BOMBS).filter(|index| index % 3 == round % 3));
            // It goes off at some step, or not in this cycle.
            armed.set(true);
            let mut panicked = false;
            for _ in 0..=delay(round) {
                let before = collections(&heap);
                if let Some(text) = panic_of(|| heap.collect_debt()) {
                    assert_eq!(text, "bang");
                    assert_eq!(heap.collection_phase(), CollectionPhase::Sleeping);
                    assert!(collections(&heap) <= before + 1);
                    panicked = true;
                    break;
                }
            }
            if !panicked {
                assert_eq!(panic_of(|| heap.finish_cycle()).as_deref(), Some("bang"));
            }
            assert!(!in_cycle(&heap));
            assert_eq!(panic_of(|| heap.finish_cycle()).as_deref(), Some("bang"));
            assert!(!in_cycle(&heap));
            armed.set(false);
            heap.verify().unwrap();
            check(&heap);
            exchange(&heap, (0..BOMBS).filter(|index| index % 2 == round % 2));
            // The next cycle is like any other.
            begin(&mut heap);
            exchange(&heap, 0..BOMBS);
            finish(way, &mut heap);
        }
    });
}

/// A barrier does not ask the object what it holds, so it does not matter whether that would panic.
#[test]
fn a_barrier_asks_nothing() {
    in_each_way(|way| {
        let armed = Rc::new(Cell::new(false));
        for round in 0..way.size(8, 30) {
            let mut heap = bombs(way, &armed);
            begin(&mut heap);
            steps(&mut heap, delay(round) / 2);
            armed.set(true);
            for index in 0..BOMBS {
                let panic = panic_of(|| exchange(&heap, [index].into_iter()));
                assert_eq!(panic, None);
            }
            armed.set(false);
            check(&heap);
            exchange(&heap, 0..BOMBS);
            finish(way, &mut heap);
        }
    });
}

#[test]
fn a_drop_panics_in_the_sweep() {
    in_each_way(|way| {
        type Roots<'gc> = Vec<Gc<'gc, Fragile>>;
        let count = way.size(300, 3000);
        for round in 0..way.size(4, 8) {
            let dropped = Rc::new(RefCell::new(Vec::new()));
            let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
                let fragile = |id| Fragile::new(id, id % 100 == 50 + round, &dropped);
                (0..count).map(|id| Gc::new(mc, fragile(id))).collect()
            })
            .unwrap();
            heap.mutate_root(|_, root| root.retain(|fragile| fragile.id % 10 == 9));
            // Each step may panic, and the last of them completes the cycle all the same.
            let mut panics = 0;
            let mut left = 100_000;
            begin_and(&mut heap, |heap| {
                let panic = panic_of(|| heap.collect_debt());
                if let Some(text) = panic {
                    assert!(text.contains("is fragile"), "{text}");
                    panics += 1;
                }
                std::thread::yield_now();
                left -= 1;
                left > 0
            });
            if let Some(text) = panic_of(|| heap.finish_cycle()) {
                assert!(text.contains("is fragile"), "{text}");
                panics += 1;
            }
            heap.finish_cycle();
            assert!(panics > 0 || round == 9);
            let mut ids = dropped.take();
            ids.sort_unstable();
            assert!(ids.into_iter().eq((0..count).filter(|id| id % 10 != 9)));
            assert_eq!(heap.metrics().total_gc_count(), count / 10);
            heap.verify().unwrap();
            heap.mutate_root(|_, root| {
                assert!(root.iter().all(|fragile| fragile.id % 10 == 9));
                root.retain(|fragile| !fragile.panics);
            });
        }
    });
}

/// Begins a cycle, and calls `step` until it is completed or `step` says that it is enough. Also the
/// safepoint at which it begins may complete it.
fn begin_and<R>(heap: &mut Arena<R>, mut step: impl FnMut(&mut Arena<R>) -> bool)
where
    R: for<'a> Rootable<'a>,
{
    let before = collections(heap);
    heap.metrics().adjust_debt(1e15);
    let mut more = step(heap);
    heap.metrics().adjust_debt(f64::NAN);
    while more && in_cycle(heap) && collections(heap) == before {
        more = step(heap);
    }
}

/// A panic of the program itself, in the middle of a cycle, between two writes.
#[test]
fn the_program_panics() {
    in_each_way(|way| {
        let armed = Rc::new(Cell::new(false));
        for round in 0..way.size(6, 20) {
            let mut heap = bombs(way, &armed);
            begin(&mut heap);
            steps(&mut heap, delay(round));
            let panic = panic_of(|| {
                heap.mutate(|mc, root| {
                    for index in 0..BOMBS {
                        let cargo = root.bombs[index].cargo.get();
                        Gc::write(mc, root.slots)[index].unlock().set(cargo);
                        assert!(index < BOMBS / 2, "enough");
                        unlock!(Gc::write(mc, root.bombs[index]), Bomb, cargo).set(None);
                    }
                });
            });
            assert_eq!(panic.as_deref(), Some("enough"));
            check(&heap);
            finish(way, &mut heap);
        }
    });
}
