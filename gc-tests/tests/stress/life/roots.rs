//! What a life does to roots: those in the root itself, handles, and pins.

use gc_core::{Gc, Rootable};

use super::{Life, walk};
use crate::graph::{Node, Object};

impl Life {
    /// Roots are forgotten, or handles.
    pub(super) fn clear(&mut self) {
        let index = self.mutate(|_, root, shadow, random| {
            let index = random.below(root.objects.len());
            root.objects[index] = None;
            shadow.roots[index] = None;
            index
        });
        if !self.handles.is_empty() && self.random.one_in(2) {
            let index = index % self.handles.len();
            self.handles.swap_remove(index);
            self.shadow.handles.swap_remove(index);
        }
    }

    /// The memory of the root is replaced.
    pub(super) fn turn_roots(&mut self) {
        self.mutate(|_, root, shadow, _| {
            let objects = core::mem::take(&mut root.objects);
            root.objects = objects.into_iter().rev().collect();
            shadow.roots.reverse();
        });
    }

    /// A node becomes a dynamic root.
    pub(super) fn stash(&mut self) {
        if self.handles.len() > 50 {
            return;
        }
        let stashed = self.mutate(|mc, root, shadow, random| {
            let (object, id) = walk(root, shadow, random)?;
            let Object::Node(node) = object else {
                return None;
            };
            shadow.handles.push(id);
            Some(root.set.stash(mc, node))
        });
        self.handles.extend(stashed);
    }

    /// A dynamic root becomes a root, and maybe its handle is dropped.
    pub(super) fn fetch(&mut self) {
        if self.handles.is_empty() {
            return;
        }
        let index = self.random.below(self.handles.len());
        let handle = self.handles.swap_remove(index);
        let id = self.shadow.handles.swap_remove(index);
        self.mutate(|_, root, shadow, random| {
            let node = Object::Node(root.set.fetch(&handle));
            assert_eq!(node.id(), id);
            let to = random.below(root.objects.len());
            root.objects[to] = Some(node);
            shadow.roots[to] = Some(id);
        });
        if self.random.one_in(2) {
            self.handles.push(handle.clone());
            self.shadow.handles.push(id);
        }
    }

    /// A node is pinned, or unpinned, or copied to a root.
    pub(super) fn pin(&mut self) {
        if self.pins.len() > 10 || !self.pins.is_empty() && self.random.one_in(2) {
            let index = self.random.below(self.pins.len());
            let pin = self.pins.swap_remove(index);
            let id = self.shadow.pins.swap_remove(index);
            self.mutate(|mc, root, shadow, random| {
                let node = Object::Node(pin.get(mc));
                assert_eq!(node.id(), id);
                let to = random.below(root.objects.len());
                root.objects[to] = Some(node);
                shadow.roots[to] = Some(id);
            });
            return;
        }
        let pinned = self.mutate(
            |mc, root, shadow, random| match walk(root, shadow, random)? {
                (Object::Node(node), id) => {
                    shadow.pins.push(id);
                    Some(Gc::pin::<Rootable!['gc => Node<'gc>]>(mc, node))
                }
                _ => None,
            },
        );
        self.pins.extend(pinned);
    }
}
