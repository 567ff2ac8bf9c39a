//! The binary-trees program, over any manager of trees.
//!
//! The program and its parameters are those of the Computer Language Benchmarks Game: a stretch
//! tree one deeper than the others, a long-lived tree, and for each second depth from 4 upwards
//! so many short-lived trees that every depth allocates about as many nodes. A node holds two
//! optional children and nothing else. Each tree is counted, which reads every node once, and the
//! counts are checked at the end: a manager that loses a node cannot win.
//!
//! The program is single-threaded on purpose. It says nothing about objects of mixed sizes, about
//! long-lived mutable data, or about a heap larger than the caches for long.

mod boxed;
mod bumped;
mod explicit;

pub use boxed::Boxed;
pub use bumped::{Bumped, Rewound};
pub use explicit::{Explicit, Mi};

/// Depth of the shallowest short-lived trees.
pub const SHALLOWEST: u32 = 4;

/// A manager of binary trees.
pub trait Forest {
    /// Builds a tree of `depth`, counts its nodes and lets go of it.
    fn pass(&mut self, depth: u32) -> u64;

    /// Builds a tree of `depth` that lives until the forest ends.
    fn keep(&mut self, depth: u32);

    /// Counts the nodes of the tree that was kept.
    fn kept(&self) -> u64;
}

/// Nodes in a full tree of `depth`.
pub const fn nodes(depth: u32) -> u64 {
    (1 << (depth + 1)) - 1
}

/// How many short-lived trees of `depth` the program builds when its deepest are `deepest`.
pub const fn iterations(depth: u32, deepest: u32) -> u64 {
    1 << (deepest - depth + SHALLOWEST)
}

/// The depths of the short-lived trees.
pub fn depths(deepest: u32) -> impl Iterator<Item = u32> {
    (SHALLOWEST..=deepest).step_by(2)
}

/// Runs the program and returns the number of nodes it counted.
///
/// # Panics
///
/// If a count is not what the depth of the tree makes it.
pub fn binary_trees(forest: &mut impl Forest, deepest: u32) -> u64 {
    let mut counted = forest.pass(deepest + 1);
    assert_eq!(counted, nodes(deepest + 1), "the stretch tree lost a node");

    forest.keep(deepest);

    for depth in depths(deepest) {
        let iterations = iterations(depth, deepest);
        let mut check = 0;
        for _ in 0..iterations {
            check += forest.pass(depth);
        }
        assert_eq!(
            check,
            iterations * nodes(depth),
            "a tree of depth {depth} lost a node"
        );
        counted += check;
    }

    let kept = forest.kept();
    assert_eq!(kept, nodes(deepest), "the long-lived tree lost a node");
    counted + kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collected::{ours, peer};

    fn count(mut forest: impl Forest) -> u64 {
        binary_trees(&mut forest, 6)
    }

    #[test]
    fn all_managers_count_the_same_nodes() {
        let (first, second) = (bumpalo::Bump::new(), bumpalo::Bump::new());
        let counts = [
            count(Boxed::default()),
            count(Explicit::new(Mi)),
            count(Bumped::new(&first)),
            count(Rewound::new(&second)),
            count(ours::trees::Managed::default()),
            count(peer::trees::Managed::default()),
        ];
        // 2^7 nodes a tree, less one, and so on: 255 + 64 * 31 + 16 * 127 + 127.
        assert_eq!(counts, [4398; 6]);
    }
}
