//! The programs.

use std::fmt::Write;

use super::closure::{Closure, Code, Shared, variable};
use super::finalizers::Finalizers;
use super::names::{Key, Str};
use super::table::Table;
use super::thread::Thread;
use super::value::Value;
use super::{Context, Machine};

/// Operations between two safepoints.
const SLICE: i64 = 100;

/// Runs `operation` for each number below `operations`, in slices, and adds up what they give.
fn sliced(
    machine: &mut Machine,
    operations: i64,
    operation: impl for<'gc> Fn(Context<'gc>, i64) -> i64,
) -> i64 {
    let mut total = 0;
    for first in (0..operations).step_by(SLICE as usize) {
        let slice = first..operations.min(first + SLICE);
        total += machine.run(|cx| slice.map(|number| operation(cx, number)).sum::<i64>());
    }
    total
}

/// A table whose array has so many empty places.
fn places<'gc>(cx: Context<'gc>, number: i64) -> Table<'gc> {
    Table::with_array(cx.mc, vec![Value::Nil; number as usize])
}

/// Messages are put together from pieces and kept for a while; parts of them are the keys of a table.
pub fn strings(machine: &mut Machine, operations: i64) -> i64 {
    const KEPT: i64 = 500;
    machine.run(|cx| {
        cx.set_global(Key::Log, places(cx, KEPT));
        cx.set_global(Key::Seen, Table::new(cx.mc));
    });
    let concat = |one: Str<'_>, other: &str| {
        let mut text = String::with_capacity(one.text().len() + other.len());
        text.push_str(one.text());
        text.push_str(other);
        text
    };
    sliced(machine, operations, |cx, number| {
        let (log, seen) = (cx.global_table(Key::Log), cx.global_table(Key::Seen));
        let first = cx.intern(&(number / SLICE).to_string());
        let second = cx.intern(&(number % SLICE).to_string());
        let mut text = cx.key(Key::Frame).str();
        for piece in [first.text(), " item ", second.text()] {
            text = cx.intern(&concat(text, piece));
        }
        let loud = cx.intern(&text.text().to_uppercase());
        let loud = cx.intern(&concat(loud, "!"));
        log.set(cx.mc, Value::Int(number % KEPT), loud.into());

        let key = Value::Str(cx.intern(&loud.text()[..loud.text().len().min(8)]));
        seen.set(cx.mc, key, Value::Int(seen.get(key).int() + 1));
        let before = log.get(Value::Int(number * 7 % KEPT));
        let before = match before {
            Value::Str(before) => before.text().len() as i64,
            _ => 0,
        };
        text.text().len() as i64 + before
    })
}

fn closure<'gc>(cx: Context<'gc>, code: Code, variables: Vec<Shared<'gc>>) -> Closure<'gc> {
    Closure::new(cx.mc, &cx.state.prototypes, code, variables)
}

fn range<'gc>(cx: Context<'gc>, from: i64, to: i64) -> Thread<'gc> {
    let variables = vec![variable(cx.mc, from), variable(cx.mc, to)];
    thread(cx, closure(cx, Code::Range, variables))
}

fn thread<'gc>(cx: Context<'gc>, function: Closure<'gc>) -> Thread<'gc> {
    let thread = Thread::new(cx.mc, function);
    Finalizers::add_thread(cx.mc, cx.state.finalizers, thread);
    thread
}

/// Pipelines of short-lived coroutines; some that have not ended are kept for a while.
pub fn coroutines(machine: &mut Machine, operations: i64) -> i64 {
    const KEPT: i64 = 500;
    machine.run(|cx| cx.set_global(Key::Kept, places(cx, KEPT)));
    sliced(machine, operations, |cx, number| {
        let numbers = range(cx, number, number + 3);
        let squares = closure(cx, Code::Squares, vec![variable(cx.mc, numbers)]);
        let squares = thread(cx, squares);
        let mut total = 0_i64;
        loop {
            match squares.resume(cx.mc) {
                Value::Nil => break,
                value => total = total.wrapping_add(value.int() % 1000),
            }
        }
        if number % 10 == 0 {
            let unfinished = range(cx, 1, 100);
            total += unfinished.resume(cx.mc).int();
            let place = Value::Int(number / 10 % KEPT);
            cx.global_table(Key::Kept)
                .set(cx.mc, place, unfinished.into());
        }
        total
    })
}

