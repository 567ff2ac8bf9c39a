//! When collections begin by themselves, to the byte: where a collection is one step. What holds in all
//! modes is in [`crate::modes`].

use std::iter::repeat_n;

use gc_core::metrics::Pacing;
use gc_core::{Arena, Gc, HeapOptions, Mode, Mutation, Rootable, Zeal};

const MIB: usize = 1 << 20;
/// Bytes that are allocated at a time, header and all.
const STEP: usize = 1024;

type Numbers<'gc> = Vec<Gc<'gc, [u64]>>;
type Heap = Arena<Rootable![Numbers<'_>]>;

fn heap(options: HeapOptions) -> Heap {
    let options = options.zeal(Zeal::NONE).mode(Mode::StopTheWorld);
    Heap::with_options(options, |_| Vec::new()).unwrap()
}

fn collections(heap: &Heap) -> u64 {
    heap.metrics().statistics().collections
}

/// Allocates garbage until a collection begins, and returns how many bytes that took.
fn allocate_until_collected(heap: &mut Heap) -> usize {
    let before = collections(heap);
    let mut bytes = 0;
    while collections(heap) == before {
        heap.mutate(|mc, _| _ = Gc::slice_from_iter(mc, repeat_n(0_u64, STEP / 8)));
        bytes += STEP;
        heap.collect_debt();
        assert!(bytes < 1 << 30, "no collection begins");
    }
    assert_eq!(heap.metrics().allocation_debt(), 0.0);
    bytes
}

/// Keeps so many bytes alive.
fn keep(heap: &mut Heap, bytes: usize) {
    heap.mutate_root(|mc, root| root.push(Gc::slice_from_iter(mc, repeat_n(1_u64, bytes / 8))));
    heap.finish_cycle();
}

#[track_caller]
fn assert_about(found: usize, expected: usize) {
    assert!(
        found.abs_diff(expected) <= 64 << 10,
        "{found} bytes, not about {expected}"
    );
}

#[test]
fn not_before_the_floor() {
    for floor in [MIB / 4, MIB, 5 * MIB] {
        let mut heap = heap(HeapOptions::default().floor(floor).growth(100));
        for _ in 0..3 {
            assert_about(allocate_until_collected(&mut heap), floor);
        }
    }
}

#[test]
fn a_large_heap_by_growth() {
    let mut heap = heap(HeapOptions::default().floor(MIB).growth(10));
    keep(&mut heap, 300 * MIB);
    assert_about(allocate_until_collected(&mut heap), 30 * MIB);
    heap.metrics().set_pacing(Pacing {
        sleep_factor: 0.05,
        ..Pacing::DEFAULT
    });
    assert_about(allocate_until_collected(&mut heap), 15 * MIB);
    heap.metrics().set_pacing(Pacing {
        sleep_factor: 0.05,
        min_sleep: 40 * MIB,
        ..Pacing::DEFAULT
    });
    assert_about(allocate_until_collected(&mut heap), 40 * MIB);
}

#[test]
fn a_small_heap_by_the_geometric_mean_with_256_mib() {
    let mut heap = heap(HeapOptions::default().floor(0).growth(25));
    keep(&mut heap, MIB);
    assert_about(allocate_until_collected(&mut heap), 4 * MIB);
    keep(&mut heap, 3 * MIB);
    assert_about(allocate_until_collected(&mut heap), 8 * MIB);
}

#[test]
fn early_near_the_limit() {
    let mut heap = heap(HeapOptions::default().limit(8 * MIB));
    keep(&mut heap, 4 * MIB);
    for _ in 0..3 {
        assert_about(allocate_until_collected(&mut heap), 2 * MIB);
    }
    assert!(heap.metrics().statistics().peak_heap_bytes <= 8 * MIB);
}

#[test]
fn debt_by_hand() {
    let mut heap = heap(HeapOptions::default().floor(4 * MIB));
    assert_eq!(heap.metrics().allocation_debt(), 0.0);
    heap.metrics().adjust_debt((3 * MIB) as f64);
    assert_about(allocate_until_collected(&mut heap), MIB);
    // It is forgotten with the collection.
    assert_about(allocate_until_collected(&mut heap), 4 * MIB);
    heap.metrics().adjust_debt(-(MIB as f64));
    assert_about(allocate_until_collected(&mut heap), 5 * MIB);
    heap.metrics().adjust_debt((4 * MIB + 1) as f64);
    assert_eq!(heap.metrics().allocation_debt(), 1.0);
    let before = collections(&heap);
    heap.collect_debt();
    heap.collect_debt();
    heap.cycle_debt();
    assert_eq!(collections(&heap), before + 1);
    // Also from inside of `mutate`.
    heap.mutate(|mc, _| mc.metrics().adjust_debt((5 * MIB) as f64));
    heap.collect_debt();
    assert_eq!(collections(&heap), before + 2);
}

#[test]
fn debt_by_hand_where_nothing_was_allocated() {
    let mut heap = heap(HeapOptions::default());
    heap.metrics().adjust_debt(1e9);
    assert!(heap.metrics().allocation_debt() > 0.0);
    heap.collect_debt();
    assert_eq!(
        (collections(&heap), heap.metrics().allocation_debt()),
        (1, 0.0)
    );
}

#[test]
fn what_values_own_elsewhere_counts() {
    type Strings<'gc> = Vec<Gc<'gc, String>>;
    // A string with its descriptor, and what it owns.
    const OBJECT: usize = size_of::<String>() + size_of::<usize>() + 224;
    /// What is outside weighs four times as much, and 48 bytes are added for each.
    const WEIGHT: usize = 4 * (224 + 48);
    let string = || String::with_capacity(224);

    let options = HeapOptions::default().floor(4 * MIB).zeal(Zeal::NONE);
    let options = options.mode(Mode::StopTheWorld);
    let mut heap = Arena::<Rootable![Strings<'_>]>::with_options(options, |_| Vec::new()).unwrap();
    let mut allocate_until_collected = |kept: usize| {
        heap.mutate_root(|mc, strings| {
            // With the pointer in the root, which owns a vector of them.
            let count = kept / (OBJECT + size_of::<Gc<'_, String>>());
            *strings = (0..count).map(|_| Gc::new(mc, string())).collect();
        });
        heap.finish_cycle();
        let before = heap.metrics().statistics().collections;
        let mut bytes = 0;
        while heap.metrics().statistics().collections == before {
            heap.mutate(|mc, _| (0..32).for_each(|_| _ = Gc::new(mc, string())));
            bytes += 32 * OBJECT;
            heap.collect_debt();
        }
        bytes
    };
    // A quarter of the floor.
    assert_about(allocate_until_collected(0), MIB * OBJECT / WEIGHT);
    // Survivors do, too: 16 MiB of them weigh 70, which is more than the root of 70 * 64.
    assert_about(
        allocate_until_collected(16 * MIB),
        70 * MIB * OBJECT / WEIGHT,
    );
}

#[test]
fn by_default_not_for_little_and_not_too_late() {
    let mut heap = heap(HeapOptions::default());
    assert_about(allocate_until_collected(&mut heap), 8 * MIB);
}

#[test]
fn zeal_collects_at_every_safepoint() {
    let zeal = Zeal {
        collect: true,
        ..Zeal::NONE
    };
    let options = HeapOptions::default().mode(Mode::StopTheWorld).zeal(zeal);
    let mut heap = Heap::with_options(options, |_| Vec::new()).unwrap();
    for expected in 1..5 {
        heap.collect_debt();
        assert_eq!(collections(&heap), expected);
    }
}

#[test]
fn the_figures_add_up() {
    let mut heap = heap(HeapOptions::default());
    keep(&mut heap, 3 * MIB);
    heap.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::slice_from_iter(mc, repeat_n(1_u64, 64))));
    heap.finish_cycle();
    let statistics = heap.metrics().statistics();
    assert_eq!(statistics.collections, 2);
    assert_eq!(statistics.live_bytes, 3 * MIB);
    assert_eq!(statistics.allocated_bytes, (3 * MIB + 1000 * 512) as u64);
    assert!(statistics.peak_heap_bytes >= 3 * MIB + 1000 * 512);
    assert!(
        statistics.heap_bytes >= 3 * MIB && statistics.heap_bytes <= statistics.peak_heap_bytes
    );
    assert!(statistics.longest_collection <= statistics.collection_time);
    assert!(statistics.mark_time + statistics.sweep_time <= statistics.collection_time);
}

/// A destructor gives something back, even if nobody tells what.
#[test]
fn values_with_destructors_are_collected_sooner_than_others() {
    struct Plain([usize; 3]);
    struct Handle([usize; 3]);
    impl Drop for Handle {
        fn drop(&mut self) {
            self.0[0] += 1;
        }
    }
    /// Collections while so much of the heap is allocated.
    fn collections_of(make: impl for<'gc> Fn(&Mutation<'gc>)) -> u64 {
        let options = HeapOptions::default().floor(4 * MIB).zeal(Zeal::NONE);
        let options = options.mode(Mode::StopTheWorld);
        let mut heap = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
        while heap.metrics().statistics().allocated_bytes < 64 * MIB as u64 {
            heap.mutate(|mc, _| (0..100).for_each(|_| make(mc)));
            heap.collect_debt();
        }
        heap.metrics().statistics().collections
    }
    let plain = collections_of(|mc| _ = Gc::new_static(mc, Plain([0; 3])));
    let handles = collections_of(|mc| _ = Gc::new_static(mc, Handle([0; 3])));
    assert_eq!(plain, 15);
    // 48 bytes for each of 32, of which each weighs as much as four, and a quarter of the floor.
    assert!((370..400).contains(&handles), "{handles}");
    assert_eq!(Plain([1; 3]).0, [1; 3]);
}
