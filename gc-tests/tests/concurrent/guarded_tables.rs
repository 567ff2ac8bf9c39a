//! Tables that are written under a guard, of which the barrier learns nothing but what they said when the cycle began.

use gc_core::arena::MarkedArena;
use gc_core::barrier::Unlock;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Mutation, RefLock, Rootable};
use gc_tests::cycle::begin;
use gc_tests::seed::Seed;
use gc_tests::way::in_each_way;

#[derive(Clone, Copy)]
struct Entry<'gc> {
    number: u64,
    strong: Gc<'gc, u64>,
    weak: GcWeak<'gc, u64>,
}

impl<'gc> Entry<'gc> {
    fn new(mc: &Mutation<'gc>, number: u64) -> Entry<'gc> {
        let strong = Gc::new(mc, number);
        let weak = Gc::downgrade(strong);
        Entry {
            number,
            strong,
            weak,
        }
    }

    fn check(self, mc: &Mutation<'gc>) {
        assert_eq!(*self.strong, self.number);
        assert!(
            self.weak
                .upgrade(mc)
                .is_some_and(|same| Gc::ptr_eq(same, self.strong))
        );
    }
}

struct Table<'gc>(RefLock<Vec<Entry<'gc>>>);

// SAFETY: all pointers are visited.
unsafe impl<'gc> Collect<'gc> for Table<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: nothing is changed.
        for entry in &*unsafe { self.0.unlock_unchecked() }.borrow_mut() {
            cc.trace(&entry.strong);
            cc.trace(&entry.weak);
        }
    }
}

/// Tables, and those of which nothing but this knows, that may be found again.
#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    tables: Vec<Gc<'gc, Table<'gc>>>,
    lost: Vec<GcWeak<'gc, Table<'gc>>>,
}

impl<'gc> Root<'gc> {
    fn lose(&mut self, index: usize) {
        let table = self.tables.swap_remove(index);
        self.lost.push(Gc::downgrade(table));
        if self.lost.len() > 8 {
            self.lost.remove(0);
        }
    }
}

/// Exchanges an entry, with the guard before the barrier or after it.
fn exchange<'gc>(
    mc: &Mutation<'gc>,
    table: Gc<'gc, Table<'gc>>,
    at: usize,
    new: Entry<'gc>,
    guard_first: bool,
) -> Entry<'gc> {
    if !guard_first {
        mc.backward_barrier(Gc::erase(table), None);
    }
    // SAFETY: the barrier is called before anything is changed.
    let mut entries = unsafe { Gc::as_ref(table).0.unlock_unchecked() }.borrow_mut();
    if guard_first {
        mc.backward_barrier(Gc::erase(table), None);
    }
    let at = at % entries.len();
    core::mem::replace(&mut entries[at], new)
}

