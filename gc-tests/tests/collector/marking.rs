//! Marking graphs of shapes that are hard on a marker: deep ones, wide ones, and such that more
//! objects are found than its stack holds.
//!
//! `LIST_CELLS` sets the length of the list, so that
//! `LIST_CELLS=100000000 cargo test --release -p gc-tests --test collector a_list` marks one of a
//! hundred million cells.

use std::collections::{BTreeMap, VecDeque};

use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Mode, RefLock, Rootable, Zeal};

/// The stack on which everything here has to run.
const STACK: usize = 256 << 10;

fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(f)
        .unwrap();
    thread
        .join()
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload));
}

fn options() -> HeapOptions {
    HeapOptions::default().zeal(Zeal::NONE)
}

/// Collects twice, and compares how many objects are left.
macro_rules! collect_and_count {
    ($arena:expr, $expected:expr) => {
        for _ in 0..2 {
            $arena.finish_cycle();
            assert_eq!($arena.metrics().total_gc_count(), $expected);
        }
    };
}

fn list_cells() -> u64 {
    let cells = std::env::var("LIST_CELLS").ok();
    cells.map_or(1_000_000, |cells| {
        cells.parse().expect("LIST_CELLS is a number")
    })
}

#[derive(Collect)]
#[collect(no_drop)]
struct Cell<'gc> {
    number: u64,
    next: Option<Gc<'gc, Cell<'gc>>>,
}

#[test]
fn a_list() {
    on_a_small_stack(|| {
        let cells = list_cells();
        type Root<'gc> = Option<Gc<'gc, Cell<'gc>>>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |_| None).unwrap();
        arena.mutate_root(|mc, root| {
            for number in 0..cells {
                *root = Some(Gc::new(
                    mc,
                    Cell {
                        number,
                        next: *root,
                    },
                ));
            }
        });
        collect_and_count!(arena, cells as usize);
        arena.mutate(|_, root| {
            let (mut cell, mut number) = (*root, cells);
            while let Some(at) = cell {
                number -= 1;
                assert_eq!(at.number, number);
                cell = at.next;
            }
            assert_eq!(number, 0);
        });
        // Half of it, then nothing.
        arena.mutate_root(|_, root| {
            for _ in 0..cells / 2 {
                *root = root.unwrap().next;
            }
        });
        collect_and_count!(arena, (cells - cells / 2) as usize);
        arena.mutate_root(|_, root| *root = None);
        collect_and_count!(arena, 0);
    });
}

#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
struct Branch<'gc> {
    left: Option<Gc<'gc, Branch<'gc>>>,
    right: Option<Gc<'gc, Branch<'gc>>>,
}

/// A tree that is deep on one side and has a leaf on the other. As the leaves wait while the deep
/// side is marked, or the deep side while the leaves are, one of the two has more objects waiting
/// than a mark stack of 2^20 holds.
fn a_leaning_tree(left: bool, depth: usize) {
    on_a_small_stack(move || {
        type Root<'gc> = Option<Gc<'gc, Branch<'gc>>>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |_| None).unwrap();
        arena.mutate_root(|mc, root| {
            for _ in 0..depth {
                let leaf = Some(Gc::new(
                    mc,
                    Branch {
                        left: None,
                        right: None,
                    },
                ));
                let (left, right) = if left { (*root, leaf) } else { (leaf, *root) };
                Gc::new(mc, 0_u64);
                *root = Some(Gc::new(mc, Branch { left, right }));
            }
        });
        collect_and_count!(arena, 2 * depth);
        arena.verify().unwrap();
        arena.mutate(|_, root| {
            let (mut at, mut found) = (*root, 0);
            while let Some(branch) = at {
                found += 1;
                at = if left { branch.left } else { branch.right };
            }
            assert_eq!(found, depth);
        });
    });
}

#[test]
fn a_tree_that_leans_left() {
    a_leaning_tree(true, 1_200_000);
}

