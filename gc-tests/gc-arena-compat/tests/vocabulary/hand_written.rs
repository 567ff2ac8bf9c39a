//! `Collect` by hand, and containers with barriers of their own.

use std::cell::{Cell, UnsafeCell};
use std::rc::Rc;

use gc_arena::arena::CollectionPhase;
use gc_arena::barrier::Unlock;
use gc_arena::collect::Trace;
use gc_arena::{Arena, Collect, Gc, GcWeak, HeapOptions, Mode, Mutation, RefLock, Rootable};
use gc_tests::way::in_each_way;

/// A stack that is pushed to and popped from without a lock.
struct Stack<'gc>(UnsafeCell<Vec<(Gc<'gc, u64>, GcWeak<'gc, u64>)>>);

// SAFETY: all pointers are visited; nothing is borrowed while this is called.
unsafe impl<'gc> Collect<'gc> for Stack<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: whoever has a reference into the vector gives it back before he calls other code.
        for (strong, weak) in unsafe { &*self.0.get() } {
            cc.trace_gc(Gc::erase(*strong));
            cc.trace_gc_weak(GcWeak::erase(*weak));
        }
    }
}

#[derive(Clone, Copy)]
enum Barrier {
    Backward,
    BackwardOf,
    BackwardWeak,
    Forward,
    ForwardWeak,
    Anywhere,
    AnywhereWeak,
}

impl Barrier {
    fn call<'gc>(self, mc: &Mutation<'gc>, parent: Gc<'gc, ()>, child: Gc<'gc, u64>) {
        let (child, weak) = (Gc::erase(child), GcWeak::erase(Gc::downgrade(child)));
        match self {
            Barrier::Backward => mc.backward_barrier(parent, None),
            Barrier::BackwardOf => mc.backward_barrier(parent, Some(child)),
            Barrier::BackwardWeak => mc.backward_barrier_weak(parent, weak),
            Barrier::Forward => mc.forward_barrier(Some(parent), child),
            Barrier::ForwardWeak => mc.forward_barrier_weak(Some(parent), weak),
            Barrier::Anywhere => mc.forward_barrier(None, child),
            Barrier::AnywhereWeak => mc.forward_barrier_weak(None, weak),
        }
    }
}

fn push<'gc>(mc: &Mutation<'gc>, stack: Gc<'gc, Stack<'gc>>, gc: Gc<'gc, u64>, how: Barrier) {
    how.call(mc, Gc::erase(stack), gc);
    // SAFETY: the barrier was called before; no other reference exists.
    unsafe { &mut *stack.0.get() }.push((gc, Gc::downgrade(gc)));
}

fn pop<'gc>(mc: &Mutation<'gc>, stack: Gc<'gc, Stack<'gc>>) -> Option<Gc<'gc, u64>> {
    mc.backward_barrier(Gc::erase(stack), None);
    // SAFETY: as above.
    unsafe { &mut *stack.0.get() }.pop().map(|(gc, _)| gc)
}

#[test]
fn a_container_with_barriers() {
    let barriers = [
        Barrier::Backward,
        Barrier::BackwardOf,
        Barrier::BackwardWeak,
        Barrier::Forward,
        Barrier::ForwardWeak,
        Barrier::Anywhere,
        Barrier::AnywhereWeak,
    ];
    type Root<'gc> = [Gc<'gc, Stack<'gc>>; 2];
    in_each_way(|way| {
        for how in barriers {
            let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
                [0, 1].map(|_| Gc::new(mc, Stack(UnsafeCell::new(Vec::new()))))
            })
            .unwrap();
            for number in 0..way.size(8, 60) as u64 {
                arena.mutate(|mc, [one, two]| {
                    push(mc, *one, Gc::new(mc, number), how);
                    if number % 3 == 2 {
                        let moved = pop(mc, *one).unwrap();
                        push(mc, *two, moved, how);
                    }
                    (0..500).for_each(|_| _ = Gc::new(mc, [number; 8]));
                });
                arena.collect_debt();
            }
            arena.finish_cycle();
            arena.mutate(|mc, [one, two]| {
                let mut all = Vec::new();
                while let Some(gc) = pop(mc, *one).or_else(|| pop(mc, *two)) {
                    all.push(*gc);
                }
                all.sort_unstable();
                assert!(all.into_iter().eq(0..way.size(8, 60) as u64));
            });
        }
    });
}

