//! The planes tell the truth: in a heap full of derived types, extents and tags are as a hand-written model says,
//! before and after writes and collections. A new sort of field or layout belongs here and in `derive`.

mod expected;
mod maker;
mod types;

use std::iter::repeat_n;

use bitvec::vec::BitVec;
use expected::{All, Map, Words};
use gc_core::barrier::field;
use gc_core::{Arena, Gc, Lock, Rootable};
use gc_tests::way::checked;
use maker::Maker;
use types::*;

const GROUP: usize = 512;
const BLOCK: usize = 32 << 10;
/// Bytes of a descriptor, and of a length.
const WORD: usize = 8;

type Root<'gc> = Vec<Gc<'gc, ()>>;
type Heap = Arena<Rootable![Root<'_>]>;

fn heap() -> Heap {
    Heap::with_options(checked(), |_| Vec::new()).unwrap()
}

fn bits(words: impl IntoIterator<Item = usize>, count: usize) -> BitVec {
    let mut bits = BitVec::repeat(false, count);
    words.into_iter().for_each(|word| bits.set(word, true));
    bits
}

/// Compares extents and tags of all objects.
fn compare(heap: &mut Heap, all: &All) {
    let found: Vec<_> = heap
        .allocations()
        .iter()
        .map(|extent| (extent.base, extent.bytes))
        .collect();
    let expected: Vec<_> = all
        .iter()
        .map(|(base, expected)| (*base, expected.bytes))
        .collect();
    assert_eq!(found, expected);
    for (base, expected) in all {
        let words = heap.tagged_words(*base);
        if expected.map == Map::External {
            // The marker traces its value, and has no use for tags.
            assert_eq!(words, [], "the tags of {base:#x}, {expected:?}");
            continue;
        }
        let count = expected.bytes / WORD;
        let index = |address: usize| (address - base) / WORD;
        let tags = bits(words.iter().map(|(address, _)| index(*address)), count);
        let weak = words
            .iter()
            .filter(|(_, weak)| *weak)
            .map(|(address, _)| index(*address));
        let certain = !expected.free.clone();
        assert_eq!(
            tags & &certain,
            expected.tags,
            "the tags of {base:#x}, {expected:?}"
        );
        assert_eq!(
            bits(weak, count) & &certain,
            expected.weak,
            "the weak tags of {base:#x}, {expected:?}"
        );
        let derived = heap.derived_words(*base).into_iter().map(index);
        assert_eq!(
            bits(derived, count) & certain,
            expected.derived,
            "the derived words of {base:#x}, {expected:?}"
        );
    }
    heap.verify().unwrap();
}

#[test]
fn tags_and_extents_are_as_a_model_says() {
    let mut heap = heap();
    let mut all = All::new();
    for round in 0..60 {
        heap.mutate_root(|mc, root| {
            let mut maker = Maker {
                mc,
                root,
                all: &mut all,
                made: 0,
            };
            maker.fixed();
            maker.dynamic(round);
            maker.locks(round);
            maker.external();
            maker.interiors(round, 1 + round % 5);
            if round % 4 == 0 {
                maker.slices(round, 1 + round);
            }
        });
        if round % 20 == 10 {
            compare(&mut heap, &all);
            heap.finish_cycle();
        }
    }
    compare(&mut heap, &all);
    heap.finish_cycle();
    compare(&mut heap, &all);
    heap.finish_cycle();
    compare(&mut heap, &all);

    // The heap is as large as it has to be for this to mean something.
    let crossing = |unit: usize| {
        all.iter()
            .filter(|(base, e)| *base / unit != (*base + e.bytes - 1) / unit)
            .count()
    };
    let blocks: std::collections::BTreeSet<_> = all.keys().map(|base| base / BLOCK).collect();
    assert!(
        crossing(GROUP) > 400 && blocks.len() > 8,
        "{} {}",
        crossing(GROUP),
        blocks.len()
    );
}

#[test]
fn large_slices_are_as_a_model_says() {
    let mut heap = heap();
    let mut all = All::new();
    for length in [255, 256, 257, 1023, 1024, 1025, 3000] {
        heap.mutate_root(|mc, root| {
            let mut maker = Maker {
                mc,
                root,
                all: &mut all,
                made: 0,
            };
            maker.slices(length, length);
            maker.interiors(length, length);
        });
    }
    compare(&mut heap, &all);
    heap.finish_cycle();
    compare(&mut heap, &all);
    assert!(
        all.values()
            .filter(|expected| expected.bytes > BLOCK)
            .count()
            >= 8
    );
}

/// What is freed leaves nothing behind in the planes, and what takes its place has its own tags.
#[test]
fn tags_do_not_outlive_their_objects() {
    let mut heap = heap();
    for round in 0..8 {
        let mut all = All::new();
        heap.mutate_root(|mc, root| {
            root.clear();
            let mut maker = Maker {
                mc,
                root,
                all: &mut all,
                made: round,
            };
            // In each round other objects are at the same places.
            for variant in 0..10 {
                match (round + variant as u64) % 5 {
                    0 => maker.fixed(),
                    1 => maker.dynamic(variant),
                    2 => maker.locks(variant),
                    3 => maker.interiors(variant, 3 * variant + 1),
                    _ => maker.slices(variant, 3 * variant + 1),
                }
            }
        });
        heap.finish_cycle();
        compare(&mut heap, &all);
    }
    heap.mutate_root(|_, root| root.clear());
    heap.finish_cycle();
    compare(&mut heap, &All::new());
}

/// The same words are pointers, numbers and weak pointers in turn, with and without a collection
/// between.
#[test]
fn tags_follow_what_is_written() {
    type Cells<'gc> = Gc<'gc, [Locks<'gc>]>;
    const CELLS: usize = 700;
    let mut heap = Arena::<Rootable![Cells<'_>]>::with_options(checked(), |mc| {
        let locks = |_| Locks {
            number: 0,
            lock: Lock::new(Tree::Empty),
            strong: Lock::new(None),
            weak: Lock::new(None),
        };
        Gc::slice_from_iter(mc, (0..CELLS).map(locks))
    })
    .unwrap();
    for round in 0..20 {
        let (base, expected) = heap.mutate(|mc, root| {
            let mut scratch = (Vec::new(), All::new());
            let mut maker = Maker {
                mc,
                root: &mut scratch.0,
                all: &mut scratch.1,
                made: round as u64,
            };
            for i in (0..CELLS).filter(|i| (i * 7 + round) % 5 == 0) {
                let locks = &Gc::write(mc, *root)[i];
                field!(locks, Locks, lock)
                    .unlock()
                    .set(maker.tree(i + round));
                let strong = (i % 2 == round % 2).then(|| maker.leaf());
                field!(locks, Locks, strong).unlock().set(strong);
                field!(locks, Locks, weak)
                    .unlock()
                    .set(strong.map(Gc::downgrade));
            }
            Words::of(
                *root,
                CELLS * (3 * WORD + TREE_BYTES) + 2 * WORD,
                Map::Dynamic,
            )
        });
        if round % 3 == 1 {
            heap.finish_cycle();
        }
        let words = heap.tagged_words(base);
        let count = expected.bytes.next_multiple_of(16) / WORD;
        let tags = bits(
            words.iter().map(|(address, _)| (address - base) / WORD),
            count,
        );
        let certain = !expected.free.clone();
        assert_eq!(tags & certain, expected.tags);
        heap.verify().unwrap();
        heap.mutate(|mc, _| _ = Gc::slice_from_iter(mc, repeat_n(1_u64, 100)));
    }
}
