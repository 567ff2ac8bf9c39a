//! Enums in cells: their pointers are in other words after each write. Whichever way they are written, the tags are
//! made anew before a marker looks at them.
//!
//! Each test writes at random, and reads everything back with memory that died in between written over. The heap
//! verifies itself, that the tags of all clean objects are those that values tell included.

use gc_core::arena::Root;
use gc_core::barrier::{Unlock, Write, field};
use gc_core::collect::Trace;
use gc_core::collections;
use gc_core::lock::OnceLock;
use gc_core::slice::{Interior, Slice};
use gc_core::{
    Arena, Collect, Ephemeron, Gc, GcWeak, HeapOptions, Lock, Mode, Mutation, RefLock, Rootable,
    Zeal,
};
use gc_tests::cargo::{Cargo, litter};
use gc_tests::cycle::begin;
use gc_tests::random::Random;
use gc_tests::seed::{Seed, seeds};
use gc_tests::way::{Way, in_each_way};
use std::time::Duration;

type Crate<'gc> = Gc<'gc, Cargo<'gc>>;

/// Something of each sort, with pointers in all words, and none.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Nil,
    Unit(()),
    Number(u64, u64, u64, u64),
    First(Crate<'gc>, u64),
    Second(u64, Crate<'gc>),
    Padded(u8, Crate<'gc>, u8, u64),
    Weak(GcWeak<'gc, Cargo<'gc>>, Crate<'gc>),
    Ephemeron(Ephemeron<'gc, Cargo<'gc>, Cargo<'gc>>, Crate<'gc>),
    Derived(Slice<'gc, Crate<'gc>>),
    Inner(u64, Interior<'gc, Cargo<'gc>>),
    Nested(Inner<'gc>, u64),
    Maybe(u64, Option<Crate<'gc>>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Inner<'gc> {
    None,
    Some(Crate<'gc>),
}

impl<'gc> Value<'gc> {
    fn make(mc: &Mutation<'gc>, id: u64) -> Value<'gc> {
        let cargo = Cargo::new(mc, id);
        match id % 13 {
            0 => Value::Nil,
            1 => Value::Unit(()),
            2 => Value::Number(id, id, id, id),
            3 => Value::First(cargo, id),
            4 => Value::Second(id, cargo),
            5 => Value::Padded(id as u8, cargo, !id as u8, id),
            6 => Value::Weak(Gc::downgrade(cargo), cargo),
            7 => Value::Ephemeron(Ephemeron::new(cargo, Cargo::new(mc, id)), cargo),
            8 => {
                let all = Slice::from(Gc::slice_from_iter(mc, [Cargo::new(mc, 0), cargo]));
                Value::Derived(all.slice(1..2))
            }
            9 => Value::Inner(id, Interior::from(cargo)),
            10 => match id % 2 {
                0 => Value::Nested(Inner::None, id),
                _ => Value::Nested(Inner::Some(cargo), id),
            },
            _ => Value::Maybe(id, id.is_multiple_of(2).then_some(cargo)),
        }
    }

    #[track_caller]
    fn check(self, mc: &Mutation<'gc>, id: u64) {
        match self {
            Value::Nil => assert_eq!(id % 13, 0),
            Value::Unit(()) => assert_eq!(id % 13, 1),
            Value::Number(a, b, c, d) => assert_eq!([a, b, c, d], [id; 4]),
            Value::First(cargo, number) | Value::Second(number, cargo) => {
                assert_eq!([cargo.id(), number], [id; 2]);
            }
            Value::Padded(low, cargo, high, number) => {
                assert_eq!((low, high), (id as u8, !id as u8));
                assert_eq!([cargo.id(), number], [id; 2]);
            }
            Value::Weak(weak, cargo) => {
                assert!(weak.upgrade(mc).is_some_and(|same| Gc::ptr_eq(same, cargo)));
                assert_eq!(cargo.id(), id);
            }
            Value::Ephemeron(pair, key) => {
                assert_eq!([pair.value(mc).unwrap().id(), key.id()], [id; 2]);
            }
            Value::Derived(slice) => assert_eq!(slice[0].id(), id),
            Value::Inner(number, cargo) => assert_eq!([cargo.id(), number], [id; 2]),
            Value::Nested(Inner::None, number) => assert_eq!((number, id % 2), (id, 0)),
            Value::Nested(Inner::Some(cargo), number) | Value::Maybe(number, Some(cargo)) => {
                assert_eq!([cargo.id(), number], [id; 2]);
            }
            Value::Maybe(number, None) => assert_eq!((number, id % 2), (id, 1)),
        }
    }
}

/// Values in cells of all sorts, at places of all sorts.
#[derive(Collect)]
#[collect(no_drop)]
struct Cells<'gc> {
    before: u8,
    lock: Lock<Value<'gc>>,
    guarded: RefLock<Value<'gc>>,
    once: OnceLock<Value<'gc>>,
    array: [Lock<Value<'gc>>; 3],
    pair: RefLock<(u16, Option<Value<'gc>>)>,
    boxed: Option<Lock<Value<'gc>>>,
}

/// How many places there are, each with the number of the value that should be there.
const PLACES: usize = 10;

#[derive(Collect)]
#[collect(no_drop)]
struct Object<'gc> {
    cells: Gc<'gc, Cells<'gc>>,
    alone: Gc<'gc, Lock<Value<'gc>>>,
    slice: Gc<'gc, [Lock<Value<'gc>>]>,
}

impl<'gc> Object<'gc> {
    fn new(mc: &Mutation<'gc>, slots: usize) -> Object<'gc> {
        let lock = || Lock::new(Value::Nil);
        let cells = Cells {
            before: 1,
            lock: lock(),
            guarded: RefLock::new(Value::Nil),
            once: OnceLock::new(),
            array: [lock(), lock(), lock()],
            pair: RefLock::new((2, None)),
            boxed: Some(lock()),
        };
        Object {
            cells: Gc::new(mc, cells),
            alone: Gc::new(mc, lock()),
            slice: Gc::slice_from_iter(mc, (0..slots).map(|_| lock())),
        }
    }

    /// Writes to a place, in some way. `false` if it cannot be written.
    fn write(&self, mc: &Mutation<'gc>, place: usize, id: u64, random: &mut Random) -> bool {
        let new = Value::make(mc, id);
        let cells = || Gc::write(mc, self.cells);
        let guard = |lock: &RefLock<Value<'gc>>, leak: bool| {
            #[allow(unsafe_code, reason = "the lock is borrowed for ever after a leak")]
            // SAFETY: the barrier was called for the object, and no guard is in use.
            unsafe {
                *lock.as_ptr() = new;
                if leak && let Ok(guard) = lock.unlock_unchecked().try_borrow_mut() {
                    std::mem::forget(guard);
                }
            }
        };
        match place {
            0 => match random.below(5) {
                0 => field!(cells(), Cells, lock).unlock().set(new),
                1 => _ = field!(cells(), Cells, lock).unlock().replace(new),
                2 => {
                    let other = core::cell::Cell::new(new);
                    field!(cells(), Cells, lock).unlock().swap(&other);
                }
                3 => {
                    mc.backward_barrier(Gc::erase(self.cells), None);
                    #[allow(unsafe_code, reason = "one of the ways")]
                    // SAFETY: the barrier was called.
                    unsafe { self.cells.lock.as_cell() }.set(new);
                }
                _ => {
                    // Of all that a cycle knows nothing is left.
                    mc.forward_barrier(None, Gc::erase(self.cells));
                    #[allow(unsafe_code, reason = "one of the ways")]
                    // SAFETY: a barrier was called for all there is.
                    unsafe { self.cells.lock.as_cell() }.set(new);
                }
            },
            1 => {
                cells();
                guard(&self.cells.guarded, random.one_in(20));
            }
            2 => return field!(cells(), Cells, once).unlock().set(new).is_ok(),
            3..6 => {
                let array: &Write<[_; 3]> = field!(cells(), Cells, array);
                array[place - 3].unlock().set(new);
            }
            6 => {
                let mut pair = field!(cells(), Cells, pair).unlock().borrow_mut();
                *pair = (id as u16, Some(new));
            }
            7 => {
                let lock = field!(cells(), Cells, boxed).as_write().unwrap();
                lock.unlock().set(new);
            }
            8 => match random.below(4) {
                0..2 => self.alone.set(mc, new),
                2 => _ = self.alone.unlock(mc).replace(new),
                _ => {
                    // Half of it in the old way, and half in the new one.
                    self.alone.unlock(mc).set(Value::make(mc, id + 1));
                    self.alone.set(mc, new);
                }
            },
            _ => {
                let at = id as usize % self.slice.len();
                match random.below(2) {
                    0 => Gc::write(mc, self.slice)[at].unlock().set(new),
                    _ => Gc::write_at(mc, self.slice, at).unlock().set(new),
                }
            }
        }
        true
    }

    fn check(&self, mc: &Mutation<'gc>, place: usize, id: u64) {
        #[allow(unsafe_code, reason = "the lock may be borrowed for ever")]
        match place {
            0 => self.cells.lock.get().check(mc, id),
            // SAFETY: no guard is in use.
            1 => unsafe { *self.cells.guarded.as_ptr() }.check(mc, id),
            2 => self.cells.once.get().unwrap().check(mc, id),
            3..6 => self.cells.array[place - 3].get().check(mc, id),
            6 => {
                let pair = self.cells.pair.borrow();
                assert_eq!(pair.0, id as u16);
                pair.1.unwrap().check(mc, id);
            }
            7 => self.cells.boxed.as_ref().unwrap().get().check(mc, id),
            8 => self.alone.get().check(mc, id),
            _ => self.slice[id as usize % self.slice.len()]
                .get()
                .check(mc, id),
        }
        assert_eq!(self.cells.before, 1);
    }
}

/// The objects.
#[derive(Collect)]
#[collect(no_drop)]
struct All<'gc>(collections::Vec<'gc, Gc<'gc, Object<'gc>>>);

fn arena(way: Way, objects: usize, slots: usize) -> Arena<Rootable![All<'_>]> {
    Arena::with_options(way.often(), |mc| {
        let all = (0..objects).map(|_| Gc::new(mc, Object::new(mc, slots)));
        All(collections::Vec::from_iter(mc, all))
    })
    .unwrap()
}

fn safepoint<R>(arena: &mut Arena<R>, random: &mut Random)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    match random.below(8) {
        0 => begin(arena),
        1 => arena.finish_cycle(),
        2 => _ = arena.finish_marking().map(drop),
        3 => arena.verify().unwrap(),
        4 => {}
        _ => arena.collect_debt(),
    }
}

/// Writes to places of objects at random. How many objects had to be retagged by a cycle.
fn run(way: Way, seed: &Seed, slots: usize, rounds: usize, places: &[usize]) -> u64 {
    const OBJECTS: usize = 40;
    let mut random = seed.random();
    let mut arena = arena(way, OBJECTS, slots);
    let mut model = [[None; PLACES]; OBJECTS];
    let mut next = 0;
    for _ in 0..rounds {
        arena.mutate(|mc, All(objects)| {
            for _ in 0..random.below(40) {
                let (object, place) = (random.below(OBJECTS), *random.pick(places));
                next += 1;
                if objects[object].write(mc, place, next, &mut random) {
                    model[object][place] = Some(next);
                }
            }
            litter(mc, 20);
            for (object, model) in objects.iter().zip(&model) {
                for (place, id) in model.iter().enumerate() {
                    if let Some(id) = id {
                        object.check(mc, place, *id);
                    }
                }
            }
        });
        safepoint(&mut arena, &mut random);
    }
    arena.finish_cycle();
    arena.verify().unwrap();
    arena.metrics().statistics().retagged_late
}

#[test]
fn cells_of_all_sorts_are_written_in_all_ways() {
    in_each_way(|way| {
        for seed in seeds(0..2) {
            run(
                way,
                &seed,
                5,
                way.size(60, 300),
                &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            );
        }
    });
}

/// Of objects that are not large, a cycle has nothing to retag, unless a write is to an object of which nobody
/// says which it is.
#[test]
fn no_marker_meets_an_object_that_must_be_retagged() {
    in_each_way(|way| {
        for seed in seeds(0..2) {
            let late = run(
                way,
                &seed,
                5,
                way.size(60, 300),
                &[1, 2, 3, 4, 5, 6, 7, 8, 9],
            );
            assert_eq!(late, 0);
        }
    });
}

/// Nor are there more than are retagged at one safepoint when a cycle begins, if the program comes to some before.
#[test]
fn safepoints_at_which_nothing_is_due_retag() {
    const EACH: usize = 3000;
    type Root<'gc> = Vec<Gc<'gc, RefLock<Value<'gc>>>>;
    for mode in [Mode::Incremental, Mode::Concurrent] {
        let options = HeapOptions::default()
            .mode(mode)
            .concurrent_from(0)
            .zeal(Zeal::NONE)
            .step(Duration::from_micros(10));
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            let lock = |_| Gc::new(mc, RefLock::new(Value::Nil));
            (0..8 * EACH).map(lock).collect()
        })
        .unwrap();
        for part in 0..8 {
            arena.mutate(|mc, root| {
                for (number, lock) in root.iter().enumerate().skip(part * EACH).take(EACH) {
                    *lock.borrow_mut(mc) = Value::First(Cargo::new(mc, number as u64), 1);
                }
            });
            arena.collect_debt();
        }
        assert_eq!(arena.metrics().statistics().collections, 0);
        begin(&mut arena);
        arena.finish_cycle();
        arena.verify().unwrap();
        assert_eq!(arena.metrics().statistics().retagged_late, 0, "{mode:?}");
    }
}

/// Large objects are claimed by chunks, where it is known which of them is written.
#[test]
fn elements_of_large_slices_are_written() {
    in_each_way(|way| {
        for seed in seeds(0..1) {
            run(way, &seed, 600, way.size(20, 150), &[8, 9]);
        }
    });
}

/// Writes to elements of a long vector, in the ways that retag it and in those that leave it dirty.
#[test]
fn a_long_vector_is_written_in_turns() {
    const LENGTH: usize = 2000;
    type Cells<'gc> = Gc<'gc, RefLock<collections::Vec<'gc, Value<'gc>>>>;
    in_each_way(|way| {
        for seed in seeds(0..2) {
            let mut random = seed.random();
            let mut arena = Arena::<Rootable![Cells<'_>]>::with_options(way.often(), |mc| {
                Gc::new(mc, RefLock::new(collections::Vec::new()))
            })
            .unwrap();
            let (mut model, mut next) = (Vec::new(), 0);
            for _ in 0..way.size(40, 200) {
                arena.mutate(|mc, root| {
                    let mut vec = root.borrow_mut(mc);
                    for _ in 0..random.below(30) {
                        next += 1;
                        let at = random.below(model.len() + 1);
                        let new = Value::make(mc, next);
                        match random.below(10) {
                            _ if at == model.len() || model.len() < LENGTH => {
                                vec.push(mc, new);
                                model.push(next);
                            }
                            0..3 => {
                                vec.swap_remove(mc, at);
                                model.swap_remove(at);
                            }
                            3 => {
                                vec.insert(mc, at, new);
                                model.insert(at, next);
                            }
                            4 => {
                                vec.remove(mc, at);
                                model.remove(at);
                            }
                            _ => {
                                *vec.get_mut(mc, at).unwrap() = new;
                                model[at] = next;
                            }
                        }
                    }
                    // So that it is long soon.
                    while model.len() < LENGTH {
                        next += 1;
                        vec.push(mc, Value::make(mc, next));
                        model.push(next);
                    }
                    litter(mc, 20);
                    for (value, id) in vec.iter().zip(&model) {
                        value.check(mc, *id);
                    }
                });
                safepoint(&mut arena, &mut random);
            }
            arena.finish_cycle();
            arena.verify().unwrap();
        }
    });
}

/// More words than a plane has for a group, with a pointer in the first or the last.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Wide<'gc> {
    First(Crate<'gc>, [u64; 70]),
    Last([u64; 70], Crate<'gc>),
}

#[test]
fn values_of_many_words_are_written() {
    type Root<'gc> = (
        Gc<'gc, Lock<Wide<'gc>>>,
        Gc<'gc, RefLock<collections::Vec<'gc, Wide<'gc>>>>,
    );
    fn make<'gc>(mc: &Mutation<'gc>, id: u64) -> Wide<'gc> {
        match id % 2 {
            0 => Wide::First(Cargo::new(mc, id), [id; 70]),
            _ => Wide::Last([id; 70], Cargo::new(mc, id)),
        }
    }
    fn check(wide: &Wide<'_>, id: u64) {
        let (Wide::First(cargo, numbers) | Wide::Last(numbers, cargo)) = wide;
        assert_eq!((cargo.id(), *numbers), (id, [id; 70]));
    }
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let list = Gc::new(mc, RefLock::new(collections::Vec::new()));
            (Gc::new(mc, Lock::new(make(mc, 0))), list)
        })
        .unwrap();
        let mut model = Vec::new();
        for round in 1..way.size(60, 300) as u64 {
            arena.mutate(|mc, (lock, list)| {
                lock.set(mc, make(mc, round));
                let mut list = list.borrow_mut(mc);
                list.push(mc, make(mc, round));
                model.push(round);
                if round % 3 == 0 {
                    list.swap_remove(mc, 0);
                    model.swap_remove(0);
                }
                litter(mc, 20);
                check(&lock.get(), round);
                list.iter()
                    .zip(&model)
                    .for_each(|(wide, id)| check(wide, *id));
            });
            match round % 8 {
                0 => begin(&mut arena),
                4 => arena.verify().unwrap(),
                _ => arena.collect_debt(),
            }
        }
        arena.finish_cycle();
        arena.verify().unwrap();
    });
}

