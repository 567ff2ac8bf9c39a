//! The machine: executes operations on a real arena and on the model side by side.
//!
//! Like a program that embeds the collector, it gets at objects only by way of roots, and leaves
//! `mutate` after each operation. What it knows of an object beside that is its address, and only
//! as a number. When a collection happened, everything is compared (see [`crate::check`]).
//!
//! After each operation the machine looks where the collector is in its cycle, and how many cycles
//! were completed, and tells the model: a cycle that both began and ended at one safepoint was a full
//! collection; of any other, the beginning and the end are told. Whoever reads this as a specification
//! finds in `Machine::observe` what a mode may do and where.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::arena::CollectionPhase;
use gc_core::barrier::unlock;
use gc_core::finalizer::{FinalizerReport, Registration};
use gc_core::{
    Arena, DynamicRootSet, Gc, HeapError, HeapOptions, Mode, Mutation, RefLock, Rootable, Soft,
};

use crate::access;
use crate::kind::Kind;
use crate::ledger::{Finalizer, Ledger, Number};
use crate::model::{Id, Model, Route, Slot};
use crate::objects::{Handle, Keyed, Pair, Pointer, Root, Value};
use crate::operation::{Barrier, Destination, Operation, Path, Pause, Source};
use crate::tracked::{DROP_PANIC, DropLog, TRACE_PANIC, TrackedUnit};

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

/// Where a value comes from in the real heap.
enum Supply {
    Nil,
    Number(i64),
    Strong(Route),
    Weak(Route),
    Long(Route),
    Soft(Route),
    Slot(Route, usize),
}

/// The object at the end of a route.
fn follow<'gc>(root: &Root<'gc>, route: &Route) -> Pointer<'gc> {
    let strong = |value| match value {
        Value::Strong(pointer) => pointer,
        _ => panic!("a strong pointer of the model is none in the heap: {route:?}"),
    };
    let start = strong(root.slots[route.root]);
    route
        .slots
        .iter()
        .fold(start, |pointer, slot| strong(pointer.slot(*slot)))
}

impl Supply {
    fn value<'gc>(&self, mc: &Mutation<'gc>, root: &Root<'gc>) -> Value<'gc> {
        match self {
            Supply::Nil => Value::Nil,
            Supply::Number(number) => Value::Number(*number),
            Supply::Strong(route) => Value::Strong(follow(root, route)),
            Supply::Weak(route) => Value::Weak(follow(root, route).downgrade()),
            Supply::Long(route) => Value::Long(follow(root, route).downgrade_long()),
            Supply::Soft(route) => Value::Soft(Soft::new(mc, follow(root, route).keyed())),
            Supply::Slot(route, slot) => follow(root, route).slot(*slot),
        }
    }
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

    fn collect_debt(&mut self) {
        self.arena.collect_debt();
        self.observe(true);
    }

    fn finish_cycle(&mut self) {
        self.arena.finish_cycle();
        self.finished();
    }

    /// Brings the model up to date after a full collection, and compares.
    fn finished(&mut self) {
        let collections = self.arena.metrics().statistics().collections;
        let completed = collections - self.collections;
        // Of the two that there may be, the first was in progress before.
        let most = if self.model.in_cycle() { 2 } else { 1 };
        assert!((1..=most).contains(&completed), "{completed} cycles");
        assert_eq!(self.arena.collection_phase(), CollectionPhase::Sleeping);
        self.collections = collections;
        self.model.collect();
        self.check(true);
    }

    /// Tells the model what the collector has done, and compares.
    fn observe(&mut self, safepoint: bool) {
        let collections = self.arena.metrics().statistics().collections;
        let mut completed = collections - self.collections;
        self.collections = collections;
        let phase = self.arena.collection_phase();
        if completed > 0 && self.model.in_cycle() {
            self.model.end_cycle();
            completed -= 1;
            self.check(false);
        }
        if completed > 0 {
            assert!(safepoint, "a cycle outside of a safepoint");
            assert_eq!(completed, 1, "one safepoint, several collections");
            self.model.collect();
            if phase == CollectionPhase::Sleeping {
                self.check(true);
            }
        }
        if phase == CollectionPhase::Sleeping {
            assert!(!self.model.in_cycle(), "a cycle ended and was not counted");
        } else if !self.model.in_cycle() {
            assert!(safepoint, "a cycle began outside of a safepoint");
            assert_ne!(
                self.mode,
                Mode::StopTheWorld,
                "a cycle was left in progress"
            );
            self.model.begin_cycle();
        }
        self.absorb_finalizers();
        self.absorb_drops();
        let found = self.arena.metrics().total_gc_count();
        let expected = self.model.count() + OWN_OBJECTS;
        let most = expected + self.soft_objects;
        assert!(found <= most, "{found} objects, at most {most}");
        if !self.model.is_vague() {
            assert!(found >= expected, "{found} objects, at least {expected}");
        }
    }

