//! Elements of each kind that a buffer can have, made of a number and able to tell it.

use std::cell::Cell;

use gc_core::{Collect, Gc, GcWeak, Mutation};
pub use gc_tests::cargo::Cargo;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// Counts how many of it there are on this thread.
#[derive(Collect)]
#[collect(require_static)]
pub struct Token(u64);

impl Token {
    pub fn new(id: u64) -> Token {
        LIVE.set(LIVE.get() + 1);
        Token(id)
    }

    pub fn live() -> isize {
        LIVE.get()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // A second drop would not find the number.
        assert_ne!(std::mem::replace(&mut self.0, u64::MAX), u64::MAX);
        LIVE.set(LIVE.get() - 1);
    }
}

/// What the tests know of an element.
pub trait Element<'gc> {
    /// How many tokens are in it.
    const TOKENS: isize = 0;

    fn make(mc: &Mutation<'gc>, id: u64) -> Self;
    fn id(&self) -> u64;
}

/// No pointers.
impl<'gc> Element<'gc> for u64 {
    fn make(_: &Mutation<'gc>, id: u64) -> u64 {
        id
    }

    fn id(&self) -> u64 {
        *self
    }
}

/// A pointer in the same word of each value.
pub type Pointer<'gc> = Gc<'gc, Cargo<'gc>>;

impl<'gc> Element<'gc> for Gc<'gc, Cargo<'gc>> {
    fn make(mc: &Mutation<'gc>, id: u64) -> Self {
        Cargo::new(mc, id)
    }

    fn id(&self) -> u64 {
        Cargo::id(self)
    }
}

/// Strong and weak ones, in three words, so that they lie otherwise in each group of 64.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Triple<'gc> {
    weak: GcWeak<'gc, Cargo<'gc>>,
    id: u64,
    strong: Gc<'gc, Cargo<'gc>>,
}

impl<'gc> Element<'gc> for Triple<'gc> {
    fn make(mc: &Mutation<'gc>, id: u64) -> Self {
        let strong = Cargo::new(mc, id);
        let weak = Gc::downgrade(strong);
        Triple { weak, id, strong }
    }

    fn id(&self) -> u64 {
        assert_eq!(self.strong.id(), self.id);
        assert!(!self.weak.is_dropped());
        self.id
    }
}

/// A pointer in one word or in another, or in none.
#[derive(Collect)]
#[collect(no_drop)]
pub enum Moving<'gc> {
    First(Gc<'gc, Cargo<'gc>>, u64),
    Second(u64, Gc<'gc, Cargo<'gc>>),
    Neither(u64),
}

impl<'gc> Element<'gc> for Moving<'gc> {
    fn make(mc: &Mutation<'gc>, id: u64) -> Self {
        match id % 3 {
            0 => Moving::First(Cargo::new(mc, id), id),
            1 => Moving::Second(id, Cargo::new(mc, id)),
            _ => Moving::Neither(id),
        }
    }

    fn id(&self) -> u64 {
        match self {
            Moving::First(cargo, id) | Moving::Second(id, cargo) => {
                assert_eq!(cargo.id(), *id);
                *id
            }
            Moving::Neither(id) => *id,
        }
    }
}

/// `Drop` beside a pointer.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Dropping<'gc> {
    token: Token,
    cargo: Gc<'gc, Cargo<'gc>>,
}

impl<'gc> Element<'gc> for Dropping<'gc> {
    const TOKENS: isize = 1;

    fn make(mc: &Mutation<'gc>, id: u64) -> Self {
        Dropping {
            token: Token::new(id),
            cargo: Cargo::new(mc, id),
        }
    }

    fn id(&self) -> u64 {
        assert_eq!(self.token.0, self.cargo.id());
        self.token.0
    }
}

/// `Drop` alone.
impl<'gc> Element<'gc> for Token {
    const TOKENS: isize = 1;

    fn make(_: &Mutation<'gc>, id: u64) -> Self {
        Token::new(id)
    }

    fn id(&self) -> u64 {
        assert_ne!(self.0, u64::MAX);
        self.0
    }
}

/// Memory outside of the heap with pointers in it.
pub type Outside<'gc> = Box<(Gc<'gc, Cargo<'gc>>, Token)>;

impl<'gc> Element<'gc> for Box<(Gc<'gc, Cargo<'gc>>, Token)> {
    const TOKENS: isize = 1;

    fn make(mc: &Mutation<'gc>, id: u64) -> Self {
        Box::new((Cargo::new(mc, id), Token::new(id)))
    }

    fn id(&self) -> u64 {
        assert_eq!(self.0.id(), self.1.0);
        self.0.id()
    }
}
