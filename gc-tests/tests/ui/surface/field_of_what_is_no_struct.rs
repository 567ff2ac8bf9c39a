//! Fields that cannot be referred to, and types that show another's fields.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use gc_core::barrier::{Write, field};
use gc_core::slice::{Interior, interior};
use gc_core::{Gc, Lock};

type Slot<'gc> = Lock<Option<Gc<'gc, u64>>>;

union Either<'gc> {
    slot: ManuallyDrop<Slot<'gc>>,
    number: u64,
}

#[repr(C, packed)]
struct Packed<'gc> {
    byte: u8,
    slot: Slot<'gc>,
}

struct Node<'gc> {
    slot: Slot<'gc>,
}

struct Shows<'gc>(Gc<'gc, Node<'gc>>);

impl<'gc> Deref for Shows<'gc> {
    type Target = Node<'gc>;

    fn deref(&self) -> &Node<'gc> {
        &self.0
    }
}

fn of_a_union<'a, 'gc>(either: &'a Write<Either<'gc>>) -> &'a Write<ManuallyDrop<Slot<'gc>>> {
    field!(either, Either, slot)
}

fn interior_of_a_union<'gc>(either: Gc<'gc, Either<'gc>>) -> Interior<'gc, u64> {
    interior!(either, Either, number)
}

fn of_the_packed<'a, 'gc>(packed: &'a Write<Packed<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(packed, Packed, slot)
}

fn through_deref<'a, 'gc>(shows: &'a Write<Shows<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(shows, Shows, slot)
}

fn of_the_target<'a, 'gc>(shows: &'a Write<Shows<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(shows, Node, slot)
}

fn through_a_reference<'a, 'gc>(node: &'a Write<&'a Node<'gc>>) -> &'a Write<Slot<'gc>> {
    field!(node, Node, slot)
}

fn main() {}
