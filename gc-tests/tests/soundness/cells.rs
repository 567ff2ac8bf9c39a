//! Cells in cells, in unsized values, and beside memory outside of the heap.

use std::cell::OnceCell;

use gc_core::barrier::unlock;
use gc_core::lock::OnceLock;
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, RefLock, Rootable, unsize};

use crate::checked;

/// Collects, and uses the memory of what was freed for something else.
fn churn<R>(arena: &mut Arena<R>)
where
    R: for<'a> Rootable<'a>,
    for<'a> gc_core::arena::Root<'a, R>: Collect<'a> + Sized,
{
    arena.finish_cycle();
    arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, 0x4141_4141_4141_4141_u64)));
    arena.finish_cycle();
}

#[test]
fn a_lock_in_an_unsized_tail() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Tail<'gc, T: ?Sized + 'gc> {
        id: u64,
        first: Option<Gc<'gc, u64>>,
        rest: RefLock<T>,
    }
    type Root<'gc> = Gc<'gc, Tail<'gc, [Option<Gc<'gc, u64>>]>>;
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| {
        let rest = RefLock::new([None, None, None]);
        let (id, first) = (1, None);
        unsize!(Gc::new(mc, Tail { id, first, rest }) => Tail<'_, [Option<Gc<'_, u64>>]>)
    })
    .unwrap();
    arena.mutate(|mc, root| {
        unlock!(Gc::write(mc, *root), Tail, rest).borrow_mut()[1] = Some(Gc::new(mc, 5));
    });
    churn(&mut arena);
    arena.mutate(|_, root| {
        assert_eq!((root.id, root.first), (1, None));
        assert_eq!(root.rest.borrow()[1].as_deref(), Some(&5));
    });
}

#[test]
fn a_weak_pointer_in_an_empty_cell_in_a_cell() {
    type Root<'gc> = Gc<'gc, RefLock<OnceLock<GcWeak<'gc, u64>>>>;
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| {
        Gc::new(mc, RefLock::new(OnceLock::new()))
    })
    .unwrap();
    arena.mutate(|mc, root| {
        let cell = OnceCell::from(Gc::downgrade(Gc::new(mc, 5)));
        *root.borrow_mut(mc) = OnceLock::from(cell);
    });
    churn(&mut arena);
    arena.mutate(|mc, root| assert!(root.borrow().get().unwrap().upgrade(mc).is_none()));
}

#[test]
fn in_options_and_results_of_cells() {
    type Cells<'gc> = (
        Gc<'gc, Option<Lock<Option<Gc<'gc, u64>>>>>,
        Gc<'gc, Result<OnceLock<Gc<'gc, u64>>, u8>>,
        Gc<'gc, [Lock<Option<Gc<'gc, u64>>>; 100]>,
    );
    let mut arena = Arena::<Rootable![Cells<'_>]>::with_options(checked(), |mc| {
        (
            Gc::new(mc, Some(Lock::new(None))),
            Gc::new(mc, Ok(OnceLock::new())),
            Gc::new(mc, std::array::from_fn(|_| Lock::new(None))),
        )
    })
    .unwrap();
    arena.mutate(|mc, root| {
        let option = Gc::write(mc, root.0).as_write().unwrap();
        option.unlock().set(Some(Gc::new(mc, 1)));
        let result = Gc::write(mc, root.1).as_write().ok().unwrap();
        result.unlock().set(Gc::new(mc, 2)).unwrap();
        Gc::write(mc, root.2)[77].unlock().set(Some(Gc::new(mc, 3)));
    });
    churn(&mut arena);
    arena.mutate(|_, root| {
        let option = root.0.as_ref().as_ref().unwrap().get().unwrap();
        let result = root.1.as_ref().as_ref().unwrap().get().unwrap();
        assert_eq!((*option, **result, *root.2[77].get().unwrap()), (1, 2, 3));
    });
}

/// The tags of an object that owns memory outside of the heap are not true while it is not marked:
/// a number where a pointer was is no error.
#[test]
fn a_number_in_the_place_of_a_pointer_is_no_error() {
    #[derive(Clone, Copy, Collect)]
    #[collect(no_drop)]
    enum Either<'gc> {
        Pointer(Gc<'gc, u64>, u64),
        Numbers(u32, usize, usize),
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Owner<'gc> {
        list: Vec<Gc<'gc, u64>>,
        either: Lock<Either<'gc>>,
    }
    let mut arena = Arena::<Rootable![Gc<'_, Owner<'_>>]>::with_options(checked(), |mc| {
        let either = Lock::new(Either::Pointer(Gc::new(mc, 1), 2));
        let list = vec![Gc::new(mc, 3)];
        Gc::new(mc, Owner { list, either })
    })
    .unwrap();
    arena.finish_cycle();
    arena.mutate(|mc, root| {
        let free = Gc::as_ptr(Gc::new(mc, 4_u64)).addr() + 1600;
        let numbers = Either::Numbers(1, free, free);
        unlock!(Gc::write(mc, *root), Owner, either).set(numbers);
    });
    arena.verify().unwrap();
    churn(&mut arena);
    arena.mutate(|_, root| {
        assert!(matches!(root.either.get(), Either::Numbers(1, a, b) if a == b));
        assert_eq!(*root.list[0], 3);
    });
}
