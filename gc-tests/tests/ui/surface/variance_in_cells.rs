use gc_core::barrier::Write;
use gc_core::zst_cache::ZstCache;
use gc_core::{
    Arena, Gc, GcLock, GcRefLock, GcStr, GcThinSlice, GcWeak, Lock, RefLock, Rootable, lock::OnceLock,
};

fn in_a_lock<'gc, 'long: 'short, 'short: 'gc>(
    gc: GcLock<'gc, &'long u8>,
) -> GcLock<'gc, &'short u8> {
    gc
}

fn in_a_ref_lock<'gc, 'long: 'short, 'short: 'gc>(
    gc: GcRefLock<'gc, Vec<&'long u8>>,
) -> GcRefLock<'gc, Vec<&'short u8>> {
    gc
}

fn in_a_once_lock<'gc, 'long: 'short, 'short: 'gc>(
    gc: Gc<'gc, OnceLock<&'long u8>>,
) -> Gc<'gc, OnceLock<&'short u8>> {
    gc
}

fn behind_a_weak_pointer<'gc, 'long: 'short, 'short: 'gc>(
    weak: GcWeak<'gc, RefLock<&'long u8>>,
) -> GcWeak<'gc, RefLock<&'short u8>> {
    weak
}

fn behind_a_right_to_write<'a, 'long: 'short, 'short>(
    write: &'a Write<Lock<&'long u8>>,
) -> &'a Write<Lock<&'short u8>> {
    write
}

fn thin<'long: 'short, 'short>(slice: GcThinSlice<'long, u8>) -> GcThinSlice<'short, u8> {
    slice
}

fn text<'long: 'short, 'short>(text: GcStr<'short>) -> GcStr<'long> {
    text
}

fn cache<'a, 'long: 'short, 'short>(
    cache: &'a ZstCache<'long, 8>,
) -> &'a ZstCache<'short, 8> {
    cache
}

/// A root that is written to as one of a shorter life.
fn root(arena: &mut Arena<Rootable![Vec<Gc<'_, u64>>]>) {
    fn push<'short>(root: &mut Vec<Gc<'short, u64>>, gc: Gc<'short, u64>) {
        root.push(gc);
    }
    let mut kept: Vec<Gc<'_, u64>> = Vec::new();
    arena.mutate_root(|mc, root| {
        push(root, Gc::new(mc, 1));
        push(&mut kept, Gc::new(mc, 2));
    });
}

fn main() {}
