//! Hash tables with separate chaining.
//!
//! Keys without contents of their own (symbols, numbers, strings in an `equal?` table) hash by
//! value. Other objects hash by address, and because an object may have moved when the collector
//! has run, a table with such keys notes when it was built and is rebuilt when it is used after a
//! collection.
//!
//! A weak table keeps its keys in ephemeron pairs, with their values: neither is kept alive by it. When it is
//! rebuilt, entries whose keys are gone are left out.

use gc_core::{Collect, Gc, Lock, Mutation, barrier::unlock};

use crate::alloc::{self, HeapError, Slice};
use crate::symbol::hash_bytes;
use crate::value::Value;
use crate::weak::WeakPair;

type Buckets<'gc> = Slice<'gc, Lock<Option<Gc<'gc, Entry<'gc>>>>>;

/// A hash table.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Table<'gc> {
    /// Whether keys are compared by `equal?` instead of `eqv?`.
    structural: bool,
    weak: bool,
    count: Lock<usize>,
    buckets: Lock<Buckets<'gc>>,
    /// The epoch of the addresses, if there are keys that hash by address.
    epoch: Lock<Option<u64>>,
}

/// A key with its value.
#[derive(Collect)]
#[collect(no_drop)]
struct Entry<'gc> {
    /// The key; in a weak table, the ephemeron pair of key and value.
    key: Value<'gc>,
    /// The value, unless the table is weak.
    value: Lock<Value<'gc>>,
    hash: Lock<u64>,
    next: Lock<Option<Gc<'gc, Entry<'gc>>>>,
}

/// How a key hashes.
enum Hash {
    Value(u64),
    Address(u64),
}

fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    n ^ (n >> 29)
}

fn empty<'gc>(mc: &Mutation<'gc>, length: usize) -> Result<Buckets<'gc>, HeapError> {
    alloc::slice(mc, (0..length).map(|_| Lock::new(None)))
}

/// How many nodes of a structure take part in its hash.
const NODES: usize = 64;

/// The hash of contents: equal for values that are `equal?`.
fn structural_hash<'gc>(mc: &Mutation<'gc>, value: Value<'gc>) -> u64 {
    let mut work = vec![value];
    let mut hash = 0_u64;
    for _ in 0..NODES {
        let Some(value) = work.pop() else { break };
        let part = match value {
            Value::Pair(_) | Value::WeakPair(_) => {
                if let Some((car, cdr)) = value.halves(mc) {
                    work.extend([cdr, car]);
                }
                1
            }
            Value::Vector(vector) => {
                let items = alloc::elements(vector.items);
                work.extend(items.iter().take(NODES).rev().map(Lock::get));
                items.len() as u64 + 2
            }
            Value::String(text) => {
                hash_bytes(text.chars().flat_map(|c| u32::from(c).to_le_bytes()))
            }
            value => immediate_hash(value).unwrap_or(3),
        };
        hash = mix(hash.rotate_left(7) ^ part);
    }
    hash
}

fn immediate_hash(value: Value<'_>) -> Option<u64> {
    Some(match value {
        Value::Fixnum(n) => mix(n as u64),
        Value::Flonum(x) => mix(x.to_bits() ^ 1),
        Value::Char(c) => mix(u64::from(c) | 1 << 40),
        Value::Bool(b) => 4 + u64::from(b),
        Value::Nil => 6,
        Value::Unspecified => 7,
        Value::Eof => 8,
        Value::Undefined => 9,
        Value::Broken => 10,
        Value::Symbol(symbol) => symbol.hash,
        _ => return None,
    })
}

