//! The hand-written model: which words of an allocation are pointers, one bit for each word.
//!
//! Every type of the test says where its pointers are by the addresses of its fields.

use std::collections::BTreeMap;

use bitvec::vec::BitVec;
use gc_core::lock::OnceLock;
use gc_core::slice::{Interior, OffsetSlice, Slice, Str};
use gc_core::{Gc, GcWeak, Lock, RefLock};

/// How the pointers of a type are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// They are at the same places in all values; nulls are pointers too.
    Fixed,
    /// It depends on the value. Nobody can tell a null by its tag, so it may have one or not.
    Dynamic,
    /// As `Dynamic`, and there are no tags before the object was marked.
    External,
}

/// What an allocation should look like.
#[derive(Debug)]
pub struct Expected {
    pub bytes: usize,
    pub map: Map,
    /// Words that are pointers, weak or strong.
    pub tags: BitVec,
    /// Words that are weak pointers.
    pub weak: BitVec,
    /// Words that point into the object at which the word before points.
    pub derived: BitVec,
    /// Words that are null, where that is not a pointer for sure.
    pub free: BitVec,
}

/// All allocations of a heap.
pub type All = BTreeMap<usize, Expected>;

/// The words of one object.
pub struct Words {
    base: usize,
    expected: Expected,
}

impl Words {
    /// What the object should look like if it takes so many bytes.
    pub fn of<T: HasWords + ?Sized>(gc: Gc<'_, T>, bytes: usize, map: Map) -> (usize, Expected) {
        let none = || BitVec::repeat(false, bytes / 8);
        let expected = Expected {
            bytes,
            map,
            tags: none(),
            weak: none(),
            derived: none(),
            free: none(),
        };
        let mut words = Words {
            base: Gc::as_ptr(gc).addr(),
            expected,
        };
        gc.as_ref().words(&mut words);
        (words.base, words.expected)
    }

    fn pointer(&mut self, address: usize, weak: bool) {
        let word = (address - self.base) / 8;
        assert!(self.base + word * 8 == address, "a pointer is not aligned");
        self.expected.tags.set(word, true);
        self.expected.weak.set(word, weak);
    }

    /// A pointer, and one into its object.
    fn base_and_derived(&mut self, address: usize) {
        self.pointer(address, false);
        self.expected
            .derived
            .set((address - self.base) / 8 + 1, true);
    }

    fn null_base_and_derived(&mut self, address: usize) {
        match self.expected.map {
            Map::Fixed => self.base_and_derived(address),
            Map::Dynamic | Map::External => {
                self.null(address, false);
                self.null(address + 8, false);
            }
        }
    }

    fn null(&mut self, address: usize, weak: bool) {
        match self.expected.map {
            Map::Fixed => self.pointer(address, weak),
            Map::Dynamic | Map::External => {
                self.expected.free.set((address - self.base) / 8, true);
            }
        }
    }
}

/// A type that says where its pointers are.
pub trait HasWords {
    fn words(&self, words: &mut Words);

    /// Says where the pointer would be if there were a value at `address` and not a null.
    fn null(_words: &mut Words, _address: usize) {}
}

impl<T: ?Sized> HasWords for Gc<'_, T> {
    fn words(&self, words: &mut Words) {
        words.pointer((&raw const *self).addr(), false);
    }

    fn null(words: &mut Words, address: usize) {
        words.null(address, false);
    }
}

impl<T: ?Sized> HasWords for GcWeak<'_, T> {
    fn words(&self, words: &mut Words) {
        words.pointer((&raw const *self).addr(), true);
    }

    fn null(words: &mut Words, address: usize) {
        words.null(address, true);
    }
}

impl<T> HasWords for Slice<'_, T> {
    fn words(&self, words: &mut Words) {
        words.base_and_derived((&raw const *self).addr() + 8);
    }

    fn null(words: &mut Words, address: usize) {
        words.null_base_and_derived(address + 8);
    }
}

impl HasWords for Str<'_> {
    fn words(&self, words: &mut Words) {
        words.base_and_derived((&raw const *self).addr() + 8);
    }

    fn null(words: &mut Words, address: usize) {
        words.null_base_and_derived(address + 8);
    }
}

impl<T> HasWords for Interior<'_, T> {
    fn words(&self, words: &mut Words) {
        words.base_and_derived((&raw const *self).addr());
    }

    fn null(words: &mut Words, address: usize) {
        words.null_base_and_derived(address);
    }
}

impl<T> HasWords for OffsetSlice<'_, T> {
    fn words(&self, words: &mut Words) {
        words.pointer((&raw const *self).addr(), false);
    }

    fn null(words: &mut Words, address: usize) {
        words.null(address, false);
    }
}

impl<T: HasWords> HasWords for Option<T> {
    fn words(&self, words: &mut Words) {
        match self {
            Some(value) => value.words(words),
            None => T::null(words, (&raw const *self).addr()),
        }
    }
}

impl<T: HasWords + Copy> HasWords for Lock<T> {
    fn words(&self, words: &mut Words) {
        // SAFETY: nobody writes meanwhile.
        unsafe { &*self.as_ptr() }.words(words);
    }
}

impl<T: HasWords> HasWords for RefLock<T> {
    fn words(&self, words: &mut Words) {
        self.borrow().words(words);
    }
}

impl<T: HasWords> HasWords for OnceLock<T> {
    fn words(&self, words: &mut Words) {
        match self.get() {
            Some(value) => value.words(words),
            None => T::null(words, (&raw const *self).addr()),
        }
    }
}

impl<T: HasWords> HasWords for [T] {
    fn words(&self, words: &mut Words) {
        self.iter().for_each(|value| value.words(words));
    }
}

impl<T: HasWords, const N: usize> HasWords for [T; N] {
    fn words(&self, words: &mut Words) {
        self.as_slice().words(words);
    }
}

impl<T: HasWords, U: HasWords, V: HasWords> HasWords for (T, U, V) {
    fn words(&self, words: &mut Words) {
        self.0.words(words);
        self.1.words(words);
        self.2.words(words);
    }
}

/// Types whose values have no pointers, or none in their own words.
macro_rules! without_words {
    ($($type:ty),*) => {$(
        impl HasWords for $type {
            fn words(&self, _: &mut Words) {}
        }
    )*};
}
without_words!((), u8, u16, u32, u64, str);

impl<T> HasWords for Vec<T> {
    fn words(&self, _: &mut Words) {}
}

/// Structs, by the names of the fields that may have pointers.
#[macro_export]
macro_rules! has_words {
    ($([$($generics:tt)*] $type:ty: $($field:tt),*;)*) => {$(
        impl<$($generics)*> $crate::expected::HasWords for $type {
            fn words(&self, words: &mut $crate::expected::Words) {
                $($crate::expected::HasWords::words(&self.$field, words);)*
            }
        }
    )*};
}