#[test]
fn a_tree_that_leans_right() {
    a_leaning_tree(false, 1_200_000);
}

/// Every waiting object leads to a list that is reached in no other way, so that each that was not
/// looked at would be missed.
#[test]
fn what_does_not_fit_on_the_mark_stack_is_not_forgotten() {
    #[derive(Collect)]
    #[collect(no_drop)]
    #[repr(C)]
    struct Fork<'gc> {
        aside: Gc<'gc, Gc<'gc, Gc<'gc, u64>>>,
        next: Option<Gc<'gc, Fork<'gc>>>,
    }
    const FORKS: u64 = 1_100_000;
    on_a_small_stack(|| {
        type Root<'gc> = Option<Gc<'gc, Fork<'gc>>>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |_| None).unwrap();
        arena.mutate_root(|mc, root| {
            for number in 0..FORKS {
                let aside = Gc::new(mc, Gc::new(mc, Gc::new(mc, number)));
                *root = Some(Gc::new(mc, Fork { aside, next: *root }));
            }
        });
        collect_and_count!(arena, 4 * FORKS as usize);
        arena.mutate(|_, root| {
            let (mut at, mut number) = (*root, FORKS);
            while let Some(fork) = at {
                number -= 1;
                assert_eq!(***fork.aside, number);
                at = fork.next;
            }
            assert_eq!(number, 0);
        });
    });
}

/// Wide objects, in the heap and outside of it, full of pointers to objects which have more behind
/// them.
#[test]
fn wide_arrays() {
    const WIDTH: usize = 600_000;
    type Behind<'gc> = Gc<'gc, Gc<'gc, u64>>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Root<'gc> {
        inside: Gc<'gc, [Behind<'gc>]>,
        outside: Gc<'gc, Box<[Behind<'gc>]>>,
        sparse: Gc<'gc, [Lock<Option<Behind<'gc>>>]>,
    }
    on_a_small_stack(|| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |mc| {
            let behind = |i| Gc::new(mc, Gc::new(mc, i as u64));
            Root {
                inside: Gc::slice_from_iter(mc, (0..WIDTH).map(behind)),
                outside: Gc::new(mc, (0..WIDTH).map(behind).collect()),
                sparse: Gc::slice_from_iter(mc, (0..WIDTH).map(|_| Lock::new(None))),
            }
        })
        .unwrap();
        arena.mutate(|mc, root| {
            for i in (0..WIDTH).step_by(1000) {
                let behind = Gc::new(mc, Gc::new(mc, i as u64));
                Gc::write(mc, root.sparse)[i].unlock().set(Some(behind));
            }
        });
        collect_and_count!(arena, 3 + 4 * WIDTH + 2 * (WIDTH / 1000));
        arena.mutate(|_, root| {
            for i in 0..WIDTH {
                assert_eq!((**root.inside[i], **root.outside[i]), (i as u64, i as u64));
                let sparse = root.sparse[i].get().map(|behind| **behind);
                assert_eq!(sparse, i.is_multiple_of(1000).then_some(i as u64));
            }
        });
    });
}

/// Many pointers to the same objects, from one array.
#[test]
fn a_wide_array_of_few_objects() {
    const WIDTH: usize = 2_000_000;
    on_a_small_stack(|| {
        type Root<'gc> = Gc<'gc, [Gc<'gc, Gc<'gc, u64>>]>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |mc| {
            let few: Vec<_> = (0..1000).map(|i| Gc::new(mc, Gc::new(mc, i))).collect();
            Gc::slice_from_iter(mc, (0..WIDTH).map(|i| few[i * 7919 % 1000]))
        })
        .unwrap();
        collect_and_count!(arena, 2001);
        arena.mutate(|_, root| {
            assert!(
                root.iter()
                    .enumerate()
                    .all(|(i, gc)| ***gc == i as u64 * 7919 % 1000)
            );
        });
    });
}

