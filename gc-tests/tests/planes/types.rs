//! Types of all sorts, with pointers in all sorts of places.

use gc_core::lock::OnceLock;
use gc_core::slice::{Interior, OffsetSlice, Slice, Str};
use gc_core::{Collect, Gc, GcWeak, Lock, RefLock};

use crate::expected::{HasWords, Words};
use crate::has_words;

pub type Leaf<'gc> = Gc<'gc, u64>;

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Tuple<'gc>(pub Leaf<'gc>);

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Pair<'gc> {
    pub first: Leaf<'gc>,
    pub second: Option<Leaf<'gc>>,
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Mixed<'gc> {
    pub byte: u8,
    pub weak: GcWeak<'gc, u64>,
    pub number: u32,
    pub strong: Leaf<'gc>,
    pub maybe_weak: Option<GcWeak<'gc, u64>>,
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Generic<T> {
    pub short: u16,
    pub value: T,
    pub number: u64,
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct Fat<'gc> {
    pub text: Gc<'gc, str>,
    pub number: u64,
    pub items: Gc<'gc, [Leaf<'gc>]>,
    pub weak: GcWeak<'gc, [u8]>,
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct MaybeFat<'gc> {
    pub number: u64,
    pub text: Option<Gc<'gc, str>>,
}

/// The first and the last word that a constant map describes.
#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
pub struct Edges<'gc> {
    pub first: Leaf<'gc>,
    pub between: [u64; 62],
    pub last: Lock<Option<Leaf<'gc>>>,
}

/// Pointers beyond the words that a constant map describes.
#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
pub struct Beyond<'gc> {
    pub near: Leaf<'gc>,
    pub between: [u64; 69],
    pub far: Leaf<'gc>,
    pub weak: GcWeak<'gc, u64>,
    pub more: [u64; 100],
    pub farther: Lock<Option<Leaf<'gc>>>,
    pub farthest: Pair<'gc>,
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Tree<'gc> {
    Empty,
    Number(u64),
    One(Leaf<'gc>),
    Two(Leaf<'gc>, GcWeak<'gc, u64>),
    Named {
        byte: u8,
        number: u64,
        weak: GcWeak<'gc, u64>,
        strong: Leaf<'gc>,
    },
    Nested(Option<Leaf<'gc>>, Pair<'gc>),
}

pub const TREE_BYTES: usize = 32;
const _: () = assert!(size_of::<Tree<'_>>() == TREE_BYTES);

impl HasWords for Tree<'_> {
    fn words(&self, words: &mut Words) {
        match self {
            Tree::Empty | Tree::Number(_) => {}
            Tree::One(strong) => strong.words(words),
            Tree::Two(strong, weak) => {
                strong.words(words);
                weak.words(words);
            }
            Tree::Named {
                byte: _,
                number: _,
                weak,
                strong,
            } => {
                weak.words(words);
                strong.words(words);
            }
            Tree::Nested(maybe, pair) => {
                maybe.words(words);
                pair.words(words);
            }
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct Locks<'gc> {
    pub number: u64,
    pub lock: Lock<Tree<'gc>>,
    pub strong: Lock<Option<Leaf<'gc>>>,
    pub weak: Lock<Option<GcWeak<'gc, u64>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct RefLocks<'gc> {
    pub number: u64,
    pub tree: RefLock<Tree<'gc>>,
    pub strong: RefLock<Option<Leaf<'gc>>>,
}

/// A cell of a pointer whose place nobody tells at compile time, though it never changes.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Still<'gc> {
    pub number: u64,
    pub strong: RefLock<Option<Leaf<'gc>>>,
    pub weak: RefLock<Option<GcWeak<'gc, u64>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
pub struct Onces<'gc> {
    pub number: u64,
    pub tree: OnceLock<Tree<'gc>>,
    pub strong: OnceLock<Leaf<'gc>>,
}

/// Locks in the variants of an enum.
#[derive(Collect)]
#[collect(no_drop)]
pub enum Cells<'gc> {
    Strong(Lock<Option<Leaf<'gc>>>),
    Once(u64, OnceLock<Leaf<'gc>>),
    Weak(u64, Lock<Option<GcWeak<'gc, u64>>>, Leaf<'gc>),
}

impl HasWords for Cells<'_> {
    fn words(&self, words: &mut Words) {
        match self {
            Cells::Strong(strong) => strong.words(words),
            Cells::Once(_, once) => once.words(words),
            Cells::Weak(_, weak, strong) => {
                weak.words(words);
                strong.words(words);
            }
        }
    }
}

/// Pointers inside and outside.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Outside<'gc> {
    pub strong: Leaf<'gc>,
    pub outside: Vec<Leaf<'gc>>,
    pub weak: Option<GcWeak<'gc, u64>>,
}

/// Views of parts of objects, with and without something to see.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Views<'gc> {
    pub byte: u8,
    pub part: Slice<'gc, u64>,
    pub text: Option<Str<'gc>>,
    pub weak: GcWeak<'gc, u64>,
    pub field: Interior<'gc, u64>,
    pub maybe_field: Option<Interior<'gc, u64>>,
    pub tail: OffsetSlice<'gc, u64>,
    pub maybe_tail: Option<OffsetSlice<'gc, u64>>,
}

