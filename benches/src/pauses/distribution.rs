//! How times are distributed, and their collecting while the program runs.
//!
//! Times go into a histogram of three significant digits (an HDR histogram), which has a bounded
//! size however many there are; their sum and the longest are kept exactly beside it, which a
//! histogram would round. All times are in nanoseconds.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Bars a decade in the histograms of the report, and quantiles a decade in its curves.
const BARS_A_DECADE: f64 = 8.0;
const QUANTILES_A_DECADE: f64 = 10.0;

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
    /// Ever higher quantiles, from the median to the longest.
    pub curve: Vec<Quantile>,
}

/// A quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// One in so many times is longer. The longest of all is told as one in their number.
    pub one_in: f64,
    /// The time.
    pub time: u64,
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
        Distribution {
            count: self.histogram.len(),
            total: self.total,
            p50: self.quantile(0.5),
            p99: self.quantile(0.99),
            p999: self.quantile(0.999),
            p9999: self.quantile(0.9999),
            max: self.max,
            bars: self.bars(),
            curve: self.curve(),
        }
    }

    fn curve(&self) -> Vec<Quantile> {
        let count = self.histogram.len() as f64;
        // From the first beyond the median.
        let levels = (4..).map(|index| 10f64.powf(f64::from(index) / QUANTILES_A_DECADE));
        let quantiles = [2.0]
            .into_iter()
            .chain(levels)
            .take_while(|&one_in| one_in < count)
            .map(|one_in| Quantile {
                one_in,
                time: self.quantile(1.0 - 1.0 / one_in),
            });
        let longest = Quantile {
            one_in: count.max(2.0),
            time: self.max,
        };
        quantiles.chain([longest]).collect()
    }

    /// The time that this share stays below. The histogram answers with the upper end of a bucket,
    /// which may lie beyond the longest.
    fn quantile(&self, share: f64) -> u64 {
        self.histogram.value_at_quantile(share).min(self.max)
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
    fn the_curve_rises_from_the_median_to_the_longest() {
        let mut times = Times::new().unwrap();
        for time in 1..=100_000 {
            times.record(time).unwrap();
        }
        let distribution = times.distribution();
        let curve = &distribution.curve;
        let (first, last) = (curve[0], curve[curve.len() - 1]);
        assert_eq!((first.one_in, first.time), (2.0, distribution.p50));
        assert_eq!((last.one_in, last.time), (100_000.0, distribution.max));
        assert!(
            curve
                .windows(2)
                .all(|pair| pair[0].one_in < pair[1].one_in && pair[0].time <= pair[1].time)
        );
        let near = curve.iter().find(|quantile| quantile.one_in > 999.0);
        assert!((near.unwrap().time as f64 / 99_900.0 - 1.0).abs() < 0.001);

        let mut one = Times::new().unwrap();
        one.record(7).unwrap();
        let only = Quantile {
            one_in: 2.0,
            time: 7,
        };
        assert_eq!(one.distribution().curve, [only]);
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
