//! One pointer for all values of size zero.

use std::cell::Cell;

use gc_arena::arena::rootless_mutate;
use gc_arena::zst_cache::{Alignment, ValidAlignment, ZstCache};
use gc_arena::{Arena, Gc, Rootable};

#[derive(Default)]
#[repr(align(32))]
struct Aligned32;

fn is_valid<const ALIGN: usize>() -> usize
where
    Alignment<ALIGN>: ValidAlignment,
{
    ALIGN
}

#[test]
fn values_share_a_pointer() {
    assert_eq!((is_valid::<1>(), is_valid::<{ 1 << 29 }>()), (1, 1 << 29));
    rootless_mutate(|mc| {
        let cache = ZstCache::<16>::new(mc);
        assert_eq!(Gc::as_ptr(cache.cached_ptr()).addr() % 16, 0);
        let unit = cache.alloc(mc, ());
        let empty: Gc<'_, [u64; 0]> = cache.alloc_static(mc, []);
        assert!(cache.is_cached(unit) && cache.is_cached(empty));
        assert!(Gc::ptr_eq(Gc::erase(unit), cache.cached_ptr()));
        assert!(
            cache
                .alloc_zst::<()>()
                .is_some_and(|gc| cache.is_cached(gc))
        );
        assert!(cache.alloc_zst::<u8>().is_none() && cache.alloc_zst::<Aligned32>().is_none());
        assert!(!cache.is_cached(cache.alloc(mc, 1)));
        assert!(!cache.is_cached(cache.alloc_static(mc, Aligned32)));
        let copy = cache;
        assert!(copy.is_cached(unit));
    });
}

/// A destructor runs when the value dies, and not before.
#[test]
fn a_value_with_a_destructor_is_an_object() {
    thread_local!(static DROPPED: Cell<u32> = const { Cell::new(0) });
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    type Root<'gc> = (ZstCache<'gc, 8>, Option<Gc<'gc, Noisy>>);
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let cache = ZstCache::new(mc);
        (cache, Some(cache.alloc_static(mc, Noisy)))
    });
    arena.finish_cycle();
    assert_eq!(DROPPED.get(), 0);
    arena.mutate_root(|_, root| {
        assert!(!root.0.is_cached(root.1.unwrap()));
        root.1 = None;
    });
    arena.finish_cycle();
    assert_eq!(DROPPED.get(), 1);
}
