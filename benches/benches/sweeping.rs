//! What sweeping costs, by how much of the heap is live.
//!
//! Each iteration fills a heap with nodes of 32 bytes, of which a random share is kept, and
//! collects it. What is reported is the time that the collector says it swept inside that
//! collection: marking is not in it, and neither is what sweeping puts off until blocks are
//! allocated into again. The variable `GC_BENCH_OBJECTS` sets how many nodes there are.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gc_benches::collected::ours::graphs::Heap;

fn sweeping(criterion: &mut Criterion) {
    let objects = gc_benches::setting("GC_BENCH_OBJECTS", 1_000_000);
    let mut group = criterion.benchmark_group("sweeping");
    // As many bytes as the nodes have, live or not.
    group
        .throughput(Throughput::Bytes(objects as u64 * 32))
        .sample_size(10);
    for percent in [0, 10, 50, 90, 100] {
        let id = BenchmarkId::new("live", format!("{percent} %"));
        group.bench_function(id, |bencher| {
            bencher
                .iter_custom(|iterations| (0..iterations).map(|_| swept(objects, percent)).sum());
        });
    }
    group.finish();
}

/// How long a collection of a fresh heap swept.
fn swept(objects: usize, percent: u32) -> Duration {
    let mut heap = Heap::scattered(objects, percent);
    let before = heap.account().sweep_time.unwrap_or_default();
    heap.collect();
    let after = heap.account().sweep_time.unwrap_or_default();
    heap.probe();
    // Criterion divides by what it is given, and the clock may stand still for a sweep of nothing.
    (after - before).max(Duration::from_nanos(1))
}

criterion_group!(benches, sweeping);
criterion_main!(benches);
