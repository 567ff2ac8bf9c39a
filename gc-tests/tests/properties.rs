//! Property tests of the whole heap: random programs on a heap that checks itself, against a model heap, in each mode of
//! collection.
//!
//! `PROPTEST_CASES` sets the number of programs for each test, `PROGRAM_LENGTH` their length. What a failed test prints
//! says which command repeats it.

use std::time::Duration;

use gc_core::{FinalizerMode, HeapOptions, Mode, Zeal};
use gc_tests::kind::Kind;
use gc_tests::machine::Machine;
use gc_tests::operation::{Operation, Path, program};
use gc_tests::seed::{self, config, repeat};
use proptest::prelude::*;

/// How many operations at most, unless the environment says otherwise.
fn length(default: usize) -> usize {
    seed::number("PROGRAM_LENGTH").map_or(default, |length| length as usize)
}

/// What can be chosen about a mode. With the shortest steps, a cycle lasts for as many safepoints as
/// it can; even the smallest heap is collected by another thread, if the mode says so.
fn ways() -> impl Strategy<Value = HeapOptions> {
    let step = prop_oneof![
        2 => Just(Duration::ZERO),
        2 => Just(Duration::from_nanos(1)),
        1 => Just(Duration::from_micros(5)),
        1 => Just(Duration::from_micros(200)),
    ];
    let finalizers = prop_oneof![
        Just(FinalizerMode::AfterCollection),
        Just(FinalizerMode::Manual)
    ];
    (step, 0..3_usize, finalizers).prop_map(|(step, markers, finalizers)| {
        HeapOptions::default()
            .concurrent_from(0)
            .step(step)
            .markers(markers)
            .finalizers(finalizers)
            .finalizer_step(step)
            .soft_idle(u32::MAX)
    })
}

/// How a program ends: with full collections, or just so, and in which order things are dropped.
#[derive(Clone, Copy, Debug)]
struct End {
    collected: bool,
    handles_first: bool,
}

fn end() -> impl Strategy<Value = End> {
    let end = |(collected, handles_first)| End {
        collected,
        handles_first,
    };
    any::<(bool, bool)>().prop_map(end)
}

/// `soft` says that no allocation can fail, and so soft pointers are always kept.
fn run(options: HeapOptions, mode: Mode, program: &[Operation], end: End, soft: bool) {
    let machine = Machine::new(options, mode).unwrap();
    let mut machine = match soft {
        true => machine.with_soft_pointers(),
        false => machine,
    };
    program.iter().for_each(|operation| machine.step(operation));
    if end.collected {
        machine.step(&Operation::FinishCycle);
        if end.handles_first {
            machine.step(&Operation::DropAll);
            machine.step(&Operation::FinishCycle);
        }
    }
    machine.finish(end.handles_first);
}

