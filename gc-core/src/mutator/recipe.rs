//! Objects that are built in steps: memory of the heap first, then a value in it.
//!
//! What the heap has to know of a type in order to make an object is a constant, its [`Recipe`]; with the
//! layout of one value it is a [`Plan`]. So a builder can be made where it is known that a type is
//! [`Collect`], and be completed where it is not any more.
//!
//! An object is *begun* when its memory is allocated. It has no value then: nobody has a pointer to it, its
//! words are not tagged, and its last word, if it is described, is zero. Whatever happens to who writes the
//! value, the collector does not look at it. If the object is never *finished*, it is freed as what
//! nobody can reach.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ptr::{self, NonNull};

use crate::heap::MAX_ALIGN;
use crate::heap::bump::{Shape, record_kinds, record_tags};
use crate::heap::error::HeapError;
use crate::heap::extent::Extent;
use crate::heap::planes::{GRANULE, WORD};
use crate::mutator::context::Context;
use crate::types::collect::Collect;
use crate::types::descriptor::{Described, Descriptor, Detail, read_detail};
use crate::types::ledger::Entry;
use crate::types::meta::{AllocMeta, PtrMeta, TypeMeta};
use crate::types::owned_bytes::OwnedBytes;
use crate::types::tags::Tagger;
use crate::types::trace::{EdgeVisitor, Edges};
use crate::types::type_map::TypeMap;

/// What the heap has to know of a type to make objects with values of it.
pub(crate) struct Recipe {
    descriptor: &'static Descriptor,
    /// Whether the object has a descriptor.
    described: bool,
    /// Whether it has a detail before that.
    detailed: bool,
    map: TypeMap,
    /// Tags the pointers of the value in the object.
    tag: unsafe fn(Extent, &mut Tagger<'_>),
}

/// What the heap has to know to make an object for one value.
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
        let mut detail = Detail::uninit();
        const { assert!(size_of::<P::PtrMetadata>() <= WORD && align_of::<P::PtrMetadata>() <= WORD) }
        // SAFETY: the detail is as large, and is aligned as it must be.
        unsafe { detail.as_mut_ptr().cast::<P::PtrMetadata>().write(ptr_meta) };
        Some(Plan {
            recipe: Of::<T, TM, P>::RECIPE,
            layout: P::layout(TM::TYPE_METADATA, ptr_meta)?,
            detail,
        })
    }

    /// That of the value.
    #[inline(always)]
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The shape of the object, or `None` if the value needs no memory.
    #[inline]
    fn shape(&self) -> Result<Option<Shape>, HeapError> {
        let Recipe {
            described,
            detailed,
            map,
            ..
        } = *self.recipe;
        let (size, align) = (self.layout.size(), self.layout.align());
        if size == 0 && !described {
            return Ok(None);
        }
        assert!(
            align <= MAX_ALIGN,
            "values in the heap are aligned to 4096 bytes at most"
        );
        let overhead = if described {
            Descriptor::overhead(detailed)
        } else {
            0
        };
        // No overflow: a layout is at most half of an address space.
        let bytes = (size.next_multiple_of(WORD) + overhead).next_multiple_of(GRANULE);
        if bytes > isize::MAX as usize {
            return Err(HeapError::SizeOverflow {
                count: 1,
                size: bytes,
            });
        }
        Ok(Some(Shape {
            bytes,
            align,
            described,
            leaf: map.is_leaf(),
            tags: 0,
        }))
    }
}

/// An object without a value. To drop it leaves it so.
pub(crate) struct Begun<'c> {
    context: &'c Context,
    plan: Plan,
    extent: Extent,
}

impl Context {
    /// Allocates the object of a plan.
    #[inline]
    pub(crate) fn begin(&self, plan: Plan) -> Result<Begun<'_>, HeapError> {
        let extent = match plan.shape()? {
            // A value without memory is where nothing else is but it.
            None => Extent {
                base: plan.layout.align(),
                bytes: 0,
            },
            Some(shape) => {
                let base = self.allocate(&shape).ok_or_else(|| self.no_memory())?;
                let extent = Extent {
                    base,
                    bytes: shape.bytes,
                };
                if shape.described {
                    // SAFETY: the object is new and described.
                    unsafe { Described::clear(extent) };
                }
                extent
            }
        };
        Ok(Begun {
            context: self,
            plan,
            extent,
        })
    }
}

impl Begun<'_> {
    /// Where the value goes.
    #[inline(always)]
    pub(crate) fn value(&self) -> NonNull<u8> {
        let place = ptr::with_exposed_provenance_mut(self.extent.base);
        // SAFETY: neither an allocation nor an alignment is zero.
        unsafe { NonNull::new_unchecked(place) }
    }

    /// Makes it an object with a value. If the value's `trace` or `owned_bytes` panics, no pointer to it comes into being.
    ///
    /// # Safety
    ///
    /// A value according to the plan is there.
    #[inline]
    pub(crate) unsafe fn finish(self) {
        let (heap, extent) = (self.context.heap(), self.extent);
        if extent.bytes == 0 {
            return;
        }
        let recipe = self.plan.recipe;
        // SAFETY: the object is new, and has room for what is written behind the value. Only words of the
        // value are tagged.
        unsafe {
            if recipe.described {
                if recipe.detailed {
                    Described::set_detail(extent, self.plan.detail);
                }
                Described::set(extent, recipe.descriptor, Entry::NOTHING);
            }
            if recipe.descriptor.drop.is_some() {
                self.context.note_drop(extent);
            }
            match recipe.map.fixed() {
                Some((0, _)) => {}
                Some((tags, kinds)) => {
                    record_tags(heap.planes(), extent.base, tags);
                    if kinds != 0 {
                        self.context.note_kinds(extent.base, tags, kinds);
                        record_kinds(heap.planes(), extent.base, kinds);
                    }
                }
                // An external object is asked for its pointers whenever it is marked.
                None if recipe.map.is_external() => heap.set_dirty(extent.base),
                None => (recipe.tag)(extent, &mut Tagger::new(heap, extent)),
            }
            if recipe.descriptor.measure.is_some()
                && let Some(object) = Described::at(extent)
            {
                self.context.measure(object);
            }
        }
    }
}

