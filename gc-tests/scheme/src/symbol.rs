//! Symbols and the table that interns them.
//!
//! A symbol carries the value of the global variable of its name, so that a reference to a global
//! is one load from the code's constants and one from the symbol. The table is an open-addressing
//! array of managed slots with linear probing, at most half full; symbols are never removed.

use gc_core::{Collect, Gc, Lock, Mutation};

use crate::alloc::{self, HeapError, Slice, Text};
use crate::value::Value;

/// A symbol.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Symbol<'gc> {
    /// Its name.
    pub name: Text<'gc>,
    /// The hash of its name, or a number drawn at random for a generated symbol.
    pub hash: u64,
    /// The global variable of that name; [`Value::Undefined`] while unbound.
    pub value: Lock<Value<'gc>>,
}

impl<'gc> Symbol<'gc> {
    /// The name, for as long as the current `mutate`.
    pub fn name(&self) -> &'gc str {
        alloc::text_of(self.name)
    }
}

type Slots<'gc> = Slice<'gc, Lock<Option<Gc<'gc, Symbol<'gc>>>>>;

/// All interned symbols.
#[derive(Collect)]
#[collect(no_drop)]
pub struct SymbolTable<'gc> {
    slots: Lock<Slots<'gc>>,
    count: Lock<usize>,
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
pub fn hash_bytes(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn empty<'gc>(mc: &Mutation<'gc>, length: usize) -> Result<Slots<'gc>, HeapError> {
    alloc::slice(mc, (0..length).map(|_| Lock::new(None)))
}

impl<'gc> SymbolTable<'gc> {
    /// Makes an empty table.
    pub fn new(mc: &Mutation<'gc>) -> Result<Gc<'gc, Self>, HeapError> {
        let slots = empty(mc, 1024)?;
        alloc::new(
            mc,
            SymbolTable {
                slots: Lock::new(slots),
                count: Lock::new(0),
            },
        )
    }

    /// The one symbol of this name.
    pub fn intern(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        name: &str,
    ) -> Result<Gc<'gc, Symbol<'gc>>, HeapError> {
        let hash = hash_bytes(name.bytes());
        let slots = alloc::elements(this.slots.get());
        let mut at = hash as usize & (slots.len() - 1);
        while let Some(symbol) = slots[at].get() {
            if symbol.hash == hash && symbol.name() == name {
                return Ok(symbol);
            }
            at = (at + 1) & (slots.len() - 1);
        }
        if (this.count.get() + 1) * 2 > slots.len() {
            Self::grow(this, mc)?;
        }
        let name = alloc::text(mc, name)?;
        let symbol = alloc::new(
            mc,
            Symbol {
                name,
                hash,
                value: Lock::new(Value::Undefined),
            },
        )?;
        insert(mc, this.slots.get(), symbol);
        set(mc, this, this.count.get() + 1);
        Ok(symbol)
    }

    fn grow(this: Gc<'gc, Self>, mc: &Mutation<'gc>) -> Result<(), HeapError> {
        let old = alloc::elements(this.slots.get());
        let new = empty(mc, old.len() * 2)?;
        for symbol in old.iter().filter_map(Lock::get) {
            insert(mc, new, symbol);
        }
        gc_core::barrier::unlock!(Gc::write(mc, this), SymbolTable, slots).set(new);
        Ok(())
    }
}

fn set<'gc>(mc: &Mutation<'gc>, table: Gc<'gc, SymbolTable<'gc>>, count: usize) {
    gc_core::barrier::unlock!(Gc::write(mc, table), SymbolTable, count).set(count);
}

fn insert<'gc>(mc: &Mutation<'gc>, slots: Slots<'gc>, symbol: Gc<'gc, Symbol<'gc>>) {
    let all = alloc::elements(slots);
    let mut at = symbol.hash as usize & (all.len() - 1);
    while all[at].get().is_some() {
        at = (at + 1) & (all.len() - 1);
    }
    alloc::write(mc, slots)[at].unlock().set(Some(symbol));
}

impl<'gc> Symbol<'gc> {
    /// Gives the global variable of this name a value.
    pub fn define(this: Gc<'gc, Self>, mc: &Mutation<'gc>, value: Value<'gc>) {
        gc_core::barrier::unlock!(Gc::write(mc, this), Symbol, value).set(value);
    }
}
