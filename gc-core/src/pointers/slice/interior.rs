//! [`Interior`]: a reference to a field or an element in an object, and [`interior!`](macro@super::interior).

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;
use core::ptr;

use super::{Slice, write_part};
use crate::mutator::barrier::{Unlock, Write};
use crate::mutator::mutates::Mutates;
use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

/// A pointer to a part of a managed object: a field, or an element.
///
/// It can be used as a `&T` ([`Interior::as_ref`] is one for the rest of the call), and written through the
/// barrier of its object. It keeps the whole object alive. [`interior!`](macro@super::interior) makes one of a field,
/// [`Interior::of_element`] one of an element, and a [`Gc`] can be turned into one of the whole.
///
/// Comparing and hashing are those of `T`; [`ptr::eq`] of their targets tells whether two are
/// the same.
///
/// ```
/// use gc_core::slice::{Interior, interior};
/// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Frame<'gc> {
///     pc: Lock<usize>,
///     up: Option<Gc<'gc, Frame<'gc>>>,
/// }
///
/// rootless_mutate(|mc| {
///     let frame = Gc::new(mc, Frame { pc: Lock::new(3), up: None });
///     let pc: Interior<'_, Lock<usize>> = interior!(frame, Frame, pc);
///     pc.unlock(mc).set(4);
///     assert_eq!(frame.pc.get(), 4);
/// });
/// ```
#[repr(C)]
pub struct Interior<'gc, T: 'gc> {
    base: Gc<'gc, ()>,
    /// Not `NonNull`, which would be a second niche.
    pointer: *const T,
}

const _: () = {
    assert!(size_of::<Interior<'_, u8>>() == 16 && size_of::<Option<Interior<'_, u8>>>() == 16);
    assert!(offset_of!(Interior<'_, u8>, base) == 0 && offset_of!(Interior<'_, u8>, pointer) == 8);
    let none: Option<Interior<'_, u8>> = None;
    // SAFETY: two words, of which the first is null and therefore initialised; it would be an error of the
    // compiler if it were not.
    let base = unsafe {
        let words: [MaybeUninit<usize>; 2] = core::mem::transmute(none);
        words[0].assume_init()
    };
    assert!(base == 0);
};

impl<'gc, T: 'gc> Interior<'gc, T> {
    /// The pointer to a part of the object at which `base` points.
    ///
    /// # Safety
    ///
    /// It is one, or has no size; and it stays there whatever is written to the object.
    #[inline]
    unsafe fn of_part(base: Gc<'gc, ()>, part: &'gc T) -> Interior<'gc, T> {
        Interior {
            base,
            pointer: part,
        }
    }

    /// The element of a slice at `index`.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::{Interior, Slice}};
    /// # rootless_mutate(|mc| {
    /// let slice = Slice::from(Gc::new(mc, [1, 2, 3]));
    /// assert_eq!(*Interior::of_element(slice, 1), 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such element.
    #[inline]
    #[must_use]
    #[track_caller]
    pub fn of_element(slice: Slice<'gc, T>, index: usize) -> Interior<'gc, T> {
        // SAFETY: the elements of a slice lie in the object at its base.
        unsafe { Interior::of_part(slice.base(), &slice.as_ref()[index]) }
    }

    /// A reference to the part for the whole of the current call.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Interior};
    /// # rootless_mutate(|mc| {
    /// let text: &String = Interior::from(Gc::new(mc, "text".to_string())).as_ref();
    /// assert_eq!(text, "text");
    /// # });
    /// ```
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "unlike the trait's, the reference outlives `self`"
    )]
    pub fn as_ref(self) -> &'gc T {
        // SAFETY: the part is there, in an object that is not collected while `'gc` lasts. All write access to
        // it goes through cells.
        unsafe { &*self.pointer }
    }

    /// The address of the part, which stays the same while `'gc` lasts.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::Interior};
    /// # rootless_mutate(|mc| {
    /// let gc = Gc::new(mc, 5);
    /// assert_eq!(Interior::as_ptr(Interior::from(gc)), Gc::as_ptr(gc));
    /// # });
    /// ```
    #[inline]
    pub fn as_ptr(this: Interior<'gc, T>) -> *const T {
        this.pointer
    }

    /// The object that this pointer keeps alive.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, slice::{Interior, Slice}};
    /// # rootless_mutate(|mc| {
    /// let array = Gc::new(mc, [1, 2, 3]);
    /// let element = Interior::of_element(Slice::from(array), 1);
    /// assert!(Gc::ptr_eq(element.base(), Gc::erase(array)));
    /// # });
    /// ```
    #[inline]
    pub fn base(self) -> Gc<'gc, ()> {
        self.base
    }

    /// Calls the write barrier for the part, and lets the caller write to it, through its locks, until the end
    /// of the current call. Never collects.
    ///
    /// While a collection marks concurrently, it costs as much as the part is large, once in a cycle, or
    /// as the object is, if that has at most 8 KiB.
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, slice::{Interior, Slice}};
    /// # rootless_mutate(|mc| {
    /// let slots = Slice::from(Gc::slice_from_iter(mc, (0..3).map(Lock::new)));
    /// Interior::write(mc, Interior::of_element(slots, 1)).unlock().set(8);
    /// assert_eq!(slots[1].get(), 8);
    /// # });
    /// ```
    ///
    /// It is the same in a shared arena:
    ///
    /// ```
    /// # use gc_core::{Rootable, slice::{Interior, Slice}};
    /// use gc_core::shared::{Arena, Mutex};
    ///
    /// let arena = Arena::<Rootable![Slice<'_, Mutex<u32>>]>::new(|mc| {
    ///     Slice::from(mc.allocate_slice((0..1000).map(Mutex::new)))
    /// });
    /// arena.attach().mutate(|mc, &root| {
    ///     *Interior::write(mc, Interior::of_element(root, 7)).lock() += 1;
    /// });
    /// ```
    #[inline]
    pub fn write(mc: &impl Mutates<'gc, ()>, this: Interior<'gc, T>) -> &'gc Write<T> {
        // SAFETY: the part lies in the object at the base.
        unsafe { write_part(mc.access().0, this.base, this.as_ref()) }
    }
}

