//! A heap at its limit in the middle of a cycle.

use std::iter::repeat_n;

use gc_core::{Arena, Collect, Gc, HeapError, Lock, Rootable};

use crate::cargo::{Cargo, Crate, OBJECTS, litter};
use crate::{begin, delay, in_each_way, steps};

const BLOCK: usize = 32 << 10;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    cargo: Gc<'gc, [Lock<Option<Crate<'gc>>>]>,
    ballast: Vec<Gc<'gc, [u64]>>,
}

fn try_allocate(heap: &mut Arena<Rootable![Roots<'_>]>, keep: bool) -> Result<(), HeapError> {
    heap.mutate_root(|mc, root| {
        let new = Gc::try_slice_from_iter(mc, repeat_n(7_u64, 500))?;
        if keep {
            root.ballast.push(new);
        }
        Ok(())
    })
}

fn check(heap: &Arena<Rootable![Roots<'_>]>, count: usize) {
    heap.mutate(|_, root| {
        for (id, slot) in root.cargo.iter().enumerate().take(count) {
            assert_eq!(slot.get().unwrap().id(), id as u64);
        }
        assert!(
            root.ballast
                .iter()
                .all(|words| words.iter().all(|word| *word == 7))
        );
    });
}

/// Allocations fail, whatever the cycle is at; a full collection makes all the room there is.
#[test]
fn a_full_collection_makes_room() {
    in_each_way(|way| {
        let count = way.size(200, 1500);
        let limit = way.size(20, 64) * BLOCK;
        for round in 0..way.size(6, 20) {
            let options = way.options().limit(limit);
            let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| Roots {
                cargo: Gc::slice_from_iter(
                    mc,
                    (0..count).map(|id| Lock::new(Some(Cargo::new(mc, id as u64)))),
                ),
                ballast: Vec::new(),
            })
            .unwrap();
            begin(&mut heap);
            steps(&mut heap, delay(round) / 2);
            // Half of it is garbage at once, a quarter later.
            let mut made = 0;
            let error = loop {
                match try_allocate(&mut heap, made % 2 == 0) {
                    Ok(()) => made += 1,
                    Err(error) => break error,
                }
            };
            assert!(made > 0);
            assert!(matches!(error, HeapError::LimitReached { .. }), "{error}");
            check(&heap, count);
            heap.mutate_root(|mc, root| {
                root.ballast.truncate(made / 4);
                assert!(Gc::try_slice_from_iter(mc, repeat_n(7_u64, 2 * limit / 8)).is_err());
            });
            steps(&mut heap, round % 3);
            check(&heap, count);
            heap.finish_cycle();
            check(&heap, count);
            let expected = 1 + OBJECTS * count + made / 4;
            assert_eq!(heap.metrics().total_gc_count(), expected);
            // A quarter is in use, so half as much as at first fits in again.
            for _ in 0..made / 2 {
                try_allocate(&mut heap, true).unwrap();
            }
            check(&heap, count);
            assert!(heap.metrics().statistics().peak_heap_bytes <= limit);
        }
    });
}

/// A program that does as the error says always goes on, and its heap stays below the limit.
#[test]
fn a_program_goes_on_at_its_limit() {
    in_each_way(|way| {
        let count = 100;
        let limit = 24 * BLOCK;
        let options = way.options().limit(limit).floor(0);
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| Roots {
            cargo: Gc::slice_from_iter(
                mc,
                (0..count).map(|id| Lock::new(Some(Cargo::new(mc, id as u64)))),
            ),
            ballast: Vec::new(),
        })
        .unwrap();
        for round in 0..way.size(300, 3000) {
            if try_allocate(&mut heap, round % 4 == 0).is_err() {
                check(&heap, count);
                heap.finish_cycle();
                try_allocate(&mut heap, false).unwrap();
            }
            heap.mutate_root(|mc, root| {
                if root.ballast.len() > 60 {
                    root.ballast.drain(..30);
                }
                // An old place gets a new object, which takes over what the old one was.
                let slot = Gc::write(mc, root.cargo)[round % count].unlock();
                match Gc::try_new(mc, [0_u64; 2]) {
                    Ok(_) => slot.set(root.cargo[round % count].get()),
                    Err(error) => assert!(matches!(error, HeapError::LimitReached { .. })),
                }
            });
            heap.collect_debt();
            assert!(heap.metrics().statistics().heap_bytes <= limit);
        }
        check(&heap, count);
        heap.finish_cycle();
        heap.mutate(|mc, _| litter(mc, 5));
        check(&heap, count);
        assert!(heap.metrics().statistics().peak_heap_bytes <= limit);
    });
}
