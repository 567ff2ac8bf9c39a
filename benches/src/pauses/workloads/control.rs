//! The machine's own jitter.
//!
//! The same loop of steps with work of about the same length, but with neither collector nor
//! allocation: reads and writes at random places of an array that is touched before the start. A
//! step that takes much longer than the others was interrupted by something that no collector can
//! help: another process, the kernel, the hypervisor, a processor that changed its clock.
//!
//! It lasts as long as the churn of the large heap, so that their longest steps compare. A variant
//! has a neighbour: a second thread that reads at random all over a large memory, as a thread that
//! marks does. What that costs the first thread, no concurrent collector can spare it either.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Entry, Kind, Look, Totals, Workload};
use crate::pauses::plan::Plan;

/// Words in the array: 32 MiB, more than a core's own caches and less than the large heap.
const WORDS: usize = 4 << 20;

/// Words that each step touches.
const TOUCHES: usize = 200;

/// Words that the neighbour reads: as many bytes as the large heap keeps alive, about.
const NEIGHBOURS: usize = 40 << 20;

/// Words that the neighbour reads between two looks whether it is to end.
const READS: usize = 10_000;

pub fn entry() -> Entry {
    Entry::new(
        "control",
        "no collector, no allocation: what the machine itself does to the same loop of steps",
        |plan| Ok(Control::new(plan)),
    )
    .of(Kind::Control)
}

pub fn busy_entry() -> Entry {
    Entry::new(
        "control-busy",
        "the control beside a second thread that reads memory at random, as a marker would",
        |plan| {
            Ok(Control {
                neighbour: Some(Neighbour::new(plan)?),
                ..Control::new(plan)
            })
        },
    )
    .variant_of("control", "busy neighbour")
    .of(Kind::Control)
}

/// A thread that reads memory until it is dropped.
struct Neighbour {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbour {
    fn new(plan: Plan) -> Result<Neighbour> {
        // Written here, so that no page of it is handed out while somebody measures.
        let words: Vec<u64> = (0..plan.pick(NEIGHBOURS, WORDS) as u64).collect();
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let thread = thread::Builder::new()
            .name("neighbour".to_owned())
            .spawn(move || {
                let mut random = fastrand::Rng::with_seed(2);
                let mut sum = 0u64;
                // Relaxed: nothing is handed over but the flag itself.
                while !told.load(Relaxed) {
                    for _ in 0..READS {
                        sum = sum.wrapping_add(words[random.usize(..words.len())]);
                    }
                }
                black_box(sum);
            })
            .context("cannot start a second thread")?;
        Ok(Neighbour {
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Relaxed: see the loop of the thread.
        self.is_over.store(true, Relaxed);
        // It reads and adds, and neither can panic.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Control {
    words: Vec<u64>,
    random: fastrand::Rng,
    sum: u64,
    duration: Duration,
    neighbour: Option<Neighbour>,
}

impl Control {
    fn new(plan: Plan) -> Control {
        Control {
            // Not zeroes, which the system would hand out without any memory behind them.
            words: (0..WORDS as u64).collect(),
            random: fastrand::Rng::with_seed(1),
            sum: 0,
            duration: plan.duration(),
            neighbour: None,
        }
    }
}

impl Workload for Control {
    fn duration(&self) -> Option<Duration> {
        Some(self.duration)
    }

    fn work(&mut self) -> Result<bool> {
        let mut sum = self.sum;
        for _ in 0..TOUCHES {
            let word = &mut self.words[self.random.usize(..WORDS)];
            sum = sum.rotate_left(7) ^ *word;
            *word = sum;
        }
        self.sum = black_box(sum);
        Ok(true)
    }

    fn look(&self) -> Look {
        Look::default()
    }

    fn totals(&self) -> Totals {
        Totals::default()
    }

    fn check(&self) -> Result<()> {
        let is_busy = |neighbour: &Neighbour| {
            let thread = neighbour.thread.as_ref();
            thread.is_some_and(|thread| !thread.is_finished())
        };
        anyhow::ensure!(
            self.neighbour.as_ref().is_none_or(is_busy),
            "the neighbour ended too early"
        );
        Ok(())
    }
}
