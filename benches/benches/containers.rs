//! What managed vectors and maps cost beside those of `std`.
//!
//! A hundred thousand pointers are inserted into an empty collection, looked up in an order that is not that of insertion,
//! and gone through. `ratios --only containers` does the same with a million, and also marks.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_core::arena::rootless_mutate;
use gc_core::collections::{HashMap, Vec as ManagedVec};
use gc_core::{Arena, Gc, Mutation, Rootable, Static};

/// Entries of each collection.
const ENTRIES: u64 = 100_000;

fn key(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Measures how long it takes to make a collection, in an arena that collects between the iterations.
fn insert<T>(criterion: &mut Criterion, name: &str, make: impl for<'gc> Fn(&Mutation<'gc>) -> T) {
    let mut arena = Arena::<Rootable![Static<()>]>::new(|_| Static(()));
    let mut group = criterion.benchmark_group("containers/insert");
    group.throughput(Throughput::Elements(ENTRIES));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            arena.mutate(|mc, _| drop(black_box(make(mc))));
            arena.collect_debt();
        });
    });
    group.finish();
}

fn inserts(criterion: &mut Criterion) {
    insert(criterion, "Vec", |mc| {
        let value = Gc::new(mc, 7);
        let mut vec = ManagedVec::new();
        (0..ENTRIES).for_each(|_| vec.push(mc, value));
        vec.len()
    });
    insert(criterion, "Vec of std", |mc| {
        let value = Gc::new(mc, 7);
        let mut vec = Vec::new();
        (0..ENTRIES).for_each(|_| vec.push(value));
        vec.len()
    });
    insert(criterion, "HashMap", |mc| {
        let value = Gc::new(mc, 7);
        let mut map = HashMap::<u64, _>::new();
        (0..ENTRIES).for_each(|number| _ = map.insert(mc, key(number), value));
        map.len()
    });
    insert(criterion, "HashMap of std", |mc| {
        let value = Gc::new(mc, 7);
        let mut map = TwinMap::default();
        (0..ENTRIES).for_each(|number| _ = map.insert(key(number), value));
        map.len()
    });
}

type TwinMap<V> = std::collections::HashMap<u64, V, foldhash::fast::RandomState>;

fn uses(criterion: &mut Criterion) {
    rootless_mutate(|mc| {
        let entries = || (0..ENTRIES).map(|number| (key(number), number));
        let ours: HashMap<'_, u64, u64> = HashMap::from_iter(mc, entries());
        let twin: TwinMap<u64> = entries().collect();
        let keys: Vec<u64> = (0..ENTRIES)
            .map(|number| key(number * 7919 % ENTRIES))
            .collect();

        let mut group = criterion.benchmark_group("containers/look up");
        group.throughput(Throughput::Elements(ENTRIES));
        group.bench_function("HashMap", |bencher| {
            bencher.iter(|| keys.iter().map(|key| ours[key]).sum::<u64>());
        });
        group.bench_function("HashMap of std", |bencher| {
            bencher.iter(|| keys.iter().map(|key| twin[key]).sum::<u64>());
        });
        group.finish();

        let mut group = criterion.benchmark_group("containers/iterate");
        group.throughput(Throughput::Elements(ENTRIES));
        group.bench_function("HashMap", |bencher| {
            bencher.iter(|| black_box(&ours).values().sum::<u64>());
        });
        group.bench_function("HashMap of std", |bencher| {
            bencher.iter(|| black_box(&twin).values().sum::<u64>());
        });
        group.finish();
    });
}

criterion_group!(benches, inserts, uses);
criterion_main!(benches);