#[test]
fn cycles() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Node<'gc> {
        edges: [Lock<Option<Gc<'gc, Node<'gc>>>>; 2],
    }
    const NODES: usize = 50_000;
    type Root<'gc> = Option<Gc<'gc, Node<'gc>>>;
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |_| None).unwrap();
    for _ in 0..3 {
        arena.mutate_root(|mc, root| {
            let nil = || Lock::new(None);
            let nodes: Vec<_> = (0..NODES)
                .map(|_| {
                    Gc::new(
                        mc,
                        Node {
                            edges: [nil(), nil()],
                        },
                    )
                })
                .collect();
            for (i, node) in nodes.iter().enumerate() {
                let edges = gc_core::barrier::field!(Gc::write(mc, *node), Node, edges);
                // A ring, and chords of all lengths; one in ten only points to itself.
                edges[0].unlock().set(Some(nodes[(i + 1) % NODES]));
                let chord = if i % 10 == 0 { i } else { i * 31 % NODES };
                edges[1].unlock().set(Some(nodes[chord]));
            }
            *root = Some(nodes[17]);
        });
        collect_and_count!(arena, NODES);
    }
    // The ring keeps itself alive no longer.
    arena.mutate_root(|_, root| *root = None);
    collect_and_count!(arena, 0);
}

#[test]
fn large_and_small_objects_in_turn() {
    type Link<'gc> = Lock<Option<Gc<'gc, Small<'gc>>>>;
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Small<'gc> {
        number: usize,
        large: Option<Gc<'gc, [Link<'gc>]>>,
        ballast: Gc<'gc, [u64]>,
    }
    const LINKS: usize = 300;
    on_a_small_stack(|| {
        type Root<'gc> = Option<Gc<'gc, Small<'gc>>>;
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options(), |_| None).unwrap();
        arena.mutate_root(|mc, root| {
            for number in 0..LINKS {
                let slots = 1500 + number * 37 % 9000;
                let large = Gc::slice_from_iter(mc, (0..slots).map(|_| Lock::new(None)));
                Gc::write(mc, large)[number * 101 % slots]
                    .unlock()
                    .set(*root);
                let ballast =
                    Gc::slice_from_iter(mc, (0..1000 + number).map(|i| (i + number) as u64));
                *root = Some(Gc::new(
                    mc,
                    Small {
                        number,
                        large: Some(large),
                        ballast,
                    },
                ));
                Gc::slice_from_iter(mc, (0..slots).map(|_| Lock::new(*root)));
            }
        });
        collect_and_count!(arena, 3 * LINKS);
        arena.verify().unwrap();
        arena.mutate(|_, root| {
            let (mut at, mut number) = (*root, LINKS);
            while let Some(small) = at {
                number -= 1;
                assert_eq!(small.number, number);
                assert!(
                    (number as u64..)
                        .zip(&*small.ballast)
                        .all(|(i, word)| i == *word)
                );
                at = small.large.unwrap().iter().find_map(Lock::get);
            }
            assert_eq!(number, 0);
        });
    });
}

/// An object that owns pointers outside of the heap.
#[derive(Collect)]
#[collect(no_drop)]
struct Owner<'gc> {
    owned: Vec<Gc<'gc, Owner<'gc>>>,
}

const MODES: [Mode; 3] = [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent];

/// Objects to which memory leads that another one owns are marked when that memory is read, and wait to be scanned: more
/// of them than there is room for.
#[test]
fn more_objects_in_a_vector_than_fit_on_a_stack() {
    const MANY: usize = (1 << 20) + 10_000;
    const APART: usize = 1000;

    type Root<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Owner<'gc>>>>>;
    for mode in MODES {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options().mode(mode), |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
        arena.mutate(|mc, root| {
            let mut all = root.borrow_mut(mc);
            for number in 0..MANY {
                // Nothing else leads to these.
                let owned = (0..usize::from(number % APART == 0))
                    .map(|_| Gc::new(mc, Owner { owned: Vec::new() }));
                let owned = owned.collect();
                all.push(Gc::new(mc, Owner { owned }));
            }
        });
        collect_and_count!(arena, 1 + MANY + MANY.div_ceil(APART));
        arena.mutate(|mc, root| root.borrow_mut(mc).truncate(APART));
        collect_and_count!(arena, 1 + APART + 1);
    }
}

