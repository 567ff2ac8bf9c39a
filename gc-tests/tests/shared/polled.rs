//! Weak pointers that several threads look at in each `mutate` call, while they store what they have found in atomic cells and
//! locks of what they have found, and in new objects. What only weak pointers lead to dies within three cycles.

use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::barrier::field;
use gc_core::shared::{Arena, AtomicGc, Attached, Mutation, Mutex, RwLock};
use gc_core::{Collect, Gc, GcWeak, Rootable};
use gc_tests::way::Way;

use crate::{arena, in_each_way, on_threads, verify};

/// What weak pointers lead to.
#[derive(Collect)]
#[collect(no_drop)]
struct Parent<'gc> {
    id: usize,
    /// Itself, or nothing.
    own: AtomicGc<'gc, Parent<'gc>>,
    /// One of the same sort.
    friend: AtomicGc<'gc, Parent<'gc>>,
    child: AtomicGc<'gc, Child<'gc>>,
    lock: RwLock<Option<Gc<'gc, Child<'gc>>>>,
    row: AtomicGc<'gc, Row<'gc>>,
    cells: Gc<'gc, [AtomicGc<'gc, Parent<'gc>>]>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Child<'gc> {
    parent: Gc<'gc, Parent<'gc>>,
    back: AtomicGc<'gc, Parent<'gc>>,
}

/// With pointers that only its `trace` knows.
#[derive(Collect)]
#[collect(no_drop)]
struct Row<'gc> {
    cell: AtomicGc<'gc, Parent<'gc>>,
    lock: RwLock<Vec<Gc<'gc, Parent<'gc>>>>,
    /// In memory outside of the heap.
    owned: Box<AtomicGc<'gc, Parent<'gc>>>,
}

impl<'gc> Parent<'gc> {
    fn new(mc: &Mutation<'gc>, id: usize, cells: usize) -> Gc<'gc, Parent<'gc>> {
        mc.allocate(Parent {
            id,
            own: AtomicGc::null(),
            friend: AtomicGc::null(),
            child: AtomicGc::null(),
            lock: RwLock::new(None),
            row: AtomicGc::null(),
            cells: mc.allocate_slice((0..cells).map(|_| AtomicGc::null())),
        })
    }

    fn check(&self) {
        let own = |other: Gc<'_, Parent<'_>>| assert_eq!(other.id, self.id);
        let child = |child: Gc<'_, Child<'_>>| {
            own(child.parent);
            child.back.load().into_iter().for_each(own);
        };
        self.own.load().into_iter().for_each(own);
        self.child.load().into_iter().for_each(child);
        self.lock.read().into_iter().for_each(child);
        if let Some(row) = self.row.load() {
            row.cell.load().into_iter().for_each(own);
            row.lock.read().iter().for_each(|parent| own(*parent));
            row.owned.load().into_iter().for_each(own);
        }
        self.cells.iter().filter_map(AtomicGc::load).for_each(own);
        assert!(
            self.friend
                .load()
                .is_none_or(|friend| friend.id ^ 1 == self.id)
        );
    }
}

/// Stores something in an object that was found.
type Give = for<'gc> fn(&Mutation<'gc>, Gc<'gc, Parent<'gc>>);

fn give_itself<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    to.own.store(mc, Some(to));
}

/// A pointer that was not read by a weak one, in cells of what was not either.
fn give_anew<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let Some(child) = to.child.load() else {
        return give_child(mc, to);
    };
    to.child.store(mc, Some(child));
    child.back.store(mc, Some(child.parent));
}

fn swap_and_exchange<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let old = to.own.swap(mc, Some(to));
    _ = to.own.compare_exchange(mc, Some(to), old);
    _ = to.own.compare_exchange(mc, None, Some(to));
}

fn new_child<'gc>(mc: &Mutation<'gc>, parent: Gc<'gc, Parent<'gc>>) -> Gc<'gc, Child<'gc>> {
    let back = AtomicGc::null();
    let child = mc.allocate(Child { parent, back });
    child.back.store(mc, Some(parent));
    child
}

fn give_child<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    to.child.store(mc, Some(new_child(mc, to)));
}

fn lock_child<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    *field!(mc.write(to), Parent, lock).write() = Some(new_child(mc, to));
}

fn give_row<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    if let Some(row) = to.row.load() {
        row.cell.store(mc, Some(to));
        let mut all = field!(mc.write(row), Row, lock).write();
        all.truncate(5);
        all.insert(0, to);
    } else {
        let (cell, lock) = (AtomicGc::null(), RwLock::new(vec![to]));
        let owned = Box::default();
        to.row
            .store(mc, Some(mc.allocate(Row { cell, lock, owned })));
    }
}