/// Names the objects with a `T` that are made with the metadata `TM` and `P`.
struct Of<T: ?Sized, TM, P>(PhantomData<(TM, P)>, PhantomData<T>);

impl<'gc, T, TM, P> Of<T, TM, P>
where
    T: Collect<'gc> + ?Sized,
    TM: TypeMeta,
    P: AllocMeta<T, TM::TypeMetadata>,
{
    const DETAILED: bool = size_of::<P::PtrMetadata>() > 0;

    const RECIPE: &'static Recipe = &Recipe {
        descriptor: &Descriptor {
            drop: if needs_drop::<T>() {
                Some(drop_value::<T, TM, P>)
            } else {
                None
            },
            trace: trace_value::<T, TM, P>,
            measure: if needs_drop::<T>() {
                Some(measure_value::<T, TM, P>)
            } else {
                None
            },
            external: T::TYPE_MAP.is_external(),
            moves: T::TYPE_MAP.moves(),
            lent: false,
            // SAFETY: a reference is not null.
            metadata: unsafe {
                NonNull::new_unchecked(ptr::from_ref(TM::__TYPE_METADATA).cast_mut().cast())
            },
            type_name: core::any::type_name::<T>,
        },
        described: Self::DETAILED
            || size_of::<TM::TypeMetadata>() > 0
            || needs_drop::<T>()
            || T::TYPE_MAP.moves(),
        detailed: Self::DETAILED,
        map: T::TYPE_MAP,
        tag: tag_value::<T, TM, P>,
    };
}

/// A pointer to the value in an object that was made with `TM` and `P`.
///
/// # Safety
///
/// It was, and its detail is there.
#[inline]
unsafe fn value<T: ?Sized, TM: TypeMeta, P: PtrMeta<T, TM::TypeMetadata>>(
    extent: Extent,
) -> *mut T {
    let thin = ptr::with_exposed_provenance::<P::Thin>(extent.base);
    let ptr_meta = if size_of::<P::PtrMetadata>() == 0 {
        // SAFETY: there is a value of this type, and it has no bytes.
        unsafe { NonNull::<P::PtrMetadata>::dangling().read() }
    } else {
        // SAFETY: passed on to the caller.
        unsafe { read_detail(extent.end()) }
    };
    P::from_thin(TM::TYPE_METADATA, thin, ptr_meta).cast_mut()
}

/// Drops the value in an object.
///
/// # Safety
///
/// It is there, and nobody refers to it, now or later.
unsafe fn drop_value<T: ?Sized, TM: TypeMeta, P: PtrMeta<T, TM::TypeMetadata>>(extent: Extent) {
    // SAFETY: passed on to the caller.
    unsafe { value::<T, TM, P>(extent).drop_in_place() }
}

/// Visits the pointers of the value in an object.
///
/// # Safety
///
/// As for [`Descriptor::trace`].
unsafe fn trace_value<'gc, T, TM, P>(extent: Extent, visitor: &mut dyn EdgeVisitor)
where
    T: Collect<'gc> + ?Sized,
    TM: TypeMeta,
    P: PtrMeta<T, TM::TypeMetadata>,
{
    // SAFETY: passed on to the caller: nobody has a reference by which to change the value, or the visitor is
    // not alone.
    unsafe {
        let value = &*value::<T, TM, P>(extent);
        let range = extent.base..extent.base + size_of_val(value);
        value.trace(&mut Edges::of_object(visitor, range));
    }
}

/// How many bytes the value in an object owns outside of the heap.
///
/// # Safety
///
/// It is there, and nobody has an exclusive reference to it.
unsafe fn measure_value<'gc, T, TM, P>(extent: Extent) -> Option<usize>
where
    T: Collect<'gc> + ?Sized,
    TM: TypeMeta,
    P: PtrMeta<T, TM::TypeMetadata>,
{
    // SAFETY: passed on to the caller.
    OwnedBytes::sum(unsafe { &*value::<T, TM, P>(extent) }).ok()
}

/// Tags the pointers of the value in an object.
///
/// # Safety
///
/// It is there, and nobody else refers to it.
unsafe fn tag_value<'gc, T, TM, P>(extent: Extent, tagger: &mut Tagger<'_>)
where
    T: Collect<'gc> + ?Sized,
    TM: TypeMeta,
    P: PtrMeta<T, TM::TypeMetadata>,
{
    // SAFETY: passed on to the caller.
    unsafe { &*value::<T, TM, P>(extent) }.trace(tagger);
}
