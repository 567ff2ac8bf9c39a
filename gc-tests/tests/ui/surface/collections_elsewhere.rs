//! Collections whose elements can be written without a `Mutation`, on a thread that does not have the arena.

use std::thread;

use gc_core::collections::{HashMap, Vec, VecDeque};
use gc_core::{Gc, Lock, Mutation};

type Slot<'gc> = Lock<Option<Gc<'gc, String>>>;

fn taken<'gc>(vec: Vec<'gc, Slot<'gc>>) -> Option<Gc<'gc, String>> {
    thread::scope(|scope| scope.spawn(move || vec[0].take()).join().unwrap())
}

fn by_reference<'gc>(deque: &mut VecDeque<'gc, Slot<'gc>>) {
    thread::scope(|scope| _ = scope.spawn(|| deque[0].take()).join());
}

fn values<'gc>(map: HashMap<'gc, u8, Box<Slot<'gc>>>) {
    thread::scope(|scope| _ = scope.spawn(move || map[&0].take()).join());
}

fn iterated<'gc>(mc: &Mutation<'gc>, vec: Vec<'gc, Slot<'gc>>) {
    let iter = vec.into_iter(mc);
    thread::scope(|scope| _ = scope.spawn(move || iter.for_each(|slot| _ = slot.take())).join());
}

fn main() {}
