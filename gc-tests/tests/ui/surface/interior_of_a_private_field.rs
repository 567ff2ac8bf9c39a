use std::cell::Cell;

use gc_core::slice::{Interior, Slice, interior};
use gc_core::{Gc, Lock};

fn into_a_cell<'gc>(lock: Gc<'gc, Lock<u64>>) -> Interior<'gc, Cell<u64>> {
    interior!(lock, Lock, cell)
}

fn by_hand<'gc>(base: Gc<'gc, ()>, number: &'gc u64) -> Interior<'gc, u64> {
    Interior { base, pointer: number }
}

fn with_another_length<'gc>(slice: Slice<'gc, u64>) -> Slice<'gc, u64> {
    Slice { length: 9, ..slice }
}

fn main() {}
