use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Dropped<'gc>(Gc<'gc, u8>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {}
}

fn main() {}
