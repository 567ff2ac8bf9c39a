use gc_core::barrier::{Write, field};
use gc_core::{Gc, Lock, Mutation};

type Slot<'gc> = Lock<Option<Gc<'gc, u64>>>;

struct Node<'gc> {
    slot: Slot<'gc>,
}

struct Outer<'gc> {
    node: Gc<'gc, Node<'gc>>,
}

fn through_a_reference<'gc>(slot: Gc<'gc, Slot<'gc>>, value: Gc<'gc, u64>) {
    let mut reference: &Slot<'gc> = slot.as_ref();
    Write::from_mut(&mut reference)
        .as_deref()
        .unlock()
        .set(Some(value));
}

fn through_a_pointer<'gc>(mut slot: Gc<'gc, Slot<'gc>>, value: Gc<'gc, u64>) {
    Write::from_mut(&mut slot)
        .as_deref()
        .unlock()
        .set(Some(value));
}

fn field_through_a_reference<'gc>(node: Gc<'gc, Node<'gc>>, value: Gc<'gc, u64>) {
    let mut reference: &Node<'gc> = node.as_ref();
    field!(Write::from_mut(&mut reference), Node, slot)
        .unlock()
        .set(Some(value));
}

fn field_through_a_pointer<'gc>(
    mc: &Mutation<'gc>,
    outer: Gc<'gc, Outer<'gc>>,
    value: Gc<'gc, u64>,
) {
    let node = field!(Gc::write(mc, outer), Outer, node);
    field!(node, Node, slot).unlock().set(Some(value));
}

fn main() {}
