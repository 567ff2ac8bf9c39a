//! Values of a dynamic language: a plain enum beside the same enum [packed](gc_core::packed), whose pointer is always
//! in the same word.
//!
//! The program is a small virtual machine, generic over what its slots hold: a stack, lists, tables, and closures with
//! upvalues. It keeps many lists alive and replaces them at random. Each contender runs it in one of the three modes,
//! with a safepoint after every call of the program, and tells how long all of it took, how long the program's thread was
//! at collections, and the 99.9th percentile of its safepoints.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use gc_benches::pauses::plan::Mode;
use gc_core::packed::{Pack, Packed};
use gc_core::{
    Arena, Collect, Gc, GcThinStr, HeapOptions, Lock, Mutation, RefLock, Rootable, collections,
};

use crate::Measure;
use crate::contest::{self, Contender, Figures};
use crate::options::Options;

/// What a variable holds.
#[derive(Clone, Copy, Collect, Pack)]
#[collect(no_drop)]
enum Value<'gc, S> {
    Nil,
    Int(i64),
    Float(f64),
    Text(GcThinStr<'gc>),
    List(Gc<'gc, RefLock<collections::Vec<'gc, S>>>),
    Table(Gc<'gc, RefLock<collections::HashMap<'gc, u64, S>>>),
    Function(Gc<'gc, Function<'gc, S>>),
}

/// Code, and the variables that it has captured.
#[derive(Collect)]
#[collect(no_drop)]
struct Function<'gc, S> {
    code: &'static [Op],
    captured: [Gc<'gc, Lock<S>>; 2],
}

/// How a value is kept in memory.
trait Slot<'gc>: Collect<'gc> + Copy + 'gc {
    fn new(value: Value<'gc, Self>) -> Self;
    fn get(self) -> Value<'gc, Self>;
}

/// As it is.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Plain<'gc>(Value<'gc, Plain<'gc>>);

impl<'gc> Slot<'gc> for Plain<'gc> {
    fn new(value: Value<'gc, Self>) -> Self {
        Plain(value)
    }

    fn get(self) -> Value<'gc, Self> {
        self.0
    }
}

/// In two words with the pointer in the first.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct InTwoWords<'gc>(Packed<'gc, Value<'gc, InTwoWords<'gc>>>);

impl<'gc> Slot<'gc> for InTwoWords<'gc> {
    fn new(value: Value<'gc, Self>) -> Self {
        InTwoWords(Packed::new(value))
    }

    fn get(self) -> Value<'gc, Self> {
        self.0.get()
    }
}

