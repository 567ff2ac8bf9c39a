//! Values of unusual size and alignment, and values that cannot be.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::lock::OnceLock;
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, RefLock, Rootable};

use crate::checked;

/// A page, if a small one.
#[derive(Collect)]
#[collect(require_static)]
#[repr(align(4096))]
struct Page(u8, Rc<Cell<usize>>);

impl Drop for Page {
    fn drop(&mut self) {
        assert!(std::ptr::from_ref(self).addr().is_multiple_of(4096));
        self.1.set(self.1.get() + 1);
    }
}

#[derive(Collect)]
#[collect(require_static)]
#[repr(align(4096))]
struct Pages([u8; 12288]);

/// Nothing, but something to drop.
#[derive(Collect)]
#[collect(require_static)]
#[repr(align(64))]
struct Empty;

thread_local! {
    static EMPTY_DROPS: Cell<usize> = const { Cell::new(0) };
}

impl Drop for Empty {
    fn drop(&mut self) {
        assert!(std::ptr::from_ref(self).addr().is_multiple_of(64));
        EMPTY_DROPS.set(EMPTY_DROPS.get() + 1);
    }
}

#[derive(Collect)]
#[collect(require_static)]
#[repr(align(16384))]
struct Aligned;

#[derive(Collect)]
#[collect(no_drop)]
struct Shapes<'gc> {
    page: Gc<'gc, Page>,
    pages: Gc<'gc, [Pages]>,
    empty: Gc<'gc, Empty>,
    empties: Gc<'gc, [Empty]>,
    aligned: Gc<'gc, Aligned>,
    weak: (
        GcWeak<'gc, Page>,
        GcWeak<'gc, [Empty]>,
        GcWeak<'gc, [Pages]>,
    ),
    weak_aligned: GcWeak<'gc, Aligned>,
}

#[test]
fn sizes_and_alignments() {
    const ROUNDS: usize = 20;
    type Root<'gc> = Gc<'gc, RefLock<Vec<Shapes<'gc>>>>;
    let drops = Rc::new(Cell::new(0));
    let mut arena =
        Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| Gc::new(mc, RefLock::default()))
            .unwrap();
    let mut empties = 0;
    for round in 0..ROUNDS {
        arena.mutate(|mc, root| {
            let page = |number| Gc::new(mc, Page(number, drops.clone()));
            let pages = |number| Gc::slice_from_iter(mc, [number; 2].map(|n| Pages([n; 12288])));
            empties += 1 + round + 2;
            root.borrow_mut(mc).push(Shapes {
                page: page(round as u8),
                pages: pages(round as u8),
                empty: Gc::new(mc, Empty),
                empties: Gc::slice_from_iter(mc, (0..round).map(|_| Empty)),
                aligned: Gc::new(mc, Aligned),
                weak: (
                    Gc::downgrade(page(100)),
                    Gc::downgrade(Gc::slice_from_iter(mc, [Empty, Empty])),
                    Gc::downgrade(pages(100)),
                ),
                weak_aligned: Gc::downgrade(Gc::new(mc, Aligned)),
            });
        });
        let collected = round % 3 == 0;
        if collected {
            arena.finish_cycle();
        }
        arena.mutate(|mc, root| {
            for (number, shapes) in root.borrow().iter().enumerate() {
                assert_eq!(usize::from(shapes.page.0), number);
                assert!(
                    shapes
                        .pages
                        .iter()
                        .all(|pages| pages.0 == [number as u8; 12288])
                );
                assert!(Gc::as_ptr(shapes.pages).addr().is_multiple_of(4096));
                assert!(Gc::as_ptr(shapes.empty).is_aligned());
                assert!(Gc::as_ptr(shapes.aligned).is_aligned());
                assert_eq!(shapes.empties.len(), number);
                let (page, empties, pages) = shapes.weak;
                let gone = [
                    page.upgrade(mc).is_none(),
                    empties.upgrade(mc).is_none(),
                    pages.upgrade(mc).is_none(),
                ];
                assert_eq!(
                    gone,
                    [page.is_dropped(), empties.is_dropped(), pages.is_dropped()]
                );
                assert!(!collected || gone == [true; 3]);
                // What needs no memory is for ever.
                assert!(shapes.weak_aligned.upgrade(mc).is_some());
            }
        });
    }
    arena.mutate(|mc, root| root.borrow_mut(mc).truncate(5));
    // The second frees the shells of the first.
    arena.finish_cycle();
    arena.finish_cycle();
    assert_eq!(drops.get(), 2 * ROUNDS - 5);
    drop(arena);
    assert_eq!((drops.get(), EMPTY_DROPS.get()), (2 * ROUNDS, empties));
}

/// An option of what cannot be is none, and one word of it is a pointer word: it must hold null.
#[test]
fn options_of_the_impossible() {
    #[derive(Clone, Copy, Collect)]
    #[collect(require_static)]
    enum Never {}
    #[derive(Clone, Copy, Collect)]
    #[collect(no_drop)]
    struct Impossible<'gc>(Gc<'gc, u64>, Never);
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Options<'gc> {
        slice: Gc<'gc, [Option<Impossible<'gc>>]>,
        lock: Gc<'gc, Lock<Option<Impossible<'gc>>>>,
        once: Gc<'gc, OnceLock<Impossible<'gc>>>,
    }
    type Root<'gc> = Option<Options<'gc>>;
    // A space of its own, where the same memory is used again.
    let options = checked().reserve(4 << 20);
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
    for _ in 0..3 {
        arena.mutate_root(|mc, root| {
            let free = Gc::as_ptr(Gc::new(mc, 1_u64)).addr() + 160;
            (0..1000).for_each(|_| _ = Gc::slice_from_iter(mc, [free; 60]));
            *root = None;
        });
        arena.finish_cycle();
        arena.mutate_root(|mc, root| {
            *root = Some(Options {
                slice: Gc::slice_from_iter(mc, [None; 20]),
                lock: Gc::new(mc, Lock::new(None)),
                once: Gc::new(mc, OnceLock::new()),
            });
        });
        arena.finish_cycle();
        arena.verify().unwrap();
        assert_eq!(arena.metrics().total_gc_count(), 3);
    }
    arena.mutate(|_, root| {
        let root = root.as_ref().unwrap();
        assert!(root.slice.iter().all(Option::is_none));
        assert!(root.lock.get().is_none() && root.once.get().is_none());
    });
}
