//! The operating system: reserving, committing and giving back virtual memory.
//!
//! This is the only module that talks to it. Everything above sees a [`Reservation`]: a range of
//! addresses that belongs to us and of which parts can be made usable (*committed*) and emptied
//! again (*purged*). A port to another system is one more file with the functions that `unix.rs` has.
//!
//! # Invariants
//!
//! 1. A reservation is aligned as asked, never contains address zero, and is released only when
//!    the `Reservation` is dropped.
//! 2. Memory that is committed and was never written, or was purged since, reads as zero.

pub(crate) mod fork;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as sys;

#[cfg(not(unix))]
compile_error!(
    "gc-core reaches the operating system through gc-core/src/os/unix.rs; this system needs a twin of it"
);

use core::ops::Range;

/// Why the operating system refused, as its error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

/// The size of a page in bytes: a power of two.
pub(crate) fn page_size() -> usize {
    sys::page_size()
}

/// Writes a line to the standard error output, without the lock of [`std::io::stderr`]: a thread may have that which waits
/// for the caller. Does nothing if that fails.
pub(crate) fn complain(line: &str) {
    sys::complain(line);
}

/// Hints that the cache line at `address` will be read soon. Any number will do.
#[inline(always)]
pub(crate) fn prefetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching is defined for any address and has no effect but on speed.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::without_provenance(address)) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// A range of virtual addresses that nobody else uses.
#[derive(Debug)]
pub(crate) struct Reservation {
    base: usize,
    bytes: usize,
}

impl Reservation {
    /// Reserves `bytes` bytes at a multiple of `align`, without any memory behind them.
    ///
    /// Both must be multiples of the page size, and `align` a power of two.
    pub(crate) fn new(bytes: usize, align: usize) -> Result<Reservation, Errno> {
        assert!(align.is_power_of_two() && align.is_multiple_of(page_size()));
        assert!(bytes > 0 && bytes.is_multiple_of(page_size()));
        let base = sys::reserve(bytes, align)?;
        assert!(
            base != 0 && base.is_multiple_of(align),
            "the system reserved {base:#x}"
        );
        Ok(Reservation { base, bytes })
    }

    /// The lowest address.
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// The addresses of the pages that contain the bytes `range`, which are offsets.
    fn pages(&self, range: Range<usize>) -> Range<usize> {
        let page = page_size();
        let start = range.start & !(page - 1);
        let end = range.end.next_multiple_of(page);
        assert!(
            start <= end && end <= self.bytes,
            "{range:?} is outside of the reservation"
        );
        self.base + start..self.base + end
    }

    /// Makes the pages that contain `range` (offsets) readable and writable.
    ///
    /// Committing again what is committed changes nothing.
    pub(crate) fn commit(&self, range: Range<usize>) -> Result<(), Errno> {
        let pages = self.pages(range);
        // SAFETY: `pages` lies inside of a reservation of ours, which is mapped (invariant 1), and
        // gaining access rights cannot invalidate a reference.
        unsafe { sys::commit(pages) }
    }

    /// Gives the memory behind those pages that lie in `range` (offsets) altogether back to the
    /// system. They stay committed and read as zero from now on.
    ///
    /// # Safety
    ///
    /// The range is committed, and nothing refers to its contents.
    pub(crate) unsafe fn purge(&self, range: Range<usize>) {
        let page = page_size();
        let whole = range.start.next_multiple_of(page)..range.end / page * page;
        if whole.start < whole.end {
            // SAFETY: the pages are ours (invariant 1), and the caller vouches that nothing refers
            // to what they hold.
            unsafe { sys::purge(self.pages(whole)) }
        }
    }

    /// Has the system put memory behind `range` (offsets), which is committed, so that nobody will have to wait
    /// when it is first written. A hint, of which old systems know nothing.
    pub(crate) fn populate(&self, range: Range<usize>) {
        let pages = self.pages(range);
        // SAFETY: the pages are ours (invariant 1) and committed, and this does not change contents.
        unsafe { sys::populate(pages) }
    }

    /// Asks for large pages behind `range` (offsets). A hint: nothing depends on the answer.
    pub(crate) fn prefer_huge_pages(&self, range: Range<usize>) {
        let pages = self.pages(range);
        // SAFETY: the pages are ours (invariant 1), and the advice does not change contents.
        unsafe { sys::prefer_huge_pages(pages) }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range is ours (invariant 1). References into it are made by heaps, which keep
        // the address space and thereby this reservation alive, and do not outlive a call.
        unsafe { sys::release(self.base..self.base + self.bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_memory_is_zero_and_zero_again_after_a_purge() {
        let page = page_size();
        let reservation = Reservation::new(64 * page, 16 * page).unwrap();
        assert!(reservation.base().is_multiple_of(16 * page));
        reservation.commit(3 * page + 5..4 * page + 1).unwrap();
        let p = core::ptr::with_exposed_provenance_mut::<u8>(reservation.base() + 3 * page);
        // SAFETY: the two pages were just committed, and nothing else refers to them.
        unsafe {
            assert_eq!(p.read(), 0);
            p.write(7);
            reservation.purge(3 * page + 1..5 * page);
            assert_eq!(p.read(), 7);
            reservation.purge(3 * page..5 * page);
            assert_eq!(p.read(), 0);
        }
    }

    #[test]
    fn an_absurd_reservation_is_refused() {
        assert!(Reservation::new(1 << 60, 1 << 20).is_err());
    }
}