/// Instructions of a stack machine.
#[derive(Clone, Copy, Debug)]
enum Op {
    Nil,
    Int(i64),
    Float(f64),
    Text(&'static str),
    /// Takes so many values for a new list.
    List(usize),
    /// An index below the length of the list that is on top.
    AnyIndex,
    /// Of a list and an index.
    Element,
    /// Of a list, an index and a value; leaves the list.
    SetElement,
    Captured(usize),
    SetCaptured(usize),
    Add,
    /// Of a table and a key.
    Field(u64),
    /// Of a table and a value; leaves the table.
    SetField(u64),
    Global(usize),
    Pop,
    /// Calls the function on top.
    Call,
}

/// Counts the calls in one captured variable, and makes a text of the other.
const CLOSURE: &[Op] = &[
    Op::Captured(0),
    Op::Int(1),
    Op::Add,
    Op::SetCaptured(0),
    Op::Text("captured"),
    Op::SetCaptured(1),
    Op::Captured(1),
];

/// Makes a list with another one in it, puts it in the place of an old one, and plays with a table and a closure.
const MAIN: &[Op] = &[
    Op::Global(LISTS),
    Op::AnyIndex,
    Op::Int(7),
    Op::Nil,
    Op::Float(0.5),
    Op::Int(8),
    Op::Int(9),
    Op::Nil,
    Op::Nil,
    Op::List(4),
    Op::List(4),
    Op::SetElement,
    Op::AnyIndex,
    Op::Element,
    Op::Int(2),
    Op::Element,
    Op::Global(TABLE),
    Op::Int(1),
    Op::SetField(1),
    Op::Global(CALLEE),
    Op::Call,
    Op::SetField(2),
    Op::Field(2),
    Op::Pop,
    Op::Pop,
];

const LISTS: usize = 0;
const TABLE: usize = 1;
const CALLEE: usize = 2;

#[derive(Collect)]
#[collect(no_drop)]
struct Machine<'gc, S: Slot<'gc>> {
    globals: [S; 3],
    stack: RefLock<collections::Vec<'gc, S>>,
    random: std::cell::Cell<u64>,
}

impl<'gc, S: Slot<'gc>> Machine<'gc, S> {
    fn new(mc: &Mutation<'gc>, lists: usize) -> Gc<'gc, Self> {
        let list = |items: &[i64]| {
            let items = items.iter().map(|item| S::new(Value::Int(*item)));
            let items = collections::Vec::from_iter(mc, items);
            S::new(Value::List(Gc::new(mc, RefLock::new(items))))
        };
        let all = (0..lists).map(|number| list(&[number as i64, 2, 3, 4]));
        let all = collections::Vec::from_iter(mc, all);
        let captured =
            [Value::Int(0), Value::Nil].map(|value| Gc::new(mc, Lock::new(S::new(value))));
        let function = Function {
            code: CLOSURE,
            captured,
        };
        let globals = [
            Value::List(Gc::new(mc, RefLock::new(all))),
            Value::Table(Gc::new(mc, RefLock::new(collections::HashMap::new()))),
            Value::Function(Gc::new(mc, function)),
        ];
        Gc::new(
            mc,
            Machine {
                globals: globals.map(S::new),
                stack: RefLock::new(collections::Vec::with_capacity(mc, 64)),
                random: 1.into(),
            },
        )
    }

    fn random(&self, below: usize) -> usize {
        let mut seed = self.random.get();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.random.set(seed);
        seed as usize % below
    }

    /// Runs the code of a function, or of none.
    fn run(
        &self,
        mc: &Mutation<'gc>,
        stack: &mut collections::Vec<'gc, S>,
        code: &[Op],
        function: Option<&Function<'gc, S>>,
    ) {
        let captured = |index: usize| function.expect("a function").captured[index];
        for op in code {
            let mut pop = || stack.pop(mc).expect("a value").get();
            let new = match *op {
                Op::Nil => Value::Nil,
                Op::Int(number) => Value::Int(number),
                Op::Float(number) => Value::Float(number),
                Op::Text(text) => Value::Text(Gc::as_thin(Gc::new_str(mc, text))),
                Op::List(length) => {
                    let from = stack.len() - length;
                    let items = collections::Vec::from_iter(mc, stack[from..].iter().copied());
                    stack.truncate(mc, from);
                    Value::List(Gc::new(mc, RefLock::new(items)))
                }
                Op::AnyIndex => match stack[stack.len() - 1].get() {
                    Value::List(list) => Value::Int(self.random(list.borrow().len()) as i64),
                    _ => Value::Nil,
                },
                Op::Element => match (pop(), pop()) {
                    (Value::Int(index), Value::List(list)) => list.borrow()[index as usize].get(),
                    _ => Value::Nil,
                },
                Op::SetElement => {
                    let (value, index, list) = (pop(), pop(), pop());
                    if let (Value::Int(index), Value::List(list)) = (index, list) {
                        let mut list = list.borrow_mut(mc);
                        // In the place of the last one, which goes to the end again.
                        list.push(mc, S::new(value));
                        list.swap_remove(mc, index as usize);
                    }
                    list
                }
                Op::Captured(index) => captured(index).get().get(),
                Op::SetCaptured(index) => {
                    captured(index).set(mc, S::new(pop()));
                    continue;
                }
                Op::Add => match (pop(), pop()) {
                    (Value::Int(one), Value::Int(other)) => Value::Int(one.wrapping_add(other)),
                    (Value::Float(one), Value::Float(other)) => Value::Float(one + other),
                    _ => Value::Nil,
                },
                Op::Field(key) => match pop() {
                    Value::Table(table) => table
                        .borrow()
                        .get(&key)
                        .map_or(Value::Nil, |slot| slot.get()),
                    _ => Value::Nil,
                },
                Op::SetField(key) => {
                    let (value, table) = (pop(), pop());
                    if let Value::Table(table) = table {
                        table.borrow_mut(mc).insert(mc, key, S::new(value));
                    }
                    table
                }
                Op::Global(index) => self.globals[index].get(),
                Op::Pop => {
                    pop();
                    continue;
                }
                Op::Call => {
                    if let Value::Function(function) = pop() {
                        self.run(mc, stack, function.code, Some(&function));
                    }
                    continue;
                }
            };
            stack.push(mc, S::new(new));
        }
    }
}

const SECONDS: &str = "seconds";
const COLLECTING: &str = "seconds at collections";
const TAIL: &str = "99.9th percentile of safepoints in microseconds";

/// How often the main program runs between two safepoints.
const BATCH: usize = 100;

macro_rules! run_with {
    ($slot:ident, $options:expr, $lists:expr) => {{
        type Root<'gc> = Gc<'gc, Machine<'gc, $slot<'gc>>>;
        let start = Instant::now();
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options($options, |mc| Machine::new(mc, $lists))?;
        let mut safepoints = Vec::new();
        for _ in 0..$lists / 15 {
            arena.mutate(|mc, machine| {
                let machine = *machine;
                let stack = Gc::write(mc, machine);
                let stack = gc_core::barrier::field!(stack, Machine, stack);
                let mut stack = stack.unlock().borrow_mut();
                for _ in 0..BATCH {
                    machine.run(mc, &mut stack, MAIN, None);
                }
            });
            let before = Instant::now();
            arena.collect_debt();
            safepoints.push(before.elapsed());
        }
        let seconds = start.elapsed().as_secs_f64();
        let collecting = arena.metrics().statistics().collection_time.as_secs_f64();
        black_box(&arena);
        safepoints.sort_unstable();
        let tail = safepoints[safepoints.len() * 999 / 1000].as_secs_f64() * 1e6;
        Figures::of(SECONDS, seconds)
            .and(COLLECTING, Some(collecting))
            .and(TAIL, Some(tail))
    }};
}

/// The contenders of each mode: the plain enum, and the packed one.
const MODES: [(&str, Mode, Contender, Contender); 3] = {
    use Contender::*;
    [
        (
            "concurrent",
            Mode::Concurrent,
            ValuesEnumBeside,
            ValuesPackedBeside,
        ),
        (
            "incremental",
            Mode::Incremental,
            ValuesEnumInSteps,
            ValuesPackedInSteps,
        ),
        (
            "stop-the-world",
            Mode::StopTheWorld,
            ValuesEnumStopped,
            ValuesPackedStopped,
        ),
    ]
};

/// Runs the machine with the contender's values.
pub fn run(contender: Contender, objects: usize) -> Result<Figures> {
    let lists = objects / 80;
    for (_, mode, plain, packed) in MODES {
        let options = HeapOptions::default().mode(mode.of_heap());
        if contender == plain {
            return Ok(run_with!(Plain, options, lists));
        }
        if contender == packed {
            return Ok(run_with!(InTwoWords, options, lists));
        }
    }
    anyhow::bail!("a contender has no program")
}

/// Both values in all modes, in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    let contenders: Vec<Contender> = MODES
        .into_iter()
        .flat_map(|(_, _, plain, packed)| [plain, packed])
        .collect();
    let medians = contest::hold(&contenders, options, "values")?;
    let mut measures = Vec::new();
    for (name, _, plain, packed) in MODES {
        for (figure, what, bound) in [
            (SECONDS, format!("{name}: time, enum / packed enum"), 1.5),
            (COLLECTING, "  at collections".to_owned(), 1.3),
            (TAIL, "  99.9th percentile of safepoints".to_owned(), 1.3),
        ] {
            let (plain, packed) = (
                medians.expect(plain, figure)?,
                medians.expect(packed, figure)?,
            );
            let ratio = Measure::new(what, plain / packed, "×");
            measures.push(ratio.at_most(options.bound_on_heaps(bound)));
            let (factor, unit) = if figure == TAIL {
                (1.0, "µs")
            } else {
                (1e3, "ms")
            };
            measures.push(Measure::new("    enum", plain * factor, unit));
            measures.push(Measure::new("    packed enum", packed * factor, unit));
        }
    }
    Ok(measures)
}
