//! Barriers of objects with a `trace` of their own, which run none of it: whoever writes may have a guard already.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::{Unlock, Write, field};
use gc_core::collect::Trace;
use gc_core::slice::{Interior, Slice};
use gc_core::{
    Arena, Collect, Gc, GcWeak, Lock, Mutation, RefLock, Rootable, collections as managed,
};
use gc_tests::seed::Seed;

use crate::cargo::litter;
use crate::{begin, collections, delay, in_cycle, in_each_way, run_out, steps};

thread_local! {
    /// How often an object was traced while a guard was in use that its `trace` wants as well.
    static UNDER_GUARD: Cell<usize> = const { Cell::new(0) };
}

type Value<'gc> = Gc<'gc, u64>;

/// A value whose `trace` counts how often it is called.
struct Opaque<'gc> {
    traces: Rc<RefCell<u32>>,
    slot: RefLock<Option<Value<'gc>>>,
}

// SAFETY: the one pointer is visited in place.
unsafe impl<'gc> Collect<'gc> for Opaque<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        match self.traces.try_borrow_mut() {
            Ok(mut traces) => *traces += 1,
            // A program would panic.
            Err(_) => UNDER_GUARD.set(UNDER_GUARD.get() + 1),
        }
        cc.trace(&self.slot);
    }
}

impl<'gc> Unlock for Opaque<'gc> {
    type Unlocked = RefCell<Option<Value<'gc>>>;

    unsafe fn unlock_unchecked(&self) -> &Self::Unlocked {
        // SAFETY: the caller's promise is the same.
        unsafe { self.slot.unlock_unchecked() }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    traces: Rc<RefCell<u32>>,
    single: Vec<Gc<'gc, Opaque<'gc>>>,
    locked: Vec<Gc<'gc, RefLock<Opaque<'gc>>>>,
    slice: Gc<'gc, [Opaque<'gc>]>,
    vec: Gc<'gc, RefLock<managed::Vec<'gc, Opaque<'gc>>>>,
    deque: Gc<'gc, RefLock<managed::VecDeque<'gc, Opaque<'gc>>>>,
    map: Gc<'gc, RefLock<managed::HashMap<'gc, usize, Opaque<'gc>>>>,
    taken: Gc<'gc, [Lock<Option<Value<'gc>>>]>,
}

impl<'gc> Roots<'gc> {
    fn new(mc: &Mutation<'gc>, count: usize) -> Roots<'gc> {
        let traces = Rc::new(RefCell::new(0));
        let opaque = |index| Opaque {
            traces: Rc::clone(&traces),
            slot: RefLock::new(Some(Gc::new(mc, index as u64))),
        };
        let lock = |index| Gc::new(mc, RefLock::new(opaque(index)));
        let all = || (0..count).map(&opaque);
        Roots {
            traces: Rc::clone(&traces),
            single: all().map(|opaque| Gc::new(mc, opaque)).collect(),
            locked: (0..count).map(lock).collect(),
            slice: Gc::slice_from_iter(mc, all()),
            vec: Gc::new(mc, RefLock::new(managed::Vec::from_iter(mc, all()))),
            deque: Gc::new(mc, RefLock::new(managed::VecDeque::from_iter(mc, all()))),
            map: Gc::new(
                mc,
                RefLock::new(managed::HashMap::from_iter(mc, all().enumerate())),
            ),
            taken: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(None))),
        }
    }
}

fn take_from<'gc>(opaque: &mut Opaque<'gc>) -> Option<Value<'gc>> {
    Write::from_mut(opaque).unlock().borrow_mut().take()
}

/// Takes out the value of an object, under a guard that was there before the barrier.
fn take_after<'gc>(
    opaque: Gc<'gc, Opaque<'gc>>,
    barrier: impl FnOnce(Gc<'gc, ()>, Value<'gc>),
) -> Option<Value<'gc>> {
    // SAFETY: nothing is changed before the barrier was called.
    let mut slot = unsafe { Gc::as_ref(opaque).unlock_unchecked() }.borrow_mut();
    barrier(Gc::erase(opaque), (*slot)?);
    slot.take()
}

/// Takes out the value of some object.
type Entrance = for<'gc> fn(&Mutation<'gc>, &Roots<'gc>, usize) -> Option<Value<'gc>>;

