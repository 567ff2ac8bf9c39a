//! [`Str`]: a part of a managed string.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::slice::SliceIndex;
use core::str::{self, Utf8Error};

use super::Slice;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A part of a managed string: a [`Slice`] of bytes that are UTF-8.
///
/// It can be used as a `&str` ([`Str::as_ref`] is one for the rest of the call), compares and hashes as one,
/// and is divided without copying anything. It keeps the whole string alive.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, slice::Str};
///
/// rootless_mutate(|mc| {
///     let text = Str::from(Gc::str_from(mc, "key = value"));
///     let (_, value) = text.as_ref().split_once(" = ").unwrap();
///     let value = text.slice_ref(value).unwrap();
///     assert_eq!(value, "value");
///     assert_eq!(value, text.slice(6..));
///     assert_eq!(value.chars().count(), 5);
/// });
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Str<'gc> {
    /// They are UTF-8.
    bytes: Slice<'gc, u8>,
}

const _: () = assert!(size_of::<Str<'_>>() == 24 && size_of::<Option<Str<'_>>>() == 24);

impl<'gc> Str<'gc> {
    /// The string with this text, which `base` keeps alive.
    ///
    /// # Safety
    ///
    /// The text lies in the object at which `base` points, or is empty.
    #[inline]
    pub(super) unsafe fn of_parts(base: Gc<'gc, ()>, text: &'gc str) -> Str<'gc> {
        // SAFETY: the text lies in the object at the base, or is empty (the caller's promise).
        let bytes = unsafe { Slice::of_parts(base, text.as_bytes()) };
        Str { bytes }
    }

    /// The string of some of the text of this one.
    ///
    /// # Safety
    ///
    /// It is.
    #[inline]
    unsafe fn part(self, text: &'gc str) -> Str<'gc> {
        // SAFETY: the text is a part of this string (the caller's promise), which lies in the object at the base.
        unsafe { Str::of_parts(self.base(), text) }
    }

    /// The string that is written in `bytes`. Takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::{Slice, Str}};
    /// # rootless_mutate(|mc| {
    /// let bytes = Slice::from(Gc::new(mc, *b"text\xff"));
    /// assert_eq!(Str::from_utf8(bytes.slice(..4)).unwrap(), "text");
    /// assert_eq!(Str::from_utf8(bytes).unwrap_err().valid_up_to(), 4);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If that is not UTF-8.
    pub fn from_utf8(bytes: Slice<'gc, u8>) -> Result<Str<'gc>, Utf8Error> {
        str::from_utf8(bytes.as_ref())?;
        Ok(Str { bytes })
    }

    /// A reference to the text for the whole of the current call.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let word = Str::from(Gc::str_from(mc, "one two")).as_ref().split(' ').next();
    /// assert_eq!(word, Some("one"));
    /// # });
    /// ```
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self) -> &'gc str {
        // SAFETY: the bytes are UTF-8, and bytes in the heap do not change.
        unsafe { str::from_utf8_unchecked(self.bytes.as_ref()) }
    }

    /// The object that this string keeps alive.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let gc = Gc::str_from(mc, "abc");
    /// assert!(Gc::ptr_eq(Str::from(gc).slice(1..2).base(), Gc::erase(gc)));
    /// # });
    /// ```
    #[inline]
    pub fn base(self) -> Gc<'gc, ()> {
        self.bytes.base()
    }

    /// The text in a range of bytes.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let text = Str::from(Gc::str_from(mc, "naïve"));
    /// assert_eq!(text.slice(2..4), "ï");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the range reaches beyond the end, ends before it begins, or begins or ends within a character.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn slice<R: SliceIndex<str, Output = str>>(self, range: R) -> Str<'gc> {
        // SAFETY: what the indices of `core` select is text of this string.
        unsafe { self.part(&self.as_ref()[range]) }
    }

    /// The text in a range of bytes, if there is such.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let text = Str::from(Gc::str_from(mc, "naïve"));
    /// assert_eq!(text.get_slice(..2).unwrap(), "na");
    /// assert!(text.get_slice(..3).is_none());
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn get_slice<R: SliceIndex<str, Output = str>>(self, range: R) -> Option<Str<'gc>> {
        // SAFETY: as above.
        unsafe { Some(self.part(self.as_ref().get(range)?)) }
    }

    /// What is referred to by `part`, a reference to some of this text, which the methods of `str` may have
    /// found. `None` if it refers to anything else.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let text = Str::from(Gc::str_from(mc, "a, b"));
    /// let parts: Option<Vec<Str<'_>>> = text.as_ref().split(", ").map(|part| text.slice_ref(part)).collect();
    /// assert_eq!(parts.unwrap(), ["a", "b"]);
    /// assert!(text.slice_ref("a").is_none());
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn slice_ref(self, part: &str) -> Option<Str<'gc>> {
        let bytes = self.bytes.slice_ref(part.as_bytes())?;
        // The same bytes as those of the part, unless that is empty and anywhere between two bytes.
        Some(Str { bytes })
    }

    /// The text between all `separator`s. For other patterns, see [`Str::slice_ref`].
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// assert!(Str::from(Gc::str_from(mc, "1,,2")).split(',').eq(["1", "", "2"]));
    /// # });
    /// ```
    #[inline]
    pub fn split(self, separator: char) -> impl DoubleEndedIterator<Item = Str<'gc>> + Clone {
        // SAFETY: what lies between is text of this string.
        let part = move |text| unsafe { self.part(text) };
        self.as_ref().split(separator).map(part)
    }

    /// A string with the same text that keeps no more memory than that needs: a copy, or this one if it is all
    /// of its object. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Str};
    /// # rootless_mutate(|mc| {
    /// let file = Str::from(Gc::str_from(mc, &"a line\n".repeat(1000)));
    /// let line = file.split('\n').next().unwrap().compact_to_fit(mc);
    /// assert_eq!(line, "a line");
    /// assert!(!Gc::ptr_eq(line.base(), file.base()));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    #[inline]
    #[must_use]
    pub fn compact_to_fit(self, mc: &impl Mutates<'gc, u8>) -> Str<'gc> {
        Str {
            bytes: self.bytes.compact_to_fit(mc),
        }
    }
}

