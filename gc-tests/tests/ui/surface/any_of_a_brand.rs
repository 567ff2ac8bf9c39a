use std::any::Any;

use gc_core::{Collect, Gc, Mutation, unsize};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc>(Gc<'gc, u64>);

fn hidden<'gc>(mc: &Mutation<'gc>, node: Node<'gc>) -> Gc<'gc, dyn Any> {
    unsize!(Gc::new(mc, node) => dyn Any)
}

fn shown<'gc>(hidden: Gc<'gc, dyn Any>) -> Gc<'gc, Node<'gc>> {
    Gc::downcast(hidden).unwrap()
}

fn main() {}
