//! When finalizers run at safepoints, and in which order with collections.
//!
//! An object that waits for its finalizer, and all that this sees, is freed by the first collection that begins after the
//! finalizer has run. So a collection that begins while many wait frees little, and as much again waits when
//! it is over: a program that makes such objects faster than safepoints run finalizers would fill any memory. Hence:
//!
//! 1. *A collection does not begin at a safepoint while finalizers wait* which safepoints run. So that they do not run all at
//!    once then, each safepoint owes a part of them before: as large as the part of its allowance that the program has
//!    allocated since the last ([`Pacer::part_to_finalize`]). Beyond that, a safepoint runs finalizers for at most
//!    `HeapOptions::finalizer_step`. If only debt that was added by hand makes a collection due, it waits until such steps
//!    have run them all.
//! 2. *Memory is not refused for the sake of what waits*: if the heap is near its limit, or an allocation has failed, and a
//!    collection has found objects to finalize, the safepoint runs all that wait, however long that takes, and
//!    collects again ([`Pacer::is_crowded`]).
//!
//! With [`FinalizerMode::Thread`] a safepoint does not run them, but waits for their thread where 2 says that all must run, or
//! the program is far beyond its allowance; and only as long as finalizers make progress. (One that waits for a
//! lock which the thread at the safepoint has is in a `mutate` call, so a collection would have to wait for it as well.) With [`FinalizerMode::Manual`] nobody waits: the program knows what it does, and the
//! error tells how many there are.
//!
//! [`Pacer::part_to_finalize`]: crate::collector::pacer::Pacer::part_to_finalize
//! [`Pacer::is_crowded`]: crate::collector::pacer::Pacer::is_crowded

use std::time::Instant;

use crate::collector::driver::Safepoint;
use crate::collector::options::FinalizerMode;
use crate::collector::{Collector, Phase};
use crate::heap::volume::Volume;

/// A thread at a safepoint of an arena: what it can do there.
pub(crate) trait Site {
    fn collector(&self) -> &Collector;

    /// Objects allocated ever.
    fn allocated(&self) -> Volume;

    /// Lets the collector do its part.
    fn collect(&mut self, what: Safepoint);

    /// Runs finalizers that wait: at most so many, and, after the first, as long as the deadline is not over.
    fn run(&mut self, count: usize, deadline: Option<Instant>);

    /// Sees to it that another thread runs those that wait. `false` if there is none.
    fn wake(&mut self) -> bool {
        false
    }

    /// Waits until the other thread has run them all, or makes no progress any more. `false` if there is none.
    fn wait(&mut self) -> bool {
        false
    }
}

/// How many finalizers must run before anything else happens at a safepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Some(usize),
    All,
}

/// A safepoint.
pub(crate) fn safepoint(site: &mut (impl Site + ?Sized), what: Safepoint) {
    match what {
        Safepoint::Step => {
            match site.collector().owed(site.allocated()) {
                Owed::Some(0) => {}
                Owed::Some(count) => site.run(count, None),
                Owed::All => run_all(site),
            }
            if site.collector().finalizers_come_first(site.allocated()) {
                run_some(site);
                if site.collector().finalizers_come_first(site.allocated()) {
                    return;
                }
            }
        }
        Safepoint::Collect if site.collector().all_must_run() => run_all(site),
        _ => {}
    }
    site.collect(what);
    run_after(site, what);
    if matches!(what, Safepoint::Step | Safepoint::Collect) {
        if site.collector().pacer.lock().is_crowded() {
            run_all(site);
        }
        // What they saw is garbage now.
        if site.collector().pacer.lock().is_pressed() {
            site.collect(what);
            run_after(site, what);
        }
    }
}

/// Runs what a collection has enqueued.
fn run_after(site: &mut (impl Site + ?Sized), what: Safepoint) {
    match what {
        Safepoint::Step => run_some(site),
        Safepoint::Collect if site.collector().runs_finalizers_here() => run_all(site),
        Safepoint::Collect => run_some(site),
        _ => {}
    }
}

/// Runs finalizers for a step.
fn run_some(site: &mut (impl Site + ?Sized)) {
    let collector = site.collector();
    let waiting = collector.finalizers.waiting();
    let here = match collector.options.finalizer_mode {
        _ if waiting == 0 => false,
        FinalizerMode::AfterCollection => true,
        FinalizerMode::Manual => false,
        FinalizerMode::Thread => !site.wake(),
    };
    if here {
        // A step of no bound has none that the clock could reach.
        let deadline = Instant::now().checked_add(site.collector().options.finalizer_step);
        site.run(waiting, deadline);
    }
}

/// Runs all that wait now, or waits until they have run.
fn run_all(site: &mut (impl Site + ?Sized)) {
    let collector = site.collector();
    let waiting = collector.finalizers.waiting();
    let here = match collector.options.finalizer_mode {
        FinalizerMode::AfterCollection => true,
        FinalizerMode::Manual => false,
        FinalizerMode::Thread => !site.wait(),
    };
    if here && waiting > 0 {
        site.run(waiting, None);
    }
}

impl Collector {
    /// Whether all finalizers that wait must run before everything is collected.
    fn all_must_run(&self) -> bool {
        self.phase() == Phase::Sleeping
            && (self.runs_finalizers_here() || self.pacer.lock().is_pressed())
    }

    /// Whether safepoints run finalizers.
    fn runs_finalizers_here(&self) -> bool {
        self.options.finalizer_mode == FinalizerMode::AfterCollection
    }

    /// How many finalizers must run before a safepoint does anything else, when so much was allocated ever.
    fn owed(&self, allocated: Volume) -> Owed {
        let waiting = self.finalizers.waiting();
        // While a cycle is in progress, those that run free nothing.
        if waiting == 0 || self.phase() != Phase::Sleeping {
            return Owed::Some(0);
        }
        let mut pacer = self.pacer.lock();
        match self.options.finalizer_mode {
            FinalizerMode::Manual => Owed::Some(0),
            FinalizerMode::AfterCollection => {
                let part = pacer.part_to_finalize(allocated);
                if part < 1.0 {
                    Owed::Some((waiting as f64 * part).ceil() as usize)
                } else {
                    Owed::All
                }
            }
            FinalizerMode::Thread if pacer.is_pressed() || pacer.is_urgent(allocated) => Owed::All,
            FinalizerMode::Thread => Owed::Some(0),
        }
    }

    /// Whether a collection is due that must not begin yet, because finalizers wait.
    fn finalizers_come_first(&self, allocated: Volume) -> bool {
        if self.finalizers.waiting() == 0
            || self.options.finalizer_mode == FinalizerMode::Manual
            || self.phase() != Phase::Sleeping
            || self.options.zeal.collect
        {
            return false;
        }
        let pacer = self.pacer.lock();
        let is_due = pacer.debt(allocated) > 0.0;
        // Whoever was waited for in vain is not waited for any longer.
        is_due && !pacer.is_pressed() && !pacer.is_urgent(allocated)
    }
}
