use std::cell::Cell;
use std::rc::Rc;

use gc_core::shared::Mutation;
use gc_core::slice::{OffsetSlice, Slice};
use gc_core::{GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, Lock, Static};

fn shapes<'gc>(mc: &Mutation<'gc>, numbers: Slice<'gc, Rc<u8>>) {
    mc.build(GcBuilder::new(), Lock::new(5));
    mc.build(GcBuilder::<Static<Cell<u8>>>::new().unwrap_static(), Cell::new(5));
    mc.build(GcSliceBuilder::new(1), [Lock::new(5)]);
    mc.build(GcSliceBuilder::new(1), (0..).map(Rc::new));
    mc.build(GcSliceWithHeaderBuilder::new(1).write_header(Cell::new(5)), [5]);
    mc.build(GcSliceWithHeaderBuilder::new(1).write_header(5), [Rc::new(5)]);
    mc.try_build(GcSliceWithHeaderBuilder::new(1).write_header(Rc::new(5)), [5]).unwrap();
    unsafe {
        mc.build_init(GcBuilder::<Rc<u8>>::new());
        mc.build_init(GcSliceBuilder::<Lock<u8>>::new(1));
        mc.build_init(GcSliceWithHeaderBuilder::<u8, Rc<u8>>::new(1).write_header(5));
        mc.build_init(GcSliceWithHeaderBuilder::<Rc<u8>, u8>::new(1).write_header(Rc::new(5)));
    }
    OffsetSlice::new(mc, [Rc::new(5)]);
    OffsetSlice::try_new(mc, [Lock::new(5)]).unwrap();
    numbers.compact_to_fit(mc);
}

fn main() {}
