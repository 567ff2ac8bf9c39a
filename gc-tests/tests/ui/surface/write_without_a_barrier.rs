use gc_core::{Gc, Lock, RefLock, lock::OnceLock};

struct Node<'gc> {
    lock: Lock<Option<Gc<'gc, u64>>>,
    list: RefLock<Vec<Gc<'gc, u64>>>,
    once: OnceLock<Gc<'gc, u64>>,
}

fn write<'gc>(node: Gc<'gc, Node<'gc>>, value: Gc<'gc, u64>) {
    node.lock.set(Some(value));
    node.list.borrow_mut().push(value);
    let _ = node.once.set(value);
    node.lock.unlock().set(Some(value));
}

fn main() {}
