//! How much memory objects take: in the heap, and what they own outside of it.

/// How much a byte elsewhere weighs, in comparison with one in the heap.
///
/// A sweep frees memory of the heap in bulk, and the next cycle allocates it from the lowest address up, ahead of which
/// it is prefetched. Memory elsewhere goes back and forth in small pieces, which the program's allocator links through
/// the pieces themselves. So it costs far more if it has left the cache in between, and should come back sooner.
pub(crate) const ELSEWHERE: i64 = 4;

/// Bytes of objects. The difference of two counts is what came between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// In the heap; large objects count as whole blocks. What is counted is never taken back.
    pub(crate) bytes: u64,
    /// The known bytes that values own elsewhere. What a value has grown by is added, and what it has shrunk by
    /// is subtracted; that values are dropped by the collector does not count. In a count since the beginning
    /// the sum wraps, for values may lie.
    pub(crate) owned: i64,
}

impl Volume {
    /// What bytes in the heap and elsewhere weigh together, of a difference.
    #[inline]
    pub(crate) fn weight(self) -> u64 {
        self.bytes
            .saturating_add_signed(self.owned.saturating_mul(ELSEWHERE))
    }

    /// The same of a count since the beginning, which wraps.
    #[inline]
    pub(crate) fn total(self) -> u64 {
        self.bytes
            .wrapping_add_signed(self.owned.wrapping_mul(ELSEWHERE))
    }

    /// What was counted since; no bytes, if that was later.
    #[inline]
    pub(crate) fn since(self, earlier: Volume) -> Volume {
        Volume {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            owned: self.owned.wrapping_sub(earlier.owned),
        }
    }
}
