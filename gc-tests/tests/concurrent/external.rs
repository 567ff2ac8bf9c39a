//! Objects that own memory with pointers outside of the heap, in the middle of a cycle. No map tells
//! where those pointers are; the memory goes, grows and is shared out while the cycle lasts.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, Lock, Mode, RefLock, Rootable, Zeal};
use gc_tests::seed::Seed;

use crate::cargo::{Ballast, Cargo, Crate, OBJECTS, litter};
use crate::{begin, delay, in_cycle, in_each_way, run_out, steps};

type Table<'gc> = Gc<'gc, RefLock<Vec<Crate<'gc>>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    tables: Gc<'gc, [Lock<Table<'gc>>]>,
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

/// The content of tables is taken away at once, and divided among others, old and new.
#[test]
fn tables_are_taken_apart() {
    in_each_way(|way| {
        let tables = way.size(10, 40);
        let each = way.size(30, 200);
        let ballast = way.size(100, 1000);
        let seed = Seed::or(4);
        let mut random = seed.random();
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| Roots {
            tables: Gc::slice_from_iter(
                mc,
                (0..tables).map(|table| {
                    let ids = table * each..(table + 1) * each;
                    let table = ids.map(|id| Cargo::new(mc, id as u64)).collect();
                    Lock::new(Gc::new(mc, RefLock::new(table)))
                }),
            ),
            ballast: Ballast::new(mc, ballast),
        })
        .unwrap();
        for round in 0..way.size(12, 40) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for _ in 0..way.size(5, 20) {
                let [from, to, other] = [0; 3].map(|_| random.below(tables));
                let half = random.one_in(2);
                heap.mutate(|mc, roots| {
                    let table = |index: usize| roots.tables[index].get();
                    let mut taken = core::mem::take(&mut *table(from).borrow_mut(mc));
                    litter(mc, 2);
                    if half {
                        let rest = taken.split_off(taken.len() / 2);
                        // Into a new table, which replaces an old one.
                        let old = core::mem::take(&mut *table(other).borrow_mut(mc));
                        taken.extend(old);
                        let new = Gc::new(mc, RefLock::new(rest));
                        Gc::write(mc, roots.tables)[other].unlock().set(new);
                    }
                    table(to).borrow_mut(mc).extend(taken);
                });
                if random.one_in(3) {
                    heap.collect_debt();
                }
            }
            if round % 2 == 0 {
                run_out(&mut heap);
            } else {
                heap.finish_cycle();
                let expected = 1 + tables + ballast + OBJECTS * tables * each;
                assert_eq!(heap.metrics().total_gc_count(), expected);
            }
            heap.mutate(|mc, roots| {
                litter(mc, 50);
                let mut ids = Vec::new();
                for table in roots.tables.iter() {
                    ids.extend(table.get().borrow().iter().map(|cargo| cargo.id()));
                }
                ids.sort_unstable();
                assert!(ids.into_iter().eq(0..(tables * each) as u64));
            });
        }
    });
}

/// Collections of the standard library, whose nodes come and go.
#[test]
fn collections_of_all_sorts() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Sorts<'gc> {
        map: Gc<'gc, RefLock<HashMap<u64, Crate<'gc>>>>,
        tree: Gc<'gc, RefLock<BTreeMap<u64, Crate<'gc>>>>,
        queue: Gc<'gc, RefLock<VecDeque<Crate<'gc>>>>,
        boxed: Gc<'gc, RefLock<Option<Box<Crate<'gc>>>>>,
        ballast: Option<Gc<'gc, Ballast<'gc>>>,
    }
    in_each_way(|way| {
        let count = way.size(60, 500) as u64;
        let seed = Seed::or(5);
        let mut random = seed.random();
        let mut heap = Arena::<Rootable![Sorts<'_>]>::with_options(way.options(), |mc| Sorts {
            map: Gc::new(mc, RefLock::default()),
            tree: Gc::new(mc, RefLock::default()),
            queue: Gc::new(
                mc,
                RefLock::new((1..count).map(|id| Cargo::new(mc, id)).collect()),
            ),
            boxed: Gc::new(mc, RefLock::new(Some(Box::new(Cargo::new(mc, 0))))),
            ballast: Ballast::new(mc, way.size(100, 1000)),
        })
        .unwrap();
        for round in 0..way.size(12, 30) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for _ in 0..way.size(20, 300) {
                let id = random.number() % count;
                heap.mutate(|mc, sorts| {
                    let (mut map, mut tree) = (sorts.map.borrow_mut(mc), sorts.tree.borrow_mut(mc));
                    let mut queue = sorts.queue.borrow_mut(mc);
                    if let Some(cargo) = map.remove(&id) {
                        tree.insert(id, cargo);
                    } else if let Some(cargo) = tree.remove(&id) {
                        queue.push_front(cargo);
                    } else if let Some(cargo) = queue.pop_back() {
                        let boxed = sorts.boxed.borrow_mut(mc).replace(Box::new(cargo));
                        let cargo = *boxed.unwrap();
                        map.insert(cargo.id(), cargo);
                    }
                });
                if random.one_in(20) {
                    heap.collect_debt();
                }
            }
            if round % 2 == 0 {
                heap.finish_cycle();
            }
            heap.mutate(|mc, sorts| {
                litter(mc, 50);
                let (map, tree) = (sorts.map.borrow(), sorts.tree.borrow());
                let (queue, boxed) = (sorts.queue.borrow(), sorts.boxed.borrow());
                assert!(
                    map.iter()
                        .chain(&*tree)
                        .all(|(id, cargo)| cargo.id() == *id)
                );
                let boxed = boxed.as_deref();
                let all = map
                    .values()
                    .chain(tree.values())
                    .chain(&*queue)
                    .chain(boxed);
                let mut ids: Vec<u64> = all.map(|cargo| cargo.id()).collect();
                ids.sort_unstable();
                assert!(ids.into_iter().eq(0..count));
            });
        }
    });
}

