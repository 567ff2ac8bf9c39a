//! Trees whose nodes have vectors behind locks.

use gc_core::barrier::field;
use gc_core::shared::{Arena, Mutation, Mutex, RwLock};
use gc_core::{Collect, Gc, Rootable};
use gc_tests::seed::Seed;

use crate::{arena, in_each_way, on_threads, verify};

#[derive(Collect)]
#[collect(no_drop)]
struct Tree<'gc> {
    name: String,
    children: Mutex<Vec<Gc<'gc, Tree<'gc>>>>,
    last: RwLock<Last<'gc>>,
}

/// What was done last to a tree.
#[derive(Collect)]
#[collect(no_drop)]
enum Last<'gc> {
    Nothing,
    Grew(Gc<'gc, Tree<'gc>>),
    Lost(u64),
}

impl<'gc> Tree<'gc> {
    fn new(mc: &Mutation<'gc>, name: usize) -> Gc<'gc, Tree<'gc>> {
        mc.allocate(Tree {
            name: format!("tree {name}"),
            children: Mutex::new(Vec::new()),
            last: RwLock::new(Last::Nothing),
        })
    }

    /// The number of trees in it.
    fn count(mc: &Mutation<'gc>, tree: Gc<'gc, Tree<'gc>>) -> usize {
        assert!(tree.name.starts_with("tree "));
        let children = field!(mc.write(tree), Tree, children).lock();
        1 + children
            .iter()
            .map(|&tree| Tree::count(mc, tree))
            .sum::<usize>()
    }
}

/// Trees grow and lose branches, on several threads.
#[test]
fn trees_grow_and_lose_branches() {
    in_each_way(|way| {
        let heap: Arena<Rootable![Gc<'_, Tree<'_>>]> = arena(way.often(), |mc| Tree::new(mc, 0));
        let seed = Seed::or(0);
        on_threads(4, |number| {
            let here = heap.attach();
            let mut random = seed.random_of(number as u64);
            for round in 0..way.size(150, 2000) {
                here.mutate(|mc, &root| {
                    let mut tree = root;
                    for _ in 0..random.below(6) {
                        let children = field!(mc.write(tree), Tree, children).lock();
                        if children.is_empty() {
                            break;
                        }
                        let next = *random.pick(&children);
                        drop(children);
                        tree = next;
                    }
                    match &*tree.last.read() {
                        Last::Nothing => {}
                        Last::Grew(child) => assert!(child.name.starts_with("tree ")),
                        Last::Lost(count) => assert!(*count > 0),
                    }
                    let mut children = field!(mc.write(tree), Tree, children).lock();
                    let last = field!(mc.write(tree), Tree, last);
                    if children.len() > 5 || random.one_in(20) {
                        *last.write() = Last::Lost(1 + children.len() as u64);
                        children.clear();
                    } else {
                        let child = Tree::new(mc, round);
                        children.push(child);
                        *last.write() = Last::Grew(child);
                    }
                });
                here.collect_debt();
            }
        });
        let here = heap.attach();
        let reachable = here.mutate(|mc, &root| Tree::count(mc, root));
        here.finish_cycle();
        verify(&here);
        assert!(heap.metrics().total_gc_count() >= reachable);
        assert_eq!(here.mutate(|mc, &root| Tree::count(mc, root)), reachable);
    });
}
