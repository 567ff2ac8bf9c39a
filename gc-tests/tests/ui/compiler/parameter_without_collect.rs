use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop, bound = "")]
struct Unbounded<'gc, T> {
    value: T,
    pointer: Gc<'gc, u8>,
}

fn main() {}
