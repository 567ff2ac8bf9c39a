//! What finalizers and destructors do at the end of an arena.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gc_core::{Arena, Gc, HeapOptions, Lock, Rootable, Static};
use gc_tests::cycle::begin;
use gc_tests::way::in_each_way;

type Numbers<'gc> = Vec<Gc<'gc, Lock<Option<Gc<'gc, u64>>>>>;
type Other = Arena<Rootable![Numbers<'_>]>;

fn numbers(options: HeapOptions) -> Other {
    Arena::with_options(options, |mc| {
        let make = |number| Gc::new(mc, Lock::new(Some(Gc::new(mc, number))));
        (0..100).map(make).collect()
    })
    .unwrap()
}

/// Takes numbers out of locks, of which nobody says in which arena they are.
fn take(arena: &Other) -> u64 {
    arena.mutate(|_, root| {
        root.iter()
            .filter_map(|lock| lock.take())
            .map(|number| *number)
            .sum()
    })
}

/// Works on other arenas when it is dropped.
struct Owner {
    options: HeapOptions,
    other: Option<Other>,
    sum: Rc<Cell<u64>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut made = numbers(self.options);
        begin(&mut made);
        let other = self.other.take().map_or(0, |other| take(&other));
        self.sum.set(self.sum.get() + other + take(&made));
    }
}

/// Arenas that are dropped, made and written to while another one is dropped, by its finalizers and destructors, each
/// in the middle of a cycle.
#[test]
fn arenas_within_the_end_of_another() {
    in_each_way(|way| {
        let options = || way.options().finalize_at_drop(true);
        let sum = Rc::new(Cell::new(0));
        let owner = || {
            let mut other = numbers(options());
            begin(&mut other);
            Owner {
                options: options(),
                other: Some(other),
                sum: sum.clone(),
            }
        };
        let mut before = numbers(options());
        let mut arena = Arena::<Rootable![(Gc<'_, Static<Owner>>, Numbers<'_>)]>::with_options(
            options(),
            |mc| {
                let make = |number| Gc::new(mc, Lock::new(Some(Gc::new(mc, number))));
                let numbers: Numbers<'_> = (0..100).map(make).collect();
                let run = owner();
                let gc = Gc::new(mc, Static(()));
                _ = mc.finalize_with(gc, move |_, _| drop(run));
                for lock in &numbers {
                    _ = mc.finalize_with(*lock, |lock, fc| {
                        // It may be a marker's turn to read it.
                        let number = lock.take().unwrap();
                        lock.set(fc, Some(Gc::new(fc, *number)));
                        _ = fc.finalize_with(lock, |_, _| ());
                    });
                }
                (Gc::new(mc, Static(owner())), numbers)
            },
        )
        .unwrap();
        let mut after = numbers(options());
        begin(&mut before);
        begin(&mut arena);
        begin(&mut after);
        drop(arena);
        // Each of the two owners had one of its own, and made one.
        assert_eq!(sum.get(), 4 * (99 * 100 / 2));
        assert_eq!((take(&before), take(&after)), (4950, 4950));
        before.finish_cycle();
        after.finish_cycle();
        assert_eq!(after.metrics().total_gc_count(), 100);
    });
}

/// The same at the end of a thread, from variables of it.
#[test]
fn arenas_of_variables_of_a_thread() {
    thread_local! {
        static FIRST: RefCell<Vec<Other>> = const { RefCell::new(Vec::new()) };
        static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
    }
    for owner_first in [true, false] {
        let thread = std::thread::spawn(move || {
            let options = HeapOptions::default;
            let mut first = numbers(options());
            begin(&mut first);
            let other = Some(numbers(options()));
            let owner = Owner {
                options: options(),
                other,
                sum: Rc::default(),
            };
            if owner_first {
                OWNER.set(Some(owner));
                FIRST.set(vec![first, numbers(options())]);
            } else {
                FIRST.set(vec![first, numbers(options())]);
                OWNER.set(Some(owner));
            }
        });
        thread.join().unwrap();
    }
}
