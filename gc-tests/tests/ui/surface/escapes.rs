use std::cell::RefCell;

use gc_core::arena::rootless_mutate;
use gc_core::{Arena, Gc, Rootable};

type Numbers = Arena<Rootable![Gc<'_, u64>]>;

thread_local! {
    static KEPT: RefCell<Vec<Gc<'static, u64>>> = const { RefCell::new(Vec::new()) };
}

fn by_the_result(arena: &Numbers) {
    let escaped = arena.mutate(|_, root| *root);
    assert_eq!(*escaped, 5);
}

fn by_a_variable(arena: &mut Numbers) {
    let mut escaped = None;
    arena.mutate(|_, root| escaped = Some(*root));
    arena.mutate_root(|mc, root| *root = Gc::new(mc, 6));
    assert_eq!(escaped.as_deref(), Some(&5));
}

fn by_a_static(arena: &Numbers) {
    arena.mutate(|_, root| KEPT.with_borrow_mut(|kept| kept.push(*root)));
}

fn by_the_reference() {
    let escaped: &u64 = rootless_mutate(|mc| Gc::new(mc, 5).as_ref());
    assert_eq!(*escaped, 5);
}

fn by_an_error() {
    let result = Numbers::try_new(|mc| Err(Gc::new(mc, 5)));
    assert_eq!(*result.unwrap_err(), 5);
}

fn by_a_panic(arena: &Numbers) {
    arena.mutate(|_, root| std::panic::panic_any(*root));
}

fn main() {}
