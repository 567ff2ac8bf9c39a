//! [`ZstCache`]: one pointer for all values of size zero.

use core::mem::needs_drop;
use core::ptr;

use crate::mutator::mutation::Mutation;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::same_type::is_type;
use crate::types::type_map::TypeMap;

/// One pointer for all values of size zero whose alignment is at most `MAX_ALIGN`.
///
/// For containers that promise one address for all such values, or that want to know by the address whether
/// there is an object behind a pointer. The cache needs no memory, and neither do its pointers. They are all
/// equal, so a program that tells objects by their pointers should use [`Gc::new`].
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate, zst_cache::ZstCache};
///
/// rootless_mutate(|mc| {
///     let cache = ZstCache::<16>::new(mc);
///     let unit = cache.alloc(mc, ());
///     let empty = cache.alloc(mc, [0u64; 0]);
///     assert!(cache.is_cached(unit) && cache.is_cached(empty));
///     assert!(!cache.is_cached(cache.alloc(mc, 5)));
/// });
/// ```
#[derive(Clone, Copy)]
pub struct ZstCache<'gc, const MAX_ALIGN: usize> {
    cached_ptr: Gc<'gc, ()>,
}

// SAFETY: the one field is visited in place.
unsafe impl<'gc, const MAX_ALIGN: usize> Collect<'gc> for ZstCache<'gc, MAX_ALIGN> {
    const TYPE_MAP: TypeMap = <Gc<'gc, ()> as Collect<'gc>>::TYPE_MAP;

    #[inline]
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.cached_ptr);
    }
}

