use gc_core::{Arena, Gc, Rootable, static_collect};

struct WithAPointer<'gc>(Gc<'gc, u8>);
static_collect!(<'a> WithAPointer<'a>);

fn main() {
    Arena::<Rootable![WithAPointer<'_>]>::new(|mc| WithAPointer(Gc::new(mc, 5)));
}
