//! Threads that move elements between collections of a shared arena, and write to elements of one buffer at the same
//! time.

use gc_core::collections::{HashMap, Vec, VecDeque};
use gc_core::shared::{Arena, Mutation, Mutex, RwLock};
use gc_core::{Collect, Gc, GcWeak, HeapOptions, Mode, Rootable, Zeal};
use gc_tests::random::Random;
use gc_tests::seed::Seed;

#[derive(Collect)]
#[collect(no_drop)]
struct Cargo<'gc> {
    number: u64,
    check: u64,
    below: Option<Gc<'gc, Cargo<'gc>>>,
}

type Pointer<'gc> = Gc<'gc, Cargo<'gc>>;

fn cargo<'gc>(mc: &Mutation<'gc>, number: u64) -> Pointer<'gc> {
    let below = mc.allocate(Cargo {
        number,
        check: !number,
        below: None,
    });
    mc.allocate(Cargo {
        number,
        check: !number,
        below: Some(below),
    })
}

fn look(cargo: Pointer<'_>) {
    assert_eq!(cargo.check, !cargo.number, "an object that was freed");
    if let Some(below) = cargo.below {
        assert_eq!((below.number, below.check), (cargo.number, cargo.check));
    }
}

/// What is in one variant a pointer is in another a number.
#[derive(Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Number(u64, u64),
    Pointer(Pointer<'gc>),
    Weak(u64, GcWeak<'gc, Cargo<'gc>>),
    Many(Vec<'gc, Value<'gc>>),
    Text(std::string::String, Pointer<'gc>),
}

impl<'gc> Value<'gc> {
    fn make(mc: &Mutation<'gc>, random: &mut Random, depth: usize) -> Value<'gc> {
        let number = random.number();
        match random.below(if depth == 0 { 4 } else { 5 }) {
            0 => Value::Number(number, !number),
            1 => Value::Pointer(cargo(mc, number)),
            2 => Value::Weak(number, Gc::downgrade(cargo(mc, number))),
            3 => Value::Text(number.to_string(), cargo(mc, number)),
            _ => {
                let mut many = Vec::new();
                for _ in 0..random.below(4) {
                    many.push(mc, Value::make(mc, random, depth - 1));
                }
                Value::Many(many)
            }
        }
    }

    fn look(&self, mc: &Mutation<'gc>) {
        match self {
            Value::Number(number, check) => assert_eq!(*check, !*number),
            Value::Pointer(pointer) => look(*pointer),
            Value::Weak(number, weak) => {
                if let Some(cargo) = mc.upgrade(*weak) {
                    look(cargo);
                    assert_eq!(cargo.number, *number);
                }
            }
            Value::Many(values) => values.iter().for_each(|value| value.look(mc)),
            Value::Text(text, pointer) => {
                look(*pointer);
                assert_eq!(*text, pointer.number.to_string());
            }
        }
    }
}

#[derive(Collect, Default)]
#[collect(no_drop)]
struct Shelf<'gc> {
    vec: Vec<'gc, Value<'gc>>,
    deque: VecDeque<'gc, Value<'gc>>,
    plain: Vec<'gc, Pointer<'gc>>,
    map: HashMap<'gc, u64, Value<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Hall<'gc> {
    shelves: Gc<'gc, [Mutex<Shelf<'gc>>]>,
    /// Threads write to its elements with no more than a reference.
    open: Gc<'gc, RwLock<Vec<'gc, RwLock<Value<'gc>>>>>,
}

const SHELVES: usize = 3;

fn work<'gc>(mc: &Mutation<'gc>, hall: &Hall<'gc>, random: &mut Random) {
    let from = random.below(SHELVES);
    let moved = {
        let mut shelf = mc.write_at(hall.shelves, from).lock();
        let shelf = &mut *shelf;
        for _ in 0..8 {
            let value = Value::make(mc, random, 2);
            let key = random.number() % 200;
            match random.below(9) {
                0 => shelf.vec.push(mc, value),
                1 => shelf.deque.push_front(mc, value),
                2 => shelf.deque.push_back(mc, value),
                3 => _ = shelf.map.insert(mc, key, value),
                4 => _ = shelf.map.shift_remove(mc, &key),
                5 => {
                    let index = random.below(shelf.vec.len() + 1);
                    shelf.vec.insert(mc, index, value);
                }
                6 => _ = shelf.deque.remove(mc, random.below(20)),
                7 => shelf.plain.push(mc, cargo(mc, key)),
                _ => shelf.plain.retain(mc, |cargo| cargo.number % 7 != key % 7),
            }
        }
        shelf.vec.iter().for_each(|value| value.look(mc));
        shelf.deque.iter().for_each(|value| value.look(mc));
        shelf.map.values().for_each(|value| value.look(mc));
        shelf.plain.iter().for_each(|cargo| look(*cargo));
        if shelf.map.len() > 150 {
            shelf.map.retain(mc, |key, _| key % 2 == 0);
        }
        if shelf.deque.len() > 200 {
            _ = shelf.deque.make_contiguous(mc);
            shelf.deque.truncate(mc, 100);
        }
        shelf.plain.truncate(mc, 3000);
        let half = shelf.vec.len() / 2;
        (half > 50).then(|| shelf.vec.drain(mc, half..))
    };
    if let Some(moved) = moved {
        let mut shelf = mc.write_at(hall.shelves, (from + 1) % SHELVES).lock();
        shelf.vec.extend(mc, moved.take(40));
    }
    if random.one_in(20) {
        let mut open = hall.open.lock_write(mc);
        open.push(mc, RwLock::new(Value::make(mc, random, 1)));
        if open.len() > 400 {
            open.drain(mc, 100..);
        }
    } else {
        let open = hall.open.read();
        for _ in 0..open.len().min(5) {
            let index = random.below(open.len());
            open[index].read().look(mc);
            *open.write_at(mc, index).write() = Value::make(mc, random, 1);
        }
    }
}

#[test]
fn threads_move_elements_between_collections() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        for zeal in [Zeal::NONE, Zeal::ALL] {
            let options = HeapOptions::default()
                .mode(mode)
                .step(std::time::Duration::from_micros(5))
                .concurrent_from(0)
                .floor(100 << 10)
                .zeal(zeal);
            let arena = Arena::<Rootable![Hall<'_>]>::with_options(options, |mc| Hall {
                shelves: mc.allocate_slice((0..SHELVES).map(|_| Mutex::default())),
                open: mc.allocate(RwLock::default()),
            })
            .unwrap();
            let seed = Seed::or(0);
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let (arena, seed) = (&arena, &seed);
                    scope.spawn(move || {
                        let mut random = seed.random_of(thread);
                        let here = arena.attach();
                        for _ in 0..if zeal == Zeal::NONE { 1500 } else { 40 } {
                            here.mutate(|mc, hall| work(mc, hall, &mut random));
                            here.collect_debt();
                        }
                    });
                }
            });
            let here = arena.attach();
            here.finish_cycle();
            here.verify().unwrap();
        }
    }
}
