//! Shells: what only weak pointers lead to takes a granule, and is no survivor.

use gc_core::gc::{GcKind, Thin};
use gc_core::gc_slice::SlicePtrMeta;
use gc_core::{Arena, Extent, Gc, GcWeak, HeapOptions, RefLock, Rootable, Zeal, shared};
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

/// Also of values whose destructors another thread may be running, once they have run.
#[test]
fn in_shared_arenas_they_leave_it_when_the_destructors_have_run() {
    struct Value<const WORDS: usize>([u64; WORDS]);
    impl<const WORDS: usize> Drop for Value<WORDS> {
        fn drop(&mut self) {
            assert_eq!(self.0, [1; WORDS]);
        }
    }
    gc_core::static_collect!(Value<60>);
    gc_core::static_collect!(Value<40>);

    const COUNT: usize = 10_000;
    type Root<'gc> = Gc<'gc, shared::RwLock<Vec<GcWeak<'gc, Value<60>>>>>;
    let arena = shared::Arena::<Rootable![Root<'_>]>::with_options(options(), |mc| {
        mc.allocate(shared::RwLock::new(Vec::new()))
    })
    .unwrap();
    let here = arena.attach();
    here.mutate(|mc, root| {
        let weak = |_| Gc::downgrade(mc.allocate(Value([1; 60])));
        *mc.write(*root).write() = (0..COUNT).map(weak).collect();
    });
    for _ in 0..3 {
        here.finish_cycle();
    }
    let full = arena.metrics().statistics().heap_bytes;
    here.mutate(|mc, _| (0..COUNT).for_each(|_| _ = mc.allocate(Value([1; 40]))));
    let now = arena.metrics().statistics().heap_bytes;
    assert!(now <= full + (full / 4), "{now} after {full}");
    here.mutate(|_, root| assert!(root.read().iter().all(|weak| weak.is_dropped())));
}

/// A weak pointer may be cast when its target is gone as before.
#[test]
fn their_pointers_are_cast() {
    let mut arena = Arena::<Rootable![Option<GcWeak<'_, [u64; 8]>>]>::new(|_| None);
    arena.mutate_root(|mc, root| *root = Some(Gc::downgrade(Gc::new(mc, [1; 8]))));
    for gone in [false, true] {
        arena.mutate(|_, root| {
            #[allow(unsafe_code, reason = "the target is of this type")]
            // SAFETY: so it is.
            let same = unsafe { GcWeak::cast::<[u64; 8]>(root.unwrap()) };
            assert_eq!(same.is_dropped(), gone);
        });
        arena.finish_cycle();
    }
}

/// What is cut off a shell is overwritten where the heap is checked, as other free memory is.
#[test]
fn what_is_cut_off_is_overwritten() {
    for described in [false, true] {
        let options = HeapOptions::default().zeal(Zeal::ALL);
        let mut arena =
            Arena::<Rootable![Option<GcWeak<'_, ()>>]>::with_options(options, |_| None).unwrap();
        let (base, bytes) = arena.mutate_root(|mc, root| {
            let (weak, base) = if described {
                let name = Gc::new(mc, [const { String::new() }; 6]);
                (GcWeak::erase(Gc::downgrade(name)), Gc::as_ptr(name).addr())
            } else {
                let name = Gc::new(mc, [0x5555_u64; 16]);
                (GcWeak::erase(Gc::downgrade(name)), Gc::as_ptr(name).addr())
            };
            *root = Some(weak);
            (base, 16 * size_of::<u64>())
        });
        let words = |from: usize| {
            // SAFETY: the heap has committed this memory, and nobody writes to it.
            let word = |at| unsafe { std::ptr::with_exposed_provenance::<u64>(at).read_volatile() };
            (from..base + bytes)
                .step_by(8)
                .map(word)
                .collect::<Vec<_>>()
        };
        let before = words(base + 16);
        arena.finish_cycle();
        assert_eq!(arena.allocation_of(base), Some(Extent { base, bytes: 16 }));
        let after = words(base + 16);
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| before != after)
        );
        assert!(after.iter().all(|word| *word == after[0]));
    }
}
