//! All that the derive macro accepts.

use gc_arena::arena::rootless_mutate;
use gc_arena::{Arena, Collect, Gc, Lock, RefLock, Rootable};

use crate::pointers_of;

#[derive(Collect)]
#[collect(no_drop)]
struct Named<'gc, T> {
    value: T,
    next: Option<Gc<'gc, Named<'gc, T>>>,
}

#[derive(Collect, Clone, Copy)]
#[collect(no_drop)]
struct Unnamed<'gc>(Gc<'gc, u8>, u8);

#[derive(Collect)]
#[collect(no_drop)]
struct Unit;

#[derive(Collect)]
#[collect(no_drop)]
enum Choice<'gc> {
    Nothing,
    One(Gc<'gc, u8>),
    Two {
        left: Gc<'gc, u8>,
        right: Gc<'gc, u8>,
    },
}

#[derive(Collect)]
#[collect(no_drop)]
enum Never {}

/// Not `Collect`, and without need.
struct Foreign;

#[derive(Collect)]
#[collect(require_static)]
struct WholeStatic<T>(T, Foreign);

#[derive(Collect)]
#[collect(no_drop)]
struct PartStatic<'gc> {
    #[collect(require_static)]
    _foreign: Foreign,
    gc: Gc<'gc, u8>,
}

#[derive(Collect)]
#[collect(unsafe_drop)]
struct Dropped<'gc>(Gc<'gc, u8>, std::rc::Rc<std::cell::Cell<u32>>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.1.set(self.1.get() + 1);
    }
}

trait Named2 {
    type Name;
}

impl Named2 for u8 {
    type Name = String;
}

#[derive(Collect)]
#[collect(no_drop, bound = "where T::Name: Collect<'gc>")]
struct Bounded<'gc, T: Named2>(T::Name, Gc<'gc, u8>);

#[derive(Collect)]
#[collect(no_drop, bound = "")]
struct Unbounded<'gc, T: 'gc>(Gc<'gc, Lock<T>>);

#[derive(Collect)]
#[collect(gc_lifetime = 'gc, no_drop)]
struct TwoLifetimes<'a, 'gc> {
    gc: Gc<'gc, u8>,
    #[collect(require_static)]
    _name: std::marker::PhantomData<&'a str>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Unsized<'gc, T: ?Sized + 'gc> {
    gc: Gc<'gc, u8>,
    tail: RefLock<T>,
}

/// With a name of its own for the brand, and a constant.
#[derive(Collect)]
#[collect(no_drop)]
struct Array<'arena, T, const N: usize>
where
    T: Copy,
{
    all: [Option<Gc<'arena, T>>; N],
}

#[test]
fn pointers_are_found() {
    rootless_mutate(|mc| {
        let gc = Gc::new(mc, 1);
        let next = Some(Gc::new(
            mc,
            Named {
                value: gc,
                next: None,
            },
        ));
        assert_eq!(pointers_of(&Named { value: gc, next }), (2, 0));
        assert_eq!(pointers_of(&Unnamed(gc, 1)), (1, 0));
        assert_eq!(pointers_of(&Choice::Nothing), (0, 0));
        assert_eq!(pointers_of(&Choice::One(gc)), (1, 0));
        assert_eq!(
            pointers_of(&Choice::Two {
                left: gc,
                right: gc
            }),
            (2, 0)
        );
        assert_eq!(
            pointers_of(&PartStatic {
                _foreign: Foreign,
                gc
            }),
            (1, 0)
        );
        assert_eq!(pointers_of(&Bounded::<u8>(String::new(), gc)), (1, 0));
        assert_eq!(pointers_of(&Unbounded(Gc::new(mc, Lock::new(1)))), (1, 0));
        let _name = std::marker::PhantomData;
        assert_eq!(
            pointers_of(&TwoLifetimes::<'static, '_> { gc, _name }),
            (1, 0)
        );
        let tail = RefLock::new([gc, gc]);
        let value: &Unsized<'_, [Gc<'_, u8>]> = &Unsized { gc, tail };
        assert_eq!(pointers_of(value), (3, 0));
        assert_eq!(
            pointers_of(&Array {
                all: [Some(gc), None]
            }),
            (1, 0)
        );
        assert_eq!(value.tail.borrow().len(), 2);
    });
}

#[test]
fn what_needs_no_trace() {
    fn needs_trace<'gc, T: Collect<'gc>>(_: impl Fn() -> T) -> bool {
        T::NEEDS_TRACE
    }
    assert!(!needs_trace(|| Unit) && !needs_trace(|| WholeStatic(1, Foreign)));
    assert!(!needs_trace(|| -> Never { unreachable!() }));
    assert!(rootless_mutate(|mc| needs_trace(|| Unnamed(
        Gc::new(mc, 1),
        1
    ))));
}

#[test]
fn destructors_run() {
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut arena = Arena::<Rootable![Option<Gc<'_, Dropped<'_>>>]>::new(|mc| {
        Some(Gc::new(mc, Dropped(Gc::new(mc, 1), count.clone())))
    });
    arena.finish_cycle();
    assert_eq!(
        (count.get(), arena.mutate(|_, root| *root.unwrap().0)),
        (0, 1)
    );
    arena.mutate_root(|_, root| *root = None);
    arena.finish_cycle();
    assert_eq!(count.get(), 1);
}
