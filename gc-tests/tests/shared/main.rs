//! Shared arenas: what several threads do to one heap at the same time, and what the collector must not
//! do meanwhile.
//!
//! Each test runs in several [`Way`]s: at once, in steps, beside the program, with and without a heap that
//! checks itself and collects at every safepoint.

#![allow(
    clippy::type_complexity,
    reason = "the type of a root says what a test is about"
)]

mod cells;
mod failures;
mod lists;
mod roots;
mod snapshot;
mod stopping;
mod threads;
mod trees;
mod weak;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gc_core::arena::{CollectionPhase, Root};
use gc_core::shared::{Arena, Attached};
use gc_core::{Collect, HeapOptions, Mode, Rootable, Zeal};

/// How a heap is collected.
#[derive(Clone, Copy, Debug)]
struct Way {
    mode: Mode,
    step: Duration,
    markers: usize,
    zeal: Zeal,
}

impl Way {
    /// Options with which cycles begin often.
    fn options(self) -> HeapOptions {
        HeapOptions::default()
            .mode(self.mode)
            .step(self.step)
            .markers(self.markers)
            .concurrent_from(0)
            .floor(100 << 10)
            .growth(50)
            .square_root_growth(0)
            .zeal(self.zeal)
    }

    /// Options with which cycles begin only when a test says so, unless the heap is zealous.
    fn seldom(self) -> HeapOptions {
        self.options().floor(1 << 30)
    }

    /// The larger of two sizes if the heap does not check itself, which takes time.
    fn size(self, zealous: usize, otherwise: usize) -> usize {
        if self.zeal == Zeal::NONE {
            otherwise
        } else {
            zealous
        }
    }
}

/// Calls `f` for each way. What a failed test prints ends with the way in which it failed.
fn in_each_way(f: impl Fn(Way)) {
    let modes = [
        (Mode::StopTheWorld, Duration::ZERO, 2),
        (Mode::Incremental, Duration::from_nanos(1), 0),
        (Mode::Concurrent, Duration::ZERO, 1),
        (Mode::Concurrent, Duration::from_nanos(1), 2),
    ];
    for (mode, step, markers) in modes {
        for zeal in [Zeal::NONE, Zeal::ALL] {
            let way = Way {
                mode,
                step,
                markers,
                zeal,
            };
            println!("{way:?}");
            f(way);
        }
    }
}

/// An arena with the given options.
fn arena<R>(
    options: HeapOptions,
    f: impl for<'gc> FnOnce(&'gc gc_core::shared::Mutation<'gc>) -> Root<'gc, R>,
) -> Arena<R>
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a> + Send + Sync + Sized,
{
    Arena::with_options(options, f).unwrap_or_else(|error| panic!("{error}"))
}

/// Calls `f` on so many threads at once, with the number of each.
fn on_threads(count: usize, f: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..count {
            let f = &f;
            scope.spawn(move || f(number));
        }
    });
}

/// Makes a cycle due and calls a safepoint, at which it begins, if none is in progress.
fn begin<R>(here: &Attached<'_, R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let metrics = here.arena().metrics();
    metrics.adjust_debt(1e15);
    here.collect_debt();
    metrics.adjust_debt(f64::NAN);
}

/// Whether marking goes on.
fn is_marking<R>(here: &Attached<'_, R>) -> bool
where
    R: for<'a> Rootable<'a>,
{
    here.arena().collection_phase() == CollectionPhase::Marking
}

/// Says that the heap is as it should be.
fn verify<R>(here: &Attached<'_, R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    here.verify().unwrap_or_else(|error| panic!("{error}"));
}

/// The text with which `f` panics.
fn panic_of<T>(f: impl FnOnce() -> T) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => {
            let text = payload.downcast::<&str>();
            text.expect("a panic without a text").to_string()
        }
    })
}
