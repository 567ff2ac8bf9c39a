//! Pinning: what is pinned stays, at its address, for as long as it is pinned, whoever pinned it and whatever is done
//! wrong.
//!
//! Each test runs in several [`Way`]s.

#![allow(
    clippy::type_complexity,
    reason = "the type of a guard says what a test is about"
)]

mod finalizers;
mod guards;
mod kinds;
mod misuse;
mod phases;
mod shared;
mod values;

use gc_core::arena::Root;
use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Mutation, Pinned, Rootable};
use gc_tests::cargo::litter;
use gc_tests::cycle::{begin, in_cycle};
use gc_tests::way::{Way, in_each_way, panic_of};

/// A list of objects.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Node<'gc> {
    value: u64,
    next: Lock<Option<Gc<'gc, Node<'gc>>>>,
}

type Guard = Pinned<Rootable!['gc => Node<'gc>]>;
type Empty = Arena<Rootable![()]>;

impl<'gc> Node<'gc> {
    fn new(mc: &Mutation<'gc>, value: u64, next: Option<Gc<'gc, Node<'gc>>>) -> Gc<'gc, Node<'gc>> {
        let next = Lock::new(next);
        Gc::new(mc, Node { value, next })
    }

    /// So many nodes, the last of which has the value zero.
    fn list(mc: &Mutation<'gc>, length: u64) -> Gc<'gc, Node<'gc>> {
        let end = Node::new(mc, 0, None);
        (1..length).fold(end, |next, value| Node::new(mc, value, Some(next)))
    }

    /// The length of a list that is as it was made.
    fn check(&self) -> u64 {
        let (mut at, mut next) = (self.value, self.next.get());
        while let Some(node) = next {
            assert_eq!(node.value + 1, at);
            (at, next) = (node.value, node.next.get());
        }
        assert_eq!(at, 0);
        self.value + 1
    }
}

/// An arena in which nothing is alive but what is pinned.
fn empty(options: HeapOptions) -> Empty {
    Arena::with_options(options, |_| ()).unwrap()
}

/// Frees everything that can be, and says that so many objects are left in a heap that is as it should be.
#[track_caller]
fn left<R>(arena: &mut Arena<R>, objects: u64)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.finish_cycle();
    arena.verify().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(arena.metrics().total_gc_count() as u64, objects);
}
