use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
enum OnAVariant<'gc> {
    #[collect(require_static)]
    Number(i64),
    Pointer(Gc<'gc, i64>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct OnAParameter<#[collect(require_static)] T> {
    field: T,
}

fn main() {}
