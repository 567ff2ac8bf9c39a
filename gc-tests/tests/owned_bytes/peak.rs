//! The peak of what is owned: the survivors, the allowance, and what was not seen between two safepoints.

use gc_core::{Arena, Collect, Gc, HeapOptions, RefLock, Rootable};

use crate::counting::peak_of;
use crate::{KIB, MIB, ways};

type Buffer<'gc> = Gc<'gc, RefLock<Vec<u8>>>;

/// The same with pointers, so that it is traced.
#[derive(Collect)]
#[collect(no_drop)]
struct Table<'gc> {
    bytes: Vec<u8>,
    others: Vec<Gc<'gc, RefLock<Table<'gc>>>>,
}

type Root<'gc> = (Vec<Buffer<'gc>>, Vec<Gc<'gc, RefLock<Table<'gc>>>>);

/// Makes `bytes` bytes of objects by steps, each followed by a safepoint, and returns the peak.
fn peak(
    options: HeapOptions,
    bytes: usize,
    mut step: impl for<'gc> FnMut(&gc_core::Mutation<'gc>, &mut Root<'gc>) -> usize,
) -> usize {
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(options, |_| Default::default()).unwrap();
    let peak = peak_of(|| {
        let mut made = 0;
        while made < bytes {
            made += arena.mutate_root(|mc, root| step(mc, root));
            arena.collect_debt();
        }
    });
    // Nor is it collected more often than need be: when a sixteenth of the floor is owned elsewhere, which is one
    // quarter of it and weighs four times as much; and in steps, from a part of that on.
    let collections = arena.metrics().statistics().collections;
    assert!(
        collections as usize <= bytes / (4 * MIB / 16 / 2),
        "{collections} collections"
    );
    peak
}

/// With nothing alive: twice the floor, for a cycle in steps lasts as long as the floor at most, and begins when that
/// is used up; and what is made in a step.
fn assert_bounded(peak: usize, step: usize, mode: HeapOptions) {
    assert!(
        peak < 2 * 4 * MIB + 4 * step + MIB,
        "{} KiB in {mode:?}",
        peak / KIB
    );
}

#[test]
fn small_objects_that_own_much() {
    for options in ways() {
        let peak = peak(options, 512 * MIB, |mc, _| {
            Gc::new(mc, RefLock::new(Vec::<u8>::with_capacity(64 * KIB)));
            64 * KIB
        });
        assert_bounded(peak, 64 * KIB, options);
    }
}

#[test]
fn few_that_own_very_much() {
    for options in ways() {
        let peak = peak(options, 2048 * MIB, |mc, _| {
            Gc::new(mc, RefLock::new(Vec::<u8>::with_capacity(64 * MIB)));
            64 * MIB
        });
        assert_bounded(peak, 64 * MIB, options);
    }
}

/// Born empty, and filled later, by one write: neither allocation nor barrier can see it.
#[test]
fn objects_that_grow() {
    for options in ways() {
        let peak = peak(options, 512 * MIB, |mc, _| {
            let object = Gc::new(mc, RefLock::new(Vec::<u8>::new()));
            *object.borrow_mut(mc) = Vec::with_capacity(64 * KIB);
            64 * KIB
        });
        assert_bounded(peak, 64 * KIB, options);
    }
}

#[test]
fn traced_objects_that_grow() {
    for options in ways() {
        let peak = peak(options, 512 * MIB, |mc, _| {
            let new = || Table {
                bytes: Vec::new(),
                others: Vec::new(),
            };
            let object = Gc::new(mc, RefLock::new(new()));
            let other = Gc::new(mc, RefLock::new(new()));
            let mut table = object.borrow_mut(mc);
            table.bytes.reserve(32 * KIB);
            table.others.reserve(4 * KIB);
            table.others.push(other);
            64 * KIB
        });
        assert_bounded(peak, 64 * KIB, options);
    }
}

/// Objects in a slice, of which one is written at a time, cost no more than their growth.
#[test]
fn elements_of_slices_that_grow() {
    for options in ways() {
        let peak = peak(options, 256 * MIB, |mc, _| {
            let locks = (0..256).map(|_| RefLock::new(Vec::<u8>::new()));
            let slice = Gc::slice_from_iter(mc, locks);
            for index in 0..256 {
                let element = &Gc::write_at(mc, slice, index);
                *element.unlock().borrow_mut() = Vec::with_capacity(4 * KIB);
            }
            256 * 4 * KIB
        });
        assert_bounded(peak, MIB, options);
    }
}

/// What survives is alive, 32 MiB, and what grows beyond it is in proportion: as much, or twice that in steps.
#[test]
fn growth_is_in_proportion_to_what_survivors_own() {
    for options in ways() {
        let mut next = 0;
        let peak = peak(options, 2048 * MIB, |mc, (kept, _)| {
            let object = Gc::new(mc, RefLock::new(Vec::<u8>::with_capacity(64 * KIB)));
            if kept.len() < 512 {
                kept.push(object);
            } else {
                kept[next % 512] = object;
                next += 1;
            }
            64 * KIB
        });
        assert!((60 * MIB..112 * MIB).contains(&peak), "{} KiB", peak / KIB);
    }
}

/// What is given up while the object lives is no debt, and not alive.
#[test]
fn objects_that_shrink() {
    for options in ways() {
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options, |_| Default::default()).unwrap();
        arena.mutate_root(|mc, (kept, _)| {
            kept.push(Gc::new(mc, RefLock::new(Vec::new())));
        });
        arena.finish_cycle();
        let before = arena.metrics().statistics().collections;
        for _ in 0..100 {
            arena.mutate(|mc, (kept, _)| *kept[0].borrow_mut(mc) = Vec::with_capacity(128 * KIB));
            arena.collect_debt();
            arena.mutate(|mc, (kept, _)| *kept[0].borrow_mut(mc) = Vec::new());
            arena.collect_debt();
        }
        let after = arena.metrics().statistics();
        assert_eq!(after.collections, before);
        assert!(after.owned_bytes < KIB);
    }
}
