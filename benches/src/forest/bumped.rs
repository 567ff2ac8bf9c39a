//! Trees in a bump allocator, freed all at once.
//!
//! The program must know that a whole tree dies together: that knowledge is what a bump allocator
//! asks for and a collector does not. [`Bumped`] makes a bump allocator for each tree and gives it
//! back; [`Rewound`] keeps one and rewinds it, which spares the memory's way to the system.

use bumpalo::Bump;

use super::Forest;

struct Node<'b> {
    left: Option<&'b Node<'b>>,
    right: Option<&'b Node<'b>>,
}

const _: () = assert!(size_of::<Node<'_>>() == 16);

impl<'b> Node<'b> {
    fn build(depth: u32, bump: &'b Bump) -> &'b Node<'b> {
        bump.alloc(if depth == 0 {
            Node {
                left: None,
                right: None,
            }
        } else {
            Node {
                left: Some(Node::build(depth - 1, bump)),
                right: Some(Node::build(depth - 1, bump)),
            }
        })
    }

    fn count(&self) -> u64 {
        1 + self.left.map_or(0, Node::count) + self.right.map_or(0, Node::count)
    }
}

/// Each tree in a bump allocator of its own.
pub struct Bumped<'b> {
    home: &'b Bump,
    kept: Option<&'b Node<'b>>,
}

impl<'b> Bumped<'b> {
    /// A forest that keeps its long-lived tree in `home`.
    pub fn new(home: &'b Bump) -> Self {
        Bumped { home, kept: None }
    }
}

impl Forest for Bumped<'_> {
    fn pass(&mut self, depth: u32) -> u64 {
        Node::build(depth, &Bump::new()).count()
    }

    fn keep(&mut self, depth: u32) {
        self.kept = Some(Node::build(depth, self.home));
    }

    fn kept(&self) -> u64 {
        self.kept.map_or(0, Node::count)
    }
}

/// All short-lived trees in one bump allocator, which is rewound after each.
pub struct Rewound<'b> {
    bump: Bump,
    kept: Bumped<'b>,
}

impl<'b> Rewound<'b> {
    /// A forest that keeps its long-lived tree in `home`.
    pub fn new(home: &'b Bump) -> Self {
        Rewound {
            bump: Bump::new(),
            kept: Bumped::new(home),
        }
    }
}

impl Forest for Rewound<'_> {
    fn pass(&mut self, depth: u32) -> u64 {
        let count = Node::build(depth, &self.bump).count();
        self.bump.reset();
        count
    }

    fn keep(&mut self, depth: u32) {
        self.kept.keep(depth);
    }

    fn kept(&self) -> u64 {
        self.kept.kept()
    }
}
