//! [`GcBuilder`]: makes objects with metadata beside their values.
//!
//! A builder is made without a heap, and completed with a [`Mutation`]. In between, it needs memory only if the program
//! takes the address of the value to be. Then the value is *staged*: it is in memory outside of the heap, behind the
//! plan of the object, and is moved into the heap at the end. [`GcBuilder::write`] writes directly into the heap.
//!
//! A builder holds no pointers into a heap but those of its user, and has their brand. So it is of no use in another
//! `mutate` call. It is not `Collect`, and cannot be in the heap itself.

use std::alloc::{self, Layout, handle_alloc_error};

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

use super::kind::Meta;
use super::{Gc, GcFat};
use crate::heap::error::{HeapError, or_panic, out_of_memory};
use crate::mutator::context::Context;
use crate::mutator::mutation::{Invariant, Mutation};
use crate::mutator::plan::Plan;
use crate::types::collect::Collect;
use crate::types::meta::{AllocMeta, PtrMeta, StaticPtrMeta, TypeMeta, UnitPtrMeta, UnitTypeMeta};
use crate::types::static_wrapper::Static;

/// Makes a [`Gc`] with metadata: of the type, or of the pointer, or both.
///
/// ```
/// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
///
/// rootless_mutate(|mc| {
///     let number: Gc<i32> = GcBuilder::new().write(mc, 7);
///     assert_eq!(*number, 7);
/// });
/// ```
///
/// For slices and strings there are builders in [`crate::pointers::gc_slice`].
#[must_use = "a builder makes nothing before it is completed"]
pub struct GcBuilder<'gc, T: ?Sized, M = (), P = UnitPtrMeta> {
    plan: Plan,
    /// The address is that of the staged value, or means nothing.
    value: NonNull<T>,
    staged: bool,
    _meta: Meta<M, P>,
    /// Invariant in `T` as well: the plan is that of the type for which the builder was made. A value of a
    /// supertype may have pointers where that one has none.
    _invariant: PhantomData<(Invariant<'gc>, *mut T)>,
}

impl<'gc, T: Collect<'gc>> GcBuilder<'gc, T> {
    /// A builder of a value without metadata: what it makes is what [`Gc::new`] makes.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, GcFat, Mutation, arena::rootless_mutate, meta::UnitPtrMeta};
    ///
    /// /// Makes a seven with any metadata, or none.
    /// fn seven<'gc, M>(
    ///     mc: &Mutation<'gc>,
    ///     builder: GcBuilder<'gc, u32, M>,
    /// ) -> GcFat<'gc, u32, M, UnitPtrMeta> {
    ///     builder.write(mc, 7)
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let plain: Gc<u32> = seven(mc, GcBuilder::new());
    ///     assert_eq!(*plain, 7);
    /// });
    /// ```
    #[inline]
    pub fn new() -> GcBuilder<'gc, T> {
        GcBuilder::new_with_type_meta::<UnitTypeMeta>()
    }
}

impl<'gc, T: Collect<'gc>> Default for GcBuilder<'gc, T> {
    fn default() -> GcBuilder<'gc, T> {
        GcBuilder::new()
    }
}

