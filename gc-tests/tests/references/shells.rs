//! Shells: what only weak pointers lead to takes a granule, and is no survivor.

use gc_core::gc::{GcKind, Thin};
use gc_core::gc_slice::SlicePtrMeta;
use gc_core::{Arena, Extent, Gc, GcWeak, HeapOptions, RefLock, Rootable, Zeal};
use gc_tests::way::in_each_way;

type Names<'gc> = Gc<'gc, RefLock<Vec<GcWeak<'gc, [u64; 16]>>>>;

/// A heap whose allowance grows by what survives.
fn options() -> HeapOptions {
    HeapOptions::default().zeal(Zeal::NONE).floor(1 << 20)
}

#[test]
fn garbage_that_weak_pointers_lead_to_earns_no_allowance() {
    let mut arena = Arena::<Rootable![Names<'_>]>::with_options(options(), |mc| {
        Gc::new(mc, RefLock::default())
    })
    .unwrap();
    const ROUNDS: usize = 4000;
    for _ in 0..ROUNDS {
        arena.mutate(|mc, names| {
            let mut names = names.borrow_mut(mc);
            names.retain(|name| !name.is_dropped());
            names.extend((0..50).map(|i| Gc::downgrade(Gc::new(mc, [i; 16]))));
        });
        arena.collect_debt();
    }
    let statistics = arena.metrics().statistics();
    let allocated = ROUNDS * 50 * size_of::<[u64; 16]>();
    // The list is all that is alive.
    assert!(statistics.live_bytes < 1000, "{}", statistics.live_bytes);
    let least = (allocated >> 20) / 2;
    assert!(
        statistics.collections >= least as u64,
        "{} collections of {allocated} bytes",
        statistics.collections
    );
    let most = 4 << 20;
    assert!(
        statistics.peak_heap_bytes < most,
        "{}",
        statistics.peak_heap_bytes
    );
}

#[test]
fn they_leave_the_memory_of_their_objects() {
    /// Of 512 bytes each, as much as 16 blocks.
    const COUNT: usize = 1000;
    type Weak<'gc> = GcWeak<'gc, [u64], GcKind<Thin<[u64]>, (), SlicePtrMeta>>;
    in_each_way(|way| {
        let options = way.options().zeal(Zeal::NONE);
        let mut arena =
            Arena::<Rootable![Vec<Weak<'_>>]>::with_options(options, |_| Vec::new()).unwrap();
        let length = |index: usize| 50 + index % 10;
        arena.mutate_root(|mc, root| {
            for index in 0..COUNT {
                let slice = Gc::new_slice(mc, &vec![1_u64; length(index)]);
                root.push(Gc::downgrade(Gc::as_thin(slice)));
            }
        });
        arena.finish_cycle();
        arena.verify().unwrap();
        let full = arena.metrics().statistics().heap_bytes;
        assert_eq!(arena.metrics().statistics().live_bytes, 0);
        for _ in 0..2 {
            // What was between them is used again, and they still know what they were.
            let shells = arena.mutate(|mc, root| {
                for _ in 0..COUNT {
                    Gc::new_slice(mc, &[u64::MAX; 40]);
                }
                for (index, weak) in root.iter().enumerate() {
                    assert!(weak.is_dropped() && weak.upgrade(mc).is_none());
                    assert_eq!(weak.as_ptr().len(), length(index));
                }
                let address = |weak: &Weak<'_>| weak.as_ptr().cast::<u64>().addr();
                root.iter().map(address).collect::<Vec<_>>()
            });
            for base in shells {
                assert_eq!(arena.allocation_of(base), Some(Extent { base, bytes: 16 }));
            }
            arena.finish_cycle();
            arena.verify().unwrap();
        }
        let now = arena.metrics().statistics().heap_bytes;
        assert!(now <= full + (full / 4), "{now} after {full}");
    });
}
