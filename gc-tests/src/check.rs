//! Comparing the real heap with the model.
//!
//! Both are walked in lock step from the roots. Every pointer of the model must be one in the heap,
//! of the same strength, and lead to the same object, which has the contents that follow from its
//! name. After a full collection there is nothing else: the walk has met every allocation. Before,
//! there may be more, of which this knows nothing but the number.
//!
//! Where the model is vague, what can be reached is compared all the same, and of the rest this finds
//! out what is gone. While a cycle is in progress no weak pointer is upgraded here, because that would
//! keep its target alive: it is only asked whether it could be.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use gc_core::Mutation;

use crate::kind::Kind;
use crate::machine::{Machine, OWN_OBJECTS};
use crate::model::{Id, Model, Slot};
use crate::objects::{Handle, Pair, Pointer, Root, Value};
use crate::payload::word;
use crate::tracked::TrackedUnit;

/// What is left of an object to which only weak pointers lead, when its value is dropped.
const SHELL: usize = 16;

/// Of larger objects, this many addresses are looked up.
const SAMPLES: usize = 64;

/// What a walk has met.
#[derive(Default)]
struct Walk {
    /// The address of each object, whole or shell.
    addresses: BTreeMap<Id, usize>,
    /// The same, the other way round, without those that have no memory.
    objects: BTreeMap<usize, Id>,
    /// What can be reached in the model.
    reachable: BTreeSet<Id>,
    /// Objects to which weak pointers could not be upgraded, for the first time.
    vanished: Vec<Id>,
    /// Objects to which short weak pointers could not be upgraded.
    cleared: Vec<Id>,
}

impl Walk {
    /// Notes an object; `false` if it was noted before.
    fn note(&mut self, model: &Model, id: Id, address: usize) -> bool {
        match self.addresses.entry(id) {
            Entry::Occupied(known) => {
                assert_eq!(*known.get(), address, "object {id} is in two places");
                return false;
            }
            Entry::Vacant(vacant) => vacant.insert(address),
        };
        let kind = model.object(id).kind;
        assert!(address.is_multiple_of(if kind.extent().is_some() {
            kind.align()
        } else {
            1
        }));
        if kind.extent().is_some() {
            let other = self.objects.insert(address, id);
            assert_eq!(
                other, None,
                "object {id} is at the same address, {address:#x}"
            );
        }
        true
    }

