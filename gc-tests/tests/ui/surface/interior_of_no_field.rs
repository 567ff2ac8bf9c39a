use std::rc::Rc;

use gc_core::Gc;
use gc_core::slice::{Interior, interior};

struct Node {
    number: u64,
}

struct Outer<'gc> {
    boxed: Box<Node>,
    shared: Rc<Node>,
    other: Gc<'gc, Node>,
    maybe: Option<Node>,
}

#[repr(C, packed)]
struct Packed {
    byte: u8,
    number: u64,
}

enum Variants {
    One { number: u64 },
    Two,
}

fn through_a_box<'gc>(outer: Gc<'gc, Outer<'gc>>) -> Interior<'gc, u64> {
    interior!(interior!(outer, Outer, boxed), Node, number)
}

fn through_an_rc<'gc>(outer: Gc<'gc, Outer<'gc>>) -> Interior<'gc, u64> {
    interior!(interior!(outer, Outer, shared), Node, number)
}

fn through_a_pointer<'gc>(outer: Gc<'gc, Outer<'gc>>) -> Interior<'gc, u64> {
    interior!(interior!(outer, Outer, other), Node, number)
}

fn through_a_reference<'gc>(node: Gc<'gc, &'static Node>) -> Interior<'gc, u64> {
    interior!(node, Node, number)
}

fn coerced_by_deref<'gc>(outer: Gc<'gc, Outer<'gc>>) -> Interior<'gc, Node> {
    interior!(outer, Outer, boxed)
}

fn into_an_option<'gc>(outer: Gc<'gc, Outer<'gc>>) -> Interior<'gc, Node> {
    interior!(interior!(outer, Outer, maybe), Option::Some, 0)
}

fn into_a_variant<'gc>(variants: Gc<'gc, Variants>) -> Interior<'gc, u64> {
    interior!(variants, Variants::One, number)
}

fn packed<'gc>(packed: Gc<'gc, Packed>) -> Interior<'gc, u64> {
    interior!(packed, Packed, number)
}

fn of_a_reference<'gc>(node: &'gc Node) -> Interior<'gc, u64> {
    interior!(node, Node, number)
}

fn main() {}
