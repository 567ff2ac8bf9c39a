use gc_core::arena::rootless_mutate;
use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(require_static)]
struct Wrapper<'gc>(Gc<'gc, u8>);

fn main() {
    rootless_mutate(|mc| {
        Gc::new(mc, Wrapper(Gc::new(mc, 1)));
    });
}
