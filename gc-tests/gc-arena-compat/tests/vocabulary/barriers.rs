//! Rights to write, and how they pass to parts.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use gc_arena::arena::rootless_mutate;
use gc_arena::barrier::{self, DerefWrite, IndexWrite, Unlock, Write, field, unlock};
use gc_arena::{Arena, Collect, Gc, Lock, RefLock, Rootable};
use gc_tests::way::in_each_way;

type Slot<'gc> = Lock<Option<Gc<'gc, u32>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Parts<'gc> {
    plain: Slot<'gc>,
    list: RefLock<Vec<Gc<'gc, u32>>>,
    boxed: Box<Slot<'gc>>,
    shared: Rc<Slot<'gc>>,
    vec: Vec<Slot<'gc>>,
    array: [Slot<'gc>; 2],
    deque: VecDeque<Slot<'gc>>,
    sorted: BTreeMap<u32, Slot<'gc>>,
    hashed: HashMap<u32, Slot<'gc>>,
    option: Option<Slot<'gc>>,
    result: Result<Slot<'gc>, Slot<'gc>>,
}

fn slot<'gc>() -> Slot<'gc> {
    Lock::new(None)
}

fn parts<'gc>() -> Parts<'gc> {
    Parts {
        plain: slot(),
        list: RefLock::new(Vec::new()),
        boxed: Box::new(slot()),
        shared: Rc::new(slot()),
        vec: vec![slot(), slot()],
        array: [slot(), slot()],
        deque: VecDeque::from([slot()]),
        sorted: BTreeMap::from([(1, slot())]),
        hashed: HashMap::from([(1, slot())]),
        option: Some(slot()),
        result: Err(slot()),
    }
}

/// Every place to which a right to write passes.
fn places<'a, 'gc>(parts: &'a Write<Parts<'gc>>) -> Vec<&'a Write<Slot<'gc>>> {
    vec![
        field!(parts, Parts, plain),
        barrier::field!(parts, Parts, boxed).as_deref(),
        field!(parts, Parts, shared).as_deref(),
        &field!(parts, Parts, vec)[1],
        &field!(parts, Parts, vec).as_deref()[0],
        &field!(parts, Parts, array)[1],
        &field!(parts, Parts, array)[..1][0],
        &field!(parts, Parts, deque)[0],
        &field!(parts, Parts, sorted)[&1],
        &field!(parts, Parts, hashed)[&1],
        field!(parts, Parts, option).as_write().unwrap(),
        field!(parts, Parts, result).as_write().err().unwrap(),
    ]
}

#[test]
fn every_part_can_be_written() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Gc<'_, Parts<'_>>]>::with_options(way.often(), |mc| {
            Gc::new(mc, parts())
        })
        .unwrap();
        for round in 0..way.size(5, 200) as u32 {
            arena.mutate(|mc, root| {
                let places = places(Gc::write(mc, *root));
                for (number, place) in (0..).zip(places) {
                    place.unlock().set(Some(Gc::new(mc, round + number)));
                }
                unlock!(Gc::write(mc, *root), Parts, list)
                    .borrow_mut()
                    .push(Gc::new(mc, round));
            });
            arena.collect_debt();
            arena.mutate(|mc, root| {
                for (number, place) in (0..).zip(places(Gc::write(mc, *root))) {
                    assert_eq!(place.get().as_deref(), Some(&(round + number)));
                }
                assert_eq!(**root.list.borrow().last().unwrap(), round);
            });
        }
    });
}

#[test]
fn values_that_are_shared_by_way_of_rc() {
    type Root<'gc> = (
        Gc<'gc, Rc<Slot<'gc>>>,
        Gc<'gc, Lock<Option<Gc<'gc, Rc<Slot<'gc>>>>>>,
    );
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let first = Gc::new(mc, Rc::new(Lock::new(Some(Gc::new(mc, 0)))));
            (first, Gc::new(mc, Lock::new(None)))
        })
        .unwrap();
        for round in 1..way.size(5, 300) as u32 {
            arena.mutate(|mc, root| {
                // The new object shares the value. What was there goes to a place that nobody visits.
                let new = Gc::new(mc, Rc::clone(&*root.0));
                let old = new.get().unwrap();
                assert_eq!(*old, round - 1);
                Gc::write(mc, new)
                    .as_deref()
                    .unlock()
                    .set(Some(Gc::new(mc, round)));
                root.1
                    .set(mc, Some(Gc::new(mc, Rc::new(Lock::new(Some(old))))));
                (0..2000).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
            arena.mutate(|_, root| {
                assert_eq!(*root.1.get().unwrap().get().unwrap(), round - 1);
            });
        }
    });
}

#[test]
fn rights_without_an_object() {
    let number = Lock::new(1);
    Write::from_static(&number).unlock().set(2);
    let mut list = vec![Lock::new(3)];
    let write = Write::from_mut(&mut list);
    write.push(Lock::new(4));
    write[1].unlock().set(5);
    // SAFETY: the value is in no object.
    let write = unsafe { Write::assume(&list) };
    write[0].unlock().set(6);
    // SAFETY: as above.
    unsafe { number.unlock_unchecked() }.set(7);
    assert_eq!((number.get(), list[0].get(), list[1].get()), (7, 6, 5));
}

/// Types of a user's.
struct Table<T>(Vec<T>);

impl<T> std::ops::Deref for Table<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> std::ops::Index<(usize, usize)> for Table<T> {
    type Output = T;

    fn index(&self, (x, y): (usize, usize)) -> &T {
        &self.0[2 * y + x]
    }
}

// SAFETY: the elements are owned.
unsafe impl<T> DerefWrite for Table<T> {}
// SAFETY: the elements are owned.
unsafe impl<T> IndexWrite<(usize, usize)> for Table<T> {}

// SAFETY: all elements are visited.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for Table<T> {
    const NEEDS_TRACE: bool = T::NEEDS_TRACE;

    fn trace<C: gc_arena::collect::Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
    }
}

#[test]
fn types_of_a_user() {
    rootless_mutate(|mc| {
        let table = Gc::new(mc, Table(vec![slot(), slot(), slot(), slot()]));
        let write = Gc::write(mc, table);
        write[(1, 1)].unlock().set(Some(Gc::new(mc, 1)));
        write.as_deref()[0].unlock().set(Some(Gc::new(mc, 2)));
        assert_eq!(*table.0[3].get().unwrap() + *table.0[0].get().unwrap(), 3);
    });
}
