//! Pins in shared arenas: made, cloned and dropped on any thread.

use gc_core::shared::{Arena, AtomicGc, Mutation, Pinned};
use gc_core::{Collect, Gc, Rootable};
use gc_tests::market::Market;
use gc_tests::seed::Seed;

use crate::{Way, in_each_way, panic_of};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    value: u64,
    next: AtomicGc<'gc, Node<'gc>>,
}

type Guard = Pinned<Rootable!['gc => Node<'gc>]>;
type Heap = Arena<Rootable![()]>;

fn heap(way: Way) -> Heap {
    Heap::with_options(way.often(), |_| ()).unwrap()
}

fn list<'gc>(mc: &Mutation<'gc>, length: u64) -> Gc<'gc, Node<'gc>> {
    let mut first = None;
    for value in 0..length {
        let next = AtomicGc::new(first);
        first = Some(mc.allocate(Node { value, next }));
    }
    first.expect("a list has a node")
}

fn check<'gc>(first: Gc<'gc, Node<'gc>>) -> u64 {
    let mut at = first;
    while let Some(next) = at.next.load() {
        assert_eq!(next.value + 1, at.value);
        at = next;
    }
    assert_eq!(at.value, 0);
    first.value + 1
}

#[test]
fn guards_go_from_thread_to_thread() {
    in_each_way(|way| {
        let heap = heap(way);
        let market: Market<(Guard, u64)> = Market::default();
        let rounds = way.size(150, 2000);
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
                        let length = 1 + random.below(10) as u64;
                        let guard = here.mutate(|mc, _| Gc::pin(mc, list(mc, length)));
                        let taken = market.exchange((guard, length), &mut random);
                        here.collect_debt();
                        here.mutate(|mc, _| {
                            let node = taken.0.get(mc);
                            assert!(Gc::is_pinned(mc, node));
                            assert_eq!(check(node), taken.1);
                            if random.one_in(3) {
                                // The list is not pinned any more but by what is new.
                                let first = mc.allocate(Node {
                                    value: node.value + 1,
                                    next: AtomicGc::new(Some(node)),
                                });
                                let guard = Gc::pin(mc, first);
                                market.put((guard, taken.1 + 1));
                            }
                        });
                        if random.one_in(2) {
                            market.put(taken);
                        }
                    }
                });
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        here.verify().unwrap_or_else(|error| panic!("{error}"));
        let kept = market.into_inner();
        let nodes: u64 = kept.iter().map(|(_, length)| length).sum();
        assert!(heap.metrics().total_gc_count() as u64 <= nodes);
        assert_eq!(heap.metrics().statistics().pins, kept.len());
        drop(kept);
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 0);
        assert!(heap.pinned().is_empty());
        here.verify().unwrap_or_else(|error| panic!("{error}"));
    });
}

/// Threads pin and unpin neighbours, whose bits are in one word, while others collect and write.
#[test]
fn bits_of_neighbours_do_not_disturb_each_other() {
    in_each_way(|way| {
        let heap = heap(way);
        let guards: Vec<Guard> = heap.attach().mutate(|mc, _| {
            let pin = |_| Gc::pin(mc, list(mc, 1));
            (0..64).map(pin).collect()
        });
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (heap, guards) = (&heap, &guards);
                scope.spawn(move || {
                    let here = heap.attach();
                    for round in 0..way.size(100, 1000) {
                        here.mutate(|mc, _| {
                            let own = guards.iter().skip(number).step_by(4);
                            let raw: Vec<*const Node<'_>> =
                                own.map(|guard| Gc::pin_raw(mc, guard.get(mc))).collect();
                            for address in raw {
                                // SAFETY: it is the pin that was just made.
                                unsafe { Gc::unpin_raw(mc, address).unwrap() };
                            }
                            // One that is pinned by nobody else.
                            let node = list(mc, 1);
                            let address = Gc::pin_raw(mc, node);
                            assert!(Gc::is_pinned(mc, node));
                            // SAFETY: as above.
                            unsafe { Gc::unpin_raw(mc, address).unwrap() };
                            assert!(!Gc::is_pinned(mc, node));
                        });
                        if round % 10 == number {
                            here.finish_cycle();
                        }
                    }
                });
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        here.verify().unwrap_or_else(|error| panic!("{error}"));
        here.mutate(|mc, _| assert!(guards.iter().all(|guard| Gc::is_pinned(mc, guard.get(mc)))));
        assert_eq!(heap.metrics().total_gc_count(), 64);
    });
}

#[test]
fn pins_of_other_arenas_are_refused() {
    in_each_way(|way| {
        let (one, other) = (heap(way), heap(way));
        let guard: Guard = one.attach().mutate(|mc, _| Gc::pin(mc, list(mc, 1)));
        let here = other.attach();
        here.mutate(|mc, _| assert!(guard.try_get(mc).is_err()));
        let text = panic_of(|| here.mutate(|mc, _| check(guard.get(mc)))).unwrap();
        assert!(text.contains("another arena"), "{text}");
        // A guard may be all that is left of an arena.
        drop(one);
        std::thread::scope(|scope| _ = scope.spawn(move || drop(guard.clone())));
    });
}

/// A guard is as good a neighbour of threads as the values are.
#[test]
fn guards_are_for_all_threads() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Guard>();
    is_shareable::<Pinned<Rootable![str]>>();
}
