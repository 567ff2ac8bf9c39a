//! Verification: does what the planes, the block table and the store say fit together?
//!
//! The walk is as plain as can be, word by word, and shares no arithmetic with the sweep or the
//! look-ups that it checks.

use super::Heap;
use super::block::{BLOCK, BlockIndex, Use};
use super::pins::Held;
use super::planes::{GRANULE, GROUP_BYTES, STARTS, WORD, bit, groups};
use super::start::ObjectStart;

/// What is wrong with a heap: a bug in `unsafe` code, in this crate or around it.
///
/// ```
/// use core::alloc::Layout;
/// use gc_core::{Arena, Rootable};
///
/// let mut arena = Arena::<Rootable![()]>::new(|_| ());
/// let wrong = arena.mutate(|mc, _| {
///     // SAFETY: none: what is said to be a pointer is not one. But nobody follows it.
///     let object = unsafe { mc.allocate_raw(Layout::new::<[usize; 6]>(), 0b1) }.unwrap();
///     // SAFETY: the memory was just allocated.
///     unsafe { object.cast().write([object.addr().get() + 32, 0, 0, 0, 0, 0]) };
///     object.addr().get()
/// });
/// let error = arena.verify().unwrap_err();
/// assert_eq!(error.address, wrong);
/// assert!(error.finding.contains("where no allocation starts"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the heap is corrupt at address {address:#x}: {finding}")]
pub struct VerifyError {
    /// The address of the word at fault.
    pub address: usize,
    /// What was found there.
    pub finding: String,
}

/// The bits of one word in all planes.
#[derive(Clone, Copy)]
struct Word {
    address: usize,
    tag: bool,
    extent: bool,
    mark: bool,
    state: bool,
    claim: bool,
    kind: bool,
    fate: bool,
}

impl Heap {
    /// Checks the whole heap: extents pair up; planes, block table and store agree; free memory has
    /// no bits in any plane; what is pinned has an object and a bit; every tagged word is null, no address of this
    /// heap (an immediate with its low bits set, or foreign), or the start of an allocation; and every derived
    /// pointer follows a strong one and points into its allocation, or at the end of it.
    ///
    /// The tags of dirty objects, and with `all_dirty` those of all described ones, may be wrong, so what they
    /// hold is not looked at.
    ///
    /// Takes time linear in the size of the heap, with a large factor.
    ///
    /// # Safety
    ///
    /// 1. No cycle is in progress.
    /// 2. All tagged words are initialised, and nobody writes meanwhile.
    pub(crate) unsafe fn verify(&self, all_dirty: bool) -> Result<(), VerifyError> {
        let store = self.store.lock();
        let pins = self.pins().hold();
        for (address, count) in pins.inside() {
            self.verify_pin(address, count)?;
        }
        let small = |block: &BlockIndex| (*block, &[Use::Small][..], 1);
        let large = |block: &BlockIndex| {
            let uses = &[Use::LargeLeaf, Use::Large][..];
            let span = match self.place_of(*block) {
                Some(_) => self.run_length(*block),
                None => self.span_of(*block),
            };
            (*block, uses, span)
        };
        let spare = |block: &BlockIndex| (*block, &[Use::Free][..], 1);
        let all = store.occupied.small.iter().map(small);
        let all = all.chain(store.occupied.large.iter().map(large));
        let mut owned = 0;
        for (block, uses, span) in all.chain(store.spare.iter().map(spare)) {
            let address = self.address_of(block);
            let state = self.state(block);
            let usage = state.usage();
            if usage != Use::Free && state.has_claims() {
                return Err(wrong(
                    address,
                    "a block with claims outside of a cycle".into(),
                ));
            }
            if !uses.contains(&usage) {
                return Err(wrong(
                    address,
                    format!("the block is {usage:?} but listed as {uses:?}"),
                ));
            }
            let is_run = usage != Use::Free && self.place_of(block).is_some();
            for distance in if is_run { 1..1 } else { 1..span } {
                let tail = block.up(distance);
                // SAFETY: a span that is listed lies below the frontier.
                let entry = unsafe {
                    (
                        self.blocks().state(tail).usage(),
                        self.blocks().owner_and_span(tail).1,
                    )
                };
                if entry != (Use::LargeTail, distance as u32) {
                    let finding = format!("block {distance} of a span of {span} is {entry:?}");
                    return Err(wrong(address + distance * BLOCK, finding));
                }
            }
            owned += span * BLOCK;
            let (end, all_dirty) = (address + span * BLOCK, all_dirty && state.is_described());
            // There may be far more memory in spare blocks than in others. Only if one is not as it should be
            // is it of interest in which word.
            if usage == Use::Free && self.is_blank(address, end) {
                continue;
            }
            if is_run {
                self.verify_run(block, span)?;
            }
            // SAFETY: the blocks are listed as this heap's; no cycle is in progress, all tagged words are
            // initialised, and nobody writes (the caller's promise).
            unsafe { self.verify_blocks(address, end, usage, all_dirty, &pins)? };
        }
        for hole in store.runs.holes() {
            self.verify_hole(hole)?;
        }
        // Blocks go back to the space beside this, and are counted under the lock.
        let counted = self.owned_and_peak().0;
        drop(store);
        match counted {
            counted if counted == owned => Ok(()),
            counted => Err(wrong(
                self.base(),
                format!("{counted} bytes of blocks are counted and {owned} listed"),
            )),
        }
    }

