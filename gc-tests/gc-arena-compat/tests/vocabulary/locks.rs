//! Locks.

use std::cell::{Cell, OnceCell, RefCell};

use gc_arena::arena::rootless_mutate;
use gc_arena::lock::{GcOnceLock, OnceLock};
use gc_arena::{Arena, Collect, Gc, GcLock, GcRefLock, Lock, RefLock, Rootable};
use gc_tests::way::in_each_way;

#[test]
fn a_lock_is_like_a_cell() {
    rootless_mutate(|mc| {
        let lock: GcLock<'_, u32> = Gc::new(mc, Lock::new(1));
        lock.set(mc, 2);
        lock.unlock(mc).set(lock.get() + 1);
        assert_eq!((lock.get(), lock.take(), lock.get()), (3, 3, 0));
    });
    let mut lock = Lock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(lock.clone(), Lock::new(2));
    assert!(lock < Lock::new(3) && lock.cmp(&Lock::new(1)).is_gt());
    assert!(format!("{lock:?}").starts_with("Lock("));
    // SAFETY: the lock is in no object.
    unsafe { lock.as_cell() }.set(5);
    // SAFETY: as above.
    assert_eq!(unsafe { *lock.as_ptr() }, 5);
    assert_eq!(lock.into_inner(), 5);
    assert_eq!(Lock::from(Cell::new(1)), Lock::new(1));
    assert_eq!(Lock::<u8>::default().get(), 0);
}

#[test]
fn a_ref_lock_is_like_a_ref_cell() {
    rootless_mutate(|mc| {
        let lock: GcRefLock<'_, String> = Gc::new(mc, RefLock::new("a".to_string()));
        lock.borrow_mut(mc).push('b');
        {
            let _reading = lock.borrow();
            assert!(lock.try_borrow().is_ok() && lock.try_borrow_mut(mc).is_err());
        }
        let writing = lock.try_borrow_mut(mc).unwrap();
        assert!(lock.try_borrow().is_err() && format!("{lock:?}").starts_with("RefLock("));
        drop(writing);
        assert_eq!(
            (lock.take(), lock.borrow().as_str()),
            ("ab".to_string(), "")
        );
    });
    let mut lock = RefLock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(lock.clone(), RefLock::new(2));
    assert!(lock < RefLock::new(3) && lock.cmp(&RefLock::new(1)).is_gt());
    // SAFETY: the lock is in no object.
    *unsafe { lock.as_ref_cell() }.borrow_mut() = 5;
    // SAFETY: as above.
    assert_eq!(unsafe { *lock.as_ptr() }, 5);
    assert_eq!((*lock.borrow(), lock.try_borrow().is_ok()), (5, true));
    assert_eq!(lock.into_inner(), 5);
    assert_eq!(RefLock::from(RefCell::new(1)), RefLock::new(1));
    assert_eq!(*RefLock::<u8>::default().borrow(), 0);
}

#[test]
fn a_once_lock_is_like_a_once_cell() {
    rootless_mutate(|mc| {
        let lock: GcOnceLock<'_, u32> = Gc::new(mc, OnceLock::new());
        assert_eq!(
            (lock.get(), lock.set(mc, 1), lock.set(mc, 2)),
            (None, Ok(()), Err(2))
        );
        assert_eq!((lock.get_or_init(mc, || 3), lock.get()), (&1, Some(&1)));
        let other = Gc::new(mc, OnceLock::default());
        assert_eq!(other.get_or_init(mc, || 3), &3);
        assert!(other.unlock(mc).set(4).is_err());
    });
    let mut lock = OnceLock::from(1);
    *lock.get_mut().unwrap() += 1;
    assert_eq!(
        (lock.clone(), lock),
        (OnceLock::from(2), OnceLock::from(OnceCell::from(2)))
    );
    assert!(format!("{:?}", OnceLock::<u8>::new()).starts_with("OnceLock("));
}

type Number<'gc> = Option<Gc<'gc, u64>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Holder<'gc> {
    inside: Lock<Number<'gc>>,
    list: RefLock<Vec<Gc<'gc, u64>>>,
    outside: Box<Lock<Number<'gc>>>,
    taken: Lock<Option<GcLock<'gc, [Number<'gc>; 3]>>>,
}

/// A marker that has not come by yet must not miss what was taken, for it goes to where no marker looks.
#[test]
fn what_is_taken_stays_alive() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Gc<'_, Holder<'_>>]>::with_options(way.often(), |mc| {
            Gc::new(
                mc,
                Holder {
                    inside: Lock::new(None),
                    list: RefLock::new(Vec::new()),
                    outside: Box::new(Lock::new(None)),
                    taken: Lock::new(None),
                },
            )
        })
        .unwrap();
        for round in 0..way.size(6, 300) as u64 {
            arena.mutate(|mc, root| {
                use gc_arena::barrier::{field, unlock};
                let write = Gc::write(mc, *root);
                let gc = |number: u64| Gc::new(mc, 3 * round + number);
                unlock!(write, Holder, inside).set(Some(gc(0)));
                unlock!(write, Holder, list).borrow_mut().push(gc(1));
                field!(write, Holder, outside)
                    .as_deref()
                    .unlock()
                    .set(Some(gc(2)));
            });
            arena.collect_debt();
            arena.mutate(|mc, root| {
                let new = Gc::new(mc, Lock::new([None; 3]));
                let taken = [
                    root.inside.take(),
                    root.list.take().pop(),
                    root.outside.take(),
                ];
                new.set(mc, taken);
                assert!(root.inside.get().is_none() && root.list.borrow().is_empty());
                gc_arena::barrier::unlock!(Gc::write(mc, *root), Holder, taken).set(Some(new));
                (0..1000).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
            arena.mutate(|_, root| {
                let taken = root.taken.get().unwrap().get();
                let numbers = taken.map(|gc| *gc.unwrap() - 3 * round);
                assert_eq!(numbers, [0, 1, 2]);
            });
        }
        arena.finish_cycle();
        assert!(arena.verify().is_ok());
    });
}
