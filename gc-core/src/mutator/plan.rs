//! What the heap has to know of a type in order to make an object with a value of it.
//!
//! All of it is constant: [`ObjectOf`] names the objects with a value of one type, made with the same metadata, and
//! says whether they have a descriptor, which, and how their pointers are found. Code that knows the type uses its
//! constants; a builder, which may be completed where it is not known any more that the type is [`Collect`], carries a
//! [`Plan`] of it, which is the same behind one pointer.
//!
//! An object is made in three steps (`crate::mutator::allocation`):
//!
//! 1. It *begins*: its memory is allocated. It has no value then: nobody has a pointer to it, its words are not
//!    tagged, and its last word, if it is described, is zero. Whatever happens to who writes the value, the collector
//!    does not look at it; if it is never finished, it is freed as what nobody can reach.
//! 2. Its value is written.
//! 3. It is *finished*: what the value owns is measured ([`ObjectOf::measured`]), the descriptor is set and the
//!    destructor noted ([`ObjectOf::describe`]), and the pointers are tagged ([`ObjectOf::tag`]). A panic of the
//!    value's `owned_bytes` drops the value, and the object stays without one. After a panic of its `trace` the
//!    object is garbage, and its value is dropped with it.
//!
//! A sized value, of which everything is known before, is measured before its object is allocated, and the
//! allocator sets its tags; so there is no moment in which an object waits for its value.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ptr::{self, NonNull};

use crate::heap::MAX_ALIGN;
use crate::heap::bump::Shape;
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::planes::{GRANULE, WORD, bit};
use crate::heap::start::ObjectStart;
use crate::mutator::context::Context;
use crate::types::collect::Collect;
use crate::types::descriptor::{Descriptor, Detail, read_detail};
use crate::types::ledger::Entry;
use crate::types::meta::{AllocMeta, PtrMeta, SlicePtrMeta, TypeMeta, UnitPtrMeta, UnitTypeMeta};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::tags::Tagger;
use crate::types::trace::Edges;

/// What a builder has to know of a type, when it no longer knows the type.
pub(crate) struct Recipe {
    /// Bytes of the object behind its value; zero if it has no descriptor.
    overhead: usize,
    /// Whether values have no pointers.
    leaf: bool,
    /// [`ObjectOf::finish`].
    finish: unsafe fn(&Context, Extent, Detail),
}

impl Recipe {
    /// The shape of an object with a value of that layout, or `None` if it needs no memory.
    pub(crate) const fn shape(&self, layout: Layout) -> Result<Option<Shape>, HeapError> {
        let (size, align) = (layout.size(), layout.align());
        if size == 0 && self.overhead == 0 {
            return Ok(None);
        }
        assert!(
            align <= MAX_ALIGN,
            "values in the heap are aligned to 4096 bytes at most"
        );
        // No overflow: a layout is at most half of an address space.
        let bytes = (size.next_multiple_of(WORD) + self.overhead).next_multiple_of(GRANULE);
        if bytes > isize::MAX as usize {
            return Err(HeapError::SizeOverflow { count: 1, size });
        }
        Ok(Some(Shape {
            bytes,
            align,
            described: self.overhead > 0,
            leaf: self.leaf,
            tags: 0,
        }))
    }
}

/// What a builder has to know to make an object for one value.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    recipe: &'static Recipe,
    /// That of the value.
    layout: Layout,
    detail: Detail,
}

impl Plan {
    /// A plan for a value of the type `T`, to which pointers have the metadata `ptr_meta`, with metadata of
    /// the type from `TM`. `None` if nothing can be so large.
    #[inline]
    pub(crate) fn new<'gc, T, TM, P>(ptr_meta: P::PtrMetadata) -> Option<Plan>
    where
        T: Collect<'gc> + ?Sized,
        TM: TypeMeta,
        P: AllocMeta<T, TM::TypeMetadata>,
    {
        Some(Plan {
            recipe: ObjectOf::<T, TM, P>::RECIPE,
            layout: P::layout(TM::TYPE_METADATA, ptr_meta)?,
            detail: detail_of(ptr_meta),
        })
    }

