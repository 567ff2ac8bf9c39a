//! Large arrays are scanned piece by piece. Pointers that go from a piece to another one, while some
//! pieces are scanned and others not, are not lost.

use std::time::Duration;

use gc_core::barrier::Write;
use gc_core::{Arena, Collect, Gc, Lock, Mode, Rootable};
use gc_tests::access::write_at;
use gc_tests::seed::Seed;
use gc_tests::way::eager;

use crate::cargo::{Ballast, Cargo, Crate, Moving, OBJECTS, litter};
use crate::{Way, begin, delay, in_each_way, run_out, steps};

type Slots<'gc> = Gc<'gc, [Lock<Option<Crate<'gc>>>]>;

#[derive(Collect)]
#[collect(no_drop)]
struct Arrays<'gc> {
    /// About 9 KiB, 33 KiB and 64 or 256 KiB.
    arrays: [Slots<'gc>; 3],
    /// Arrays whose pointers move, of the first two sizes.
    moving: [Gc<'gc, [Lock<Moving<'gc>>]>; 2],
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

fn lengths(way: Way) -> [usize; 3] {
    [9 << 7, 33 << 7, way.size(1 << 13, 1 << 15)]
}
const MOVING: [usize; 2] = [400, 1500];

/// One cargo in so many elements.
const EVERY: usize = 37;

fn swap<'gc>(mc: &gc_core::Mutation<'gc>, array: Slots<'gc>, at: [usize; 2], whole: bool) {
    let values = at.map(|index| array[index].get());
    let write = |index| -> &Write<Lock<Option<Crate<'gc>>>> {
        match whole {
            true => &Gc::write(mc, array)[index],
            false => write_at(mc, array, index),
        }
    };
    write(at[0]).unlock().set(values[1]);
    write(at[1]).unlock().set(values[0]);
}

#[test]
fn elements_change_places() {
    in_each_way(|way| {
        let seed = Seed::or(6);
        let mut random = seed.random();
        let ballast = way.size(100, 1000);
        let lengths = lengths(way);
        let mut heap = Arena::<Rootable![Arrays<'_>]>::with_options(way.options(), |mc| {
            let array = |length: usize| {
                let cargo = |id: usize| id.is_multiple_of(EVERY).then(|| Cargo::new(mc, id as u64));
                Gc::slice_from_iter(mc, (0..length).map(|id| Lock::new(cargo(id))))
            };
            let moving = |length: usize| {
                let cell = |id: usize| match id % 3 {
                    0 => Moving::First(Cargo::new(mc, id as u64), id),
                    1 => Moving::Second(id, Cargo::new(mc, id as u64)),
                    _ => Moving::Empty(id, id),
                };
                Gc::slice_from_iter(mc, (0..length).map(|id| Lock::new(cell(id))))
            };
            Arrays {
                arrays: lengths.map(array),
                moving: MOVING.map(moving),
                ballast: Ballast::new(mc, ballast),
            }
        })
        .unwrap();
        let cargo: usize = lengths.iter().map(|length| length.div_ceil(EVERY)).sum();
        let moving: usize = MOVING.iter().map(|length| (length * 2).div_ceil(3)).sum();
        let objects = 5 + ballast + OBJECTS * (cargo + moving);
        for round in 0..way.size(8, 40) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for _ in 0..way.size(30, 1000) {
                let whole = random.one_in(4);
                let which = random.below(3);
                let length = lengths[which];
                // What is exchanged with an element in the other half is most often nothing.
                let from = random.below(length / EVERY) * EVERY;
                let to = match random.below(3) {
                    0 => random.below(length / EVERY) * EVERY,
                    1 => (from + length / 2) % length,
                    _ => random.below(length),
                };
                let (table, one, other) = (random.below(2), random.below(400), random.below(400));
                heap.mutate(|mc, root| {
                    swap(mc, root.arrays[which], [from, to], whole);
                    let table = root.moving[table];
                    let cells = [table[one].get(), table[other].get()];
                    write_at(mc, table, one).unlock().set(cells[1]);
                    write_at(mc, table, other).unlock().set(cells[0]);
                });
                if random.one_in(way.size(10, 100)) {
                    heap.collect_debt();
                }
            }
            // From one end to the other, in one call.
            heap.mutate(|mc, root| {
                let array = root.arrays[round % 3];
                for index in 0..array.len() / 2 {
                    let ends = [index, array.len() - 1 - index];
                    if ends.iter().any(|end| array[*end].get().is_some()) {
                        swap(mc, array, ends, false);
                    }
                }
            });
            if round % 2 == 0 {
                run_out(&mut heap);
            } else {
                heap.finish_cycle();
                assert_eq!(heap.metrics().total_gc_count(), objects);
            }
            heap.mutate(|mc, root| {
                litter(mc, 100);
                for array in root.arrays {
                    let ids = array.iter().filter_map(Lock::get).map(|cargo| cargo.id());
                    let mut ids: Vec<u64> = ids.collect();
                    ids.sort_unstable();
                    let expected = (0..array.len() as u64).step_by(EVERY);
                    assert!(ids.into_iter().eq(expected));
                }
                for array in root.moving {
                    let cargo = |cell: &Lock<Moving<'_>>| match cell.get() {
                        Moving::First(cargo, id) | Moving::Second(id, cargo) => {
                            assert_eq!(cargo.id(), id as u64);
                            Some(cargo.id())
                        }
                        _ => None,
                    };
                    let mut ids: Vec<u64> = array.iter().filter_map(cargo).collect();
                    ids.sort_unstable();
                    let expected = (0..array.len() as u64).filter(|id| id % 3 != 2);
                    assert!(ids.into_iter().eq(expected));
                }
            });
        }
    });
}