impl<'gc, T: Collect<'gc>, M> GcBuilder<'gc, T, M> {
    /// A builder of a value whose type has the metadata of `TM`. If these are not of size zero, the object
    /// is one word longer. Takes constant time and no memory.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    /// use gc_core::meta::TypeMeta;
    ///
    /// /// Lengths in memory are numbers; their unit is metadata.
    /// macro_rules! units {
    ///     ($($unit:ident $name:literal)*) => {$(
    ///         struct $unit;
    ///         impl TypeMeta for $unit {
    ///             type TypeMetadata = &'static str;
    ///             const TYPE_METADATA: &'static &'static str = &$name;
    ///         }
    ///     )*};
    /// }
    /// units!(Metres "m" Seconds "s");
    ///
    /// rootless_mutate(|mc| {
    ///     // Both pointers have the same type.
    ///     let quantities = [
    ///         GcBuilder::new_with_type_meta::<Metres>().write(mc, 1.5),
    ///         GcBuilder::new_with_type_meta::<Seconds>().write(mc, 3.0),
    ///     ];
    ///     let text = quantities.map(|gc| format!("{gc} {}", Gc::type_metadata(gc)));
    ///     assert_eq!(text, ["1.5 m", "3 s"]);
    /// });
    /// ```
    #[inline]
    pub fn new_with_type_meta<TM: TypeMeta<TypeMetadata = M>>() -> GcBuilder<'gc, T, M> {
        // SAFETY: `UnitPtrMeta` does not depend on metadata.
        unsafe { GcBuilder::new_with_type_and_ptr_meta::<TM>(()) }
    }
}

impl<'gc, T: Collect<'gc> + ?Sized, M, P: AllocMeta<T, M>> GcBuilder<'gc, T, M, P> {
    /// A builder of a value to which pointers have the metadata `ptr_meta`, and whose type has those of
    /// `TM`. The object is two words longer than the value, or less if the metadata are of size zero.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    /// use gc_core::meta::{AllocMeta, PtrMeta, UnitTypeMeta};
    /// use std::alloc::Layout;
    ///
    /// /// A pair of slices of the same length, one behind the other: the pointer has that of both.
    /// struct Pairs;
    ///
    /// impl<M> PtrMeta<[u32], M> for Pairs {
    ///     type PtrMetadata = u32;
    ///     type Thin = u32;
    ///
    ///     fn to_thin(_: &'static M, fat: *const [u32]) -> *const u32 {
    ///         fat.cast()
    ///     }
    ///
    ///     fn from_thin(_: &'static M, thin: *const u32, pairs: u32) -> *const [u32] {
    ///         std::ptr::slice_from_raw_parts(thin, 2 * pairs as usize)
    ///     }
    /// }
    ///
    /// impl<M> AllocMeta<[u32], M> for Pairs {
    ///     fn layout(_: &'static M, pairs: u32) -> Option<Layout> {
    ///         Layout::array::<u32>(2 * pairs as usize).ok()
    ///     }
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     // SAFETY: what `Pairs` says is true, and all elements are written.
    ///     let pairs = unsafe {
    ///         let mut builder =
    ///             GcBuilder::<[u32], (), Pairs>::new_with_type_and_ptr_meta::<UnitTypeMeta>(2);
    ///         builder.as_ptr().cast::<[u32; 4]>().write([1, 2, 10, 20]);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!(*Gc::as_thin(pairs), [1, 2, 10, 20]);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If nothing can be as large as `ptr_meta` say. Metadata of more than a word are refused at compile time.
    ///
    /// # Safety
    ///
    /// `P` keeps to what [`PtrMeta`](crate::types::meta::PtrMeta) and [`AllocMeta`] say, for the metadata `M` and
    /// all `ptr_meta` that are given here: the layout is that of the value, and pointers that
    /// `from_thin` makes are the ones that `to_thin` got, and are not null. That holds for any type `T`
    /// as which the object is used.
    #[inline]
    pub unsafe fn new_with_type_and_ptr_meta<TM: TypeMeta<TypeMetadata = M>>(
        ptr_meta: P::PtrMetadata,
    ) -> GcBuilder<'gc, T, M, P> {
        // SAFETY: `P` keeps to the rules for these metadata (the caller's promise).
        unsafe { GcBuilder::for_plan_of::<TM>(ptr_meta) }.unwrap_or_else(|| too_large())
    }

    /// [`GcBuilder::new_with_type_and_ptr_meta`], or `None` if nothing can be so large.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline]
    pub(crate) unsafe fn for_plan_of<TM: TypeMeta<TypeMetadata = M>>(
        ptr_meta: P::PtrMetadata,
    ) -> Option<GcBuilder<'gc, T, M, P>> {
        let plan = Plan::new::<T, TM, P>(ptr_meta)?;
        let nowhere = ptr::without_provenance::<P::Thin>(plan.layout().align());
        let value = fatten::<T, TM, P>(nowhere, ptr_meta).cast_mut();
        Some(GcBuilder {
            plan,
            // SAFETY: `from_thin` keeps the address.
            value: unsafe { NonNull::new_unchecked(value) },
            staged: false,
            _meta: PhantomData,
            _invariant: PhantomData,
        })
    }
}

