//! What blocks and runs cost: heap bytes in use (blocks that the heap owns, without their metadata, which is a sixteenth
//! of what was touched) are at most 1.25 times what was asked for, rounded up to granules of 16 bytes.

use core::alloc::Layout;
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, HeapOptions, Mode, Rootable, Zeal};
use gc_tests::cycle::begin;
use gc_tests::random::Random;
use gc_tests::seed::Seed;
use gc_tests::way::eager;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const BLOCK: usize = 32 * KIB;

/// A number from `least` to `most`.
fn between(random: &mut Random, least: usize, most: usize) -> usize {
    least + random.below(most - least + 1)
}

fn quiet() -> HeapOptions {
    HeapOptions::default()
        .mode(Mode::StopTheWorld)
        .zeal(Zeal::NONE)
        .reserve(256 * MIB)
}

/// Bytes of blocks, but for one that is not full, for each byte of objects with these layouts, leaves or such that hold a
/// pointer.
fn ratio(layouts: impl Iterator<Item = Layout>, leaf: bool) -> f64 {
    let mut arena = Arena::<Rootable![()]>::with_options(quiet(), |_| ()).unwrap();
    let asked: usize = arena.mutate(|mc, _| {
        let sizes = layouts.map(|layout| {
            // SAFETY: a word that is said to be a pointer is null before anybody looks, and nothing refers to the object.
            unsafe {
                let object = mc.allocate_raw(layout, u64::from(!leaf)).unwrap();
                object.cast::<usize>().write(0);
            }
            layout.size().next_multiple_of(16)
        });
        sizes.sum()
    });
    let taken = arena.metrics().statistics().heap_bytes;
    if (asked / 16).is_multiple_of(29) {
        // It takes a while.
        arena.verify().unwrap();
    }
    (taken - BLOCK) as f64 / asked as f64
}

/// So many objects of a size that what is left free in the last run hardly counts.
fn alike(size: usize, align: usize) -> impl Iterator<Item = Layout> {
    let total = if size <= 8 * KIB { MIB } else { 8 * MIB };
    let layout = Layout::from_size_align(size, align).unwrap();
    std::iter::repeat_n(layout, total / size.next_multiple_of(16))
}

/// A dense sample of sizes, and all around those at which something changes.
fn sizes() -> Vec<usize> {
    let mut sizes: Vec<usize> = (17..300).step_by(13).collect();
    sizes.extend((300..9000).step_by(307));
    sizes.extend((9000..150_000).step_by(1511));
    sizes.extend((150_000..=MIB).step_by(70_001));
    // Small objects: so many in a block.
    let few = (4..12).map(|count| BLOCK / count);
    // Where blocks of their own would waste a fifth, and where not.
    let blocks = (1..=5).flat_map(|count| [count * BLOCK, count * BLOCK * 4 / 5]);
    for edge in few.chain(blocks).chain([MIB]) {
        sizes.extend([edge - 16, edge - 1, edge, edge + 1, edge + 17]);
    }
    sizes
}

#[test]
fn many_objects_of_any_size_take_a_quarter_more_at_most() {
    for (index, size) in sizes().into_iter().enumerate() {
        let ratio = ratio(alike(size, 16), index % 2 == 0);
        assert!(
            ratio <= 1.25,
            "objects of {size} bytes take {ratio} times as much"
        );
    }
}

/// The size of a type is a multiple of its alignment.
#[test]
fn and_so_do_over_aligned_ones() {
    for align in [64, 512, 1024, 4096] {
        for size in (1..=30).map(|count| count * 4096).chain([MIB]) {
            let ratio = ratio(alike(size, align), true);
            assert!(
                ratio <= 1.25,
                "objects of {size} bytes, aligned to {align}, take {ratio} times as much"
            );
        }
    }
}

#[test]
fn and_so_do_objects_with_descriptors() {
    /// Has a destructor, so all that hold it have descriptors.
    struct Owner([u8; 16]);
    impl Drop for Owner {
        fn drop(&mut self) {
            assert_eq!(self.0[0], 7);
        }
    }
    type Root<'gc> = Vec<Gc<'gc, [gc_core::Static<Owner>]>>;
    for count in [
        3, 40, 510, 511, 512, 570, 1000, 1700, 2100, 3000, 4200, 6400, 9000,
    ] {
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(quiet(), |_| Vec::new()).unwrap();
        let (mut asked, total) = (0, if count < 500 { MIB } else { 8 * MIB });
        while asked < total {
            arena.mutate_root(|mc, root| {
                let owners = std::iter::repeat_with(|| gc_core::Static(Owner([7; 16])));
                root.push(Gc::slice_from_iter(
                    mc,
                    owners.take(count).collect::<Vec<_>>(),
                ));
            });
            // With the length and the descriptor.
            asked += count * 16 + 16;
        }
        let taken = arena.metrics().statistics().heap_bytes;
        let ratio = taken as f64 / asked as f64;
        assert!(
            ratio <= 1.25,
            "slices of {count} take {ratio} times as much"
        );
        arena.verify().unwrap();
        arena.mutate_root(|_, root| root.truncate(root.len() / 2));
        arena.finish_cycle();
        arena.verify().unwrap();
    }
}

