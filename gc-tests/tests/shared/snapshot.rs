//! What was there when a cycle began survives it, wherever it is moved to; and what is new does.

use std::sync::mpsc::channel;

use gc_core::barrier::field;
use gc_core::shared::{Arena, AtomicGc, Mutex, RwLock};
use gc_core::{Collect, Gc, Rootable};

use crate::{LONG, Meddling, Way, arena, begin, in_each_way, in_time, is_marking, verify};

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Link<'gc> {
    Nil,
    Number(usize),
    To(Gc<'gc, u64>),
}

/// One pointer in each sort of cell.
#[derive(Collect)]
#[collect(no_drop)]
struct Cells<'gc> {
    atomic: AtomicGc<'gc, u64>,
    mutex: Mutex<Option<Gc<'gc, u64>>>,
    link: RwLock<Link<'gc>>,
    vector: Mutex<Vec<Gc<'gc, u64>>>,
    atomics: Vec<AtomicGc<'gc, u64>>,
}

impl<'gc> Cells<'gc> {
    fn empty() -> Cells<'gc> {
        Cells {
            atomic: AtomicGc::null(),
            mutex: Mutex::default(),
            link: RwLock::new(Link::Nil),
            vector: Mutex::default(),
            atomics: vec![AtomicGc::null(), AtomicGc::null()],
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Pair<'gc> {
    old: Gc<'gc, Cells<'gc>>,
    other: Gc<'gc, Cells<'gc>>,
}

/// Moves all pointers out of one object into another, new or old, at some moment of a cycle.
fn moved(way: Way, delay: usize, into_new: bool) {
    let heap: Arena<Rootable![AtomicGc<'_, Pair<'_>>]> = arena(way.options(), |mc| {
        let number = |value: u64| mc.allocate(value);
        let old = mc.allocate(Cells {
            atomic: AtomicGc::new(Some(number(1))),
            mutex: Mutex::new(Some(number(2))),
            link: RwLock::new(Link::To(number(3))),
            vector: Mutex::new(vec![number(4), number(5)]),
            atomics: vec![AtomicGc::new(Some(number(6))), AtomicGc::null()],
        });
        let other = mc.allocate(Cells::empty());
        AtomicGc::new(Some(mc.allocate(Pair { old, other })))
    });
    let here = heap.attach();
    begin(&here);
    for _ in 0..delay {
        here.collect_debt();
    }
    here.mutate(|mc, root| {
        let Pair { old, mut other } = *root.load().unwrap().as_ref();
        if into_new {
            other = mc.allocate(Cells::empty());
            root.store(mc, Some(mc.allocate(Pair { old, other })));
        }
        let (from, to) = (mc.write(old), mc.write(other));
        other.atomic.store(mc, old.atomic.swap(mc, None));
        let taken = field!(from, Cells, mutex).lock().take();
        *field!(to, Cells, mutex).lock() = taken;
        let link = core::mem::replace(&mut *field!(from, Cells, link).write(), Link::Number(16));
        *field!(to, Cells, link).write() = link;
        let vector = core::mem::take(&mut *field!(from, Cells, vector).lock());
        *field!(to, Cells, vector).lock() = vector;
        other.atomics[1].store(mc, old.atomics[0].swap(mc, None));
    });
    for _ in 0..delay {
        here.collect_debt();
    }
    // What was put off to the next cycle must be right, too.
    for _ in 0..2 {
        here.mutate(|mc, root| {
            let cells = root.load().unwrap().other;
            assert_eq!(cells.atomic.load().as_deref(), Some(&1));
            assert_eq!(
                field!(mc.write(cells), Cells, mutex).lock().as_deref(),
                Some(&2)
            );
            assert!(matches!(*cells.link.read(), Link::To(gc) if *gc == 3));
            let vector = field!(mc.write(cells), Cells, vector).lock();
            assert_eq!(vector.iter().map(|gc| **gc).collect::<Vec<_>>(), [4, 5]);
            assert_eq!(cells.atomics[1].load().as_deref(), Some(&6));
            let old = root.load().unwrap().old;
            assert!(matches!(*old.link.read(), Link::Number(16)));
            assert!(old.atomic.load().is_none() && old.atomics[0].load().is_none());
        });
        here.finish_cycle();
    }
    assert_eq!(heap.metrics().total_gc_count(), 9);
    verify(&here);
}

#[test]
fn pointers_that_are_moved_survive() {
    in_each_way(|way| {
        for delay in 0..way.size(6, 12) {
            moved(way, delay, false);
            moved(way, delay, true);
        }
    });
}

/// What is overwritten survives the cycle in progress at most.
#[test]
fn what_is_overwritten_is_freed_by_the_next_cycle() {
    in_each_way(|way| {
        let heap: Arena<Rootable![AtomicGc<'_, u64>]> =
            arena(way.options(), |mc| AtomicGc::new(Some(mc.allocate(1))));
        let here = heap.attach();
        begin(&here);
        let marking = is_marking(&here);
        here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate(2))));
        if marking {
            here.collect_debt();
        }
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 1);
        here.mutate(|_, cell| assert_eq!(cell.load().as_deref(), Some(&2)));
    });
}

/// A safepoint that asks an object for its pointers holds no lock meanwhile: another thread's barrier does not wait for
/// the `trace`, unless it is about to write to the same object.
#[test]
fn barriers_do_not_wait_for_a_trace() {
    type Heap = Arena<
        Rootable![(
            Gc<'_, Meddling>,
            Gc<'_, Mutex<Vec<u64>>>,
            Gc<'_, Vec<Gc<'_, u64>>>
        )],
    >;
    in_each_way(|way| {
        in_time(move || {
            let ((ask, asked), (answer, answered)) = (channel(), channel());
            let heap: Heap = arena(way.options(), |mc| {
                (
                    mc.allocate(Meddling::idle()),
                    mc.allocate(Mutex::new(vec![1])),
                    mc.allocate(vec![mc.allocate(2)]),
                )
            });
            let here = heap.attach();
            begin(&here);
            if !is_marking(&here) {
                return;
            }
            std::thread::scope(|scope| {
                let other = &heap;
                scope.spawn(move || {
                    let here = other.attach();
                    asked.recv_timeout(LONG).unwrap();
                    here.mutate(|mc, (_, list, pointers)| {
                        list.lock(mc).push(2);
                        mc.write(*pointers);
                    });
                    answer.send(()).unwrap();
                });
                here.mutate(|_, (meddling, ..)| meddling.begin(ask, answered));
                while is_marking(&here) {
                    here.collect_debt();
                }
            });
            here.finish_cycle();
            verify(&here);
        });
    });
}