/// `P::from_thin` with the metadata of the type. For `M`, of which it is not said that it is `'static`, it cannot be named.
#[inline(always)]
fn fatten<T: ?Sized, TM: TypeMeta, P: PtrMeta<T, TM::TypeMetadata>>(
    thin: *const P::Thin,
    ptr_meta: P::PtrMetadata,
) -> *const T {
    P::from_thin(TM::TYPE_METADATA, thin, ptr_meta)
}

/// The answer to the size of a value that no address space holds.
#[cold]
#[inline(never)]
fn too_large() -> ! {
    panic!("the value is larger than any address space: ask for less")
}

impl<'gc, T: ?Sized, M> GcBuilder<'gc, Static<T>, M> {
    /// A builder of the value without the wrapper that made it [`Collect`].
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    /// use std::time::Duration;
    ///
    /// struct NotCollect(u8);
    ///
    /// rootless_mutate(|mc| {
    ///     let gc: Gc<NotCollect> = GcBuilder::new().unwrap_static().write(mc, NotCollect(1));
    ///     assert_eq!(gc.0, 1);
    /// });
    /// ```
    #[inline]
    pub fn unwrap_static(self) -> GcBuilder<'gc, T, M> {
        // SAFETY: `Static` is transparent.
        unsafe { self.retype(|value| value as *mut T) }
    }
}

impl<'gc, T: ?Sized, M, P> GcBuilder<'gc, Static<T>, M, StaticPtrMeta<P>> {
    /// A builder of the value without the wrapper that made it [`Collect`].
    ///
    /// ```
    /// use gc_core::{GcBuilder, GcSlice, Static, arena::rootless_mutate};
    /// use gc_core::gc_slice::SlicePtrMeta;
    /// use gc_core::meta::{StaticPtrMeta, UnitTypeMeta};
    ///
    /// struct NotCollect(u8);
    /// type Builder<'gc> = GcBuilder<'gc, Static<[NotCollect]>, (), StaticPtrMeta<SlicePtrMeta>>;
    ///
    /// rootless_mutate(|mc| {
    ///     // SAFETY: these metadata do what they say, and both elements are written.
    ///     let slice: GcSlice<NotCollect> = unsafe {
    ///         let builder = Builder::new_with_type_and_ptr_meta::<UnitTypeMeta>(2);
    ///         let mut builder = builder.unwrap_static();
    ///         builder.as_ptr().cast::<[NotCollect; 2]>().write([NotCollect(1), NotCollect(2)]);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!((slice.len(), slice[1].0), (2, 2));
    /// });
    /// ```
    #[inline]
    pub fn unwrap_static(self) -> GcBuilder<'gc, T, M, P> {
        // SAFETY: `Static` is transparent, and `StaticPtrMeta` passes everything on to `P`.
        unsafe { self.retype(|value| value as *mut T) }
    }
}

