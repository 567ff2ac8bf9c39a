//! What is written in the arguments of a macro is not in an `unsafe` block of the macro's.

use gc_core::barrier::{Write, field, unlock};
use gc_core::slice::interior;
use gc_core::{Gc, Lock, unsize};

struct Node<const N: usize> {
    slot: Lock<u64>,
}

unsafe fn node<'a>() -> &'a Write<Node<1>> {
    unreachable!()
}

unsafe fn object<'gc>() -> Gc<'gc, Node<1>> {
    unreachable!()
}

const unsafe fn one() -> usize {
    1
}

fn in_expressions() {
    field!(node(), Node, slot);
    unlock!(node(), Node, slot);
    interior!(object(), Node, slot);
    let _: Gc<'_, dyn Send> = unsize!(object() => dyn Send);
}

fn in_types<'a, 'gc>(node: &'a Write<Node<1>>, object: Gc<'gc, Node<1>>, array: Gc<'gc, [[u8; 1]; 1]>) {
    field!(node, Node::<{ one() }>, slot);
    interior!(object, Node::<{ one() }>, slot);
    let _ = unsize!(array => [[u8; one()]]);
}

fn main() {}
