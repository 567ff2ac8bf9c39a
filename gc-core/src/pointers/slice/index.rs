//! Parts of a [`Slice`] as slices: by place, one by one, and by reference.

use core::slice::{self, SliceIndex};

use super::Slice;

impl<'gc, T: 'gc> Slice<'gc, T> {
    /// The elements in a range.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3, 4]));
    /// assert_eq!(*slice.slice(1..).slice(..=1), [2, 3]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the range reaches beyond the end, or ends before it begins.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn slice<R: SliceIndex<[T], Output = [T]>>(self, range: R) -> Slice<'gc, T> {
        // SAFETY: what the indices of `core` select are elements of the slice.
        unsafe { self.part(&self.as_ref()[range]) }
    }

    /// The elements in a range, if there are such.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3, 4]));
    /// assert_eq!(*slice.get_slice(2..4).unwrap(), [3, 4]);
    /// assert!(slice.get_slice(2..5).is_none());
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn get_slice<R: SliceIndex<[T], Output = [T]>>(self, range: R) -> Option<Slice<'gc, T>> {
        // SAFETY: as above.
        unsafe { Some(self.part(self.as_ref().get(range)?)) }
    }

    /// What is referred to by `part`, a reference to some elements of this slice, which the methods of `[T]`
    /// may have found. `None` if it refers to anything else.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [0, 3, 4, 0, 5]));
    /// let trimmed = slice.strip_prefix(&[0]).unwrap();
    /// assert!(std::ptr::eq(&*slice.slice_ref(trimmed).unwrap(), &slice[1..]));
    /// assert!(slice.slice_ref(&[3, 4]).is_none());
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn slice_ref(self, part: &[T]) -> Option<Slice<'gc, T>> {
        let distance = part.as_ptr().addr().wrapping_sub(self.pointer.addr());
        // Without a size, there is one place for all.
        let first = distance.checked_div(size_of::<T>()).unwrap_or(0);
        if first.checked_mul(size_of::<T>()) != Some(distance) {
            return None;
        }
        self.get_slice(first..first.checked_add(part.len())?)
    }

    /// References to the elements for the whole of the current call, one by one.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let longest = Slice::from(Gc::new(mc, ["a", "bcd", "ef"])).iter().max_by_key(|s| s.len());
    /// assert_eq!(longest, Some(&"bcd"));
    /// # });
    /// ```
    #[inline]
    pub fn iter(self) -> slice::Iter<'gc, T> {
        self.as_ref().iter()
    }
}
