//! Locks in memory that objects share by `Rc` and `Arc`: guards of them that are leaked, and guards in use.

use std::cell::RefMut;
use std::mem::forget;
use std::rc::{self, Rc};
use std::sync::Arc;

use gc_core::arena::Root;
use gc_core::barrier::{Write, field};
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Mutation, RefLock, Rootable};
use gc_tests::cycle::{begin, collections};
use gc_tests::way::{in_each_way, panic_of};

use crate::run_out;

type List<'gc> = RefLock<Vec<Gc<'gc, u64>>>;

#[derive(Collect)]
#[collect(no_drop)]
enum Nested<'gc> {
    Number(u64),
    Lists(Box<Nested<'gc>>, Rc<RefLock<Vec<Nested<'gc>>>>),
    Gc(Gc<'gc, u64>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Holder<'gc> {
    list: Rc<List<'gc>>,
    nested: Rc<RefLock<Nested<'gc>>>,
    weak: rc::Weak<List<'gc>>,
    atomic: Arc<List<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct All<'gc> {
    holders: Vec<Gc<'gc, Holder<'gc>>>,
    /// The same memory as that of the first.
    list: Rc<List<'gc>>,
    /// What is in the locks.
    content: Vec<GcWeak<'gc, u64>>,
}

const HOLDERS: usize = 12;
const NUMBERS: usize = 4;

/// Two and two share their locks. The guards of those that the program cannot write to later are leaked at once.
#[allow(
    clippy::arc_with_non_send_sync,
    reason = "an `Arc` in an arena of one thread is what this is about"
)]
fn all<'gc>(mc: &Mutation<'gc>) -> All<'gc> {
    let mut content = Vec::new();
    let mut holders = Vec::new();
    for value in 0..HOLDERS as u64 / 2 {
        let numbers = [value; NUMBERS].map(|value| Gc::new(mc, value));
        content.extend(numbers.map(Gc::downgrade));
        let [one, two, three, four] = numbers;
        let mut atomic = Arc::new(RefLock::new(vec![two]));
        let taken = Arc::get_mut(&mut atomic).unwrap();
        forget(Write::from_mut(taken).unlock().borrow_mut());
        let inner = Rc::new(RefLock::new(vec![Nested::Gc(three), Nested::Number(0)]));
        let nested = Nested::Lists(Box::new(Nested::Gc(four)), inner);
        let (list, nested) = (
            Rc::new(RefLock::new(vec![one])),
            Rc::new(RefLock::new(nested)),
        );
        for _ in 0..2 {
            let holder = Holder {
                list: list.clone(),
                nested: nested.clone(),
                weak: Rc::downgrade(&list),
                atomic: atomic.clone(),
            };
            holders.push(Gc::new(mc, holder));
        }
    }
    let list = holders[0].list.clone();
    All {
        holders,
        list,
        content,
    }
}

fn leak<'gc>(mc: &Mutation<'gc>, holder: Gc<'gc, Holder<'gc>>) {
    let holder = Gc::write(mc, holder);
    forget(
        field!(holder, Holder, list)
            .as_deref()
            .unlock()
            .try_borrow_mut(),
    );
    let nested = field!(holder, Holder, nested).as_deref().unlock();
    if let Ok(mut guard) = nested.try_borrow_mut() {
        if let Nested::Lists(_, inner) = &mut *guard {
            let inner = Rc::get_mut(inner).unwrap();
            forget(Write::from_mut(inner).unlock().borrow_mut());
        }
        forget(guard);
    }
}