/// A table of weak pointers, which its own `trace` tidies up.
struct Interner<'gc>(RefLock<Vec<GcWeak<'gc, String>>>);

// SAFETY: all pointers that stay are visited.
unsafe impl<'gc> Collect<'gc> for Interner<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: no pointer is adopted.
        let mut all = unsafe { self.0.unlock_unchecked() }.borrow_mut();
        all.retain(|weak| !weak.is_dropped());
        cc.trace(&*all);
    }
}

/// The barrier comes while a guard is held, at which `trace` panics if it is called by it.
fn intern<'gc>(
    mc: &Mutation<'gc>,
    interner: Gc<'gc, Interner<'gc>>,
    text: &str,
) -> Gc<'gc, String> {
    // SAFETY: the barrier is called before anything is changed.
    let mut all = unsafe { interner.0.unlock_unchecked() }.borrow_mut();
    let known = all
        .iter()
        .find_map(|weak| weak.upgrade(mc).filter(|known| **known == text));
    known.unwrap_or_else(|| {
        let new = Gc::new(mc, text.to_string());
        mc.backward_barrier_weak(Gc::erase(interner), GcWeak::erase(Gc::downgrade(new)));
        all.push(Gc::downgrade(new));
        new
    })
}

#[test]
fn an_interner_with_a_guard() {
    type Root<'gc> = (Gc<'gc, Interner<'gc>>, Vec<Gc<'gc, String>>);
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            (Gc::new(mc, Interner(RefLock::new(Vec::new()))), Vec::new())
        })
        .unwrap();
        for round in 0..way.size(10, 200) {
            arena.mutate_root(|mc, (interner, kept)| {
                for number in round..round + 20 {
                    let gc = intern(mc, *interner, &number.to_string());
                    assert!(Gc::ptr_eq(gc, intern(mc, *interner, &number.to_string())));
                    if number % 10 == 0 {
                        kept.push(gc);
                    }
                }
                (0..500).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
            arena.mutate(|mc, (interner, kept)| {
                for gc in kept {
                    assert!(Gc::ptr_eq(*gc, intern(mc, *interner, gc)));
                }
            });
        }
        arena.finish_cycle();
        arena.finish_cycle();
        assert!(arena.verify().is_ok());
    });
}

/// A table as [`Interner`], of strong pointers, that counts how often it could not be asked.
struct Table<'gc> {
    entries: RefLock<Vec<Gc<'gc, u64>>>,
    refusals: Rc<Cell<usize>>,
}

// SAFETY: all pointers are visited; the destructor of `Rc<Cell<usize>>` knows nothing of the heap.
unsafe impl<'gc> Collect<'gc> for Table<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: nothing is changed.
        match unsafe { self.entries.unlock_unchecked() }.try_borrow_mut() {
            Ok(entries) => cc.trace(&*entries),
            Err(_) => {
                self.refusals.set(self.refusals.get() + 1);
                panic!("the table is being written");
            }
        }
    }
}

