use gc_core::{__private::TypeMap, Collect, Gc, static_collect};

struct WithAPointer<'gc>(Gc<'gc, u8>);
static_collect!(WithAPointer<'_>);

struct Number<T>(usize, T);
static_collect!(<T> Number<T> where T: Copy {
    const TYPE_MAP: TypeMap = <Gc<'static, u8> as Collect<'static>>::TYPE_MAP;
} trait Rest);

fn main() {}
