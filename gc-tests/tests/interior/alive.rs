//! What points into an object keeps it alive, and nothing else does.

use gc_core::slice::{Interior, OffsetSlice, Slice, Str, interior};
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Rootable};
use gc_tests::way::in_each_way;

use crate::count;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    before: [u64; 3],
    name: Gc<'gc, str>,
    numbers: [Gc<'gc, u64>; 4],
    nothing: (),
}

/// One view at a time, and a weak pointer to what it is of.
#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    part: Lock<Option<Slice<'gc, Gc<'gc, u64>>>>,
    text: Lock<Option<Str<'gc>>>,
    tail: Lock<Option<OffsetSlice<'gc, Gc<'gc, u64>>>>,
    name: Lock<Option<Interior<'gc, Gc<'gc, str>>>>,
    nothing: Lock<Option<Interior<'gc, ()>>>,
    weak: Lock<Option<GcWeak<'gc, ()>>>,
}

fn node<'gc>(mc: &gc_core::Mutation<'gc>) -> Gc<'gc, Node<'gc>> {
    let node = Node {
        before: [0; 3],
        name: Gc::str_from(mc, "name"),
        numbers: std::array::from_fn(|i| Gc::new(mc, i as u64)),
        nothing: (),
    };
    Gc::new(mc, node)
}

#[test]
fn each_view_keeps_the_whole_alive() {
    in_each_way(|way| {
        let options = way.options();
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| Root {
            part: Lock::new(None),
            text: Lock::new(None),
            tail: Lock::new(None),
            name: Lock::new(None),
            nothing: Lock::new(None),
            weak: Lock::new(None),
        })
        .unwrap();
        for view in 0..8 {
            // With the node itself there are its name and its numbers.
            let objects = arena.mutate_root(|mc, root| {
                let node = node(mc);
                let whole: Slice<'_, _> = interior!(node, Node, numbers).into();
                let (base, objects) = match view {
                    0 => {
                        root.part = Lock::new(Some(whole));
                        (whole.base(), 6)
                    }
                    1 => {
                        root.part = Lock::new(whole.get_slice(3..));
                        (whole.base(), 6)
                    }
                    // One past the end, and nothing to be seen.
                    2 => {
                        root.part = Lock::new(whole.get_slice(4..));
                        (whole.base(), 6)
                    }
                    3 => {
                        let name = interior!(node, Node, name);
                        root.name = Lock::new(Some(name));
                        (name.base(), 6)
                    }
                    4 => {
                        let nothing = interior!(node, Node, nothing);
                        root.nothing = Lock::new(Some(nothing));
                        (nothing.base(), 6)
                    }
                    5 => {
                        let text = Str::from(node.name);
                        root.text = Lock::new(Some(text.slice(2..3)));
                        (text.base(), 1)
                    }
                    6 => {
                        let tail = OffsetSlice::new(mc, node.numbers);
                        root.tail = Lock::new(Some(tail.skip(4)));
                        (tail.base(), 5)
                    }
                    _ => {
                        let part = whole.slice(1..2).compact_to_fit(mc);
                        root.part = Lock::new(Some(part));
                        (part.base(), 2)
                    }
                };
                root.weak = Lock::new(Some(Gc::downgrade(base)));
                objects
            });
            for _ in 0..2 {
                assert_eq!(count(&mut arena), objects, "view {view}");
            }
            arena.mutate_root(|mc, root| {
                assert!(root.weak.get().unwrap().upgrade(mc).is_some());
                match view {
                    0 => assert!(root.part.get().unwrap().iter().map(|n| **n).eq(0..4)),
                    1 => assert!(root.part.get().unwrap().iter().map(|n| **n).eq(3..4)),
                    2 => assert!(root.part.get().unwrap().is_empty()),
                    3 => assert_eq!(&**root.name.get().unwrap(), "name"),
                    4 => assert!(root.nothing.get().is_some()),
                    5 => assert_eq!(root.text.get().unwrap(), "m"),
                    6 => assert!(root.tail.get().unwrap().is_empty()),
                    _ => assert!(root.part.get().unwrap().iter().map(|n| **n).eq(1..2)),
                }
                root.part = Lock::new(None);
                root.text = Lock::new(None);
                root.tail = Lock::new(None);
                root.name = Lock::new(None);
                root.nothing = Lock::new(None);
            });
            // A shell is left, as there is a weak pointer.
            assert_eq!(count(&mut arena), 1, "view {view}");
            arena.mutate_root(|mc, root| {
                assert!(root.weak.get().unwrap().upgrade(mc).is_none());
                root.weak = Lock::new(None);
            });
            assert_eq!(count(&mut arena), 0);
        }
    });
}