/// An array that is made in the middle of a cycle, from what was in an old one.
#[test]
fn arrays_are_copied_and_cleared() {
    in_each_way(|way| {
        for length in lengths(way) {
            let mut heap = Arena::<Rootable![Slots<'_>]>::with_options(way.options(), |mc| {
                let cargo = |id: usize| id.is_multiple_of(EVERY).then(|| Cargo::new(mc, id as u64));
                Gc::slice_from_iter(mc, (0..length).map(|id| Lock::new(cargo(id))))
            })
            .unwrap();
            let objects = 1 + OBJECTS * length.div_ceil(EVERY);
            for round in 0..way.size(3, 10) {
                begin(&mut heap);
                steps(&mut heap, 2 * round);
                heap.mutate_root(|mc, root| {
                    let copy =
                        Gc::slice_from_iter(mc, root.iter().map(|slot| Lock::new(slot.get())));
                    let old = core::mem::replace(root, copy);
                    for index in (0..length).step_by(EVERY) {
                        write_at(mc, old, index).unlock().set(None);
                    }
                });
                run_out(&mut heap);
                heap.mutate(|mc, _| litter(mc, 100));
                heap.finish_cycle();
                assert_eq!(heap.metrics().total_gc_count(), objects);
                heap.mutate(|mc, root| {
                    litter(mc, 100);
                    for (id, slot) in root.iter().enumerate() {
                        let found = slot.get().map(|cargo| cargo.id());
                        assert_eq!(found, id.is_multiple_of(EVERY).then_some(id as u64));
                    }
                });
            }
        }
    });
}

/// An array of numbers, of which the first is replaced when a cycle has begun: the barrier claims the piece that the
/// element is in, and leaves the others to the markers.
fn the_first_element_is_replaced(mode: Mode) {
    type Numbers<'gc> = Gc<'gc, [Lock<Option<Gc<'gc, u64>>>]>;
    const LENGTH: usize = 16 << 10;
    let options = eager(mode).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Numbers<'_>]>::with_options(options, |mc| {
        let number = |number| Lock::new(Some(Gc::new(mc, number as u64)));
        Gc::slice_from_iter(mc, (0..LENGTH).map(number))
    })
    .unwrap();
    // In the concurrent mode the marker has to be late: it is tried often.
    for round in 0..if mode == Mode::Concurrent { 50 } else { 1 } {
        begin(&mut arena);
        arena.mutate(|mc, numbers| {
            let new = Gc::new(mc, 0);
            Gc::write_at(mc, *numbers, 0).unlock().set(Some(new));
        });
        run_out(&mut arena);
        arena.mutate(|_, numbers| {
            let is_lost = |at: &usize| *numbers[*at].get().unwrap() != *at as u64;
            let lost = (0..LENGTH).filter(is_lost).count();
            assert_eq!(
                lost, 0,
                "round {round}: objects that can be reached were freed"
            );
        });
    }
}

#[test]
fn a_write_to_one_piece_claims_no_other_in_steps() {
    the_first_element_is_replaced(Mode::Incremental);
}

#[test]
fn a_write_to_one_piece_claims_no_other_concurrently() {
    the_first_element_is_replaced(Mode::Concurrent);
}
