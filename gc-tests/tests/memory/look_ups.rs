//! Which object an address lies in: in blocks that medium objects share, against a list of all objects; and in large
//! objects that a thread frees meanwhile.

use gc_core::{Arena, Extent, Gc, HeapOptions, Mode, Rootable, Zeal};
use gc_tests::child::{in_child, in_time};
use gc_tests::cycle::{begin, in_cycle};
use gc_tests::seed::Seed;
use gc_tests::way::eager;

#[test]
fn every_address_leads_to_its_object_and_to_no_dead_one() {
    type Root<'gc> = Vec<Gc<'gc, [u64]>>;
    let options = HeapOptions::default()
        .mode(Mode::StopTheWorld)
        .zeal(Zeal::NONE)
        .reserve(64 << 20);
    let seed = Seed::or(7);
    let mut random = seed.random();
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
    for round in 0..12 {
        arena.mutate_root(|mc, root| {
            for _ in 0..60 {
                // Now and then one that fills blocks or groups exactly, or needs none of this.
                let words = match random.below(8) {
                    0 => 64 * (17 + random.below(100)),
                    1 => 4096 * (1 + random.below(4)),
                    2 => 1 + random.below(1500),
                    _ => 1025 + random.below(12_000),
                };
                root.push(Gc::slice_from_iter(mc, vec![0; words]));
            }
            // More and more of them, so that all sorts of holes are left.
            root.retain(|_| random.below(12) >= round);
        });
        arena.finish_cycle();
        arena.verify().unwrap();
        let mut objects: Vec<Extent> = arena.mutate(|_, root| {
            let extent = |slice: &Gc<'_, [u64]>| Extent {
                base: Gc::as_ptr(*slice).cast::<u64>().addr(),
                bytes: (slice.len() * 8).next_multiple_of(16),
            };
            root.iter().map(extent).collect()
        });
        objects.sort_by_key(|object| object.base);
        assert_eq!(arena.allocations(), objects);
        let Some((first, last)) = objects.first().zip(objects.last()) else {
            continue;
        };
        let naive = |address: usize| {
            let contains =
                |object: &&Extent| (object.base..object.base + object.bytes).contains(&address);
            objects.iter().find(contains).copied()
        };
        let any = (0..3000)
            .map(|_| first.base + random.below(last.base + last.bytes - first.base + 70_000));
        let edges = objects.iter().flat_map(|object| {
            let (start, end) = (object.base, object.base + object.bytes);
            [
                start.saturating_sub(1),
                start,
                start + 1,
                end - 1,
                end,
                end + 16,
                end + 512,
            ]
        });
        for address in any.chain(edges) {
            assert_eq!(arena.allocation_of(address), naive(address), "{address:#x}");
        }
    }
}

/// Looks up addresses in large objects while a thread may be freeing them: the answer is the whole object or nothing.
fn look_up_what_is_swept() {
    const SIZE: usize = 100_000;
    for reserve in [None, Some(64 << 20)] {
        let mut options = eager(Mode::Concurrent).zeal(Zeal::NONE);
        if let Some(bytes) = reserve {
            options = options.reserve(bytes);
        }
        let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
        let text = "x".repeat(SIZE);
        for _ in 0..300 {
            let addresses: Vec<usize> = arena.mutate(|mc, _| {
                let address = |_| Gc::as_ptr(Gc::str_from(mc, &text)).cast::<u8>().addr();
                (0..16).map(address).collect()
            });
            begin(&mut arena);
            while in_cycle(&arena) {
                arena.collect_debt();
                for _ in 0..50 {
                    for &base in &addresses {
                        let whole = Extent {
                            base,
                            bytes: SIZE.next_multiple_of(16),
                        };
                        for inside in [0, SIZE / 2, SIZE - 1] {
                            let found = arena.allocation_of(base + inside);
                            assert!(
                                found.is_none_or(|found| found == whole),
                                "{found:?} for {whole:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// If the look-up reads what a thread is freeing, the process may end.
#[test]
fn large_objects_are_found_whole_or_not_at_all_while_they_are_swept() {
    in_child(
        "look_ups::large_objects_are_found_whole_or_not_at_all_while_they_are_swept",
        || in_time(look_up_what_is_swept),
    );
}