/// A cell in memory that an object owns: nobody can find the object by the cell.
fn give_to_owned_memory<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let Some(row) = to.row.load() else {
        return give_row(mc, to);
    };
    row.owned.store(mc, Some(to));
}

fn fill_cells<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let cells = to.cells;
    for cell in cells.iter().step_by(cells.len().div_ceil(7)) {
        cell.store(mc, Some(to));
    }
}

type Roots<'gc> = (
    Gc<'gc, Mutex<Vec<Gc<'gc, Parent<'gc>>>>>,
    Gc<'gc, Vec<GcWeak<'gc, Parent<'gc>>>>,
    // Holds one for a moment, and the last that lives for ever.
    [AtomicGc<'gc, Parent<'gc>>; 2],
    // The same in memory that an object owns.
    Gc<'gc, Vec<AtomicGc<'gc, Parent<'gc>>>>,
);
type Heap = Arena<Rootable![Roots<'_>]>;

/// Stores something in each that is found, and makes pairs: how many there are. If this is the only thread, nobody traces an object
/// while what is in its memory for a moment is there.
fn poll(here: &Attached<'_, Rootable![Roots<'_>]>, give: Give, alone: bool) -> usize {
    here.mutate(|mc, (_, weak, [current, kept], owned)| {
        let found: Vec<_> = weak.iter().filter_map(|weak| mc.upgrade(*weak)).collect();
        for &one in &found {
            one.check();
            give(mc, one);
            let friend = found.iter().find(|other| other.id ^ 1 == one.id);
            one.friend.store(mc, friend.copied());
            one.check();
            current.store(mc, Some(one));
            if alone {
                owned[0].store(mc, Some(one));
            }
            // The root and the object take turns in keeping it.
            if one.id == 1 {
                kept.store(mc, None);
                owned[1].store(mc, Some(one));
            }
            if one.id == 0 {
                kept.store(mc, owned[1].swap(mc, None));
            }
        }
        for current in [current, &owned[0]] {
            current.store(mc, None);
        }
        for kept in [kept, &owned[1]] {
            assert!(kept.load().is_none_or(|kept| kept.id == 1));
        }
        found.len()
    })
}

fn dies_in(way: Way, give: Give, threads: usize, cells: usize) {
    const COUNT: usize = 6;
    let heap: Heap = arena(way.options(), |mc| {
        let all: Vec<_> = (0..COUNT).map(|id| Parent::new(mc, id, cells)).collect();
        let weak = all.iter().map(|gc| Gc::downgrade(*gc)).collect();
        let cells = [None, all.get(1).copied()].map(AtomicGc::new);
        let owned = mc.allocate(vec![AtomicGc::null(), AtomicGc::null()]);
        (
            mc.allocate(Mutex::new(all)),
            mc.allocate(weak),
            cells,
            owned,
        )
    });
    let collections = || heap.metrics().statistics().collections;
    let done = AtomicUsize::new(0);
    on_threads(threads, |number| {
        let here = heap.attach();
        if number > 0 {
            while done.load(Ordering::Relaxed) == 0 {
                poll(&here, give, threads == 1);
                here.collect_debt();
                std::thread::yield_now();
            }
            return;
        }
        let run = |cycles| {
            let end = collections() + cycles;
            while collections() < end {
                crate::begin(&here);
                poll(&here, give, threads == 1);
                here.collect_debt();
                std::thread::yield_now();
            }
        };
        run(2);
        let kept = poll(&here, give, threads == 1);
        crate::begin(&here);
        // What is left is a pair, and half of one.
        here.mutate(|mc, (strong, ..)| {
            let mut strong = mc.write(*strong).lock();
            // The root has the other of the pair.
            strong.truncate(1);
        });
        run(3);
        let left = poll(&here, give, threads == 1);
        done.store(1, Ordering::Relaxed);
        assert_eq!((kept, left), (COUNT, 2), "{way:?}");
    });
    verify(&heap.attach());
}

fn dies(give: Give) {
    in_each_way(|way| {
        for threads in [1, 3] {
            dies_in(way, give, threads, 1);
        }
    });
}

#[test]
fn itself() {
    dies(give_itself);
}

#[test]
fn what_it_has_anew() {
    dies(give_anew);
}

#[test]
fn swapped_and_exchanged() {
    dies(swap_and_exchange);
}

#[test]
fn a_child() {
    dies(give_child);
}

#[test]
fn a_child_behind_a_lock() {
    dies(lock_child);
}

#[test]
fn what_only_trace_knows() {
    dies(give_row);
}

#[test]
fn cells_in_owned_memory() {
    dies(give_to_owned_memory);
}

#[test]
fn cells_of_every_size() {
    in_each_way(|way| {
        // Small, medium and large.
        for cells in [10, 1200, 4 * 4096] {
            dies_in(way, fill_cells, 2, cells);
        }
    });
}
