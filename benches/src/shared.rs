//! The binary-trees program on several threads of one shared arena.
//!
//! The work is that of [`crate::forest::binary_trees`]: of the short-lived trees of each depth, each thread
//! builds and counts its part; the stretch tree is the first thread's, the long-lived tree the last's.

use gc_core::shared::{Arena, AtomicGc, Attached, Mutation};
use gc_core::{Collect, Gc, HeapOptions, Rootable};

use crate::forest::{depths, iterations, nodes};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
}

const _: () = assert!(size_of::<Node<'_>>() == 16);

impl<'gc> Node<'gc> {
    fn build(depth: u32, mc: &Mutation<'gc>) -> Gc<'gc, Node<'gc>> {
        let child = || (depth > 0).then(|| Node::build(depth - 1, mc));
        let (left, right) = (child(), child());
        mc.allocate(Node { left, right })
    }

    fn count(&self) -> u64 {
        1 + self.left.map_or(0, |node| node.count()) + self.right.map_or(0, |node| node.count())
    }
}

/// What lives long.
type Kept = Rootable![AtomicGc<'_, Node<'_>>];

/// Builds a tree of `depth`, counts its nodes and lets go of it.
fn pass(here: &Attached<'_, Kept>, depth: u32) -> u64 {
    let count = here.mutate(|mc, _| Node::build(depth, mc).count());
    here.collect_debt();
    count
}

/// Runs the program on so many threads, in an arena with `options`, and returns the number of nodes that
/// it counted.
///
/// # Panics
///
/// If a count is not what the depth of the tree makes it, or there is no memory for the arena.
pub fn binary_trees(threads: u64, options: HeapOptions, deepest: u32) -> u64 {
    let arena = Arena::<Kept>::with_options(options, |_| AtomicGc::null())
        .unwrap_or_else(|error| panic!("no heap: {error}"));
    let work = |thread: u64| {
        let here = arena.attach();
        let mut counted = 0;
        if thread == 0 {
            counted += pass(&here, deepest + 1);
        }
        if thread == threads - 1 {
            here.mutate(|mc, kept| kept.store(mc, Some(Node::build(deepest, mc))));
            here.collect_debt();
        }
        for depth in depths(deepest) {
            let all = iterations(depth, deepest);
            let mine = all * (thread + 1) / threads - all * thread / threads;
            counted += (0..mine).map(|_| pass(&here, depth)).sum::<u64>();
        }
        counted
    };
    let counted = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        let first = work(0);
        let others = others.into_iter().map(|thread| thread.join());
        first + others.map(|counted| counted.unwrap_or(0)).sum::<u64>()
    });
    let kept = arena
        .attach()
        .mutate(|_, kept| kept.load().map_or(0, |tree| tree.count()));
    let expected = depths(deepest).map(|depth| iterations(depth, deepest) * nodes(depth));
    let expected = nodes(deepest + 1) + expected.sum::<u64>();
    assert_eq!(
        (counted, kept),
        (expected, nodes(deepest)),
        "a node was lost"
    );
    counted + kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_together_count_the_same_nodes() {
        for threads in 1..4 {
            assert_eq!(binary_trees(threads, HeapOptions::default(), 6), 4398);
        }
    }
}
