//! Views in cells, and cells behind views, that are written while collections go on.

use gc_core::barrier::{field, unlock};
use gc_core::slice::{Interior, OffsetSlice, Slice, interior};
use gc_core::{Arena, Collect, Gc, Lock, RefLock, Rootable};
use gc_tests::seed::Seed;
use gc_tests::way::in_each_way;

use crate::count;

/// Words that are a length, a base, derived, or numbers that look like pointers.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum View<'gc> {
    Nothing,
    Numbers(u64, usize, usize, usize),
    Part(Slice<'gc, u64>),
    Field(u64, Interior<'gc, u64>),
    Both(Interior<'gc, u64>, Option<Slice<'gc, u64>>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Cells<'gc> {
    lock: Lock<View<'gc>>,
    list: RefLock<View<'gc>>,
    plain: Lock<Option<Slice<'gc, u64>>>,
    number: u64,
}

fn view<'gc>(mc: &gc_core::Mutation<'gc>, random: u64) -> View<'gc> {
    let number = random / 8;
    let all = Slice::from(Gc::new(mc, [number, number, number + 1]));
    let address = Gc::as_ptr(all.base()).addr();
    match random % 8 {
        0 => View::Nothing,
        1 => View::Numbers(number, address, address + 8, address + 16),
        2 | 3 => View::Part(all.slice(1..)),
        4 | 5 => View::Field(number, Interior::of_element(all, 1)),
        6 => View::Both(Interior::of_element(all, 0), None),
        _ => View::Both(Interior::of_element(all, 1), Some(all.slice(..2))),
    }
}

/// Whether a view still shows what it was made to show.
fn check(view: View<'_>) {
    match view {
        View::Nothing => {}
        View::Numbers(_, base, next, last) => assert_eq!((next, last), (base + 8, base + 16)),
        View::Part(part) => assert_eq!(*part, [part[0], part[0] + 1]),
        View::Field(number, field) => assert_eq!(number, *field),
        View::Both(_, None) => {}
        View::Both(field, Some(part)) => assert_eq!(*part, [*field, *field]),
    }
}

#[test]
fn words_change_what_they_are() {
    in_each_way(|way| {
        type Root<'gc> = Slice<'gc, Cells<'gc>>;
        const CELLS: usize = 150;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let cells = |number| Cells {
                lock: Lock::new(View::Nothing),
                list: RefLock::new(View::Nothing),
                plain: Lock::new(None),
                number,
            };
            // A large object.
            Slice::from(Gc::slice_from_iter(
                mc,
                (0..CELLS as u32).map(|i| cells(u64::from(i))),
            ))
        })
        .unwrap();
        let seed = Seed::or(7);
        let mut random = seed.random();
        for _ in 0..way.size(60, 600) {
            arena.mutate(|mc, root| {
                for _ in 0..20 {
                    let index = random.below(CELLS);
                    let cells = Interior::of_element(*root, index);
                    assert_eq!(*interior!(cells, Cells, number), index as u64);
                    check(cells.lock.get());
                    check(*cells.list.borrow());
                    let new = view(mc, random.number() >> 8);
                    match random.below(4) {
                        0 => interior!(cells, Cells, lock).unlock(mc).set(new),
                        1 => {
                            let cells = Slice::write_at(mc, *root, index);
                            *unlock!(cells, Cells, list).borrow_mut() = new;
                        }
                        2 => {
                            let cells = &Slice::write(mc, root.slice(index..))[0];
                            field!(cells, Cells, lock).unlock().set(new);
                        }
                        _ => {
                            let part = match new {
                                View::Part(part) => Some(part),
                                _ => None,
                            };
                            if let Some(old) = cells.plain.get() {
                                check(View::Part(old));
                            }
                            interior!(cells, Cells, plain).unlock(mc).set(part);
                        }
                    }
                }
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        arena.verify().unwrap();
        arena.mutate(|_, root| {
            for cells in root.iter() {
                check(cells.lock.get());
                check(*cells.list.borrow());
            }
        });
    });
}

type Slot<'gc> = Lock<Option<Gc<'gc, u64>>>;

/// Shards of a slice, an array in a struct, and an offset slice, with pointers that wander between them.
#[derive(Collect)]
#[collect(no_drop)]
struct Shards<'gc> {
    shards: Vec<Slice<'gc, Slot<'gc>>>,
    tail: OffsetSlice<'gc, Slot<'gc>>,
    one: Interior<'gc, Slot<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Table<'gc> {
    size: u64,
    slots: [Slot<'gc>; 40],
    last: Slot<'gc>,
}

#[test]
fn no_pointer_is_lost_on_its_way() {
    const SLOTS: usize = 3000;
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Shards<'_>]>::with_options(way.often(), |mc| {
            let slot = |i: usize| Lock::new(Some(Gc::new(mc, i as u64)));
            let all = Slice::from(Gc::slice_from_iter(mc, (0..SLOTS).map(slot)));
            let table = Table {
                size: 41,
                slots: std::array::from_fn(|i| slot(SLOTS + i)),
                last: slot(SLOTS + 40),
            };
            let table = Interior::from(Gc::new(mc, table));
            let mut shards: Vec<_> = all
                .as_ref()
                .chunks(700)
                .flat_map(|shard| all.slice_ref(shard))
                .collect();
            shards.push(interior!(table, Table, slots).into());
            Shards {
                shards,
                tail: OffsetSlice::new(mc, (SLOTS + 41..SLOTS + 60).map(slot)).skip(9),
                one: interior!(table, Table, last),
            }
        })
        .unwrap();
        let seed = Seed::or(5);
        let mut random = seed.random();
        // The slots of an offset slice that were skipped are alive, too.
        let objects = SLOTS + 60 + 3;
        assert_eq!(count(&mut arena), objects);
        for _ in 0..way.size(40, 400) {
            arena.mutate(|mc, root| {
                for _ in 0..way.size(20, 100) {
                    let shard = root.shards[random.below(root.shards.len())];
                    let one = random.below(shard.len());
                    let other = match random.below(3) {
                        0 => Slice::write_at(mc, shard, random.below(shard.len())).unlock(),
                        1 => OffsetSlice::write_at(mc, root.tail, random.below(10)).unlock(),
                        _ => root.one.unlock(mc),
                    };
                    let one = Interior::of_element(shard, one).unlock(mc);
                    one.swap(other);
                }
            });
            if random.below(3) == 0 {
                // Garbage, so that it is worth while.
                arena.mutate(|mc, _| (0..200).for_each(|i| _ = Gc::new(mc, [i; 9])));
            }
            arena.collect_debt();
        }
        assert_eq!(count(&mut arena), objects);
        arena.mutate(|_, root| {
            let mut seen: Vec<u64> = root
                .shards
                .iter()
                .flat_map(|shard| shard.iter())
                .chain(root.tail)
                .chain([root.one.as_ref()])
                .map(|slot| *slot.get().unwrap())
                .collect();
            seen.sort_unstable();
            let all = (0..SLOTS + 41).chain(SLOTS + 50..SLOTS + 60);
            assert!(seen.into_iter().eq(all.map(|i| i as u64)));
        });
    });
}
