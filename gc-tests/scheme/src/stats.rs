//! `--gc-stats`: what the collector did.

use std::time::{Duration, Instant};

use gc_scheme::Interpreter;

/// The pauses of a run.
#[derive(Default)]
pub(crate) struct Pauses {
    durations: Vec<Duration>,
}

impl Pauses {
    /// Lets the collector work, and notes how long if it collected.
    pub(crate) fn collect(&mut self, scheme: &mut Interpreter) {
        let before = scheme.metrics().statistics().collections;
        let start = Instant::now();
        scheme.collect_debt();
        let duration = start.elapsed();
        if scheme.metrics().statistics().collections != before {
            self.durations.push(duration);
        }
    }

    fn percentile(&self, percent: usize) -> Duration {
        match self.durations.len() {
            0 => Duration::ZERO,
            n => self.durations[(n - 1) * percent / 100],
        }
    }

    /// Prints everything to standard error.
    pub(crate) fn print(&mut self, scheme: &Interpreter) {
        self.durations.sort_unstable();
        let statistics = scheme.metrics().statistics();
        eprintln!("collections:     {}", statistics.collections);
        eprintln!("collection time: {:.3?}", statistics.collection_time);
        eprintln!(
            "pauses:          p50 {:.3?}, p99 {:.3?}, max {:.3?}",
            self.percentile(50),
            self.percentile(99),
            self.percentile(100)
        );
        eprintln!("allocated:       {} bytes", statistics.allocated_bytes);
        eprintln!(
            "live:            {} bytes after the last collection",
            statistics.live_bytes
        );
        eprintln!(
            "heap:            {} bytes, peak {}",
            statistics.heap_bytes, statistics.peak_heap_bytes
        );
    }
}
