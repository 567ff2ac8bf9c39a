//! `eq?`, `eqv?` and `equal?`.
//!
//! Numbers and characters are the same to `eq?` when they are to `eqv?`. `equal?` keeps what it has
//! still to compare on a stack of its own; when a comparison takes long, it remembers which pairs of
//! objects it has seen and takes them for equal, so that it ends on cyclic data too.

use std::collections::HashSet;

use gc_core::{Gc, Mutation};

use crate::alloc;
use crate::value::Value;

/// After so many steps of a comparison, seen objects are remembered.
const PATIENCE: usize = 10_000;

impl<'gc> Value<'gc> {
    /// `eq?`
    #[inline]
    pub fn is_eq(self, other: Self) -> bool {
        match (self, other) {
            (Value::Symbol(a), Value::Symbol(b)) => Gc::ptr_eq(a, b),
            (Value::Fixnum(a), Value::Fixnum(b)) => a == b,
            (Value::Pair(a), Value::Pair(b)) => Gc::ptr_eq(a, b),
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Char(a), Value::Char(b)) => a == b,
            _ => self.is_eq_rarely(other),
        }
    }

    fn is_eq_rarely(self, other: Self) -> bool {
        match (self, other) {
            (Value::Flonum(a), Value::Flonum(b)) => a.to_bits() == b.to_bits(),
            (Value::Unspecified, Value::Unspecified)
            | (Value::Eof, Value::Eof)
            | (Value::Broken, Value::Broken) => true,
            _ => {
                std::mem::discriminant(&self) == std::mem::discriminant(&other)
                    && self
                        .address()
                        .is_some_and(|address| Some(address) == other.address())
            }
        }
    }

    /// `eqv?`
    #[inline]
    pub fn is_eqv(self, other: Self) -> bool {
        self.is_eq(other)
    }

    /// `equal?`
    pub fn is_equal(self, mc: &Mutation<'gc>, other: Self) -> bool {
        let mut work = Vec::new();
        let mut seen = HashSet::new();
        let mut steps = 0_usize;
        let (mut a, mut b) = (self, other);
        loop {
            steps += 1;
            let mut descend = !a.is_eq(b);
            if descend
                && steps > PATIENCE
                && let (Some(x), Some(y)) = (a.address(), b.address())
            {
                descend = seen.insert((x, y));
            }
            if descend {
                if let (Some(x), Some(y)) = (a.halves(mc), b.halves(mc)) {
                    work.push((x.1, y.1));
                    (a, b) = (x.0, y.0);
                    continue;
                }
                match (a, b) {
                    (Value::String(x), Value::String(y)) if x.chars().eq(y.chars()) => {}
                    (Value::Vector(x), Value::Vector(y)) => {
                        let (x, y) = (alloc::elements(x.items), alloc::elements(y.items));
                        if x.len() != y.len() {
                            return false;
                        }
                        work.extend(x.iter().zip(y).map(|(x, y)| (x.get(), y.get())));
                    }
                    _ => return false,
                }
            }
            match work.pop() {
                Some(next) => (a, b) = next,
                None => return true,
            }
        }
    }
}
