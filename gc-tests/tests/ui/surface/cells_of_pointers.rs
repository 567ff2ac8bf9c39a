use std::cell::{Cell, OnceCell, RefCell};

use gc_core::{Collect, Gc};

#[derive(Collect)]
#[collect(no_drop)]
struct InACell<'gc>(Cell<Option<Gc<'gc, u64>>>);

#[derive(Collect)]
#[collect(no_drop)]
struct InARefCell<'gc>(RefCell<Vec<Gc<'gc, u64>>>);

#[derive(Collect)]
#[collect(no_drop)]
struct InAnOnceCell<'gc>(OnceCell<Gc<'gc, u64>>);

#[derive(Collect)]
#[collect(no_drop)]
struct InAStaticField<'gc>(#[collect(require_static)] Cell<Option<Gc<'gc, u64>>>);

fn main() {}
