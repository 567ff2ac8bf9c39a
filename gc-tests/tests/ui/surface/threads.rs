use gc_core::{Arena, DynamicRoot, Gc, GcWeak, Lock, Mutation, Rootable};

type Numbers = Arena<Rootable![Gc<'_, Lock<u64>>]>;

fn send<T: Send>(_: T) {}

fn pointers<'gc>(mc: &'gc Mutation<'gc>, strong: Gc<'gc, Lock<u64>>, weak: GcWeak<'gc, Lock<u64>>) {
    send(strong);
    send(weak);
    send(mc);
}

fn others(arena: Numbers, handle: DynamicRoot<Rootable![u64]>) {
    send(handle);
    send(arena);
}

fn a_thread(arena: &Numbers) {
    arena.mutate(|_, root| {
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(root.get(), 5));
        });
    });
}

fn main() {}
