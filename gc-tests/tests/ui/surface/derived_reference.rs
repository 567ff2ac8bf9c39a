use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Holder<'gc> {
    pointer: Gc<'gc, u64>,
    reference: &'gc u64,
}

fn main() {}