    /// Tells the model which values were dropped.
    pub(crate) fn absorb_drops(&mut self) {
        let mut news = self.log.news();
        news.sort_unstable();
        news.dedup();
        news.retain(|id| self.model.get(*id).is_some_and(|object| object.whole));
        if !news.is_empty() {
            let reachable = self.model.reachable();
            for id in news {
                assert!(
                    !reachable.contains(&id),
                    "object {id} was dropped and can be reached"
                );
                assert!(
                    self.model.is_vague(),
                    "object {id} was dropped outside of a cycle"
                );
                self.model.lose(id);
            }
        }
    }

    /// Tells the model which finalizers have run, and makes roots of what they have resurrected.
    pub(crate) fn absorb_finalizers(&mut self) {
        let news = self.ledger.news();
        if !news.is_empty() {
            let mut resurrected = Vec::new();
            for entry in news {
                let (id, resurrects) = self.model.ran(entry.number);
                assert!(entry.faults.is_empty(), "object {id}: {entry:?}");
                // It was at hand in any case.
                self.model.revived(id);
                resurrected.extend(resurrects.then_some(id));
            }
            let roots = resurrected.iter().copied().map(Slot::Strong);
            self.model.roots.extend(roots);
            self.arena.mutate_root(|mc, root| {
                let drawer = core::mem::take(&mut *root.drawer.borrow_mut(mc));
                assert_eq!(drawer.len(), resurrected.len());
                root.slots.extend(drawer);
            });
        }
        let (least, most) = self.model.waiting();
        let waiting = self.arena.metrics().statistics().finalizers_waiting;
        assert!(
            (least..=most).contains(&waiting),
            "{waiting} finalizers wait, not {least} to {most}"
        );
    }

    fn safepoint(&mut self, finish: bool) -> Option<String> {
        let result = catch_unwind(AssertUnwindSafe(|| match finish {
            true => self.arena.finish_cycle(),
            false => self.arena.collect_debt(),
        }));
        let payload = result.err()?;
        Some(*payload.downcast::<String>().expect("a panic with a text"))
    }

    fn panic_in_trace(&mut self, finish: bool) {
        self.log.set_trace_panics(true);
        let panic = self.safepoint(finish);
        self.log.set_trace_panics(false);
        if let Some(text) = panic {
            assert_eq!(text, TRACE_PANIC);
            assert_eq!(self.arena.collection_phase(), CollectionPhase::Sleeping);
            // Of the cycles that there may have been, the last was given up.
            if self.arena.metrics().statistics().collections == self.collections {
                self.model.abandon_cycle();
            }
            self.observe(true);
            self.check(false);
        } else if finish {
            self.finished();
        } else {
            self.observe(true);
        }
    }

    fn panic_in_drop(&mut self, finish: bool) {
        self.log.set_drop_panics(true);
        let panic = self.safepoint(finish);
        self.log.set_drop_panics(false);
        if let Some(text) = panic {
            assert_eq!(text, DROP_PANIC);
            self.observe(true);
            self.check(false);
            if finish {
                self.finish_cycle();
            }
        } else if finish {
            self.finished();
        } else {
            self.observe(true);
        }
    }

    fn root_index(&self, wanted: usize) -> Option<usize> {
        let count = self.model.roots.len();
        (count > 0).then(|| wanted % count)
    }

    fn handle_index(&self, wanted: usize) -> Option<usize> {
        let count = self.handles.len();
        (count > 0).then(|| wanted % count)
    }

    fn route(&self, path: &Path) -> Option<Route> {
        self.model.route(path.root, &path.steps)
    }

