//! Roots that change in the middle of a cycle: those of a dynamic root set, and what is in the root.

use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, DynamicRoot, DynamicRootSet, Gc, Lock, Mode, RefLock, Rootable};
use gc_tests::seed::Seed;
use gc_tests::way::eager;

use crate::cargo::{Ballast, Cargo, Crate, Holder, KINDS, OBJECTS, litter};
use crate::{begin, delay, in_each_way, run_out, steps};

type Handle = DynamicRoot<Rootable!['gc => Cargo<'gc>]>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    set: DynamicRootSet<'gc>,
    /// A set that only an object knows.
    inner: Gc<'gc, Lock<DynamicRootSet<'gc>>>,
    holders: Vec<Holder<'gc>>,
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

/// Cargo goes from handles to objects and back, and the place that it leaves forgets it at once.
#[test]
fn between_handles_and_objects() {
    in_each_way(|way| {
        let count = way.size(60, 600);
        let ballast = way.size(100, 2000);
        let seed = Seed::or(3);
        let mut random = seed.random();
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| Roots {
            set: DynamicRootSet::new(mc),
            inner: Gc::new(mc, Lock::new(DynamicRootSet::new(mc))),
            holders: (0..count).map(|kind| Holder::new(mc, kind, None)).collect(),
            ballast: Ballast::new(mc, ballast),
        })
        .unwrap();
        let mut handles: Vec<Option<Handle>> = heap.mutate(|mc, roots| {
            let handle = |id: usize| {
                let set = if id.is_multiple_of(3) {
                    roots.inner.get()
                } else {
                    roots.set
                };
                Some(set.stash(mc, Cargo::new(mc, id as u64)))
            };
            (0..count).map(handle).collect()
        });
        for round in 0..way.size(10, 30) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for _ in 0..way.size(20, 200) {
                let id = random.below(count);
                let keep_a_clone = random.one_in(4);
                let set_of = |roots: &Roots<'_>, handle: &Handle| {
                    // Nothing but the set tells where a handle is from.
                    if roots.set.contains(handle) { 0 } else { 1 }
                };
                match handles[id].take() {
                    Some(handle) => {
                        heap.mutate(|mc, roots| {
                            let cargo = match set_of(roots, &handle) {
                                0 => roots.set.fetch(&handle),
                                _ => roots.inner.get().fetch(&handle),
                            };
                            assert_eq!(cargo.id(), id as u64);
                            roots.holders[id].set(mc, Some(cargo));
                        });
                        if keep_a_clone {
                            let clone = handle.clone();
                            drop(handle);
                            heap.collect_debt();
                            drop(clone);
                        }
                    }
                    None => {
                        let in_inner = random.one_in(2);
                        handles[id] = heap.mutate(|mc, roots| {
                            let cargo = roots.holders[id].take(mc).unwrap();
                            assert_eq!(cargo.id(), id as u64);
                            let set = if in_inner {
                                roots.inner.get()
                            } else {
                                roots.set
                            };
                            Some(set.stash(mc, cargo))
                        });
                    }
                }
                if random.one_in(30) {
                    heap.collect_debt();
                }
            }
            if round % 2 == 0 {
                run_out(&mut heap);
            } else {
                heap.finish_cycle();
                // The sets, what knows the second, and the rest.
                let expected = 3 + count + ballast + OBJECTS * count;
                assert_eq!(heap.metrics().total_gc_count(), expected);
            }
            heap.mutate(|mc, roots| {
                litter(mc, 50);
                for (id, handle) in handles.iter().enumerate() {
                    let cargo = match handle {
                        None => roots.holders[id].get().unwrap(),
                        Some(handle) => roots
                            .set
                            .try_fetch(handle)
                            .unwrap_or_else(|_| roots.inner.get().fetch(handle)),
                    };
                    assert_eq!(cargo.id(), id as u64);
                }
            });
        }
        // A set that is replaced takes what only it keeps along, though there are handles.
        begin(&mut heap);
        heap.mutate(|mc, roots| roots.inner.set(mc, DynamicRootSet::new(mc)));
        run_out(&mut heap);
        heap.finish_cycle();
        let kept = heap.mutate(|_, roots| {
            let kept = |handle: &&Option<Handle>| match handle {
                Some(handle) => roots.set.contains(handle),
                None => true,
            };
            handles.iter().filter(kept).count()
        });
        let expected = 3 + count + ballast + OBJECTS * kept;
        assert_eq!(heap.metrics().total_gc_count(), expected);
    });
}

/// Handles that are dropped when the arena is already gone, or in the middle of a cycle, or after.
#[test]
fn handles_are_dropped_at_any_time() {
    in_each_way(|way| {
        for round in 0..10 {
            let mut heap =
                Arena::<Rootable![DynamicRootSet<'_>]>::with_options(way.options(), |mc| {
                    DynamicRootSet::new(mc)
                })
                .unwrap();
            let mut handles: Vec<Handle> = heap.mutate(|mc, set| {
                let stash = |id| set.stash(mc, Cargo::new(mc, id));
                (0..100).map(stash).collect()
            });
            begin(&mut heap);
            steps(&mut heap, round / 2);
            handles.truncate(50);
            steps(&mut heap, round / 2);
            heap.mutate(|mc, set| {
                litter(mc, 20);
                for (id, handle) in (0..).zip(&handles) {
                    assert_eq!(set.fetch(handle).id(), id);
                }
            });
            if round % 2 == 0 {
                heap.finish_cycle();
                assert_eq!(heap.metrics().total_gc_count(), 1 + OBJECTS * 50);
            }
            drop(heap);
        }
    });
}