thread_local! {
    static PANICS: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// A value whose `trace` panics when it is told to.
#[derive(Clone, Copy)]
struct Panicking<'gc>(Value<'gc>);

#[allow(unsafe_code, reason = "this is what is tested")]
// SAFETY: the one field is visited, in place.
unsafe impl<'gc> Collect<'gc> for Panicking<'gc> {
    const TYPE_MAP: gc_core::__private::TypeMap = Value::<'gc>::TYPE_MAP;

    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        assert!(!PANICS.get(), "told to");
        cc.trace(&self.0);
    }
}

/// If `trace` panics when a value is written, the object is retagged later.
#[test]
fn a_trace_that_panics_leaves_the_object_to_the_collector() {
    type Root<'gc> = (
        Gc<'gc, Lock<Panicking<'gc>>>,
        Gc<'gc, RefLock<collections::Vec<'gc, Panicking<'gc>>>>,
    );
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let list = collections::Vec::from_iter(mc, [Panicking(Value::Nil)]);
            let lock = Lock::new(Panicking(Value::Nil));
            (Gc::new(mc, lock), Gc::new(mc, RefLock::new(list)))
        })
        .unwrap();
        for round in 0..200 {
            if round % 4 == 0 {
                begin(&mut arena);
            }
            let write = |panics: bool| {
                arena.mutate(|mc, (lock, list)| {
                    let value = Panicking(Value::make(mc, round));
                    PANICS.set(panics);
                    match round % 3 {
                        0 => lock.set(mc, value),
                        1 => list.borrow_mut(mc).push(mc, value),
                        _ => _ = list.borrow_mut(mc).pop(mc),
                    }
                });
            };
            let write = std::panic::AssertUnwindSafe(|| write(round % 2 == 0));
            let result = std::panic::catch_unwind(write);
            PANICS.set(false);
            if result.is_err() {
                assert_eq!(round % 2, 0);
            }
            arena.mutate(|mc, (lock, list)| {
                litter(mc, 20);
                if round % 3 == 0 && result.is_ok() {
                    lock.get().0.check(mc, round);
                }
                for Panicking(value) in list.borrow().iter() {
                    value.check(
                        mc,
                        match *value {
                            Value::Nil => 0,
                            _ => continue,
                        },
                    );
                }
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        arena.verify().unwrap();
    });
}
