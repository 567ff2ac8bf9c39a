use gc_core::Gc;
use gc_core::collect::dyn_collect;

macro_rules! swallow {
    ($($anything:tt)*) => {};
}

struct Hidden<'gc, T>(Gc<'gc, T>);
dyn_collect!(<T> Hidden<'gc, T> where T: Copy {} swallow!);

struct Twice<'gc, T>(Gc<'gc, T>);
dyn_collect!(<T> Twice<'gc, T> where T: Copy; swallow! {} impl<'gc, T> Drop for Twice<'gc, T> where T: Copy {} swallow!);

struct Inner<'gc, T>(Gc<'gc, T>);
dyn_collect!(@ [T] Inner<'gc, T> where T: Copy {} swallow!);

fn main() {}
