//! What is not in use is given back: by [`Arena::release_unused`], and with `HeapOptions::keep_spare`.

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable, Zeal, shared};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const BLOCK: usize = 32 * KIB;
const MODES: [Mode; 3] = [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent];

type Root<'gc> = Vec<Gc<'gc, [usize]>>;

fn options(mode: Mode) -> HeapOptions {
    HeapOptions::default()
        .mode(mode)
        .concurrent_from(0)
        .zeal(Zeal::NONE)
}

/// Adds slices of all sorts of lengths, which hold their index.
fn fill(arena: &mut Arena<Rootable![Root<'_>]>, count: usize) {
    arena.mutate_root(|mc, root| {
        for index in root.len()..root.len() + count {
            let length = [2, 40, 300, 1100, 2600, 5000, 20_000][index % 7];
            root.push(Gc::slice_from_iter(mc, vec![index; length]));
        }
    });
}

fn check(arena: &mut Arena<Rootable![Root<'_>]>) {
    arena.verify().unwrap();
    arena.mutate(|_, root| {
        for slice in root {
            assert!(slice.iter().all(|word| *word == slice[0]));
        }
    });
}

#[test]
fn empty_blocks_go_and_what_is_alive_stays() {
    for mode in MODES {
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options(mode), |_| Vec::new()).unwrap();
        fill(&mut arena, 700);
        let full = arena.metrics().statistics().heap_bytes;
        arena.mutate_root(|_, root| root.truncate(70));
        let before = arena.metrics().statistics();
        arena.release_unused();
        let after = arena.metrics().statistics();
        assert_eq!(after.collections, before.collections, "it does not collect");
        assert!(after.heap_bytes <= full);
        arena.finish_cycle();
        arena.release_unused();
        let kept = arena.metrics().statistics().heap_bytes;
        assert!(kept < full / 4, "{mode:?}: {kept} of {full}");
        check(&mut arena);
        // And it goes on.
        fill(&mut arena, 700);
        check(&mut arena);
        arena.mutate_root(|_, root| root.clear());
        arena.finish_cycle();
        arena.release_unused();
        assert_eq!(arena.metrics().statistics().heap_bytes, 0, "{mode:?}");
        fill(&mut arena, 7);
        check(&mut arena);
    }
}

/// In the middle of a cycle, wherever it is.
#[test]
fn a_cycle_in_progress_goes_on() {
    for mode in [Mode::Incremental, Mode::Concurrent] {
        let options = options(mode)
            .step(std::time::Duration::from_nanos(1))
            .floor(MIB);
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
        fill(&mut arena, 300);
        let mut seen = [false; 4];
        for round in 0..1500 {
            fill(&mut arena, 1);
            arena.mutate_root(|_, root| _ = root.swap_remove(round % root.len()));
            arena.collect_debt();
            if round % 7 == 0 {
                seen[arena.collection_phase() as usize] = true;
                let collections = arena.metrics().statistics().collections;
                arena.release_unused();
                assert_eq!(arena.metrics().statistics().collections, collections);
            }
        }
        check(&mut arena);
        assert!(arena.metrics().statistics().collections > 1);
        if mode == Mode::Incremental {
            assert!(
                seen[CollectionPhase::Marking as usize] && seen[CollectionPhase::Sweeping as usize]
            );
        }
    }
}

/// What was left of a block that was allocated in is used again.
#[test]
fn a_program_that_calls_it_often_takes_no_more_blocks() {
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(options(Mode::StopTheWorld), |_| Vec::new())
            .unwrap();
    for _ in 0..500 {
        arena.mutate_root(|mc, root| {
            for length in [1, 50, 1100] {
                root.push(Gc::slice_from_iter(mc, vec![0; length]));
            }
        });
        arena.release_unused();
    }
    let statistics = arena.metrics().statistics();
    assert_eq!(statistics.collections, 0);
    let asked: usize = arena.mutate(|_, root| root.iter().map(|slice| slice.len() * 8).sum());
    assert!(
        statistics.heap_bytes <= asked * 5 / 4 + 4 * BLOCK,
        "{asked} bytes in {}",
        statistics.heap_bytes
    );
}

/// The threads of a shared arena go on in their `mutate` calls between.
#[test]
fn other_threads_allocate_meanwhile() {
    type Heap = shared::Arena<Rootable![()]>;
    for mode in MODES {
        let heap = Heap::with_options(options(mode).floor(MIB), |_| ()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..3_usize {
                let heap = &heap;
                scope.spawn(move || {
                    let here = heap.attach();
                    for round in 0..150 {
                        here.mutate(|mc, _| {
                            let slices: Vec<_> = (0..20)
                                .map(|index| mc.allocate([number + index * 10; 1200]))
                                .collect();
                            for (index, slice) in slices.iter().enumerate() {
                                assert!(slice.iter().all(|word| *word == number + index * 10));
                            }
                        });
                        here.collect_debt();
                        if round % 10 == number {
                            here.release_unused();
                        }
                    }
                });
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        here.verify().unwrap();
        here.release_unused();
        assert_eq!(heap.metrics().statistics().heap_bytes, 0);
    }
}

#[test]
fn no_more_is_kept_than_the_option_says() {
    for mode in MODES {
        let heap_bytes = |options: HeapOptions| {
            let mut arena =
                Arena::<Rootable![Root<'_>]>::with_options(options, |_| Vec::new()).unwrap();
            for _ in 0..3 {
                fill(&mut arena, 200);
                arena.mutate_root(|_, root| root.clear());
                arena.finish_cycle();
            }
            arena.metrics().statistics().heap_bytes
        };
        assert!(heap_bytes(options(mode)) >= MIB);
        assert_eq!(heap_bytes(options(mode).keep_spare(0)), 0);
        let some = heap_bytes(options(mode).keep_spare(5 * BLOCK + 1));
        assert_eq!(some, 5 * BLOCK, "{mode:?}");
    }
}
