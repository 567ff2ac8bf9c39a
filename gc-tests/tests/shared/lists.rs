//! Lists of atomic pointers, which threads change without locks.

use std::collections::HashSet;
use std::sync::Mutex as StdMutex;

use gc_core::shared::{Arena, AtomicGc, Mutation};
use gc_core::{Collect, Gc, Rootable};
use gc_tests::random::Random;
use gc_tests::seed::Seed;

use crate::{arena, in_each_way, on_threads, verify};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    value: u64,
    next: AtomicGc<'gc, Node<'gc>>,
}

type Stack<'gc> = AtomicGc<'gc, Node<'gc>>;
type Heap = Arena<Rootable![Stack<'_>]>;

fn push<'gc>(mc: &Mutation<'gc>, stack: &Stack<'gc>, value: u64) {
    let next = AtomicGc::null();
    let node = mc.allocate(Node { value, next });
    let mut top = stack.load();
    loop {
        node.next.store(mc, top);
        match stack.compare_exchange(mc, top, Some(node)) {
            Ok(_) => return,
            Err(found) => top = found,
        }
    }
}

fn pop<'gc>(mc: &Mutation<'gc>, stack: &Stack<'gc>) -> Option<u64> {
    let mut top = stack.load();
    while let Some(node) = top {
        match stack.compare_exchange(mc, top, node.next.load()) {
            Ok(_) => return Some(node.value),
            Err(found) => top = found,
        }
    }
    None
}

/// Every value that was pushed is popped once, or is there at the end.
#[test]
fn a_stack_without_locks() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |_| AtomicGc::null());
        let rounds = way.size(200, 4000);
        let popped = StdMutex::new(Vec::new());
        let seed = Seed::or(0);
        on_threads(4, |number| {
            let here = heap.attach();
            let mut random = seed.random_of(number as u64);
            let mut mine = Vec::new();
            for round in 0..rounds {
                here.mutate(|mc, stack| {
                    // Also a node of the same value, which nobody will see.
                    for value in 0..random.below(20) {
                        mc.allocate(Node {
                            value: value as u64,
                            next: AtomicGc::new(stack.load()),
                        });
                    }
                    push(mc, stack, (round * 4 + number) as u64);
                    if random.one_in(3) {
                        mine.extend(pop(mc, stack));
                    }
                });
                here.collect_debt();
            }
            popped.lock().unwrap().append(&mut mine);
        });
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        let mut all = popped.into_inner().unwrap();
        let left = here.mutate(|_, stack| {
            let mut left = 0;
            let mut next = stack.load();
            while let Some(node) = next {
                all.push(node.value);
                next = node.next.load();
                left += 1;
            }
            left
        });
        assert_eq!(heap.metrics().total_gc_count(), left);
        let set: HashSet<u64> = all.iter().copied().collect();
        assert_eq!((set.len(), all.len()), (4 * rounds, 4 * rounds));
    });
}

/// Threads exchange the tails of lists while these are marked: no node is lost, and none is there twice.
#[test]
fn tails_are_exchanged() {
    type Lists<'gc> = Gc<'gc, [AtomicGc<'gc, Node<'gc>>]>;
    const LISTS: usize = 16;
    const LENGTH: usize = 40;
    in_each_way(|way| {
        let heap: Arena<Rootable![Lists<'_>]> = arena(way.often(), |mc| {
            let list = |number: usize| {
                let stack = AtomicGc::null();
                for index in 0..LENGTH {
                    push(mc, &stack, (number * LENGTH + index) as u64);
                }
                stack
            };
            mc.allocate_slice((0..LISTS).map(list))
        });
        // Those who exchange have to agree; the collector does not.
        let agreement = StdMutex::new(());
        let seed = Seed::or(0);
        on_threads(3, |number| {
            let here = heap.attach();
            let mut random = seed.random_of(number as u64);
            for _ in 0..way.size(300, 5000) {
                here.mutate(|mc, lists| {
                    let place = |random: &mut Random| {
                        let mut place = &lists[random.below(LISTS)];
                        for _ in 0..random.below(LENGTH) {
                            match place.load() {
                                Some(node) => place = &node.as_ref().next,
                                None => break,
                            }
                        }
                        place
                    };
                    let _agreed = agreement.lock().unwrap();
                    let (one, other) = (place(&mut random), place(&mut random));
                    // The tail of one goes into the other only if it is not a part of it.
                    let mut tail = one.load();
                    let mut is_apart = !core::ptr::eq(one, other);
                    while let Some(node) = tail {
                        is_apart &= !core::ptr::eq(&node.as_ref().next, other);
                        tail = node.next.load();
                    }
                    let mut tail = other.load();
                    while let Some(node) = tail {
                        is_apart &= !core::ptr::eq(&node.as_ref().next, one);
                        tail = node.next.load();
                    }
                    if is_apart {
                        let taken = one.swap(mc, None);
                        one.store(mc, other.swap(mc, taken));
                    }
                });
                here.collect_debt();
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        let mut seen = here.mutate(|_, lists| {
            let mut seen = Vec::new();
            for list in lists.iter() {
                let mut next = list.load();
                while let Some(node) = next {
                    seen.push(node.value);
                    next = node.next.load();
                }
            }
            seen
        });
        seen.sort_unstable();
        assert_eq!(seen, (0..(LISTS * LENGTH) as u64).collect::<Vec<_>>());
        assert_eq!(heap.metrics().total_gc_count(), LISTS * LENGTH + 1);
    });
}
