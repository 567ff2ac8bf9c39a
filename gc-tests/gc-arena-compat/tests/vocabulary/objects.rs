//! Trait objects that can be traced.

use gc_arena::collect::{DynCollect, dyn_collect};
use gc_arena::{Arena, Collect, Gc, Lock, RefLock, Rootable, unsize};
use gc_tests::way::in_each_way;

use crate::pointers_of;

trait Shape<'gc>: DynCollect<'gc> {
    fn sum(&self) -> u64;
    fn put(&mut self, gc: Gc<'gc, u64>);
}
dyn_collect!(dyn Shape<'gc> + 'gc);

trait Bounded<'gc>: 'gc + DynCollect<'gc> {}
dyn_collect!(dyn Bounded<'gc>);

trait Generic<'gc, T>: DynCollect<'gc>
where
    T: Clone,
{
    type Output;
}
dyn_collect!(<T> dyn Generic<'gc, T, Output = T> + 'gc where T: Clone);

#[derive(Collect)]
#[collect(no_drop)]
struct Two<'gc>(Gc<'gc, u64>, Lock<Gc<'gc, u64>>);

impl<'gc> Shape<'gc> for Two<'gc> {
    fn sum(&self) -> u64 {
        *self.0 + *self.1.get()
    }

    fn put(&mut self, gc: Gc<'gc, u64>) {
        self.0 = gc;
    }
}

impl<'gc> Bounded<'gc> for Two<'gc> {}

impl<'gc> Generic<'gc, u8> for Two<'gc> {
    type Output = u8;
}

impl<'gc> Shape<'gc> for Vec<Gc<'gc, u64>> {
    fn sum(&self) -> u64 {
        self.iter().map(|gc| **gc).sum()
    }

    fn put(&mut self, gc: Gc<'gc, u64>) {
        self.push(gc);
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Holder<'gc> {
    shapes: RefLock<Vec<Box<dyn Shape<'gc> + 'gc>>>,
    bounded: Box<dyn Bounded<'gc>>,
    generic: Box<dyn Generic<'gc, u8, Output = u8> + 'gc>,
    anything: Box<dyn DynCollect<'gc> + 'gc>,
    static_too: Box<dyn DynCollect<'gc>>,
}

#[test]
fn objects_are_traced() {
    in_each_way(|way| {
        type Root<'gc> = (Gc<'gc, Holder<'gc>>, Gc<'gc, RefLock<dyn Shape<'gc> + 'gc>>);
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let new = |number| Gc::new(mc, number);
            let two = || Two(new(1), Lock::new(new(2)));
            let holder = Holder {
                shapes: RefLock::new(vec![Box::new(two()), Box::new(vec![new(3)])]),
                bounded: Box::new(two()),
                generic: Box::new(two()),
                anything: Box::new([new(4)]),
                static_too: Box::new(5),
            };
            assert_eq!(pointers_of(&holder), (8, 0));
            let shape = unsize!(Gc::new(mc, RefLock::new(two())) => RefLock<dyn Shape<'_> + '_>);
            (Gc::new(mc, holder), shape)
        })
        .unwrap();
        for round in 0..way.size(5, 100) as u64 {
            arena.mutate(|mc, root| {
                let write = Gc::write(mc, root.0);
                let shapes = gc_arena::barrier::unlock!(write, Holder, shapes);
                for shape in &mut *shapes.borrow_mut() {
                    shape.put(Gc::new(mc, 1));
                }
                root.1.borrow_mut(mc).put(Gc::new(mc, round));
                (0..500).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
            arena.mutate(|_, root| {
                let sum = |index: usize| root.0.shapes.borrow()[index].sum();
                assert_eq!((sum(0), sum(1)), (3, 4 + round));
                assert_eq!(root.1.borrow().sum(), round + 2);
            });
        }
        assert!(arena.verify().is_ok());
    });
}

/// What the collector asks a lock about passes through an object: a leaked guard does not disturb it.
#[test]
fn a_leaked_guard_behind_an_object() {
    trait Cell<'gc>: DynCollect<'gc> {
        fn lock(&self) -> &RefLock<Option<Gc<'gc, u64>>>;
    }
    dyn_collect!(dyn Cell<'gc> + 'gc);
    impl<'gc> Cell<'gc> for RefLock<Option<Gc<'gc, u64>>> {
        fn lock(&self) -> &RefLock<Option<Gc<'gc, u64>>> {
            self
        }
    }
    type Root<'gc> = Gc<'gc, RefLock<Option<Gc<'gc, u64>>>>;
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let object = Gc::new(mc, RefLock::new(Some(Gc::new(mc, 5))));
        let shown = unsize!(object => dyn Cell<'_>);
        assert!(shown.lock().borrow().is_some());
        object
    });
    arena.mutate(|mc, root| std::mem::forget(root.borrow_mut(mc)));
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 2);
}