impl<'gc> Table<'gc> {
    /// An empty table.
    pub fn new(mc: &Mutation<'gc>, structural: bool) -> Result<Gc<'gc, Self>, HeapError> {
        Self::make(mc, structural, false)
    }

    /// An empty table that keeps neither its keys alive, which are compared by `eqv?`, nor their
    /// values.
    pub fn weak(mc: &Mutation<'gc>) -> Result<Gc<'gc, Self>, HeapError> {
        Self::make(mc, false, true)
    }

    fn make(mc: &Mutation<'gc>, structural: bool, weak: bool) -> Result<Gc<'gc, Self>, HeapError> {
        let buckets = empty(mc, 8)?;
        let table = Table {
            structural,
            weak,
            count: Lock::new(0),
            buckets: Lock::new(buckets),
            epoch: Lock::new(None),
        };
        alloc::new(mc, table)
    }

    /// The number of keys; `epoch` is the current one.
    pub fn count(this: Gc<'gc, Self>, mc: &Mutation<'gc>, epoch: u64) -> usize {
        Self::refresh(this, mc, epoch);
        this.count.get()
    }

    /// All keys with their values.
    pub fn items(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
    ) -> impl Iterator<Item = (Value<'gc>, Value<'gc>)> {
        let entries = this.entries().into_iter();
        entries.filter_map(move |entry| this.item(mc, entry))
    }

    /// Key and value of an entry, if they are there.
    fn item(
        &self,
        mc: &Mutation<'gc>,
        entry: Gc<'gc, Entry<'gc>>,
    ) -> Option<(Value<'gc>, Value<'gc>)> {
        match entry.key {
            Value::WeakPair(pair) if self.weak => (!pair.is_broken(mc)).then(|| pair.halves(mc)),
            key => Some((key, entry.value.get())),
        }
    }

    /// All entries.
    fn entries(&self) -> Vec<Gc<'gc, Entry<'gc>>> {
        let mut all = Vec::with_capacity(self.count.get());
        for bucket in alloc::elements(self.buckets.get()) {
            let mut at = bucket.get();
            while let Some(entry) = at {
                all.push(entry);
                at = entry.next.get();
            }
        }
        all
    }

    fn hash(&self, mc: &Mutation<'gc>, key: Value<'gc>) -> Hash {
        if let Some(hash) = immediate_hash(key) {
            return Hash::Value(hash);
        }
        if self.structural
            && matches!(
                key,
                Value::Pair(_) | Value::WeakPair(_) | Value::Vector(_) | Value::String(_)
            )
        {
            return Hash::Value(structural_hash(mc, key));
        }
        Hash::Address(mix(key.address().unwrap_or(0) as u64))
    }

    fn same(&self, mc: &Mutation<'gc>, a: Value<'gc>, b: Value<'gc>) -> bool {
        if self.structural {
            a.is_equal(mc, b)
        } else {
            a.is_eqv(b)
        }
    }

    fn bucket(&self, hash: u64) -> &'gc Lock<Option<Gc<'gc, Entry<'gc>>>> {
        let buckets = alloc::elements(self.buckets.get());
        &buckets[hash as usize & (buckets.len() - 1)]
    }

    /// The value of a key; `epoch` is the current one.
    pub fn get(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        epoch: u64,
        key: Value<'gc>,
    ) -> Option<Value<'gc>> {
        let entry = Self::find(this, mc, epoch, key)?;
        this.item(mc, entry).map(|(_, value)| value)
    }

    fn find(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        epoch: u64,
        key: Value<'gc>,
    ) -> Option<Gc<'gc, Entry<'gc>>> {
        let hash = match this.hash(mc, key) {
            Hash::Value(hash) => hash,
            Hash::Address(hash) => {
                Self::refresh(this, mc, epoch);
                hash
            }
        };
        let mut at = this.bucket(hash).get();
        while let Some(entry) = at {
            if entry.hash.get() == hash
                && let Some((other, _)) = this.item(mc, entry)
                && this.same(mc, other, key)
            {
                return Some(entry);
            }
            at = entry.next.get();
        }
        None
    }

    /// Gives a key a value.
    pub fn insert(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        epoch: u64,
        key: Value<'gc>,
        value: Value<'gc>,
    ) -> Result<(), HeapError> {
        if let Some(entry) = Self::find(this, mc, epoch, key) {
            match entry.key {
                Value::WeakPair(pair) if this.weak => WeakPair::set_cdr(pair, mc, value)?,
                _ => unlock!(Gc::write(mc, entry), Entry, value).set(value),
            }
            return Ok(());
        }
        let buckets = alloc::elements(this.buckets.get()).len();
        if this.count.get() >= buckets {
            let larger = empty(mc, buckets * 2)?;
            let entries = this.entries();
            unlock!(Gc::write(mc, this), Table, buckets).set(larger);
            Self::link(this, mc, entries);
        }
        let hash = match this.hash(mc, key) {
            Hash::Value(hash) => hash,
            Hash::Address(hash) => {
                unlock!(Gc::write(mc, this), Table, epoch).set(Some(epoch));
                hash
            }
        };
        let (key, value) = match this.weak {
            true => {
                let pair = WeakPair::ephemeron(mc, key, value)?;
                (Value::WeakPair(pair), Value::Unspecified)
            }
            false => (key, value),
        };
        let next = Lock::new(this.bucket(hash).get());
        let entry = Entry {
            key,
            value: Lock::new(value),
            hash: Lock::new(hash),
            next,
        };
        let entry = alloc::new(mc, entry)?;
        Self::set_bucket(this, mc, hash, Some(entry));
        unlock!(Gc::write(mc, this), Table, count).set(this.count.get() + 1);
        Ok(())
    }

    /// Removes a key.
    pub fn remove(this: Gc<'gc, Self>, mc: &Mutation<'gc>, epoch: u64, key: Value<'gc>) {
        let Some(found) = Self::find(this, mc, epoch, key) else {
            return;
        };
        let hash = found.hash.get();
        let mut previous: Option<Gc<'gc, Entry<'gc>>> = None;
        let mut at = this.bucket(hash).get();
        while let Some(entry) = at {
            at = entry.next.get();
            if Gc::ptr_eq(entry, found) {
                match previous {
                    Some(previous) => unlock!(Gc::write(mc, previous), Entry, next).set(at),
                    None => Self::set_bucket(this, mc, hash, at),
                }
            } else {
                previous = Some(entry);
            }
        }
        unlock!(Gc::write(mc, this), Table, count).set(this.count.get() - 1);
    }

    /// Removes all keys.
    pub fn clear(this: Gc<'gc, Self>, mc: &Mutation<'gc>) -> Result<(), HeapError> {
        let buckets = empty(mc, 8)?;
        let table = Gc::write(mc, this);
        unlock!(table, Table, buckets).set(buckets);
        unlock!(table, Table, count).set(0);
        unlock!(table, Table, epoch).set(None);
        Ok(())
    }

    /// Brings hashes by address up to date, and leaves out entries whose keys are gone.
    fn refresh(this: Gc<'gc, Self>, mc: &Mutation<'gc>, epoch: u64) {
        if this.epoch.get().is_none_or(|built| built == epoch) {
            return;
        }
        let mut entries = this.entries();
        entries.retain(|&entry| {
            let item = this.item(mc, entry);
            if let Some((key, _)) = item
                && let Hash::Address(hash) = this.hash(mc, key)
            {
                unlock!(Gc::write(mc, entry), Entry, hash).set(hash);
            }
            item.is_some()
        });
        unlock!(Gc::write(mc, this), Table, count).set(entries.len());
        Self::link(this, mc, entries);
        unlock!(Gc::write(mc, this), Table, epoch).set(Some(epoch));
    }

    /// Distributes all entries over the buckets anew.
    fn link(this: Gc<'gc, Self>, mc: &Mutation<'gc>, entries: Vec<Gc<'gc, Entry<'gc>>>) {
        let buckets = alloc::write(mc, this.buckets.get());
        for i in 0..buckets.len() {
            buckets[i].unlock().set(None);
        }
        for entry in entries {
            let hash = entry.hash.get();
            unlock!(Gc::write(mc, entry), Entry, next).set(this.bucket(hash).get());
            Self::set_bucket(this, mc, hash, Some(entry));
        }
    }

    fn set_bucket(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        hash: u64,
        entry: Option<Gc<'gc, Entry<'gc>>>,
    ) {
        let buckets = alloc::write(mc, this.buckets.get());
        buckets[hash as usize & (buckets.len() - 1)]
            .unlock()
            .set(entry);
    }
}
