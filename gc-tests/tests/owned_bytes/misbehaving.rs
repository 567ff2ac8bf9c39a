//! Answers that are wrong or never come.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::Write;
use gc_core::collect::OwnedBytes;
use gc_core::{
    Arena, Collect, DynamicRoot, DynamicRootSet, Gc, GcBuilder, HeapOptions, Lock, Mode, RefLock,
    Rootable, Zeal,
};

use crate::{MIB, ways};

thread_local! {
    static ANSWER: Cell<Option<usize>> = const { Cell::new(Some(0)) };
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}

/// Says what `ANSWER` is, or panics.
struct Odd(u8);

impl Odd {
    fn new() -> Odd {
        ALIVE.set(ALIVE.get() + 1);
        Odd(0)
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Odd {
    const NEEDS_TRACE: bool = false;

    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        owned.add(ANSWER.get().expect("no answer"));
    }
}

type Root<'gc> = Option<Gc<'gc, RefLock<Odd>>>;

#[test]
fn absurd_answers_neither_overflow_nor_stop_the_collector() {
    for options in ways() {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
        ANSWER.set(Some(usize::MAX));
        for _ in 0..100 {
            arena.mutate(|mc, _| (0..1000).for_each(|_| _ = Gc::new(mc, RefLock::new(Odd::new()))));
            arena.collect_debt();
            ANSWER.set(Some(usize::MAX - ANSWER.get().unwrap()));
        }
        assert!(arena.metrics().statistics().collections > 10);
        // Answers change their mind.
        arena.mutate_root(|mc, root| *root = Some(Gc::new(mc, RefLock::new(Odd::new()))));
        for answer in [0, usize::MAX, 7, usize::MAX, 1 << 40, 0] {
            ANSWER.set(Some(answer));
            arena.mutate(|mc, root| root.unwrap().borrow_mut(mc).0 += 1);
            arena.collect_debt();
        }
        arena.mutate_root(|_, root| *root = None);
        arena.finish_cycle();
        assert_eq!(
            (arena.metrics().statistics().owned_bytes, ALIVE.get()),
            (0, 0)
        );
        // And afterwards honest ones count as they should.
        ANSWER.set(Some(MIB));
        let before = arena.metrics().statistics().collections;
        for _ in 0..64 {
            arena.mutate(|mc, _| _ = Gc::new(mc, RefLock::new(Odd::new())));
            arena.collect_debt();
        }
        assert!(arena.metrics().statistics().collections > before);
        assert!(ALIVE.get() < 16, "{}", ALIVE.get());
    }
}

/// Panics of an allocation go on there, and the value is dropped; others go on from the safepoint.
#[test]
fn panics_lose_nothing() {
    for options in ways() {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |_| None).unwrap();
        let panics = |call: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(call)).is_err();
        ANSWER.set(None);
        assert!(panics(
            &mut || arena.mutate(|mc, _| _ = Gc::new(mc, Odd::new()))
        ));
        assert_eq!(ALIVE.get(), 0);
        assert!(panics(&mut || arena.mutate(|mc, _| {
            _ = Gc::slice_from_iter(mc, (0..3).map(|_| Odd::new()));
        })));
        assert_eq!(ALIVE.get(), 0);
        assert!(panics(&mut || arena.mutate(|mc, _| {
            _ = GcBuilder::new().write(mc, Odd::new());
        })));
        ANSWER.set(Some(1000));
        arena.finish_cycle();
        assert_eq!(ALIVE.get(), 0);

        arena.mutate_root(|mc, root| *root = Some(Gc::new(mc, RefLock::new(Odd::new()))));
        assert_eq!(arena.metrics().statistics().owned_bytes, 1000);
        arena.mutate(|mc, root| root.unwrap().borrow_mut(mc).0 = 7);
        ANSWER.set(None);
        assert!(panics(&mut || arena.collect_debt()));
        // It was asked, and is not asked again.
        assert!(!panics(&mut || arena.collect_debt()));
        assert_eq!(arena.metrics().statistics().owned_bytes, 1000);
        ANSWER.set(Some(3000));
        arena.mutate(|mc, root| root.unwrap().borrow_mut(mc).0 = 8);
        arena.finish_cycle();
        assert_eq!(arena.metrics().statistics().owned_bytes, 3000);
        assert_eq!(arena.mutate(|_, root| root.unwrap().borrow().0), 8);
        ANSWER.set(Some(0));
        drop(arena);
        assert_eq!(ALIVE.get(), 0);
    }
}

