//! Pinned values of all kinds: without a size, of unknown size, large, and such as the collector asks.

use std::fmt::Display;

use gc_core::{Gc, Pinned, RefLock, Rootable, unsize};

use crate::{Empty, Node, empty, in_each_way, left, litter};

#[test]
fn slices_strings_and_trait_objects() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let (slice, text, shown): (
            Pinned<Rootable![[u16]]>,
            Pinned<Rootable![str]>,
            Pinned<Rootable![dyn Display]>,
        ) = heap.mutate(|mc, _| {
            (
                Gc::pin(mc, Gc::slice_from_iter(mc, 0..1000u16)),
                Gc::pin(mc, Gc::str_from(mc, "foreign")),
                Gc::pin(mc, unsize!(Gc::new(mc, 12u8) => dyn Display)),
            )
        });
        left(&mut heap, 3);
        heap.mutate(|mc, _| {
            litter(mc, 500);
            assert!(slice.get(mc).iter().copied().eq(0..1000));
            assert_eq!(&*text.get(mc), "foreign");
            assert_eq!(shown.get(mc).to_string(), "12");
            assert!(Gc::is_pinned(mc, shown.get(mc)));
        });
        // SAFETY: they are pinned, and nobody writes to them.
        unsafe {
            assert_eq!((*slice.as_ptr())[999], 999);
            assert_eq!(&*text.as_ptr(), "foreign");
            assert_eq!((*shown.as_ptr()).to_string(), "12");
        }
        drop((slice, text));
        left(&mut heap, 1);
        drop(shown);
        left(&mut heap, 0);
    });
}

/// They live outside of all heaps, for ever; pins of them are counted all the same.
#[test]
fn values_without_a_size() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let (unit, none, address) = heap.mutate(|mc, _| {
            let unit = Gc::new(mc, ());
            assert!(!Gc::is_pinned(mc, unit));
            (
                Gc::pin::<Rootable![()]>(mc, unit),
                Gc::pin::<Rootable![[u64]]>(mc, Gc::slice_from_iter(mc, [])),
                Gc::pin_raw(mc, unit),
            )
        });
        left(&mut heap, 0);
        heap.mutate(|mc, _| {
            assert!(Gc::is_pinned(mc, unit.get(mc)));
            assert!(none.get(mc).is_empty());
            assert_eq!(mc.metrics().statistics().pins, 3);
            // SAFETY: it was pinned once, so nobody relies on the second pin.
            unsafe {
                Gc::unpin_raw(mc, address).unwrap();
                Gc::unpin_raw(mc, address).unwrap_err();
            }
        });
        drop((unit, none));
        heap.mutate(|mc, _| assert!(!Gc::is_pinned(mc, Gc::new(mc, ()))));
        assert!(heap.pinned().is_empty());
    });
}

#[test]
fn large_objects() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let pin = |heap: &Empty, length: usize| {
            heap.mutate(|mc, _| {
                let leaf = Gc::slice_from_iter(mc, (0..length).map(|i| i as u64));
                let nodes = Gc::slice_from_iter(mc, (0..length).map(|_| Node::list(mc, 1)));
                (
                    Gc::pin::<Rootable![[u64]]>(mc, leaf),
                    Gc::pin::<Rootable!['gc => [Gc<'gc, Node<'gc>>]]>(mc, nodes),
                )
            })
        };
        for length in [2000, 5000, 20_000] {
            let (leaf, nodes) = pin(&heap, length);
            left(&mut heap, 2 + length as u64);
            heap.mutate(|mc, _| {
                litter(mc, 1000);
                assert!(leaf.get(mc).iter().copied().eq(0..length as u64));
                assert!(nodes.get(mc).iter().all(|node| node.check() == 1));
            });
            drop(nodes);
            left(&mut heap, 1);
            drop(leaf);
            left(&mut heap, 0);
        }
    });
}

/// Objects whose pointers are known to themselves only, and which are dirty beside being pinned.
#[test]
fn objects_that_are_asked_and_written() {
    type Nodes<'gc> = RefLock<Vec<Gc<'gc, Node<'gc>>>>;
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let guards: Vec<Pinned<Rootable!['gc => Nodes<'gc>]>> = heap.mutate(|mc, _| {
            let pin = |_| Gc::pin(mc, Gc::new(mc, RefLock::default()));
            (0..50).map(pin).collect()
        });
        for round in 1..6 {
            crate::begin(&mut heap);
            heap.mutate(|mc, _| {
                for guard in &guards {
                    let nodes = guard.get(mc);
                    nodes.borrow_mut(mc).push(Node::list(mc, 2));
                    assert!(Gc::is_pinned(mc, nodes));
                }
            });
            left(&mut heap, 50 * (1 + 2 * round));
            heap.mutate(|mc, _| {
                litter(mc, 100);
                let nodes = |guard: &Pinned<Rootable!['gc => Nodes<'gc>]>| -> u64 {
                    guard.get(mc).borrow().iter().map(|n| n.check()).sum()
                };
                assert!(guards.iter().all(|guard| nodes(guard) == 2 * round));
            });
        }
        drop(guards);
        left(&mut heap, 0);
    });
}
