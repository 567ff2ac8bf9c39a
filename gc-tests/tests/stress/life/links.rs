//! What a life does to links: it makes objects, writes links, moves them, and follows weak ones.

use gc_core::Gc;

use super::{Life, TABLE, compare, kind, place, walk};
use crate::graph::{Link, Object};
use crate::shadow;

impl Life {
    /// A new object goes to a root or to an object, and leads to others.
    pub(super) fn allocate(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, root, shadow, random| {
            let kind = kind(random);
            let id = shadow.name();
            let Ok(object) = Object::new(mc, kind, id, &deaths) else {
                return false;
            };
            shadow.add(id, kind);
            for _ in 0..random.below(4) {
                if let Some((target, name)) = walk(root, shadow, random)
                    && let Some(index) = place(object, random)
                    && object.accepts(index, Link::Strong(target))
                {
                    object.set(mc, index, Link::Strong(target));
                    shadow.set(id, index, shadow::Link::Strong(name));
                }
            }
            if !random.one_in(3)
                && let Some((parent, name)) = walk(root, shadow, random)
                && let Some(index) = place(parent, random)
                && parent.accepts(index, Link::Strong(object))
            {
                parent.set(mc, index, Link::Strong(object));
                shadow.set(name, index, shadow::Link::Strong(id));
            } else {
                let index = random.below(root.objects.len());
                root.objects[index] = Some(object);
                shadow.roots[index] = Some(id);
            }
            true
        });
        self.starved |= !done;
    }

    /// A link is written.
    pub(super) fn write(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let (Some((object, id)), Some((target, name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                return;
            };
            let number = random.number();
            let (link, expected) = match random.below(8) {
                0 => (Link::Nil, shadow::Link::Nil),
                // A number, maybe one that looks like an address.
                1 => {
                    let number = match target {
                        Object::Node(gc) => Gc::as_ptr(gc).addr() as u64,
                        _ => number,
                    };
                    (Link::Number(number), shadow::Link::Number(number))
                }
                2 | 3 => (Link::Weak(target.downgrade()), shadow::Link::Weak(name)),
                _ => (Link::Strong(target), shadow::Link::Strong(name)),
            };
            if let Some(index) = place(object, random)
                && object.accepts(index, link)
            {
                object.set(mc, index, link);
                shadow.set(id, index, expected);
            }
        });
    }

    /// A link goes from one place to another, which may be a root or a new object.
    pub(super) fn relocate(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return true;
            };
            let links = object.links();
            if links == 0 {
                return true;
            }
            let index = random.below(links);
            let (link, expected) = (object.link(index), shadow.get(id).links[index]);
            compare(link, expected);
            match random.below(3) {
                0 => {
                    let (Link::Strong(target), shadow::Link::Strong(name)) = (link, expected)
                    else {
                        return true;
                    };
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(target);
                    shadow.roots[to] = Some(name);
                }
                1 => {
                    let kind = kind(random);
                    let name = shadow.name();
                    let Ok(new) = Object::new(mc, kind, name, &deaths) else {
                        return false;
                    };
                    shadow.add(name, kind);
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(new);
                    shadow.roots[to] = Some(name);
                    let Some(place) = place(new, random).filter(|at| new.accepts(*at, link)) else {
                        return true;
                    };
                    new.set(mc, place, link);
                    shadow.set(name, place, expected);
                }
                _ => {
                    let Some((other, name)) = walk(root, shadow, random) else {
                        return true;
                    };
                    let Some(to) = place(other, random).filter(|to| other.accepts(*to, link))
                    else {
                        return true;
                    };
                    other.set(mc, to, link);
                    shadow.set(name, to, expected);
                }
            }
            object.set(mc, index, Link::Nil);
            shadow.set(id, index, shadow::Link::Nil);
            true
        });
        self.starved |= !done;
    }

    /// What is in a table goes to another one, or is forgotten.
    pub(super) fn take_apart(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let (Some((from, id)), Some((to, name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                return;
            };
            let Some(taken) = from.take(mc) else { return };
            let expected = core::mem::take(shadow.links(id));
            assert_eq!(taken.len(), expected.len(), "the links of {id}");
            for (link, expected) in taken.into_iter().zip(expected) {
                compare(link, expected);
                let end = to.links();
                if matches!(to, Object::Table(_)) && end < TABLE {
                    to.set(mc, end, link);
                    shadow.set(name, end, expected);
                }
            }
        });
    }

    /// Links become weak, so that maybe nothing but they leads to their targets.
    pub(super) fn weaken(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return;
            };
            for index in 0..object.links().min(TABLE) {
                let expected = shadow.get(id).links[index];
                if let (Link::Strong(target), shadow::Link::Strong(name)) =
                    (object.link(index), expected)
                {
                    let weak = Link::Weak(target.downgrade());
                    if object.accepts(index, weak) {
                        object.set(mc, index, weak);
                        shadow.set(id, index, shadow::Link::Weak(name));
                    }
                }
            }
        });
    }

    /// What a weak link leads to is looked at, and maybe made a root.
    pub(super) fn follow_weak(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let Some((object, id)) = walk(root, shadow, random) else {
                return;
            };
            for index in 0..object.links().min(TABLE) {
                let expected = shadow.get(id).links[index];
                let (Link::Weak(weak), shadow::Link::Weak(name)) = (object.link(index), expected)
                else {
                    continue;
                };
                match weak.upgrade(mc) {
                    None => {
                        // If it can be reached all the same, whoever gets there will say so.
                        shadow.lost.insert(name);
                    }
                    Some(target) => {
                        assert_eq!(target.id(), name);
                        let known = shadow.get(name);
                        assert_eq!(target.links(), known.links.len(), "the links of {name}");
                        for (index, expected) in known.links.iter().enumerate() {
                            compare(target.link(index), *expected);
                        }
                        if random.one_in(2) {
                            let to = random.below(root.objects.len());
                            root.objects[to] = Some(target);
                            shadow.roots[to] = Some(name);
                        }
                    }
                }
            }
        });
    }

    /// Memory that is free is used, so that whoever still reads it sees something else.
    pub(super) fn litter(&mut self) {
        let deaths = self.deaths.clone();
        let done = self.mutate(|mc, _, shadow, random| {
            for _ in 0..random.below(100) {
                // Numbers of such objects are in no graph.
                let id = shadow.name();
                if Object::new(mc, kind(random), id, &deaths).is_err() {
                    return false;
                }
            }
            true
        });
        self.starved |= !done;
    }
}
