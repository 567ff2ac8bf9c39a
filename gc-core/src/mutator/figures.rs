//! Where [`Metrics`](super::metrics::Metrics) has its figures from, in either kind of arena.
//!
//! The one mutator of an arena of one thread knows what it has allocated to the object. In a shared arena each mutator
//! knows of itself, so there the collector's counts are all that any thread can have.

use std::rc::Rc;

use crate::collector::Collector;
use crate::heap::volume::Volume;
use crate::mutator::context::Context;
use crate::sync::Arc;

/// Where the figures of an arena come from.
pub trait Source {
    #[doc(hidden)]
    fn figures(&self) -> Figures<'_>;
}

/// Those of an arena of one thread.
#[derive(Clone)]
pub struct OneThread(pub(crate) Rc<Context>);

/// Those of a shared arena.
#[derive(Clone)]
pub struct AnyThread(pub(crate) Arc<Collector>);

/// The collector, what was allocated ever, and the objects that are there, as those know who allocate.
pub struct Figures<'a> {
    pub(crate) collector: &'a Collector,
    pub(crate) allocated: Volume,
    /// The same, with what values have probably grown by that were not measured since they were written.
    pub(crate) probably_allocated: Volume,
    pub(crate) objects: u64,
}

impl Source for OneThread {
    fn figures(&self) -> Figures<'_> {
        Figures {
            collector: self.0.collector(),
            allocated: self.0.allocated(),
            probably_allocated: self.0.probably_allocated(),
            objects: self.0.objects(),
        }
    }
}

impl Source for AnyThread {
    fn figures(&self) -> Figures<'_> {
        Figures {
            collector: &self.0,
            allocated: self.0.heap.allocated(),
            probably_allocated: self.0.heap.allocated(),
            objects: self.0.heap.objects(),
        }
    }
}
