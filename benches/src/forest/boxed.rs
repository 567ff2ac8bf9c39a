//! Trees of `Box`: the process's global allocator, freed node by node.

use super::Forest;

struct Node {
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
}

const _: () = assert!(size_of::<Node>() == 16);

impl Node {
    fn build(depth: u32) -> Box<Node> {
        Box::new(if depth == 0 {
            Node {
                left: None,
                right: None,
            }
        } else {
            Node {
                left: Some(Node::build(depth - 1)),
                right: Some(Node::build(depth - 1)),
            }
        })
    }

    fn count(&self) -> u64 {
        1 + self.left.as_ref().map_or(0, |node| node.count())
            + self.right.as_ref().map_or(0, |node| node.count())
    }
}

/// Trees of `Box` in the global allocator.
#[derive(Default)]
pub struct Boxed {
    kept: Option<Box<Node>>,
}

impl Forest for Boxed {
    fn pass(&mut self, depth: u32) -> u64 {
        Node::build(depth).count()
    }

    fn keep(&mut self, depth: u32) {
        self.kept = Some(Node::build(depth));
    }

    fn kept(&self) -> u64 {
        self.kept.as_ref().map_or(0, |node| node.count())
    }
}
