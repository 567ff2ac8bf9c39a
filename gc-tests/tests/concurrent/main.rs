//! Cycles that last while the program goes on, in an arena of one thread: whatever the program does between the
//! steps, no reachable object is lost, and after a full collection nothing else is left.
//!
//! Each test runs in several [`Way`]s. With the shortest steps, a cycle of the incremental mode lasts for as many
//! safepoints as it can, and each run goes through the same ones; the concurrent mode adds what other threads do
//! meanwhile. A stop-the-world heap passes everything here, if it is right. Arenas of several threads are in `shared`.

mod arenas;
mod arrays;
mod cargo;
mod cells;
mod end;
mod external;
mod failures;
#[cfg(unix)]
mod fork;
mod guarded_tables;
mod guards;
mod limit;
mod moves;
mod owners;
mod phases;
mod roots;
mod weak;
mod weak_reads;

use gc_core::arena::Root;
use gc_core::{Arena, Collect, Rootable};
use gc_tests::cycle::{begin, collections, in_cycle, run_out};
use gc_tests::way::{Way, in_each_way, panic_of};

/// Calls so many safepoints.
fn steps<R>(arena: &mut Arena<R>, count: usize)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    for _ in 0..count {
        arena.collect_debt();
    }
}

/// A number of safepoints between the beginning of a cycle and what a test does in it. Over the
/// rounds, all phases are met: the counts grow slowly, and then fast.
fn delay(round: usize) -> usize {
    if round < 12 {
        round
    } else {
        round * round / 10
    }
}
