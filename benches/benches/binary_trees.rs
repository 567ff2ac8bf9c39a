//! The binary-trees program of depth 18, by memory manager.
//!
//! All managers run in this process, one after the other, so they meet whatever state the ones
//! before them left behind; the program `ratios` gives each a process of its own and lets them take
//! turns, and is where ratios should be read. The variable `GC_BENCH_DEPTH` sets another depth.

use std::hint::black_box;

use bumpalo::Bump;
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use gc_benches::collected::ours::trees::Managed;
use gc_benches::forest::{Boxed, Bumped, Explicit, Forest, Mi, binary_trees};

fn program(criterion: &mut Criterion) {
    let depth = gc_benches::setting("GC_BENCH_DEPTH", 18);
    let mut group = criterion.benchmark_group(format!("binary trees {depth}"));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.bench_function("Box, system malloc", |bencher| {
        bencher.iter(|| run(Boxed::default(), depth));
    });
    group.bench_function("Box, mimalloc", |bencher| {
        bencher.iter(|| run(Explicit::new(Mi), depth));
    });
    group.bench_function("bumpalo", |bencher| {
        bencher.iter(|| run(Bumped::new(&Bump::new()), depth));
    });
    group.bench_function("gc-core", |bencher| {
        bencher.iter(|| run(Managed::default(), depth));
    });
    group.finish();
}

fn run(mut forest: impl Forest, depth: u32) -> u64 {
    binary_trees(&mut forest, black_box(depth))
}

criterion_group!(benches, program);
criterion_main!(benches);
