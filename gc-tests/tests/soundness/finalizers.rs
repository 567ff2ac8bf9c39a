//! Finalizers that bring their objects back, in ways that a collector might not expect.

use std::mem::{forget, swap};

use gc_core::barrier::unlock;
use gc_core::finalizer::{Finalize, Finalizing};
use gc_core::{Arena, Collect, Gc, GcWeak, GcWeakLong, Lock, RefLock, Rootable};
use gc_tests::way::{Way, in_each_way};

use crate::{begin, run_out};

/// What a finalizer does with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Collect)]
#[collect(require_static)]
enum Trick {
    /// Stores it by a guard, which is leaked.
    Leak,
    /// Stores it and panics.
    Panic,
    /// Stores its neighbour, which is dead as well, and exchanges the contents of both.
    Neighbour,
    /// Stores it in its neighbour only, which does not make it reachable.
    Nowhere,
}

const TRICKS: [Trick; 4] = [Trick::Leak, Trick::Panic, Trick::Neighbour, Trick::Nowhere];

type Pointer<'gc> = Gc<'gc, Phoenix<'gc>>;
type Risen<'gc> = Gc<'gc, RefLock<Vec<Pointer<'gc>>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Phoenix<'gc> {
    trick: Trick,
    risen: Risen<'gc>,
    neighbour: Lock<Option<Pointer<'gc>>>,
    numbers: RefLock<Vec<Gc<'gc, u64>>>,
}

impl<'gc> Finalize<'gc> for Phoenix<'gc> {
    fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
        let mut risen = this.risen.borrow_mut(token);
        match this.trick {
            Trick::Leak => {
                risen.push(this);
                forget(risen);
            }
            Trick::Panic => {
                risen.push(this);
                panic!("a finalizer's own");
            }
            Trick::Neighbour => {
                let neighbour = this.neighbour.get().unwrap();
                risen.push(neighbour);
                let mut one = unlock!(Gc::write(token, this), Phoenix, numbers).borrow_mut();
                let mut other = unlock!(Gc::write(token, neighbour), Phoenix, numbers).borrow_mut();
                swap(&mut *one, &mut *other);
            }
            Trick::Nowhere => {
                let neighbour = Gc::write(token, this.neighbour.get().unwrap());
                unlock!(neighbour, Phoenix, neighbour).set(Some(this));
            }
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    risen: Risen<'gc>,
    short: Vec<GcWeak<'gc, Phoenix<'gc>>>,
    long: Vec<GcWeakLong<'gc, Phoenix<'gc>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

/// Two dead objects that lead to each other, of which the first has a finalizer.
fn heap(way: Way, trick: Trick) -> Heap {
    let heap = Heap::with_options(way.options(), |mc| Roots {
        risen: Gc::new(mc, RefLock::default()),
        short: Vec::new(),
        long: Vec::new(),
    });
    let mut heap = heap.unwrap();
    heap.mutate_root(|mc, root| {
        let phoenix = |from: u64| {
            let phoenix = Phoenix {
                trick,
                risen: root.risen,
                neighbour: Lock::new(None),
                numbers: RefLock::new((from..from + 5).map(|i| Gc::new(mc, i)).collect()),
            };
            Gc::new(mc, phoenix)
        };
        let (one, other) = (phoenix(0), phoenix(10));
        unlock!(Gc::write(mc, one), Phoenix, neighbour).set(Some(other));
        unlock!(Gc::write(mc, other), Phoenix, neighbour).set(Some(one));
        _ = mc.finalize(one);
        root.short.extend([one, other].map(Gc::downgrade));
        root.long.extend([one, other].map(Gc::downgrade_long));
    });
    heap
}

fn litter(heap: &Heap) {
    heap.mutate(|mc, _| (0..200).for_each(|_| _ = Gc::new(mc, [u64::MAX; 3])));
}

/// The first numbers of what has risen.
fn risen(heap: &Heap) -> Vec<u64> {
    heap.mutate(|_, root| {
        #[allow(
            unsafe_code,
            reason = "what is behind a leaked guard is not to be had otherwise"
        )]
        // SAFETY: no guard is in use: all were leaked or dropped in calls that are over.
        let risen = unsafe { &*root.risen.as_ptr() };
        let numbers = |phoenix: &Pointer<'_>| {
            let numbers = phoenix.numbers.borrow();
            assert!(
                numbers
                    .iter()
                    .map(|gc| **gc)
                    .is_sorted_by(|a, b| a + 1 == *b)
            );
            assert_eq!(numbers.len(), 5);
            *numbers[0]
        };
        risen.iter().map(numbers).collect()
    })
}

#[test]
fn that_bring_back_what_was_dead() {
    in_each_way(|way| {
        for trick in TRICKS {
            for delay in (0..way.size(9, 12)).step_by(way.size(3, 1)) {
                let mut heap = heap(way, trick);
                begin(&mut heap);
                for _ in 0..delay {
                    heap.collect_debt();
                    litter(&heap);
                }
                run_out(&mut heap);
                heap.finish_cycle();
                litter(&heap);
                heap.verify().unwrap();
                let back = risen(&heap);
                let expected: &[u64] = match trick {
                    Trick::Nowhere => &[],
                    // Both have the contents of the other.
                    _ => &[0],
                };
                assert_eq!(back, expected, "{trick:?}");
                heap.finish_cycle();
                litter(&heap);
                assert_eq!(risen(&heap), expected, "{trick:?}");
                heap.mutate(|mc, root| {
                    // What was found dead stays that to short weak pointers.
                    assert!(root.short[0].upgrade(mc).is_none());
                    let there = root.long[0].upgrade(mc);
                    assert_eq!(there.is_some(), trick != Trick::Nowhere);
                    let there = root.long[1].upgrade(mc);
                    assert_eq!(there.is_some(), trick != Trick::Nowhere);
                });
                let statistics = heap.metrics().statistics();
                let panicked = u64::from(trick == Trick::Panic);
                assert_eq!(
                    (statistics.finalizers_run, statistics.finalizers_panicked),
                    (1, panicked)
                );
            }
        }
    });
}

/// What a finalization only looks at is freed, also if pointers to it were stored in what is dead as well, or
/// behind a guard there that was leaked.
#[test]
fn that_only_look() {
    in_each_way(|way| {
        let mut heap = heap(way, Trick::Nowhere);
        let marked = loop {
            // A cycle that sweeps has to end first.
            if heap.finish_marking().is_some() {
                break heap.finish_marking().unwrap();
            }
            heap.finish_cycle();
        };
        marked.finalize(|fc, root| {
            let one = root.short[0].upgrade(fc).unwrap();
            let other = root.short[1].upgrade(fc).unwrap();
            assert!(Gc::is_dead(fc, one) && Gc::is_dead(fc, other));
            let mut numbers = unlock!(Gc::write(fc, one), Phoenix, numbers).borrow_mut();
            numbers.push(Gc::new(fc, 100));
            forget(numbers);
            unlock!(Gc::write(fc, other), Phoenix, neighbour).set(Some(other));
        });
        heap.finish_cycle();
        litter(&heap);
        heap.finish_cycle();
        heap.finish_cycle();
        heap.verify().unwrap();
        heap.mutate(|mc, root| {
            assert!(root.short.iter().all(|weak| weak.upgrade(mc).is_none()));
            assert!(root.long.iter().all(|weak| weak.upgrade(mc).is_none()));
            assert!(root.risen.borrow().is_empty());
        });
        // The list, and two shells.
        assert_eq!(heap.metrics().total_gc_count(), 3);
    });
}
