use gc_core::Gc;
use gc_core::slice::{__Whole, Interior};

struct Mine<'gc>(Gc<'gc, u64>, u64);

impl<'gc> __Whole<'gc> for Mine<'gc> {
    type Target = u64;

    fn __whole(self) -> Interior<'gc, u64> {
        Interior::from(self.0)
    }
}

fn projected<'gc>(whole: Interior<'gc, u64>, elsewhere: &u64) -> Interior<'gc, u64> {
    Interior::__project(whole, elsewhere)
}

fn main() {}