/// Guards are leaked before a cycle, and at each point of one. Collections go on, free garbage, and keep what is in the locks.
#[test]
#[allow(
    clippy::redundant_closure,
    reason = "the function is not general enough in its brand"
)]
fn leaked_guards() {
    in_each_way(|way| {
        for delay in 0..way.size(4, 12) {
            let mut arena =
                Arena::<Rootable![All<'_>]>::with_options(way.options(), |mc| all(mc)).unwrap();
            let check = |arena: &Arena<Rootable![All<'_>]>| {
                arena.mutate(|mc, all| {
                    (0..200).for_each(|_| _ = Gc::new(mc, [usize::MAX; 2]));
                    for (index, weak) in all.content.iter().enumerate() {
                        let value = weak.upgrade(mc).expect("it is in a lock");
                        assert_eq!(*value, (index / NUMBERS) as u64);
                    }
                });
            };
            for half in 0..2 {
                if half == 1 {
                    begin(&mut arena);
                    (0..delay).for_each(|_| arena.collect_debt());
                }
                arena.mutate(|mc, all| {
                    let some = all.holders.iter().skip(half * HOLDERS / 2);
                    some.take(HOLDERS / 2).for_each(|holder| leak(mc, *holder));
                });
                run_out(&mut arena);
                check(&arena);
            }
            for _ in 0..3 {
                let before = collections(&arena);
                begin(&mut arena);
                // A barrier of an object whose content nobody can look at meanwhile.
                arena.mutate(|mc, all| {
                    all.holders
                        .iter()
                        .for_each(|holder| _ = Gc::write(mc, *holder));
                });
                run_out(&mut arena);
                check(&arena);
                arena.finish_cycle();
                assert!(collections(&arena) > before);
                arena.verify().unwrap();
            }
            arena.finish_cycle();
            let objects = HOLDERS + NUMBERS * HOLDERS / 2;
            assert_eq!(arena.metrics().total_gc_count(), objects);
            arena.mutate(|_, all| assert!(all.list.try_borrow().is_err()));
        }
    });
}

/// Without a pointer, of which the collector does not know that.
#[derive(Default)]
struct Plain(Vec<u64>);

// SAFETY: there are no pointers. The value is looked at, as that of a type which has some is.
#[allow(unsafe_code, reason = "values of unknown types are implemented so")]
unsafe impl<'gc> Collect<'gc> for Plain {
    fn trace<T: Trace<'gc>>(&self, _: &mut T) {
        assert!(
            self.0.is_empty(),
            "a value is looked at while it is written"
        );
    }
}

/// A tree without pointers, which the macro does not know.
#[derive(Default, Collect)]
#[collect(no_drop)]
struct Tree(Vec<Tree>, String);

/// Holds a guard outside of `mutate` while `arena` collects: the collection panics and nothing is lost; afterwards all is as before.
fn guard_in_use<T>(options: gc_core::HeapOptions)
where
    T: for<'gc> Collect<'gc> + Default + 'static,
    for<'a> Root<'a, Rootable![(Gc<'_, (Rc<RefLock<T>>, u64)>, Gc<'_, u64>)]>: Collect<'a>,
{
    type Shared<T> = Rootable!['a => (Gc<'a, (Rc<RefLock<T>>, u64)>, Gc<'a, u64>)];
    let lock = Rc::new(RefLock::new(T::default()));
    let mut arena = Arena::<Shared<T>>::with_options(options, |mc| {
        (Gc::new(mc, (lock.clone(), 7)), Gc::new(mc, 8))
    })
    .unwrap();
    let guard: RefMut<'_, T> = Write::from_static(&*lock).unlock().borrow_mut();
    for _ in 0..2 {
        arena.mutate(|mc, _| (0..50).for_each(|_| _ = Gc::new(mc, [usize::MAX; 2])));
        let text = panic_of(|| arena.finish_cycle()).expect("the guard is in use");
        for part in [
            "a RefLock",
            "`Rc` or `Arc`",
            "outside of `mutate`",
            "derive `Collect`",
        ] {
            assert!(text.contains(part), "{text}");
        }
        arena.mutate(|_, (pair, number)| assert_eq!((pair.1, **number), (7, 8)));
    }
    drop(guard);
    arena.finish_cycle();
    arena.mutate(|_, (pair, number)| assert_eq!((pair.1, **number), (7, 8)));
    assert_eq!(arena.metrics().total_gc_count(), 2);
    arena.verify().unwrap();
}

/// What may be in use outside of `mutate` is not looked at meanwhile, whatever it is.
#[test]
fn guards_in_use_outside_of_mutate() {
    in_each_way(|way| {
        guard_in_use::<Plain>(way.options());
        guard_in_use::<Tree>(way.options());
        guard_in_use::<Vec<Plain>>(way.options());
    });
}
