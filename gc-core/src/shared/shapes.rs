//! What a [`Mutation`] of a shared arena allocates beside plain values, slices and strings: values that are not
//! `Collect`, and slices and strings that know their length, by which pointers to them can be thin.

use super::metrics::Metrics;
use super::mutation::Mutation;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::pointers::gc::Gc;
use crate::pointers::gc_slice::{
    GcSlice, GcSliceWithHeader, GcSliceWithHeaderBuilder, GcStr, GcStrBuilder, without_header,
};
use crate::pointers::slice::{OffsetSlice, Slice};
use crate::types::collect::Collect;
use crate::types::static_wrapper::Static;

impl<'gc> Mutation<'gc> {
    /// The figures and the pace of this arena's collector. Takes constant time.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena};
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let image = mc.allocate(0_u32);
    ///     // It stands for 3 MB elsewhere, of which the collector knows nothing.
    ///     mc.metrics().adjust_debt(3e6);
    ///     assert_eq!(*image, 0);
    /// });
    /// ```
    #[inline]
    pub fn metrics(&self) -> Metrics {
        Metrics::new(self.context().collector())
    }

    /// Moves a value into the heap whose type need not implement [`Collect`]: it cannot hold pointers into an
    /// arena. This is [`Gc::new_static`] for shared arenas.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, Rootable, Static};
    /// use std::time::Duration;
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let second: Gc<Duration> = mc.allocate_static(Duration::from_secs(1));
    ///     assert_eq!(second.as_millis(), 1000);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Mutation::try_allocate_static`].
    #[inline]
    pub fn allocate_static<T: Send + Sync + 'static>(&self, value: T) -> Gc<'gc, T> {
        or_panic(self.try_allocate_static(value))
    }

