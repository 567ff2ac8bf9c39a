//! What a [`VecDeque`] is besides: [`Collect`], indexed, comparable.

use core::cmp::Ordering;
use core::hash::{Hash, Hasher};
use core::mem::offset_of;
use core::ops::Index;
use core::slice;

use super::{VecDeque, VecDequeIter};
use crate::collections::buffer::Buffer;
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

// SAFETY: the one pointer is visited in place; what it leads to is described by its tags or its descriptor.
unsafe impl<'gc, T: Collect<'gc> + 'gc> Collect<'gc> for VecDeque<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        Buffer::<'gc, T>::TYPE_MAP,
        offset_of!(VecDeque<'gc, T>, buffer),
    );

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.buffer);
    }
}

impl<'gc, T: Collect<'gc> + 'gc> Index<usize> for VecDeque<'gc, T> {
    type Output = T;

    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    fn index(&self, index: usize) -> &T {
        let len = self.len;
        match self.get(index) {
            Some(element) => element,
            None => panic!("element {index} of a deque of {len}"),
        }
    }
}

impl<'a, 'gc, T: Collect<'gc> + 'gc> IntoIterator for &'a VecDeque<'gc, T> {
    type Item = &'a T;
    type IntoIter = VecDequeIter<slice::Iter<'a, T>>;

    fn into_iter(self) -> VecDequeIter<slice::Iter<'a, T>> {
        self.iter()
    }
}

impl<'gc, T: Collect<'gc> + PartialEq + 'gc> PartialEq for VecDeque<'gc, T> {
    fn eq(&self, other: &VecDeque<'gc, T>) -> bool {
        self.iter().eq(other)
    }
}

impl<'gc, T: Collect<'gc> + PartialOrd + 'gc> PartialOrd for VecDeque<'gc, T> {
    fn partial_cmp(&self, other: &VecDeque<'gc, T>) -> Option<Ordering> {
        self.iter().partial_cmp(other)
    }
}

impl<'gc, T: Collect<'gc> + Ord + 'gc> Ord for VecDeque<'gc, T> {
    fn cmp(&self, other: &VecDeque<'gc, T>) -> Ordering {
        self.iter().cmp(other)
    }
}

impl<'gc, T: Collect<'gc> + Hash + 'gc> Hash for VecDeque<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len);
        self.iter().for_each(|element| element.hash(state));
    }
}
