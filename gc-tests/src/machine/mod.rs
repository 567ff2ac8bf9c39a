//! The machine: executes operations on a real arena and on the model side by side.
//!
//! Like a program that embeds the collector, it gets at objects only by way of roots, and leaves
//! `mutate` after each operation. What it knows of an object beside that is its address, and only
//! as a number. When a collection happened, everything is compared (see [`crate::check`]).
//!
//! After each operation the machine looks where the collector is in its cycle, and how many cycles
//! were completed, and tells the model: a cycle that both began and ended at one safepoint was a full
//! collection; of any other, the beginning and the end are told. Finalizers note how many
//! collections were complete when they ran, so the model hears of them in their place between collections
//! (`Machine::catch_up`). Whoever reads this as a specification finds in `Machine::observe` what a mode may do and where.

mod allocate;
mod collect;
mod observe;
mod references;
mod supply;
mod write;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::finalizer::{FinalizerReport, Registration};
use gc_core::{Arena, DynamicRootSet, Gc, HeapError, HeapOptions, Mode, RefLock, Rootable};

use self::supply::follow;
use crate::ledger::{Ledger, Number};
use crate::model::{Id, Model, Slot};
use crate::objects::{Handle, Root, Value};
use crate::operation::Operation;
use crate::tracked::{DropLog, TrackedUnit};

/// The objects that are not in the model: the dynamic root set, and the drawer.
pub(crate) const OWN_OBJECTS: usize = 2;

