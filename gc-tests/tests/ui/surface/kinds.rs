use std::cell::Cell;
use std::sync::atomic::AtomicU32;

use gc_core::arena::rootless_mutate;
use gc_core::meta::TypeMeta;
use gc_core::{Arena, Collect, Gc, GcBuilder, GcSliceBuilder, Rootable, unsize};

struct Counter;

impl TypeMeta for Counter {
    type TypeMetadata = Cell<u32>;
    const TYPE_METADATA: &'static Cell<u32> = &Cell::new(0);
}

struct ByValue;

impl TypeMeta for ByValue {
    type TypeMetadata = u32;
    const TYPE_METADATA: u32 = 0;
}

struct Changing;

impl TypeMeta for Changing {
    type TypeMetadata = AtomicU32;
    const TYPE_METADATA: &'static AtomicU32 = &AtomicU32::new(0);
}

#[derive(Collect)]
#[collect(no_drop)]
struct KeepsABuilder<'gc>(GcSliceBuilder<'gc, u8>);

fn of_another_call() {
    let builder = GcBuilder::<u8>::new();
    rootless_mutate(|mc| {
        builder.write(mc, 1);
    });
}

fn from_call_to_call() {
    let arena = Arena::<Rootable![()]>::new(|_| ());
    let mut kept = None;
    arena.mutate(|_, _| kept = Some(GcSliceBuilder::<u8>::new(1)));
    arena.mutate(|mc, _| {
        kept.unwrap().copy_slice(mc, &[1]);
    });
}

fn thin_without_metadata() {
    rootless_mutate(|mc| {
        Gc::as_thin(unsize!(Gc::new(mc, [1_u8]) => [u8]));
        Gc::as_thin(Gc::slice_from_iter(mc, [1_u8]));
    });
}

fn not_collect() {
    struct Plain;
    GcSliceBuilder::<Plain>::new(1);
}

fn main() {}