impl<'gc, T: Unlock + 'gc> Interior<'gc, T> {
    /// [`Interior::write`], then [`Write::unlock`].
    ///
    /// ```
    /// # use gc_core::{Gc, Lock, arena::rootless_mutate, slice::Interior};
    /// # rootless_mutate(|mc| {
    /// let slot = Interior::from(Gc::new(mc, Lock::new(1)));
    /// slot.unlock(mc).set(2);
    /// assert_eq!(slot.get(), 2);
    /// # });
    /// ```
    #[inline]
    pub fn unlock(self, mc: &Mutation<'gc>) -> &'gc T::Unlocked {
        Interior::write(mc, self).unlock()
    }
}

/// A pointer to the whole of an object.
impl<'gc, T: 'gc, K: IsGcKind<'gc, T>> From<Gc<'gc, T, K>> for Interior<'gc, T> {
    #[inline]
    fn from(gc: Gc<'gc, T, K>) -> Interior<'gc, T> {
        // SAFETY: the whole lies in the object.
        unsafe { Interior::of_part(Gc::erase(gc), gc.as_ref()) }
    }
}

impl<'gc, T: 'gc> Copy for Interior<'gc, T> {}

impl<'gc, T: 'gc> Clone for Interior<'gc, T> {
    #[inline]
    fn clone(&self) -> Interior<'gc, T> {
        *self
    }
}

// SAFETY: the base is visited in place, and the pointer is into the object at which it points.
unsafe impl<'gc, T: 'gc> Collect<'gc> for Interior<'gc, T> {
    const TYPE_MAP: TypeMap = TypeMap::BASE_AND_DERIVED;

    #[inline]
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.base);
        cc.trace_derived_at(ptr::from_ref(&self.pointer).addr());
    }
}

// SAFETY: it is a `Gc` and a reference to a part, so it may go where `Gc<T>` may. What else is in the object
// cannot be reached through it.
unsafe impl<'gc, T: Send + Sync + 'gc> Send for Interior<'gc, T> {}
// SAFETY: as above.
unsafe impl<'gc, T: Send + Sync + 'gc> Sync for Interior<'gc, T> {}

impl<'gc, T: 'gc> Deref for Interior<'gc, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        Interior::as_ref(*self)
    }
}

impl<'gc, T: 'gc> AsRef<T> for Interior<'gc, T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<'gc, T: fmt::Debug + 'gc> fmt::Debug for Interior<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: fmt::Display + 'gc> fmt::Display for Interior<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<'gc, T: PartialEq + 'gc> PartialEq for Interior<'gc, T> {
    fn eq(&self, other: &Self) -> bool {
        T::eq(self, other)
    }
}

impl<'gc, T: Eq + 'gc> Eq for Interior<'gc, T> {}

