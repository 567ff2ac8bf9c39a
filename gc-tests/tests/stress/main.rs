//! A stress program: threads with an arena each, of random modes and options, do random things to
//! graphs, and compare what they find with what plain Rust structures know of the same graphs. A new sort of object
//! goes into [`graph`], a new operation into [`life`].
//!
//! ```sh
//! cargo test -p gc-tests --test stress
//! GC_STRESS_SECONDS=60 GC_STRESS_THREADS=8 cargo test --release -p gc-tests --test stress
//! GC_STRESS_SEED=... GC_STRESS_THREADS=1 GC_STRESS_SECONDS=600 cargo test -p gc-tests --test stress
//! ```
//!
//! With `GC_STRESS_CROWDS=1` all arenas are shared by several threads, with `0` none.
//!
//! It has no test harness and uses no lock of the standard library while its threads run, so that it
//! can run under ThreadSanitizer; what is suppressed says why:
//!
//! ```sh
//! TSAN_OPTIONS="suppressions=$PWD/gc-tests/tests/stress/tsan.supp" \
//! RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" cargo +nightly test \
//!     -p gc-tests --test stress --target x86_64-unknown-linux-gnu
//! ```
//!
//! A thread works in *lives*: each begins with a seed, from which follow the options of an arena
//! and all that is done to it. Whatever fails is reported by the main thread after all threads have
//! come back, with the seed of the life and the number of the operation in it; with `GC_STRESS_SEED` the
//! first thread begins with that life. (In the concurrent mode the same life can end differently.)
//!
//! The modules: [`graph`] is what the objects are, [`shadow`] what is known of them, [`life`] one arena
//! from its beginning to its end, [`plan`] how it is set up. Some lives are those of a [`crowd`]: of several
//! threads in one shared arena.

mod crowd;
mod graph;
mod life;
mod plan;
mod shadow;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gc_tests::random::Random;
use gc_tests::seed::{self, number};

use crate::life::Life;
use crate::plan::Plan;

/// What a thread has done.
#[derive(Default)]
struct Report {
    lives: u64,
    operations: u64,
    collections: u64,
    failure: Option<String>,
}

/// Says that the time is over, or that another thread failed.
static STOP: AtomicBool = AtomicBool::new(false);

/// Lives one life after another.
fn work(first: u64, end: Instant) -> Report {
    let mut report = Report::default();
    let mut seeds = Random::new(first);
    let mut seed = first;
    // Relaxed: it says nothing of other memory.
    while Instant::now() < end && !STOP.load(Ordering::Relaxed) {
        let plan = Plan::new(seed);
        let mut operations = 0;
        let result = catch_unwind(AssertUnwindSafe(|| {
            if plan.crowd {
                operations = plan.length;
                // Relaxed: it says nothing of other memory.
                let stop = || STOP.load(Ordering::Relaxed) || Instant::now() >= end;
                return crowd::live(&plan, stop);
            }
            let mut life = Life::new(&plan);
            while operations < plan.length && !STOP.load(Ordering::Relaxed) {
                // A clock is not asked at each operation.
                if operations % 64 == 0 && Instant::now() >= end {
                    break;
                }
                life.step();
                operations += 1;
            }
            life.finish()
        }));
        report.lives += 1;
        report.operations += operations;
        match result {
            Ok(collections) => report.collections += collections,
            Err(payload) => {
                let text = match payload.downcast::<String>() {
                    Ok(text) => *text,
                    Err(payload) => payload
                        .downcast::<&str>()
                        .map_or("a panic without a text".to_string(), |text| {
                            text.to_string()
                        }),
                };
                let repeat = seed::command(&[
                    ("GC_STRESS_SEED", seed),
                    ("GC_STRESS_THREADS", 1),
                    ("GC_STRESS_SECONDS", 600),
                ]);
                report.failure = Some(format!(
                    "operation {operations} of the life with seed {seed}: {text}\n  {plan:?}\n  to repeat it: {repeat}"
                ));
                STOP.store(true, Ordering::Relaxed);
                break;
            }
        }
        seed = seeds.number();
    }
    report
}

fn main() -> ExitCode {
    // Whoever only asks for a list of tests gets none.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let seconds = number("GC_STRESS_SECONDS").unwrap_or(5);
    let threads = number("GC_STRESS_THREADS").unwrap_or(8);
    let seed = number("GC_STRESS_SEED").unwrap_or_else(seed::any);
    println!("stress: {threads} threads, {seconds} s, GC_STRESS_SEED={seed}");
    // The usual hook prints, and takes locks for it; the panics are reported below. Some are a part of
    // the program.
    std::panic::set_hook(Box::new(|_| {}));
    // What all heaps of a process share is made before there are threads that could be the first.
    gc_core::arena::rootless_mutate(|mc| _ = gc_core::Gc::new(mc, 0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let first = seed.wrapping_add(thread.wrapping_mul(0x1_0000_0001));
            std::thread::spawn(move || work(first, end))
        })
        .collect();
    let reports: Vec<Report> = workers
        .into_iter()
        .map(|worker| {
            worker.join().unwrap_or_else(|_| Report {
                failure: Some("a thread ended outside of a life".to_string()),
                ..Report::default()
            })
        })
        .collect();
    let sum = |part: fn(&Report) -> u64| reports.iter().map(part).sum::<u64>();
    println!(
        "stress: {} lives, {} operations, {} collections",
        sum(|report| report.lives),
        sum(|report| report.operations),
        sum(|report| report.collections),
    );
    let failures: Vec<&String> = reports
        .iter()
        .filter_map(|report| report.failure.as_ref())
        .collect();
    for failure in &failures {
        eprintln!("stress: {failure}");
    }
    match failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
