//! What the tests move about in a heap, and the objects that it can be in.

use std::cell::Cell;

use gc_core::barrier::{Write, unlock};
use gc_core::{Collect, Gc, GcWeak, Lock, Mutation, RefLock};
use gc_tests::access::write_at;
pub use gc_tests::cargo::{Cargo, Crate, OBJECTS, litter};
pub use gc_tests::drops::Counted;

/// A pointer in one word or in the other, or in none; strong or weak. The other words hold numbers.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Moving<'gc> {
    Empty(usize, usize),
    First(Crate<'gc>, usize),
    Second(usize, Crate<'gc>),
    Weak(GcWeak<'gc, Cargo<'gc>>, usize),
}

/// A value that needs `Drop`, and knows whether it was dropped.
#[derive(Collect)]
#[collect(require_static)]
struct Living(Cell<u64>);

const ALIVE: u64 = 0x1157_1157;

impl Drop for Living {
    fn drop(&mut self) {
        // Not to be left out, though nobody ought to see it.
        core::hint::black_box(&self.0).set(0);
    }
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct Plain<'gc> {
    before: u64,
    cargo: Lock<Option<Crate<'gc>>>,
    after: u64,
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct Dropping<'gc> {
    living: Living,
    cargo: Lock<Option<Crate<'gc>>>,
}

/// An object that can hold one cargo, or a part of an object.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Holder<'gc> {
    /// Written with the usual barrier.
    Plain(Gc<'gc, Plain<'gc>>),
    /// Written with the barrier that names the child.
    Forward(Gc<'gc, Plain<'gc>>),
    /// Written with the barrier that names no parent.
    Unknown(Gc<'gc, Plain<'gc>>),
    /// Pointers change their place.
    Moving(Gc<'gc, Lock<Moving<'gc>>>),
    /// Needs `Drop`.
    Dropping(Gc<'gc, Dropping<'gc>>),
    /// Memory outside of the heap.
    External(Gc<'gc, RefLock<Vec<Crate<'gc>>>>),
    /// An element of a slice, written with the barrier for the whole slice.
    Slice(Gc<'gc, [Lock<Option<Crate<'gc>>>]>, usize),
    /// An element of a slice, written with the barrier for that element.
    Element(Gc<'gc, [Lock<Option<Crate<'gc>>>]>, usize),
}

/// The number of kinds of holders that are whole objects.
pub const KINDS: usize = 6;

impl<'gc> Holder<'gc> {
    /// A new object of a kind, with or without cargo from the beginning.
    pub fn new(mc: &Mutation<'gc>, kind: usize, cargo: Option<Crate<'gc>>) -> Holder<'gc> {
        let plain = || Plain {
            before: 0x1234,
            cargo: Lock::new(cargo),
            after: 0x5678,
        };
        match kind % KINDS {
            0 => Holder::Plain(Gc::new(mc, plain())),
            1 => Holder::Forward(Gc::new(mc, plain())),
            2 => Holder::Unknown(Gc::new(mc, plain())),
            3 => {
                let moving = match cargo {
                    None => Moving::Empty(kind, kind),
                    Some(cargo) => Moving::First(cargo, kind),
                };
                Holder::Moving(Gc::new(mc, Lock::new(moving)))
            }
            4 => Holder::Dropping(Gc::new(
                mc,
                Dropping {
                    living: Living(Cell::new(ALIVE)),
                    cargo: Lock::new(cargo),
                },
            )),
            _ => Holder::External(Gc::new(mc, RefLock::new(cargo.into_iter().collect()))),
        }
    }

    /// What is in it.
    pub fn get(self) -> Option<Crate<'gc>> {
        match self {
            Holder::Plain(gc) | Holder::Forward(gc) | Holder::Unknown(gc) => {
                assert_eq!((gc.before, gc.after), (0x1234, 0x5678));
                gc.cargo.get()
            }
            Holder::Moving(gc) => match gc.get() {
                Moving::Empty(..) => None,
                Moving::First(cargo, _) | Moving::Second(_, cargo) => Some(cargo),
                Moving::Weak(..) => panic!("nothing weak was put here"),
            },
            Holder::Dropping(gc) => {
                assert_eq!(gc.living.0.get(), ALIVE, "the holder was dropped");
                gc.cargo.get()
            }
            Holder::External(gc) => gc.borrow().first().copied(),
            Holder::Slice(gc, index) | Holder::Element(gc, index) => gc[index].get(),
        }
    }

    /// Puts something into it, or nothing.
    pub fn set(self, mc: &Mutation<'gc>, cargo: Option<Crate<'gc>>) {
        match self {
            Holder::Plain(gc) => unlock!(Gc::write(mc, gc), Plain, cargo).set(cargo),
            Holder::Forward(gc) => {
                // Any object will do as the child of which nothing is known yet.
                let child = cargo.map_or(Gc::erase(gc), Gc::erase);
                mc.forward_barrier(Some(Gc::erase(gc)), child);
                // SAFETY: the barrier was called for the object.
                unsafe { Write::assume(&gc.as_ref().cargo) }
                    .unlock()
                    .set(cargo);
            }
            Holder::Unknown(gc) => {
                mc.forward_barrier(None, cargo.map_or(Gc::erase(gc), Gc::erase));
                // SAFETY: the barrier was called for all objects.
                unsafe { Write::assume(&gc.as_ref().cargo) }
                    .unlock()
                    .set(cargo);
            }
            Holder::Moving(gc) => {
                let was_first = matches!(gc.get(), Moving::First(..));
                gc.set(
                    mc,
                    match cargo {
                        // A number where a pointer was.
                        None => Moving::Empty(0xbad0, 0xbad1),
                        Some(cargo) if was_first => Moving::Second(0xbad2, cargo),
                        Some(cargo) => Moving::First(cargo, 0xbad3),
                    },
                );
            }
            Holder::Dropping(gc) => unlock!(Gc::write(mc, gc), Dropping, cargo).set(cargo),
            Holder::External(gc) => {
                // The memory outside goes, and other memory comes.
                let mut content = gc.borrow_mut(mc);
                drop(core::mem::take(&mut *content));
                content.extend(cargo);
            }
            Holder::Slice(gc, index) => Gc::write(mc, gc)[index].unlock().set(cargo),
            Holder::Element(gc, index) => write_at(mc, gc, index).unlock().set(cargo),
        }
    }

    /// Takes what is in it.
    pub fn take(self, mc: &Mutation<'gc>) -> Option<Crate<'gc>> {
        let cargo = self.get()?;
        self.set(mc, None);
        Some(cargo)
    }
}

/// A list that keeps a marker busy, for as long as a cycle has steps of it.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Ballast<'gc> {
    id: usize,
    next: Option<Gc<'gc, Ballast<'gc>>>,
}

impl<'gc> Ballast<'gc> {
    pub fn new(mc: &Mutation<'gc>, length: usize) -> Option<Gc<'gc, Ballast<'gc>>> {
        (0..length).fold(None, |next, id| Some(Gc::new(mc, Ballast { id, next })))
    }

    /// Looks at the whole list.
    pub fn check(list: Option<Gc<'gc, Ballast<'gc>>>, length: usize) {
        let (mut at, mut left) = (list, length);
        while let Some(ballast) = at {
            left -= 1;
            assert_eq!(ballast.id, left);
            at = ballast.next;
        }
        assert_eq!(left, 0);
    }
}
