//! What is promised of a cycle as a whole: the order of its phases, what it may leave, and what a full
//! collection leaves.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, Mode, Rootable, Zeal};
use gc_tests::list::{check, list};
use gc_tests::way::eager;

use crate::cargo::{Ballast, Cargo, Counted, Crate, OBJECTS, litter};
use crate::{begin, collections, delay, in_cycle, in_each_way, run_out, steps};

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    cargo: Vec<Crate<'gc>>,
    counted: Vec<Gc<'gc, Counted>>,
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

/// A cycle may have to wait for threads that other tests keep busy, but not so long.
const LONG: Duration = Duration::from_secs(100);

type Heap = Arena<Rootable![Roots<'_>]>;

fn new_heap(way: crate::Way, count: usize, drops: &Rc<Cell<usize>>) -> Heap {
    Heap::with_options(way.options(), |mc| Roots {
        cargo: (0..count).map(|id| Cargo::new(mc, id as u64)).collect(),
        counted: (0..count)
            .map(|_| Gc::new(mc, Counted(drops.clone())))
            .collect(),
        ballast: Ballast::new(mc, way.size(200, 20_000)),
    })
    .unwrap()
}

fn place(phase: CollectionPhase) -> usize {
    match phase {
        CollectionPhase::Sleeping => 0,
        CollectionPhase::Marking => 1,
        CollectionPhase::Marked => 2,
        CollectionPhase::Sweeping => 3,
    }
}

#[test]
fn phases_follow_each_other() {
    in_each_way(|way| {
        let drops = Rc::default();
        let mut heap = new_heap(way, 100, &drops);
        assert_eq!(heap.collection_phase(), CollectionPhase::Sleeping);
        for _ in 0..way.size(3, 6) {
            begin(&mut heap);
            let (mut before, since) = (0, Instant::now());
            let completed = collections(&heap);
            while in_cycle(&heap) && collections(&heap) == completed {
                let now = place(heap.collection_phase());
                assert!(now >= before, "from phase {before} to phase {now}");
                before = now;
                // Whatever does not call a safepoint begins no phase.
                heap.mutate(|mc, _| litter(mc, 1));
                heap.collect_debt();
                std::thread::yield_now();
                assert!(since.elapsed() < LONG, "a cycle does not end");
            }
            assert!(way.mode != Mode::StopTheWorld || before == 0);
            if way.zeal == Zeal::NONE {
                assert!(!in_cycle(&heap));
            }
        }
        heap.finish_cycle();
        assert!(!in_cycle(&heap));
    });
}

/// What was garbage before a cycle began is gone when it ends, though the program went on.
#[test]
fn a_cycle_frees_what_was_garbage_before() {
    in_each_way(|way| {
        let count = way.size(60, 1000);
        for round in 0..way.size(4, 10) {
            let drops = Rc::new(Cell::new(0));
            let mut heap = new_heap(way, count, &drops);
            // What an earlier cycle left does not change this.
            run_out(&mut heap);
            heap.finish_cycle();
            let before = heap.metrics().total_gc_count();
            heap.mutate_root(|_, root| {
                root.cargo.truncate(count / 2);
                root.counted.truncate(count / 2);
            });
            begin(&mut heap);
            steps(&mut heap, delay(round));
            let kept = heap.mutate_root(|mc, root| {
                // These may stay for now.
                root.cargo.truncate(count / 4);
                root.counted.truncate(count / 4);
                litter(mc, 10);
                count / 4
            });
            run_out(&mut heap);
            let garbage = count / 2;
            assert!((garbage..=count - kept).contains(&drops.get()));
            let found = heap.metrics().total_gc_count();
            assert!(
                found <= before - (OBJECTS + 1) * garbage + 20,
                "{found} of {before}"
            );
            heap.finish_cycle();
            assert_eq!(drops.get(), count - kept);
            let expected = before - (OBJECTS + 1) * (count - kept);
            assert_eq!(heap.metrics().total_gc_count(), expected);
        }
    });
}

/// `finish_cycle` leaves what is reachable when it is called, wherever a cycle in progress is.
#[test]
fn a_full_collection_is_exact() {
    in_each_way(|way| {
        let count = way.size(60, 1000);
        let drops = Rc::new(Cell::new(0));
        let mut heap = new_heap(way, count, &drops);
        heap.finish_cycle();
        let base = heap.metrics().total_gc_count() - (OBJECTS + 1) * count;
        for round in 0..way.size(10, 40) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            drops.set(0);
            let kept = heap.mutate_root(|mc, root| {
                let kept = count - round % 10;
                root.cargo.truncate(kept);
                root.counted.truncate(kept);
                // New objects as well.
                for id in kept..count {
                    root.cargo.push(Cargo::new(mc, id as u64));
                    root.counted.push(Gc::new(mc, Counted(drops.clone())));
                    Gc::new(mc, Counted(drops.clone()));
                    Cargo::new(mc, 0);
                }
                kept
            });
            let before = collections(&heap);
            heap.finish_cycle();
            assert!((before + 1..=before + 2).contains(&collections(&heap)));
            assert!(!in_cycle(&heap));
            assert_eq!(drops.get(), 2 * (count - kept));
            assert_eq!(
                heap.metrics().total_gc_count(),
                base + (OBJECTS + 1) * count
            );
            assert_eq!(heap.allocations().len(), heap.metrics().total_gc_count());
            heap.verify().unwrap();
            heap.mutate(|_, root| {
                assert!((0..).zip(&root.cargo).all(|(id, cargo)| cargo.id() == id));
            });
        }
    });
}

/// The questions that can be asked of an arena have true answers in the middle of a cycle.
#[test]
fn questions_in_the_middle() {
    in_each_way(|way| {
        let count = way.size(60, 600);
        let drops = Rc::new(Cell::new(0));
        let mut heap = new_heap(way, count, &drops);
        heap.mutate_root(|_, root| root.counted.truncate(count / 2));
        for round in 0..way.size(6, 30) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            let addresses: Vec<usize> = heap.mutate(|mc, root| {
                litter(mc, 5);
                let cargo = root.cargo.iter().map(|gc| Gc::as_ptr(*gc).addr());
                let counted = root.counted.iter().map(|gc| Gc::as_ptr(*gc).addr());
                cargo.chain(counted).collect()
            });
            let all = heap.allocations();
            for address in addresses {
                for offset in [0, 1, 8, 15] {
                    let extent = heap.allocation_of(address + offset).unwrap();
                    assert_eq!((extent.base, extent.bytes), (address, 16));
                }
                assert!(all.iter().any(|extent| extent.base == address));
            }
            // Nothing that was asked changes what is found in the end.
            let statistics = heap.metrics().statistics();
            assert!(statistics.heap_bytes <= statistics.peak_heap_bytes);
            heap.verify().unwrap();
            run_out(&mut heap);
            heap.verify().unwrap();
            heap.mutate(|_, root| {
                assert!((0..).zip(&root.cargo).all(|(id, cargo)| cargo.id() == id));
                assert!(
                    root.counted
                        .iter()
                        .all(|counted| counted.0.get() <= count / 2)
                );
            });
        }
    });
}

#[test]
fn a_cycle_ends_whose_steps_may_last_for_ever() {
    for mode in [Mode::Incremental, Mode::Concurrent] {
        let mut list = list(eager(mode).step(Duration::MAX), 1000);
        begin(&mut list);
        let since = Instant::now();
        while in_cycle(&list) {
            list.collect_debt();
            assert!(since.elapsed() < LONG, "the cycle does not end");
        }
        check(&list, 1000);
    }
}