    /// That of the value.
    #[inline(always)]
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The object of the plan begins.
    #[inline]
    pub(crate) fn begin<'c>(&self, context: &'c Context) -> Result<Begun<'c>, HeapError> {
        Ok(Begun {
            context,
            plan: *self,
            extent: context.begin(self.recipe.shape(self.layout)?, self.layout.align())?,
        })
    }
}

/// An object of a [`Plan`], without a value. To drop it leaves it so.
pub(crate) struct Begun<'c> {
    context: &'c Context,
    plan: Plan,
    extent: Extent,
}

impl Begun<'_> {
    /// Where the value goes.
    #[inline(always)]
    pub(crate) fn value(&self) -> NonNull<u8> {
        let place = ptr::with_exposed_provenance_mut(self.extent.base);
        // SAFETY: neither an allocation nor an alignment is zero.
        unsafe { NonNull::new_unchecked(place) }
    }

    /// Makes it an object with a value. If the value's `trace` or `owned_bytes` panics, no pointer to it comes into
    /// being.
    ///
    /// # Safety
    ///
    /// A value according to the plan is there.
    #[inline]
    pub(crate) unsafe fn finish(self) {
        if self.extent.bytes > 0 {
            // SAFETY: `begin` allocated the object with the shape of this plan, and its value is there (the caller's
            // promise). `finish` takes `self`, so nobody has described the object before.
            unsafe { (self.plan.recipe.finish)(self.context, self.extent, self.plan.detail) }
        }
    }
}

/// Names the objects with a `T` that are made with the metadata `TM` and `P`. If they are `WHOLE`, the metadata of
/// pointers are always in the object, by which pointers can be thin; if not, only where the collector needs them.
pub(crate) struct ObjectOf<T: ?Sized, TM = UnitTypeMeta, P = UnitPtrMeta, const WHOLE: bool = true>(
    PhantomData<(TM, P)>,
    PhantomData<T>,
);

/// Slices to which pointers are always fat.
pub(crate) type FatSliceOf<T> = ObjectOf<[T], UnitTypeMeta, SlicePtrMeta, false>;

impl<'gc, T: Collect<'gc>> ObjectOf<T> {
    /// The shape of an object with one value, tags included, or `None` if it needs no memory.
    pub(crate) const SHAPE: Option<&'static Shape> = match Self::RECIPE.shape(Layout::new::<T>()) {
        Ok(Some(shape)) => Some(match T::TYPE_MAP.fixed() {
            Some((tags, _)) => &Shape { tags, ..shape },
            None => &Shape { tags: 0, ..shape },
        }),
        Ok(None) => None,
        Err(_) => panic!("the type is larger than an address space"),
    };
}

impl<'gc, T: Collect<'gc>> FatSliceOf<T> {
    /// The shape of an object with `count` values and `more` bytes behind them, or `None` if it needs no memory.
    pub(crate) fn shape(count: usize, more: usize) -> Result<Option<Shape>, HeapError> {
        const {
            assert!(
                align_of::<T>() <= MAX_ALIGN || size_of::<T>() == 0 && !Self::DESCRIBED,
                "values in the heap are aligned to 4096 bytes at most"
            );
        }
        if count == 0 {
            return Ok(None);
        }
        let layout = Layout::array::<T>(count).ok().and_then(|layout| {
            let bytes = layout.size().checked_add(more)?;
            Layout::from_size_align(bytes, layout.align()).ok()
        });
        let shape = layout.and_then(|layout| Self::RECIPE.shape(layout).ok());
        shape.ok_or(HeapError::SizeOverflow {
            count,
            size: size_of::<T>(),
        })
    }
}