/// A guard that is never given back does not hide the content from a cycle.
#[test]
fn a_leaked_guard() {
    in_each_way(|way| {
        for round in 0..way.size(6, 20) {
            let mut heap = Arena::<Rootable![Vec<Table<'_>>]>::with_options(way.options(), |mc| {
                let table = |id| Gc::new(mc, RefLock::new(vec![Cargo::new(mc, id)]));
                (0..200).map(table).collect()
            })
            .unwrap();
            begin(&mut heap);
            steps(&mut heap, delay(round));
            heap.mutate(|mc, tables| {
                for (id, table) in tables.iter().enumerate().step_by(3) {
                    let mut guard = table.borrow_mut(mc);
                    guard.push(Cargo::new(mc, 1000 + id as u64));
                    core::mem::forget(guard);
                }
                for table in tables.iter().skip(1).step_by(3) {
                    core::mem::forget(table.borrow());
                }
            });
            run_out(&mut heap);
            heap.mutate(|mc, _| litter(mc, 100));
            heap.finish_cycle();
            let expected = 200 + OBJECTS * (200 + 67);
            assert_eq!(heap.metrics().total_gc_count(), expected);
            heap.mutate(|mc, tables| {
                litter(mc, 100);
                for (id, table) in tables.iter().enumerate() {
                    if id % 3 != 0 {
                        assert_eq!(table.borrow()[0].id(), id as u64);
                    }
                }
            });
        }
    });
}

/// Where a cycle has steps, those objects are not all traced in one, however short their `trace`.
#[test]
fn tracing_is_divided_into_steps() {
    struct Counting<'gc> {
        traces: Rc<Cell<usize>>,
        cargo: Crate<'gc>,
    }
    // SAFETY: the one pointer is visited in place.
    unsafe impl<'gc> Collect<'gc> for Counting<'gc> {
        fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
            self.traces.set(self.traces.get() + 1);
            cc.trace(&self.cargo);
        }
    }
    const COUNT: usize = 20_000;
    in_each_way(|way| {
        if way.zeal != Zeal::NONE || way.mode == Mode::StopTheWorld {
            return;
        }
        let traces = Rc::new(Cell::new(0));
        let mut heap =
            Arena::<Rootable![Gc<'_, [Gc<'_, Counting<'_>>]>]>::with_options(way.options(), |mc| {
                let counting = |id| {
                    let traces = traces.clone();
                    let cargo = Cargo::new(mc, id as u64);
                    Gc::new(mc, Counting { traces, cargo })
                };
                Gc::slice_from_iter(mc, (0..COUNT).map(counting))
            })
            .unwrap();
        begin(&mut heap);
        // A heap that collects at once is done already.
        while in_cycle(&heap) {
            let before = traces.get();
            heap.collect_debt();
            let traced = traces.get() - before;
            assert!(traced < COUNT / 2, "{traced} objects in one step");
            std::thread::yield_now();
        }
        assert!(traces.get() >= COUNT);
        heap.mutate(|mc, root| {
            litter(mc, 100);
            assert!((0..).zip(root.iter()).all(|(id, gc)| gc.cargo.id() == id));
        });
    });
}