/// What the barrier cannot learn from the table is asked of it when the cycle begins: so it refuses once, and no
/// other cycle is given up. What is taken out of it is kept by whoever took it.
#[test]
fn a_table_with_a_guard_is_asked_in_time() {
    type Root<'gc> = (Gc<'gc, Table<'gc>>, Vec<Gc<'gc, u64>>);
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .floor(64 << 10)
        .square_root_growth(0);
    let refusals = Rc::new(Cell::new(0));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let entries = RefLock::new((0..64).map(|number| Gc::new(mc, number)).collect());
        let refusals = refusals.clone();
        (Gc::new(mc, Table { entries, refusals }), Vec::new())
    })
    .unwrap();
    let mut marking = 0;
    for round in 64..40_000_u64 {
        marking += usize::from(arena.collection_phase() == CollectionPhase::Marking);
        arena.mutate_root(|mc, (table, taken)| {
            // SAFETY: the barrier is called before anything is changed.
            let mut entries = unsafe { table.entries.unlock_unchecked() }.borrow_mut();
            mc.backward_barrier(Gc::erase(*table), None);
            let old = core::mem::replace(&mut entries[round as usize % 64], Gc::new(mc, round));
            assert_eq!(*old, round - 64);
            if taken.len() == 100 {
                taken.clear();
            }
            taken.push(old);
            assert!(taken.windows(2).all(|two| *two[0] + 1 == *two[1]));
            _ = Gc::new(mc, [round; 8]);
        });
        arena.collect_debt();
    }
    assert!(marking > 0);
    assert!(arena.metrics().statistics().collections > 5);
    assert!(refusals.get() <= 1, "refused {} times", refusals.get());
    arena.finish_cycle();
    assert!(arena.verify().is_ok());
}

/// That an object is asked when a cycle begins keeps neither it alive, nor what it leads to, if that leads back.
#[test]
fn being_asked_in_time_keeps_nothing_alive() {
    struct Loop<'gc>(RefLock<Option<Gc<'gc, Loop<'gc>>>>);
    // SAFETY: the pointer is visited.
    unsafe impl<'gc> Collect<'gc> for Loop<'gc> {
        fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
            // SAFETY: nothing is changed.
            cc.trace(&*unsafe { self.0.unlock_unchecked() }.borrow_mut());
        }
    }
    let options = HeapOptions::default().mode(Mode::Incremental);
    let mut arena = Arena::<Rootable![Option<Gc<'_, Loop<'_>>>]>::with_options(options, |mc| {
        let first = Gc::new(mc, Loop(RefLock::new(None)));
        let second = Gc::new(mc, Loop(RefLock::new(Some(first))));
        mc.backward_barrier(Gc::erase(first), None);
        // SAFETY: the barrier was called.
        *unsafe { first.0.unlock_unchecked() }.borrow_mut() = Some(second);
        Some(first)
    })
    .unwrap();
    for _ in 0..3 {
        // A cycle begins, in which the barrier comes while there is a guard.
        arena.metrics().adjust_debt(1e9);
        arena.collect_debt();
        arena.mutate(|mc, first| {
            let first = first.unwrap();
            // SAFETY: nothing is changed.
            let _guard = unsafe { first.0.unlock_unchecked() }.borrow_mut();
            mc.backward_barrier(Gc::erase(first), None);
        });
        arena.finish_cycle();
    }
    assert_eq!(arena.metrics().total_gc_count(), 2);
    arena.mutate_root(|_, root| *root = None);
    for _ in 0..2 {
        arena.metrics().adjust_debt(1e9);
        arena.collect_debt();
        while arena.collection_phase() != CollectionPhase::Sleeping {
            arena.collect_debt();
        }
    }
    assert_eq!(arena.metrics().total_gc_count(), 0);
}

#[test]
fn the_default_visits_nothing() {
    struct Empty;
    // SAFETY: it holds nothing.
    unsafe impl<'gc> Collect<'gc> for Empty {
        const NEEDS_TRACE: bool = false;
    }
    assert_eq!(crate::pointers_of(&Empty), (0, 0));

    struct Tagged<T>(T);
    gc_arena::static_collect!(<T> Tagged<T>);
    struct Plain;
    gc_arena::static_collect!(Plain);
    struct Bound<T, U>(T, U);
    gc_arena::static_collect!(<T, U> Bound<T, U> where T: Copy, U: Clone);
    let of = |_: &dyn Fn() -> (usize, usize)| ();
    of(&|| crate::pointers_of(&(Tagged("a").0, Plain, Bound(1, 2).0, Bound(1, 2).1 == 2).0));
}
