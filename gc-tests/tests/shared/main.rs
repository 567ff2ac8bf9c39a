//! Shared arenas: what several threads do to one heap at the same time, and what the collector must not do meanwhile.
//!
//! Each test runs in several [`Way`]s: stop-the-world, in steps, concurrently, with and without a heap that checks
//! itself and collects at every safepoint.

#![allow(
    clippy::type_complexity,
    reason = "the type of a root says what a test is about"
)]

mod builders;
mod cells;
mod destructors;
mod failures;
mod guards;
mod kinds;
mod lists;
mod polled;
mod references;
mod roots;
mod shapes;
mod snapshot;
mod stopping;
mod threads;
mod trees;
mod weak;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};

use gc_core::arena::{CollectionPhase, Root};
use gc_core::collect::Trace;
use gc_core::shared::{Arena, Attached};
use gc_core::{Collect, HeapOptions, Rootable};
use gc_tests::child::{LONG, in_time};
use gc_tests::way::{Way, in_each_way, panic_of};

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

/// Its `trace` has another thread do something, once, and waits for that.
struct Meddling(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Meddling {
    fn new(ask: Sender<()>, answer: Receiver<()>) -> Meddling {
        Meddling(Mutex::new(Some((ask, answer))))
    }

    /// One that does so only after [`Meddling::begin`].
    fn idle() -> Meddling {
        Meddling(Mutex::new(None))
    }

    fn begin(&self, ask: Sender<()>, answer: Receiver<()>) {
        *self.0.lock().unwrap() = Some((ask, answer));
    }

    fn ask(&self) {
        if let Some((ask, answer)) = self.0.lock().unwrap().take() {
            ask.send(()).unwrap();
            let answered = answer.recv_timeout(LONG / 2);
            answered.expect("the other thread waits for this one");
        }
    }
}

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Meddling {
    const NEEDS_TRACE: bool = true;

    fn trace<T: Trace<'gc>>(&self, _: &mut T) {
        self.ask();
    }
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
