//! Resident memory of the process: what the collector needs for itself, and what it gives back.
//!
//! It is one test in a binary of its own, because it looks at the whole process.
#![cfg(target_os = "linux")]

use std::iter::repeat_n;

use gc_core::{Arena, Collect, Gc, HeapOptions, Rootable, Zeal};

const MIB: usize = 1 << 20;

/// A figure of the process's status, in bytes: `VmRSS` is what is resident, `VmHWM` the most so far.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("a line of that name");
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// Forgets the most so far; `false` if the system does not allow that.
fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
struct Fork<'gc> {
    aside: Gc<'gc, u64>,
    next: Option<Gc<'gc, Fork<'gc>>>,
}

/// Marks a list of which each cell leaves an object waiting, and returns by how much the process
/// grew meanwhile.
fn marking_grows_by(cells: usize) -> usize {
    type Root<'gc> = Option<Gc<'gc, Fork<'gc>>>;
    let options = HeapOptions::default().zeal(Zeal::NONE).reserve(1 << 30);
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
    arena.mutate_root(|mc, root| {
        for i in 0..cells {
            *root = Some(Gc::new(
                mc,
                Fork {
                    aside: Gc::new(mc, i as u64),
                    next: *root,
                },
            ));
        }
    });
    let before = status("VmRSS");
    if !reset_peak() {
        return 0;
    }
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 2 * cells);
    status("VmHWM").saturating_sub(before)
}

type Slices<'gc> = Vec<Gc<'gc, [u64]>>;

/// An arena that has used some megabytes, has little left, and gives back what it does not use.
fn idle_arena(number: u64) -> Arena<Rootable![Slices<'_>]> {
    let options = HeapOptions::default().zeal(Zeal::NONE);
    let mut arena = Arena::<Rootable![Slices<'_>]>::with_options(options, |_| Vec::new()).unwrap();
    arena.mutate_root(|mc, root| {
        for index in 0..1000 {
            let length = [100, 1100, 2600][index % 3];
            root.push(Gc::slice_from_iter(mc, repeat_n(number, length)));
        }
        *root = root.iter().copied().step_by(100).collect();
    });
    arena.finish_cycle();
    arena.release_unused();
    arena.mutate(|_, root| {
        assert!(
            root.iter()
                .all(|slice| slice.iter().all(|word| *word == number))
        )
    });
    arena
}

#[test]
fn memory_is_bounded_and_given_back() {
    // What marking needs does not grow with what is marked.
    for cells in [100_000, 1_500_000] {
        let grown = marking_grows_by(cells);
        assert!(
            grown <= 20 * MIB,
            "marking a list of {cells} cells took {grown} bytes"
        );
    }

    // Objects just above 8 KiB share blocks, and pages.
    let options = HeapOptions::default().zeal(Zeal::NONE).reserve(1 << 30);
    let arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
    let before = status("VmRSS");
    let (count, bytes) = (4000, 9000);
    arena.mutate(|mc, _| {
        (0..count).for_each(|_| _ = Gc::slice_from_iter(mc, repeat_n(1_u64, bytes / 8)))
    });
    let taken = status("VmRSS") - before;
    assert!(
        taken <= count * bytes * 5 / 4,
        "{count} objects of {bytes} bytes have {taken} bytes resident"
    );
    drop(arena);

    // Many arenas that are idle, with some objects each in blocks that were full once.
    let before = status("VmRSS");
    let idle: Vec<_> = (0..8).map(idle_arena).collect();
    let taken = status("VmRSS").saturating_sub(before);
    assert!(
        taken <= 4 * MIB,
        "8 idle arenas have {taken} bytes resident"
    );
    drop(idle);

    type Root<'gc> = Vec<Gc<'gc, [u64]>>;
    for reserve in [None, Some(1 << 30)] {
        let mut options = HeapOptions::default().zeal(Zeal::NONE).floor(MIB);
        if let Some(bytes) = reserve {
            options = options.reserve(bytes);
        }
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
        let before = status("VmRSS");
        // Many small objects and some large ones, with some that stay among them.
        arena.mutate_root(|mc, root| {
            for i in 0..100_000 {
                root.push(Gc::slice_from_iter(mc, repeat_n(i, 64)));
            }
            for i in 0..400 {
                root.push(Gc::slice_from_iter(mc, repeat_n(i, 16_000)));
            }
        });
        let full = status("VmRSS");
        assert!(
            full - before >= 90 * MIB,
            "{full} bytes are resident after {before}"
        );
        assert!(arena.metrics().statistics().heap_bytes >= 95 * MIB);
        arena.mutate_root(|_, root| {
            let kept: Vec<_> = root.iter().skip(1000).step_by(40_000).copied().collect();
            *root = kept;
        });
        // What was idle for a whole cycle is given back.
        for _ in 0..3 {
            arena.finish_cycle();
        }
        let kept = arena.metrics().total_gc_count();
        let statistics = arena.metrics().statistics();
        assert_eq!(kept, 3);
        assert!(
            statistics.heap_bytes <= 2 * MIB,
            "{} bytes are kept",
            statistics.heap_bytes
        );
        assert!(statistics.peak_heap_bytes >= 95 * MIB);
        let after = status("VmRSS");
        assert!(
            after <= before + 10 * MIB,
            "{after} bytes are resident, after {full}"
        );
        // And there is as much again.
        arena.mutate_root(|mc, root| {
            (0..1000).for_each(|i| root.push(Gc::slice_from_iter(mc, repeat_n(i, 64))));
        });
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 1003);
    }
}