/// Whatever happens between the cycle that a table could not be asked in and those in which it was, and whatever is
/// where the table was, what was taken out of tables is alive.
#[test]
fn what_is_exchanged_under_a_guard_is_alive_and_nothing_else() {
    in_each_way(|way| {
        let seed = Seed::or(0);
        let mut random = seed.random();
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |_| Root {
            tables: Vec::new(),
            lost: Vec::new(),
        })
        .unwrap();
        for step in 0..way.size(1000, 6000) as u64 {
            let [what, one, other, at] =
                [100, 1 << 20, 1 << 20, 64].map(|below| random.below(below));
            match what {
                0..8 => arena.mutate_root(|mc, root| {
                    let entries = (0..8).map(|number| Entry::new(mc, number)).collect();
                    root.tables.push(Gc::new(mc, Table(RefLock::new(entries))));
                    if root.tables.len() > 80 {
                        root.lose(one % 80);
                    }
                }),
                8..12 => arena.mutate_root(|_, root| {
                    if !root.tables.is_empty() {
                        root.lose(one % root.tables.len());
                    }
                }),
                12..16 => arena.mutate_root(|mc, root| {
                    // Not all, and each is changed at once.
                    for _ in 0..1 + other % 2 {
                        let Some(lost) = root.lost.pop() else { return };
                        if let Some(table) = lost.upgrade(mc) {
                            exchange(mc, table, at, Entry::new(mc, step), true).check(mc);
                            root.tables.push(table);
                        }
                    }
                }),
                16..70 => arena.mutate(|mc, Root { tables, .. }| {
                    if tables.is_empty() {
                        return;
                    }
                    let (one, other) = (tables[one % tables.len()], tables[other % tables.len()]);
                    // From one to the other, and something new into the first.
                    let taken = exchange(mc, one, at, Entry::new(mc, step), what % 3 > 0);
                    taken.check(mc);
                    exchange(mc, other, at, taken, what % 2 > 0).check(mc);
                }),
                70..80 if !gc_tests::cycle::in_cycle(&arena) => begin(&mut arena),
                70..93 => arena.collect_debt(),
                93 => arena.finish_cycle(),
                94 | 95 => {
                    let marked = arena.finish_marking();
                    if what == 94 {
                        marked.into_iter().for_each(MarkedArena::start_sweeping);
                    }
                }
                96..98 => {
                    let Some(marked) = arena.finish_marking() else {
                        continue;
                    };
                    marked.finalize(|fc, Root { tables, lost }| {
                        let lost: Vec<_> =
                            lost.iter().filter_map(|lost| lost.upgrade(fc)).collect();
                        let tables = if what == 96 { tables } else { &lost };
                        if tables.is_empty() {
                            return;
                        }
                        let (one, other) =
                            (tables[one % tables.len()], tables[other % tables.len()]);
                        let taken = exchange(fc, one, at, Entry::new(fc, step), true);
                        exchange(fc, other, at, taken, true);
                    });
                }
                98 => arena.mutate(|mc, _| mc.forward_barrier(None, Gc::erase(Gc::new(mc, 1)))),
                _ => arena.mutate(|mc, Root { tables, .. }| {
                    for table in tables {
                        // SAFETY: nothing is changed.
                        let entries = unsafe { Gc::as_ref(*table).0.unlock_unchecked() }.borrow();
                        entries.iter().for_each(|entry| entry.check(mc));
                    }
                }),
            }
        }
        arena.finish_cycle();
        assert!(arena.verify().is_ok());
        arena.mutate_root(|_, root| root.lost.clear());
        arena.finish_cycle();
        arena.finish_cycle();
        let alive = arena.mutate(|mc, Root { tables, .. }| {
            let mut seen = std::collections::HashSet::new();
            for table in tables {
                // SAFETY: nothing is changed.
                for entry in &*unsafe { Gc::as_ref(*table).0.unlock_unchecked() }.borrow() {
                    entry.check(mc);
                    seen.insert(Gc::as_ptr(entry.strong));
                }
            }
            seen.len() + tables.len()
        });
        assert_eq!(arena.metrics().total_gc_count(), alive);
    });
}

/// What a finalization call puts into a table is not in its answer, though the table is found again, and written, in the
/// same cycle.
#[test]
fn what_a_finalization_call_stores_stays_alive() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let table = |number: u64| {
                let entries = (0..4).map(|more| Entry::new(mc, number + more)).collect();
                Gc::new(mc, Table(RefLock::new(entries)))
            };
            Root {
                tables: vec![table(10), table(20)],
                lost: Vec::new(),
            }
        })
        .unwrap();
        // Each gives a cycle up, and is remembered.
        for _ in 0..3 {
            begin(&mut arena);
            arena.mutate(|mc, root| {
                for (index, table) in root.tables.iter().enumerate() {
                    exchange(mc, *table, 3, Entry::new(mc, index as u64), true);
                }
            });
            arena.finish_cycle();
        }
        arena.mutate_root(|_, root| {
            root.lose(1);
            root.lose(0);
        });
        let Some(marked) = arena.finish_marking() else {
            return;
        };
        marked.finalize(|fc, root| {
            let lost = |index: usize| root.lost[index].upgrade(fc).unwrap();
            let moved = exchange(fc, lost(0), 0, Entry::new(fc, 1), true);
            exchange(fc, lost(1), 0, moved, true);
        });
        arena.mutate_root(|mc, root| {
            let found = root.lost[1].upgrade(mc).unwrap();
            exchange(mc, found, 1, Entry::new(mc, 2), true).check(mc);
            root.tables.push(found);
            root.lost.clear();
        });
        arena.finish_cycle();
        arena.finish_cycle();
        arena.mutate(|mc, root| {
            // SAFETY: nothing is changed.
            let entries = unsafe { Gc::as_ref(root.tables[0]).0.unlock_unchecked() }.borrow();
            assert_eq!(entries[0].number, 20);
            entries.iter().for_each(|entry| entry.check(mc));
        });
        assert_eq!(arena.metrics().total_gc_count(), 5);
    });
}
