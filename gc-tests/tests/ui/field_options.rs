use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Fields<'gc> {
    #[collect(no_drop)]
    a: Gc<'gc, u8>,
    #[collect]
    b: Gc<'gc, u8>,
    #[collect()]
    c: Gc<'gc, u8>,
    #[collect(require_static, recursive)]
    d: u8,
    #[collect(require_static)]
    #[collect(require_static)]
    e: u8,
    #[collect(bound = "")]
    f: u8,
}

fn main() {}
