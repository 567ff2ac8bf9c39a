//! `Gc` and `GcWeak`.

use std::borrow::Borrow;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Display;
use std::hash::{Hash, Hasher};

use gc_arena::arena::rootless_mutate;
use gc_arena::{Arena, Gc, GcWeak, Lock, Rootable, Static, unsize};

#[test]
fn a_pointer_is_like_a_reference() {
    rootless_mutate(|mc| {
        let two = Gc::new(mc, 2_u32);
        let also_two = Gc::new(mc, 2_u32);
        let three = Gc::new(mc, 3_u32);
        assert_eq!(
            (two, format!("{two} {two:?}")),
            (also_two, "2 2".to_string())
        );
        assert!(two < three && two.cmp(&three).is_lt() && two.partial_cmp(&three).is_some());
        assert!(!Gc::ptr_eq(two, also_two) && Gc::ptr_eq(two, Clone::clone(&two)));
        assert_eq!(format!("{two:p}"), format!("{:p}", Gc::as_ptr(two)));
        let hash = |value: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            value(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&|h| two.hash(h)), hash(&|h| 2_u32.hash(h)));
        let (borrowed, as_ref): (&u32, &u32) = (two.borrow(), AsRef::as_ref(&two));
        assert_eq!((*borrowed, *as_ref, *Gc::as_ref(two)), (2, 2, 2));
    });
}

#[test]
fn casts() {
    #[repr(C)]
    struct Prefix(u32);
    #[repr(C)]
    struct Whole(Prefix, u64);
    rootless_mutate(|mc| {
        let whole = Gc::new_static(mc, Whole(Prefix(7), 8));
        assert_eq!(whole.1, 8);
        // SAFETY: the layout begins with a prefix.
        let prefix = unsafe { Gc::cast::<Prefix>(whole) };
        assert_eq!(prefix.0, 7);
        let erased: Gc<'_, ()> = Gc::erase(prefix);
        assert!(Gc::ptr_eq(erased, Gc::erase(whole)));
        // SAFETY: the address is of a `Gc` of this call.
        let again = unsafe { Gc::from_ptr(Gc::as_ptr(whole)) };
        assert!(Gc::ptr_eq(again, whole));
        let weak = Gc::downgrade(whole);
        // SAFETY: as above.
        let weak_prefix = unsafe { GcWeak::cast::<Prefix>(weak) };
        assert_eq!(weak_prefix.upgrade(mc).unwrap().0, 7);
        // SAFETY: as above.
        let weak_again = unsafe { GcWeak::from_ptr(weak.as_ptr()) };
        assert!(GcWeak::ptr_eq(weak_again, weak) && !weak.is_dropped());
        assert!(GcWeak::ptr_eq(
            GcWeak::erase(weak),
            GcWeak::erase(weak_prefix)
        ));
        assert_eq!(format!("{weak:?}"), "(GcWeak)");
        let of_wrapper = Gc::new(mc, Static(Prefix(1)));
        assert_eq!(of_wrapper.0.0, 1);
    });
}

#[test]
fn a_weak_pointer_ends() {
    type Root<'gc> = (Option<Gc<'gc, String>>, GcWeak<'gc, String>);
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let gc = Gc::new(mc, "text".to_string());
        (Some(gc), Gc::downgrade(gc))
    });
    arena.finish_cycle();
    arena.mutate(|mc, root| {
        assert_eq!(*root.1.upgrade(mc).unwrap(), "text");
        assert!(!root.1.is_dropped());
    });
    arena.mutate_root(|_, root| root.0 = None);
    arena.finish_cycle();
    arena.mutate(|mc, root| {
        assert!(root.1.upgrade(mc).is_none() && root.1.is_dropped());
    });
}

#[test]
fn unsizing() {
    rootless_mutate(|mc| {
        let slice = unsize!(Gc::new(mc, [1, 2, 3]) => [u8]);
        assert_eq!(slice.len(), 3);
        let shown = unsize!(Gc::new(mc, "text".to_string()) => dyn Display);
        assert_eq!(shown.to_string(), "text");
        let weak = unsize!(Gc::downgrade(Gc::new(mc, 5)) => dyn Display);
        assert_eq!(weak.upgrade(mc).unwrap().to_string(), "5");
        let lock =
            unsize!(Gc::new(mc, gc_arena::RefLock::new(5)) => gc_arena::RefLock<dyn Display>);
        assert_eq!(lock.borrow().to_string(), "5");
        let _: Gc<'_, Lock<u8>> = Gc::new(mc, Lock::new(1));
    });
}

/// A pointer to a longer-lived type is one to a shorter-lived one.
#[allow(dead_code, reason = "that it compiles is the test")]
fn covariant<'gc, 'long: 'short, 'short: 'gc>(gc: Gc<'gc, &'long str>) -> Gc<'gc, &'short str> {
    gc
}
