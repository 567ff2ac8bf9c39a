//! Slices, strings and references that point anywhere into an object, and keep all of it alive.
//!
//! A [`Gc`] points at the start of an object. The pointers of this module point into the middle of one. They have two
//! parts, so that the collector need not search for the start: a *base*, which the collector follows, and a pointer or
//! an offset, of which it knows only that it belongs to the base.
//!
//! | type | bytes | words |
//! | --- | --- | --- |
//! | [`Slice<T>`](Slice) | 24 | length, base, pointer |
//! | [`Str`] | 24 | the same, for text |
//! | [`OffsetSlice<T>`](OffsetSlice) | 16 | base, offset; the object itself tells the length |
//! | [`Interior<T>`](Interior) | 16 | base, pointer: to a field or an element |
//!
//! All of them are `Copy`, and options of them are as small as they are. **They keep the whole object
//! alive**, however small the part: one line keeps the whole file that was read into the heap.
//! [`Slice::compact_to_fit`] copies the part out.
//!
//! ```
//! use gc_core::slice::{Interior, Slice, Str, interior};
//! use gc_core::{Collect, Gc, arena::rootless_mutate};
//!
//! #[derive(Collect)]
//! #[collect(no_drop)]
//! struct Line<'gc> {
//!     number: u32,
//!     words: Slice<'gc, Str<'gc>>,
//! }
//!
//! rootless_mutate(|mc| {
//!     let text = Str::from(Gc::str_from(mc, "to be or not to be"));
//!     let words: Vec<_> = text.split(' ').collect();
//!     let words = Slice::from(Gc::slice_from_iter(mc, words));
//!     let line = Gc::new(mc, Line { number: 1, words: words.slice(2..4) });
//!     assert_eq!(*line.words, ["or", "not"]);
//!     let number: Interior<'_, u32> = interior!(line, Line, number);
//!     assert_eq!(*number, 1);
//! });
//! ```
//!
//! # Invariants
//!
//! 1. The base is a `Gc` to an object, or to something that needs no memory. The part lies in that object, its end
//!    included, or has no size.
//! 2. A derived pointer is in the word after its base, by the C layout. Nothing changes one of the two words alone.
//! 3. Only the base has a niche, so in an option that is `None` the base is null, and the other words, which
//!    may be uninitialised, are not looked at.
//!
//! These pointers lead to elements and fields in place, never into a lock or a variant of an enum. So no write to the
//! object makes them dangle.

mod index;
mod interior;
mod offset;
mod str;
mod traits;

use core::mem::{MaybeUninit, offset_of};
use core::ptr::{self, NonNull};

pub use self::interior::Interior;
pub use self::offset::OffsetSlice;
pub use self::str::Str;
#[doc(inline)]
pub use crate::__interior as interior;

#[doc(hidden)]
pub use self::interior::__Whole;

/// What a module of this name has in `gc-arena`; here it is documented in [`crate::pointers::gc_slice`].
#[doc(hidden)]
pub use crate::pointers::gc_slice::{
    GcSlice, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderBuilder,
    GcSliceWithHeaderSliceBuilder, GcStr, GcStrBuilder, GcThinSlice, GcThinSliceWithHeader,
    GcThinStr, SlicePtrMeta, SliceWithHeader, SliceWithHeaderPtrMeta, StrPtrMeta,
};

use crate::heap::error::or_panic;
use crate::heap::start::ObjectStart;
use crate::mutator::barrier::Write;
use crate::mutator::context::Context;
use crate::mutator::mutates::Mutates;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// Some neighbouring elements of a managed array or slice.
///
/// It can be used as a `&[T]` ([`Slice::as_ref`] is one for the rest of the call), and divided without
/// copying anything. It keeps the whole object in which the elements are alive.
///
/// Comparing and hashing are those of `[T]`; [`ptr::eq`] of their contents tells whether two
/// are the same.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
///
/// rootless_mutate(|mc| {
///     let all = Slice::from(Gc::new(mc, [1, 2, 3, 4, 5]));
///     let middle = all.slice(1..4);
///     assert_eq!(*middle, [2, 3, 4]);
///     assert_eq!(middle.iter().sum::<i32>(), 9);
///     let pairs: Vec<Slice<'_, i32>> = all.as_ref().windows(2).flat_map(|pair| all.slice_ref(pair)).collect();
///     assert_eq!(*pairs[3], [4, 5]);
/// });
/// ```
#[repr(C)]
pub struct Slice<'gc, T: 'gc> {
    length: usize,
    base: Gc<'gc, ()>,
    /// Not `NonNull`, which would be a second niche (invariant 3).
    pointer: *const T,
}

