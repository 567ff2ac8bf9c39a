use gc_core::arena::rootless_mutate;
use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Callback<F> {
    #[collect(require_static)]
    function: F,
}

fn main() {
    rootless_mutate(|mc| {
        Gc::new(
            mc,
            Callback {
                function: Gc::new(mc, 1),
            },
        );
    });
}
