//! What it costs to allocate an object and to be rid of it again.
//!
//! Objects of 16, 32, 64 and 256 bytes, all of it data or half of it pointers (null ones: the cost
//! of recording where pointers are does not depend on what they hold). Each iteration makes a
//! batch of garbage in one `mutate` and then lets the collector work as it sees fit, so that the
//! figures hold the share of the collections that such a rate of allocation brings with it.
//!
//! `raw` is the allocator's own call and the writes of the words, without a type: what `pointers` of 32 bytes
//! takes beyond it is what the safe layer costs.

use std::alloc::Layout;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_core::{Arena, Collect, Gc, Mutation, Rootable, Static};

/// Objects in a batch.
const BATCH: u64 = 10_000;

#[derive(Collect)]
#[collect(require_static)]
struct Data<const WORDS: usize>([u64; WORDS]);

#[derive(Collect)]
#[collect(no_drop)]
struct Mixed<'gc, const POINTERS: usize, const WORDS: usize> {
    pointers: [Option<Gc<'gc, Data<2>>>; POINTERS],
    words: [u64; WORDS],
}

fn bench(
    criterion: &mut Criterion,
    kind: &str,
    bytes: usize,
    make: impl for<'gc> Fn(&Mutation<'gc>, u64),
) {
    let mut arena = Arena::<Rootable![Static<()>]>::new(|_| Static(()));
    let mut group = criterion.benchmark_group(format!("allocation/{kind}"));
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function(format!("{bytes} bytes"), |bencher| {
        bencher.iter(|| {
            arena.mutate(|mc, _| {
                for number in 0..BATCH {
                    make(mc, number);
                }
            });
            arena.collect_debt();
        });
    });
    group.finish();
}

fn data<const WORDS: usize>(criterion: &mut Criterion) {
    let bytes = size_of::<Data<WORDS>>();
    bench(criterion, "data", bytes, |mc, number| {
        black_box(Gc::new(mc, Data([number; WORDS])));
    });
}

fn mixed<const POINTERS: usize, const WORDS: usize>(criterion: &mut Criterion) {
    let bytes = size_of::<Mixed<'_, POINTERS, WORDS>>();
    bench(criterion, "pointers", bytes, |mc, number| {
        black_box(Gc::new(
            mc,
            Mixed {
                pointers: [None; POINTERS],
                words: [number; WORDS],
            },
        ));
    });
}

fn raw(criterion: &mut Criterion) {
    bench(criterion, "raw", 32, |mc, number| {
        // SAFETY: the first two of four words are pointers, null ones, and all words are written.
        let place = unsafe {
            let place = mc.allocate_raw(Layout::new::<[u64; 4]>(), 0b11).unwrap();
            place.cast().write([0, 0, number, number]);
            place
        };
        black_box(place);
    });
}

fn allocation(criterion: &mut Criterion) {
    data::<2>(criterion);
    data::<4>(criterion);
    data::<8>(criterion);
    data::<32>(criterion);
    mixed::<1, 1>(criterion);
    mixed::<2, 2>(criterion);
    raw(criterion);
    mixed::<4, 4>(criterion);
    mixed::<16, 16>(criterion);
}

criterion_group!(benches, allocation);
criterion_main!(benches);
