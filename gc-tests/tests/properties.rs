//! Random programs on a heap that checks itself, against a model heap.
//!
//! `PROPTEST_CASES` sets the number of programs for each test, `PROGRAM_LENGTH` their length.

use gc_core::{HeapOptions, Zeal};
use gc_tests::kind::Kind;
use gc_tests::machine::Machine;
use gc_tests::operation::{Operation, program};
use proptest::prelude::*;

/// How many programs, unless the environment says otherwise.
fn cases(default: u32) -> ProptestConfig {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => default,
    };
    ProptestConfig {
        cases,
        max_shrink_iters: 4000,
        failure_persistence: None,
        ..Default::default()
    }
}

/// How many operations at most, unless the environment says otherwise.
fn length(default: usize) -> usize {
    let length = std::env::var("PROGRAM_LENGTH").ok();
    length.map_or(default, |length| {
        length.parse().expect("PROGRAM_LENGTH is a number")
    })
}

fn run(options: HeapOptions, program: &[Operation], handles_first: bool) -> Machine {
    let mut machine = Machine::new(options).unwrap();
    program.iter().for_each(|operation| machine.step(operation));
    machine.step(&Operation::FinishCycle);
    if handles_first {
        machine.step(&Operation::DropAll);
        machine.step(&Operation::FinishCycle);
    }
    machine
}

proptest! {
    #![proptest_config(cases(48))]

    /// The shared space, all checks, a collection at every safepoint.
    #[test]
    fn a_zealous_heap_is_as_the_model(program in program(length(120)), handles_first: bool) {
        let options = HeapOptions::default().zeal(Zeal::ALL);
        run(options, &program, handles_first).finish(handles_first);
    }

    /// Collections come by themselves, after a few KiB.
    #[test]
    fn a_heap_that_paces_itself_is_as_the_model(
        program in program(length(250)),
        growth in 0..200_u32,
        floor in 0..20_000_usize,
    ) {
        let zeal = Zeal { collect: false, ..Zeal::ALL };
        let options = HeapOptions::default().zeal(zeal).growth(growth).floor(floor);
        run(options, &program, true).finish(true);
    }

    /// An address space of its own, of which a program can use up all.
    #[test]
    fn a_heap_in_a_small_space_is_as_the_model(program in program(length(120))) {
        let options = HeapOptions::default().zeal(Zeal::ALL).reserve(1);
        run(options, &program, false).finish(false);
    }

    /// Allocations fail, and collections make room.
    #[test]
    fn a_limited_heap_is_as_the_model(
        program in program(length(200)),
        blocks in 3..40_usize,
    ) {
        let limit = blocks * (32 << 10);
        let zeal = Zeal { collect: false, ..Zeal::ALL };
        let options = HeapOptions::default().zeal(zeal).limit(limit);
        let mut machine = Machine::new(options).unwrap();
        for operation in &program {
            machine.step(operation);
            let statistics = machine.arena().metrics().statistics();
            prop_assert!(statistics.heap_bytes <= limit && statistics.peak_heap_bytes <= limit);
        }
        machine.step(&Operation::DropAll);
        machine.step(&Operation::FinishCycle);
        let refused = machine.refused();
        // The dynamic root set is in one block; two more are room for this.
        machine.step(&Operation::Allocate { kind: Kind::Bytes(40 << 10), origin: None, slot: None });
        prop_assert_eq!(machine.refused(), refused);
        machine.finish(true);
    }
}
