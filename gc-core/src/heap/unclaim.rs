//! Taking claims back: objects that were written or allocated in this cycle become like others.
//!
//! Claims say which objects were written ([`crate::collector::claim`]) or allocated ([`super::black`]) in this cycle.
//! To scan these objects again, and to know later which were written since, the collector takes the claims back. No
//! cursor is in a hole then, nor will one come into this hole before it is swept; so claims of free words go as well.

use super::Heap;
use super::block::{BLOCK, BlockIndex};
use super::planes::{GROUP_BYTES, groups, whole_groups, words};
use super::start::ObjectStart;
use super::sweep::covered;
use crate::protocol::claim;

impl Heap {
    /// Takes back the claims of the small objects that start in a block. Calls `f` with each of them that is marked,
    /// and may hold pointers.
    ///
    /// # Safety
    ///
    /// 1. It is a block of small objects of this heap, in which no cursor is.
    /// 2. No mutator is at work, and nothing is swept.
    pub(crate) unsafe fn unclaim_small(&self, block: BlockIndex, mut f: impl FnMut(ObjectStart)) {
        let (base, planes) = (self.address_of(block), self.planes);
        let state = self.state(block);
        if !state.has_claims() {
            return;
        }
        let mut carry = false;
        for at in whole_groups(base, BLOCK) {
            // SAFETY: the block is one of this heap.
            let (group, claims) = unsafe { (planes.group(at), planes.claims(at)) };
            (_, carry) = covered(group.starts(), group.ends(), carry);
            let claimed = claims.get();
            if claimed == 0 {
                continue;
            }
            claim::unclaim(claims.word(), u64::MAX);
            let mut marked = claimed & group.starts() & group.marks();
            if !state.is_described() && group.tags.get() == 0 {
                // Only one that goes on in the next group can hold pointers.
                marked &= match (carry, group.starts()) {
                    (true, starts @ 1..) => 1 << starts.ilog2(),
                    _ => 0,
                };
            }
            // SAFETY: marks were looked at on starts only, and nothing is swept (the caller's promise).
            words(at, marked).for_each(|at| f(unsafe { ObjectStart::new_unchecked(at) }));
        }
        // SAFETY: all claims of the block were taken back above, and no mutator claims anything meanwhile, says the
        // caller.
        unsafe { self.blocks.unclaim(block) }
    }

    /// Takes back the claims of the large or medium objects that start in a block. Calls `f` with the start of each
    /// that is marked, and each stretch of it that was written, from an address to another: all of it if it was
    /// allocated since the last time.
    ///
    /// # Safety
    ///
    /// 1. Objects of this heap above [`LARGE`](super::LARGE) bytes start in the block, or may.
    /// 2. No mutator is at work, and nothing is swept.
    pub(crate) unsafe fn unclaim_large(
        &self,
        block: BlockIndex,
        mut f: impl FnMut(ObjectStart, (usize, usize)),
    ) {
        let state = self.state(block);
        if !state.has_claims() {
            return;
        }
        self.each_start(block, |start| {
            let end = self.end_of(start);
            let mut written = Vec::new();
            for chunk in groups(start.address(), end) {
                // SAFETY: the chunk is one of the object.
                let claims = unsafe { self.planes.claims(chunk) };
                if claims.get() == 0 {
                    continue;
                }
                claim::unclaim(claims.word(), u64::MAX);
                let next = (chunk + GROUP_BYTES).min(end);
                match written.last_mut() {
                    Some((_, to)) if *to == chunk => *to = next,
                    _ => written.push((chunk, next)),
                }
            }
            if !self.is_marked(start) {
                return;
            }
            written.into_iter().for_each(|part| f(start, part));
        });
        // SAFETY: all claims of the block were taken back above, and no mutator claims anything meanwhile, says the
        // caller.
        unsafe { self.blocks.unclaim(block) }
    }
}
