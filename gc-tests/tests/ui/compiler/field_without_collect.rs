use gc_core::{Collect, Gc};

struct NotCollect;

#[derive(Collect)]
#[collect(no_drop)]
struct InAStruct<'gc> {
    pointer: Gc<'gc, u8>,
    field: NotCollect,
}

#[derive(Collect)]
#[collect(no_drop)]
enum InAnEnum<'gc> {
    Pointer(Gc<'gc, u8>),
    Other {
        number: u8,
        field: Option<NotCollect>,
    },
}

fn main() {}
