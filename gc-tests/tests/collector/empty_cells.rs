//! Cells that are empty when their object is made, in types whose pointers are not at constant
//! places: what is put into them later stays alive.

use gc_core::lock::OnceLock;
use gc_core::{Arena, Collect, Gc, GcWeak, HeapOptions, Lock, RefLock, Rootable, Zeal};

fn checked() -> HeapOptions {
    HeapOptions::default().zeal(Zeal::ALL)
}

#[test]
fn a_ref_lock_of_an_option() {
    type Root<'gc> = Gc<'gc, RefLock<Option<Gc<'gc, u64>>>>;
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| Gc::new(mc, RefLock::new(None)))
            .unwrap();
    arena.mutate(|mc, root| *root.borrow_mut(mc) = Some(Gc::new(mc, 5)));
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 2);
    assert_eq!(arena.mutate(|_, root| *root.borrow().unwrap()), 5);
}

#[test]
fn a_weak_one() {
    type Root<'gc> = Gc<'gc, RefLock<Option<GcWeak<'gc, u64>>>>;
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| Gc::new(mc, RefLock::new(None)))
            .unwrap();
    arena.mutate(|mc, root| *root.borrow_mut(mc) = Some(Gc::downgrade(Gc::new(mc, 5))));
    arena.finish_cycle();
    // The cell and a shell.
    assert_eq!(arena.metrics().total_gc_count(), 2);
    arena.mutate(|mc, root| assert!(root.borrow().unwrap().upgrade(mc).is_none()));
}

#[test]
fn in_a_variant_of_an_enum() {
    #[derive(Collect)]
    #[collect(no_drop)]
    enum Either<'gc> {
        Lock(u64, Lock<Option<Gc<'gc, u64>>>),
        Once(OnceLock<Gc<'gc, u64>>),
    }
    type Root<'gc> = [Gc<'gc, Either<'gc>>; 2];
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| {
        let once = Either::Once(OnceLock::new());
        [
            Gc::new(mc, Either::Lock(1, Lock::new(None))),
            Gc::new(mc, once),
        ]
    })
    .unwrap();
    arena.mutate(|mc, root| {
        for either in root {
            use gc_core::barrier::Write;
            let value = Gc::new(mc, 5);
            // The barrier is called for the whole object, and a part of it is written.
            Gc::write(mc, *either);
            match either.as_ref() {
                // SAFETY: as said above.
                Either::Lock(_, lock) => unsafe { Write::assume(lock) }.unlock().set(Some(value)),
                // SAFETY: as said above.
                Either::Once(once) => unsafe { Write::assume(once) }.unlock().set(value).unwrap(),
            }
        }
    });
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 4);
}

#[test]
fn beyond_the_words_of_a_constant_map() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Wide<'gc> {
        words: [u64; 64],
        lock: Lock<Option<Gc<'gc, u64>>>,
        once: OnceLock<Gc<'gc, u64>>,
    }
    let mut arena = Arena::<Rootable![Gc<'_, Wide<'_>>]>::with_options(checked(), |mc| {
        Gc::new(
            mc,
            Wide {
                words: [0; 64],
                lock: Lock::new(None),
                once: OnceLock::new(),
            },
        )
    })
    .unwrap();
    arena.mutate(|mc, root| {
        let wide = Gc::write(mc, *root);
        gc_core::barrier::unlock!(wide, Wide, lock).set(Some(Gc::new(mc, 5)));
        assert!(
            gc_core::barrier::unlock!(wide, Wide, once)
                .set(Gc::new(mc, 6))
                .is_ok()
        );
    });
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 3);
    arena.mutate(|_, root| {
        assert_eq!(
            (*root.lock.get().unwrap(), **root.once.get().unwrap()),
            (5, 6)
        );
        assert!(root.words.iter().all(|word| *word == 0));
    });
}
