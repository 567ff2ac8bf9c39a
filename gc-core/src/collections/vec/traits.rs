//! What a [`Vec`] is besides: [`Collect`], a slice, comparable.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};
use core::mem::offset_of;
use core::ops::Deref;

use super::Vec;
use crate::collections::buffer::Buffer;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

// SAFETY: the one pointer is visited in place; what it leads to is described by its tags or its descriptor.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for Vec<'gc, T> {
    const TYPE_MAP: TypeMap =
        TypeMap::LEAF.with_field(Buffer::<'gc, T>::TYPE_MAP, offset_of!(Vec<'gc, T>, buffer));

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.buffer);
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Deref for Vec<'gc, T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the elements are there, and changed only by who has the vector exclusively.
        unsafe { core::slice::from_raw_parts(self.buffer.place(), self.len) }
    }
}

impl<'gc, T: Collect<'gc> + 'gc> AsRef<[T]> for Vec<'gc, T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Borrow<[T]> for Vec<'gc, T> {
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<'a, 'gc, T: Collect<'gc> + 'gc> IntoIterator for &'a Vec<'gc, T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> core::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<'gc, T: Collect<'gc> + PartialEq + 'gc> PartialEq for Vec<'gc, T> {
    fn eq(&self, other: &Vec<'gc, T>) -> bool {
        **self == **other
    }
}

impl<'gc, T: Collect<'gc> + PartialOrd + 'gc> PartialOrd for Vec<'gc, T> {
    fn partial_cmp(&self, other: &Vec<'gc, T>) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<'gc, T: Collect<'gc> + Ord + 'gc> Ord for Vec<'gc, T> {
    fn cmp(&self, other: &Vec<'gc, T>) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<'gc, T: Collect<'gc> + Hash + 'gc> Hash for Vec<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state)
    }
}