const _: () = {
    assert!(size_of::<Slice<'_, u8>>() == 24 && size_of::<Option<Slice<'_, u8>>>() == 24);
    assert!(offset_of!(Slice<'_, u8>, base) == 8 && offset_of!(Slice<'_, u8>, pointer) == 16);
    let none: Option<Slice<'_, u8>> = None;
    // SAFETY: three words, of which the second is null and therefore initialised; it would be an error of the
    // compiler if it were not.
    let base = unsafe {
        let words: [MaybeUninit<usize>; 3] = core::mem::transmute(none);
        words[1].assume_init()
    };
    assert!(base == 0);
};

impl<'gc, T: 'gc> Slice<'gc, T> {
    /// The slice of these elements, which `base` keeps alive.
    ///
    /// # Safety
    ///
    /// They lie in the object at which `base` points, as whole elements of an array, or have no size.
    #[inline]
    pub(crate) unsafe fn of_parts(base: Gc<'gc, ()>, elements: &'gc [T]) -> Slice<'gc, T> {
        Slice {
            length: elements.len(),
            base,
            pointer: elements.as_ptr(),
        }
    }

    /// The slice of some of the elements of this one.
    ///
    /// # Safety
    ///
    /// They are.
    #[inline]
    unsafe fn part(self, elements: &'gc [T]) -> Slice<'gc, T> {
        // SAFETY: the elements are some of this slice (the caller's promise), which lies in the object at the base.
        unsafe { Slice::of_parts(self.base, elements) }
    }

    /// A reference to the elements for the whole of the current call.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let last = {
    ///     let slice = Slice::from(Gc::new(mc, [1, 2, 3]));
    ///     slice.as_ref().last()
    /// };
    /// assert_eq!(last, Some(&3));
    /// # });
    /// ```
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self) -> &'gc [T] {
        // SAFETY: so many elements are there (invariant 1), and while `'gc` lasts nothing is collected. All
        // write access to them goes through cells.
        unsafe { core::slice::from_raw_parts(self.pointer, self.length) }
    }

    /// The object that this slice keeps alive. It is larger than the slice if that is not the whole of it.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let array = Gc::new(mc, [1, 2, 3]);
    /// let last = Slice::from(array).slice(2..);
    /// assert!(Gc::ptr_eq(last.base(), Gc::erase(array)));
    /// # });
    /// ```
    #[inline]
    pub fn base(self) -> Gc<'gc, ()> {
        self.base
    }

    /// Calls the write barrier for the elements of this slice, and lets the caller write to them, through
    /// their locks, until the end of the current call.
    ///
    /// While a collection marks concurrently, it costs as much as the slice is long, once in a cycle, or
    /// as the object is, if that has at most 8 KiB. Never collects.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slots = Slice::from(Gc::slice_from_iter(mc, (0..5).map(Lock::new)));
    /// for slot in 0..2 {
    ///     Slice::write(mc, slots.slice(3..))[slot].unlock().set(0);
    /// }
    /// assert_eq!(slots.iter().map(|slot| slot.get()).max(), Some(2));
    /// # });
    /// ```
    #[inline]
    pub fn write(mc: &impl Mutates<'gc, ()>, slice: Slice<'gc, T>) -> &'gc Write<[T]> {
        // SAFETY: the elements lie in the object at the base (invariant 1).
        unsafe { write_part(mc.access().0, slice.base, slice.as_ref()) }
    }

    /// [`Slice::write`] for one element.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let slots = Slice::from(Gc::slice_from_iter(mc, (0..5).map(Lock::new)));
    /// Slice::write_at(mc, slots.slice(3..), 1).unlock().set(0);
    /// assert_eq!(slots[4].get(), 0);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[track_caller]
    pub fn write_at(
        mc: &impl Mutates<'gc, ()>,
        slice: Slice<'gc, T>,
        index: usize,
    ) -> &'gc Write<T> {
        // SAFETY: the element lies in the object at the base (invariant 1).
        unsafe { write_part(mc.access().0, slice.base, &slice.as_ref()[index]) }
    }
}

