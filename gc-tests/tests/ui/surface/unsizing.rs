use std::any::Any;
use std::fmt::Debug;

use gc_core::{Gc, unsize};

fn longer<'gc, 'a: 'gc>(gc: Gc<'gc, &'a u8>) -> Gc<'gc, dyn Debug + 'static> {
    unsize!(gc => dyn Debug)
}

fn any<'gc>(gc: Gc<'gc, Gc<'gc, u8>>) -> Gc<'gc, dyn Any> {
    unsize!(gc => dyn Any)
}

fn another_type(gc: Gc<'_, [u8; 4]>) -> Gc<'_, [u64]> {
    unsize!(gc => [u64])
}

fn main() {}
