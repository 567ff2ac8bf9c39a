//! How much memory objects take: in the heap, and what they own outside of it.

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
    /// Bytes in the heap and elsewhere, of a difference.
    #[inline]
    pub(crate) fn weight(self) -> u64 {
        self.bytes.saturating_add_signed(self.owned)
    }

    /// The same of a count since the beginning, which wraps.
    #[inline]
    pub(crate) fn total(self) -> u64 {
        self.bytes.wrapping_add_signed(self.owned)
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