/// An arena and its model.
pub struct Machine {
    pub(crate) arena: Arena<Rootable![Root<'_>]>,
    pub(crate) model: Model,
    pub(crate) handles: Vec<Handle>,
    pub(crate) log: Rc<DropLog>,
    pub(crate) ledger: Rc<Ledger>,
    /// All finalizers that there ever were.
    registrations: Vec<(Number, Registration)>,
    /// How many finalizers the arena says will never run.
    pub(crate) not_run: Arc<AtomicUsize>,
    /// How many values of size zero had been dropped at the start.
    pub(crate) units_before: usize,
    /// Where each object was when it was last seen.
    pub(crate) addresses: BTreeMap<Id, usize>,
    mode: Mode,
    next: Id,
    /// Whether soft pointers are always kept.
    keeps_soft: bool,
    /// How many objects there may be for soft pointers: two for each.
    pub(crate) soft_objects: usize,
    collections: u64,
    /// The number of allocations that failed.
    refused: usize,
}

impl Machine {
    /// A machine with an empty heap that is collected in that mode.
    ///
    /// # Errors
    ///
    /// Those of [`Arena::with_options`].
    pub fn new(options: HeapOptions, mode: Mode) -> Result<Machine, HeapError> {
        let arena = Arena::with_options(options.mode(mode), |mc| Root {
            slots: Vec::new(),
            set: DynamicRootSet::new(mc),
            drawer: Gc::new(mc, RefLock::new(Vec::new())),
        })?;
        let drawer = arena.mutate(|mc, root: &Root<'_>| Gc::pin(mc, root.drawer));
        let not_run = Arc::new(AtomicUsize::new(0));
        let sum = Arc::clone(&not_run);
        arena.set_finalizer_hook(move |report| match report {
            FinalizerReport::NotRun { count } => {
                // Read by this thread only.
                sum.fetch_add(*count, Ordering::Relaxed);
            }
            other => panic!("no finalizer panics: {other:?}"),
        });
        Ok(Machine {
            arena,
            model: Model::default(),
            handles: Vec::new(),
            log: Rc::default(),
            ledger: Rc::new(Ledger::new(drawer)),
            registrations: Vec::new(),
            not_run,
            units_before: TrackedUnit::dropped(),
            addresses: BTreeMap::new(),
            mode,
            next: 1,
            keeps_soft: false,
            soft_objects: 0,
            collections: 0,
            refused: 0,
        })
    }

    /// Says that the options of the heap are such that soft pointers are always kept: programs may use them.
    #[must_use]
    pub fn with_soft_pointers(self) -> Machine {
        Machine {
            keeps_soft: true,
            ..self
        }
    }

    /// Executes one operation on both heaps.
    ///
    /// # Panics
    ///
    /// If the heaps differ.
    pub fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Allocate { kind, origin, slot } => {
                self.allocate(*kind, origin.as_ref(), slot.as_ref());
            }
            Operation::Garbage { kind, count } => self.litter(*kind, *count),
            Operation::Write {
                object,
                slot,
                source,
                barrier,
            } => {
                if let Some(route) = self.route(object)
                    && let Some((value, supply)) = self.supply(source)
                {
                    self.write(&route, *slot, value, &supply, *barrier);
                }
            }
            Operation::Root(source) => {
                if let Some((value, supply)) = self.supply(source) {
                    self.model.roots.push(value);
                    self.arena
                        .mutate_root(|mc, root| root.slots.push(supply.value(mc, root)));
                }
            }
            Operation::Unroot(index) => {
                if let Some(index) = self.root_index(*index) {
                    self.model.roots.swap_remove(index);
                    self.arena
                        .mutate_root(|_, root| _ = root.slots.swap_remove(index));
                }
            }
            Operation::Reroot(index, source) => {
                if let Some(index) = self.root_index(*index)
                    && let Some((value, supply)) = self.supply(source)
                {
                    self.model.roots[index] = value;
                    self.arena
                        .mutate_root(|mc, root| root.slots[index] = supply.value(mc, root));
                }
            }
            Operation::Stash(path) => {
                if let Some(route) = self.route(path) {
                    let handle = self
                        .arena
                        .mutate(|mc, root| follow(root, &route).stash(mc, root.set));
                    self.handles.push(handle);
                    self.model.handles.push(route.id);
                }
            }
            Operation::Pin(path) => {
                if let Some(route) = self.route(path) {
                    let handle = self.arena.mutate(|mc, root| follow(root, &route).pin(mc));
                    self.handles.push(handle);
                    self.model.handles.push(route.id);
                }
            }
            Operation::CloneHandle(index) => {
                if let Some(index) = self.handle_index(*index) {
                    self.handles.push(self.handles[index].clone());
                    self.model.handles.push(self.model.handles[index]);
                }
            }
            Operation::DropHandle(index) => {
                if let Some(index) = self.handle_index(*index) {
                    self.handles.swap_remove(index);
                    self.model.handles.swap_remove(index);
                }
            }
            Operation::Fetch(index) => {
                if let Some(index) = self.handle_index(*index) {
                    let handle = &self.handles[index];
                    self.model
                        .roots
                        .push(Slot::Strong(self.model.handles[index]));
                    self.arena.mutate_root(|mc, root| {
                        root.slots.push(Value::Strong(handle.fetch(mc, root.set)));
                    });
                }
            }
            Operation::Move {
                from,
                slot,
                to,
                pause,
                barrier,
            } => self.relocate(from, *slot, to, *pause, *barrier),
            Operation::TakeApart { from, to } => self.take_apart(from, to.as_ref()),
            Operation::TurnRoots => {
                self.model.roots.reverse();
                self.arena.mutate_root(|_, root| {
                    let slots = core::mem::take(&mut root.slots);
                    root.slots = slots.into_iter().rev().collect();
                });
            }
            Operation::Upgrade { object, slot, keep } => self.upgrade(object, *slot, *keep),
            Operation::Pair { object, pair } => self.pair(object, pair.as_ref()),
            Operation::FollowPair { object, keep } => self.follow_pair(object, *keep),
            Operation::Finalize { object, resurrects } => self.finalize(object, *resurrects),
            Operation::Unregister(index) => self.unregister(*index),
            Operation::RunFinalizers(count) => self.run_finalizers(*count),
            Operation::CollectDebt => self.collect_debt(),
            Operation::ReleaseUnused => self.arena.release_unused(),
            Operation::FinishCycle => self.finish_cycle(),
            Operation::PanicInTrace { finish } => self.panic_in_trace(*finish),
            Operation::PanicInDrop { finish } => self.panic_in_drop(*finish),
            Operation::Check => self.check(false),
            Operation::DropAll => {
                self.handles.clear();
                self.model.handles.clear();
                self.model.roots.clear();
                self.arena.mutate_root(|_, root| root.slots.clear());
            }
        }
        self.observe(false);
    }

    /// The number of allocations that failed so far.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// The number of finalizers that have not run.
    pub fn finalizers(&self) -> usize {
        self.model.finalizers()
    }

    /// The number of collections so far.
    pub fn collections(&self) -> u64 {
        self.collections
    }

    /// The arena.
    pub fn arena(&self) -> &Arena<Rootable![Root<'_>]> {
        &self.arena
    }
}
