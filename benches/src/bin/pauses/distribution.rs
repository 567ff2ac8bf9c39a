//! How times are distributed, and their collecting while the program runs.
//!
//! Times go into a histogram of three significant digits (an HDR histogram), which has a bounded
//! size however many there are; their sum and the longest are kept exactly beside it, which a
//! histogram would round. All times are in nanoseconds.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Bars a decade in the histograms of the report.
const BARS_A_DECADE: f64 = 8.0;

/// Times, summed up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total: u64,
    /// The time that half of them stay below.
    pub p50: u64,
    /// The time that 99 in 100 stay below.
    pub p99: u64,
    /// The time that 999 in 1000 stay below.
    pub p999: u64,
    /// The time that 9999 in 10000 stay below.
    pub p9999: u64,
    /// The longest, exactly.
    pub max: u64,
    /// How many fell between which times, in steps of equal ratio, empty ones left out.
    pub bars: Vec<Bar>,
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Shortest time, inclusive.
    pub from: f64,
    /// Longest time, exclusive.
    pub to: f64,
    /// How many.
    pub count: u64,
}

/// Times as they are taken.
pub struct Times {
    histogram: Histogram<u64>,
    total: u64,
    max: u64,
}

impl Times {
    /// No times yet.
    pub fn new() -> anyhow::Result<Times> {
        Ok(Times {
            histogram: Histogram::new(3)?,
            total: 0,
            max: 0,
        })
    }

    /// Takes one more time in.
    ///
    /// # Errors
    ///
    /// If the histogram, which grows with the greatest time, can grow no further.
    pub fn record(&mut self, time: u64) -> anyhow::Result<()> {
        self.histogram.record(time.max(1))?;
        self.total += time;
        self.max = self.max.max(time);
        Ok(())
    }

    /// How many were taken in.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The median so far.
    pub fn median(&self) -> u64 {
        self.histogram.value_at_quantile(0.5)
    }

    /// The times summed up.
    pub fn distribution(&self) -> Distribution {
        if self.histogram.is_empty() {
            return Distribution::default();
        }
        // The histogram answers with the upper end of a bucket, which may lie beyond the longest.
        let quantile = |q| self.histogram.value_at_quantile(q).min(self.max);
        Distribution {
            count: self.histogram.len(),
            total: self.total,
            p50: quantile(0.5),
            p99: quantile(0.99),
            p999: quantile(0.999),
            p9999: quantile(0.9999),
            max: self.max,
            bars: self.bars(),
        }
    }

    fn bars(&self) -> Vec<Bar> {
        let edge = |index: i32| 10f64.powf(f64::from(index) / BARS_A_DECADE);
        let mut bars: Vec<(i32, u64)> = Vec::new();
        for recorded in self.histogram.iter_recorded() {
            let time = recorded.value_iterated_to() as f64;
            let index = (time.log10() * BARS_A_DECADE).floor() as i32;
            let count = recorded.count_since_last_iteration();
            match bars.last_mut() {
                Some((last, sum)) if *last == index => *sum += count,
                _ => bars.push((index, count)),
            }
        }
        bars.into_iter()
            .map(|(index, count)| Bar {
                from: edge(index),
                to: edge(index + 1),
                count,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_times_have_no_bars() {
        let distribution = Times::new().unwrap().distribution();
        assert_eq!((distribution.count, distribution.max), (0, 0));
        assert!(distribution.bars.is_empty());
    }

    #[test]
    fn quantiles_and_maximum_are_those_of_the_times() {
        let mut times = Times::new().unwrap();
        for time in 1..=1000 {
            times.record(time).unwrap();
        }
        times.record(123_456_789).unwrap();
        let distribution = times.distribution();
        assert_eq!(distribution.count, 1001);
        assert_eq!(distribution.p50, 501);
        assert_eq!(distribution.max, 123_456_789, "the maximum is not rounded");
        assert_eq!(distribution.total, 500_500 + 123_456_789);
    }

    #[test]
    fn bars_hold_each_time_once_and_do_not_overlap() {
        let mut times = Times::new().unwrap();
        for time in (0..100_000).step_by(7) {
            times.record(time).unwrap();
        }
        let bars = times.distribution().bars;
        assert_eq!(
            bars.iter().map(|bar| bar.count).sum::<u64>(),
            100_000u64.div_ceil(7)
        );
        assert!(
            bars.windows(2)
                .all(|pair| pair[0].to <= pair[1].from * 1.000_001)
        );
    }
}