impl<'gc, T: ?Sized, M, P> GcBuilder<'gc, T, M, P> {
    /// The same builder, for a type that is the same but for its name.
    ///
    /// # Safety
    ///
    /// `cast` is a cast, of a type to one with the same layout and `Drop`. Pointers of either have the same
    /// metadata, with which `P` and `Q` do the same.
    #[inline]
    pub(crate) unsafe fn retype<U: ?Sized, Q>(
        self,
        cast: impl FnOnce(*mut T) -> *mut U,
    ) -> GcBuilder<'gc, U, M, Q> {
        let this = ManuallyDrop::new(self);
        GcBuilder {
            plan: this.plan,
            // SAFETY: a cast keeps the address.
            value: unsafe { NonNull::new_unchecked(cast(this.value.as_ptr())) },
            staged: this.staged,
            _meta: PhantomData,
            _invariant: PhantomData,
        }
    }

    /// Where to write the value, or its parts. The value is moved when the builder is completed; until then
    /// it stays where it is.
    ///
    /// The first call takes memory from the program's allocator, and calls
    /// [`handle_alloc_error`] if there is none. What is written here is
    /// not dropped if the builder is.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     // A mebibyte that is never on the stack.
    ///     let mut builder = GcBuilder::<[u8; 1 << 20]>::new();
    ///     // SAFETY: there is room for the value, and all of it is written.
    ///     let page: Gc<[u8; 1 << 20]> = unsafe {
    ///         builder.as_ptr().write_bytes(7, 1);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert!(page.iter().all(|byte| *byte == 7));
    /// });
    /// ```
    #[inline]
    pub fn as_ptr(&mut self) -> *mut T {
        if !self.staged {
            let place = stage(self.plan);
            self.value = at_address(self.value, place);
            self.staged = true;
        }
        self.value.as_ptr()
    }

    /// Whether the address of the value was taken.
    pub(crate) fn is_staged(&self) -> bool {
        self.staged
    }

    pub(crate) fn plan(&self) -> Plan {
        self.plan
    }

    /// A pointer to the value for which this builder is, which need not be there, nor its memory.
    pub(crate) fn shape_of_value(&self) -> *const T {
        self.value.as_ptr()
    }

    /// Turns the builder into a pointer, as [`GcBuilder::as_ptr`] returns it. Nobody frees the memory any
    /// more but a builder that is made of the pointer again.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let pointer = GcBuilder::<i32>::new().into_raw();
    ///     // SAFETY: it is the pointer of a builder of this type, and the value is written.
    ///     let gc: Gc<i32> = unsafe {
    ///         pointer.write(7);
    ///         GcBuilder::<i32>::from_raw(pointer).assume_init(mc)
    ///     };
    ///     assert_eq!(*gc, 7);
    /// });
    /// ```
    #[inline]
    pub fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).as_ptr()
    }

    /// The builder that was turned into a pointer by [`GcBuilder::into_raw`].
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    ///
    /// /// Something like a function of a C library: whether it has written a result.
    /// unsafe fn measure(is_there: bool, result: *mut f64) -> bool {
    ///     if is_there {
    ///         // SAFETY: there is room for a result (the caller's promise).
    ///         unsafe { result.write(1.5) }
    ///     }
    ///     is_there
    /// }
    ///
    /// rootless_mutate(|mc| {
    ///     let measured = [true, false].map(|is_there| {
    ///         let pointer = GcBuilder::<f64>::new().into_raw();
    ///         // SAFETY: the builder is one for a number, and is completed only if that was written. If
    ///         // not, it is dropped, which frees the memory.
    ///         unsafe {
    ///             let is_written = measure(is_there, pointer);
    ///             let builder = GcBuilder::<f64>::from_raw(pointer);
    ///             is_written.then(|| builder.assume_init(mc))
    ///         }
    ///     });
    ///     assert_eq!(measured.map(|gc: Option<Gc<f64>>| gc.map(|gc| *gc)), [Some(1.5), None]);
    /// });
    /// ```
    ///
    /// # Safety
    ///
    /// 1. It was, in the present `mutate` call, and only once since.
    /// 2. `'gc`, `M` and `P` are those of that builder, and so is `T`; or a pointer to an object that was made as one of them could
    ///    be [cast](crate::Gc::cast) to the other, in both directions, and either has the `Drop` of the other. (The object is
    ///    marked and dropped as the type says for which the builder was made.)
    #[inline]
    pub unsafe fn from_raw(pointer: *mut T) -> GcBuilder<'gc, T, M, P> {
        // SAFETY: `into_raw` returned the pointer (the caller's promise): that of a staged value, with its plan before
        // it.
        let (plan, value) = unsafe {
            let value = NonNull::new_unchecked(pointer);
            (value.cast::<Plan>().sub(1).read(), value)
        };
        GcBuilder {
            plan,
            value,
            staged: true,
            _meta: PhantomData,
            _invariant: PhantomData,
        }
    }

    /// Completes the builder with the value that was written to [`GcBuilder::as_ptr`]: moves it into the
    /// heap. Never collects, and takes time linear in the value's size.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let mut builder = GcBuilder::<(Gc<str>, u32)>::new();
    ///     let place = builder.as_ptr();
    ///     // SAFETY: both fields are written.
    ///     let entry = unsafe {
    ///         (&raw mut (*place).0).write(Gc::str_from(mc, "answer"));
    ///         (&raw mut (*place).1).write(42);
    ///         builder.assume_init(mc)
    ///     };
    ///     assert_eq!((&*entry.0, entry.1), ("answer", 42));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; the value is dropped then.
    /// If it is aligned to more than 4096 bytes.
    ///
    /// # Safety
    ///
    /// A valid `T` is there, all of it, and belongs to the builder: nobody drops it, moves it out or goes on using it
    /// there.
    #[inline]
    pub unsafe fn assume_init(self, mc: &Mutation<'gc>) -> GcFat<'gc, T, M, P> {
        // SAFETY: a valid value is there and belongs to the builder (the caller's promise). The context is that of the
        // arena that `'gc` brands.
        unsafe { self.assume_init_in(mc.context()) }
    }

    /// [`GcBuilder::assume_init`] in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// As there, and the context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn assume_init_in(mut self, context: &Context) -> GcFat<'gc, T, M, P> {
        let staged = self.as_ptr();
        // SAFETY: a valid value is staged, and the context is one of the arena that `'gc` brands (the caller's
        // promises). After a success the value has moved, and the builder frees only its memory. After a failure it is
        // here, and is dropped once.
        unsafe {
            match self.move_into_heap(context) {
                Ok(gc) => gc,
                Err(error) => {
                    staged.drop_in_place();
                    out_of_memory(error)
                }
            }
        }
    }

    /// # Safety
    ///
    /// There is a staged value, which is gone after a success. The context is one of the arena that `'gc` brands.
    unsafe fn move_into_heap(&self, context: &Context) -> Result<GcFat<'gc, T, M, P>, HeapError> {
        let object = self.plan.begin(context)?;
        let place = object.value();
        // SAFETY: a value is staged (the caller's promise), and the new object, of the same plan, has room for it.
        // After the copy, the value belongs to the object.
        unsafe {
            let size = self.plan.layout().size();
            ptr::copy_nonoverlapping(self.value.cast().as_ptr(), place.as_ptr(), size);
            object.finish();
            Ok(Gc::from_non_null_with_kind(at_address(self.value, place)))
        }
    }
}

