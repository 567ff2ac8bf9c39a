use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct WhichOfThem<'a: 'static, 'b, T>(&'a T, Gc<'b, u8>);

#[derive(Collect)]
#[collect(no_drop, gc_lifetime = 'arena)]
struct NoneOfThem<'a, 'b>(Gc<'a, u8>, Gc<'b, u8>);

#[derive(Collect)]
#[collect(no_drop, gc_lifetime = gc)]
struct NotALifetime<'a, 'b>(Gc<'a, u8>, Gc<'b, u8>);

fn main() {}
