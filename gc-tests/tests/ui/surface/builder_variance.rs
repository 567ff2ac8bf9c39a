use gc_core::gc_slice::{GcSliceBuilder, GcSliceWithHeaderBuilder, GcSliceWithHeaderSliceBuilder};
use gc_core::GcBuilder;

fn one<'gc, 'a>(builder: GcBuilder<'gc, &'static u8>) -> GcBuilder<'gc, &'a u8> {
    builder
}

fn elements<'gc, 'a>(builder: GcSliceBuilder<'gc, &'static u8>) -> GcSliceBuilder<'gc, &'a u8> {
    builder
}

fn header<'gc, 'a>(
    builder: GcSliceWithHeaderBuilder<'gc, &'static u8, u8>,
) -> GcSliceWithHeaderBuilder<'gc, &'a u8, u8> {
    builder
}

fn behind_a_header<'gc, 'a>(
    builder: GcSliceWithHeaderSliceBuilder<'gc, u8, &'static u8>,
) -> GcSliceWithHeaderSliceBuilder<'gc, u8, &'a u8> {
    builder
}

fn main() {}
