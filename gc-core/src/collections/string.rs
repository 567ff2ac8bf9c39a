//! [`String`]: growable text in the heap.
//!
//! It is a [`Vec`] of bytes that are UTF-8 between operations. Bytes hold no pointers, so there is no barrier; the `mc`
//! is for memory.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem::offset_of;
use core::ops::{Deref, RangeBounds};

use super::vec::{Vec, bounds};
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::Gc;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// Growable text in the heap: [`std::string::String`] without memory outside of it.
///
/// It derefs to `str`, and can be looked up by `&str` as a key of a [`HashMap`](super::HashMap).
///
/// ```
/// use gc_core::arena::rootless_mutate;
/// use gc_core::collections::{HashMap, String};
///
/// rootless_mutate(|mc| {
///     let mut greeting = String::from_str(mc, "Hello");
///     greeting.push_str(mc, ", world");
///     let mut table: HashMap<'_, String<'_>, u32> = HashMap::new();
///     table.insert(mc, greeting, 1);
///     assert_eq!(table["Hello, world"], 1);
/// });
/// ```
#[derive(Default)]
pub struct String<'gc> {
    bytes: Vec<'gc, u8>,
}

impl<'gc> String<'gc> {
    /// No text, and no memory.
    ///
    /// ```
    /// # use gc_core::collections::String;
    /// assert_eq!(String::new(), "");
    /// ```
    #[inline]
    pub const fn new() -> String<'gc> {
        String { bytes: Vec::new() }
    }

    /// No text, with memory for `capacity` bytes.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert!(String::with_capacity(mc, 10).capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn with_capacity(mc: &impl Mutates<'gc, u8>, capacity: usize) -> String<'gc> {
        let bytes = Vec::with_capacity(mc, capacity);
        String { bytes }
    }

    /// A copy of a text.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(String::from_str(mc, "text"), "text");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`String::try_reserve`].
    pub fn from_str(mc: &impl Mutates<'gc, u8>, text: &str) -> String<'gc> {
        let mut string = String::with_capacity(mc, text.len());
        string.push_str(mc, text);
        string
    }

    /// A text of characters.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(String::from_iter(mc, "text".chars().rev()), "txet");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics.
    pub fn from_iter(
        mc: &impl Mutates<'gc, u8>,
        iter: impl IntoIterator<Item = char>,
    ) -> String<'gc> {
        let mut text = String::new();
        text.extend(mc, iter);
        text
    }

    /// Bytes as text.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::{String, Vec}};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(String::from_utf8(Vec::from_iter(mc, *b"text")).unwrap(), "text");
    /// assert!(String::from_utf8(Vec::from_iter(mc, [0xff])).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If they are not UTF-8.
    pub fn from_utf8(bytes: Vec<'gc, u8>) -> Result<String<'gc>, core::str::Utf8Error> {
        core::str::from_utf8(&bytes)?;
        Ok(String { bytes })
    }

    /// The bytes.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(*String::from_str(mc, "text").into_bytes(), *b"text");
    /// # });
    /// ```
    #[inline]
    pub fn into_bytes(self) -> Vec<'gc, u8> {
        self.bytes
    }

    /// The text as a managed string, without a copy: spare memory stays.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let text: Gc<'_, str> = String::from_str(mc, "text").into_gc();
    /// assert_eq!(&*text, "text");
    /// # });
    /// ```
    #[inline]
    pub fn into_gc(self) -> Gc<'gc, str> {
        let text = Gc::as_ptr(self.bytes.into_gc()) as *const str;
        // SAFETY: the bytes are UTF-8, and the pointer is that of a `Gc` with the same brand.
        unsafe { Gc::from_ptr(text) }
    }

    /// A copy, in memory of its own.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let text = String::from_str(mc, "text");
    /// assert_eq!(text.clone_in(mc), text);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn clone_in(&self, mc: &impl Mutates<'gc, u8>) -> String<'gc> {
        String::from_str(mc, self)
    }

    /// The text; also by deref.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(String::from_str(mc, "text").as_str(), "text");
    /// # });
    /// ```
    #[inline]
    pub fn as_str(&self) -> &str {
        self
    }

    /// How many bytes fit without more memory.
    ///
    /// ```
    /// # use gc_core::collections::String;
    /// assert_eq!(String::new().capacity(), 0);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for at least so many more bytes.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::new();
    /// text.reserve(mc, 10);
    /// assert!(text.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`String::try_reserve`].
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, u8>, additional: usize) {
        self.bytes.reserve(mc, additional);
    }

    /// Makes room for at least so many more bytes.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// assert!(String::new().try_reserve(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory; the text is as it was.
    pub fn try_reserve(
        &mut self,
        mc: &impl Mutates<'gc, u8>,
        additional: usize,
    ) -> Result<(), HeapError> {
        self.bytes.try_reserve(mc, additional)
    }

    /// Moves the text to memory without room for more.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::with_capacity(mc, 100);
    /// text.push_str(mc, "text");
    /// text.shrink_to_fit(mc);
    /// assert_eq!(text.capacity(), 4);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn shrink_to_fit(&mut self, mc: &impl Mutates<'gc, u8>) {
        self.bytes.shrink_to_fit(mc);
    }

    /// Adds a character at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::new();
    /// text.push(mc, 'ß');
    /// assert_eq!(text, "ß");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[inline]
    pub fn push(&mut self, mc: &impl Mutates<'gc, u8>, character: char) {
        self.push_str(mc, character.encode_utf8(&mut [0; 4]));
    }

    /// Adds a text at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::new();
    /// text.push_str(mc, "text");
    /// assert_eq!(text, "text");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`String::try_reserve`].
    #[inline]
    pub fn push_str(&mut self, mc: &impl Mutates<'gc, u8>, text: &str) {
        or_panic(self.try_push_str(mc, text));
    }

    /// Adds a text at the end.
    #[inline]
    fn try_push_str(&mut self, mc: &impl Mutates<'gc, u8>, text: &str) -> Result<(), HeapError> {
        self.bytes.try_extend_from_slice(mc, text.as_bytes())
    }

    /// Adds characters at the end.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::new();
    /// text.extend(mc, ['a', 'b']);
    /// assert_eq!(text, "ab");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, or the iterator panics; what it gave until then is there.
    pub fn extend(&mut self, mc: &impl Mutates<'gc, u8>, iter: impl IntoIterator<Item = char>) {
        let iter = iter.into_iter();
        self.reserve(mc, iter.size_hint().0);
        iter.for_each(|character| self.push(mc, character));
    }

    /// Takes the last character.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "aß");
    /// assert_eq!(text.pop(mc), Some('ß'));
    /// assert_eq!(text, "a");
    /// # });
    /// ```
    pub fn pop(&mut self, mc: &impl Mutates<'gc, u8>) -> Option<char> {
        let last = self.chars().next_back()?;
        self.bytes.truncate(mc, self.len() - last.len_utf8());
        Some(last)
    }

    /// Adds a character before the byte `index`. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "ac");
    /// text.insert(mc, 1, 'b');
    /// assert_eq!(text, "abc");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `index` is not at the border of a character, or there is no memory.
    #[track_caller]
    pub fn insert(&mut self, mc: &impl Mutates<'gc, u8>, index: usize, character: char) {
        self.insert_str(mc, index, character.encode_utf8(&mut [0; 4]));
    }

    /// Adds a text before the byte `index`. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "ad");
    /// text.insert_str(mc, 1, "bc");
    /// assert_eq!(text, "abcd");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `index` is not at the border of a character, or there is no memory.
    #[track_caller]
    pub fn insert_str(&mut self, mc: &impl Mutates<'gc, u8>, index: usize, text: &str) {
        self.check_border(index);
        self.bytes.extend_from_slice(mc, text.as_bytes());
        self.bytes.as_mut_slice(mc)[index..].rotate_right(text.len());
    }

    /// Takes the character that begins at the byte `index`. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "aßc");
    /// assert_eq!(text.remove(mc, 1), 'ß');
    /// assert_eq!(text, "ac");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If no character begins there.
    #[track_caller]
    pub fn remove(&mut self, mc: &impl Mutates<'gc, u8>, index: usize) -> char {
        let character = self[index..]
            .chars()
            .next()
            .expect("a character begins there");
        self.remove_range(mc, index..index + character.len_utf8());
        character
    }

    /// Removes the bytes of a range. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "abcd");
    /// text.remove_range(mc, 1..3);
    /// assert_eq!(text, "ad");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the range goes beyond the text, or its ends are not at borders of characters.
    #[track_caller]
    pub fn remove_range(&mut self, mc: &impl Mutates<'gc, u8>, range: impl RangeBounds<usize>) {
        let (from, to) = bounds(range, self.len());
        self.check_border(from);
        self.check_border(to);
        self.bytes.as_mut_slice(mc).copy_within(to.., from);
        self.bytes.truncate(mc, self.bytes.len() - (to - from));
    }

    /// Removes what is behind the first `len` bytes.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "abcd");
    /// text.truncate(mc, 1);
    /// assert_eq!(text, "a");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `len` is in the text, but not at the border of a character.
    #[track_caller]
    pub fn truncate(&mut self, mc: &impl Mutates<'gc, u8>, len: usize) {
        if len < self.len() {
            self.check_border(len);
            self.bytes.truncate(mc, len);
        }
    }

    /// Removes all text, and keeps the memory.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "abcd");
    /// text.clear(mc);
    /// assert_eq!(text, "");
    /// # });
    /// ```
    pub fn clear(&mut self, mc: &impl Mutates<'gc, u8>) {
        self.bytes.clear(mc);
    }

    /// Keeps the characters for which `keep` says so. Linear.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// let mut text = String::from_str(mc, "a1b2");
    /// text.retain(mc, char::is_alphabetic);
    /// assert_eq!(text, "ab");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `keep` does; the text is as it was then.
    pub fn retain(&mut self, mc: &impl Mutates<'gc, u8>, mut keep: impl FnMut(char) -> bool) {
        // In memory outside of the heap for as long as it takes, so that a panic leaves no half text.
        let kept: std::string::String = self.chars().filter(|&character| keep(character)).collect();
        self.bytes.as_mut_slice(mc)[..kept.len()].copy_from_slice(kept.as_bytes());
        self.bytes.truncate(mc, kept.len());
    }

    /// Something to write to with [`write!`]. Writing fails if there is no memory; what was written until then is there.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::String};
    /// # rootless_mutate(|mc| {
    /// use std::fmt::Write;
    ///
    /// let mut text = String::new();
    /// write!(text.writer(mc), "{}-{}", 1, 2).unwrap();
    /// assert_eq!(text, "1-2");
    /// # });
    /// ```
    pub fn writer<'a, M: Mutates<'gc, u8>>(&'a mut self, mc: &'a M) -> Writer<'a, 'gc, M> {
        Writer { text: self, mc }
    }

    #[track_caller]
    fn check_border(&self, index: usize) {
        assert!(
            self.is_char_boundary(index),
            "byte {index} is not at the border of a character of the text"
        );
    }
}

