//! Minimum mutator utilisation: the least share of any window of time that the program had for itself.
//!
//! A percentile of pauses does not see that they come in clusters. The minimum mutator utilisation (Cheng and Blelloch,
//! 2001) does: for a window of a given length, it is the share of it that the collector left to the program, where the
//! window lies at its worst.
//!
//! Time is that of the steps: what the measurement does between them is left out, as if it took no time. So nothing that
//! is not the program's counts as the program's.
//!
//! **Pieces.** Every call of the collector counts, the short ones too. What lies close together is merged: a *piece* is
//! a call, or several whose first begins and whose last ends within `MERGED`, with the sum of their time. A window
//! that cuts a piece is charged for as much of this sum as fits into the part within, as if the calls had crowded there.
//! So utilisation is never overstated, and understated by at most `MERGED` for each window; calls longer than `MERGED`
//! are exact.
//!
//! **The worst windows** end with the time of a piece, or begin with the run. Take any window. If it ends within the
//! time of a piece, move it on until that time is over: what comes in at its end is all the collector's, so it loses
//! nothing. If it ends elsewhere, move it back until it ends with the time of a piece or begins with the run: what it
//! gives up at its end is all the program's. So one look for each piece and length of window is enough, when the piece is
//! over, and pieces that ended before the longest window are forgotten: the memory is bounded, however long the run is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The shortest window, in nanoseconds.
const SHORTEST: u64 = 100_000;
/// Decades from the shortest to the longest, and windows in each.
const DECADES: u32 = 4;
const WINDOWS_A_DECADE: u32 = 8;

/// Calls that lie within so many nanoseconds are merged.
const MERGED: u64 = SHORTEST / 20;

/// The minimum utilisation for one length of window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Least {
    /// The window, in nanoseconds.
    pub window: u64,
    /// The program's share of it, from 0 to 1.
    pub share: f64,
}

/// Calls of the collector that were merged.
#[derive(Clone, Copy)]
struct Piece {
    /// When the first begins and the last ends.
    start: u64,
    end: u64,
    /// The sum of their time.
    busy: u64,
    /// The sum of the time of all pieces before.
    before: u64,
}

impl Piece {
    /// How much of the collector's time until the end of this piece is before `time`, which is before this end: as
    /// little as the piece allows, since what a window leaves behind is so much less in it.
    fn before(&self, time: u64) -> u64 {
        self.before + time.saturating_sub(self.end - self.busy)
    }
}

/// A length of window, and the worst that was found.
struct Window {
    length: u64,
    /// The most of the collector's time in it.
    most: u64,
    /// The number of the first piece that ends after the last window began.
    first: usize,
}

/// Utilisation while it is measured.
pub struct Utilisation {
    merged: u64,
    /// The time of all steps so far, and how much of it was the collector's in pieces that are over.
    now: u64,
    busy: u64,
    open: Option<Piece>,
    /// The pieces that the longest window can reach.
    pieces: VecDeque<Piece>,
    /// How many pieces were forgotten.
    forgotten: usize,
    /// By length, the longest last.
    windows: Vec<Window>,
}

impl Default for Utilisation {
    /// Nothing measured yet.
    fn default() -> Utilisation {
        let length = |index: u32| {
            let decades = f64::from(index) / f64::from(WINDOWS_A_DECADE);
            (SHORTEST as f64 * 10f64.powf(decades)).round() as u64
        };
        Utilisation::of(MERGED, (0..=DECADES * WINDOWS_A_DECADE).map(length))
    }
}

impl Utilisation {
    /// Windows of these lengths, which are not below `merged` and grow.
    fn of(merged: u64, lengths: impl Iterator<Item = u64>) -> Utilisation {
        let window = |length| Window {
            length,
            most: 0,
            first: 0,
        };
        Utilisation {
            merged,
            now: 0,
            busy: 0,
            open: None,
            pieces: VecDeque::new(),
            forgotten: 0,
            windows: lengths.map(window).collect(),
        }
    }

    /// Takes in that the program had so many nanoseconds, and then the collector.
    pub fn record(&mut self, program: u64, collector: u64) {
        let start = self.now + program;
        self.now = start + collector;
        if collector == 0 {
            return;
        }
        match &mut self.open {
            Some(open) if self.now - open.start <= self.merged => {
                open.end = self.now;
                open.busy += collector;
            }
            open => {
                let next = Piece {
                    start,
                    end: self.now,
                    busy: collector,
                    before: 0,
                };
                if let Some(piece) = open.replace(next) {
                    self.close(piece);
                }
            }
        }
    }

    /// Looks at the windows that end with the time of `piece`.
    fn close(&mut self, piece: Piece) {
        let end = piece.start + piece.busy;
        let before = self.busy;
        self.pieces.push_back(Piece { before, ..piece });
        self.busy += piece.busy;
        for window in &mut self.windows {
            // Or the one that begins with the run.
            let begin = end.saturating_sub(window.length);
            let piece = loop {
                // The last piece ends after the window begins, so there is one.
                let piece = &self.pieces[window.first - self.forgotten];
                if piece.end > begin {
                    break piece;
                }
                window.first += 1;
            };
            window.most = window.most.max(self.busy - piece.before(begin));
        }
        if let Some(longest) = self.windows.last() {
            self.pieces.drain(..longest.first - self.forgotten);
            self.forgotten = longest.first;
        }
    }