#[test]
fn and_so_do_objects_of_mixed_sizes() {
    let seed = Seed::or(0x5eed);
    let mut random = seed.random();
    for round in 0..24 {
        // From a range, or of a few sizes, all of them equally often.
        let few: Vec<usize> = (0..2 + round % 3)
            .map(|_| between(&mut random, 8 * KIB, 130 * KIB))
            .collect();
        let (mut asked, mut layouts) = (0, Vec::new());
        while asked < 24 * MIB {
            let size = match round % 6 {
                0 => between(&mut random, 8 * KIB, 128 * KIB),
                1 => between(&mut random, 257, 8 * KIB),
                // As many of each magnitude.
                2 => {
                    let most = 32 << random.below(16);
                    between(&mut random, 17, most)
                }
                _ => few[between(&mut random, 0, few.len() - 1)],
            };
            layouts.push(Layout::from_size_align(size, 16).unwrap());
            asked += size;
        }
        let ratio = ratio(layouts.into_iter(), round % 2 == 0);
        assert!(
            ratio <= 1.25,
            "round {round} ({few:?}): {ratio} times as much"
        );
    }
}

/// Objects die and others take their place, many times over; what is left of holes does not add up.
#[test]
fn a_heap_in_use_takes_no_more_in_the_long_run() {
    type Root<'gc> = Vec<Gc<'gc, [u64]>>;
    for sizes in [8300..8301, 26_000..26_001, 8200..100_000] {
        let seed = Seed::or(1);
        let mut random = seed.random();
        let options = quiet().floor(MIB).square_root_growth(0);
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
        let mut peaks = Vec::new();
        for _ in 0..12 {
            arena.mutate_root(|mc, root| {
                while root.iter().map(|slice| slice.len() * 8).sum::<usize>() < 8 * MIB {
                    let words = between(&mut random, sizes.start, sizes.end - 1) / 8;
                    root.push(Gc::slice_from_iter(mc, vec![words as u64; words]));
                }
            });
            peaks.push(arena.metrics().statistics().heap_bytes);
            arena.mutate_root(|_, root| {
                root.retain(|_| between(&mut random, 0, 1) == 0);
                assert!(
                    root.iter()
                        .all(|slice| slice.iter().all(|word| *word == slice.len() as u64))
                );
            });
            arena.finish_cycle();
            arena.verify().unwrap();
        }
        let last = *peaks.last().unwrap();
        assert!(last <= 8 * MIB * 3 / 2, "of {sizes:?} bytes: {peaks:?}");
    }
}

/// An object that owns memory with pointers, and so has to be traced.
struct Owner<'gc>(Vec<Gc<'gc, u64>>);

// SAFETY: the pointers are visited.
unsafe impl<'gc> Collect<'gc> for Owner<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

/// Allocates one small object between any two of the shortest steps of a cycle that has many objects to trace.
fn allocate_little_in_a_long_cycle(mode: Mode) {
    type Root<'gc> = (Gc<'gc, u64>, Gc<'gc, [Gc<'gc, Owner<'gc>>]>);
    let options = eager(mode).zeal(Zeal::NONE).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let one = Gc::new(mc, 1);
        let owner = |_| Gc::new(mc, Owner(vec![one]));
        (one, Gc::slice_from_iter(mc, (0..50_000).map(owner)))
    })
    .unwrap();
    arena.finish_cycle();
    let before = arena.metrics().statistics();
    begin(&mut arena);
    let mut safepoints = 0;
    while arena.collection_phase() == CollectionPhase::Marking && safepoints < 10_000 {
        arena.mutate(|mc, _| _ = Gc::new(mc, 1_u64));
        arena.collect_debt();
        safepoints += 1;
    }
    let after = arena.metrics().statistics();
    let allocated = after.allocated_bytes - before.allocated_bytes;
    assert!(
        after.heap_bytes < before.heap_bytes + 4 * MIB,
        "{mode:?}: from {} to {} bytes for {allocated} bytes in {safepoints} safepoints",
        before.heap_bytes,
        after.heap_bytes
    );
}

#[test]
fn little_that_is_allocated_in_a_long_cycle_takes_few_blocks_in_steps() {
    allocate_little_in_a_long_cycle(Mode::Incremental);
}

#[test]
fn little_that_is_allocated_in_a_long_cycle_takes_few_blocks_concurrently() {
    allocate_little_in_a_long_cycle(Mode::Concurrent);
}
