//! How a life compares the heap with its shadow.

use std::collections::HashSet;

use gc_core::Gc;
use gc_core::arena::CollectionPhase;

use super::{Life, compare, walk};
use crate::graph::{Link, Object, Pairs};
use crate::shadow::{self, Id};

impl Life {
    /// Objects are looked at, and the heap is asked about itself.
    pub(super) fn look(&mut self) {
        let address = self.mutate(|_, root, shadow, random| {
            let (object, _) = (0..10)
                .map(|_| walk(root, shadow, random))
                .fold(None, |last, walked| walked.or(last))?;
            Some(match object {
                Object::Node(gc) => Gc::as_ptr(gc).addr(),
                Object::Cell(gc) => Gc::as_ptr(gc).addr(),
                Object::Table(gc) => Gc::as_ptr(gc).addr(),
                Object::Array(gc) => Gc::as_ptr(gc).addr(),
            })
        });
        if let Some(address) = address {
            let extent = self.heap.allocation_of(address + 1);
            assert_eq!(extent.map(|extent| extent.base), Some(address));
        }
        if self.random.one_in(50) && self.heap.collection_phase() == CollectionPhase::Sleeping {
            self.verify();
        }
    }

    pub(super) fn verify(&mut self) {
        let result = self.heap.verify();
        result.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Collects everything, and compares everything.
    pub(super) fn finish_cycle(&mut self) {
        self.heap.finish_cycle();
        // A cycle that stood was only completed; and finalizers keep what they see for two more, one of
        // which runs those that were registered again.
        for _ in 0..3 {
            self.heap.finish_cycle();
        }
        let statistics = self.heap.metrics().statistics();
        assert_eq!(
            statistics.finalizers_panicked, 0,
            "finalizers that panicked"
        );
        assert_eq!(self.finalized.get(), self.registered, "finalizers");
        let rest = self.shadow.collect();
        // The set of dynamic roots is one more.
        let found = self.heap.metrics().total_gc_count();
        let expected = rest.objects + 1 + Pairs::OBJECTS;
        assert_eq!(found, expected, "objects after a full collection");
        assert_eq!(self.deaths.alive.get(), rest.tables, "tables");
        let (shadow, handles) = (&self.shadow, &self.handles);
        self.heap.mutate(|mc, root| {
            let mut seen = HashSet::new();
            let mut found: Vec<(Object<'_>, Id)> = Vec::new();
            for (object, expected) in root.objects.iter().zip(&shadow.roots) {
                assert_eq!(object.map(Object::id), *expected, "a root");
                found.extend(object.zip(*expected));
            }
            for (handle, id) in handles.iter().zip(&shadow.handles) {
                found.push((Object::Node(root.set.fetch(handle)), *id));
            }
            for (index, expected) in shadow.pairs.iter().enumerate() {
                let pair = root.pairs.get(index).and_then(|pair| pair.get(mc));
                let told =
                    pair.map(|(key, value)| [key, value].map(|node| Object::Node(node).id()));
                let there = expected.filter(|(key, _)| shadow.objects.contains_key(key));
                assert_eq!(told, there.map(|(key, value)| [key, value]), "an ephemeron");
                if let (Some((_, value)), Some((_, name))) = (pair, there) {
                    found.push((Object::Node(value), name));
                }
            }
            for (pin, id) in self.pins.iter().zip(&shadow.pins) {
                found.push((Object::Node(pin.get(mc)), *id));
            }
            while let Some((object, id)) = found.pop() {
                assert_eq!(object.id(), id);
                if !seen.insert(id) {
                    continue;
                }
                let links = &shadow.get(id).links;
                assert_eq!(object.links(), links.len(), "the links of {id}");
                for (index, expected) in links.iter().enumerate() {
                    let link = object.link(index);
                    compare(link, *expected);
                    match (link, *expected) {
                        (Link::Strong(next), shadow::Link::Strong(id)) => found.push((next, id)),
                        (Link::Weak(weak), shadow::Link::Weak(id)) => {
                            let upgraded = weak.upgrade(mc).map(Object::id);
                            let expected = shadow.objects.contains_key(&id).then_some(id);
                            assert_eq!(upgraded, expected, "what a weak pointer to {id} leads to");
                        }
                        _ => {}
                    }
                }
            }
            assert_eq!(seen.len(), shadow.objects.len());
        });
        if self.random.one_in(10) {
            self.verify();
        }
    }
}