    /// The minimum for each length of window that the run was long enough for.
    pub fn curve(mut self) -> Vec<Least> {
        if let Some(piece) = self.open.take() {
            self.close(piece);
        }
        let fits = self
            .windows
            .iter()
            .filter(|window| window.length <= self.now);
        fits.map(|window| Least {
            window: window.length,
            share: 1.0 - window.most as f64 / window.length as f64,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [u64; 7] = [1, 7, 50, 100, 333, 1000, 5000];

    /// The curve of steps, each the program's time and the collector's.
    fn curve(merged: u64, steps: &[(u64, u64)]) -> Vec<Least> {
        let mut utilisation = Utilisation::of(merged, LENGTHS.into_iter());
        for &(program, collector) in steps {
            utilisation.record(program, collector);
        }
        utilisation.curve()
    }

    /// The same by brute force: each window that begins or ends where a call does, and those at both ends of the run.
    fn naive(steps: &[(u64, u64)]) -> Vec<Least> {
        let mut now = 0;
        let mut calls = Vec::new();
        for &(program, collector) in steps {
            calls.push((now + program, now + program + collector));
            now += program + collector;
        }
        let edges: Vec<u64> = calls
            .iter()
            .flat_map(|&(start, end)| [start, end])
            .collect();
        let fits = LENGTHS.into_iter().filter(|&length| length <= now);
        fits.map(|window| {
            let begins = edges
                .iter()
                .flat_map(|&edge| [Some(edge), edge.checked_sub(window)]);
            let begins = begins.flatten().chain([0, now - window]);
            let within = begins.filter(|begin| begin + window <= now);
            let busy = within.map(|begin| {
                let part = |&(start, end): &(u64, u64)| {
                    end.min(begin + window).saturating_sub(start.max(begin))
                };
                calls.iter().map(part).sum::<u64>()
            });
            Least {
                window,
                share: 1.0 - busy.max().unwrap_or(0) as f64 / window as f64,
            }
        })
        .collect()
    }

    fn random_steps(random: &mut fastrand::Rng) -> Vec<(u64, u64)> {
        let longest = [2, 10, 100, 2000];
        let (program, collector) = (longest[random.usize(..4)], longest[random.usize(..4)]);
        (0..random.usize(1..300))
            .map(|_| {
                let is_rare = random.u8(..20) == 0;
                let most = if is_rare { 20 * collector } else { collector };
                (random.u64(..program), random.u64(..most))
            })
            .collect()
    }

    #[test]
    fn without_merging_it_is_what_brute_force_finds() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let steps = random_steps(&mut random);
            assert_eq!(curve(0, &steps), naive(&steps), "{steps:?}");
        }
    }

    #[test]
    fn merging_never_overstates_and_understates_by_no_more_than_what_is_merged() {
        let mut random = fastrand::Rng::with_seed(2);
        let mut differ = 0;
        for _ in 0..500 {
            let (steps, merged) = (random_steps(&mut random), random.u64(..60));
            for (least, exact) in curve(merged, &steps).into_iter().zip(naive(&steps)) {
                assert_eq!(least.window, exact.window);
                if least.window < merged {
                    continue;
                }
                assert!(
                    least.share <= exact.share + 1e-12,
                    "{least:?}, {exact:?}: {steps:?}"
                );
                let lost = (exact.share - least.share) * exact.window as f64;
                assert!(
                    lost <= merged as f64 + 1e-6,
                    "{least:?}, {exact:?}: {steps:?}"
                );
                differ += u32::from(lost > 0.5);
            }
        }
        assert!(differ > 0, "nothing was merged");
    }

    fn shares(steps: &[(u64, u64)]) -> Vec<(u64, f64)> {
        let curve = curve(0, steps);
        curve
            .iter()
            .map(|least| (least.window, least.share))
            .collect()
    }

    #[test]
    fn a_window_longer_than_the_run_has_no_figure() {
        assert_eq!(shares(&[]), []);
        assert_eq!(shares(&[(40, 9)]), [(1, 0.0), (7, 0.0)]);
        assert_eq!(shares(&[(40, 10)]), [(1, 0.0), (7, 0.0), (50, 0.8)]);
    }

    #[test]
    fn without_a_collector_the_program_has_all() {
        assert_eq!(shares(&[(60, 0), (10, 0)]), [(1, 1.0), (7, 1.0), (50, 1.0)]);
    }

    #[test]
    fn a_pause_longer_than_the_window_leaves_nothing() {
        assert_eq!(
            shares(&[(100, 60), (100, 0)]),
            [(1, 0.0), (7, 0.0), (50, 0.0), (100, 0.4)]
        );
    }

    #[test]
    fn pauses_in_a_cluster_count_together() {
        // Three of 10 in 50, far from everything else.
        let steps = [(200, 10), (10, 10), (10, 10), (200, 10)];
        assert!(shares(&steps).contains(&(50, 0.4)));
        assert!(shares(&steps).contains(&(100, 0.7)));
    }

    #[test]
    fn a_window_at_the_beginning_of_the_run_counts() {
        assert!(shares(&[(0, 30), (80, 0)]).contains(&(50, 0.4)));
        assert!(shares(&[(10, 20), (300, 0)]).contains(&(100, 0.8)));
    }

    #[test]
    fn memory_is_bounded_by_the_longest_window() {
        let mut utilisation = Utilisation::of(10, LENGTHS.into_iter());
        for _ in 0..100_000 {
            utilisation.record(3, 1);
            // Two pieces begin in ten at most.
            assert!(utilisation.pieces.len() <= 5000 / 5);
        }
        assert!((utilisation.curve()[6].share - 0.75).abs() < 0.01);
    }
}
