use gc_core::{Collect, Gc, GcWeak, Lock};

#[derive(Collect)]
#[collect(no_drop)]
struct Resurrects<'gc> {
    weak: GcWeak<'gc, u64>,
    slot: Gc<'gc, Lock<Option<Gc<'gc, u64>>>>,
}

impl Drop for Resurrects<'_> {
    fn drop(&mut self) {
        let _ = self.weak.is_dropped();
    }
}

#[derive(Collect)]
#[collect(no_drop)]
enum OfAParameter<T> {
    One(T),
}

impl<T> Drop for OfAParameter<T> {
    fn drop(&mut self) {}
}

fn main() {}
