//! Parts of a [`Slice`] as slices: by place, one by one, and by reference.

use core::slice::{self, SliceIndex};

use super::{Parts, Slice};

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
    /// assert!(Slice::ptr_eq(slice.slice_ref(trimmed).unwrap(), slice.slice(1..)));
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

    /// The elements before `middle`, and the rest.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let (few, many) = Slice::from(Gc::new(mc, [1, 2, 3, 4])).split_at(1);
    /// assert_eq!((few.len(), many.len()), (1, 3));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer elements than `middle`.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn split_at(self, middle: usize) -> (Slice<'gc, T>, Slice<'gc, T>) {
        let (before, after) = self.as_ref().split_at(middle);
        // SAFETY: both are elements of the slice.
        unsafe { (self.part(before), self.part(after)) }
    }

    /// The elements before `middle`, and the rest, if there are so many.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// assert!(Slice::from(Gc::new(mc, [1, 2])).split_at_checked(3).is_none());
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn split_at_checked(self, middle: usize) -> Option<(Slice<'gc, T>, Slice<'gc, T>)> {
        (middle <= self.len()).then(|| self.split_at(middle))
    }

    /// The first element, and the rest.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let mut rest = Slice::from(Gc::new(mc, [1, 2, 3]));
    /// let mut sum = 0;
    /// while let Some((first, others)) = rest.split_first() {
    ///     sum += first;
    ///     rest = others;
    /// }
    /// assert_eq!(sum, 6);
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn split_first(self) -> Option<(&'gc T, Slice<'gc, T>)> {
        let (first, rest) = self.as_ref().split_first()?;
        // SAFETY: the rest are elements of the slice.
        Some((first, unsafe { self.part(rest) }))
    }

    /// The last element, and those before.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let (last, others) = Slice::from(Gc::new(mc, [1, 2, 3])).split_last().unwrap();
    /// assert_eq!((*last, others.len()), (3, 2));
    /// # });
    /// ```
    #[inline]
    #[must_use]
    pub fn split_last(self) -> Option<(&'gc T, Slice<'gc, T>)> {
        let (last, rest) = self.as_ref().split_last()?;
        // SAFETY: the rest are elements of the slice.
        Some((last, unsafe { self.part(rest) }))
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

    /// The slices of `size` elements each, beginning at the first; the last may be shorter.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3, 4, 5]));
    /// assert_eq!(slice.chunks(2).map(|chunk| chunk.len()).collect::<Vec<_>>(), [2, 2, 1]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `size` is zero.
    #[inline]
    #[track_caller]
    pub fn chunks(self, size: usize) -> Parts<'gc, slice::Chunks<'gc, T>> {
        // SAFETY: chunks are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().chunks(size)) }
    }

    /// The slices of `size` elements each, beginning at the last; the last may be shorter.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3, 4, 5]));
    /// assert_eq!(*slice.rchunks(2).next().unwrap(), [4, 5]);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `size` is zero.
    #[inline]
    #[track_caller]
    pub fn rchunks(self, size: usize) -> Parts<'gc, slice::RChunks<'gc, T>> {
        // SAFETY: chunks are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().rchunks(size)) }
    }

    /// The slices of exactly `size` elements each, beginning at the first; what is left over is left out.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// assert_eq!(Slice::from(Gc::new(mc, [1, 2, 3, 4, 5])).chunks_exact(2).len(), 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `size` is zero.
    #[inline]
    #[track_caller]
    pub fn chunks_exact(self, size: usize) -> Parts<'gc, slice::ChunksExact<'gc, T>> {
        // SAFETY: chunks are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().chunks_exact(size)) }
    }

    /// All slices of `size` neighbouring elements.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3]));
    /// assert!(slice.windows(2).eq([[1, 2], [2, 3]]));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `size` is zero.
    #[inline]
    #[track_caller]
    pub fn windows(self, size: usize) -> Parts<'gc, slice::Windows<'gc, T>> {
        // SAFETY: windows are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().windows(size)) }
    }

    /// The slices between the elements that `is_separator` names.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 0, 2, 3]));
    /// assert_eq!(*slice.split(|element| *element == 0).last().unwrap(), [2, 3]);
    /// # });
    /// ```
    #[inline]
    pub fn split<F: FnMut(&T) -> bool>(
        self,
        is_separator: F,
    ) -> Parts<'gc, slice::Split<'gc, T, F>> {
        // SAFETY: what lies between are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().split(is_separator)) }
    }

    /// The longest slices of which each two neighbours belong together.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 1, 2, 3, 3]));
    /// assert_eq!(*slice.chunk_by(|one, next| one == next).last().unwrap(), [3, 3]);
    /// # });
    /// ```
    #[inline]
    pub fn chunk_by<F: FnMut(&T, &T) -> bool>(
        self,
        together: F,
    ) -> Parts<'gc, slice::ChunkBy<'gc, T, F>> {
        // SAFETY: chunks are elements of the slice.
        unsafe { Parts::new(self.base, self.as_ref().chunk_by(together)) }
    }
}
