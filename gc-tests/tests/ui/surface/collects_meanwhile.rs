use gc_core::{Arena, Gc, Rootable};

fn main() {
    let mut arena = Arena::<Rootable![Gc<'_, u64>]>::new(|mc| Gc::new(mc, 5));
    arena.mutate(|mc, _| {
        let number = Gc::new(mc, 6);
        arena.finish_cycle();
        assert_eq!(*number, 6);
    });
}
