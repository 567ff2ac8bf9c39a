use gc_core::arena::rootless_mutate;
use gc_core::slice::{Interior, OffsetSlice, Slice, Str};
use gc_core::{Arena, Gc, Lock, Mutation, Rootable};

type Numbers = Arena<Rootable![Slice<'_, u64>]>;

fn by_the_result(arena: &Numbers) {
    let escaped = arena.mutate(|_, root| root.slice(1..));
    assert_eq!(*escaped, [5]);
}

fn by_the_reference(arena: &Numbers) {
    let escaped: &[u64] = arena.mutate(|_, root| root.as_ref());
    assert_eq!(*escaped, [5]);
}

fn by_an_iterator(arena: &Numbers) {
    let escaped = arena.mutate(|_, root| root.iter());
    assert_eq!(escaped.count(), 0);
}

fn as_a_string() {
    let escaped: &str = rootless_mutate(|mc| Str::from(Gc::new_str(mc, "text")).as_ref());
    assert_eq!(escaped, "text");
}

fn shorter<'long: 'short, 'short>(slice: Slice<'long, u8>) -> Slice<'short, u8> {
    slice
}

fn longer<'long: 'short, 'short>(interior: Interior<'short, u8>) -> Interior<'long, u8> {
    interior
}

fn through_the_elements<'a, 'b: 'a>(
    slice: Slice<'a, Lock<&'b u8>>,
) -> Slice<'a, Lock<&'a u8>> {
    slice
}

fn send<T: Send>(_: T) {}

fn to_a_thread<'gc>(
    slice: Slice<'gc, Lock<u64>>,
    offset: OffsetSlice<'gc, Lock<u64>>,
    interior: Interior<'gc, Lock<u64>>,
) {
    send(slice);
    send(offset);
    send(interior);
}

fn write<'gc>(mc: &Mutation<'gc>, slice: Slice<'gc, Lock<u64>>, interior: Interior<'gc, u64>) {
    slice[0].unlock().set(5);
    Interior::write(mc, interior).unlock();
}

fn assign<'gc>(slice: Slice<'gc, u64>, interior: Interior<'gc, u64>) {
    slice[0] = 5;
    *interior = 5;
}

fn main() {}
