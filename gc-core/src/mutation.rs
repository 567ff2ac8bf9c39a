//! [`Mutation`]: the right to allocate and to write, inside of a `mutate` call.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr;

use crate::context::Context;
use crate::gc::Gc;
use crate::gc_weak::GcWeak;
use crate::metrics::Metrics;

/// Makes a lifetime invariant, so that it can brand.
pub(crate) type Invariant<'gc> = PhantomData<Cell<&'gc ()>>;

/// The right to allocate in an arena and to write to what is in it, during a callback.
///
/// The lifetime `'gc` brands all pointers of the call. While it lasts, nothing is collected.
#[repr(transparent)]
pub struct Mutation<'gc> {
    metrics: Metrics,
    _invariant: Invariant<'gc>,
}

impl<'gc> Mutation<'gc> {
    /// The right itself.
    ///
    /// # Safety
    ///
    /// `'gc` brands only pointers into the heap of this context, and nothing is collected while it
    /// lasts.
    pub(crate) unsafe fn new(metrics: &Metrics) -> &Mutation<'gc> {
        // SAFETY: the layouts are the same, for the type is transparent.
        unsafe { &*ptr::from_ref(metrics).cast::<Mutation<'gc>>() }
    }

    #[inline(always)]
    pub(crate) fn context(&self) -> &Context {
        &self.metrics.0
    }

    /// The figures and the pace of this arena's collector.
    #[inline]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Allows `parent` to be written from now on until the end of this call: to adopt `child`, or any pointers
    /// if that is `None`, and to change in which of its words there are pointers.
    ///
    /// [`Gc::write`] is the safe way to use it. This one is for `unsafe` containers.
    #[inline]
    pub fn backward_barrier(&self, parent: Gc<'gc, ()>, child: Option<Gc<'gc, ()>>) {
        let _ = child;
        self.context().before_write(Gc::as_ptr(parent).addr());
    }

    /// [`Mutation::backward_barrier`] for a weak child.
    #[inline]
    pub fn backward_barrier_weak(&self, parent: Gc<'gc, ()>, child: GcWeak<'gc, ()>) {
        let _ = child;
        self.backward_barrier(parent, None);
    }

    /// Allows `parent`, or any object if that is `None`, to adopt `child` until the end of this
    /// call.
    ///
    /// Name the parent where you can: without it, a collection that marks beside the program is given up, and
    /// the next one stops it and looks anew for the pointers of every object in which they can move.
    #[inline]
    pub fn forward_barrier(&self, parent: Option<Gc<'gc, ()>>, child: Gc<'gc, ()>) {
        match parent {
            Some(parent) => self.backward_barrier(parent, Some(child)),
            None => self.context().before_unknown_write(),
        }
    }

    /// [`Mutation::forward_barrier`] for a weak child.
    #[inline]
    pub fn forward_barrier_weak(&self, parent: Option<Gc<'gc, ()>>, child: GcWeak<'gc, ()>) {
        let _ = child;
        match parent {
            Some(parent) => self.backward_barrier(parent, None),
            None => self.context().before_unknown_write(),
        }
    }
}
