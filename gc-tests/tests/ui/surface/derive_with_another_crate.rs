use gc_core::Gc;

#[derive(gc_core::Collect)]
#[collect(no_drop, crate = fake)]
struct Node<'gc>(Option<Gc<'gc, u64>>);

fn main() {}