impl<'gc, const MAX_ALIGN: usize> ZstCache<'gc, MAX_ALIGN>
where
    Alignment<MAX_ALIGN>: ValidAlignment,
{
    /// A cache. Takes constant time and no memory.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable, zst_cache::ZstCache};
    ///
    /// // For values that are aligned to a byte, and for those of the largest vectors.
    /// type Root<'gc> = (ZstCache<'gc, 1>, ZstCache<'gc, 64>);
    /// let arena = Arena::<Rootable![Root<'_>]>::new(|mc| (ZstCache::new(mc), ZstCache::new(mc)));
    /// arena.mutate(|_, (small, large)| {
    ///     assert!(!Gc::ptr_eq(small.cached_ptr(), large.cached_ptr()));
    /// });
    /// assert_eq!(arena.metrics().total_gc_count(), 0);
    /// ```
    pub fn new(mc: &Mutation<'gc>) -> ZstCache<'gc, MAX_ALIGN> {
        let _ = mc;
        let address = ptr::without_provenance::<()>(MAX_ALIGN);
        // SAFETY: the address is not null, and that of a `()` which is in no heap: a value that needs no
        // memory is nowhere else.
        let cached_ptr = unsafe { Gc::from_ptr(address) };
        ZstCache { cached_ptr }
    }

    /// The pointer itself. Its address is a multiple of `MAX_ALIGN`. Takes constant time, as all methods do.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, zst_cache::ZstCache};
    ///
    /// rootless_mutate(|mc| {
    ///     let cache = ZstCache::<16>::new(mc);
    ///     assert!(Gc::as_ptr(cache.cached_ptr()).cast::<u128>().is_aligned());
    ///     assert!(Gc::ptr_eq(cache.cached_ptr(), cache.alloc(mc, ())));
    /// });
    /// ```
    #[inline]
    pub fn cached_ptr(&self) -> Gc<'gc, ()> {
        self.cached_ptr
    }

    /// Whether a pointer is the one of this cache. That may be so for a value of size zero that
    /// [`Gc::new`] made, too.
    ///
    /// ```
    /// use gc_core::{Collect, Gc, Mutation, arena::rootless_mutate, zst_cache::ZstCache};
    ///
    /// /// Whether a value has an object of its own.
    /// fn has_object<'gc, T: Collect<'gc> + 'gc>(mc: &Mutation<'gc>, value: T) -> bool {
    ///     let cache = ZstCache::<16>::new(mc);
    ///     !cache.is_cached(cache.alloc(mc, value))
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     assert!(has_object(mc, 7_u8) && has_object(mc, String::new()));
    ///     assert!(!has_object(mc, ((), [0_u32; 0])));
    /// });
    /// ```
    #[inline]
    pub fn is_cached<T: ?Sized, K: IsGcKind<'gc, T>>(&self, gc: Gc<'gc, T, K>) -> bool {
        Gc::ptr_eq(self.cached_ptr, Gc::erase(gc))
    }

    /// The cache's pointer as one to a `T`, if that is known to be harmless: for `()`, and no other type.
    ///
    /// `None` is what it returns for types that are too large as well, so callers know what to do
    /// then. It asks for no value; and of a type of which nothing is known, not everybody may have one: some
    /// types of size zero have no values, and of others having one is a right, as with the owners of ghost
    /// cells. [`alloc_default`](ZstCache::alloc_default) and [`alloc`](ZstCache::alloc) are for all types.
    ///
    /// ```
    /// # use gc_core::{Gc, arena::rootless_mutate, zst_cache::ZstCache};
    /// # rootless_mutate(|mc| {
    /// let cache = ZstCache::<8>::new(mc);
    /// assert!(cache.alloc_zst::<()>().is_some_and(|unit| cache.is_cached(unit)));
    /// assert!(cache.alloc_zst::<std::convert::Infallible>().is_none());
    /// # });
    /// ```
    #[inline]
    pub fn alloc_zst<T: 'gc>(&self) -> Option<Gc<'gc, T>> {
        // SAFETY: a `T` is a `()`, which has no lifetimes.
        (Self::is_for::<T>() && is_type::<T, ()>()).then(|| unsafe { Gc::cast(self.cached_ptr) })
    }

    /// The cache's pointer as one to a `T`, if a `T` is of size zero, needs no more alignment, and has no
    /// `Drop`.
    ///
    /// The value that it points to is the default one, which is made for it: not every type of size zero has
    /// values that anybody may have. Never collects, unless making it does.
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, zst_cache::ZstCache};
    ///
    /// rootless_mutate(|mc| {
    ///     let cache = ZstCache::<4>::new(mc);
    ///     let empty: Gc<[u32; 0]> = cache.alloc_default().unwrap();
    ///     assert!(empty.is_empty());
    ///     assert!(cache.alloc_default::<u32>().is_none()); // It has a size,
    ///     assert!(cache.alloc_default::<[u64; 0]>().is_none()); // and this needs more alignment.
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If making the value does.
    #[inline]
    pub fn alloc_default<T: Default + 'gc>(&self) -> Option<Gc<'gc, T>> {
        Self::is_for::<T>().then(|| self.keep(T::default()))
    }

    /// [`Gc::new`]; or, if the value is of size zero, needs no more alignment than there is, and has no
    /// `Drop`, the cache's pointer. Never collects.
    ///
    /// ```
    /// use gc_core::{Arena, Gc, Rootable, zst_cache::ZstCache};
    ///
    /// let arena = Arena::<Rootable![ZstCache<'_, 8>]>::new(|mc| ZstCache::new(mc));
    /// arena.mutate(|mc, cache| {
    ///     let (one, other) = (cache.alloc(mc, [0_u64; 0]), cache.alloc(mc, [1.5; 0]));
    ///     assert!(Gc::ptr_eq(Gc::erase(one), Gc::erase(other)));
    ///     assert_eq!(*cache.alloc(mc, 7), 7);
    /// });
    /// assert_eq!(arena.metrics().total_gc_count(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Gc::new`].
    #[inline]
    pub fn alloc<T: Collect<'gc> + 'gc>(&self, mc: &Mutation<'gc>, value: T) -> Gc<'gc, T> {
        if Self::is_for::<T>() {
            self.keep(value)
        } else {
            Gc::new(mc, value)
        }
    }

    /// [`ZstCache::alloc`] of a value whose type need not be [`Collect`], as for [`Gc::new_static`].
    ///
    /// ```
    /// use gc_core::{Gc, arena::rootless_mutate, zst_cache::ZstCache};
    ///
    /// /// Not `Collect`.
    /// #[derive(Debug, PartialEq)]
    /// struct Marker;
    ///
    /// rootless_mutate(|mc| {
    ///     let cache = ZstCache::<1>::new(mc);
    ///     let marker: Gc<Marker> = cache.alloc_static(mc, Marker);
    ///     assert!(cache.is_cached(marker) && *marker == Marker);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Gc::new_static`].
    #[inline]
    pub fn alloc_static<T: 'static>(&self, mc: &Mutation<'gc>, value: T) -> Gc<'gc, T> {
        if Self::is_for::<T>() {
            self.keep(value)
        } else {
            Gc::new_static(mc, value)
        }
    }

    /// Whether values of a type can be at the cache's address.
    const fn is_for<T>() -> bool {
        size_of::<T>() == 0 && align_of::<T>() <= MAX_ALIGN && !needs_drop::<T>()
    }

    /// Puts a value at the cache's address, for ever.
    fn keep<T: 'gc>(&self, value: T) -> Gc<'gc, T> {
        assert!(Self::is_for::<T>());
        core::mem::forget(value);
        // SAFETY: the value needs no memory and the address is aligned for it; and since there was a value
        // that was not dropped, there may as well be one for ever.
        unsafe { Gc::cast(self.cached_ptr) }
    }
}

/// An alignment, as a type.
///
/// ```
/// use gc_core::zst_cache::{Alignment, ValidAlignment};
///
/// fn is_valid<A: ValidAlignment>(_: A) -> bool {
///     true
/// }
/// assert!(is_valid(Alignment::<8>));
/// ```
pub struct Alignment<const ALIGN: usize>;

/// Implemented for [`Alignment`] of every power of two up to 2^29.
///
/// ```
/// use gc_core::{Gc, arena::rootless_mutate};
/// use gc_core::zst_cache::{Alignment, ValidAlignment, ZstCache};
///
/// /// Code for any cache names it as a bound.
/// fn unit<'gc, const ALIGN: usize>(cache: ZstCache<'gc, ALIGN>) -> Gc<'gc, ()>
/// where
///     Alignment<ALIGN>: ValidAlignment,
/// {
///     cache.alloc_zst().unwrap()
/// }
///
/// rootless_mutate(|mc| {
///     let cache = ZstCache::<32>::new(mc);
///     assert!(cache.is_cached(unit(cache)));
/// });
/// ```
pub trait ValidAlignment: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! valid_alignments {
    ($($exponent:literal)*) => {$(
        impl sealed::Sealed for Alignment<{ 1 << $exponent }> {}
        impl ValidAlignment for Alignment<{ 1 << $exponent }> {}
    )*};
}
valid_alignments!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29);
