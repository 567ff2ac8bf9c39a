//! How a life is set up: all of it follows from its seed.

use std::time::Duration;

use gc_core::{HeapOptions, Mode, Zeal};
use gc_tests::random::Random;

/// The options of an arena, and what is done to it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of the operations.
    pub seed: u64,
    /// How the heap is set up.
    pub options: HeapOptions,
    /// The number of operations.
    pub length: u64,
    /// The number of roots.
    pub roots: usize,
    /// One operation in so many is a safepoint, beside those that are part of others.
    pub safepoints: usize,
    /// One operation in so many is a full collection, after which everything is compared.
    pub full: usize,
    /// Whether several threads share the arena.
    pub crowd: bool,
}

impl Plan {
    /// The plan of the life with this seed.
    pub fn new(seed: u64) -> Plan {
        let mut random = Random::new(seed);
        let mode = *random.pick(&[
            Mode::StopTheWorld,
            Mode::Incremental,
            Mode::Incremental,
            Mode::Concurrent,
            Mode::Concurrent,
            Mode::Concurrent,
        ]);
        let zeal = Zeal {
            collect: random.one_in(2),
            verify: random.one_in(3),
            naive_mark: random.one_in(5),
        };
        let steps = [0, 1, 1000, 20_000, 1_000_000];
        let mut options = HeapOptions::default()
            .mode(mode)
            .zeal(zeal)
            .step(Duration::from_nanos(*random.pick(&steps)))
            .markers(random.below(3))
            .floor(*random.pick(&[0, 4 << 10, 64 << 10, 1 << 20]))
            .growth(*random.pick(&[0, 10, 100, 300]));
        if !random.one_in(5) {
            options = options.concurrent_from(0);
        }
        if random.one_in(3) {
            options = options.limit(*random.pick(&[1 << 20, 4 << 20, 16 << 20]));
        }
        if random.one_in(3) {
            options = options.soft_limit(*random.pick(&[64 << 10, 1 << 20]));
        }
        if random.one_in(4) {
            options = options.reserve(64 << 20);
        }
        // A heap that checks itself often is kept small.
        let size = if zeal.verify || zeal.naive_mark { 4 } else { 1 };
        Plan {
            seed: random.number(),
            options,
            length: *random.pick(&[300, 3000, 30_000]) as u64,
            roots: *random.pick(&[8, 64, 256]) / size,
            safepoints: *random.pick(&[2, 5, 30]),
            full: *random.pick(&[300, 3000]),
            crowd: match std::env::var("GC_STRESS_CROWDS") {
                Ok(all) => all == "1",
                Err(_) => random.one_in(3),
            },
        }
    }
}
