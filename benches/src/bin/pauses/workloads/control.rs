//! The machine's own jitter.
//!
//! The same loop of steps with work of about the same length, but with neither collector nor
//! allocation: reads and writes at random places of an array that is touched before the start. A
//! step that takes much longer than the others was interrupted by something that no collector can
//! help: another process, the kernel, the hypervisor, a processor that changed its clock.

use std::hint::black_box;

use anyhow::Result;

use super::{Entry, Look, Totals, Workload};
use crate::options::Size;

/// Words in the array: 32 MiB, more than a core's own caches and less than the large heap.
const WORDS: usize = 4 << 20;

/// Words that each step touches.
const TOUCHES: usize = 200;

pub fn entry() -> Entry {
    Entry::new(
        "control",
        "no collector, no allocation: what the machine itself does to the same loop of steps",
        |size| Ok(Control::new(size)),
    )
}

struct Control {
    words: Vec<u64>,
    random: fastrand::Rng,
    done: u64,
    steps: u64,
}

impl Control {
    fn new(size: Size) -> Control {
        Control {
            // Not zeroes, which the system would hand out without any memory behind them.
            words: (0..WORDS as u64).collect(),
            random: fastrand::Rng::with_seed(1),
            done: 0,
            steps: size.times(3_000_000, 50_000),
        }
    }
}

impl Workload for Control {
    fn work(&mut self) -> Result<bool> {
        let mut sum = self.done;
        for _ in 0..TOUCHES {
            let word = &mut self.words[self.random.usize(..WORDS)];
            sum = sum.rotate_left(7) ^ *word;
            *word = sum;
        }
        black_box(sum);
        self.done += 1;
        Ok(self.done < self.steps)
    }

    fn look(&self) -> Look {
        Look::default()
    }

    fn totals(&self) -> Totals {
        Totals::default()
    }

    fn progress(&self) -> f64 {
        self.done as f64 / self.steps as f64
    }
}
