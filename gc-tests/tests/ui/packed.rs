use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
#[repr(C, packed)]
struct Packed<'gc>(u8, Gc<'gc, u8>);

#[derive(Collect)]
#[collect(unsafe_drop)]
#[repr(packed(4), C)]
struct PackedSomewhat<'gc>(u8, Gc<'gc, u8>);

fn main() {}
