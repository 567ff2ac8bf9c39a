//! Tables: values by number in an array, by any other value in a hash map, and a class to look further in.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::gc::{Collect, Gc, GcWeak, Mutation, RefLock};
use super::value::Value;

#[derive(Collect, Default)]
#[collect(no_drop)]
pub struct Fields<'gc> {
    array: Vec<Value<'gc>>,
    hash: HashMap<Value<'gc>, Value<'gc>, FixedState>,
    class: Option<Table<'gc>>,
}

/// A table.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Table<'gc>(Gc<'gc, RefLock<Fields<'gc>>>);

/// A weak pointer to a table.
pub type WeakTable<'gc> = GcWeak<'gc, RefLock<Fields<'gc>>>;

impl<'gc> Table<'gc> {
    /// An empty table.
    pub fn new(mc: &Mutation<'gc>) -> Table<'gc> {
        Table(Gc::new(mc, RefLock::default()))
    }

    /// A table with these values in its array, counted from zero.
    pub fn with_array(mc: &Mutation<'gc>, array: Vec<Value<'gc>>) -> Table<'gc> {
        let fields = Fields {
            array,
            ..Fields::default()
        };
        Table(Gc::new(mc, RefLock::new(fields)))
    }

    /// An empty table for so many values in its hash map: what a literal makes.
    pub fn with_capacity(mc: &Mutation<'gc>, values: usize) -> Table<'gc> {
        let fields = Fields {
            hash: HashMap::with_capacity_and_hasher(values, FixedState::default()),
            ..Fields::default()
        };
        Table(Gc::new(mc, RefLock::new(fields)))
    }

    /// The same, of a class.
    pub fn of_class(mc: &Mutation<'gc>, class: Table<'gc>, values: usize) -> Table<'gc> {
        let fields = Fields {
            hash: HashMap::with_capacity_and_hasher(values, FixedState::default()),
            class: Some(class),
            ..Fields::default()
        };
        Table(Gc::new(mc, RefLock::new(fields)))
    }

    /// The table that a finalizer has found.
    pub fn found(table: Gc<'gc, RefLock<Fields<'gc>>>) -> Table<'gc> {
        Table(table)
    }

    pub fn downgrade(self) -> WeakTable<'gc> {
        Gc::downgrade(self.0)
    }

    pub fn address(self) -> *const () {
        Gc::as_ptr(self.0).cast()
    }

    /// How many values the array has.
    pub fn len(self) -> i64 {
        self.0.borrow().array.len() as i64
    }

    /// The table's own value at `key`.
    pub fn get(self, key: Value<'gc>) -> Value<'gc> {
        let fields = self.0.borrow();
        if let Value::Int(index) = key
            && let Some(&value) = fields.array.get(index as usize)
        {
            return value;
        }
        fields.hash.get(&key).copied().unwrap_or(Value::Nil)
    }

    /// The value at `key`, of the table or else of its class.
    pub fn find(self, key: Value<'gc>) -> Value<'gc> {
        let mut table = self;
        loop {
            let value = table.get(key);
            let class = table.0.borrow().class;
            match (value, class) {
                (Value::Nil, Some(class)) => table = class,
                _ => return value,
            }
        }
    }

    /// Puts `value` at `key`: into the array if it is there or at its end.
    pub fn set(self, mc: &Mutation<'gc>, key: Value<'gc>, value: Value<'gc>) {
        let mut fields = self.0.borrow_mut(mc);
        if let Value::Int(index) = key {
            let index = index as usize;
            if let Some(place) = fields.array.get_mut(index) {
                *place = value;
                return;
            }
            if index == fields.array.len() {
                fields.array.push(value);
                return;
            }
        }
        fields.hash.insert(key, value);
    }
}