pub const VIEWS_BYTES: usize = 8 + 2 * 24 + 8 + 4 * 16;
const _: () = assert!(size_of::<Views<'_>>() == VIEWS_BYTES);

/// A cell whose words change, but not what they are.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Window<'gc> {
    pub number: u64,
    pub part: Lock<Option<Slice<'gc, u64>>>,
    pub once: OnceLock<Interior<'gc, u64>>,
}

/// A word is a base, derived, weak or a number.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum View<'gc> {
    Nothing,
    Numbers([u64; 5]),
    Part(Slice<'gc, u64>),
    Field(u64, Interior<'gc, u64>),
    Both(Option<Str<'gc>>, Interior<'gc, u64>),
    Pointers([Leaf<'gc>; 4], GcWeak<'gc, u64>),
}

pub const VIEW_BYTES: usize = size_of::<View<'_>>();

impl HasWords for View<'_> {
    fn words(&self, words: &mut Words) {
        match self {
            View::Nothing | View::Numbers(_) => {}
            View::Part(part) => part.words(words),
            View::Field(_, field) => field.words(words),
            View::Both(text, field) => {
                text.words(words);
                field.words(words);
            }
            View::Pointers(strong, weak) => {
                strong.words(words);
                weak.words(words);
            }
        }
    }
}

/// A type with `Drop` and pointers.
#[derive(Collect)]
#[collect(unsafe_drop)]
pub struct Dropping<'gc> {
    pub number: u64,
    pub strong: Leaf<'gc>,
    pub weak: GcWeak<'gc, u64>,
}

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        assert_eq!(self.number, 7);
    }
}

has_words! {
    ['gc] Tuple<'gc>: 0;
    ['gc] Pair<'gc>: first, second;
    ['gc] Mixed<'gc>: weak, strong, maybe_weak;
    [T: HasWords] Generic<T>: value;
    ['gc] Fat<'gc>: text, items, weak;
    ['gc] MaybeFat<'gc>: text;
    ['gc] Edges<'gc>: first, last;
    ['gc] Beyond<'gc>: near, far, weak, farther, farthest;
    ['gc] Locks<'gc>: lock, strong, weak;
    ['gc] RefLocks<'gc>: tree, strong;
    ['gc] Still<'gc>: strong, weak;
    ['gc] Onces<'gc>: tree, strong;
    ['gc] Outside<'gc>: strong, weak;
    ['gc] Dropping<'gc>: strong, weak;
    ['gc] Views<'gc>: part, text, weak, field, maybe_field, tail, maybe_tail;
    ['gc] Window<'gc>: part, once;
}
