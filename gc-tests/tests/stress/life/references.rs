//! What a life does to ephemerons and finalizers, and where a cycle has marked everything.

use gc_core::{Ephemeron, Gc, Mutation};

use super::{Life, TABLE, kind, place, walk};
use crate::graph::{Kind, Link, Node, Object};
use crate::shadow;

/// A node that was found dead is whole, and so is what it leads to.
fn look_at_litter<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) {
    let mut next = Link::Strong(Object::Node(node));
    for _ in 0..4 {
        let Link::Strong(object) = next else { break };
        object.id();
        if object.links() == 0 {
            break;
        }
        next = object.link(0);
    }
    _ = Gc::try_new(mc, [7_u64; 3]);
}

impl Life {
    /// Two nodes become an ephemeron.
    pub(super) fn pair(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            let index = random.below(root.pairs.places());
            let (Some((Object::Node(key), id)), Some((Object::Node(value), name))) =
                (walk(root, shadow, random), walk(root, shadow, random))
            else {
                root.pairs.set(mc, index, None);
                shadow.pairs[index] = None;
                return;
            };
            root.pairs.set(mc, index, Some(Ephemeron::new(key, value)));
            shadow.pairs[index] = Some((id, name));
        });
    }

    /// What an ephemeron leads to is looked at, and maybe made a root.
    pub(super) fn follow_pair(&mut self) {
        self.mutate(|mc, root, shadow, random| {
            for _ in 0..5 {
                let index = random.below(root.pairs.places());
                let (found, expected) = (root.pairs.get(index), shadow.pairs[index]);
                assert_eq!(found.is_some(), expected.is_some(), "an ephemeron");
                let (Some(pair), Some((id, name))) = (found, expected) else {
                    continue;
                };
                let Some((key, value)) = pair.get(mc) else {
                    shadow.lost.insert(id);
                    continue;
                };
                let both = [(key, id), (value, name)].map(|(node, id)| {
                    assert_eq!(Object::Node(node).id(), id);
                    // It may be there for a finalizer only.
                    if Gc::downgrade(node).upgrade(mc).is_none() {
                        shadow.lost.insert(id);
                        return None;
                    }
                    shadow.get(id);
                    Some((node, id))
                });
                if let Some((node, id)) = both[random.below(2)]
                    && random.one_in(2)
                {
                    let to = random.below(root.objects.len());
                    root.objects[to] = Some(Object::Node(node));
                    shadow.roots[to] = Some(id);
                }
            }
        });
    }

    /// Litter with finalizers, that leads to other litter and into the graph.
    pub(super) fn register(&mut self) {
        let (deaths, finalized) = (self.deaths.clone(), self.finalized.clone());
        let mut registered = 0;
        self.mutate(|mc, root, shadow, random| {
            let mut last = walk(root, shadow, random).map(|(object, _)| object);
            for _ in 0..random.below(20) {
                let Ok(object) = Object::new(mc, Kind::Node, shadow.name(), &deaths) else {
                    return;
                };
                let Object::Node(node) = object else { return };
                if let Some(last) = last
                    && object.accepts(0, Link::Strong(last))
                {
                    object.set(mc, 0, Link::Strong(last));
                }
                last = Some(object);
                let again = random.one_in(4);
                registered += 1 + u64::from(again);
                let finalized = finalized.clone();
                _ = mc.finalize_with(node, move |node, token| {
                    look_at_litter(token, node);
                    finalized.set(finalized.get() + 1);
                    if again {
                        _ = token.finalize_with(node, move |node, token| {
                            look_at_litter(token, node);
                            finalized.set(finalized.get() + 1);
                        });
                    }
                });
            }
        });
        self.registered += registered;
    }

    /// A look at what is dead, some of which is kept.
    pub(super) fn stand(&mut self) {
        let (shadow, random) = (&mut self.shadow, &mut self.random);
        let Some(marked) = (match random.below(2) {
            0 => self.heap.mark_debt(),
            _ => self.heap.finish_marking(),
        }) else {
            return;
        };
        let deaths = self.deaths.clone();
        marked.finalize(|fc, root| {
            for _ in 0..random.below(8) {
                let (Some((object, id)), Some((parent, name))) =
                    (walk(root, shadow, random), walk(root, shadow, random))
                else {
                    return;
                };
                for index in 0..object.links().min(TABLE) {
                    let expected = shadow.get(id).links[index];
                    let (Link::Weak(weak), shadow::Link::Weak(target)) =
                        (object.link(index), expected)
                    else {
                        continue;
                    };
                    let Some(found) = weak.upgrade(fc) else {
                        shadow.lost.insert(target);
                        continue;
                    };
                    assert_eq!(found.id(), target);
                    let links = shadow.get(target).links.len();
                    assert_eq!(found.links(), links, "the links of {target}");
                    if let Some(to) = place(parent, random)
                        && parent.accepts(to, Link::Strong(found))
                    {
                        parent.set(fc, to, Link::Strong(found));
                        shadow.set(name, to, shadow::Link::Strong(target));
                    }
                    if let Some(to) = place(found, random)
                        && found.accepts(to, Link::Strong(parent))
                    {
                        found.set(fc, to, Link::Strong(parent));
                        shadow.set(target, to, shadow::Link::Strong(name));
                    }
                }
                let (kind, new) = (kind(random), shadow.name());
                if let Ok(made) = Object::new(fc, kind, new, &deaths)
                    && let Some(to) = place(parent, random)
                    && parent.accepts(to, Link::Strong(made))
                {
                    shadow.add(new, kind);
                    parent.set(fc, to, Link::Strong(made));
                    shadow.set(name, to, shadow::Link::Strong(new));
                }
            }
        });
    }
}
