//! Programs with the shape of a dynamic language's machine, by collector.
//!
//! Each is short and includes making and freeing its heap. `ratios --only owners` runs them longer, in processes of
//! their own, and also looks at memory.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gc_benches::collected::{Program, ours, peer};

/// Operations of each program.
const OPERATIONS: usize = 20_000;

fn programs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("owners");
    group.sample_size(10);
    for program in Program::ALL {
        let name = format!("{program:?}").to_lowercase();
        group.bench_function(BenchmarkId::new(&name, "gc-core"), |bencher| {
            let run = |options| ours::owners::run(program, options, OPERATIONS);
            bencher.iter(|| black_box(run(ours::Options::default())));
        });
        group.bench_function(BenchmarkId::new(&name, "gc-arena"), |bencher| {
            let run = |options| peer::owners::run(program, options, OPERATIONS);
            bencher.iter(|| black_box(run(peer::Options::default())));
        });
    }
    group.finish();
}

criterion_group!(benches, programs);
criterion_main!(benches);
