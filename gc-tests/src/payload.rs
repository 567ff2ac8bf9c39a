//! Values without pointers, of many sizes and alignments, whose words follow from the name of the
//! object.

use gc_core::Collect;

use crate::model::Id;

/// The word with this index in the object `id`: a number without a pattern.
pub fn word(id: Id, index: usize) -> u64 {
    let mut word = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).rotate_left(32);
    word = (word ^ word >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word ^ word >> 32
}

/// The byte with this index in the object `id`.
pub fn byte(id: Id, index: usize) -> u8 {
    word(id, index).to_le_bytes()[0]
}

/// The character with this index in the object `id`, of one byte.
pub fn character(id: Id, index: usize) -> char {
    char::from(b'a' + byte(id, index) % 26)
}

/// A value that can be told from that of any other object.
pub trait Payload {
    /// Whether it is, in every byte, the value of the object `id`.
    fn is(&self, id: Id) -> bool;
}

/// A value of size zero.
#[derive(Debug, Collect)]
#[collect(no_drop)]
pub struct Unit;

impl Payload for Unit {
    fn is(&self, _id: Id) -> bool {
        true
    }
}

macro_rules! words {
    ($($(#[$attribute:meta])* $name:ident;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Collect)]
        #[collect(require_static)]
        pub struct $name<const WORDS: usize>([u64; WORDS]);

        impl<const WORDS: usize> $name<WORDS> {
            /// The value of the object `id`.
            pub fn of(id: Id) -> $name<WORDS> {
                $name(core::array::from_fn(|index| word(id, index)))
            }
        }

        impl<const WORDS: usize> Payload for $name<WORDS> {
            fn is(&self, id: Id) -> bool {
                self.0.iter().enumerate().all(|(index, found)| *found == word(id, index))
            }
        }
    )*};
}
words! {
    /// So many words.
    Filled;
    /// So many words, aligned to 64 bytes.
    #[repr(align(64))]
    FilledLine;
    /// So many words, aligned to 512 bytes.
    #[repr(align(512))]
    FilledGroup;
    /// So many words, aligned to 4096 bytes.
    #[repr(align(4096))]
    FilledPage;
}