/// Chains of objects of which each is reached by a view in the one before: also in large objects, and beside
/// weak pointers.
#[derive(Collect)]
#[collect(no_drop)]
struct Link<'gc> {
    number: u64,
    next: Lock<Option<Slice<'gc, Link<'gc>>>>,
    weak: GcWeak<'gc, u64>,
    field: Option<Interior<'gc, u64>>,
}

#[test]
fn chains_of_slices_are_followed() {
    in_each_way(|way| {
        type Links<'gc> = Slice<'gc, Link<'gc>>;
        let mut arena =
            Arena::<Rootable![Links<'_>]>::with_options(way.often(), |_| Slice::default()).unwrap();
        let links = way.size(60, 400);
        for round in 0..links {
            arena.mutate_root(|mc, root| {
                // Every twentieth is a large object.
                let length = if round % 20 == 7 { 300 } else { 1 + round % 4 };
                let weak = Gc::downgrade(Gc::new(mc, 5));
                let numbers = Slice::from(Gc::new(mc, [round as u64; 6]));
                let link = |index| Link {
                    number: (round + index) as u64,
                    next: Lock::new((index == length - 1).then_some(*root)),
                    weak,
                    field: (index % 2 == 0).then(|| Interior::of_element(numbers, index % 6)),
                };
                let all = Slice::from(Gc::slice_from_iter(mc, (0..length).map(link)));
                *root = all.slice(length - 1..);
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        arena.verify().unwrap();
        arena.mutate(|mc, root| {
            let (mut at, mut seen) = (*root, 0);
            while let Some(link) = at.as_ref().first() {
                seen += 1;
                let round = links - seen;
                let length = if round % 20 == 7 { 300 } else { 1 + round % 4 };
                assert_eq!(link.number, (round + length - 1) as u64);
                assert!(link.weak.upgrade(mc).is_none());
                assert!(link.field.is_none_or(|field| *field == round as u64));
                at = link.next.get().unwrap();
            }
            assert_eq!(seen, links);
        });
    });
}

/// What was allocated as views leaves nothing behind for what comes in its place.
#[test]
fn blocks_are_used_again() {
    in_each_way(|way| {
        type Any<'gc> = Vec<Gc<'gc, ()>>;
        let mut arena =
            Arena::<Rootable![Any<'_>]>::with_options(way.options(), |_| Vec::new()).unwrap();
        for round in 0..8 {
            arena.mutate_root(|mc, root| {
                root.clear();
                for index in 0..200 {
                    let number = Gc::new(mc, [index; 2]);
                    let view = Some(Slice::from(number).slice(1..));
                    let any = match (round + index) % 4 {
                        0 => Gc::erase(Gc::new(mc, view)),
                        1 => Gc::erase(Gc::new(mc, [usize::MAX; 3])),
                        2 => {
                            Gc::erase(Gc::slice_from_iter(mc, vec![view; 1 + 600 * (index / 195)]))
                        }
                        _ => Gc::erase(Gc::new(mc, (Gc::downgrade(number), 1_u64))),
                    };
                    root.push(any);
                }
            });
            // Shells of the numbers to which only weak pointers lead are left as well.
            assert_eq!(count(&mut arena), 400 - 50);
        }
        arena.mutate_root(|_, root| root.clear());
        assert_eq!(count(&mut arena), 0);
    });
}
