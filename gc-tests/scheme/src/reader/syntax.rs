//! Data with positions, as the reader delivers them to the expander.
//!
//! The tree lives outside the managed heap: it exists before a program does, and a compilation that
//! runs out of memory is repeated from it. Sequences are shared, so that cloning a tree, as macro
//! expansion does, copies one level.

use std::rc::Rc;

use crate::error::Position;

/// A datum and where it starts.
#[derive(Clone, Debug)]
pub struct Syntax {
    /// The datum.
    pub datum: Datum,
    /// Where it starts.
    pub position: Position,
}

/// A datum.
#[derive(Clone, Debug)]
pub enum Datum {
    /// An exact integer.
    Fixnum(i64),
    /// An inexact number.
    Flonum(f64),
    /// A boolean.
    Bool(bool),
    /// A character.
    Char(char),
    /// A string.
    String(Rc<str>),
    /// A symbol.
    Symbol(Rc<str>),
    /// A proper list; without elements the empty list.
    List(Rc<[Syntax]>),
    /// A list of at least one element that ends in something other than a list.
    Dotted(Rc<[Syntax]>, Rc<Syntax>),
    /// A vector.
    Vector(Rc<[Syntax]>),
    /// The broken weak pointer, `#!bwp`.
    Broken,
    /// The end-of-file object, `#!eof`.
    Eof,
    /// The unspecified value, `#!unspecific`.
    Unspecified,
}

impl Datum {
    /// A list of `items` that continues with `tail`.
    pub fn dotted(mut items: Vec<Syntax>, tail: Syntax) -> Datum {
        match tail.datum {
            Datum::List(rest) => {
                items.extend(rest.iter().cloned());
                Datum::List(items.into())
            }
            Datum::Dotted(rest, end) => {
                items.extend(rest.iter().cloned());
                Datum::Dotted(items.into(), end)
            }
            _ if items.is_empty() => tail.datum,
            _ => Datum::Dotted(items.into(), Rc::new(tail)),
        }
    }
}

impl Syntax {
    /// A datum at a position.
    pub fn new(position: Position, datum: Datum) -> Syntax {
        Syntax { datum, position }
    }

    /// A symbol at a position.
    pub fn symbol(position: Position, name: &str) -> Syntax {
        Syntax::new(position, Datum::Symbol(name.into()))
    }

    /// A proper list at a position.
    pub fn list(position: Position, items: Vec<Syntax>) -> Syntax {
        Syntax::new(position, Datum::List(items.into()))
    }

    /// The name, if this is a symbol.
    pub fn as_symbol(&self) -> Option<&Rc<str>> {
        match &self.datum {
            Datum::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// The elements, if this is a proper list.
    pub fn as_list(&self) -> Option<&Rc<[Syntax]>> {
        match &self.datum {
            Datum::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is the symbol `name`, possibly renamed by a macro.
    pub fn is_symbol(&self, name: &str) -> bool {
        self.as_symbol()
            .is_some_and(|symbol| base_name(symbol) == name)
    }
}

/// Separates a symbol's name from the renamings that macro expansions gave it.
pub const RENAMED: char = '\0';

/// The name of a symbol before macro expansions renamed it.
pub fn base_name(name: &str) -> &str {
    name.split(RENAMED).next().unwrap_or(name)
}