    /// Whether no plane has a bit for any word from `base` to `end`, which are in blocks of this heap.
    pub(super) fn is_blank(&self, base: usize, end: usize) -> bool {
        let planes = self.planes();
        groups(base, end).all(|at| {
            // SAFETY: the addresses lie in blocks of this heap.
            let bits = unsafe {
                let group = planes.group(at);
                let linear = [
                    planes.kinds(at),
                    planes.states(at),
                    planes.claims(at),
                    planes.fates(at),
                ];
                linear.iter().fold(
                    group.tags.get() | group.extents.get() | group.marks(),
                    |bits, plane| bits | plane.get(),
                )
            };
            bits == 0
        })
    }

    /// Checks one block, or the span of one large object.
    ///
    /// # Safety
    ///
    /// As for [`Heap::verify`], and the blocks are this heap's.
    unsafe fn verify_blocks(
        &self,
        base: usize,
        end: usize,
        usage: Use,
        all_dirty: bool,
        pins: &Held<'_>,
    ) -> Result<(), VerifyError> {
        let large = !matches!(usage, Use::Small | Use::Free);
        let run = large && self.place_of(self.owned_block(base)).is_some();
        let mut state = self.state(self.owned_block(base));
        let mut inside: Option<usize> = None;
        let mut before: Option<Word> = None;
        let mut dirty = false;
        let mut objects = 0;
        for address in (base..end).step_by(WORD) {
            let word = self.word(address);
            let is_start = word.extent && bit(address) & STARTS != 0;
            let is_end = word.extent && !is_start;
            match (is_start, is_end, inside) {
                (true, _, Some(start)) => {
                    return Err(wrong(
                        address,
                        format!("an allocation starts inside of that at {start:#x}"),
                    ));
                }
                (_, true, None) => return Err(wrong(address, "an end without a start".into())),
                (true, _, None) => {
                    objects += 1;
                    if run {
                        // Flags are those of the block in which an object starts.
                        state = self.state(self.owned_block(address));
                    } else if large && address != base {
                        return Err(wrong(
                            address,
                            "a second object in the blocks of a large one".into(),
                        ));
                    }
                    if usage == Use::Free {
                        return Err(wrong(address, "an allocation in a free block".into()));
                    }
                    inside = Some(address);
                    dirty = all_dirty || self.word(address + WORD).state;
                }
                _ => {}
            }
            if word.mark {
                return Err(wrong(address, "a mark outside of a cycle".into()));
            }
            // After a weak pointer it is the value of an ephemeron.
            let derived = word.kind
                && !word.tag
                && !is_start
                && !before.as_ref().is_some_and(|key| key.tag && key.kind);
            if word.kind && !derived && !state.has_weak() {
                return Err(wrong(
                    address,
                    "a weak pointer or a shell in a block that is said to have none".into(),
                ));
            }
            if derived && !state.has_derived() {
                return Err(wrong(
                    address,
                    "a derived pointer in a block that is said to have none".into(),
                ));
            }
            if word.fate && !(is_start && state.has_weak()) {
                return Err(wrong(
                    address,
                    "found dead where no object starts, or none was".into(),
                ));
            }
            let dirty_place = inside.is_some_and(|start| address == start + WORD);
            if word.state && !is_start && !dirty_place {
                return Err(wrong(address, "dirty where there is no object".into()));
            }
            if word.state && is_start && !pins.has(address) {
                return Err(wrong(
                    address,
                    "said to be pinned, and nobody has pinned it".into(),
                ));
            }
            if word.claim {
                return Err(wrong(address, "a claim outside of a cycle".into()));
            }
            if inside.is_none() && (word.tag || word.kind) {
                return Err(wrong(address, "free memory is tagged".into()));
            }
            if word.tag {
                if usage == Use::LargeLeaf {
                    return Err(wrong(address, "a tag in an object without pointers".into()));
                }
                if !dirty {
                    let content = core::ptr::with_exposed_provenance::<usize>(address);
                    // SAFETY: tagged words are initialised (the caller's promise).
                    let target = unsafe { content.read() };
                    self.verify_target(address, target, word.kind)?;
                }
            }
            if derived {
                match before {
                    Some(base) if base.tag && !base.kind => {
                        if !dirty {
                            // SAFETY: the word before was checked just now; all tagged words are initialised, says
                            // the caller.
                            unsafe { self.verify_derived(address)? };
                        }
                    }
                    _ => {
                        return Err(wrong(
                            address,
                            "derived, and no strong pointer is before".into(),
                        ));
                    }
                }
            }
            before = Some(word);
            if is_end {
                inside = None;
                before = None;
            }
        }
        match inside {
            Some(start) => Err(wrong(start, "an allocation without an end".into())),
            None if large && (objects == 0 || objects > 1 && !run) => {
                Err(wrong(base, "the blocks of a large object are empty".into()))
            }
            None => Ok(()),
        }
    }

