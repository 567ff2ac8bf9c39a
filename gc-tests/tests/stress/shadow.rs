//! What is known of a graph without looking at it: the same graph, of numbers.

use std::collections::{HashMap, HashSet};

use crate::graph::Kind;

/// The number of an object.
pub type Id = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Nil,
    Number(u64),
    Strong(Id),
    Weak(Id),
}

#[derive(Clone, Debug)]
pub struct Object {
    pub kind: Kind,
    pub links: Vec<Link>,
}

/// A graph. Objects that cannot be reached are in it until a full collection.
#[derive(Default)]
pub struct Shadow {
    pub objects: HashMap<Id, Object>,
    pub roots: Vec<Option<Id>>,
    pub handles: Vec<Id>,
    pub pins: Vec<Id>,
    /// Keys and values of ephemerons.
    pub pairs: Vec<Option<(Id, Id)>>,
    /// Objects to which a weak pointer could not be upgraded: nobody will ever see them again.
    pub lost: HashSet<Id>,
    next: Id,
}

/// What there is after a full collection.
pub struct Rest {
    /// Objects in the heap, without the set of dynamic roots.
    pub objects: usize,
    pub tables: usize,
}

impl Shadow {
    pub fn new(roots: usize, pairs: usize) -> Shadow {
        Shadow {
            roots: vec![None; roots],
            pairs: vec![None; pairs],
            next: 1,
            ..Shadow::default()
        }
    }

    /// A number for a new object.
    pub fn name(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    pub fn add(&mut self, id: Id, kind: Kind) {
        let links = vec![Link::Nil; kind.links()];
        self.objects.insert(id, Object { kind, links });
    }

    /// An object that somebody can see.
    pub fn get(&self, id: Id) -> &Object {
        assert!(
            !self.lost.contains(&id),
            "object {id} was lost and is there again"
        );
        self.objects
            .get(&id)
            .unwrap_or_else(|| panic!("object {id} was gone and is there again"))
    }

    pub fn links(&mut self, id: Id) -> &mut Vec<Link> {
        let object = self.objects.get_mut(&id);
        &mut object.expect("the object was seen just now").links
    }

    /// Writes a link; one behind the last makes a table grow.
    pub fn set(&mut self, id: Id, index: usize, link: Link) {
        let links = self.links(id);
        match links.get_mut(index) {
            Some(place) => *place = link,
            None => links.push(link),
        }
    }

    /// Forgets what cannot be reached, and counts the rest.
    pub fn collect(&mut self) -> Rest {
        let mut reachable = HashSet::new();
        let mut weak = HashSet::new();
        let mut found = self.handles.clone();
        found.extend(self.roots.iter().flatten());
        found.extend(&self.pins);
        let pairs = || self.pairs.iter().flatten();
        let follows = |reachable: &HashSet<Id>| {
            let mut pairs = pairs();
            pairs.find(|(key, value)| reachable.contains(key) && !reachable.contains(value))
        };
        weak.extend(pairs().map(|(key, _)| *key));
        loop {
            let next = found
                .pop()
                .or_else(|| follows(&reachable).map(|pair| pair.1));
            let Some(id) = next else { break };
            if !reachable.insert(id) {
                continue;
            }
            for link in &self.get(id).links {
                match link {
                    Link::Strong(id) => found.push(*id),
                    Link::Weak(id) => _ = weak.insert(*id),
                    Link::Nil | Link::Number(_) => {}
                }
            }
        }
        self.objects.retain(|id, _| reachable.contains(id));
        self.lost = weak.difference(&reachable).copied().collect();
        let kinds = || self.objects.values().map(|object| object.kind);
        Rest {
            objects: kinds().map(Kind::objects).sum::<usize>() + self.lost.len(),
            tables: kinds().filter(|kind| *kind == Kind::Table).count(),
        }
    }
}
