use std::cell::Cell;
use std::rc::Rc;

use gc_core::shared::Mutation;
use gc_core::{GcBuilder, Lock, Static};

fn shapes(mc: &Mutation<'_>) {
    mc.allocate_static(Cell::new(5));
    mc.build(GcBuilder::new(), Lock::new(5));
    mc.build(GcBuilder::<Static<Cell<u8>>>::new().unwrap_static(), Cell::new(5));
    mc.allocate_slice_with_header(Cell::new(5), [5]);
    mc.allocate_slice_with_header(5, [Rc::new(5)]);
    mc.allocate_gc_slice([Lock::new(5)]);
}

fn main() {}