/// A pointer that is moved, while marking, to where it was looked already would be lost.
#[test]
fn to_look_is_not_to_write() {
    type Slot<'gc> = Lock<Option<Gc<'gc, String>>>;

    #[derive(Collect)]
    #[collect(no_drop, owned_bytes = move_it)]
    struct Mover<'gc> {
        to: Rc<Slot<'gc>>,
        from: Gc<'gc, Slot<'gc>>,
    }

    thread_local! {
        static MOVES: Cell<u8> = const { Cell::new(0) };
    }

    fn move_it(mover: &Mover<'_>) -> usize {
        if MOVES.get() & 1 != 0
            && let Some(target) = mover.from.take()
        {
            Write::from_mut(&mut mover.to.clone())
                .as_deref()
                .unlock()
                .set(Some(target));
        }
        if MOVES.get() & 2 != 0 {
            _ = Write::from_mut(&mut mover.to.clone()).as_deref();
        }
        0
    }

    for options in ways() {
        let mut arena = Arena::<Rootable![Gc<'_, Mover<'_>>]>::with_options(options, |mc| {
            let target = Gc::new(mc, "kept".to_string());
            let from = Gc::new(mc, Lock::new(Some(target)));
            Gc::new(
                mc,
                Mover {
                    to: Rc::default(),
                    from,
                },
            )
        })
        .unwrap();
        for moves in [1, 2] {
            MOVES.set(moves);
            let collect = AssertUnwindSafe(|| arena.finish_cycle());
            let panic = catch_unwind(collect).unwrap_err();
            let message = panic.downcast_ref::<&str>().unwrap();
            assert!(message.contains("`owned_bytes` writes"), "{message}");
        }
        MOVES.set(0);
        arena.finish_cycle();
        assert_eq!(arena.verify(), Ok(()));
        arena.mutate(|_, mover| {
            assert_eq!(mover.from.get().as_deref().unwrap(), "kept");
            // Here there are barriers.
            MOVES.set(1);
            OwnedBytes::of(&**mover);
            MOVES.set(0);
            assert_eq!(mover.to.get().as_deref().unwrap(), "kept");
        });
        arena.finish_cycle();
        arena.mutate(|_, mover| assert_eq!(mover.to.get().as_deref().unwrap(), "kept"));
    }
}

/// A destructor may write to what is about to be freed with it.
#[test]
fn destructors_that_write_are_not_noted() {
    struct Writes(RefLock<Vec<u8>>);

    impl Drop for Writes {
        fn drop(&mut self) {
            drop(self.0.take());
        }
    }
    // SAFETY: there are no pointers.
    unsafe impl<'gc> Collect<'gc> for Writes {
        const NEEDS_TRACE: bool = false;

        fn owned_bytes(&self, owned: &mut OwnedBytes) {
            owned.add_field(&self.0);
        }
    }

    for options in ways() {
        let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
        for _ in 0..200 {
            arena.mutate(|mc, _| {
                (0..50).for_each(|_| _ = Gc::new(mc, Writes(RefLock::new(vec![0; 5000]))))
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        arena.collect_debt();
        assert_eq!(arena.metrics().statistics().owned_bytes, 0);
        assert_eq!(arena.verify(), Ok(()));
    }
}

type Parent<'gc> = Gc<'gc, u64>;

type Handle = DynamicRoot<Rootable![Parent<'_>]>;

thread_local! {
    /// What values fetch when they are asked.
    static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
    static FETCHED: Cell<bool> = const { Cell::new(false) };
}

#[derive(Collect)]
#[collect(no_drop, owned_bytes = fetch)]
struct Fetches<'gc> {
    written: RefLock<String>,
    set: DynamicRootSet<'gc>,
}

fn fetch(value: &Fetches<'_>) -> usize {
    HANDLE.with_borrow(|handle| {
        if let Some(handle) = handle {
            _ = value.set.fetch(handle);
            FETCHED.set(true);
        }
    });
    0
}

/// A list with a value at its end, which markers come to late.
#[derive(Collect)]
#[collect(no_drop)]
struct Link<'gc> {
    next: Option<Gc<'gc, Link<'gc>>>,
    last: Option<Gc<'gc, Fetches<'gc>>>,
}

#[derive(Collect)]
#[collect(no_drop, owned_bytes = write)]
struct Writes<'gc> {
    list: Gc<'gc, Link<'gc>>,
    name: String,
}

impl<'gc> Writes<'gc> {
    fn last(&self) -> Gc<'gc, Fetches<'gc>> {
        let mut link = self.list;
        while let Some(next) = link.next {
            link = next;
        }
        link.last.unwrap()
    }
}

/// Has the value at the end of the list asked once more at the same safepoint.
fn write(root: &Writes<'_>) -> usize {
    if HANDLE.with_borrow(Option::is_some) {
        root.last().written.take();
    }
    root.name.capacity()
}

#[test]
fn what_is_fetched_while_one_looks_is_marked_with_all_that_it_leads_to() {
    const LONG: usize = 100_000;
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .markers(1)
        .step(Duration::from_micros(1))
        .zeal(Zeal::NONE);
    let mut kept = None;
    let mut arena = Arena::<Rootable![Writes<'_>]>::with_options(options, |mc| {
        let set = DynamicRootSet::new(mc);
        kept = Some(set.stash(mc, Gc::new(mc, Gc::new(mc, 42))));
        let written = RefLock::new("text".to_string());
        let last = Some(Gc::new(mc, Fetches { written, set }));
        let mut list = Gc::new(mc, Link { next: None, last });
        for _ in 0..LONG {
            let (next, last) = (Some(list), None);
            list = Gc::new(mc, Link { next, last });
        }
        let name = "root".to_string();
        Writes { list, name }
    })
    .unwrap();
    arena.finish_cycle();
    while arena.collection_phase() == CollectionPhase::Sleeping {
        arena.metrics().adjust_debt(1e5);
        arena.collect_debt();
    }
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    HANDLE.set(kept);
    arena.finish_cycle();
    let handle = HANDLE.take().unwrap();
    assert!(FETCHED.get());
    arena.mutate(|mc, root| {
        (0..LONG as u64).for_each(|_| _ = Gc::new(mc, 13_u64));
        assert_eq!(**root.last().set.fetch(&handle), 42);
    });
    arena.verify().unwrap();
}