    /// What a source means in the model, and how to get it in the real heap.
    fn supply(&mut self, source: &Source) -> Option<(Slot, Supply)> {
        let number = |number| (Slot::Number(number), Supply::Number(number));
        Some(match source {
            Source::Nil => (Slot::Nil, Supply::Nil),
            Source::Number(value) => number(*value),
            Source::AddressOf(path, offset) => {
                let route = self.route(path)?;
                number(self.addresses[&route.id] as i64 + i64::from(*offset))
            }
            Source::OldAddress(index) => {
                let count = self.addresses.len();
                let address = (count > 0).then(|| self.addresses.values().nth(index % count))??;
                number(*address as i64)
            }
            Source::Strong(path) => {
                let route = self.route(path)?;
                (Slot::Strong(route.id), Supply::Strong(route))
            }
            Source::Weak(path) => {
                let route = self.route(path)?;
                (Slot::Weak(route.id), Supply::Weak(route))
            }
            Source::Long(path) => {
                let route = self.route(path)?;
                (Slot::Long(route.id), Supply::Long(route))
            }
            Source::Soft(path) => {
                let route = self.keyed(path).filter(|_| self.keeps_soft)?;
                self.soft_objects += 2;
                (Slot::Soft(route.id), Supply::Soft(route))
            }
            Source::Copy(path, slot) => {
                let route = self.route(path)?;
                let slots = &self.model.object(route.id).slots;
                let slot = (!slots.is_empty()).then(|| slot % slots.len())?;
                (slots[slot], Supply::Slot(route, slot))
            }
        })
    }

    /// Writes, or clears the slot if it cannot hold the value.
    fn write(&mut self, at: &Route, wanted: usize, value: Slot, supply: &Supply, barrier: Barrier) {
        let object = self.model.object(at.id);
        let Some(slot) = object.kind.slot(object.slots.len(), wanted) else {
            return;
        };
        let (value, supply) = match self.model.accepts(at.id, slot, value) {
            true => (value, supply),
            false => (Slot::Nil, &Supply::Nil),
        };
        if !self.model.accepts(at.id, slot, value) {
            return;
        }
        self.arena.mutate(|mc, root| {
            let value = supply.value(mc, root);
            follow(root, at).set(mc, slot, value, barrier);
        });
        self.model.write(at.id, slot, value);
    }

    fn allocate(&mut self, kind: Kind, origin: Option<&Path>, slot: Option<&(Path, usize)>) {
        let id = self.next;
        self.next += 1;
        let origin = origin
            .and_then(|path| self.route(path))
            .filter(|route| self.model.object(route.id).kind == Kind::Fixed);
        let log = &self.log;
        let made = self.arena.mutate_root(|mc, root| {
            let origin = origin.as_ref().map(|route| follow(root, route));
            let pointer = access::allocate(mc, kind, id, origin, log)?;
            root.slots.push(Value::Strong(pointer));
            Ok(pointer.address())
        });
        match made {
            Ok(address) => {
                self.model.allocate(id, kind, origin.map(|route| route.id));
                self.model.roots.push(Slot::Strong(id));
                self.addresses.insert(id, address);
            }
            Err(error) => return self.refuse(id, kind, error),
        }
        // With a slot to go to it is a root no longer than it has to be.
        if let Some((path, slot)) = slot
            && let Some(route) = self.route(path)
        {
            let index = self.model.roots.len() - 1;
            let itself = Route {
                root: index,
                slots: Vec::new(),
                id,
            };
            self.write(
                &route,
                *slot,
                Slot::Strong(id),
                &Supply::Strong(itself),
                Barrier::Object,
            );
            self.model.roots.pop();
            self.arena.mutate_root(|_, root| _ = root.slots.pop());
        }
    }

    /// Allocates objects that are garbage from the beginning.
    fn litter(&mut self, kind: Kind, count: usize) {
        for _ in 0..count {
            let id = self.next;
            self.next += 1;
            let log = &self.log;
            let made = self
                .arena
                .mutate(|mc, _| access::allocate(mc, kind, id, None, log).map(Pointer::address));
            match made {
                Ok(address) => {
                    self.model.allocate(id, kind, None);
                    self.addresses.insert(id, address);
                }
                Err(error) => return self.refuse(id, kind, error),
            }
        }
    }

    /// An allocation failed: its value was dropped, nothing else happened, the error tells why, and
    /// a collection is due.
    fn refuse(&mut self, id: Id, kind: Kind, error: HeapError) {
        self.refused += 1;
        self.model.refuse(id, kind);
        let bytes = kind.extent().expect("an object without memory was refused");
        match error {
            HeapError::LimitReached {
                requested,
                limit,
                in_use,
            } => {
                assert!(requested >= bytes && in_use <= limit && requested > limit - in_use);
                assert!(
                    error.to_string().contains("raise `HeapOptions::limit`"),
                    "{error}"
                );
            }
            HeapError::AddressSpaceExhausted {
                requested,
                reserved,
            } => {
                assert!(requested >= bytes && reserved > 0);
                assert!(
                    error.to_string().contains("raise `HeapOptions::reserve`"),
                    "{error}"
                );
            }
            other => panic!("{other}"),
        }
        self.observe(false);
        if self.model.in_cycle() {
            return self.finish_cycle();
        }
        assert!(self.arena.metrics().allocation_debt() > 0.0);
        let before = self.collections;
        self.collect_debt();
        assert!(self.collections > before || self.model.in_cycle());
        if self.model.is_vague() {
            self.finish_cycle();
        }
    }