impl<'gc, T, TM, P, const WHOLE: bool> ObjectOf<T, TM, P, WHOLE>
where
    T: Collect<'gc> + ?Sized,
    TM: TypeMeta,
    P: PtrMeta<T, TM::TypeMetadata>,
{
    /// Whether objects have a descriptor.
    pub(crate) const DESCRIBED: bool = needs_drop::<T>()
        || T::TYPE_MAP.moves()
        || WHOLE && size_of::<P::PtrMetadata>() + size_of::<TM::TypeMetadata>() > 0;

    /// Whether they have a detail before that: the metadata of pointers.
    const DETAILED: bool = Self::DESCRIBED && size_of::<P::PtrMetadata>() > 0;

    const DESCRIPTOR: &'static Descriptor = &Descriptor {
        drop: if needs_drop::<T>() {
            Some(Self::drop_value)
        } else {
            None
        },
        trace: Self::trace_value,
        measure: if needs_drop::<T>() {
            Some(Self::measure_value)
        } else {
            None
        },
        external: T::TYPE_MAP.is_external(),
        concurrent: T::TYPE_MAP.is_concurrent(),
        opaque: !T::TYPE_MAP.is_concurrent(),
        moves: T::TYPE_MAP.moves(),
        lent: false,
        metadata: NonNull::from_ref(TM::TYPE_METADATA).cast(),
        type_name: core::any::type_name::<T>,
    };

    const RECIPE: &'static Recipe = &Recipe {
        overhead: if Self::DESCRIBED {
            Descriptor::overhead(Self::DETAILED)
        } else {
            0
        },
        leaf: T::TYPE_MAP.is_leaf(),
        finish: Self::finish,
    };

    /// What the value owns, which is dropped if that panics.
    ///
    /// # Safety
    ///
    /// It is there, and nobody else knows it.
    #[inline(always)]
    pub(crate) unsafe fn measured(value: *mut T) -> Entry {
        if !needs_drop::<T>() {
            return Entry::NOTHING;
        }
        let guard = Unfinished(value);
        // SAFETY: the value is there (the caller's promise).
        let entry = Entry::of(OwnedBytes::of(unsafe { &*value }));
        core::mem::forget(guard);
        entry
    }

    /// Says of a new object that it has a value now: to the collector by its descriptor, and to the pacer if it has a
    /// destructor.
    ///
    /// # Safety
    ///
    /// The object was allocated with the shape of these. The value is there, and `entry` is what it owns.
    #[inline(always)]
    pub(crate) unsafe fn describe(
        context: &Context,
        extent: Extent,
        ptr_meta: P::PtrMetadata,
        entry: Entry,
    ) {
        if Self::DESCRIBED {
            let detail = Self::DETAILED.then(|| detail_of(ptr_meta));
            // SAFETY: the object is described, with room for the detail if there is one; the value is there, says
            // the caller.
            unsafe { context.describe(extent, Self::DESCRIPTOR, detail, entry) };
        }
    }

    /// Tags the pointers of the value, as its map says.
    ///
    /// # Safety
    ///
    /// As for [`ObjectOf::describe`], which was called.
    #[inline(always)]
    pub(crate) unsafe fn tag(context: &Context, extent: Extent, value: *mut T) {
        // SAFETY: the words are those of the value, which is there, and to which nobody else refers.
        unsafe {
            match T::TYPE_MAP.fixed() {
                Some(words) => context.tag_values(extent.base, extent.base, words, 0, 1),
                // An external object is traced by value whenever it is marked.
                None if T::TYPE_MAP.is_external() => {
                    let start = ObjectStart::new_unchecked(extent.base);
                    context.heap().set_dirty(start);
                }
                None => (*value).trace(&mut Tagger::new(context.heap(), extent)),
            }
        }
    }

    /// Makes an object that has begun one with a value.
    ///
    /// # Safety
    ///
    /// As for [`ObjectOf::describe`]; and nobody else knows the value.
    unsafe fn finish(context: &Context, extent: Extent, detail: Detail) {
        // SAFETY: the detail is that of a plan for these objects, and the value is there.
        unsafe {
            let ptr_meta = detail.as_ptr().cast::<P::PtrMetadata>().read();
            let value = Self::pointer(extent.base, ptr_meta);
            Self::describe(context, extent, ptr_meta, Self::measured(value));
            Self::tag(context, extent, value);
        }
    }

    #[inline(always)]
    fn pointer(base: usize, ptr_meta: P::PtrMetadata) -> *mut T {
        let thin = ptr::with_exposed_provenance::<P::Thin>(base);
        P::from_thin(TM::TYPE_METADATA, thin, ptr_meta).cast_mut()
    }

    /// A pointer to the value in an object.
    ///
    /// # Safety
    ///
    /// It is one of these, and its detail is there.
    #[inline]
    unsafe fn value(extent: Extent) -> *mut T {
        let ptr_meta = if size_of::<P::PtrMetadata>() == 0 {
            // SAFETY: there is a value of this type, for one was given when the object was made; and it has no bytes.
            unsafe { NonNull::<P::PtrMetadata>::dangling().read() }
        } else {
            // SAFETY: who has a descriptor for objects of such metadata has them as its detail.
            unsafe { read_detail(extent.end()) }
        };
        Self::pointer(extent.base, ptr_meta)
    }

    /// Drops the value in an object.
    ///
    /// # Safety
    ///
    /// It is one of these, with its value, to which nobody refers, now or later.
    unsafe fn drop_value(extent: Extent) {
        // SAFETY: the value is there, and is the caller's.
        unsafe { Self::value(extent).drop_in_place() }
    }

    /// Visits the pointers of the value in an object.
    ///
    /// # Safety
    ///
    /// It is one of these, with its value, in a heap on which no mutator is at work; or one that is about to be written
    /// for the first time in a cycle, by a visitor that does not say that it is alone; or the map is concurrent, and until
    /// this returns nobody has claimed it.
    unsafe fn trace_value(extent: Extent, edges: &mut Edges<'_>) {
        // SAFETY: the value is there; nobody uses a reference by which to change what is visited, or the visitor is not
        // alone. With a concurrent map that is so as long as the object is not claimed (invariant 5 of the maps).
        unsafe {
            let value = &*Self::value(extent);
            edges.set_object(extent.base..extent.base + size_of_val(value));
            value.trace(edges);
        }
    }

    /// How many bytes the value in an object owns outside of the heap.
    ///
    /// # Safety
    ///
    /// It is one of these, with its value, to which nobody has an exclusive reference.
    unsafe fn measure_value(extent: Extent) -> Option<usize> {
        // SAFETY: the value is there, and may be read.
        OwnedBytes::sum(unsafe { &*Self::value(extent) }).ok()
    }
}

