//! One operation of the collector many times over, and nothing else: for counting instructions.
//!
//! ```sh
//! cargo build --release --bin operations
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/operations allocate 1000000
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/operations allocate 2000000
//! ```
//!
//! The difference of the two totals, divided by a million, is what one operation costs, with its
//! share of the slow paths and two or three instructions of the loop.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::hint::black_box;

use clap::{Parser, ValueEnum};
use gc_core::arena::rootless_mutate;
use gc_core::{Collect, Gc, Lock, Mutation};

/// Does one operation a number of times.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// What to do
    #[arg(value_enum)]
    operation: Operation,
    /// How often
    times: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Operation {
    /// Allocate a node of two pointers
    Allocate,
    /// Store into a `Lock`, through the write barrier
    Store,
    /// Store into a `Cell`, for comparison
    PlainStore,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
}

type Slot<'gc> = Gc<'gc, Lock<Option<Gc<'gc, u64>>>>;

#[inline(never)]
fn allocate<'gc>(mc: &Mutation<'gc>, times: usize) {
    let mut left = None;
    for _ in 0..times {
        left = Some(Gc::new(mc, Node { left, right: None }));
    }
    black_box(left.map(|node| (node.left, node.right)));
}

#[inline(never)]
fn store<'gc>(mc: &Mutation<'gc>, slot: Slot<'gc>, times: usize) {
    for _ in 0..times {
        black_box(slot).set(mc, None);
    }
}

#[inline(never)]
fn plain_store(cell: &Cell<Option<u64>>, times: usize) {
    for _ in 0..times {
        black_box(cell).set(None);
    }
}

fn main() {
    let Options { operation, times } = Options::parse();
    rootless_mutate(|mc| match operation {
        Operation::Allocate => allocate(mc, times),
        Operation::Store => store(mc, Gc::new(mc, Lock::new(None)), times),
        Operation::PlainStore => plain_store(&Cell::new(None), times),
    });
}