    /// Moves a pointer.
    fn relocate(
        &mut self,
        from: &Path,
        wanted: usize,
        to: &Destination,
        pause: Pause,
        barrier: Barrier,
    ) {
        let Some(route) = self.route(from) else {
            return;
        };
        if let Destination::New(kind) = to {
            // Made first, so that both writes can be in one call.
            let before = self.model.roots.len();
            self.allocate(*kind, None, None);
            if self.model.roots.len() == before {
                return;
            }
        }
        let slots = &self.model.object(route.id).slots;
        let Some(slot) = (!slots.is_empty()).then(|| wanted % slots.len()) else {
            return;
        };
        let value = slots[slot];
        let to = match to {
            Destination::Root => None,
            Destination::New(_) => {
                let last = self.model.roots.len() - 1;
                Some((self.model.route(last, &[]), 0))
            }
            Destination::Slot(path, wanted) => Some((self.route(path), *wanted)),
        };
        let to = to.map(|(route, wanted)| (route.expect("there is a root"), wanted));
        if pause != Pause::None {
            let supply = Supply::Slot(route.clone(), slot);
            match &to {
                None => {
                    self.model.roots.push(value);
                    self.arena
                        .mutate_root(|mc, root| root.slots.push(supply.value(mc, root)));
                }
                Some((at, wanted)) => self.write(at, *wanted, value, &supply, barrier),
            }
            if pause == Pause::Safepoint {
                self.collect_debt();
            }
            // The write may have cut the way.
            if self.model.leads(&route) {
                self.write(&route, slot, Slot::Nil, &Supply::Nil, barrier);
            }
            return;
        }
        let place = match &to {
            None => None,
            Some((at, wanted)) => {
                let object = self.model.object(at.id);
                match object.kind.slot(object.slots.len(), *wanted) {
                    Some(place) if self.model.accepts(at.id, place, value) => Some((at, place)),
                    _ => return,
                }
            }
        };
        if !self.model.accepts(route.id, slot, Slot::Nil) {
            return;
        }
        self.arena.mutate_root(|mc, root| {
            let object = follow(root, &route);
            let value = object.slot(slot);
            match place {
                None => root.slots.push(value),
                Some((at, place)) => follow(root, at).set(mc, place, value, barrier),
            }
            object.set(mc, slot, Value::Nil, barrier);
        });
        match place {
            None => self.model.roots.push(value),
            Some((at, place)) => self.model.write(at.id, place, value),
        }
        self.model.write(route.id, slot, Slot::Nil);
    }

    /// Takes the content of a growing object away at once.
    fn take_apart(&mut self, from: &Path, to: Option<&Path>) {
        let grows = |route: &Route| self.model.object(route.id).kind == Kind::Vector;
        let Some(from) = self.route(from).filter(grows) else {
            return;
        };
        let to = to.and_then(|to| self.route(to)).filter(grows);
        self.arena.mutate_root(|mc, root| {
            let target = to.as_ref().map(|to| follow(root, to));
            let taken = follow(root, &from).take(mc);
            match target {
                Some(target) => target.extend(mc, taken),
                None => root.slots.extend(taken),
            }
        });
        let taken = self.model.take(from.id);
        match to {
            Some(to) => self.model.extend(to.id, taken),
            None => self.model.roots.extend(taken),
        }
    }

    fn keyed(&self, path: &Path) -> Option<Route> {
        self.model.keyed(self.route(path)?)
    }

    /// Writes an ephemeron.
    fn pair(&mut self, object: &Path, pair: Option<&(Path, Path)>) {
        let Some(at) = self.keyed(object) else { return };
        let pair = match pair {
            None => None,
            Some((key, value)) => match (self.keyed(key), self.keyed(value)) {
                (Some(key), Some(value)) => Some((key, value)),
                _ => return,
            },
        };
        self.arena.mutate(|mc, root| {
            let find = |route| follow(root, route).keyed();
            let new = pair
                .as_ref()
                .map(|(key, value)| Pair::new(find(key), find(value)));
            unlock!(Gc::write(mc, find(&at)), Keyed, pair).set(new);
        });
        let pair = pair.map(|(key, value)| (key.id, value.id));
        self.model.pair(at.id, pair);
    }

