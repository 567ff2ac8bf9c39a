use std::marker::PhantomData;

use gc_core::{Arena, Collect, Gc, Mutation, Rootable};

/// A reference that lives longer than what it leads to.
type Root<'gc> = (Gc<'gc, String>, PhantomData<&'static &'gc ()>);

fn in_a_tuple(arena: &Arena<Rootable![Root<'_>]>) -> Gc<'static, String> {
    arena.mutate(|_, root| root.0)
}

/// The same, by way of a derived type.
#[derive(Collect)]
#[collect(no_drop, gc_lifetime = 'gc)]
struct Node<'gc, 'a>(Gc<'gc, String>, PhantomData<&'a &'gc ()>);

fn in_a_struct() {
    let arena = Arena::<Rootable!['gc => Node<'gc, 'static>]>::new(|mc| {
        Node(Gc::new(mc, String::new()), PhantomData)
    });
    let escaped: Gc<'static, String> = arena.mutate(|_, root| root.0);
    assert_eq!(*escaped, "");
}

/// The right to work on the heap escapes as well.
fn the_mutation() -> &'static Mutation<'static> {
    let mut escaped = None;
    let _ = Arena::<Rootable!['gc => fn() -> &'static &'gc ()]>::try_new(|mc| {
        escaped = Some(mc);
        Err(())
    });
    escaped.unwrap()
}

fn main() {}
