//! The shapes, in gc-arena.

use super::Account;
use gc_arena as gc;

#[path = "graphs.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one source keeps the two collectors comparable"
)]
pub mod graphs;
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

/// gc-arena says nothing of a heap that compares with gc-core's account.
pub fn account(_: &gc::metrics::Metrics) -> Account {
    Account::default()
}
