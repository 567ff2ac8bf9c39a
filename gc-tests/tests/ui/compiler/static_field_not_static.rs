use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Fields<'gc> {
    #[collect(require_static)]
    pointer: Option<Gc<'gc, u8>>,
    #[collect(require_static)]
    number: u8,
}

fn main() {}
