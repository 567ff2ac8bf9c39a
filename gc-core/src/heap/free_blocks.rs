//! Which blocks of an address space are free: a bitmap, and searches in it.

/// Which blocks are taken.
#[derive(Default)]
pub(super) struct FreeBlocks {
    /// A bit for each block up to the frontier or beyond, set if the block is taken.
    taken: Vec<u64>,
    /// All words of `taken` before this one are full.
    full_before: usize,
    /// The first block that is not committed.
    pub(super) frontier: usize,
}

impl FreeBlocks {
    /// The lowest block from which on `count` blocks are not taken; it may lie at or reach beyond
    /// the frontier.
    pub(super) fn find(&mut self, count: usize) -> usize {
        while self.taken.get(self.full_before) == Some(&u64::MAX) {
            self.full_before += 1;
        }
        // The run of free blocks that ends before bit `at` starts at `start`.
        let mut start = self.full_before * 64;
        for word in self.full_before..self.taken.len() {
            let bits = self.taken[word];
            let mut at = 0;
            while at < 64 {
                let here = word * 64 + at;
                let free = ((bits >> at).trailing_zeros() as usize).min(64 - at);
                if here + free - start >= count {
                    return start;
                }
                at += free;
                let taken = (!(bits.checked_shr(at as u32).unwrap_or(0))).trailing_zeros() as usize;
                if taken > 0 && at < 64 {
                    at += taken;
                    start = word * 64 + at;
                }
            }
        }
        start
    }

    /// The rows of free blocks below the frontier: the first of each, and the one behind it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        let end_of = move |from: usize, taken: bool| {
            let is_other = |block: &usize| self.are_free(*block, 1) == taken;
            (from..self.frontier)
                .find(is_other)
                .unwrap_or(self.frontier)
        };
        core::iter::from_fn(move || {
            let first = end_of(at, true);
            at = end_of(first, false);
            (first < at).then_some((first, at))
        })
    }

    /// Whether none of these blocks is taken.
    pub(super) fn are_free(&self, first: usize, count: usize) -> bool {
        (first..first + count).all(|block| match self.taken.get(block / 64) {
            Some(word) => word & 1 << (block % 64) == 0,
            None => true,
        })
    }

    pub(super) fn mark_taken(&mut self, first: usize, count: usize) {
        let words = (first + count).div_ceil(64);
        if words > self.taken.len() {
            self.taken.resize(words, 0);
        }
        for block in first..first + count {
            debug_assert!(
                self.taken[block / 64] & 1 << (block % 64) == 0,
                "block {block} is taken"
            );
            self.taken[block / 64] |= 1 << (block % 64);
        }
    }

    pub(super) fn mark_free(&mut self, first: usize, count: usize) {
        for block in first..first + count {
            debug_assert!(
                self.taken[block / 64] & 1 << (block % 64) != 0,
                "block {block} is free"
            );
            self.taken[block / 64] &= !(1 << (block % 64));
        }
        self.full_before = self.full_before.min(first / 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lowest run of `count` free blocks, found by trying every place.
    fn naive_find(taken: &[bool], count: usize) -> usize {
        (0..)
            .find(|first| (*first..first + count).all(|b| !taken.get(b).copied().unwrap_or(false)))
            .unwrap()
    }

    #[test]
    fn the_lowest_run_is_found() {
        let mut free = FreeBlocks::default();
        let mut taken: Vec<bool> = Vec::new();
        let mut runs = Vec::new();
        let mut random = 88172645463325252u64;
        for _ in 0..3000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random % 5 < 3 || runs.is_empty() {
                let count =
                    1 + (random >> 8) as usize % if random.is_multiple_of(7) { 200 } else { 3 };
                let first = free.find(count);
                assert_eq!(first, naive_find(&taken, count), "{count} blocks");
                free.mark_taken(first, count);
                taken.resize(taken.len().max(first + count), false);
                taken[first..first + count].fill(true);
                runs.push((first, count));
            } else {
                let (first, count) = runs.swap_remove((random >> 8) as usize % runs.len());
                free.mark_free(first, count);
                taken[first..first + count].fill(false);
            }
            free.frontier = taken.len() + 3;
            let mut rows = vec![true; free.frontier];
            for (first, end) in free.rows() {
                rows[first..end].fill(false);
            }
            let expected = taken.iter().copied().chain([false; 3]);
            assert!(expected.eq(rows), "rows of free blocks");
        }
    }
}
