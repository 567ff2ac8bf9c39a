use gc_core::{Collect, Gc};

type Eight = (u8, u8, u8, u8, u8, u8, u8, u8);

#[derive(Collect)]
#[collect(no_drop)]
struct Nested<'gc>(Gc<'gc, u8>, (Eight, Eight, Eight, Eight, u8));

#[derive(Collect)]
#[collect(no_drop)]
#[rustfmt::skip]
struct Long<'gc>(Gc<'gc, u8>, (
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
    u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8,
));

fn main() {}
