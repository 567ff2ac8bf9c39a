//! What marking costs per object, by the shape of the heap.
//!
//! Each iteration is a full collection of a heap in which everything is live. A tree in the order
//! of its walk is the best that a marker can meet, a random graph with an array of all nodes is
//! the worst for the caches, and a long list leaves nothing to fetch ahead. The variable
//! `GC_BENCH_OBJECTS` sets how many objects of 32 bytes there are (a million otherwise, which is
//! already more than the caches hold; the project's own bounds are for 20 million).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gc_benches::collected::ours::graphs::Heap;

fn marking(criterion: &mut Criterion) {
    let objects = gc_benches::setting("GC_BENCH_OBJECTS", 1_000_000);
    let mut group = criterion.benchmark_group("marking");
    group
        .throughput(Throughput::Elements(objects as u64))
        .sample_size(10);

    type Make = fn(usize) -> Heap;
    let shapes: [(&str, Make); 3] = [
        ("ordered tree", Heap::ordered_tree),
        ("random graph", Heap::random_graph),
        ("long list", Heap::list),
    ];
    for (name, make) in shapes {
        let mut heap = make(objects);
        group.bench_function(BenchmarkId::new(name, objects), |bencher| {
            bencher.iter(|| heap.collect());
        });
        heap.probe();
    }
    group.finish();
}

criterion_group!(benches, marking);
criterion_main!(benches);
