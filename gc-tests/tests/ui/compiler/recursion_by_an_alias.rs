use gc_core::{Collect, Gc};

type Children<'gc> = Vec<Tree<'gc>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Tree<'gc> {
    value: Gc<'gc, u8>,
    children: Children<'gc>,
}

fn main() {}
