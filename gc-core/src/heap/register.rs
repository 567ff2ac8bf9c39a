//! The register of address spaces: in which of them an address lies, where nothing but the address is known.
//!
//! The space that heaps share has a place of its own, where it stays for ever: to ask for it takes no lock, and all that
//! the answer takes is in that place. Spaces of single heaps are in a list behind a lock, which they leave when they end.

use super::block::{BlockIndex, BlockTable};
use super::planes::Planes;
use super::space::AddressSpace;
use crate::sync::{Arc, Mutex, OnceLock};

/// Where an address space is, and its metadata.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) base: usize,
    pub(super) bytes: usize,
    pub(super) planes: Planes,
    pub(super) blocks: BlockTable,
}

impl Entry {
    #[inline(always)]
    fn spans(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.bytes
    }

    #[inline(always)]
    fn place_of(&self, address: usize) -> (Planes, BlockTable, BlockIndex) {
        let block = BlockIndex::of(self.base, address);
        (self.planes, self.blocks, block)
    }
}

/// The space that heaps share, with a copy of its entry: to read it, nobody has to follow the pointer.
struct Shared {
    entry: Entry,
    space: Arc<AddressSpace>,
}

/// The space that heaps share unless they have one of their own, when there is one.
static SHARED: OnceLock<Shared> = OnceLock::new();

/// All address spaces of the process.
static REGISTER: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// The space that heaps share, when there is one.
pub(super) fn shared() -> Option<&'static Arc<AddressSpace>> {
    SHARED.get().map(|shared| &shared.space)
}

/// Makes `space` the one that heaps share, unless there is one.
pub(super) fn share(space: AddressSpace) -> &'static Arc<AddressSpace> {
    let entry = space.entry();
    let space = Arc::new(space);
    &SHARED.get_or_init(|| Shared { entry, space }).space
}

/// Enters a space.
pub(super) fn enter(entry: Entry) {
    REGISTER.lock().push(entry);
}

/// Strikes off the space that begins at `base`.
pub(super) fn leave(base: usize) {
    REGISTER.lock().retain(|entry| entry.base != base);
}

/// The planes and the block table of the space that `address` is in, and the number of its block.
/// Takes a lock, unless that is the space that heaps share.
#[inline]
pub(crate) fn find(address: usize) -> Option<(Planes, BlockTable, BlockIndex)> {
    match find_shared(address) {
        Some(found) => Some(found),
        None => find_registered(address),
    }
}

/// [`find`] in the space that heaps share only. Takes no lock.
#[inline(always)]
pub(super) fn find_shared(address: usize) -> Option<(Planes, BlockTable, BlockIndex)> {
    let entry = SHARED.get()?.entry;
    entry.spans(address).then(|| entry.place_of(address))
}

/// [`find`] in the list, which has them all.
#[cold]
#[inline(never)]
pub(super) fn find_registered(address: usize) -> Option<(Planes, BlockTable, BlockIndex)> {
    let register = REGISTER.lock();
    let entry = register.iter().find(|entry| entry.spans(address))?;
    Some(entry.place_of(address))
}