macro_rules! in_mode {
    ($module:ident, $mode:expr) => {
        mod $module {
            use super::*;

            proptest! {
                #![proptest_config(config(48))]

                /// The shared space, all checks, something to do at every safepoint.
                #[test]
                fn a_zealous_heap_is_as_the_model(
                    _repeat in repeat(),
                    way in ways(),
                    program in program(length(120)),
                    end in end(),
                ) {
                    run(way.zeal(Zeal::ALL), $mode, &program, end, true);
                }

                /// Collections come by themselves, after a few KiB.
                #[test]
                fn a_heap_that_paces_itself_is_as_the_model(
                    _repeat in repeat(),
                    way in ways(),
                    program in program(length(250)),
                    growth in 0..200_u32,
                    floor in 0..20_000_usize,
                    end in end(),
                ) {
                    let zeal = Zeal { collect: false, ..Zeal::ALL };
                    let options = way.zeal(zeal).growth(growth).floor(floor);
                    run(options, $mode, &program, end, true);
                }

                /// No checks, which could hide by their own work what goes wrong without them.
                #[test]
                fn a_heap_left_alone_is_as_the_model(
                    _repeat in repeat(),
                    way in ways(),
                    program in program(length(250)),
                    collect: bool,
                    end in end(),
                ) {
                    let zeal = Zeal { collect, ..Zeal::NONE };
                    run(way.zeal(zeal).floor(10_000), $mode, &program, end, true);
                }

                /// An address space of its own, of which a program can use up all.
                #[test]
                fn a_heap_in_a_small_space_is_as_the_model(
                    _repeat in repeat(),
                    way in ways(),
                    program in program(length(120)),
                    end in end(),
                ) {
                    run(way.zeal(Zeal::ALL).reserve(1), $mode, &program, end, false);
                }

                /// Allocations fail, and collections make room.
                #[test]
                fn a_limited_heap_is_as_the_model(
                    _repeat in repeat(),
                    way in ways(),
                    program in program(length(200)),
                    blocks in 3..40_usize,
                ) {
                    let limit = blocks * (32 << 10);
                    let zeal = Zeal { collect: false, ..Zeal::ALL };
                    let options = way.zeal(zeal).limit(limit);
                    let mut machine = Machine::new(options, $mode).unwrap();
                    for operation in &program {
                        machine.step(operation);
                        let statistics = machine.arena().metrics().statistics();
                        prop_assert!(statistics.heap_bytes <= limit);
                        prop_assert!(statistics.peak_heap_bytes <= limit);
                    }
                    // Finalizers keep what they see until they have run, and resurrect some of it.
                    machine.step(&Operation::DropAll);
                    while machine.finalizers() > 0 {
                        machine.step(&Operation::FinishCycle);
                        machine.step(&Operation::RunFinalizers(usize::MAX));
                        machine.step(&Operation::DropAll);
                    }
                    machine.step(&Operation::FinishCycle);
                    let refused = machine.refused();
                    // The dynamic root set is in one block, and the drawer; two more are room for this.
                    machine.step(&Operation::Allocate {
                        kind: Kind::Bytes(40 << 10),
                        origin: None,
                        slot: None,
                    });
                    prop_assert_eq!(machine.refused(), refused);
                    machine.finish(true);
                }
            }
        }
    };
}

fn allocate(kind: Kind) -> Operation {
    Operation::Allocate {
        kind,
        origin: None,
        slot: None,
    }
}

/// The finalizer of what the last root leads to.
fn finalize_last(machine: &mut Machine, roots: usize, resurrects: bool) {
    let object = Path {
        root: roots - 1,
        steps: Vec::new(),
    };
    machine.step(&Operation::Finalize { object, resurrects });
}

/// A panic leaves finalizers waiting that the collection has found. The next one runs them before it begins, so it frees their
/// objects, unless they resurrect these.
#[test]
fn finalizers_that_a_panic_left_waiting_run_before_the_next_collection() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        for resurrects in [false, true] {
            let mut machine = Machine::new(HeapOptions::default(), mode).unwrap();
            machine.step(&allocate(Kind::TrackedNode));
            finalize_last(&mut machine, 1, resurrects);
            machine.step(&allocate(Kind::Tracked));
            machine.step(&Operation::DropAll);
            machine.step(&Operation::PanicInDrop { finish: true });
            assert_eq!((machine.collections(), machine.finalizers()), (2, 0));
            let count = machine.arena().metrics().total_gc_count();
            assert_eq!(count, if resurrects { 3 } else { 2 });
            machine.finish(true);
        }
    }
}

/// What waits for finalizers fills the heap, so there are two collections at a safepoint, and the finalizers run between
/// them.
#[test]
fn finalizers_run_between_two_collections_of_a_full_heap() {
    for resurrects in [false, true] {
        let options = HeapOptions::default().limit(256 << 10);
        let mut machine = Machine::new(options, Mode::StopTheWorld).unwrap();
        let mut count = 0;
        // The last one is refused, and a collection follows in which the others are alive.
        while machine.refused() == 0 {
            machine.step(&allocate(Kind::Wide));
            if machine.refused() == 0 {
                count += 1;
                finalize_last(&mut machine, count, resurrects && count == 1);
            }
        }
        machine.step(&Operation::DropAll);
        let before = machine.collections();
        // Refused as well.
        machine.step(&allocate(Kind::Wide));
        assert_eq!(machine.refused(), 2);
        assert_eq!(
            (machine.collections() - before, machine.finalizers()),
            (2, 0)
        );
        let left = machine.arena().metrics().total_gc_count();
        assert_eq!(left, if resurrects { 3 } else { 2 });
        machine.finish(false);
    }
}

in_mode!(stop_the_world, Mode::StopTheWorld);
in_mode!(incremental, Mode::Incremental);
in_mode!(concurrent, Mode::Concurrent);
