//! A figure over time in bounded memory, which never loses an extreme.
//!
//! Time is cut into buckets of equal width, and each keeps the least and the greatest value seen
//! in it with their times. When time runs past the last bucket, neighbours are merged and the
//! width doubles. So a run of any length leaves between half and all of the buckets filled, and
//! the greatest value of the whole run is in one of them, at the time it was seen. Means are
//! deliberately not kept: they would hide what this is for.

use serde::{Deserialize, Serialize};

/// Most buckets that a series has. Even.
const BUCKETS: usize = 1024;

/// Width of a bucket at first, in nanoseconds.
const FIRST_WIDTH: u64 = 1 << 17;

/// A value and when it was seen, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub at: u64,
    /// What.
    pub value: u64,
}

/// The extremes of some stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The least value.
    pub min: Point,
    /// The greatest value.
    pub max: Point,
}

impl Bucket {
    fn merge(self, other: Bucket) -> Bucket {
        Bucket {
            min: if other.min.value < self.min.value {
                other.min
            } else {
                self.min
            },
            max: if other.max.value > self.max.value {
                other.max
            } else {
                self.max
            },
        }
    }
}

/// A figure over time.
pub struct Series {
    width: u64,
    buckets: Vec<Option<Bucket>>,
}

impl Default for Series {
    /// A series without values.
    fn default() -> Series {
        Series {
            width: FIRST_WIDTH,
            buckets: Vec::with_capacity(BUCKETS),
        }
    }
}

impl Series {
    /// Takes a value in that was seen at `at`, which may not lie before the last one's time.
    pub fn record(&mut self, at: u64, value: u64) {
        while at / self.width >= BUCKETS as u64 {
            self.widen();
        }
        let index = (at / self.width) as usize;
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, None);
        }
        let point = Point { at, value };
        let bucket = Bucket {
            min: point,
            max: point,
        };
        let place = &mut self.buckets[index];
        *place = Some(place.map_or(bucket, |before| before.merge(bucket)));
    }

    fn widen(&mut self) {
        self.width *= 2;
        self.buckets = self
            .buckets
            .chunks(2)
            .map(|pair| pair.iter().copied().flatten().reduce(Bucket::merge))
            .collect();
    }

    /// The buckets that hold anything, in the order of time.
    pub fn into_buckets(self) -> Vec<Bucket> {
        self.buckets.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_keeps_its_extremes_in_bounded_memory() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut series = Series::default();
        let mut all = Vec::new();
        let mut at = 0;
        for _ in 0..100_000 {
            at += random.u64(0..3_000_000);
            let value = random.u64(..);
            series.record(at, value);
            all.push(Point { at, value });
        }
        let buckets = series.into_buckets();
        assert!(buckets.len() <= BUCKETS && buckets.len() > BUCKETS / 3);
        let greatest = all.iter().max_by_key(|point| point.value).unwrap();
        let least = all.iter().min_by_key(|point| point.value).unwrap();
        assert!(buckets.iter().any(|bucket| bucket.max == *greatest));
        assert!(buckets.iter().any(|bucket| bucket.min == *least));
        assert!(
            buckets
                .windows(2)
                .all(|pair| pair[0].max.at < pair[1].min.at)
        );
    }

    #[test]
    fn a_short_series_is_kept_as_it_is() {
        let mut series = Series::default();
        for index in 0..100 {
            series.record(index * FIRST_WIDTH, index);
        }
        let values: Vec<u64> = series.into_buckets().iter().map(|b| b.max.value).collect();
        assert_eq!(values, (0..100).collect::<Vec<_>>());
    }
}