    /// Walks everything that can be reached.
    fn run<'gc>(
        &mut self,
        mc: &Mutation<'gc>,
        model: &Model,
        root: &[Value<'gc>],
        handles: Vec<(Pointer<'gc>, Id)>,
    ) {
        let mut found = handles;
        self.compare(mc, model, &model.roots, root, &mut found);
        while let Some((pointer, id)) = found.pop() {
            if self.note(model, id, pointer.address()) {
                let object = model.object(id);
                assert!(
                    object.whole && !object.lost,
                    "object {id} should be dropped"
                );
                assert!(
                    pointer.is(object.kind, id),
                    "object {id}, {:?}, was changed",
                    object.kind
                );
                self.compare(mc, model, &object.slots, &pointer.slots(), &mut found);
                if object.kind == Kind::Keyed {
                    self.compare_pair(
                        mc,
                        model,
                        object.pair,
                        pointer.keyed().pair.get(),
                        &mut found,
                    );
                }
            }
        }
    }

    /// Compares an ephemeron, and adds where it leads to `found`.
    fn compare_pair<'gc>(
        &mut self,
        mc: &Mutation<'gc>,
        model: &Model,
        expected: Option<(Id, Id)>,
        found_pair: Option<Pair<'gc>>,
        found: &mut Vec<(Pointer<'gc>, Id)>,
    ) {
        let Some((key, value)) = expected else {
            return assert!(found_pair.is_none(), "an ephemeron should not be there");
        };
        let pair = found_pair.expect("an ephemeron should be there");
        if model.in_cycle() {
            return;
        }
        let object = model.object(key);
        let there = object.whole && !object.lost;
        match pair.get(mc) {
            Some((real_key, real_value)) => {
                assert!(there, "object {key} is gone, but not as a key");
                found.push((Pointer::Keyed(real_key), key));
                found.push((Pointer::Keyed(real_value), value));
            }
            None if there => {
                let excused = model.is_vague() && !self.reachable.contains(&key);
                assert!(excused, "object {key} is gone as a key");
                self.vanished.push(key);
            }
            None => {}
        }
    }

    /// Compares slots, and adds where they lead to `found`.
    fn compare<'gc>(
        &mut self,
        mc: &Mutation<'gc>,
        model: &Model,
        expected: &[Slot],
        values: &[Value<'gc>],
        found: &mut Vec<(Pointer<'gc>, Id)>,
    ) {
        assert_eq!(expected.len(), values.len(), "the number of slots");
        for (slot, value) in expected.iter().zip(values) {
            match (*slot, *value) {
                (Slot::Nil, Value::Nil) => {}
                (Slot::Number(expected), Value::Number(number)) => assert_eq!(expected, number),
                (Slot::Strong(id), Value::Strong(pointer)) => found.push((pointer, id)),
                (Slot::Soft(id), Value::Soft(soft)) => {
                    let target = soft.peek(mc);
                    let target = target.unwrap_or_else(|| panic!("object {id} was let go"));
                    found.push((Pointer::Keyed(target), id));
                }
                (Slot::Weak(id), Value::Weak(_)) | (Slot::Long(id), Value::Long(_)) => {
                    let (address, dropped, long) = match *value {
                        Value::Weak(weak) => (weak.address(), weak.is_dropped(), false),
                        Value::Long(weak) => (weak.address(), weak.is_dropped(), true),
                        _ => unreachable!("it is a weak pointer"),
                    };
                    let object = model.object(id);
                    let there = object.whole && !object.lost;
                    if object.lost && model.in_cycle() {
                        // It is dropped at the end, if it was not yet.
                    } else if !there || self.reachable.contains(&id) || !model.is_vague() {
                        assert_eq!(dropped, !there, "whether object {id} was dropped");
                    } else if dropped {
                        self.vanished.push(id);
                    }
                    if model.in_cycle() {
                        // What can be reached is met elsewhere.
                        if !self.reachable.contains(&id) {
                            self.note(model, id, address);
                        }
                        continue;
                    }
                    let upgraded = match *value {
                        Value::Weak(weak) => weak.upgrade(mc),
                        Value::Long(weak) => weak.upgrade(mc),
                        _ => unreachable!("it is a weak pointer"),
                    };
                    let open = match long {
                        true => Some(!dropped),
                        false if dropped => Some(false),
                        false => model.is_open(id, &self.reachable),
                    };
                    assert!(
                        open.is_none_or(|open| open == upgraded.is_some()),
                        "whether object {id} can be upgraded"
                    );
                    if !long && !dropped && upgraded.is_none() {
                        self.cleared.push(id);
                    }
                    match upgraded {
                        Some(pointer) => {
                            assert_eq!(pointer.address(), address);
                            found.push((pointer, id));
                        }
                        None => {
                            self.note(model, id, address);
                        }
                    }
                }
                (slot, _) => panic!("a slot should be {slot:?} and is something else"),
            }
        }
    }
}

impl Machine {
    /// Compares the heaps. `full` says that there was no operation since the last full collection.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn check(&mut self, full: bool) {
        if !self.model.in_cycle() {
            self.arena
                .verify()
                .unwrap_or_else(|error| panic!("{error}"));
        }
        self.absorb_finalizers();
        self.absorb_drops();
        let mut walk = Walk {
            reachable: self.model.reachable(),
            ..Walk::default()
        };
        self.arena.mutate(|mc, root: &Root<'_>| {
            let fetch = |(handle, id): (&Handle, &Id)| (handle.fetch(mc, root.set), *id);
            let handles = self
                .handles
                .iter()
                .zip(&self.model.handles)
                .map(fetch)
                .collect();
            walk.run(mc, &self.model, &root.slots, handles);
        });
        self.check_extents(&walk, full);
        self.check_pins();
        self.addresses.extend(walk.addresses);
        for id in walk.cleared {
            self.model.cleared(id);
        }
        for id in walk.vanished {
            self.model.vanished(id);
        }
        assert_eq!(
            self.log.counts(),
            self.model.dropped,
            "which values were dropped how often"
        );
        let units = TrackedUnit::dropped() - self.units_before;
        let least = self.model.dropped_units;
        let most = match self.model.is_vague() {
            true => least + self.model.fading_units(&walk.reachable),
            false => least,
        };
        assert!(
            (least..=most).contains(&units),
            "{units} values of size zero were dropped, not {least} to {most}"
        );
    }