impl<'gc, T: PartialOrd + 'gc> PartialOrd for Interior<'gc, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        T::partial_cmp(self, other)
    }
}

impl<'gc, T: Ord + 'gc> Ord for Interior<'gc, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        T::cmp(self, other)
    }
}

impl<'gc, T: Hash + 'gc> Hash for Interior<'gc, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        T::hash(self, state)
    }
}

/// Pointers from which a field can be projected: [`Gc`] and [`Interior`], and none besides.
#[doc(hidden)]
pub trait __Whole<'gc>: sealed::Sealed {
    type Target: 'gc;

    /// The object, and the whole in it.
    fn __whole(self) -> Interior<'gc, Self::Target>;
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::Gc<'_, T> {}
    impl<T> Sealed for super::Interior<'_, T> {}
}

impl<'gc, T: 'gc> __Whole<'gc> for Gc<'gc, T> {
    type Target = T;

    #[inline(always)]
    fn __whole(self) -> Interior<'gc, T> {
        Interior::from(self)
    }
}

impl<'gc, T: 'gc> __Whole<'gc> for Interior<'gc, T> {
    type Target = T;

    #[inline(always)]
    fn __whole(self) -> Interior<'gc, T> {
        self
    }
}

impl<'gc, T: 'gc> Interior<'gc, T> {
    /// What `project` makes of `whole`. In `interior!` the expression of the user's is outside of the scope
    /// in which names are bound.
    #[doc(hidden)]
    #[inline(always)]
    pub fn __apply<P: 'gc>(
        whole: Interior<'gc, T>,
        project: impl FnOnce(Interior<'gc, T>) -> Interior<'gc, P>,
    ) -> Interior<'gc, P> {
        project(whole)
    }

    /// The pointer to a field of `whole`.
    ///
    /// # Safety
    ///
    /// `field` is a reference to one.
    ///
    /// # Panics
    ///
    /// If it lies elsewhere.
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn __project<W: 'gc>(whole: Interior<'gc, W>, field: *const T) -> Interior<'gc, T> {
        let offset = field.addr().wrapping_sub(whole.pointer.addr());
        // Known when it is compiled, and always so.
        assert!(
            offset <= size_of::<W>() && size_of::<T>() <= size_of::<W>() - offset,
            "the field is not in the value"
        );
        // SAFETY: the field lies in the whole, and therefore in its object, and is as valid as that.
        unsafe { Interior::of_part(whole.base, &*field) }
    }
}

/// `interior!(pointer, Type, field)`: from a [`Gc`] or an [`Interior`] to a `Type` to the [`Interior`] of one
/// of its fields.
///
/// `Type` is the name of a struct, without its parameters; `field` the name of a field, or its number. It
/// must be a field of the struct itself: what a `Box`, an `Rc` or another `Gc` in it leads to is not.
///
/// ```
/// use gc_core::slice::{Interior, Slice, interior};
/// use gc_core::{Gc, arena::rootless_mutate};
///
/// struct Point(f64, f64);
/// struct Shape {
///     centre: Point,
///     weights: [u8; 4],
/// }
/// # gc_core::static_collect!(Shape);
///
/// rootless_mutate(|mc| {
///     let shape = Gc::new(mc, Shape { centre: Point(0.5, 1.5), weights: [1, 2, 3, 4] });
///     let centre: Interior<'_, Point> = interior!(shape, Shape, centre);
///     assert_eq!(*interior!(centre, Point, 1), 1.5);
///     let weights = Slice::from(interior!(shape, Shape, weights));
///     assert_eq!(*weights.slice(2..), [3, 4]);
/// });
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __interior {
    ($pointer:expr, $type:path, $field:tt) => {
        $crate::slice::Interior::__apply($crate::slice::__Whole::__whole($pointer), {
            use $crate::__private::{shadow as __gc_core_part, shadow as __gc_core_whole};
            // A pattern, other than a field access, never goes through a pointer; and the raw pointer
            // keeps the field's own type from being coerced to what it points to.
            |__gc_core_whole| match *$crate::slice::Interior::as_ref(__gc_core_whole) {
                $type {
                    $field: ref __gc_core_part,
                    ..
                } => {
                    // SAFETY: the pattern says that it is a field of the whole.
                    unsafe {
                        $crate::slice::Interior::__project(
                            __gc_core_whole,
                            &raw const *__gc_core_part,
                        )
                    }
                }
            }
        })
    };
}