/// Each owns the next one alone.
#[test]
fn a_chain_of_owners() {
    on_a_small_stack(|| {
        const LINKS: usize = 100_000;

        type Root<'gc> = Option<Gc<'gc, Owner<'gc>>>;
        for mode in MODES {
            let options = options().mode(mode);
            let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
            arena.mutate_root(|mc, root| {
                for _ in 0..LINKS {
                    let owned = root.iter().copied().collect();
                    *root = Some(Gc::new(mc, Owner { owned }));
                }
            });
            collect_and_count!(arena, LINKS);
            arena.mutate_root(|_, root| *root = None);
            collect_and_count!(arena, 0);
        }
    });
}

/// Memory in which pointers lie in all the ways that there are: in rows of any length and stride, with and without null,
/// several to one object, in several rows, and apart.
#[derive(Collect)]
#[collect(no_drop)]
struct Shapes<'gc> {
    row: Vec<Option<Gc<'gc, u64>>>,
    pairs: Box<[(u64, Gc<'gc, u64>)]>,
    wide: Vec<[Gc<'gc, u64>; 3]>,
    rows: Vec<Vec<Gc<'gc, u64>>>,
    ring: VecDeque<Gc<'gc, u64>>,
    tree: BTreeMap<u64, Gc<'gc, u64>>,
}

#[test]
fn pointers_in_owned_memory() {
    type Root<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Shapes<'gc>>>>>;
    for mode in MODES {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options().mode(mode), |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
        let mut objects = 1;
        let lengths = [0, 1, 2, 15, 16, 17, 63, 64, 65, 128, 129, 1000];
        arena.mutate(|mc, root| {
            for length in lengths {
                let count = length as u64;
                let new = |number| Gc::new(mc, number);
                let same = new(0);
                let mut ring: VecDeque<_> = (0..count).map(new).collect();
                ring.rotate_left(length / 2);
                let shapes = Shapes {
                    row: (0..2 * count)
                        .map(|i| (i % 2 == 0).then(|| new(i)))
                        .collect(),
                    pairs: (0..count).map(|i| (i, new(i))).collect(),
                    wide: (0..count).map(|i| [new(i), same, new(i)]).collect(),
                    rows: (0..count % 100)
                        .map(|i| (0..i).map(new).collect())
                        .collect(),
                    ring,
                    tree: (0..count).map(|i| (i, new(i))).collect(),
                };
                let rows: usize = shapes.rows.iter().map(Vec::len).sum();
                objects += 1 + 6 * length + usize::from(length > 0) + rows;
                root.borrow_mut(mc).push(Gc::new(mc, shapes));
            }
        });
        collect_and_count!(arena, objects);
        arena.verify().unwrap();
        arena.mutate(|_, root| {
            for (shapes, length) in root.borrow().iter().zip(lengths) {
                let count = length as u64;
                let numbers = |some: &mut dyn Iterator<Item = Gc<'_, u64>>| -> u64 {
                    some.map(|number| *number).sum()
                };
                let sum = (0..count).sum::<u64>();
                assert_eq!(numbers(&mut shapes.row.iter().flatten().copied()), 2 * sum);
                assert_eq!(numbers(&mut shapes.pairs.iter().map(|pair| pair.1)), sum);
                assert_eq!(numbers(&mut shapes.wide.iter().flatten().copied()), 2 * sum);
                assert_eq!(numbers(&mut shapes.ring.iter().copied()), sum);
                assert_eq!(numbers(&mut shapes.tree.values().copied()), sum);
            }
        });
    }
}
