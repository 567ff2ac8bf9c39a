//! Unix, by way of `rustix`.

use core::ffi::c_void;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr;
use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};

use super::Errno;

fn errno(error: rustix::io::Errno) -> Errno {
    Errno(error.raw_os_error())
}

fn pointer(address: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(address)
}

pub(super) fn page_size() -> usize {
    rustix::param::page_size()
}

pub(super) fn complain(line: &str) {
    // SAFETY: the descriptor is that of the standard error output, which nobody closes here.
    let output = ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
    // In one piece, so that lines of several threads do not mix.
    _ = (&*output).write_all(format!("{line}\n").as_bytes());
}

/// Maps `bytes` inaccessible bytes at a multiple of `align`, whose provenance is exposed.
///
/// An inaccessible private mapping is charged to nobody's memory account, even where the system is
/// set to overcommit nothing.
pub(super) fn reserve(bytes: usize, align: usize) -> Result<usize, Errno> {
    // The system aligns to pages only, so reserve more and cut off both ends.
    let Some(wide) = bytes.checked_add(align - page_size()) else {
        return Err(errno(rustix::io::Errno::NOMEM));
    };
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    let mapping =
        // SAFETY: without a fixed address a new mapping cannot disturb an old one.
        unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), wide, ProtFlags::empty(), flags) };
    let start = mapping.map_err(errno)?.expose_provenance();
    let base = start.next_multiple_of(align);
    for surplus in [start..base, base + bytes..start + wide] {
        if !surplus.is_empty() {
            // SAFETY: the surplus is part of the mapping just made, and nobody knows it yet.
            unsafe { release(surplus) }
        }
    }
    Ok(base)
}

/// # Safety
///
/// The range was reserved by us.
pub(super) unsafe fn commit(pages: Range<usize>) -> Result<(), Errno> {
    let access = MprotectFlags::READ | MprotectFlags::WRITE;
    // SAFETY: the range is ours (the caller's promise).
    unsafe { rustix::mm::mprotect(pointer(pages.start), pages.len(), access) }.map_err(errno)
}

/// # Safety
///
/// The range was reserved and committed by us, and nothing refers to its contents.
pub(super) unsafe fn purge(pages: Range<usize>) {
    let result =
        // SAFETY: the range is ours and its contents are forgotten (the caller's promise).
        unsafe { rustix::mm::madvise(pointer(pages.start), pages.len(), Advice::LinuxDontNeed) };
    result.expect("the system refused to take back memory that it gave");
}

/// # Safety
///
/// The range was reserved by us.
pub(super) unsafe fn prefer_huge_pages(pages: Range<usize>) {
    let _ =
        // SAFETY: the range is ours (the caller's promise); the advice keeps contents as they are.
        unsafe { rustix::mm::madvise(pointer(pages.start), pages.len(), Advice::LinuxHugepage) };
}

/// # Safety
///
/// The range was reserved and committed by us.
pub(super) unsafe fn populate(pages: Range<usize>) {
    let _ =
        // SAFETY: the range is ours (the caller's promise); contents stay as they are.
        unsafe { rustix::mm::madvise(pointer(pages.start), pages.len(), Advice::LinuxPopulateWrite) };
}

/// # Safety
///
/// The range was reserved by us, and nothing refers to it.
pub(super) unsafe fn release(pages: Range<usize>) {
    // SAFETY: the range is ours and unused (the caller's promise).
    unsafe { rustix::mm::munmap(pointer(pages.start), pages.len()) }
        .expect("the system refused to release a range that it reserved");
}

/// The address of a page of zeroes that is zeroed again in forked children, or `None` if the system cannot
/// do that (Linux can since 4.14).
pub(super) fn wiped_in_children() -> Option<usize> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    let bytes = page_size();
    let mapping =
        // SAFETY: without a fixed address a new mapping cannot disturb an old one.
        unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) };
    let page = mapping.ok()?;
    // SAFETY: the page was just mapped, and nobody knows it yet.
    let wiped = unsafe { rustix::mm::madvise(page, bytes, Advice::LinuxWipeOnFork) };
    if wiped.is_err() {
        // SAFETY: as above.
        unsafe { release(page.expose_provenance()..page.expose_provenance() + bytes) }
        return None;
    }
    Some(page.expose_provenance())
}
