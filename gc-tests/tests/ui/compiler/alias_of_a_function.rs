use gc_core::{Collect, Gc};

type Callback = fn(&u8) -> u8;

#[derive(Collect)]
#[collect(no_drop)]
struct Spelt<'gc>(Gc<'gc, u8>, fn(&u8) -> u8);

#[derive(Collect)]
#[collect(no_drop)]
struct Alias<'gc>(Gc<'gc, u8>, Callback);

fn main() {}
