use std::rc::Rc;

use gc_core::barrier::{Write, field, unlock};
use gc_core::{Gc, Lock, Mutation};

type Slot<'gc> = Lock<Option<Gc<'gc, u64>>>;

struct Node<'gc> {
    slot: Slot<'gc>,
}

impl<'gc> Node<'gc> {
    fn elsewhere(&self) -> &Slot<'gc> {
        &self.slot
    }
}

enum Choice<'gc> {
    Some { slot: Slot<'gc> },
    None,
}

fn without_such_a_field<'a, 'gc>(node: &'a Write<Node<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, other)
}

fn a_method<'a, 'gc>(node: &'a Write<Node<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, elsewhere)
}

fn through_a_box<'a, 'gc>(node: &'a Write<Box<Node<'gc>>>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, slot)
}

fn through_an_rc<'a, 'gc>(node: &'a Write<Rc<Node<'gc>>>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, slot)
}

fn of_a_variant<'a, 'gc>(choice: &'a Write<Choice<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(choice, Choice::Some, slot)
}

fn of_a_plain_reference<'a, 'gc>(node: &'a Node<'gc>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, slot)
}

fn of_an_object_without_barrier<'gc>(node: Gc<'gc, Node<'gc>>) {
    unlock!(node, Node, slot).set(None);
}

fn of_another_type<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) {
    struct Twin<'gc> {
        slot: Slot<'gc>,
    }
    unlock!(Gc::write(mc, node), Twin, slot).set(None);
}

fn main() {}
