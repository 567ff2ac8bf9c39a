use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct Always<'gc>(Gc<'gc, u8>, [u8]);

impl Drop for Always<'_> {
    fn drop(&mut self) {}
}

#[derive(Collect)]
#[collect(no_drop)]
struct Text<'gc, T>
where
    T: Clone,
{
    pointer: Gc<'gc, u8>,
    value: T,
    text: str,
}

impl<T> Drop for Text<'_, T>
where
    T: Clone,
{
    fn drop(&mut self) {}
}

#[derive(Collect)]
#[collect(no_drop)]
struct Maybe<'gc, T: ?Sized>(Gc<'gc, u8>, T);

impl<T: ?Sized> Drop for Maybe<'_, T> {
    fn drop(&mut self) {}
}

fn main() {}
