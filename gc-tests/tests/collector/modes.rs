//! The pace in all modes: what a program that allocates can count on, whoever collects meanwhile. The
//! bounds are those of bytes, and hold on a slow machine as well: where another thread is late, the
//! program helps.

use std::cell::Cell;
use std::iter::repeat_n;
use std::rc::Rc;
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, HeapOptions, Mode, Rootable, Zeal};
use gc_tests::list::{check, list};
use gc_tests::way::eager;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

type Heap = Arena<Rootable![Vec<Gc<'_, [u64]>>]>;

const MODES: [Mode; 3] = [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent];

/// A heap with so many bytes that stay, in objects of 1 KiB: few, so that steps of a millisecond get
/// far with them on any machine.
fn heap(options: HeapOptions, live: usize) -> Heap {
    let options = options
        .zeal(Zeal::NONE)
        .concurrent_from(0)
        .step(Duration::from_millis(1));
    let mut heap = Heap::with_options(options, |mc| {
        let block = |_| Gc::slice_from_iter(mc, repeat_n(1_u64, KIB / 8));
        (0..live / KIB).map(block).collect()
    })
    .unwrap();
    heap.finish_cycle();
    heap
}

fn collections(heap: &Heap) -> u64 {
    heap.metrics().statistics().collections
}

/// What is allocated and forgotten.
#[derive(Clone, Copy, Debug)]
enum Garbage {
    Small,
    Large,
    Dropped,
}

/// A value that needs `Drop`.
#[derive(Collect)]
#[collect(require_static)]
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Allocates so many bytes of garbage, with a safepoint after each 16 KiB, or each object if that is
/// larger.
fn waste(heap: &mut Heap, garbage: Garbage, bytes: usize, alive: &Rc<Cell<usize>>) {
    let mut left = bytes;
    while left > 0 {
        let step = match garbage {
            Garbage::Large => 100 * KIB,
            _ => 16 * KIB,
        };
        heap.mutate(|mc, _| match garbage {
            Garbage::Small => (0..step / 32).for_each(|_| _ = Gc::new(mc, [0_u64; 4])),
            Garbage::Large => _ = Gc::slice_from_iter(mc, repeat_n(0_u64, step / 8)),
            Garbage::Dropped => (0..step / 32).for_each(|_| {
                alive.set(alive.get() + 1);
                Gc::new(mc, (Counted(alive.clone()), [0_u64; 2]));
            }),
        });
        heap.collect_debt();
        left = left.saturating_sub(step);
    }
}

/// What a heap may reach at most in which `live` bytes stay.
///
/// With 10 per cent of growth, and more for small heaps by the rule of the square root, the allowance between two cycles is less
/// than what stays or the floor. A cycle may overrun it because it takes its time. If the threads of a concurrent one get no
/// processor, safepoints complete it when the program has used its allowance twice; and what was allocated during the cycle
/// before floats until then.
fn most(mode: Mode, live: usize, floor: usize) -> usize {
    let times = if mode == Mode::Concurrent { 5 } else { 3 };
    times * (live + floor) + MIB
}

#[test]
fn garbage_does_not_pile_up() {
    const FLOOR: usize = MIB;
    for mode in MODES {
        for garbage in [Garbage::Small, Garbage::Large, Garbage::Dropped] {
            for live in [0, MIB, 8 * MIB] {
                let options = HeapOptions::default().mode(mode).growth(10).floor(FLOOR);
                let mut heap = heap(options, live);
                let alive = Rc::default();
                for _ in 0..4 {
                    waste(&mut heap, garbage, 12 * MIB, &alive);
                    let peak = heap.metrics().statistics().peak_heap_bytes;
                    assert!(
                        peak <= most(mode, live, FLOOR),
                        "{mode:?}, {garbage:?}: {} KiB with {} KiB live",
                        peak / KIB,
                        live / KIB
                    );
                }
                assert!(collections(&heap) > 1);
                heap.finish_cycle();
                assert_eq!(alive.get(), 0);
                assert_eq!(heap.metrics().total_gc_count(), live / KIB);
            }
        }
    }
}

/// The same where what stays is exchanged all the time.
#[test]
fn nor_does_what_is_replaced() {
    const FLOOR: usize = MIB;
    const LIVE: usize = 4 * MIB;
    for mode in MODES {
        let options = HeapOptions::default().mode(mode).growth(10).floor(FLOOR);
        let mut heap = heap(options, LIVE);
        for round in 0..40 * KIB {
            heap.mutate_root(|mc, root| {
                let index = round * 7919 % root.len();
                root[index] = Gc::slice_from_iter(mc, repeat_n(1_u64, KIB / 8));
            });
            if round % 16 == 0 {
                heap.collect_debt();
            }
        }
        let peak = heap.metrics().statistics().peak_heap_bytes;
        assert!(
            peak <= most(mode, LIVE, FLOOR),
            "{mode:?}: {} KiB",
            peak / KIB
        );
        assert!(collections(&heap) > 2);
    }
}

#[test]
fn no_cycle_before_the_floor() {
    for mode in MODES {
        let options = HeapOptions::default().mode(mode).floor(4 * MIB);
        let mut heap = heap(options, 0);
        let before = collections(&heap);
        for _ in 0..7 {
            waste(&mut heap, Garbage::Small, MIB / 4, &Rc::default());
            assert_eq!(collections(&heap), before);
        }
        // A cycle may begin before there is debt, but not this early.
        assert_eq!(heap.collection_phase(), CollectionPhase::Sleeping);
        assert_eq!(heap.metrics().allocation_debt(), 0.0);
    }
}

/// Cycles end without being told to, where the program goes on allocating.
#[test]
fn cycles_end() {
    for mode in MODES {
        let options = HeapOptions::default().mode(mode).floor(MIB / 4).growth(1);
        let mut heap = heap(options, 4 * MIB);
        for _ in 0..3 {
            let before = collections(&heap);
            let mut left = 200;
            while collections(&heap) < before + 2 {
                waste(&mut heap, Garbage::Small, MIB / 4, &Rc::default());
                left -= 1;
                assert!(left > 0, "{mode:?}: a cycle does not end");
            }
        }
    }
}

/// A limit holds in all modes, and a program with a safepoint for each 16 KiB does not run into it
/// while most of the heap is garbage.
#[test]
fn cycles_end_before_the_limit_is_reached() {
    for mode in MODES {
        for live in [0, 2 * MIB] {
            let options = HeapOptions::default().mode(mode).limit(8 * MIB);
            let mut heap = heap(options, live);
            // `Gc::new` panics if there is no memory.
            for garbage in [Garbage::Small, Garbage::Large, Garbage::Dropped] {
                waste(&mut heap, garbage, 32 * MIB, &Rc::new(Cell::new(0)));
            }
            assert!(heap.metrics().statistics().peak_heap_bytes <= 8 * MIB);
        }
    }
}

#[test]
fn a_soft_limit_makes_collections_more_frequent() {
    for mode in MODES {
        let run = |soft_limit: Option<usize>| {
            let mut options = HeapOptions::default().mode(mode).floor(MIB / 4);
            if let Some(bytes) = soft_limit {
                options = options.soft_limit(bytes);
            }
            let mut heap = heap(options, 4 * MIB);
            waste(&mut heap, Garbage::Small, 100 * MIB, &Rc::default());
            let statistics = heap.metrics().statistics();
            (statistics.collections, statistics.peak_heap_bytes)
        };
        let (without, peak_without) = run(None);
        let (with, peak_with) = run(Some(8 * MIB));
        assert!(
            with > 2 * without,
            "{mode:?}: {with} collections, not {without}"
        );
        assert!(peak_with < peak_without, "{mode:?}");
        assert!(peak_with <= 12 * MIB, "{mode:?}: {} KiB", peak_with / KIB);
        // Far away it changes nothing.
        if mode == Mode::StopTheWorld {
            assert_eq!(run(Some(1 << 40)).0, without);
        }
    }
}

/// It is no reason to refuse an allocation, or to do nothing but collect.
#[test]
fn a_soft_limit_can_be_exceeded() {
    for mode in MODES {
        let options = HeapOptions::default().mode(mode).soft_limit(MIB);
        let mut heap = heap(options, 4 * MIB);
        waste(&mut heap, Garbage::Small, 16 * MIB, &Rc::default());
        // At each safepoint at most 16 KiB were allocated; not each was worth a collection.
        assert!(collections(&heap) < 16 * MIB as u64 / (32 * KIB) as u64);
        assert_eq!(heap.mutate(|_, root| root.len()), 4 * KIB);
    }
}

/// How a program fares whose heap is nearly full of small objects, so that each collection takes
/// long and frees little: whether there is no memory even after a collection, and how many
/// collections it took to find out.
fn at_the_limit(mode: Mode, share: u32, most: u64) -> (bool, u64) {
    type Pairs<'gc> = Option<Gc<'gc, Pair<'gc>>>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Pair<'gc>(u64, Pairs<'gc>);
    const LIMIT: usize = 4 * MIB;
    let options = HeapOptions::default()
        .mode(mode)
        .zeal(Zeal::NONE)
        .concurrent_from(0)
        .limit(LIMIT)
        .minimum_share(share);
    let mut heap = Arena::<Rootable![Pairs<'_>]>::with_options(options, |mc| {
        // All but three blocks.
        (0..(LIMIT - 96 * KIB) / 16).fold(None, |next, id| Some(Gc::new(mc, Pair(id as u64, next))))
    })
    .unwrap();
    let collections = |heap: &Arena<Rootable![Pairs<'_>]>| heap.metrics().statistics().collections;
    let mut refused = false;
    while !refused && collections(&heap) < most {
        let full = heap.mutate(|mc, _| (0..500).any(|_| Gc::try_new(mc, [0_u64; 2]).is_err()));
        heap.collect_debt();
        if full {
            heap.finish_cycle();
            refused = heap.mutate(|mc, _| Gc::try_new(mc, [0_u64; 2]).is_err());
        }
    }
    let count = collections(&heap);
    // Whatever happened, the heap is as good as before when there is room again.
    heap.mutate_root(|_, root| *root = None);
    heap.finish_cycle();
    assert_eq!(heap.metrics().total_gc_count(), 0);
    heap.mutate(|mc, _| assert!(Gc::try_slice_from_iter(mc, repeat_n(0_u64, MIB / 8)).is_ok()));
    (refused, count)
}

#[test]
fn a_heap_that_only_collects_is_out_of_memory() {
    for mode in MODES {
        // A collection of a quarter of a million objects takes many times as long as allocating
        // the few thousand that fit in before the next.
        let (refused, collections) = at_the_limit(mode, 90, 1000);
        assert!(refused, "{mode:?}: {collections} collections, and no end");
    }
}

#[test]
fn without_a_minimum_share_it_goes_on() {
    for mode in MODES {
        let (refused, _) = at_the_limit(mode, 0, 20);
        assert!(!refused, "{mode:?}");
    }
}

/// A program that makes nothing but garbage beside a list is never out of memory, whether a limit bounds its heap or an
/// address space of its own.
#[test]
fn an_address_space_bounds_a_heap_as_a_limit_does() {
    const LENGTH: u64 = 150_000;
    for mode in MODES {
        let options = eager(mode).zeal(Zeal::NONE);
        for options in [options.limit(20 * MIB), options.reserve(20 * MIB)] {
            let mut list = list(options, LENGTH);
            for _ in 0..3000 {
                list.mutate(|mc, _| (0..200).for_each(|_| _ = Gc::new(mc, [1_u64; 40])));
                list.collect_debt();
            }
            check(&list, LENGTH);
        }
    }
}
