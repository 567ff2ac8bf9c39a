//! A list that takes long to mark and can tell whether it is whole.

use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Rootable};

/// An element of the list.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    value: u64,
    rest: [u64; 4],
}

/// The root: where the list begins.
pub type Head<'gc> = Gc<'gc, Lock<Option<Gc<'gc, Node<'gc>>>>>;

/// An arena of nothing but the list.
pub type List = Arena<Rootable![Head<'_>]>;

/// A list of that length in an arena with these options.
///
/// # Panics
///
/// If there is no memory.
pub fn list(options: HeapOptions, length: u64) -> List {
    let list = List::with_options(options, |mc| Gc::new(mc, Lock::new(None))).unwrap();
    list.mutate(|mc, head| {
        for value in 0..length {
            let (next, rest) = (head.get(), [value; 4]);
            head.set(mc, Some(Gc::new(mc, Node { next, value, rest })));
        }
    });
    list
}

/// Looks at the whole list.
///
/// # Panics
///
/// If an element is missing or has changed.
#[track_caller]
pub fn check(list: &List, length: u64) {
    list.mutate(|_, head| {
        let mut at = head.get();
        for value in (0..length).rev() {
            let node = at.expect("the list is shorter than it was");
            let found = (node.value, node.rest);
            assert_eq!(found, (value, [value; 4]), "an object was freed");
            at = node.next;
        }
        assert!(at.is_none(), "the list is longer than it was");
    });
}

/// Writes over what was freed, so that [`check`] finds it.
pub fn litter(list: &List, count: u64) {
    list.mutate(|mc, _| {
        for _ in 0..count {
            Gc::new(mc, [u64::MAX; 6]);
        }
    });
}
