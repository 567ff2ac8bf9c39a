//! How much memory objects take: in the heap, and what they own outside of it.

/// How much a byte elsewhere weighs, in comparison with one in the heap.
///
/// A sweep frees memory of the heap in bulk, and the next cycle allocates it from the lowest address up, ahead of which
/// it is prefetched. Memory elsewhere goes back and forth in small pieces, which the program's allocator links through
/// the pieces themselves. So it costs far more if it has left the cache in between, and should come back sooner.
pub(crate) const ELSEWHERE: i64 = 4;

/// What a value with a destructor is taken to own elsewhere besides what it tells: there is something that it gives
/// back, of which its type may not know; and each piece of memory has the allocator's own words.
const BESIDES: i64 = 48;

/// Bytes of objects. The difference of two counts is what came between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// In the heap; large objects count as whole blocks. What is counted is never taken back.
    pub(crate) bytes: u64,
    /// The known bytes that values own elsewhere. What a value has grown by is added, and what it has shrunk by
    /// is subtracted; that values are dropped by the collector does not count. In a count since the beginning
    /// the sum wraps, for values may lie.
    pub(crate) owned: i64,
    /// Values with destructors. That they are dropped does not count.
    pub(crate) owners: u64,
}

impl Volume {
    /// Bytes of the heap, of values that own nothing.
    pub(crate) fn of_bytes(bytes: u64) -> Volume {
        Volume {
            bytes,
            ..Volume::default()
        }
    }

    /// What is elsewhere weighs so much, of a difference; nothing, if values have shrunk.
    #[inline]
    pub(crate) fn weight(self) -> u64 {
        let besides = BESIDES.saturating_mul(i64::try_from(self.owners).unwrap_or(i64::MAX));
        let elsewhere = self.owned.saturating_add(besides);
        elsewhere.max(0).saturating_mul(ELSEWHERE) as u64
    }

    /// The same of a count since the beginning, which wraps.
    #[inline]
    pub(crate) fn total_weight(self) -> u64 {
        let besides = BESIDES.wrapping_mul(self.owners as i64);
        self.owned.wrapping_add(besides).wrapping_mul(ELSEWHERE) as u64
    }

    /// The same of a count since the beginning, with no more owned than in the `later` one.
    pub(crate) fn at_most_owned(self, later: Volume) -> Volume {
        let shrunk = later.owned.wrapping_sub(self.owned).min(0);
        Volume {
            owned: self.owned.wrapping_add(shrunk),
            ..self
        }
    }

    /// What was counted since; no bytes, if that was later.
    #[inline]
    pub(crate) fn since(self, earlier: Volume) -> Volume {
        Volume {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            owned: self.owned.wrapping_sub(earlier.owned),
            owners: self.owners.saturating_sub(earlier.owners),
        }
    }
}
