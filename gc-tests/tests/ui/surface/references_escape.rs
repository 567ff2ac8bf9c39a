use gc_core::finalizer::Finalizing;
use gc_core::weak_collections::{WeakInterner, WeakMap, WeakSet};
use gc_core::{Arena, Ephemeron, Finalization, Gc, GcWeakLong, Mutation, Rootable, Soft};

type Pairs = Arena<Rootable![Ephemeron<'_, u64, u64>]>;

fn by_the_result(arena: &Pairs) {
    let escaped = arena.mutate(|mc, pair| pair.value(mc));
    assert!(escaped.is_none());
}

fn of_two_arenas(one: &Pairs, other: &Pairs) {
    one.mutate(|mc, _| {
        other.mutate(|other, pair| {
            Ephemeron::new(Gc::new(mc, 1), Gc::new(other, 2));
            pair.value(mc);
        });
    });
}

fn ephemeron<'long: 'short, 'short>(
    pair: Ephemeron<'long, u8, u8>,
) -> Ephemeron<'short, u8, u8> {
    pair
}

fn long<'long: 'short, 'short>(weak: GcWeakLong<'short, u8>) -> GcWeakLong<'long, u8> {
    weak
}

fn soft<'long: 'short, 'short>(soft: Soft<'long, u8>) -> Soft<'short, u8> {
    soft
}

fn map<'long: 'short, 'short>(map: WeakMap<'long, u8, u8>) -> WeakMap<'short, u8, u8> {
    map
}

fn set<'long: 'short, 'short>(set: WeakSet<'short, u8>) -> WeakSet<'long, u8> {
    set
}

fn interner<'long: 'short, 'short>(interner: WeakInterner<'long>) -> WeakInterner<'short> {
    interner
}

fn finalization<'a, 'long: 'short, 'short>(
    fc: &'a Finalization<'long>,
) -> &'a Finalization<'short> {
    fc
}

fn finalizing<'a, 'long: 'short, 'short>(token: &'a Finalizing<'short>) -> &'a Mutation<'long> {
    token
}

fn send<T: Send>(_: T) {}

fn to_a_thread<'gc>(pair: Ephemeron<'gc, u64, u64>, soft: Soft<'gc, u64>, set: WeakSet<'gc, u64>) {
    send(pair);
    send(soft);
    send(set);
}

fn main() {}
