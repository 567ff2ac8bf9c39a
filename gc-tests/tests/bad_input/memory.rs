//! Memory that is out, and requests that cannot be met.

use std::cell::Cell;
use std::error::Error;
use std::iter::repeat_n;
use std::rc::Rc;

use gc_core::arena::rootless_mutate;
use gc_core::finalizer::WaitingFinalizers;
use gc_core::{Arena, Gc, HeapError, HeapOptions, Mode, Rootable, Zeal};
#[cfg(unix)]
use gc_tests::child::in_child_after;

use crate::{Counted, checked, panic_of};

const KIB: usize = 1 << 10;

#[test]
fn a_limit_is_met_by_collections_at_safepoints() {
    let options = checked().limit(256 * KIB);
    let mut arena =
        Arena::<Rootable![Gc<'_, u64>]>::with_options(options, |mc| Gc::new(mc, 7)).unwrap();
    for i in 0..4000 {
        arena.mutate(|mc, _| _ = Gc::slice_from_iter(mc, repeat_n(i, 64)));
        arena.collect_debt();
    }
    let statistics = arena.metrics().statistics();
    assert!(
        statistics.collections >= 4000 * 512 / (256 * KIB as u64),
        "{statistics:?}"
    );
    assert!(statistics.peak_heap_bytes <= 256 * KIB, "{statistics:?}");
    assert_eq!(arena.mutate(|_, root| **root), 7);
}

#[test]
fn inside_mutate_try_calls_return_an_error_with_the_figures() {
    let options = checked().limit(256 * KIB);
    let mut arena =
        Arena::<Rootable![Vec<Gc<'_, [u64; 128]>>]>::with_options(options, |_| Vec::new()).unwrap();
    for _ in 0..3 {
        let error = arena.mutate_root(|mc, root| {
            loop {
                match Gc::try_new(mc, [root.len() as u64; 128]) {
                    Ok(gc) => root.push(gc),
                    Err(error) => return error,
                }
            }
        });
        assert_eq!(
            error,
            HeapError::LimitReached {
                requested: 32 * KIB,
                limit: 256 * KIB,
                in_use: 256 * KIB,
                finalizers: WaitingFinalizers::default(),
            }
        );
        let text = error.to_string();
        assert!(
            text.contains("32 KiB more") && text.contains("limit of 256 KiB"),
            "{text}"
        );
        assert!(text.contains("raise `HeapOptions::limit`"), "{text}");
        let _: &dyn Error = &error;

        let metrics = arena.metrics().clone();
        let objects = metrics.total_gc_count();
        arena.mutate(|mc, root| {
            // The other calls say the same, for what they ask for.
            assert!(Gc::try_slice_from_iter(mc, repeat_n(0_u64, 128)).is_err());
            let text = "x".repeat(100 * KIB);
            let error = Gc::try_str_from(mc, &text).unwrap_err();
            assert!(
                matches!(error, HeapError::LimitReached { requested, .. } if requested >= 100 * KIB)
            );
            assert_eq!(panic_of(|| Gc::str_from(mc, &text)), error.to_string());
            let error = Gc::try_slice_from_iter(mc, repeat_n(0_u64, 5000)).unwrap_err();
            assert_eq!(
                panic_of(|| Gc::slice_from_iter(mc, repeat_n(0_u64, 5000))),
                error.to_string()
            );
            let error = Gc::try_new(mc, [0_u64; 128]).unwrap_err();
            assert_eq!(panic_of(|| Gc::new(mc, [0_u64; 128])), error.to_string());
            // What was there is there.
            assert!((0..).zip(root).all(|(i, gc)| **gc == [i; 128]));
        });
        assert_eq!(metrics.total_gc_count(), objects);
        assert!(metrics.allocation_debt() > 0.0);

        // Collecting makes room for as much again.
        arena.mutate_root(|_, root| root.truncate(10));
        arena.collect_debt();
        assert_eq!(arena.metrics().total_gc_count(), 10);
    }
}

#[test]
fn a_value_that_finds_no_room_is_dropped() {
    let drops = Rc::new(Cell::new(0));
    let options = checked().limit(64 * KIB);
    let arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
    arena.mutate(|mc, _| {
        let mut made = 0;
        while Gc::try_new(mc, (Counted(drops.clone()), [0_u64; 100])).is_ok() {
            made += 1;
        }
        assert!(made > 0 && drops.get() == 1);
        // No item is asked for when there is no room for all.
        let items = repeat_n((), 10_000).map(|()| Counted(drops.clone()));
        assert!(Gc::try_slice_from_iter(mc, items).is_err());
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_tebibyte_is_an_error() {
    let never = |_: ()| -> u8 { panic!("an item was asked for") };
    let mut arena =
        Arena::<Rootable![Gc<'_, u8>]>::with_options(checked(), |mc| Gc::new(mc, 5)).unwrap();
    arena.mutate(|mc, _| {
        let error = Gc::try_slice_from_iter(mc, repeat_n((), 1 << 40).map(never)).unwrap_err();
        assert!(matches!(error, HeapError::AddressSpaceExhausted { requested, .. } if requested == 1 << 40));
        assert!(error.to_string().contains("no 1 TiB in a row"), "{error}");
        let plain = panic_of(|| Gc::slice_from_iter(mc, repeat_n((), 1 << 40).map(never)));
        assert_eq!(plain, error.to_string());
    });
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| **root), 5);

    let limited = Arena::<Rootable![()]>::with_options(checked().limit(1 << 30), |_| ()).unwrap();
    limited.mutate(|mc, _| {
        let error = Gc::try_slice_from_iter(mc, repeat_n((), 1 << 40).map(never)).unwrap_err();
        assert_eq!(
            error,
            HeapError::LimitReached {
                requested: 1 << 40,
                limit: 1 << 30,
                in_use: 0,
                finalizers: WaitingFinalizers::default(),
            }
        );
    });
}

#[test]
fn a_size_overflow_is_an_error() {
    let never = |_: ()| -> [u64; 3] { panic!("an item was asked for") };
    rootless_mutate(|mc| {
        for count in [
            usize::MAX,
            usize::MAX / 8,
            usize::MAX / 24,
            isize::MAX as usize / 24,
        ] {
            let items = || repeat_n((), count).map(never);
            let error = Gc::try_slice_from_iter(mc, items()).unwrap_err();
            assert_eq!(
                error.to_string(),
                panic_of(|| Gc::slice_from_iter(mc, items()))
            );
            if count > isize::MAX as usize / 24 {
                assert_eq!(error, HeapError::SizeOverflow { count, size: 24 });
                assert!(error.to_string().contains(&count.to_string()), "{error}");
            }
        }
        for count in [
            usize::MAX,
            usize::MAX - 7,
            usize::MAX - 15,
            1 << 63,
            (1 << 63) - 1,
        ] {
            assert!(Gc::try_slice_from_iter(mc, repeat_n(0_u8, count)).is_err());
            let items =
                repeat_n((), count).map(|()| -> Counted { panic!("an item was asked for") });
            assert!(Gc::try_slice_from_iter(mc, items).is_err());
        }
        assert_eq!(*Gc::new(mc, 3), 3);
    });
}

#[test]
fn a_full_address_space_is_an_error_and_a_collection_makes_room() {
    let options = checked().reserve(4 << 20);
    let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
    for _ in 0..3 {
        arena.mutate(|mc, _| {
            let count = (0..)
                .take_while(|_| Gc::try_new(mc, [0_u64; 64]).is_ok())
                .count();
            assert_eq!(count, (4 << 20) / 512);
            let error = Gc::try_new(mc, [0_u64; 64]).unwrap_err();
            assert_eq!(
                error,
                HeapError::AddressSpaceExhausted {
                    requested: 32 * KIB,
                    reserved: 4 << 20,
                    finalizers: WaitingFinalizers::default(),
                }
            );
            assert!(
                error.to_string().contains("`HeapOptions::reserve`"),
                "{error}"
            );
        });
        arena.collect_debt();
        assert_eq!(arena.metrics().total_gc_count(), 0);
        arena.mutate(|mc, _| assert!(Gc::try_slice_from_iter(mc, repeat_n(1_u8, 4 << 20)).is_ok()));
        arena.finish_cycle();
    }
}

#[test]
fn options_that_mean_nothing_are_errors() {
    let error = |options| {
        Arena::<Rootable![()]>::with_options(options, |_| ())
            .unwrap_err()
            .to_string()
    };
    let defaults = HeapOptions::default();
    for bytes in [0, (1 << 46) + 1, 1 << 47, usize::MAX] {
        let text = error(defaults.reserve(bytes));
        let named = format!("`HeapOptions::reserve` is {bytes}");
        assert!(text.contains(&named), "{text}");
    }
    for bytes in [0, 1, 32 * KIB - 1] {
        let text = error(defaults.limit(bytes));
        let named = format!("`HeapOptions::limit` is {bytes}");
        assert!(text.contains(&named), "{text}");
    }
    // Strange, but not without meaning.
    let strange = checked()
        .growth(u32::MAX)
        .floor(usize::MAX)
        .reserve(1)
        .limit(32 * KIB);
    let mut arena =
        Arena::<Rootable![Gc<'_, u8>]>::with_options(strange, |mc| Gc::new(mc, 1)).unwrap();
    arena.finish_cycle();
    arena.collect_debt();
}

/// Runs the test of that name again, in a process that may have so many KiB of addresses.
#[cfg(unix)]
fn with_little_address_space(test: &str, kib: u32, body: fn()) {
    in_child_after(&format!("ulimit -v {kib}"), test, body);
}

#[cfg(unix)]
#[test]
fn a_refused_reservation_names_its_size_and_the_option() {
    with_little_address_space(
        "memory::a_refused_reservation_names_its_size_and_the_option",
        8_000_000,
        || {
            let options = HeapOptions::default().reserve(1 << 40);
            let error = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap_err();
            assert!(
                matches!(error, HeapError::ReserveRefused { requested, .. } if requested == 1 << 40)
            );
            let text = error.to_string();
            assert!(
                text.contains("cannot reserve 1 TiB") && text.contains("`HeapOptions::reserve`"),
                "{text}"
            );
        },
    );
}

/// Fills a vector of the heap with garbage beside it, and reads it again; many heaps at once would not fit.
#[cfg(unix)]
fn churn_in_the_shared_space(options: HeapOptions) {
    type Root<'gc> = Vec<Gc<'gc, [usize]>>;
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
    for round in 0..40_usize {
        arena.mutate_root(|mc, root| {
            if round % 20 == 0 {
                root.clear();
            }
            for length in [3_usize, 500, 2000, 9000, 40_000] {
                for _ in 0..4 {
                    Gc::slice_from_iter(mc, (0..length).map(|i| i * round));
                }
                root.push(Gc::slice_from_iter(mc, (0..length).map(|i| i + round)));
            }
        });
        arena.collect_debt();
    }
    arena.mutate(|_, root| {
        for (index, slice) in root.iter().enumerate() {
            assert_eq!(slice[2], 2 + 20 + index / 5);
        }
    });
    arena.verify().unwrap();
}

/// What heaps share is then smaller than usual, and leaves something for threads and for `malloc`.
#[cfg(unix)]
#[test]
fn little_address_space_is_enough_for_a_shared_space() {
    for kib in [1 << 20, 600_000, 300_000] {
        with_little_address_space(
            "memory::little_address_space_is_enough_for_a_shared_space",
            kib,
            || {
                let mut arena = Arena::<Rootable![Gc<'_, u8>]>::new(|mc| Gc::new(mc, 1));
                arena.finish_cycle();
                arena.verify().unwrap();
                for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
                    churn_in_the_shared_space(
                        HeapOptions::default()
                            .zeal(Zeal::NONE)
                            .mode(mode)
                            .concurrent_from(0),
                    );
                }
                std::thread::spawn(|| {
                    churn_in_the_shared_space(HeapOptions::default().zeal(Zeal::NONE))
                })
                .join()
                .unwrap();
                let shared =
                    gc_core::shared::Arena::<Rootable![Gc<'_, u8>]>::new(|mc| mc.allocate(1));
                shared.attach().finish_cycle();
                // An object that does not fit says so, with the size of what there is.
                let error = arena.mutate(|mc, _| {
                    Gc::try_slice_from_iter(mc, std::iter::repeat_n(0_u64, 1 << 27)).err()
                });
                assert!(
                    matches!(error, Some(HeapError::AddressSpaceExhausted { reserved, .. })
                        if (64 << 20..1 << 30).contains(&reserved)),
                    "{error:?}"
                );
            },
        );
    }
}

#[cfg(unix)]
#[test]
fn without_address_space_the_error_says_what_helps() {
    with_little_address_space(
        "memory::without_address_space_the_error_says_what_helps",
        1 << 20,
        || {
            let own = |bytes| {
                let options = HeapOptions::default().reserve(bytes);
                Arena::<Rootable![Gc<'_, u8>]>::with_options(options, |mc| Gc::new(mc, 1))
            };
            // Takes all of it, but for less than the shared space needs at least.
            let mut arenas = Vec::new();
            for shift in (24..30).rev() {
                while let Ok(arena) = own(1 << shift) {
                    arenas.push(arena);
                }
            }
            let error =
                Arena::<Rootable![()]>::with_options(HeapOptions::default(), |_| ()).unwrap_err();
            let (most, least) = (64 << 30, 16 << 20);
            assert!(
                matches!(error, HeapError::SharedReserveRefused { most: m, least: l, .. } if (m, l) == (most, least)),
                "{error:?}"
            );
            let text = error.to_string();
            for part in [
                "64 GiB down to 16 MiB",
                "ulimit -v",
                "`HeapOptions::reserve`",
                "`Arena::with_options`",
            ] {
                assert!(text.contains(part), "{text}");
            }
            // What it says helps.
            own(4 << 20).unwrap().finish_cycle();
            drop(arenas);
            Arena::<Rootable![()]>::new(|_| ()).finish_cycle();
        },
    );
}