/// All of a managed string.
impl<'gc, K: IsGcKind<'gc, str>> From<Gc<'gc, str, K>> for Str<'gc> {
    #[inline]
    fn from(gc: Gc<'gc, str, K>) -> Str<'gc> {
        // SAFETY: the text is the object.
        unsafe { Str::of_parts(Gc::erase(gc), gc.as_ref()) }
    }
}

/// The bytes of a text.
///
/// ```
/// # use gc_core::{Gc, arena::rootless_mutate, slice::{Slice, Str}};
/// # rootless_mutate(|mc| {
/// assert_eq!(*Slice::from(Str::from(Gc::str_from(mc, "abc"))), *b"abc");
/// # });
/// ```
impl<'gc> From<Str<'gc>> for Slice<'gc, u8> {
    #[inline]
    fn from(text: Str<'gc>) -> Slice<'gc, u8> {
        text.bytes
    }
}

impl Default for Str<'_> {
    #[inline]
    fn default() -> Self {
        Str {
            bytes: Slice::default(),
        }
    }
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc> Collect<'gc> for Str<'gc> {
    const TYPE_MAP: TypeMap = <Slice<'gc, u8> as Collect<'gc>>::TYPE_MAP;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.bytes);
    }
}

impl Deref for Str<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        Str::as_ref(*self)
    }
}

impl AsRef<str> for Str<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Str<'_> {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        <str as fmt::Debug>::fmt(self, f)
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        <str as fmt::Display>::fmt(self, f)
    }
}

impl Eq for Str<'_> {}

impl PartialOrd for Str<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        str::cmp(self, other)
    }
}

impl Hash for Str<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state)
    }
}

macro_rules! equal {
    ($($other:ty),*) => {$(
        impl PartialEq<$other> for Str<'_> {
            #[inline]
            fn eq(&self, other: &$other) -> bool {
                self[..] == other[..]
            }
        }
    )*};
}
equal!(Str<'_>, str, &str, String, Gc<'_, str>);