    /// Compares the extents of all objects, and looks addresses up.
    fn check_extents(&mut self, walk: &Walk, full: bool) {
        let all: BTreeMap<usize, usize> = self
            .arena
            .allocations()
            .iter()
            .map(|extent| (extent.base, extent.bytes))
            .collect();
        for (base, id) in &walk.objects {
            let object = self.model.object(*id);
            let (bytes, kind) = (all.get(base).copied(), object.kind);
            let gone = !object.whole || object.lost || walk.vanished.contains(id);
            assert!(
                bytes == kind.extent() || gone && bytes == Some(SHELL),
                "the size of object {id}, {kind:?}, is {bytes:?}"
            );
        }
        let certain = self.model.certain(&walk.reachable) + OWN_OBJECTS;
        let count = self.arena.metrics().total_gc_count();
        assert!(count >= certain, "{count} objects, at least {certain}");
        if self.model.in_cycle() {
            // The rest may be freed while one looks at it.
            for (base, id) in &walk.objects {
                let bytes = all[base];
                for offset in [0, 1, 8, bytes / 2, bytes - 8, bytes - 1] {
                    let found = self.arena.allocation_of(base + offset);
                    assert_eq!(
                        found.map(|extent| (extent.base, extent.bytes)),
                        Some((*base, bytes)),
                        "{offset} bytes into object {id}"
                    );
                }
            }
            return;
        }
        assert_eq!(all.len(), count);
        if full {
            let least = self.model.count() + OWN_OBJECTS;
            let most = least + self.soft_objects;
            assert!(
                (least..=most).contains(&all.len()),
                "the number of allocations"
            );
        }
        let mut end = 0;
        for (base, bytes) in &all {
            assert!(
                *base >= end,
                "the allocation at {base:#x} overlaps the one before"
            );
            end = base + bytes;
        }
        for (salt, (base, bytes)) in (0..).zip(&all) {
            let words = bytes / 8;
            let offsets: Vec<usize> = match words {
                0..=SAMPLES => (0..words).map(|word| word * 8).collect(),
                _ => (0..SAMPLES)
                    .map(|index| word(salt, index) as usize % bytes)
                    .collect(),
            };
            for offset in offsets
                .into_iter()
                .chain([0, 1, 7, 8, bytes - 9, bytes - 8, bytes - 1])
            {
                self.look_up(&all, base + offset);
            }
            for outside in [base - 1, base - 8, base + bytes, base + bytes + 8] {
                self.look_up(&all, outside);
            }
        }
        // Numbers that have nothing to do with this heap.
        let local = 0;
        let boxed = Box::new(0);
        for address in [
            0,
            1,
            8,
            usize::MAX,
            usize::MAX - 15,
            1 << 47,
            (&raw const local).addr(),
            (&raw const *boxed).addr(),
            Machine::check_extents as fn(&mut Machine, &Walk, bool) as usize,
        ] {
            assert_eq!(self.arena.allocation_of(address), None, "{address:#x}");
        }
        for address in self.addresses.values() {
            self.look_up(&all, *address);
        }
    }

    /// Compares what the heap says of an address with what follows from the list of allocations.
    fn look_up(&self, all: &BTreeMap<usize, usize>, address: usize) {
        let below = all.range(..=address).next_back();
        let expected = below.filter(|(base, bytes)| address - **base < **bytes);
        let found = self
            .arena
            .allocation_of(address)
            .map(|extent| (extent.base, extent.bytes));
        assert_eq!(
            found,
            expected.map(|(base, bytes)| (*base, *bytes)),
            "{address:#x}"
        );
    }

    /// Compares the list of what is pinned with the guards that there are.
    fn check_pins(&self) {
        let mut guards: BTreeMap<usize, usize> = BTreeMap::new();
        self.arena.mutate(|mc, root| {
            for handle in self.handles.iter().filter(|handle| handle.is_pin()) {
                let address = handle.fetch(mc, root.set).address();
                *guards.entry(address).or_default() += 1;
            }
        });
        guards.insert(self.ledger.drawer_address(), 1);
        let pinned = self.arena.pinned();
        let listed = pinned.iter().map(|object| (object.address, object.pins));
        assert!(listed.eq(guards), "what is pinned: {pinned:?}");
    }

    /// Ends the arena, before or after the handles that keep objects of it, and compares what was
    /// dropped.
    ///
    /// # Panics
    ///
    /// If a value was not dropped, or more than once.
    pub fn finish(mut self, handles_first: bool) {
        self.check(false);
        self.model.end();
        let waiting = self.model.finalizers();
        let (arena, handles) = (self.arena, self.handles);
        if handles_first {
            drop(handles);
            drop(arena);
        } else {
            drop(arena);
            drop(handles);
        }
        assert_eq!(
            self.log.counts(),
            self.model.dropped,
            "which values were dropped how often"
        );
        assert_eq!(
            self.not_run.load(Ordering::Relaxed),
            waiting,
            "how many finalizers have not run"
        );
        let units = TrackedUnit::dropped() - self.units_before;
        assert_eq!(
            units, self.model.dropped_units,
            "how many values of size zero were dropped"
        );
    }
}