impl<'gc, T, M, P> GcBuilder<'gc, T, M, P> {
    /// Completes the builder with `value`. Never collects, and takes constant time.
    ///
    /// ```
    /// use gc_core::{Gc, GcBuilder, arena::rootless_mutate};
    ///
    /// rootless_mutate(|mc| {
    ///     let leaf = Gc::new(mc, "leaf".to_string());
    ///     let pair = GcBuilder::new().write(mc, (leaf, 2));
    ///     assert!(Gc::ptr_eq(pair.0, leaf) && pair.1 == 2);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory, see [`GcBuilder::try_write`]; or if the value is aligned to more than 4096 bytes.
    #[inline]
    pub fn write(self, mc: &Mutation<'gc>, value: T) -> GcFat<'gc, T, M, P> {
        or_panic(self.try_write(mc, value))
    }

    /// Completes the builder with `value`, or drops both if there is no memory. Never collects, and takes
    /// constant time.
    ///
    /// ```
    /// use gc_core::{Arena, GcBuilder, HeapError, HeapOptions, Rootable};
    ///
    /// let options = HeapOptions::default().limit(64 << 10);
    /// let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ())?;
    /// let fill = |arena: &Arena<Rootable![()]>| {
    ///     arena.mutate(|mc, _| {
    ///         let make = || GcBuilder::new().try_write(mc, [0_u64; 100]).ok();
    ///         std::iter::from_fn(make).count()
    ///     })
    /// };
    /// assert!(fill(&arena) > 0);
    /// assert_eq!(fill(&arena), 0);
    /// arena.finish_cycle();
    /// assert!(fill(&arena) > 0);
    /// # Ok::<(), HeapError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Gc::try_new`].
    ///
    /// # Panics
    ///
    /// If the value is aligned to more than 4096 bytes.
    #[inline]
    pub fn try_write(self, mc: &Mutation<'gc>, value: T) -> Result<GcFat<'gc, T, M, P>, HeapError> {
        // SAFETY: the arena is the one that `'gc` brands.
        unsafe { self.write_in(mc.context(), value) }
    }

    /// [`GcBuilder::try_write`] in whatever kind of arena.
    ///
    /// # Safety
    ///
    /// The context is one of the arena that `'gc` brands.
    #[inline]
    pub(crate) unsafe fn write_in(
        self,
        context: &Context,
        value: T,
    ) -> Result<GcFat<'gc, T, M, P>, HeapError> {
        let object = self.plan.begin(context)?;
        let place = object.value().cast::<T>();
        // SAFETY: the new object has room for the value.
        unsafe {
            place.write(value);
            object.finish();
            Ok(Gc::from_non_null_with_kind(place))
        }
    }
}

impl<T: ?Sized, M, P> Drop for GcBuilder<'_, T, M, P> {
    fn drop(&mut self) {
        if self.staged {
            // SAFETY: the value was staged for this plan.
            unsafe { unstage(self.plan, self.value.cast()) }
        }
    }
}

