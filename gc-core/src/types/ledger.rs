//! The ledger: what each object is known to own outside of the heap.
//!
//! The collector learns it from the value ([`Collect::owned_bytes`](crate::Collect::owned_bytes)) and writes it down
//! in the object itself, in bits of the last word that the address of the descriptor does not need
//! ([`crate::types::descriptor`]). So when it learns it anew, or the value is dropped, the sum of all changes by
//! exactly what the object has contributed, whatever its value says by then.
//!
//! There is room for 15 bits, so an entry is a number with a mantissa of eleven bits, the first of which is not
//! written; what it stands for is less than a thousandth below the truth. An object that owns more than
//! [`MOST`] counts as owning that.

/// How many bits an entry has.
pub(crate) const BITS: u32 = 15;

/// Bits of the mantissa that are written.
const MANTISSA: u32 = 10;

/// Fewer bytes than these are their own entry.
const EXACT: usize = 2 << MANTISSA;

/// More than this is not counted of one object: 2 TiB.
pub(crate) const MOST: usize = (2 << MANTISSA << 30) - 1;

/// A number of bytes in few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u16);

impl Entry {
    pub(crate) const NOTHING: Entry = Entry(0);

    /// The entry for so many bytes.
    #[inline(always)]
    pub(crate) const fn of(bytes: usize) -> Entry {
        if bytes < EXACT {
            Entry(bytes as u16)
        } else {
            Entry::of_many(bytes)
        }
    }

    #[inline(never)]
    const fn of_many(bytes: usize) -> Entry {
        let bytes = if bytes < MOST { bytes } else { MOST };
        // How many low bits are left out, so that eleven remain.
        let shift = (usize::BITS - (bytes >> MANTISSA >> 1).leading_zeros()) as usize;
        // The first bit of what remains adds one to the shift, unless that is zero.
        Entry(((shift << MANTISSA) + (bytes >> shift)) as u16)
    }

    /// The bytes for which it stands.
    #[inline(always)]
    pub(crate) const fn bytes(self) -> usize {
        if (self.0 as usize) < EXACT {
            return self.0 as usize;
        }
        let (shift, mantissa) = (self.0 >> MANTISSA, self.0 as usize & ((1 << MANTISSA) - 1));
        (mantissa + (1 << MANTISSA)) << (shift - 1)
    }

    /// Its bits, of which there are [`BITS`].
    #[inline(always)]
    pub(crate) const fn bits(self) -> usize {
        self.0 as usize
    }

    /// The entry with these bits.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: usize) -> Entry {
        Entry(bits as u16)
    }
}

const _: () = assert!(Entry::of(usize::MAX).bits() < 1 << BITS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_thousandth_too_small_at_most() {
        let mut last = 0;
        let near = |bit: u32| (0..4000_usize).map(move |more| (1 << bit) + more - 2000);
        for bytes in (0..5000).chain((12..41).flat_map(near)) {
            let entry = Entry::of(bytes);
            assert!(entry.bits() < 1 << BITS && Entry::from_bits(entry.bits()) == entry);
            let told = entry.bytes();
            assert!(
                told <= bytes && bytes - told <= bytes / 1024,
                "{bytes}: {told}"
            );
            assert!(
                told >= last || bytes < 5000 && last >= 2000,
                "{bytes}: {told} after {last}"
            );
            assert_eq!(Entry::of(told), entry);
            last = told;
        }
    }

    #[test]
    fn what_nobody_can_own_is_the_most() {
        let most = Entry::of(MOST);
        assert_eq!([Entry::of(usize::MAX), Entry::of(MOST + 1)], [most; 2]);
        assert!(most.bytes() > MOST - MOST / 1024);
        assert_eq!(Entry::of(0), Entry::NOTHING);
    }
}
