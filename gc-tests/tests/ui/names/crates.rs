//! A crate that calls itself `core` and `alloc`, with parts that are not what they should be.

#![forbid(unsafe_code)]

extern crate self as alloc;
extern crate self as core;
extern crate self as gc_derive;

use gc_core::collect::{DynCollect, dyn_collect};
use gc_core::{Arena, Collect, Gc, Lock, Rootable};

#[macro_export]
macro_rules! one_word {
    ($type:ty, $field:tt) => {
        8usize
    };
}

pub mod mem {
    pub use crate::one_word as offset_of;
}

pub mod primitive {
    pub use std::primitive::{bool, str as usize};
}

pub mod any {
    pub struct TypeId;

    impl TypeId {
        pub fn of<T>() {}
    }
}

pub mod marker {
    pub struct PhantomData;
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    first: Gc<'gc, String>,
    number: u64,
    #[collect(require_static)]
    text: &'static str,
    slot: Lock<Option<Gc<'gc, String>>>,
}

trait Object<'gc, T>: DynCollect<'gc> {}
dyn_collect!(<T> dyn Object<'gc, T> + 'gc);

struct Static;
gc_core::static_collect!(Static);

fn main() {
    let mut arena = Arena::<Rootable![Gc<'_, Node<'_>>]>::new(|mc| {
        let first = Gc::new(mc, String::from("the first string"));
        let slot = Lock::new(Some(Gc::new(mc, String::from("the string in the slot"))));
        Gc::new(mc, Node { first, number: 1, text: "static", slot })
    });
    arena.finish_cycle();
    arena.finish_cycle();
    arena.mutate(|mc, node| {
        // What is freed would be used again.
        for _ in 0..100 {
            Gc::new(mc, String::from("another string"));
        }
        assert_eq!(*node.first, "the first string");
        assert_eq!(*node.slot.get().unwrap(), "the string in the slot");
        assert_eq!((node.number, node.text), (1, "static"));
    });
}
