//! The values of the language: what a register, a pair's half or a vector's element holds.
//!
//! A [`Value`] is 16 bytes and `Copy`: a tag, and an immediate or one pointer to a managed object.
//! Each kind of object is a struct below (or in its own module) with a derived `Collect`; a field
//! that the language can assign is a [`Lock`], so that every write passes the write barrier.
//!
//! Objects of a varying length keep their elements in a slice object of their own, which costs one
//! more dereference and keeps pointers thin. `Value::Box`, `Value::Code` and `Value::Undefined` are
//! the machine's own and never reach a program.

use gc_core::{Collect, Gc, GcLock, Lock, Mutation};

use crate::alloc::{self, Slice};
use crate::code::{Code, Kind};
use crate::guardian::Guardian;
use crate::machine::stack::Frame;
use crate::primitives::Primitive;
use crate::symbol::Symbol;
use crate::table::Table;
use crate::weak::WeakPair;

/// One value of the language.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Value<'gc> {
    // Both kinds of pairs come first, so that one comparison tells them from all else.
    /// A mutable pair.
    Pair(Gc<'gc, Pair<'gc>>),
    /// A weak pair or an ephemeron pair.
    WeakPair(Gc<'gc, WeakPair<'gc>>),
    /// An exact integer of 64 bits.
    Fixnum(i64),
    /// An inexact number.
    Flonum(f64),
    /// `#t` or `#f`.
    Bool(bool),
    /// A Unicode character.
    Char(char),
    /// The empty list.
    Nil,
    /// What an expression without a useful value returns.
    Unspecified,
    /// The end of input.
    Eof,
    /// What is left of an object in a weak pair.
    Broken,
    /// The mark of a variable that has no value yet.
    Undefined,
    /// An interned or generated symbol.
    Symbol(Gc<'gc, Symbol<'gc>>),
    /// A mutable string.
    String(Gc<'gc, Str<'gc>>),
    /// A mutable vector.
    Vector(Gc<'gc, Vector<'gc>>),
    /// A closure.
    Procedure(Gc<'gc, Closure<'gc>>),
    /// A procedure of the library.
    Primitive(&'static Primitive),
    /// A captured continuation.
    Continuation(Gc<'gc, Continuation<'gc>>),
    /// An instance of a record type.
    Record(Gc<'gc, Record<'gc>>),
    /// A record type.
    RecordType(Gc<'gc, RecordType<'gc>>),
    /// A constructor, predicate, accessor or modifier of a record type.
    RecordProcedure(Gc<'gc, RecordProcedure<'gc>>),
    /// A guardian, which is a procedure.
    Guardian(Gc<'gc, Guardian<'gc>>),
    /// A hash table.
    Table(Gc<'gc, Table<'gc>>),
    /// Other than one value, on the way from `values` to its receiver.
    Values(Gc<'gc, Values<'gc>>),
    /// An error object.
    Condition(Gc<'gc, Condition<'gc>>),
    /// The cell of an assigned variable.
    Box(GcLock<'gc, Value<'gc>>),
    /// A compiled procedure body, among the constants of another.
    Code(Gc<'gc, Code<'gc>>),
}

const _: () = assert!(size_of::<Value<'static>>() == 16);

/// A mutable pair.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Pair<'gc> {
    /// The first half.
    pub car: Lock<Value<'gc>>,
    /// The second half.
    pub cdr: Lock<Value<'gc>>,
}

const _: () = assert!(size_of::<Pair<'static>>() == 32);

/// A mutable string of fixed length; UTF-32, so that indexing takes constant time.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Str<'gc> {
    /// The characters.
    pub chars: Slice<'gc, Lock<char>>,
}

impl<'gc> Str<'gc> {
    /// The characters in order.
    pub fn chars(&self) -> impl ExactSizeIterator<Item = char> + DoubleEndedIterator + 'gc {
        alloc::elements(self.chars).iter().map(Lock::get)
    }

    /// The characters as a Rust string.
    pub fn to_rust(&self) -> String {
        self.chars().collect()
    }
}

/// A mutable vector of fixed length.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Vector<'gc> {
    /// The elements.
    pub items: Slice<'gc, Lock<Value<'gc>>>,
}

/// A procedure body with the values of its free variables.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Closure<'gc> {
    /// The body.
    pub code: Gc<'gc, Code<'gc>>,
    /// The free variables; locks, because procedures that refer to each other are tied together
    /// after all of them exist.
    pub free: Slice<'gc, Lock<Value<'gc>>>,
}

/// A copy of the stack, and the dynamic state that belongs to it.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Continuation<'gc> {
    /// The registers of all suspended frames.
    pub values: Slice<'gc, Value<'gc>>,
    /// The suspended frames, oldest first.
    pub frames: Slice<'gc, Frame<'gc>>,
    /// The list of `dynamic-wind` extents entered.
    pub winders: Value<'gc>,
    /// The list of exception handlers.
    pub handlers: Value<'gc>,
    /// The program that was running.
    pub program: u64,
    /// The form that was to follow.
    pub next_form: usize,
}

/// A record type.
#[derive(Collect)]
#[collect(no_drop)]
pub struct RecordType<'gc> {
    /// The name, a symbol.
    pub name: Value<'gc>,
    /// The field names, symbols.
    pub fields: Slice<'gc, Value<'gc>>,
}

/// An instance of a record type.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Record<'gc> {
    /// Its type.
    pub kind: Gc<'gc, RecordType<'gc>>,
    /// Its fields, in the order of the type's.
    pub fields: Slice<'gc, Lock<Value<'gc>>>,
}

