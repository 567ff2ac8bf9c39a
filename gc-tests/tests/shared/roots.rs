//! Handles, which are made, cloned, followed and dropped on any thread.

use std::sync::mpsc::channel;

use gc_core::shared::{Arena, AtomicGc, Mutation, Pinned, Root};
use gc_core::{Collect, Gc, Rootable, Zeal};
use gc_tests::market::Market;
use gc_tests::seed::Seed;

use crate::{LONG, Meddling, arena, begin, in_each_way, panic_of, verify};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    value: u64,
    next: Option<Gc<'gc, Node<'gc>>>,
}

type Handle = Root<Rootable!['gc => Node<'gc>]>;
type Heap = Arena<Rootable![()]>;

fn list<'gc>(mc: &Mutation<'gc>, length: u64) -> Gc<'gc, Node<'gc>> {
    let end = mc.allocate(Node {
        value: 0,
        next: None,
    });
    (1..length).fold(end, |node, value| {
        let next = Some(node);
        mc.allocate(Node { value, next })
    })
}

fn check<'gc>(node: Gc<'gc, Node<'gc>>) -> usize {
    let mut length = 1;
    let mut at = node;
    while let Some(next) = at.next {
        assert_eq!(next.value + 1, at.value);
        (at, length) = (next, length + 1);
    }
    length
}

#[test]
fn handles_go_from_thread_to_thread() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |_| ());
        let market: Market<(Handle, usize)> = Market::default();
        let rounds = way.size(200, 3000);
        let seed = Seed::or(0);
        std::thread::scope(|scope| {
            // One that only drops and clones, and is never attached.
            scope.spawn(|| market.turn_over(rounds));
            for number in 0..3 {
                let (heap, market, seed) = (&heap, &market, &seed);
                scope.spawn(move || {
                    let here = heap.attach();
                    let mut random = seed.random_of(number);
                    for _ in 0..rounds {
                        let length = 1 + random.below(10);
                        let handle = here.mutate(|mc, _| mc.root(list(mc, length as u64)));
                        let taken = market.exchange((handle, length), &mut random);
                        here.collect_debt();
                        here.mutate(|mc, _| assert_eq!(check(mc.get(&taken.0)), taken.1));
                        if random.one_in(2) {
                            market.put(taken);
                        }
                    }
                });
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        let kept = market.into_inner();
        let nodes: usize = kept.iter().map(|(_, length)| length).sum();
        // A handle and its clones lead to the same list.
        assert!(heap.metrics().total_gc_count() <= nodes);
        drop(kept);
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 0);
    });
}

/// A handle is followed in a cycle, then dropped; what was got is held by something new.
#[test]
fn what_was_got_from_a_handle_survives_it() {
    in_each_way(|way| {
        for delay in 0..5 {
            let heap: Heap = arena(way.options(), |_| ());
            let here = heap.attach();
            let handle: Handle = here.mutate(|mc, _| mc.root(list(mc, 100)));
            begin(&here);
            for _ in 0..delay {
                here.collect_debt();
            }
            let other: Handle = here.mutate(|mc, _| {
                let next = mc.get(&handle).next;
                mc.root(mc.allocate(Node { value: 99, next }))
            });
            drop(handle);
            here.collect_debt();
            here.mutate(|mc, _| assert_eq!(check(mc.get(&other)), 100));
            here.finish_cycle();
            here.mutate(|mc, _| assert_eq!(check(mc.get(&other)), 100));
            assert_eq!(heap.metrics().total_gc_count(), 100);
        }
    });
}

#[test]
fn handles_of_other_arenas_are_refused() {
    let (one, other) = (Heap::new(|_| ()), Heap::new(|_| ()));
    let handle: Handle = one.attach().mutate(|mc, _| mc.root(list(mc, 1)));
    let here = other.attach();
    here.mutate(|mc, _| assert!(mc.try_get(&handle).is_err()));
    let text = panic_of(|| here.mutate(|mc, _| check(mc.get(&handle)))).unwrap();
    assert!(text.contains("another arena"), "{text}");
    // A handle may be all that is left of an arena.
    drop(one);
    let again = handle.clone();
    drop(handle);
    assert!(format!("{again:?}").starts_with("Root"));
}

/// Handles and guards that pin may be dropped while all is marked: the naive marker compares with what was there when the roots were
/// visited.
#[test]
fn handles_that_are_dropped_while_marking() {
    in_each_way(|way| {
        let zeal = Zeal {
            naive_mark: true,
            ..way.zeal
        };
        let heap: Arena<Rootable![AtomicGc<'_, Meddling>]> =
            arena(way.options().zeal(zeal), |_| AtomicGc::null());
        let here = heap.attach();
        let ((ask, asked), (answer, answered)) = (channel(), channel());
        let mut handles: Option<(Root<Rootable![str]>, Pinned<Rootable![i32]>)> = None;
        here.mutate(|mc, cell| {
            handles = Some((
                mc.root(mc.allocate_str("rooted")),
                Gc::pin(mc, mc.allocate(5)),
            ));
            let meddling = Meddling::new(ask, answered);
            cell.store(mc, Some(mc.allocate(meddling)));
            // There is a registered finalizer, so the marker has a second look.
            _ = mc.finalize_with(mc.allocate(1), |_, _| ());
        });
        std::thread::scope(|scope| {
            scope.spawn(move || {
                asked.recv_timeout(LONG).unwrap();
                drop(handles);
                answer.send(()).unwrap();
            });
            here.finish_cycle();
        });
        here.finish_cycle();
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 1);
    });
}
