//! What a program hears of finalizers.

use core::any::Any;

/// What becomes known about finalizers beside what they do themselves.
///
/// ```
/// use gc_core::{Arena, Gc, Rootable, finalizer::FinalizerReport};
/// use std::sync::mpsc;
///
/// let (sender, reports) = mpsc::channel();
/// let mut arena = Arena::<Rootable![Gc<'_, u32>]>::new(|mc| {
///     _ = mc.finalize_with(Gc::new(mc, 1), |_, _| panic!("a bug"));
///     let two = Gc::new(mc, 2);
///     _ = mc.finalize_with(two, |_, _| ());
///     two
/// });
/// arena.set_finalizer_hook(move |report| {
///     let text = match report {
///         FinalizerReport::Panicked { payload } => format!("{:?}", payload.downcast_ref::<&str>()),
///         FinalizerReport::NotRun { count } => format!("{count} will not run"),
///         other => format!("{other:?}"),
///     };
///     _ = sender.send(text);
/// });
/// arena.finish_cycle();
/// drop(arena);
/// assert_eq!(reports.iter().collect::<Vec<_>>(), [r#"Some("a bug")"#, "1 will not run"]);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum FinalizerReport<'a> {
    /// One has panicked; or, if it never runs, what it owned did when the arena was dropped.
    Panicked {
        /// What it has panicked with.
        payload: &'a (dyn Any + Send),
    },
    /// The arena is dropped, and so many finalizers will never run.
    NotRun {
        /// How many: those that were enqueued, and those of objects that were never found dead.
        count: usize,
    },
}