/// The layout of a staged value with its plan right before it, and where in it the value is.
fn staged_layout(plan: Plan) -> (Layout, usize) {
    let (header, value) = (Layout::new::<Plan>(), plan.layout());
    // The plan is as large as it is aligned, or more; so wherever the value is, the plan fits before it.
    let layout = header
        .align_to(value.align())
        .and_then(|header| header.pad_to_align().extend(value));
    layout.unwrap_or_else(|_| too_large())
}

/// Memory for a value, with its plan before it.
#[cold]
fn stage(plan: Plan) -> NonNull<u8> {
    let (layout, offset) = staged_layout(plan);
    // SAFETY: the layout has room for the plan at least, which ends where the value starts.
    unsafe {
        let Some(memory) = NonNull::new(alloc::alloc(layout)) else {
            handle_alloc_error(layout)
        };
        let value = memory.add(offset);
        value.cast::<Plan>().sub(1).write(plan);
        value
    }
}

/// Frees what [`stage`] returned.
///
/// # Safety
///
/// It did, for this plan, and nobody uses it any more.
#[cold]
unsafe fn unstage(plan: Plan, value: NonNull<u8>) {
    let (layout, offset) = staged_layout(plan);
    // SAFETY: it is the memory that was allocated with this layout.
    unsafe { alloc::dealloc(value.as_ptr().sub(offset), layout) }
}

const _: () = assert!(size_of::<Plan>().is_multiple_of(align_of::<Plan>()));

/// A pointer like `pointer` to something at another address.
#[inline(always)]
fn at_address<T: ?Sized>(mut pointer: NonNull<T>, address: NonNull<u8>) -> NonNull<T> {
    // SAFETY: the first word of a pointer is the address, as is checked in `crate::mutator::plan`.
    unsafe { (&raw mut pointer).cast::<NonNull<u8>>().write(address) };
    pointer
}
