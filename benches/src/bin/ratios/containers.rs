//! Managed collections beside their twins of `std`, whose map is the table of `hashbrown`.
//!
//! Both hold the same managed pointers, so the loops are the same but for the collection: a million are inserted
//! into an empty one, looked up in random order, and gone through. Then the collection is put into the heap, and full
//! collections are made of it; all pointers lead to one object, so that what is marked is the collection. A
//! process makes all of that several times over, and takes the median of each.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use gc_core::collections::{HashMap, Vec as ManagedVec};
use gc_core::{Arena, Collect, Gc, HeapOptions, Mode, Mutation, RefLock, Rootable};

use crate::Measure;
use crate::contest::{self, Contender, Figures, median};
use crate::options::Options;

/// Entries of each collection in a full run.
const ENTRIES: usize = 1_000_000;

/// How often a process measures.
const REPETITIONS: usize = 7;

const INSERT: &str = "ns an insertion";
const LOOK_UP: &str = "ns a look-up";
const ITERATE: &str = "ns a step of iteration";
const MARK: &str = "ns of marking an entry";

type Value<'gc> = Gc<'gc, u64>;

/// A collection from numbers to values.
trait Container<'gc>: Collect<'gc> + Default + 'gc {
    /// Inserts the entry number `number` with the key `key`.
    fn insert(&mut self, mc: &Mutation<'gc>, key: u64, value: Value<'gc>);

    /// The value of the entry with that number and key.
    fn look_up(&self, number: usize, key: u64) -> Value<'gc>;

    /// The sum of all addresses.
    fn sum(&self) -> usize;
}

fn address(value: &Value<'_>) -> usize {
    Gc::as_ptr(*value).addr()
}

impl<'gc> Container<'gc> for Vec<Value<'gc>> {
    #[inline]
    fn insert(&mut self, _: &Mutation<'gc>, _: u64, value: Value<'gc>) {
        self.push(value);
    }

    #[inline]
    fn look_up(&self, number: usize, _: u64) -> Value<'gc> {
        self[number]
    }

    fn sum(&self) -> usize {
        self.iter().map(address).fold(0, usize::wrapping_add)
    }
}

impl<'gc> Container<'gc> for ManagedVec<'gc, Value<'gc>> {
    #[inline]
    fn insert(&mut self, mc: &Mutation<'gc>, _: u64, value: Value<'gc>) {
        self.push(mc, value);
    }

    #[inline]
    fn look_up(&self, number: usize, _: u64) -> Value<'gc> {
        self[number]
    }

    fn sum(&self) -> usize {
        self.iter().map(address).fold(0, usize::wrapping_add)
    }
}

/// The table of `hashbrown`, which is that of `std`, with its default hasher.
type TwinMap<'gc> = std::collections::HashMap<u64, Value<'gc>, foldhash::fast::RandomState>;

impl<'gc> Container<'gc> for TwinMap<'gc> {
    #[inline]
    fn insert(&mut self, _: &Mutation<'gc>, key: u64, value: Value<'gc>) {
        self.insert(key, value);
    }

    #[inline]
    fn look_up(&self, _: usize, key: u64) -> Value<'gc> {
        self[&key]
    }

    fn sum(&self) -> usize {
        self.values().map(address).fold(0, usize::wrapping_add)
    }
}

impl<'gc> Container<'gc> for HashMap<'gc, u64, Value<'gc>> {
    #[inline]
    fn insert(&mut self, mc: &Mutation<'gc>, key: u64, value: Value<'gc>) {
        self.insert(mc, key, value);
    }

    #[inline]
    fn look_up(&self, _: usize, key: u64) -> Value<'gc> {
        self[&key]
    }

    fn sum(&self) -> usize {
        self.values().map(address).fold(0, usize::wrapping_add)
    }
}

/// The times of one repetition.
#[derive(Default)]
struct Times {
    insert: Vec<f64>,
    look_up: Vec<f64>,
    iterate: Vec<f64>,
    mark: Vec<f64>,
}