/// Metadata of a pointer, in a word.
#[inline(always)]
fn detail_of<D: Copy>(ptr_meta: D) -> Detail {
    const { assert!(size_of::<D>() <= WORD && align_of::<D>() <= WORD) }
    let mut detail = Detail::uninit();
    // SAFETY: the detail is as large, and is aligned as it must be.
    unsafe { detail.as_mut_ptr().cast::<D>().write(ptr_meta) };
    detail
}

/// A value in an object that is not finished, or as many of a slice's as are there: dropped when something unwinds.
pub(crate) struct Unfinished<T: ?Sized>(pub(crate) *mut T);

impl<T: ?Sized> Drop for Unfinished<T> {
    fn drop(&mut self) {
        // SAFETY: it is there, and nobody else knows it.
        unsafe { self.0.drop_in_place() }
    }
}

/// Layouts of fat pointers are not specified; what tagging relies on is checked here and in the test
/// below: the address comes first.
const _: () = {
    let slice = ptr::slice_from_raw_parts(ptr::without_provenance::<u8>(16), 3);
    // SAFETY: both are two words, and neither has provenance or padding.
    let words: [usize; 2] = unsafe { core::mem::transmute(slice) };
    assert!(words[0] == 16 && words[1] == 3);
    assert!(bit(WORD) == 2 && Layout::new::<*const [u8]>().size() == 2 * WORD);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_comes_first_in_pointers_to_trait_objects() {
        let value = 7_u64;
        let pointer: *const dyn core::fmt::Debug = &value;
        // SAFETY: both are two words.
        let words: [*const (); 2] = unsafe { core::mem::transmute(pointer) };
        assert_eq!(words[0], ptr::from_ref(&value).cast());
    }
}
