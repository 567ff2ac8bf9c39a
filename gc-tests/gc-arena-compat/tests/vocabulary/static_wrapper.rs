//! `Static`.

use std::borrow::{Borrow, BorrowMut};
use std::cell::Cell;

use gc_arena::arena::rootless_mutate;
use gc_arena::{Arena, Gc, Static};

/// Not `Collect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Foreign(u32);

#[test]
fn a_wrapper_is_like_its_content() {
    let mut value = Static::from(Foreign(1));
    value.0.0 += 1;
    AsMut::<Foreign>::as_mut(&mut value).0 += 1;
    BorrowMut::<Foreign>::borrow_mut(&mut value).0 += 1;
    (*value).0 += 1;
    let (as_ref, borrowed): (&Foreign, &Foreign) = (value.as_ref(), value.borrow());
    assert_eq!((as_ref, borrowed), (&Foreign(5), &Foreign(5)));
    assert!(value > Static::default() && value.cmp(&value).is_eq());
    assert_eq!(format!("{value:?}"), "Static(Foreign(5))");
    assert_eq!(std::collections::HashSet::from([value, value]).len(), 1);
    rootless_mutate(|mc| assert_eq!(Gc::new(mc, value).0.0, 5));
}

#[test]
fn a_wrapper_is_a_root() {
    let mut arena = Arena::<Static<Cell<u32>>>::new(|_| Static(Cell::new(1)));
    arena.mutate(|_, root| root.set(2));
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| root.get()), 2);
}
