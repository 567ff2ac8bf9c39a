//! Telling `tracing` what the collector does: a span for each phase, and events at safepoints.
//!
//! The span of a phase exists as long as the phase, and the thread that works at a safepoint is in it for as
//! long as it is there: events of the values' own destructors are in it, too. Names and target are those of
//! `gc-arena`, so that filters that were made for it hold. Without the feature `tracing` all of this is
//! nothing.
//!
//! # Invariants
//!
//! 1. While a thread is inside, only that thread changes the phase: one thread at a time is at a safepoint,
//!    and phases change there, or in a `mutate` call of an arena whose one mutator is in no safepoint then.

#[cfg(not(feature = "tracing"))]
pub(super) use self::silent::Progress;
#[cfg(feature = "tracing")]
pub(super) use self::spans::Progress;

#[cfg(feature = "tracing")]
mod spans {
    use tracing::{Span, debug, debug_span};

    use crate::collector::{Collector, Phase};
    use crate::sync::{Arc, Mutex};

    /// The span of the present phase.
    #[derive(Default)]
    pub(in crate::collector) struct Progress(Mutex<State>);

    #[derive(Default)]
    struct State {
        /// None before the first cycle. Shared, for a clone of a span calls its subscriber.
        span: Option<Arc<Span>>,
        /// Whether the thread at the safepoint is in it.
        inside: bool,
    }

    // Subscribers are the user's: nothing is locked while they are called.

    fn enter(span: &Span) {
        span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
    }

    fn exit(span: &Span) {
        span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
    }

    impl Collector {
        fn span(&self, phase: Phase) -> Span {
            let id = core::ptr::from_ref(self);
            debug_span!(target: "gc_arena", "gc_arena", id = debug(id), phase = debug(phase))
        }

        /// Tells that a phase has begun.
        pub(in crate::collector) fn report_phase(&self, phase: Phase) {
            let new = Arc::new(self.span(phase));
            let (old, inside) = {
                let mut state = self.progress.0.lock();
                (state.span.replace(Arc::clone(&new)), state.inside)
            };
            if inside {
                old.iter().for_each(|old| exit(old));
                enter(&new);
            }
        }

        /// Enters the span of the present phase, and tells how far the collector is when the result is
        /// dropped.
        pub(in crate::collector) fn report_work(&self) -> Inside<'_> {
            let span = {
                let mut state = self.progress.0.lock();
                state.inside = true;
                state.span.clone()
            };
            span.iter().for_each(|span| enter(span));
            Inside(self)
        }
    }

    /// The thread is in the span of the collector's phase.
    pub(in crate::collector) struct Inside<'a>(&'a Collector);

    impl Drop for Inside<'_> {
        fn drop(&mut self) {
            let phase = self.0.phase();
            let span = {
                let mut state = self.0.progress.0.lock();
                state.inside = false;
                state.span.clone()
            };
            let Some(span) = span else { return };
            let message = match phase {
                Phase::Sleeping => "GC: finished",
                _ => "GC: yielding...",
            };
            let allocated_gcs = self.0.heap.objects();
            debug!(target: "gc_arena", parent: &*span, message, phase = debug(phase), allocated_gcs);
            exit(&span);
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod silent {
    use crate::collector::{Collector, Phase};

    #[derive(Default)]
    pub(in crate::collector) struct Progress {}

    pub(in crate::collector) struct Inside;

    impl Collector {
        #[inline(always)]
        pub(in crate::collector) fn report_phase(&self, _: Phase) {}

        #[inline(always)]
        pub(in crate::collector) fn report_work(&self) -> Inside {
            let Progress {} = self.progress;
            Inside
        }
    }
}
