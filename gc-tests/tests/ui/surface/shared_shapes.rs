use std::cell::Cell;
use std::rc::Rc;

use gc_core::shared::Mutation;
use gc_core::{GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, Lock, Static};

fn shapes(mc: &Mutation<'_>) {
    mc.allocate_static(Cell::new(5));
    mc.build(GcBuilder::new(), Lock::new(5));
    mc.build(GcBuilder::<Static<Cell<u8>>>::new().unwrap_static(), Cell::new(5));
    mc.allocate_slice_with_header(Cell::new(5), [5]);
    mc.allocate_slice_with_header(5, [Rc::new(5)]);
    mc.allocate_gc_slice([Lock::new(5)]);
    mc.build_slice(GcSliceBuilder::new(1), |_| Lock::new(5));
    mc.build_slice_with_header(GcSliceWithHeaderBuilder::new(1).write_header(Cell::new(5)), |_| 5);
    mc.build_slice_with_header_copy(GcSliceWithHeaderBuilder::new(1).write_header(Rc::new(5)), &[5]);
    unsafe {
        mc.build_init(GcBuilder::<Rc<u8>>::new());
        mc.build_slice_init(GcSliceBuilder::<Lock<u8>>::new(1));
    }
}

fn main() {}
