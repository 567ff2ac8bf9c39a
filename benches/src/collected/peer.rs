//! The shapes, in gc-arena.

use super::{Account, Program};
use gc_arena as gc;

#[path = "graphs.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one source keeps the two collectors comparable"
)]
pub mod graphs;
#[path = "large.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one source keeps the two collectors comparable"
)]
pub mod large;
#[path = "owners/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one source keeps the two collectors comparable"
)]
pub mod owners;
#[path = "trees.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one source keeps the two collectors comparable"
)]
pub mod trees;

/// gc-arena has no slices in its heap: the items lie in memory of a `Vec`'s own.
type Array<'gc, T> = gc::Gc<'gc, Vec<T>>;

fn array<'gc, T: gc::Collect<'gc> + 'gc>(mc: &gc::Mutation<'gc>, items: Vec<T>) -> Array<'gc, T> {
    gc::Gc::new(mc, items)
}

/// An item of `array`, to be written.
fn write_at<'gc, T: gc::Collect<'gc> + 'gc>(
    mc: &gc::Mutation<'gc>,
    array: Array<'gc, T>,
    index: usize,
) -> &'gc gc::barrier::Write<T> {
    &gc::Gc::write(mc, array)[index]
}

/// What a heap can be asked for.
pub type Options = gc::metrics::Pacing;

/// A heap with `options`, whose root `f` makes.
fn arena<R, F>(options: Options, f: F) -> gc::Arena<R>
where
    R: for<'a> gc::Rootable<'a>,
    for<'a> gc::arena::Root<'a, R>: gc::Collect<'a> + Sized,
    F: for<'gc> FnOnce(&'gc gc::Mutation<'gc>) -> gc::arena::Root<'gc, R>,
{
    let arena = gc::Arena::new(f);
    arena.metrics().set_pacing(options);
    arena
}

/// gc-arena says nothing of a heap that compares with gc-core's account.
pub fn account(_: &gc::metrics::Metrics) -> Account {
    Account::default()
}
