//! One workload, step by step, in the measuring process.
//!
//! The clock is read three times a step: before the work, between work and collector, and after.
//! What the measurement itself does (histograms, series, progress) lies between the steps, so it
//! lengthens the run's wall time a little but no step; only a look at the collector's figures after
//! the work is within. The heap's size is noted at each collection
//! and otherwise every few milliseconds.
//!
//! A *pause* is a call of the collector that took longer than [`NOTICEABLE`], or in which a
//! collection ended. What takes less cannot be told from a call in which there was nothing to do
//! and the clock was read; the steps hold it all the same.
//!
//! In a control, what is counted as a pause is an *interruption*: by how much a step exceeded the
//! median step, if by more than a threshold. The median is taken from the first steps, which are
//! themselves not judged.
//!
//! A workload that builds a heap before it does what it is about is measured in two parts, with
//! distributions of their own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::distribution::Times;
use super::outcome::{Kind, Outcome, Part};
use super::series::Series;
use super::utilisation::Utilisation;
use super::workloads::{Look, Row, Workload};
use crate::resident;

/// How often the heap's size is noted and progress is reported, at most.
const NOTE_EVERY: Duration = Duration::from_millis(5);
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Steps from which the control's median is taken.
const CALIBRATION: u64 = 1000;

/// What a step of the control must exceed the median by to count as interrupted.
pub const INTERRUPTION: Duration = Duration::from_micros(10);

/// What a call of the collector must take to count as a pause.
pub const NOTICEABLE: Duration = Duration::from_micros(1);

/// What a measuring process prints, one on each line.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// The share of the work that is done, from 0 to 1.
    Progress(f64),
    /// The end, with the outcome.
    Done(Box<Outcome>),
}

/// Runs the row's workload and prints [`Message`]s.
pub fn as_child(row: &Row) -> Result<()> {
    let outcome = measure(row, |progress| {
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

/// A part of the run as it is measured.
struct Recording {
    start: Instant,
    collections: Option<u64>,
    allocated: Option<u64>,
    objects: Option<u64>,
    steps_in_cycle: u64,
    steps: Times,
    pauses: Times,
    utilisation: Utilisation,
}

impl Recording {
    /// A part that begins now.
    fn begin(workload: &dyn Workload) -> Result<Recording> {
        let (look, totals) = (workload.look(), workload.totals());
        Ok(Recording {
            collections: look.collections,
            allocated: totals.allocated,
            objects: totals.objects,
            steps_in_cycle: 0,
            steps: Times::new()?,
            pauses: Times::new()?,
            utilisation: Utilisation::default(),
            start: Instant::now(),
        })
    }

    /// The part that ended at `end`.
    fn end(self, end: Instant, workload: &dyn Workload) -> Part {
        let (look, totals) = (workload.look(), workload.totals());
        let since = |now: Option<u64>, then: Option<u64>| Some(now? - then?);
        Part {
            wall: nanoseconds(end - self.start),
            collections: since(look.collections, self.collections),
            steps_in_cycle: look.is_in_cycle.map(|_| self.steps_in_cycle),
            pauses: self.pauses.distribution(),
            steps: self.steps.distribution(),
            utilisation: self.utilisation.curve(),
            allocated: since(totals.allocated, self.allocated),
            objects: since(totals.objects, self.objects),
        }
    }
}

/// The heap's size over time, and how much of it objects take.
struct Memory {
    heap: Series,
    objects: Series,
    /// Bytes ever allocated when the last collection ended.
    allocated_then: u64,
    /// The most bytes that survived a collection.
    most_live: Option<u64>,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            heap: Series::default(),
            objects: Series::default(),
            allocated_then: 0,
            most_live: None,
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
    fn collected(&mut self, look: &Look) {
        self.allocated_then = look.allocated.unwrap_or(0);
        self.most_live = self.most_live.max(look.live);
    }
}

/// Runs the workload of `row` to its end and sums it up. Every now and then `progress` is told the
/// share of the work that is done.
pub fn measure(row: &Row, mut progress: impl FnMut(f64) -> Result<()>) -> Result<Outcome> {
    let mut workload =
        (row.entry.make)(row.plan).with_context(|| format!("cannot set {} up", row.title()))?;
    let workload = workload.as_mut();
    let is_control = row.entry.kind == Kind::Control;
    let duration = workload.duration();
    let mut pauses_over_time = Series::default();
    let mut memory = Memory::new();

    let mut usual = None;
    let start = Instant::now();
    let mut next_note = start;
    let mut next_progress = start;
    let mut end;
    let mut builds = workload.is_building();
    let mut building = None;
    let mut part = Recording::begin(workload)?;
    loop {
        let begin = Instant::now();
        let more = workload
            .work()
            .with_context(|| format!("{} failed", row.title()))?;
        let before = workload.look();
        let worked = Instant::now();
        workload.collect();
        end = Instant::now();

        let now = workload.look();
        let collected = now.collections != before.collections;
        let (step, call) = (nanoseconds(end - begin), nanoseconds(end - worked));
        part.steps.record(step)?;
        part.steps_in_cycle += u64::from(now.is_in_cycle == Some(true));

        if is_control {
            match usual {
                None if part.steps.count() >= CALIBRATION => usual = Some(part.steps.median()),
                None => {}
                Some(usual) => {
                    let excess = step.saturating_sub(usual);
                    let is_interrupted = excess > nanoseconds(INTERRUPTION);
                    if is_interrupted {
                        part.pauses.record(excess)?;
                        pauses_over_time.record(nanoseconds(begin - start), excess);
                    }
                    let interruption = if is_interrupted { excess } else { 0 };
                    part.utilisation.record(step - interruption, interruption);
                }
            }
        } else {
            part.utilisation.record(step - call, call);
            if collected || call > nanoseconds(NOTICEABLE) {
                part.pauses.record(call)?;
                pauses_over_time.record(nanoseconds(worked - start), call);
            }
        }

        let is_over =
            !more || (!builds && duration.is_some_and(|duration| end - part.start >= duration));
        if collected || end >= next_note || is_over {
            next_note = end + NOTE_EVERY;
            if collected {
                memory.note(nanoseconds(worked - start), &before);
                memory.collected(&now);
            }
            memory.note(nanoseconds(end - start), &now);
        }

        if is_over {
            break;
        }
        if end >= next_progress {
            next_progress = end + PROGRESS_EVERY;
            progress(match duration {
                Some(_) if builds => 0.0,
                Some(duration) => (end - part.start).div_duration_f64(duration),
                None => workload.progress(),
            })?;
        }
        if builds && !workload.is_building() {
            builds = false;
            let built = std::mem::replace(&mut part, Recording::begin(workload)?);
            building = Some(built.end(end, workload));
        }
    }

    // The peak before the check, which may need memory of its own.
    let (totals, peak_resident) = (workload.totals(), resident::peak());
    let run = part.end(end, workload);
    workload
        .check()
        .with_context(|| format!("{} came to a wrong end", row.title()))?;
    Ok(Outcome {
        name: row.title(),
        workload: row.entry.name.clone(),
        kind: row.entry.kind,
        mode: row.plan.mode,
        live_asked: row.plan.live,
        about: row.entry.about.clone(),
        whole: nanoseconds(end - start),
        building,
        run,
        live: totals.live.or(memory.most_live),
        peak_heap: totals.peak_heap,
        peak_resident,
        pauses_over_time: pauses_over_time.into_buckets(),
        heap_over_time: memory.heap.into_buckets(),
        objects_over_time: memory.objects.into_buckets(),
    })
}