/// Objects of a class: each has fields by name and an array, some live for a while, and all that live are moved.
pub fn tables(machine: &mut Machine, operations: i64) -> i64 {
    const KEPT: i64 = 2000;
    machine.run(|cx| {
        let class = Table::new(cx.mc);
        let add = closure(cx, Code::Add, vec![variable(cx.mc, 3)]);
        class.set(cx.mc, cx.key(Key::Step), add.into());
        cx.set_global(Key::Class, class);
        cx.set_global(Key::Kept, places(cx, KEPT));
    });
    sliced(machine, operations, |cx, number| {
        let (class, objects) = (cx.global_table(Key::Class), cx.global_table(Key::Kept));
        let [x, y, speed, name, path, step] =
            [Key::X, Key::Y, Key::Speed, Key::Name, Key::Path, Key::Step].map(|key| cx.key(key));
        let object = Table::of_class(cx.mc, class, 5);
        object.set(cx.mc, x, Value::Int(number % 640));
        object.set(cx.mc, y, Value::Int(number % 480));
        object.set(cx.mc, speed, Value::Num(0.5));
        object.set(cx.mc, name, name);
        let points = Table::new(cx.mc);
        for corner in 0..3 {
            points.set(cx.mc, Value::Int(corner), Value::Int(number + corner));
        }
        object.set(cx.mc, path, points.into());
        // One in four is kept.
        if number % 4 == 0 {
            objects.set(cx.mc, Value::Int(number / 4 % KEPT), object.into());
        }

        let mut total = object.get(speed).num() as i64;
        for turn in 0..4 {
            let other = match objects.get(Value::Int((number * 31 + turn * 17) % KEPT)) {
                Value::Table(other) => other,
                _ => object,
            };
            let moved = other.find(step).closure().call(cx.mc, other.get(x));
            other.set(cx.mc, x, Value::Int(moved.int() % 640));
            let points = other.get(path).table();
            total += moved.int() + points.get(Value::Int(turn % points.len())).int() % 7;
        }
        total
    })
}

/// Closures over shared variables, composed and thrown away; some are kept for a while.
pub fn closures(machine: &mut Machine, operations: i64) -> i64 {
    const KEPT: i64 = 1000;
    machine.run(|cx| cx.set_global(Key::Kept, places(cx, KEPT)));
    fn of<'gc>(cx: Context<'gc>, code: Code, value: i64) -> Closure<'gc> {
        closure(cx, code, vec![variable(cx.mc, value)])
    }
    fn compose<'gc>(cx: Context<'gc>, one: Closure<'gc>, other: Closure<'gc>) -> Closure<'gc> {
        let variables = vec![variable(cx.mc, one), variable(cx.mc, other)];
        closure(cx, Code::Compose, variables)
    }
    sliced(machine, operations, |cx, number| {
        let counter = of(cx, Code::Count, number);
        let both = compose(cx, counter, of(cx, Code::Add, number));
        let mut total = both.call(cx.mc, Value::Int(2)).int();
        let kept = cx.global_table(Key::Kept);
        kept.set(cx.mc, Value::Int(number % KEPT), both.into());
        if number % 50 == 0 {
            let mapped = (0..8)
                .map(|n| compose(cx, both, of(cx, Code::Count, n)).into())
                .collect();
            let mapped = Table::with_array(cx.mc, mapped);
            let third = mapped.get(Value::Int(3)).closure();
            total += third.call(cx.mc, Value::Int(1)).int();
        }
        total % 1000
    })
}