    /// Checks what the planes say of an object that was pinned so often.
    fn verify_pin(&self, address: usize, count: usize) -> Result<(), VerifyError> {
        let owned = self.block_of(address).is_some();
        match owned.then(|| self.word(address)) {
            Some(word) if word.extent && bit(address) & STARTS != 0 => match word.state {
                true => Ok(()),
                false => Err(wrong(
                    address,
                    format!("pinned {count} times, and its bit does not say so"),
                )),
            },
            _ => Err(wrong(
                address,
                format!("pinned {count} times, and there is no object"),
            )),
        }
    }

    /// Checks the contents of a tagged word.
    fn verify_target(&self, address: usize, target: usize, weak: bool) -> Result<(), VerifyError> {
        match self.fault_of(target, weak) {
            None => Ok(()),
            Some(fault) => Err(wrong(address, format!("tagged, and holds {fault}"))),
        }
    }

    /// What is wrong with a pointer, if something is.
    pub(crate) fn fault_of(&self, target: usize, weak: bool) -> Option<String> {
        if target == 0 || !target.is_multiple_of(GRANULE) || !self.spans(target) {
            return None;
        }
        if self.block_of(target).is_none() {
            return Some(format!("{target:#x} in a block of another heap"));
        }
        let word = self.word(target);
        if !word.extent {
            return Some(format!("{target:#x} where no allocation starts"));
        }
        let is_shell = !weak && word.kind && !word.tag;
        is_shell.then(|| format!("{target:#x}, strongly, of which only a shell is left"))
    }

    /// Whether the weak pointer at `slot` is the key of an ephemeron.
    ///
    /// # Safety
    ///
    /// It is one, in an object of this heap that ends at `end`.
    pub(crate) unsafe fn is_ephemeron(&self, slot: usize, end: usize) -> bool {
        slot + WORD < end && {
            let value = self.word(slot + WORD);
            value.kind && !value.tag
        }
    }

    /// Checks the contents of a derived word, if the word before leads to an allocation.
    ///
    /// # Safety
    ///
    /// As for [`Heap::verify`], and the word before was checked.
    unsafe fn verify_derived(&self, address: usize) -> Result<(), VerifyError> {
        let word = core::ptr::with_exposed_provenance::<usize>(address);
        // SAFETY: the word before is tagged, so initialised.
        let base = unsafe { word.sub(1).read() };
        if base == 0 || !base.is_multiple_of(GRANULE) || !self.spans(base) {
            return Ok(());
        }
        // SAFETY: the word before was checked: there is an allocation at the base. So this word is initialised.
        let (derived, end) = unsafe {
            let start = ObjectStart::new_unchecked(base);
            (word.read(), self.end_of(start))
        };
        if derived < base || derived > end {
            return Err(wrong(
                address,
                format!("derived, and holds {derived:#x} outside of {base:#x} to {end:#x}"),
            ));
        }
        Ok(())
    }

    fn word(&self, address: usize) -> Word {
        debug_assert!(address.is_multiple_of(WORD) && GROUP_BYTES.is_multiple_of(WORD));
        let planes = self.planes();
        // SAFETY: callers pass words in blocks of this heap.
        let (group, kinds, states, claims, fates) = unsafe {
            (
                planes.group(address),
                planes.kinds(address),
                planes.states(address),
                planes.claims(address),
                planes.fates(address),
            )
        };
        let bit = bit(address);
        Word {
            address,
            tag: group.tags.get() & bit != 0,
            extent: group.extents.get() & bit != 0,
            mark: group.marks() & bit != 0,
            state: states.get() & bit != 0,
            claim: claims.get() & bit != 0,
            kind: kinds.get() & bit != 0,
            fate: fates.get() & bit != 0,
        }
    }

    /// The tagged words of an object, for tests and tools: the address of each, and whether it is weak.
    pub(crate) fn tagged_words(&self, start: ObjectStart) -> Vec<(usize, bool)> {
        (start.address()..self.end_of(start))
            .step_by(WORD)
            .map(|address| self.word(address))
            .filter(|word| word.tag)
            .map(|word| (word.address, word.kind))
            .collect()
    }

    /// The derived words of an object, for tests and tools.
    pub(crate) fn derived_words(&self, start: ObjectStart) -> Vec<usize> {
        (start.address() + WORD..self.end_of(start))
            .step_by(WORD)
            .map(|address| self.word(address))
            .filter(|word| word.kind && !word.tag)
            .map(|word| word.address)
            // After a weak pointer it is the value of an ephemeron.
            .filter(|address| !self.word(address - WORD).kind)
            .collect()
    }
}

pub(super) fn wrong(address: usize, finding: String) -> VerifyError {
    VerifyError { address, finding }
}
