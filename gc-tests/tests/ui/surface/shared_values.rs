use std::cell::Cell;
use std::rc::Rc;

use gc_core::shared::{Arena, AtomicGc, Mutation, Mutex};
use gc_core::{Collect, Gc, Lock, Rootable};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    next: Lock<Option<Gc<'gc, u64>>>,
}

fn values(mc: &Mutation<'_>) {
    mc.allocate(Rc::new(5));
    mc.allocate(Lock::new(5));
    mc.allocate(Node { next: Lock::new(None) });
    mc.allocate_slice([Cell::new(5)]);
    mc.try_allocate(Mutex::new(Rc::new(5))).unwrap();
}

fn roots() {
    Arena::<Rootable![Lock<u64>]>::new(|_| Lock::new(5));
    Arena::<Rootable![Rc<u64>]>::new(|_| Rc::new(5));
    Arena::<Rootable![AtomicGc<'_, Lock<u64>>]>::new(|_| AtomicGc::null());
}

fn main() {}
