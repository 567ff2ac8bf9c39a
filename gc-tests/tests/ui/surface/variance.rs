use gc_core::{Collect, DynamicRootSet, Gc, GcWeak, Mutation};

fn shorter<'long: 'short, 'short>(gc: Gc<'long, u8>) -> Gc<'short, u8> {
    gc
}

fn longer<'long: 'short, 'short>(gc: Gc<'short, u8>) -> Gc<'long, u8> {
    gc
}

fn shorter_weak<'long: 'short, 'short>(gc: GcWeak<'long, u8>) -> GcWeak<'short, u8> {
    gc
}

fn shorter_mutation<'a, 'long: 'short, 'short>(mc: &'a Mutation<'long>) -> &'a Mutation<'short> {
    mc
}

fn longer_set<'long: 'short, 'short>(set: DynamicRootSet<'short>) -> DynamicRootSet<'long> {
    set
}

#[derive(Collect)]
#[collect(no_drop, gc_lifetime = 'a)]
struct OfTwo<'a, 'b>(Gc<'a, u8>, Gc<'b, u8>);

fn main() {}