/// Each way to a barrier.
const ENTRANCES: [Entrance; 17] = [
    |mc, roots, index| {
        Gc::write(mc, roots.single[index])
            .unlock()
            .borrow_mut()
            .take()
    },
    |mc, roots, index| roots.single[index].unlock(mc).borrow_mut().take(),
    |mc, roots, index| {
        take_after(roots.single[index], |_, _| {
            _ = Gc::write(mc, roots.single[index])
        })
    },
    |_, roots, index| roots.single[index].slot.take(),
    |mc, roots, index| {
        take_after(roots.single[index], |parent, child| {
            mc.backward_barrier(parent, Some(Gc::erase(child)));
        })
    },
    |mc, roots, index| {
        take_after(roots.single[index], |parent, child| {
            mc.backward_barrier_weak(parent, GcWeak::erase(Gc::downgrade(child)));
        })
    },
    |mc, roots, index| {
        take_after(roots.single[index], |parent, child| {
            mc.forward_barrier(Some(parent), Gc::erase(child));
        })
    },
    |mc, roots, index| {
        take_after(roots.single[index], |parent, child| {
            mc.forward_barrier_weak(Some(parent), GcWeak::erase(Gc::downgrade(child)));
        })
    },
    |mc, roots, index| {
        let mut opaque = roots.locked[index].borrow_mut(mc);
        take_from(&mut opaque)
    },
    |mc, roots, index| {
        Gc::write(mc, roots.slice)[index]
            .unlock()
            .borrow_mut()
            .take()
    },
    |mc, roots, index| {
        Gc::write_at(mc, roots.slice, index)
            .unlock()
            .borrow_mut()
            .take()
    },
    |mc, roots, index| {
        let element = Interior::of_element(Slice::from(roots.slice), index);
        Interior::write(mc, element).unlock().borrow_mut().take()
    },
    |mc, roots, index| {
        let slice = Slice::from(roots.slice);
        Slice::write_at(mc, slice, index)
            .unlock()
            .borrow_mut()
            .take()
    },
    |mc, roots, index| {
        roots
            .vec
            .borrow()
            .write_at(mc, index)
            .unlock()
            .borrow_mut()
            .take()
    },
    |mc, roots, index| {
        let mut vec = roots.vec.borrow_mut(mc);
        let mut opaque = vec.remove(mc, index);
        let taken = take_from(&mut opaque);
        vec.insert(mc, index, opaque);
        taken
    },
    |mc, roots, index| {
        let mut deque = roots.deque.borrow_mut(mc);
        take_from(deque.get_mut(mc, index).unwrap())
    },
    |mc, roots, index| {
        let mut map = roots.map.borrow_mut(mc);
        let mut opaque = map.remove(mc, &index).unwrap();
        let taken = take_from(&mut opaque);
        map.insert(mc, index, opaque);
        taken
    },
];

/// Whichever way leads to the barrier, it calls no code that could meet the guard, costs no cycle, and loses nothing.
#[test]
fn no_barrier_traces_what_may_be_under_a_guard() {
    in_each_way(|way| {
        UNDER_GUARD.set(0);
        // Less, and more than are remembered from one cycle to the next; and slices that are large.
        let mut counts = vec![20];
        if way.zeal == gc_core::Zeal::NONE {
            counts.push(400);
        }
        for count in counts {
            for entrance in ENTRANCES {
                let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
                    Roots::new(mc, count)
                })
                .unwrap();
                for round in 0..4 {
                    begin(&mut arena);
                    steps(&mut arena, delay(round * 2));
                    arena.mutate(|mc, roots| {
                        let _guard = roots.traces.borrow_mut();
                        for index in (round % 2..count).step_by(2) {
                            if let Some(value) = entrance(mc, roots, index) {
                                let taken = Gc::write_at(mc, roots.taken, index).unlock();
                                taken.set(Some(value));
                            }
                        }
                    });
                    let (before, going) = (collections(&arena), in_cycle(&arena));
                    run_out(&mut arena);
                    assert_eq!(collections(&arena) - before, u64::from(going));
                    arena.mutate(|mc, roots| {
                        litter(mc, 100);
                        for (index, slot) in roots.taken.iter().enumerate() {
                            if round > 0 || index % 2 == 0 {
                                assert_eq!(slot.get().map(|value| *value), Some(index as u64));
                            }
                        }
                    });
                }
                arena.verify().unwrap();
            }
        }
        assert_eq!(UNDER_GUARD.get(), 0);
    });
}

/// Opaque objects, more than are remembered, among plain ones: what is moved from any to any is not lost, and in the
/// end nothing else is left.
#[test]
fn what_is_moved_from_object_to_object_is_not_lost() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Places<'gc> {
        opaque: Vec<Gc<'gc, Opaque<'gc>>>,
        plain: Vec<Gc<'gc, RefLock<Option<Value<'gc>>>>>,
    }
    impl<'gc> Places<'gc> {
        fn slot(&self, mc: &Mutation<'gc>, index: usize) -> &RefCell<Option<Value<'gc>>> {
            match index.checked_sub(self.opaque.len()) {
                None => self.opaque[index].unlock(mc),
                Some(index) => self.plain[index].unlock(mc),
            }
        }
    }
    in_each_way(|way| {
        let seed = Seed::or(0);
        let mut random = seed.random();
        let count = way.size(40, 400);
        let mut arena = Arena::<Rootable![Places<'_>]>::with_options(way.often(), |mc| {
            let opaque = |number| {
                let (traces, slot) = (Rc::default(), RefLock::new(Some(Gc::new(mc, number))));
                Gc::new(mc, Opaque { traces, slot })
            };
            Places {
                opaque: (0..count as u64).map(opaque).collect(),
                plain: (0..count)
                    .map(|_| Gc::new(mc, RefLock::new(None)))
                    .collect(),
            }
        })
        .unwrap();
        for _ in 0..way.size(200, 3000) {
            arena.mutate(|mc, places| {
                litter(mc, 20);
                for _ in 0..random.below(40) {
                    let [from, to] = [(); 2].map(|()| random.below(2 * count));
                    if from != to {
                        // Under a guard that was taken before one of the barriers, or both.
                        let mut to = places.slot(mc, to).borrow_mut();
                        let mut from = places.slot(mc, from).borrow_mut();
                        core::mem::swap(&mut *from, &mut *to);
                    }
                }
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 3 * count, "{seed}");
        arena.mutate(|mc, places| {
            litter(mc, 20);
            let slots = (0..2 * count).filter_map(|index| *places.slot(mc, index).borrow());
            let mut numbers: Vec<u64> = slots.map(|value| *value).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..count as u64), "{seed}");
        });
    });
}