/// What a [`RecordProcedure`] does.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum RecordOperation<'gc> {
    /// Makes a record; argument `i` becomes the field that element `i` tells.
    Construct(Slice<'gc, u32>),
    /// Tells whether its argument is a record of the type.
    Test,
    /// Returns a field.
    Get(u32),
    /// Assigns a field.
    Set(u32),
}

/// A constructor, predicate, accessor or modifier of a record type.
#[derive(Collect)]
#[collect(no_drop)]
pub struct RecordProcedure<'gc> {
    /// The type.
    pub kind: Gc<'gc, RecordType<'gc>>,
    /// The procedure's name, a symbol.
    pub name: Value<'gc>,
    /// What it does.
    pub operation: RecordOperation<'gc>,
}

/// Other than one value.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Values<'gc> {
    /// The values.
    pub items: Slice<'gc, Value<'gc>>,
}

/// An error object.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Condition<'gc> {
    /// What happened.
    pub message: Gc<'gc, Str<'gc>>,
    /// The list of objects that the message is about.
    pub irritants: Value<'gc>,
    /// Where, as `file:line:column`, or the empty text while not raised.
    pub place: Lock<Option<Gc<'gc, Str<'gc>>>>,
}

impl<'gc> Vector<'gc> {
    /// Replaces an element.
    #[inline]
    pub fn set(mc: &Mutation<'gc>, vector: Gc<'gc, Vector<'gc>>, index: usize, value: Value<'gc>) {
        alloc::write(mc, vector.items)[index].unlock().set(value);
    }
}

impl<'gc> Value<'gc> {
    /// Whether the value is of a kind.
    #[inline]
    pub fn is(self, kind: Kind) -> bool {
        match kind {
            Kind::Null => matches!(self, Value::Nil),
            Kind::Pair => matches!(self, Value::Pair(_) | Value::WeakPair(_)),
            Kind::Symbol => matches!(self, Value::Symbol(_)),
            Kind::String => matches!(self, Value::String(_)),
            Kind::Vector => matches!(self, Value::Vector(_)),
            Kind::Char => matches!(self, Value::Char(_)),
            Kind::Boolean => matches!(self, Value::Bool(_)),
            Kind::Number => matches!(self, Value::Fixnum(_) | Value::Flonum(_)),
            Kind::Integer => match self {
                Value::Fixnum(_) => true,
                Value::Flonum(x) => x.fract() == 0.0,
                _ => false,
            },
            Kind::Procedure => matches!(
                self,
                Value::Procedure(_)
                    | Value::Primitive(_)
                    | Value::Continuation(_)
                    | Value::RecordProcedure(_)
                    | Value::Guardian(_)
            ),
        }
    }
    /// Whether a conditional takes this value for true.
    #[inline]
    pub fn is_true(self) -> bool {
        !matches!(self, Value::Bool(false))
    }

    /// The object that the value is, without its type, or `None` for an immediate and for a
    /// primitive.
    pub fn object(self) -> Option<Gc<'gc, ()>> {
        Some(match self {
            Value::Symbol(o) => Gc::erase(o),
            Value::Pair(o) => Gc::erase(o),
            Value::WeakPair(o) => Gc::erase(o),
            Value::String(o) => Gc::erase(o),
            Value::Vector(o) => Gc::erase(o),
            Value::Procedure(o) => Gc::erase(o),
            Value::Continuation(o) => Gc::erase(o),
            Value::Record(o) => Gc::erase(o),
            Value::RecordType(o) => Gc::erase(o),
            Value::RecordProcedure(o) => Gc::erase(o),
            Value::Guardian(o) => Gc::erase(o),
            Value::Table(o) => Gc::erase(o),
            Value::Values(o) => Gc::erase(o),
            Value::Condition(o) => Gc::erase(o),
            Value::Box(o) => Gc::erase(o),
            Value::Code(o) => Gc::erase(o),
            Value::Primitive(_)
            | Value::Fixnum(_)
            | Value::Flonum(_)
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Nil
            | Value::Unspecified
            | Value::Eof
            | Value::Broken
            | Value::Undefined => return None,
        })
    }

    /// The address that identifies an object, or `None` for an immediate.
    ///
    /// Valid until the current `mutate` ends: a collector may move objects afterwards.
    pub fn address(self) -> Option<usize> {
        match self {
            Value::Primitive(p) => Some(std::ptr::from_ref(p).addr()),
            _ => self.object().map(|object| Gc::as_ptr(object).addr()),
        }
    }

    /// The halves of a pair of any kind.
    #[inline]
    pub fn halves(self, mc: &Mutation<'gc>) -> Option<(Value<'gc>, Value<'gc>)> {
        match self {
            Value::Pair(pair) => Some((pair.car.get(), pair.cdr.get())),
            Value::WeakPair(pair) => Some(pair.halves(mc)),
            _ => None,
        }
    }

    /// The elements of a proper list, or `None` where it ends in something else. A cyclic list has
    /// no end: callers bound the iterator or know where the list comes from.
    pub fn list<'a>(self, mc: &'a Mutation<'gc>) -> List<'a, 'gc> {
        List { mc, rest: self }
    }
}

/// Iterates over the elements of a list; [`List::rest`] tells what it ended in.
#[derive(Clone, Copy)]
pub struct List<'a, 'gc> {
    mc: &'a Mutation<'gc>,
    /// The part that is not visited yet.
    pub rest: Value<'gc>,
}

impl<'gc> Iterator for List<'_, 'gc> {
    type Item = Value<'gc>;

    #[inline]
    fn next(&mut self) -> Option<Value<'gc>> {
        let (first, rest) = self.rest.halves(self.mc)?;
        self.rest = rest;
        Some(first)
    }
}
