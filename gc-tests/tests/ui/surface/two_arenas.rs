use gc_core::{Arena, Gc, GcLock, Rootable};

type Slots = Arena<Rootable![GcLock<'_, Option<Gc<'_, u64>>>]>;

fn mixed(first: &Slots, second: &Slots) {
    first.mutate(|mc, slot| {
        second.mutate(|other, _| slot.set(mc, Some(Gc::new(other, 5))));
    });
}

fn with_the_barrier_of_another(first: &Slots, second: &Slots) {
    first.mutate(|mc, slot| {
        second.mutate(|other, _| slot.set(other, Some(Gc::new(mc, 5))));
    });
}

fn swapped(first: &mut Slots, second: &mut Slots) {
    first.mutate_root(|_, root| {
        second.mutate_root(|_, other| std::mem::swap(root, other));
    });
}

fn main() {}
