use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
pub union Either<'gc> {
    number: u64,
    pointer: Gc<'gc, u8>,
}

fn main() {}
