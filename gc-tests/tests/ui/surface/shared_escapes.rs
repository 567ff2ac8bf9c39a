use gc_core::shared::{Arena, AtomicGc, Attached, Mutation, Mutex, MutexGuard};
use gc_core::{Gc, Rootable};

type Cells = Rootable![Gc<'_, Mutex<Option<Gc<'_, u64>>>>];

fn send<T: Send>(_: T) {}

fn out_of_a_call(arena: &Arena<Cells>) {
    let here = arena.attach();
    let gc = here.mutate(|mc, _| mc.allocate(5));
    let cell = here.mutate(|_, root| *root);
    let guard = here.mutate(|mc, root| root.lock(mc));
    let write = here.mutate(|mc, root| mc.write(*root));
}

fn into_another(one: &Attached<'_, Cells>, other: &Attached<'_, Cells>) {
    one.mutate(|mc, root| {
        other.mutate(|_, other| {
            *root.lock(mc) = *other.lock(mc);
        });
    });
}

fn without_a_barrier(cell: Gc<'_, Mutex<u64>>) {
    cell.lock();
}

fn with_the_right_of_a_single_arena<'gc>(mc: &gc_core::Mutation<'gc>, cell: &AtomicGc<'gc, u64>) {
    cell.store(mc, None);
}

fn to_other_threads(here: Attached<'_, Cells>, mc: &Mutation<'_>, guard: MutexGuard<'_, u64>) {
    send(here);
    send(mc);
    send(guard);
}

fn beyond_the_arena() -> Attached<'static, Cells> {
    let arena = Arena::<Cells>::new(|mc| mc.allocate(Mutex::new(None)));
    arena.attach()
}

fn main() {}
