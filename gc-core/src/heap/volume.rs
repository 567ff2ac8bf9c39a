//! How much memory objects take: in the heap, and, as far as one can guess, elsewhere.

/// How many bytes an object is taken to own elsewhere for each of its own, if its value has a destructor.
///
/// The heap does not see what a `Vec` or a `Box` in an object owns, and asking each value would cost more than it is
/// worth. So this is a guess, with two aims. A program that makes many small objects with much behind them (tables,
/// coroutines, strings) collects before that is out of all proportion to the heap. And one whose values own little
/// collects more often by a bearable factor only: growth by the square root makes that the root of eight, at most.
const ELSEWHERE: u64 = 7;

/// Bytes of objects. What is counted is never taken back, so the difference of two counts is what came between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// In the heap; large objects count as whole blocks.
    pub(crate) bytes: u64,
    /// Those of objects whose values have destructors.
    pub(crate) owners: u64,
}

impl Volume {
    /// What the pacer counts: bytes in the heap, and those that are probably owned elsewhere.
    #[inline]
    pub(crate) fn weight(self) -> u64 {
        self.bytes + ELSEWHERE * self.owners
    }

    /// What was counted since; nothing, if that was later.
    pub(crate) fn since(self, earlier: Volume) -> Volume {
        Volume {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            owners: self.owners.saturating_sub(earlier.owners),
        }
    }
}