    /// [`Mutation::allocate_static`], where there may be no memory; then the value is dropped.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let here = std::thread::current().id();
    /// assert_eq!(*mc.try_allocate_static(here).unwrap(), here);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    #[inline]
    pub fn try_allocate_static<T: Send + Sync + 'static>(
        &self,
        value: T,
    ) -> Result<Gc<'gc, T>, HeapError> {
        let gc = self.try_allocate(Static(value))?;
        // SAFETY: `Static` is transparent, so a pointer to it is one to its content.
        Ok(unsafe { Gc::cast(gc) })
    }

    /// Moves a header and items into the heap, as one object that knows how many items there are. Pointers to it
    /// can be [thin](Gc::as_thin). Never collects, and takes time linear in the number of items.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, GcThinSliceWithHeader, Rootable};
    ///
    /// /// An instance: its class, and its fields, behind a pointer of 8 bytes.
    /// type Instance<'gc> = GcThinSliceWithHeader<'gc, Gc<'gc, str>, u64>;
    ///
    /// let arena = Arena::<Rootable![Instance<'_>]>::new(|mc| {
    ///     let class = mc.allocate_str("Point");
    ///     Gc::as_thin(mc.allocate_slice_with_header(class, [3, 4]))
    /// });
    /// arena.attach().mutate(|_, point| {
    ///     assert_eq!(size_of_val(point), 8);
    ///     assert_eq!((&*point.header, &point.slice), ("Point", &[3, 4][..]));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_allocate_slice_with_header`]; or if the iterator ends before it
    /// said.
    #[inline]
    pub fn allocate_slice_with_header<H, E, I>(
        &self,
        header: H,
        items: I,
    ) -> GcSliceWithHeader<'gc, H, E>
    where
        H: Collect<'gc> + Send + Sync + 'gc,
        E: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = E>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(self.try_allocate_slice_with_header(header, items))
    }

    /// Moves a header and items into the heap, as one object.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{HeapError, Rootable};
    ///
    /// let arena = Arena::<Rootable![()]>::new(|_| ());
    /// arena.attach().mutate(|mc, _| {
    ///     let zeros = |count: usize| std::iter::repeat_n(0_u64, count);
    ///     assert_eq!(mc.try_allocate_slice_with_header("few", zeros(3)).unwrap().slice, [0; 3]);
    ///     let error = mc.try_allocate_slice_with_header("many", zeros(usize::MAX)).unwrap_err();
    ///     assert!(matches!(error, HeapError::SizeOverflow { .. }));
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate_slice`]. No item is asked for then, and the header is dropped.
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said, or panics. The header and all items so far are dropped then.
    pub fn try_allocate_slice_with_header<H, E, I>(
        &self,
        header: H,
        items: I,
    ) -> Result<GcSliceWithHeader<'gc, H, E>, HeapError>
    where
        H: Collect<'gc> + Send + Sync + 'gc,
        E: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = E>,
        I::IntoIter: ExactSizeIterator,
    {
        let mut items = items.into_iter();
        let count = items.len();
        let builder = GcSliceWithHeaderBuilder::try_new(count)?.write_header(header);
        self.try_build_slice_with_header(builder, |index| {
            items.next().unwrap_or_else(|| {
                panic!("an iterator of length {count} ended after {index} items")
            })
        })
    }

    /// Moves the items into the heap, side by side, in an object that knows how many they are: unlike those to a
    /// plain [slice](Mutation::allocate_slice), pointers to it can be [thin](Gc::as_thin). Never collects, and takes
    /// time linear in their number.
    ///
    /// ```
    /// use gc_core::shared::{Arena, AtomicGc};
    /// use gc_core::{Gc, GcThinSlice, Rootable};
    ///
    /// let arena = Arena::<Rootable![GcThinSlice<'_, AtomicGc<'_, u32>>]>::new(|mc| {
    ///     Gc::as_thin(mc.allocate_gc_slice((0..3).map(|_| AtomicGc::null())))
    /// });
    /// arena.attach().mutate(|mc, fields| {
    ///     fields[1].store(mc, Some(mc.allocate(7)));
    ///     assert_eq!((fields.len(), *fields[1].load().unwrap()), (3, 7));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_allocate_gc_slice`]; or if the iterator ends before it said.
    #[inline]
    pub fn allocate_gc_slice<E, I>(&self, items: I) -> GcSlice<'gc, E>
    where
        E: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = E>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(self.try_allocate_gc_slice(items))
    }

    /// Moves the items into the heap, side by side, in an object that knows how many they are.
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let thin = Gc::as_thin(mc.try_allocate_gc_slice(["a", "b"]).unwrap());
    /// assert_eq!(thin.concat(), "ab");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate_slice`].
    ///
    /// # Panics
    ///
    /// If the iterator ends before it said.
    #[inline]
    pub fn try_allocate_gc_slice<E, I>(&self, items: I) -> Result<GcSlice<'gc, E>, HeapError>
    where
        E: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = E>,
        I::IntoIter: ExactSizeIterator,
    {
        self.try_allocate_slice_with_header((), items)
            .map(without_header)
    }

    /// Copies a string into the heap, into an object that knows its length: unlike those to a plain
    /// [string](Mutation::allocate_str), pointers to it can be [thin](Gc::as_thin). Never collects, and takes time
    /// linear in its length.
    ///
    /// ```
    /// use gc_core::shared::Arena;
    /// use gc_core::{Gc, GcThinStr, Rootable};
    ///
    /// let arena =
    ///     Arena::<Rootable![GcThinStr<'_>]>::new(|mc| Gc::as_thin(mc.allocate_gc_str("text")));
    /// arena.attach().mutate(|_, text| assert_eq!((size_of_val(text), &**text), (8, "text")));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`Mutation::try_allocate_gc_str`].
    #[inline]
    pub fn allocate_gc_str(&self, text: &str) -> GcStr<'gc> {
        or_panic(self.try_allocate_gc_str(text))
    }

    /// Copies a string into the heap, into an object that knows its length.
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::Arena};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// assert_eq!(Gc::as_thin(mc.try_allocate_gc_str("five").unwrap()).len(), 4);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Mutation::try_allocate`].
    #[inline]
    pub fn try_allocate_gc_str(&self, text: &str) -> Result<GcStr<'gc>, HeapError> {
        self.try_build_str(GcStrBuilder::new(text.len()), text)
    }

    /// Moves the items into the heap, side by side, as [`OffsetSlice::new`] does in other arenas. Never collects, and
    /// takes time linear in their number.
    ///
    /// ```
    /// # use gc_core::{Rootable, shared::Arena, slice::OffsetSlice};
    /// let arena =
    ///     Arena::<Rootable![OffsetSlice<'_, char>]>::new(|mc| mc.allocate_offset_slice(['a', 'b']));
    /// arena.attach().mutate(|_, root| assert_eq!(root.skip(1), ['b']));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_allocate_offset_slice`]; or if the iterator ends before it said.
    #[inline]
    pub fn allocate_offset_slice<T, I>(&self, items: I) -> OffsetSlice<'gc, T>
    where
        T: Collect<'gc> + Send + Sync + 'gc,
        I: IntoIterator<Item = T>,
        I::IntoIter: ExactSizeIterator,
    {
        or_panic(self.try_allocate_offset_slice(items))
    }

    /// [`Slice::compact_to_fit`] in a shared arena. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::Arena, slice::Slice};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let file = Slice::from(mc.allocate_slice([0_u8; 1000]));
    /// let line = mc.compact_to_fit(file.slice(..10));
    /// assert_eq!(line, [0; 10]);
    /// assert!(!Gc::ptr_eq(line.base(), file.base())); // It does not keep the file.
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`Mutation::try_compact_to_fit`]; or if a `clone` does.
    #[inline]
    pub fn compact_to_fit<T>(&self, slice: Slice<'gc, T>) -> Slice<'gc, T>
    where
        T: Collect<'gc> + Clone + Send + Sync + 'gc,
    {
        or_panic(self.try_compact_to_fit(slice))
    }
}