impl<'gc, T: Collect<'gc> + Clone + 'gc> Slice<'gc, T> {
    /// A slice with equal elements that keeps no more memory than these need: a copy, or this one if it has
    /// all of its object. Never collects, and takes time linear in the length.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Slice};
    /// # rootless_mutate(|mc| {
    /// let all = Slice::from(Gc::slice_from_iter(mc, 0..1000));
    /// let few = all.slice(500..503).compact_to_fit(mc);
    /// assert_eq!(*few, [500, 501, 502]);
    /// assert!(!Gc::ptr_eq(few.base(), all.base()));
    /// assert!(std::ptr::eq(&*few, &*few.compact_to_fit(mc)));
    /// # });
    /// ```
    ///
    /// It is the same in a shared arena:
    ///
    /// ```
    /// # use gc_core::{Gc, Rootable, shared::Arena, slice::Slice};
    /// # let arena = Arena::<Rootable![()]>::new(|_| ());
    /// # arena.attach().mutate(|mc, _| {
    /// let file = Slice::from(mc.allocate_slice([0_u8; 1000]));
    /// let line = file.slice(..10).compact_to_fit(mc);
    /// assert_eq!(line, [0; 10]);
    /// assert!(!Gc::ptr_eq(line.base(), file.base())); // It does not keep the file.
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, as [`Gc::new`].
    #[inline]
    #[must_use]
    pub fn compact_to_fit(self, mc: &impl Mutates<'gc, T>) -> Slice<'gc, T> {
        let context = mc.access().0;
        let base = Gc::as_ptr(self.base).addr();
        if !context.heap().spans(base) {
            return self;
        }
        // SAFETY: bases in the heap are starts of objects.
        let start = unsafe { ObjectStart::new_unchecked(base) };
        let bytes = context.heap().extent_of(start).bytes;
        if context.slice_bytes::<T>(self.length) >= Some(bytes) {
            return self;
        }
        let copy = or_panic(context.allocate_slice(self.as_ref().iter().cloned()));
        // SAFETY: the values were just allocated in the arena.
        Slice::from(unsafe { Gc::from_non_null(copy) })
    }
}

/// Calls the write barrier of the object at `base` for a part of it.
///
/// # Safety
///
/// It is one, or has no size; and the base is of the heap of this context.
#[inline]
pub(crate) unsafe fn write_part<'gc, P: ?Sized>(
    context: &Context,
    base: Gc<'gc, ()>,
    part: &'gc P,
) -> &'gc Write<P> {
    let (start, bytes) = (ptr::from_ref(part).cast::<u8>().addr(), size_of_val(part));
    let object = Gc::as_ptr(base).addr();
    if bytes > 0 {
        // SAFETY: the part has a size, so the base is an object in the heap, and these are bytes of it.
        unsafe { context.before_partial_write(object, (start, start + bytes)) }
    } else {
        // SAFETY: the base is a `Gc` of this heap, in a `mutate` call.
        unsafe { context.before_write(object) }
    }
    // SAFETY: the barrier was called.
    unsafe { Write::assume(part) }
}

/// All elements of a managed slice.
impl<'gc, T: 'gc, K: IsGcKind<'gc, [T]>> From<Gc<'gc, [T], K>> for Slice<'gc, T> {
    #[inline]
    fn from(gc: Gc<'gc, [T], K>) -> Slice<'gc, T> {
        // SAFETY: the elements lie in the object.
        unsafe { Slice::of_parts(Gc::erase(gc), gc.as_ref()) }
    }
}

/// All elements of a managed array.
impl<'gc, T: 'gc, K: IsGcKind<'gc, [T; N]>, const N: usize> From<Gc<'gc, [T; N], K>>
    for Slice<'gc, T>
{
    #[inline]
    fn from(gc: Gc<'gc, [T; N], K>) -> Slice<'gc, T> {
        // SAFETY: the elements lie in the object.
        unsafe { Slice::of_parts(Gc::erase(gc), gc.as_ref()) }
    }
}

/// All elements of an array in a managed object.
impl<'gc, T: 'gc, const N: usize> From<Interior<'gc, [T; N]>> for Slice<'gc, T> {
    #[inline]
    fn from(array: Interior<'gc, [T; N]>) -> Slice<'gc, T> {
        // SAFETY: the array lies in the object at its base.
        unsafe { Slice::of_parts(array.base(), array.as_ref()) }
    }
}

impl<'gc, T: 'gc> Default for Slice<'gc, T> {
    #[inline]
    fn default() -> Slice<'gc, T> {
        Slice {
            length: 0,
            // SAFETY: a value of type `()` can be anywhere, and there is no object.
            base: unsafe { Gc::from_non_null(NonNull::dangling()) },
            pointer: NonNull::dangling().as_ptr(),
        }
    }
}

impl<'gc, T: 'gc> Copy for Slice<'gc, T> {}

impl<'gc, T: 'gc> Clone for Slice<'gc, T> {
    #[inline]
    fn clone(&self) -> Slice<'gc, T> {
        *self
    }
}

// SAFETY: the base is visited in place, and the pointer is into the object at which it points.
unsafe impl<'gc, T: 'gc> Collect<'gc> for Slice<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::LENGTH_BASE_AND_DERIVED;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.base);
        cc.trace_derived_at(ptr::from_ref(&self.pointer).addr());
    }
}

// SAFETY: a slice is a `Gc` and a reference to elements, so it may go where `Gc<[T]>` may. What else is in the
// object cannot be reached through it.
unsafe impl<'gc, T: Send + Sync + 'gc> Send for Slice<'gc, T> {}
// SAFETY: as above.
unsafe impl<'gc, T: Send + Sync + 'gc> Sync for Slice<'gc, T> {}
