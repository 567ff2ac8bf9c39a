//! Roots that come and go.

#![allow(
    clippy::redundant_closure,
    reason = "the function itself is not general enough"
)]

use gc_arena::dynamic_roots::{DynamicRoot, DynamicRootSet, MismatchedRootSet};
use gc_arena::{Arena, Gc, Rootable};

#[test]
fn handles() {
    let mut arena = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
    type Numbers = Rootable![Gc<'_, u32>];
    let handle: DynamicRoot<Numbers> =
        arena.mutate(|mc, roots| roots.stash(mc, Gc::new(mc, Gc::new(mc, 5))));
    let copy = handle.clone();
    drop(handle);
    arena.finish_cycle();
    arena.mutate(|_, roots| {
        assert!(roots.contains(&copy));
        assert_eq!(**roots.fetch(&copy), 5);
        assert_eq!(Gc::as_ptr(roots.try_fetch(&copy).unwrap()), copy.as_ptr());
    });
    let other = Arena::<Rootable![DynamicRootSet<'_>]>::new(|mc| DynamicRootSet::new(mc));
    let error: MismatchedRootSet = other.mutate(|_, roots| roots.try_fetch(&copy).err().unwrap());
    let _: &dyn std::error::Error = &error;
    assert!(!error.to_string().is_empty() && !other.mutate(|_, roots| roots.contains(&copy)));
    let before = arena.metrics().total_gc_count();
    drop(copy);
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), before - 2);
}
