//! One workload, step by step, in the measuring process.
//!
//! The clock is read three times a step: before the work, between work and collector, and after.
//! What the measurement itself does (histograms, series, progress) lies between the steps, so it
//! lengthens the run's wall time a little but no step; only a look at the collector's figures after
//! the work is within. The heap's size is noted at each collection
//! and otherwise every few milliseconds.
//!
//! Where a workload has no collector, what is counted as a pause is an *interruption*: by how much
//! a step exceeded the median step, if by more than a threshold. The median is taken from the
//! first steps, which are themselves not judged.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gc_benches::resident;
use serde::{Deserialize, Serialize};

use crate::distribution::Times;
use crate::options::Size;
use crate::outcome::Outcome;
use crate::series::Series;
use crate::workloads::{Entry, Look, Workload};

/// How often the heap's size is noted and progress is reported, at most.
const NOTE_EVERY: Duration = Duration::from_millis(5);
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Steps from which the control's median is taken.
const CALIBRATION: u64 = 1000;

/// What a step of the control must exceed the median by to count as interrupted.
pub const INTERRUPTION: Duration = Duration::from_micros(10);

/// What a measuring process prints, one on each line.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// The share of the work that is done, from 0 to 1.
    Progress(f64),
    /// The end, with the outcome.
    Done(Box<Outcome>),
}

/// Runs the workload and prints [`Message`]s.
pub fn as_child(entry: &Entry, size: Size) -> Result<()> {
    let mut workload =
        (entry.make)(size).with_context(|| format!("cannot set {} up", entry.name))?;
    let outcome = measure(entry, workload.as_mut(), |progress| {
        println!("{}", serde_json::to_string(&Message::Progress(progress))?);
        Ok(())
    })?;
    println!(
        "{}",
        serde_json::to_string(&Message::Done(Box::new(outcome)))?
    );
    Ok(())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The heap's size over time, and how much of it objects take.
struct Memory {
    heap: Series,
    objects: Series,
    /// Bytes ever allocated when the last collection ended.
    allocated_then: u64,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            heap: Series::new(),
            objects: Series::new(),
            allocated_then: 0,
        }
    }

    /// Notes how the collector stood.
    fn note(&mut self, at: u64, look: &Look) {
        if let Some(heap) = look.heap {
            self.heap.record(at, heap);
        }
        if let (Some(live), Some(allocated)) = (look.live, look.allocated) {
            self.objects
                .record(at, live + allocated.saturating_sub(self.allocated_then));
        }
    }

    /// Notes that all that was allocated until now counts by what survived.
    fn collected(&mut self, allocated: Option<u64>) {
        self.allocated_then = allocated.unwrap_or(0);
    }
}

/// Runs `workload` to its end and sums it up.
fn measure(
    entry: &Entry,
    workload: &mut dyn Workload,
    mut progress: impl FnMut(f64) -> Result<()>,
) -> Result<Outcome> {
    let mut steps = Times::new()?;
    let mut pauses = Times::new()?;
    let mut pauses_over_time = Series::new();
    let mut memory = Memory::new();

    let mut usual = None;
    let start = Instant::now();
    let mut next_note = start;
    let mut next_progress = start;
    let mut end;
    loop {
        let begin = Instant::now();
        let more = workload
            .work()
            .with_context(|| format!("{} failed", entry.name))?;
        let before = workload.look();
        let worked = Instant::now();
        workload.collect();
        end = Instant::now();

        let now = workload.look();
        let collected = now.collections != before.collections;
        let step = nanoseconds(end - begin);
        steps.record(step)?;

        if collected {
            let (at, pause) = (nanoseconds(worked - start), nanoseconds(end - worked));
            pauses.record(pause)?;
            pauses_over_time.record(at, pause);
        } else if now.collections.is_none() {
            match usual {
                None if steps.count() >= CALIBRATION => usual = Some(steps.median()),
                None => {}
                Some(usual) => {
                    let excess = step.saturating_sub(usual);
                    if excess > nanoseconds(INTERRUPTION) {
                        pauses.record(excess)?;
                        pauses_over_time.record(nanoseconds(begin - start), excess);
                    }
                }
            }
        }

        if collected || end >= next_note || !more {
            next_note = end + NOTE_EVERY;
            if collected {
                memory.note(nanoseconds(worked - start), &before);
                memory.collected(now.allocated);
            }
            memory.note(nanoseconds(end - start), &now);
        }

        if !more {
            break;
        }
        if end >= next_progress {
            next_progress = end + PROGRESS_EVERY;
            progress(workload.progress())?;
        }
    }

    // The peak before the check, which may need memory of its own.
    let (totals, peak_resident) = (workload.totals(), resident::peak());
    workload
        .check()
        .with_context(|| format!("{} came to a wrong end", entry.name))?;
    Ok(Outcome {
        name: entry.name.clone(),
        about: entry.about.clone(),
        wall: nanoseconds(end - start),
        collections: workload.look().collections,
        pauses: pauses.distribution(),
        steps: steps.distribution(),
        allocated: totals.allocated,
        objects: totals.objects,
        peak_heap: totals.peak_heap,
        peak_resident,
        pauses_over_time: pauses_over_time.into_buckets(),
        heap_over_time: memory.heap.into_buckets(),
        objects_over_time: memory.objects.into_buckets(),
    })
}