    /// Follows an ephemeron.
    fn follow_pair(&mut self, object: &Path, keep: bool) {
        let Some(at) = self.keyed(object) else { return };
        let Some((key, value)) = self.model.object(at.id).pair else {
            return;
        };
        let there = self.arena.mutate_root(|mc, root| {
            let pair = follow(root, &at).keyed().pair.get();
            let found = pair.expect("there is an ephemeron").get(mc);
            if let Some((real_key, real_value)) = found {
                assert_eq!((real_key.id, real_value.id), (key, value));
                if keep {
                    let both = [real_key, real_value];
                    root.slots
                        .extend(both.map(|gc| Value::Strong(Pointer::Keyed(gc))));
                }
            }
            found.is_some()
        });
        self.note_long(key, there);
        if there {
            self.model.revived(value);
            if keep {
                self.model.roots.extend([key, value].map(Slot::Strong));
            }
        }
    }

    /// Tells the model whether an object was there when a long weak pointer or an ephemeron was followed to it.
    fn note_long(&mut self, id: Id, there: bool) {
        let object = self.model.object(id);
        let here = object.whole && !object.lost;
        if there {
            assert!(here, "object {id} was upgraded, and is gone");
            self.model.revived(id);
        } else if here {
            assert!(
                self.model.is_vague() && !self.model.reachable().contains(&id),
                "object {id} cannot be upgraded"
            );
            self.model.vanished(id);
        }
    }

    fn finalize(&mut self, path: &Path, resurrects: bool) {
        let Some(route) = self.route(path) else {
            return;
        };
        let (id, kind) = (route.id, self.model.object(route.id).kind);
        if !kind.can_be_finalized() {
            return;
        }
        let number = self.next;
        self.next += 1;
        let finalizer = Finalizer {
            number,
            id,
            kind,
            resurrects,
        };
        let registration = self
            .arena
            .mutate(|mc, root| follow(root, &route).finalize(mc, &self.ledger, finalizer));
        let registration = registration.expect("objects of this kind can be finalized");
        self.registrations.push((number, registration));
        self.model.register(number, id, resurrects);
    }

    fn unregister(&mut self, wanted: usize) {
        let count = self.registrations.len();
        if count > 0 {
            let (number, registration) = self.registrations[wanted % count];
            let taken = self
                .arena
                .mutate(|mc, _| mc.unregister_finalizer(registration));
            self.model
                .unregistered(number, taken.expect("it is of this arena"));
        }
    }

    fn run_finalizers(&mut self, count: usize) {
        let waiting = self.arena.metrics().statistics().finalizers_waiting;
        let run = self.arena.run_finalizers(count);
        assert_eq!(run, count.min(waiting), "the number of finalizers that ran");
    }

    fn upgrade(&mut self, object: &Path, wanted: usize, keep: bool) {
        let Some(route) = self.route(object) else {
            return;
        };
        let slots = &self.model.object(route.id).slots;
        let slot = (!slots.is_empty()).then(|| wanted % slots.len());
        if let Some(slot) = slot
            && let Slot::Weak(id) | Slot::Long(id) = slots[slot]
        {
            self.follow_weak(id, keep, |root| follow(root, &route).slot(slot));
        } else if let Some(index) = self.root_index(wanted)
            && let Slot::Weak(id) | Slot::Long(id) = self.model.roots[index]
        {
            self.follow_weak(id, keep, |root| root.slots[index]);
        }
    }

    /// Upgrades the weak pointer to the object `id` that `get` gets, and maybe makes a root of it.
    fn follow_weak(&mut self, id: Id, keep: bool, get: impl for<'gc> Fn(&Root<'gc>) -> Value<'gc>) {
        let object = self.model.object(id);
        let kind = object.kind;
        let (there, long) = self.arena.mutate_root(|mc, root| {
            let (upgraded, long) = match get(root) {
                Value::Weak(weak) => (weak.upgrade(mc), false),
                Value::Long(weak) => (weak.upgrade(mc), true),
                _ => panic!("a weak pointer of the model is none in the heap"),
            };
            assert!(
                upgraded.is_none_or(|pointer| pointer.is(kind, id)),
                "object {id}, {kind:?}, was changed"
            );
            if keep {
                root.slots.extend(upgraded.map(Value::Strong));
            }
            (upgraded.is_some(), long)
        });
        if long {
            self.note_long(id, there);
        } else {
            let expected = self.model.is_open(id, &self.model.reachable());
            assert!(
                expected.is_none_or(|expected| expected == there),
                "whether object {id} can be upgraded: {there}"
            );
            match there {
                true => self.model.upgraded(id),
                false => self.model.cleared(id),
            }
        }
        if there && keep {
            self.model.roots.push(Slot::Strong(id));
        }
    }
}
