//! Trees of `Box` in a named allocator, freed node by node.
//!
//! A process has one global allocator, and this one keeps the system's. An allocator named by
//! type is called directly rather than through the global allocator's symbol, which favours it by
//! a jump for each call; a node is as small as that of a plain `Box`, since the allocator is a
//! type of no size.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::{NonNull, slice_from_raw_parts_mut};

use allocator_api2::alloc::{AllocError, Allocator};
use allocator_api2::boxed::Box;
use mimalloc::MiMalloc;

use super::Forest;

struct Node<A: Allocator> {
    left: Option<Box<Node<A>, A>>,
    right: Option<Box<Node<A>, A>>,
}

const _: () = assert!(size_of::<Node<Mi>>() == 16);

impl<A: Allocator + Copy> Node<A> {
    fn build(depth: u32, allocator: A) -> Box<Node<A>, A> {
        Box::new_in(
            if depth == 0 {
                Node {
                    left: None,
                    right: None,
                }
            } else {
                Node {
                    left: Some(Node::build(depth - 1, allocator)),
                    right: Some(Node::build(depth - 1, allocator)),
                }
            },
            allocator,
        )
    }

    fn count(&self) -> u64 {
        1 + self.left.as_ref().map_or(0, |node| node.count())
            + self.right.as_ref().map_or(0, |node| node.count())
    }
}

/// Trees of `Box` in the allocator `A`.
pub struct Explicit<A: Allocator> {
    allocator: A,
    kept: Option<Box<Node<A>, A>>,
}

impl<A: Allocator + Copy> Explicit<A> {
    /// An empty forest in `allocator`.
    pub fn new(allocator: A) -> Self {
        Explicit {
            allocator,
            kept: None,
        }
    }
}

impl<A: Allocator + Copy> Forest for Explicit<A> {
    fn pass(&mut self, depth: u32) -> u64 {
        Node::build(depth, self.allocator).count()
    }

    fn keep(&mut self, depth: u32) {
        self.kept = Some(Node::build(depth, self.allocator));
    }

    fn kept(&self) -> u64 {
        self.kept.as_ref().map_or(0, |node| node.count())
    }
}

/// The allocator mimalloc.
#[derive(Clone, Copy)]
pub struct Mi;

// SAFETY: `MiMalloc` is an allocator of the whole process. A block it hands out stays valid until
// it is freed, whichever copy of `Mi` frees it, since `Mi` has no state; and sizes of zero, which
// it must not be asked for, never reach it.
unsafe impl Allocator for Mi {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let start = if layout.size() == 0 {
            NonNull::<u8>::without_provenance(layout.align().try_into().map_err(|_| AllocError)?)
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { MiMalloc.alloc(layout) }).ok_or(AllocError)?
        };
        NonNull::new(slice_from_raw_parts_mut(start.as_ptr(), layout.size())).ok_or(AllocError)
    }

    unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: the caller owes a block that `allocate` handed out for this layout, and one
            // of a size other than zero came from `MiMalloc`.
            unsafe { MiMalloc.dealloc(start.as_ptr(), layout) }
        }
    }
}