/// Builds and uses one collection.
fn use_one<'gc, C: Container<'gc>>(
    mc: &Mutation<'gc>,
    keys: &[(usize, u64)],
    times: &mut Times,
) -> C {
    let each = |start: Instant| start.elapsed().as_nanos() as f64 / keys.len() as f64;
    let value = Gc::new(mc, 7);
    let mut container = C::default();
    let start = Instant::now();
    for &(_, key) in keys {
        container.insert(mc, key, value);
    }
    times.insert.push(each(start));

    // In another order than that of insertion: a step that is prime to the number of entries.
    let step = keys.len() / 2 + 12_345;
    let mut at = 0;
    let mut sum = 0;
    let start = Instant::now();
    for _ in 0..keys.len() {
        at = (at + step) % keys.len();
        let (number, key) = keys[at];
        sum += address(&container.look_up(number, key)) & 1;
    }
    times.look_up.push(each(start));

    let start = Instant::now();
    black_box(sum + container.sum());
    times.iterate.push(each(start));
    container
}

macro_rules! measure_with {
    ($container:ty, $keys:expr) => {{
        let keys: &[(usize, u64)] = $keys;
        let mut times = Times::default();
        for _ in 0..REPETITIONS {
            let options = HeapOptions::default().mode(Mode::StopTheWorld).markers(0);
            let mut arena = Arena::<Rootable!['gc => Gc<'gc, RefLock<$container>>]>::with_options(
                options,
                |mc| Gc::new(mc, RefLock::new(use_one(mc, keys, &mut times))),
            )?;
            arena.finish_cycle();
            let before = arena.metrics().statistics().mark_time;
            arena.finish_cycle();
            let time = arena.metrics().statistics().mark_time - before;
            times.mark.push(time.as_nanos() as f64 / keys.len() as f64);
        }
        times
    }};
}

/// Measures one collection.
pub fn run(contender: Contender, objects: usize) -> Result<Figures> {
    let entries = objects.min(ENTRIES) as u64;
    let keys: Vec<(usize, u64)> = (0..entries)
        .map(|number| (number as usize, number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let times = match contender {
        Contender::VecOurs => measure_with!(ManagedVec<'gc, Value<'gc>>, &keys),
        Contender::VecStd => measure_with!(Vec<Value<'gc>>, &keys),
        Contender::MapOurs => measure_with!(HashMap<'gc, u64, Value<'gc>>, &keys),
        _ => measure_with!(TwinMap<'gc>, &keys),
    };
    Ok(Figures::of(INSERT, median(times.insert))
        .and(LOOK_UP, Some(median(times.look_up)))
        .and(ITERATE, Some(median(times.iterate)))
        .and(MARK, Some(median(times.mark))))
}

/// All collections in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let medians = contest::hold(&[VecOurs, VecStd, MapOurs, MapStd], options, "containers")?;
    let mut measures = Vec::new();
    for (name, ours, twin) in [
        ("Vec / std's", VecOurs, VecStd),
        ("HashMap / hashbrown's", MapOurs, MapStd),
    ] {
        for figure in [INSERT, LOOK_UP, ITERATE] {
            let (mine, other) = (medians.expect(ours, figure)?, medians.expect(twin, figure)?);
            let bound = options.bound_on_heaps(1.3);
            let what = format!("{name}: {figure}");
            measures.push(Measure::new(what, mine / other, "ratio").at_most(bound));
            measures.push(Measure::new("  ours", mine, "ns"));
            measures.push(Measure::new("  the twin's", other, "ns"));
        }
        let (mine, other) = (medians.expect(ours, MARK)?, medians.expect(twin, MARK)?);
        let what = format!("{name}: marking is faster");
        let bound = options.bound_on_heaps(3.0);
        measures.push(Measure::new(what, other / mine, "times").at_least(bound));
        measures.push(Measure::new("  ours", mine, "ns/entry"));
        measures.push(Measure::new("  the twin's", other, "ns/entry"));
    }
    Ok(measures)
}
