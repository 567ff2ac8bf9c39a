//! A program that depends on `gc-core` under another name, `my_gc`.
//!
//! The derive macro looks the name up in `Cargo.toml`, so nothing here is called `gc_core`.

#![forbid(unsafe_code)]

use my_gc::{Arena, Collect, Gc, Rootable};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc, T> {
    value: T,
    next: Option<Gc<'gc, Node<'gc, T>>>,
}

#[derive(Collect)]
#[collect(require_static)]
struct Number(u32);

#[test]
fn the_derive_macro_finds_the_crate() {
    let mut arena = Arena::<Rootable![Node<'_, Number>]>::new(|mc| Node {
        value: Number(1),
        next: Some(Gc::new(
            mc,
            Node {
                value: Number(2),
                next: None,
            },
        )),
    });
    arena.finish_cycle();
    arena.mutate(|_, root| {
        assert_eq!(root.value.0, 1);
        assert_eq!(root.next.map(|next| next.value.0), Some(2));
    });
}