/// What the root holds goes into the heap and comes back, by whole memories.
#[test]
fn the_root_is_turned_inside_out() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        first: Vec<Crate<'gc>>,
        second: Vec<Crate<'gc>>,
        inside: Gc<'gc, RefLock<Vec<Crate<'gc>>>>,
        one: Crate<'gc>,
        cell: Gc<'gc, Lock<Crate<'gc>>>,
    }
    in_each_way(|way| {
        let count = way.size(50, 1000);
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
            let cargo = |from: usize| (from..from + count).map(|id| Cargo::new(mc, id as u64));
            Roots {
                first: cargo(0).collect(),
                second: cargo(count).collect(),
                inside: Gc::new(mc, RefLock::new(cargo(2 * count).collect())),
                one: Cargo::new(mc, 1_000_000),
                cell: Gc::new(mc, Lock::new(Cargo::new(mc, 1_000_001))),
            }
        })
        .unwrap();
        for round in 0..way.size(12, 40) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            for turn in 0..5 {
                heap.mutate_root(|mc, roots| {
                    let one = core::mem::replace(&mut roots.one, roots.cell.get());
                    roots.cell.set(mc, one);
                    let mut inside = roots.inside.borrow_mut(mc);
                    match (round + turn) % 4 {
                        0 => core::mem::swap(&mut roots.first, &mut roots.second),
                        1 => core::mem::swap(&mut *inside, &mut roots.second),
                        2 => {
                            let first = core::mem::take(&mut roots.first);
                            roots.first = inside.drain(..).rev().collect();
                            inside.extend(first);
                        }
                        _ => {
                            // A new object takes the place of the old.
                            let content = core::mem::take(&mut *inside);
                            drop(inside);
                            roots.inside = Gc::new(mc, RefLock::new(content));
                        }
                    }
                });
                if turn % 2 == 0 {
                    heap.collect_debt();
                }
            }
            if round % 3 == 0 {
                heap.finish_cycle();
                let expected = 2 + OBJECTS * (3 * count + 2);
                assert_eq!(heap.metrics().total_gc_count(), expected);
            } else {
                run_out(&mut heap);
            }
            heap.mutate(|mc, roots| {
                litter(mc, 50);
                let inside = roots.inside.borrow();
                let all = roots.first.iter().chain(&roots.second).chain(&*inside);
                let mut ids: Vec<u64> = all.map(|cargo| cargo.id()).collect();
                ids.sort_unstable();
                assert!(ids.into_iter().eq(0..3 * count as u64));
                assert_eq!(roots.one.id() + roots.cell.get().id(), 2_000_001);
            });
        }
    });
}

/// The root itself goes elsewhere, as another type, while a cycle is in progress.
#[test]
fn the_root_is_mapped() {
    in_each_way(|way| {
        for round in 0..way.size(6, 20) {
            let mut heap = Arena::<Rootable![Vec<Crate<'_>>]>::with_options(way.options(), |mc| {
                (0..500).map(|id| Cargo::new(mc, id)).collect()
            })
            .unwrap();
            begin(&mut heap);
            steps(&mut heap, delay(round) / 2);
            let mut heap = heap.map_root::<Rootable![Gc<'_, [Holder<'_>]>]>(|mc, root| {
                let holders = root.into_iter().enumerate();
                Gc::slice_from_iter(
                    mc,
                    holders.map(|(index, cargo)| Holder::new(mc, index % KINDS, Some(cargo))),
                )
            });
            steps(&mut heap, round);
            heap.mutate(|mc, _| litter(mc, 50));
            heap.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 1 + 500 * (1 + OBJECTS));
            heap.mutate(|mc, root| {
                litter(mc, 50);
                for (id, holder) in (0..).zip(root.iter()) {
                    assert_eq!(holder.get().unwrap().id(), id);
                }
            });
        }
    });
}

/// Follows a handle of its own arena when it is traced, and changes nothing.
struct Follower<'gc> {
    numbers: Vec<Gc<'gc, u64>>,
    set: DynamicRootSet<'gc>,
    handle: DynamicRoot<Rootable![u64]>,
}

// SAFETY: all pointers are visited.
unsafe impl<'gc> Collect<'gc> for Follower<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.numbers);
        cc.trace(&self.set);
        cc.trace(&self.set.fetch(&self.handle));
    }
}

#[test]
fn a_trace_may_follow_a_handle_of_its_own_arena() {
    type Root<'gc> = Gc<'gc, RefLock<Follower<'gc>>>;
    let options = eager(Mode::Incremental).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let set = DynamicRootSet::new(mc);
        let follower = Follower {
            numbers: vec![Gc::new(mc, 1)],
            set,
            handle: set.stash(mc, Gc::new(mc, 5)),
        };
        Gc::new(mc, RefLock::new(follower))
    })
    .unwrap();
    begin(&mut arena);
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    // The barrier traces it too.
    arena.mutate(|mc, root| root.borrow_mut(mc).numbers.push(Gc::new(mc, 2)));
    run_out(&mut arena);
    arena.mutate(|_, root| {
        let follower = root.borrow();
        let numbers: Vec<u64> = follower.numbers.iter().map(|number| **number).collect();
        assert_eq!(
            (numbers, *follower.set.fetch(&follower.handle)),
            (vec![1, 2], 5)
        );
    });
}