/// A large map of records that is changed all the time, with garbage beside it.
pub fn live(machine: &mut Machine, operations: i64) -> i64 {
    let slots = (operations / 4).max(1);
    fn record<'gc>(cx: Context<'gc>, number: i64, name: Value<'gc>, tag: i64) -> Table<'gc> {
        let record = Table::with_capacity(cx.mc, 4);
        let tags = vec![Value::Int(tag), Value::Int(number)];
        record.set(cx.mc, cx.key(Key::Id), Value::Int(number));
        record.set(cx.mc, cx.key(Key::Name), name);
        let tags = Table::with_array(cx.mc, tags);
        record.set(cx.mc, cx.key(Key::Tags), tags.into());
        record
    }
    let random =
        |seed: i64| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 33) as i64;

    machine.run(|cx| cx.set_global(Key::Kept, Table::new(cx.mc)));
    sliced(machine, slots, |cx, number| {
        let mut name = String::from("r");
        // Writing into a `String` does not fail.
        let _ = write!(name, "{number}");
        let record = record(cx, number, cx.intern(&name).into(), number + 1);
        let slots = cx.global_table(Key::Kept);
        slots.set(cx.mc, Value::Int(number), record.into());
        let other = slots.get(Value::Int(random(number) % (number + 1)));
        record.set(cx.mc, cx.key(Key::Link), other);
        0
    });
    sliced(machine, operations, |cx, number| {
        let at = |seed: i64| Value::Int(random(seed) % slots);
        let [id, name, tags, link] =
            [Key::Id, Key::Name, Key::Tags, Key::Link].map(|key| cx.key(key));
        let records = cx.global_table(Key::Kept);
        let place = at(number);
        let old = records.get(place).table();
        let tag = old.get(tags).table().get(Value::Int(1)).int();
        let new = record(cx, number, old.get(name), tag);
        new.set(cx.mc, link, old.get(link));
        records.set(cx.mc, place, new.into());
        if number % 3 == 0 {
            let other = records.get(at(!number)).table();
            other.set(cx.mc, link, new.into());
        }
        new.get(link).table().get(id).int() % 7 + new.get(name).str().text().len() as i64
    })
}

/// Trees of tables, built and thrown away in each slice, beside one that stays.
pub fn trees(machine: &mut Machine, operations: i64) -> i64 {
    const DEPTH: u32 = 9;
    fn build<'gc>(cx: Context<'gc>, keys: [Value<'gc>; 2], depth: u32) -> Table<'gc> {
        let tree = Table::with_capacity(cx.mc, 2);
        for key in keys {
            let below = match depth {
                0 => Value::Nil,
                _ => build(cx, keys, depth - 1).into(),
            };
            tree.set(cx.mc, key, below);
        }
        tree
    }
    fn count<'gc>(keys: [Value<'gc>; 2], tree: Table<'gc>) -> i64 {
        let below = keys.map(|key| match tree.get(key) {
            Value::Table(below) => count(keys, below),
            _ => 0,
        });
        1 + below[0] + below[1]
    }
    fn keys<'gc>(cx: Context<'gc>) -> [Value<'gc>; 2] {
        [Key::Left, Key::Right].map(|key| cx.key(key))
    }
    machine.run(|cx| cx.set_global(Key::Kept, build(cx, keys(cx), 15)));
    (0..operations >> DEPTH)
        .map(|frame| {
            machine.run(|cx| {
                let keys = keys(cx);
                let kept = match frame % 50 {
                    0 => count(keys, cx.global_table(Key::Kept)),
                    _ => 0,
                };
                kept + count(keys, build(cx, keys, DEPTH))
            })
        })
        .sum()
}

/// Tables and strings, of which one in a hundred has a finalizer; some live for a while.
pub fn finalizers(machine: &mut Machine, operations: i64) -> i64 {
    const KEPT: i64 = 5000;
    machine.run(|cx| {
        let closed = variable(cx.mc, 0);
        let close = closure(cx, Code::Close, vec![closed]);
        cx.set_global(Key::Close, close);
        cx.set_global(Key::Kept, places(cx, KEPT));
    });
    let total = sliced(machine, operations, |cx, number| {
        if number % SLICE == 0 {
            Finalizers::run(cx.mc, cx.state.finalizers);
        }
        let handle = Table::with_capacity(cx.mc, 3);
        let path = cx.intern(&number.to_string());
        handle.set(cx.mc, cx.key(Key::Path), path.into());
        handle.set(cx.mc, cx.key(Key::Open), true.into());
        let buffer = Table::with_array(cx.mc, vec![Value::Int(number); 8]);
        handle.set(cx.mc, cx.key(Key::Buffer), buffer.into());
        if number % 100 == 0 {
            let close = cx.global(Key::Close).closure();
            Finalizers::add_table(cx.mc, cx.state.finalizers, handle, close);
        }
        if number % 3 == 0 {
            let kept = cx.global_table(Key::Kept);
            kept.set(cx.mc, Value::Int(number / 3 % KEPT), handle.into());
        }
        path.text().len() as i64
    });
    // How many finalizers ran depends on when the collector did.
    let closed = machine.run(|cx| cx.global(Key::Close).closure().variable(0).get().int());
    assert!(closed <= operations / 100 + 1, "a finalizer ran twice");
    total
}