/// A program that writes to more of them than are remembered keeps nothing for a cycle because it is new.
#[test]
fn many_of_them_keep_no_garbage() {
    #[derive(Collect)]
    #[collect(require_static)]
    struct Life(Rc<Cell<bool>>);
    impl Drop for Life {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }
    in_each_way(|way| {
        for count in [20, 1000] {
            let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
                Roots::new(mc, count)
            })
            .unwrap();
            let alive = Rc::new(Cell::new(false));
            let mut outlived = Vec::new();
            for _ in 0..4 {
                begin(&mut arena);
                let going = arena.collection_phase() == CollectionPhase::Marking;
                arena.mutate(|mc, roots| {
                    for opaque in &roots.single {
                        opaque.unlock(mc).borrow_mut().take();
                    }
                    alive.set(true);
                    Gc::new(mc, Life(Rc::clone(&alive)));
                });
                run_out(&mut arena);
                outlived.push(going && alive.get());
                arena.finish_cycle();
            }
            assert!(
                count == 20 || !outlived[1..].contains(&true),
                "{outlived:?}"
            );
        }
    });
}

/// An interner as programs write it.
struct Names<'gc>(RefLock<HashMap<u64, GcWeak<'gc, u64>>>);

// SAFETY: all pointers are visited, but those to values that were dropped.
unsafe impl<'gc> Collect<'gc> for Names<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: nothing is taken in, and nothing out but what was dropped.
        match unsafe { self.0.unlock_unchecked() }.try_borrow_mut() {
            Ok(mut names) => {
                names.retain(|_, name| !name.is_dropped());
                names.values().for_each(|name| cc.trace(name));
            }
            // A program would panic.
            Err(_) => UNDER_GUARD.set(UNDER_GUARD.get() + 1),
        }
    }
}

fn intern<'gc>(mc: &Mutation<'gc>, names: Gc<'gc, Names<'gc>>, key: u64) -> Gc<'gc, u64> {
    // SAFETY: the barrier is called before anything is changed.
    let mut names_by_key = unsafe { Gc::as_ref(names).0.unlock_unchecked() }.borrow_mut();
    if let Some(name) = names_by_key.get(&key).and_then(|name| name.upgrade(mc)) {
        return name;
    }
    let name = Gc::new(mc, key);
    let weak = Gc::downgrade(name);
    if key.is_multiple_of(2) {
        mc.backward_barrier_weak(Gc::erase(names), GcWeak::erase(weak));
    } else {
        Gc::write(mc, names);
    }
    names_by_key.insert(key, weak);
    name
}

#[derive(Collect)]
#[collect(no_drop)]
struct Interned<'gc> {
    names: Gc<'gc, Names<'gc>>,
    kept: RefLock<Vec<Gc<'gc, u64>>>,
}

/// Interners call the barrier under the guard by which they write.
#[test]
fn interners() {
    in_each_way(|way| {
        UNDER_GUARD.set(0);
        let options = way.options();
        let mut arena = Arena::<Rootable![Gc<'_, Interned<'_>>]>::with_options(options, |mc| {
            let names = Gc::new(mc, Names(RefLock::default()));
            let kept = RefLock::default();
            Gc::new(mc, Interned { names, kept })
        })
        .unwrap();
        for round in 0..way.size(12, 60) as u64 {
            let before = collections(&arena);
            begin(&mut arena);
            let mut calls = 0;
            while calls == 0 || in_cycle(&arena) && collections(&arena) == before && calls < 1000 {
                arena.mutate(|mc, root| {
                    for number in 0..8 {
                        let name = intern(mc, root.names, round * 16 + number);
                        if number < 4 && calls == 0 {
                            let write = Gc::write(mc, *root);
                            field!(write, Interned, kept)
                                .unlock()
                                .borrow_mut()
                                .push(name);
                        }
                    }
                });
                arena.collect_debt();
                calls += 1;
            }
            arena.finish_cycle();
            assert!(collections(&arena) > before);
            arena.mutate(|mc, root| {
                let kept = root.kept.borrow();
                assert_eq!(kept.len() as u64, 4 * (round + 1));
                for (number, name) in kept.iter().enumerate() {
                    let key = number as u64 / 4 * 16 + number as u64 % 4;
                    assert_eq!(**name, key);
                    assert!(Gc::ptr_eq(*name, intern(mc, root.names, key)));
                }
            });
        }
        assert_eq!(UNDER_GUARD.get(), 0);
    });
}
