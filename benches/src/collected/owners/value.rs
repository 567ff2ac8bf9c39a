//! Values: an enum, two words.

use std::hash::{Hash, Hasher};

use super::closure::Closure;
use super::gc::Collect;
use super::names::Str;
use super::table::Table;
use super::thread::Thread;

/// A value of the language.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Value<'gc> {
    Nil,
    Bool(bool),
    Int(i64),
    Num(f64),
    Str(Str<'gc>),
    Table(Table<'gc>),
    Closure(Closure<'gc>),
    Thread(Thread<'gc>),
}

const _: () = assert!(size_of::<Value<'_>>() == 16);

impl<'gc> Value<'gc> {
    /// The kind of value, and what tells values of a kind apart.
    fn identity(self) -> (u8, u64) {
        let address = |pointer: *const ()| pointer.addr() as u64;
        match self {
            Value::Nil => (0, 0),
            Value::Bool(value) => (1, value.into()),
            Value::Int(value) => (2, value as u64),
            Value::Num(value) => (3, value.to_bits()),
            Value::Str(value) => (4, address(value.address())),
            Value::Table(value) => (5, address(value.address())),
            Value::Closure(value) => (6, address(value.address())),
            Value::Thread(value) => (7, address(value.address())),
        }
    }

    /// The integer that this is; zero if it is nothing.
    pub fn int(self) -> i64 {
        match self {
            Value::Nil => 0,
            Value::Int(value) => value,
            Value::Num(value) => value as i64,
            _ => panic!("not a number"),
        }
    }

    pub fn num(self) -> f64 {
        match self {
            Value::Int(value) => value as f64,
            Value::Num(value) => value,
            _ => panic!("not a number"),
        }
    }

    pub fn str(self) -> Str<'gc> {
        match self {
            Value::Str(value) => value,
            _ => panic!("not a string"),
        }
    }

    pub fn table(self) -> Table<'gc> {
        match self {
            Value::Table(value) => value,
            _ => panic!("not a table"),
        }
    }

    pub fn closure(self) -> Closure<'gc> {
        match self {
            Value::Closure(value) => value,
            _ => panic!("not a function"),
        }
    }

    pub fn thread(self) -> Thread<'gc> {
        match self {
            Value::Thread(value) => value,
            _ => panic!("not a coroutine"),
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Value<'_> {}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (kind, word) = self.identity();
        state.write_u64(word ^ u64::from(kind) << 56);
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Value::Num(value)
    }
}

impl<'gc> From<Str<'gc>> for Value<'gc> {
    fn from(value: Str<'gc>) -> Self {
        Value::Str(value)
    }
}

impl<'gc> From<Table<'gc>> for Value<'gc> {
    fn from(value: Table<'gc>) -> Self {
        Value::Table(value)
    }
}

impl<'gc> From<Closure<'gc>> for Value<'gc> {
    fn from(value: Closure<'gc>) -> Self {
        Value::Closure(value)
    }
}

impl<'gc> From<Thread<'gc>> for Value<'gc> {
    fn from(value: Thread<'gc>) -> Self {
        Value::Thread(value)
    }
}
