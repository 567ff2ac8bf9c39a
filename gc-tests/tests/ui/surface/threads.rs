use gc_core::{Arena, DynamicRoot, Gc, GcWeak, Mutation, Rootable};

type Numbers = Arena<Rootable![Gc<'_, u64>]>;

fn send<T: Send>(_: T) {}

fn pointers<'gc>(mc: &'gc Mutation<'gc>, strong: Gc<'gc, u64>, weak: GcWeak<'gc, u64>) {
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
            scope.spawn(|| assert_eq!(**root, 5));
        });
    });
}

fn main() {}
