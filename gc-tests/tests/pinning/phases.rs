//! Pins that come and go in all phases of a cycle.

use gc_core::{Arena, Gc, Lock, Rootable};
use gc_tests::seed::Seed;

use crate::{Guard, Node, begin, empty, in_cycle, in_each_way, left, litter};

/// Lists are pinned, unpinned, taken apart, and pinned in the middle, at any time. What is reachable from a
/// pin is known, and nothing else is left after a full cycle.
#[test]
fn pins_come_and_go() {
    in_each_way(|way| {
        let seed = Seed::or(7);
        let mut random = seed.random();
        let mut heap = empty(way.often());
        // Each guard is of a list of its own.
        let mut guards: Vec<Guard> = Vec::new();
        for round in 0..way.size(40, 400) {
            begin(&mut heap);
            for _ in 0..random.below(12) {
                heap.collect_debt();
            }
            heap.mutate(|mc, _| {
                for _ in 0..random.below(10) {
                    let length = 1 + random.below(20) as u64;
                    guards.push(Gc::pin(mc, Node::list(mc, length)));
                }
                for _ in 0..random.below(10) {
                    if guards.is_empty() {
                        break;
                    }
                    let index = random.below(guards.len());
                    let node = guards[index].get(mc);
                    match random.below(4) {
                        // The pin goes from the list to what follows its first node.
                        0 => {
                            let next = node.next.get().map(|next| Gc::pin(mc, next));
                            drop(guards.swap_remove(index));
                            guards.extend(next);
                        }
                        // The rest of a list is torn off, and pinned by itself.
                        1 => {
                            if let Some(next) = node.next.get() {
                                node_next(mc, node, None);
                                let rest = Gc::pin(mc, next);
                                node_next(mc, node, Some(Node::list(mc, node.value)));
                                guards.push(rest);
                            }
                        }
                        // One is put in front, and takes the pin over.
                        2 => {
                            let first = Node::new(mc, node.value + 1, Some(node));
                            guards[index] = Gc::pin(mc, first);
                        }
                        _ => drop(guards.swap_remove(index)),
                    }
                }
                litter(mc, 50);
                for guard in &guards {
                    guard.get(mc).check();
                }
            });
            // Also between the calls.
            guards.truncate(60);
            if round % 4 == 0 {
                let lengths = heap.mutate(|mc, _| {
                    let lengths = guards.iter().map(|guard| guard.get(mc).check());
                    lengths.sum()
                });
                left(&mut heap, lengths);
            }
        }
        assert_eq!(heap.pinned().len(), guards.len());
        drop(guards);
        left(&mut heap, 0);
    });
}

fn node_next<'gc>(
    mc: &gc_core::Mutation<'gc>,
    node: Gc<'gc, Node<'gc>>,
    next: Option<Gc<'gc, Node<'gc>>>,
) {
    gc_core::barrier::unlock!(Gc::write(mc, node), Node, next).set(next);
}

/// What the root loses in the middle of a cycle is pinned, and unpinned when it is the root's again.
#[test]
fn between_the_root_and_a_pin() {
    type Place<'gc> = Gc<'gc, Lock<Option<Gc<'gc, Node<'gc>>>>>;
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Place<'_>]>::with_options(way.options(), |mc| {
            Gc::new(mc, Lock::new(Some(Node::list(mc, 50))))
        })
        .unwrap();
        let mut guard: Option<Guard> = None;
        for round in 0..60 {
            begin(&mut heap);
            for _ in 0..round % 7 {
                heap.collect_debt();
            }
            heap.mutate(|mc, place| {
                match guard.take() {
                    None => {
                        guard = Some(Gc::pin(mc, place.get().unwrap()));
                        place.set(mc, None);
                    }
                    Some(guard) => place.set(mc, Some(guard.get(mc))),
                }
                litter(mc, 50);
            });
            if round % 3 == 0 {
                left(&mut heap, 51);
            }
            for _ in 0..round % 5 {
                heap.collect_debt();
            }
            heap.mutate(|mc, place| {
                let node = guard.as_ref().map(|guard| guard.get(mc));
                assert_eq!(node.or(place.get()).unwrap().check(), 50);
            });
        }
    });
}

/// An object that is pinned when a cycle begins survives that cycle, and no other, if it is unpinned meanwhile.
#[test]
fn unpinned_in_the_middle() {
    in_each_way(|way| {
        for delay in 0..8 {
            let mut heap = empty(way.options());
            let guard: Guard = heap.mutate(|mc, _| Gc::pin(mc, Node::list(mc, 100)));
            begin(&mut heap);
            for _ in 0..delay {
                heap.collect_debt();
            }
            let running = in_cycle(&heap);
            let address = guard.as_ptr();
            drop(guard);
            heap.mutate(|_, _| {
                if running {
                    // SAFETY: the cycle that began with the pin is not over.
                    assert_eq!(unsafe { Gc::from_ptr(address) }.check(), 100);
                }
            });
            left(&mut heap, 0);
        }
    });
}
