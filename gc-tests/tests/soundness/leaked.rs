//! Guards of locks that are leaked: the lock says for ever that somebody writes, and nobody does.

use std::mem::forget;

use gc_core::barrier::unlock;
use gc_core::{Arena, Collect, Gc, Mutation, RefLock, Rootable};
use gc_tests::way::in_each_way;

use crate::{begin, run_out};

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Moving<'gc> {
    First(Gc<'gc, u64>, usize),
    Second(usize, Gc<'gc, u64>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Locks<'gc> {
    moving: RefLock<Moving<'gc>>,
    list: RefLock<Vec<Gc<'gc, u64>>>,
}

const LOCKS: usize = 24;

fn moving<'gc>(mc: &Mutation<'gc>, value: usize) -> Moving<'gc> {
    let number = Gc::new(mc, value as u64);
    match value % 2 {
        0 => Moving::First(number, value),
        _ => Moving::Second(value, number),
    }
}

type Root<'gc> = Gc<'gc, [Gc<'gc, Locks<'gc>>]>;

/// Compares what is behind the locks with the numbers that were written there last.
fn check(arena: &Arena<Rootable![Root<'_>]>, written: &[usize]) {
    arena.mutate(|mc, root| {
        (0..200).for_each(|_| _ = Gc::new(mc, [usize::MAX; 2]));
        for (locks, &number) in root.iter().zip(written) {
            #[allow(
                unsafe_code,
                reason = "what is behind a leaked guard is not to be had otherwise"
            )]
            // SAFETY: no guard is in use: all were leaked or dropped in calls that are over.
            let (moving, list) = unsafe { (&*locks.moving.as_ptr(), &*locks.list.as_ptr()) };
            let (Moving::First(gc, beside) | Moving::Second(beside, gc)) = *moving;
            assert_eq!((*gc, beside), (number as u64, number));
            assert!(list.iter().all(|gc| **gc == number as u64));
            assert_eq!(list.len(), number % 3);
        }
    });
}

/// A guard is leaked before a cycle, at each point of one, and after it, having changed where pointers are.
#[test]
fn whenever_it_happens() {
    in_each_way(|way| {
        for delay in 0..way.size(5, 16) {
            let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
                let locks = |number: usize| Locks {
                    moving: RefLock::new(moving(mc, number)),
                    list: RefLock::new(vec![Gc::new(mc, number as u64); number % 3]),
                };
                Gc::slice_from_iter(mc, (0..LOCKS).map(|number| Gc::new(mc, locks(number))))
            })
            .unwrap();
            let mut written: Vec<usize> = (0..LOCKS).collect();
            // A third each: written and leaked before the cycle, in it, and after it.
            for third in 0..3 {
                if third == 1 {
                    begin(&mut arena);
                    (0..delay).for_each(|_| arena.collect_debt());
                }
                arena.mutate(|mc, root| {
                    for index in (third..LOCKS).step_by(3) {
                        let number = 1000 + index;
                        let locks = Gc::write(mc, root[index]);
                        let mut guard = unlock!(locks, Locks, moving).borrow_mut();
                        *guard = moving(mc, number);
                        forget(guard);
                        let mut guard = unlock!(locks, Locks, list).borrow_mut();
                        *guard = vec![Gc::new(mc, number as u64); number % 3];
                        match index % 2 {
                            0 => forget(guard),
                            _ => {
                                drop(guard);
                                forget(root[index].list.borrow());
                            }
                        }
                        written[index] = number;
                        // One more right to write, which the lock refuses.
                        assert!(root[index].moving.try_borrow().is_err());
                        let list = unlock!(Gc::write(mc, root[index]), Locks, list);
                        assert!(list.try_borrow_mut().is_err());
                    }
                });
                if third == 1 {
                    run_out(&mut arena);
                }
                check(&arena, &written);
            }
            for _ in 0..2 {
                arena.finish_cycle();
                arena.verify().unwrap();
                check(&arena, &written);
            }
            arena.finish_cycle();
            // Those of a list are one number.
            let lists = written.iter().filter(|&&number| number % 3 > 0).count();
            assert_eq!(arena.metrics().total_gc_count(), 1 + 2 * LOCKS + lists);
        }
    });
}
