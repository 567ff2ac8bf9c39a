//! What `dyn_collect!` is for are trait objects, of traits that have `DynCollect` as a supertrait.

use std::marker::PhantomData;
use std::ops::Deref;

use gc_core::Gc;
use gc_core::collect::{DynCollect, dyn_collect};

struct Plain<'gc>(Gc<'gc, u64>);
dyn_collect!(Plain<'gc>);

struct Generic<'gc, T>(Gc<'gc, T>);
dyn_collect!(<T> Generic<'gc, T> where T: Clone);

enum Choice<'gc> {
    Some(Gc<'gc, u64>),
}
dyn_collect!(Choice<'gc>);

struct Referred(u64);
dyn_collect!(&'gc Referred);

struct Boxed<'gc>(Gc<'gc, u64>);
dyn_collect!(Box<Boxed<'gc>>);

type Alias<'gc> = Hidden<'gc>;
struct Hidden<'gc>(Gc<'gc, u64>);
dyn_collect!(Alias<'gc>);

struct Tail<'gc>(Gc<'gc, u64>, [u8]);
dyn_collect!(Tail<'gc>);

struct MaybeTail<'gc, T: ?Sized>(Gc<'gc, u64>, T);
dyn_collect!(<T> MaybeTail<'gc, T> where T: ?Sized);

struct LeadsToAnObject<'gc>(Gc<'gc, u64>, [u8]);
impl<'gc> Deref for LeadsToAnObject<'gc> {
    type Target = dyn DynCollect<'gc> + 'gc;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
dyn_collect!(LeadsToAnObject<'gc>);

trait Without<'gc> {}
dyn_collect!(dyn Without<'gc> + 'gc);

trait OfAnother<'gc, 'other>: DynCollect<'other> {}
dyn_collect!(<'other> dyn OfAnother<'gc, 'other> + 'other);

trait Family {
    type Member: ?Sized;
}
impl<'gc> Family for PhantomData<&'gc ()> {
    type Member = Projected<'gc>;
}
struct Projected<'gc>(Gc<'gc, u64>);
dyn_collect!(<PhantomData<&'gc ()> as Family>::Member);

fn main() {}