/// Writes formatted text to a [`String`]; see [`String::writer`].
///
/// ```
/// # use gc_core::{arena::rootless_mutate, collections::String};
/// # rootless_mutate(|mc| {
/// use std::fmt::Write;
///
/// let mut text = String::new();
/// text.writer(mc).write_str("text").unwrap();
/// assert_eq!(text, "text");
/// # });
/// ```
pub struct Writer<'a, 'gc, M> {
    text: &'a mut String<'gc>,
    mc: &'a M,
}

impl<'gc, M: Mutates<'gc, u8>> fmt::Write for Writer<'_, 'gc, M> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text
            .try_push_str(self.mc, text)
            .map_err(|_| fmt::Error)
    }
}

impl<M> fmt::Debug for Writer<'_, '_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&self.text).finish()
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc> Collect<'gc> for String<'gc> {
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_field(Vec::<'gc, u8>::TYPE_MAP, offset_of!(String<'gc>, bytes));

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.bytes);
    }
}

impl Deref for String<'_> {
    type Target = str;

    #[inline(always)]
    fn deref(&self) -> &str {
        // SAFETY: the bytes are UTF-8.
        unsafe { core::str::from_utf8_unchecked(&self.bytes) }
    }
}

impl AsRef<str> for String<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for String<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<str> for String<'_> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<'gc> From<String<'gc>> for Gc<'gc, str> {
    fn from(text: String<'gc>) -> Gc<'gc, str> {
        text.into_gc()
    }
}

impl fmt::Debug for String<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for String<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl PartialEq for String<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for String<'_> {}

impl PartialEq<str> for String<'_> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for String<'_> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for String<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for String<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for String<'_> {
    // As the `str` by which it can be looked up.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state)
    }
}
