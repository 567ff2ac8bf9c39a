//! A crowd: several mutators in one shared arena.
//!
//! What they do to the common part of the graph, nobody can foretell; objects know themselves whether
//! they are whole. Beside it, each has a list that only it changes, and knows what is in it.

mod graph;
mod member;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gc_core::FinalizerMode;
use gc_core::shared::{AtomicGc, Mutex};
use gc_tests::random::Random;

use self::graph::{Link, Root};
use self::member::{Common, Habits, Heap, Member};
use crate::plan::Plan;

/// Lets a crowd live in an arena, from its beginning to its end. How many collections there were.
pub fn live(plan: &Plan, stop: impl Fn() -> bool + Sync) -> u64 {
    let mut random = Random::new(plan.seed);
    let members = 2 + random.below(3);
    let finalizers = *random.pick(&[
        FinalizerMode::AfterCollection,
        FinalizerMode::Thread,
        FinalizerMode::Manual,
    ]);
    let at_drop = random.one_in(2);
    let options = plan
        .options
        .finalizers(finalizers)
        .finalize_at_drop(at_drop);
    let heap = Heap::with_options(options, |mc| Root {
        common: mc.allocate_slice((0..plan.roots).map(|_| Mutex::new(Link::Nil))),
        stack: AtomicGc::null(),
        own: (0..members).map(|_| AtomicGc::null()).collect(),
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let common = Common::default();
    let habits = Habits {
        safepoints: plan.safepoints,
        full: plan.full,
    };
    let seeds: Vec<u64> = (0..members).map(|_| random.number()).collect();
    let operations = plan.length / members as u64;
    let failure = std::thread::scope(|scope| {
        let threads: Vec<_> = seeds
            .into_iter()
            .enumerate()
            .map(|(number, seed)| {
                let (heap, common, habits, stop) = (&heap, &common, &habits, &stop);
                scope.spawn(move || {
                    let member = Member::new(heap, common, number, seed);
                    let run = AssertUnwindSafe(|| member.run(operations, habits, stop));
                    catch_unwind(run).inspect_err(|_| common.failed.store(true, Ordering::Relaxed))
                })
            })
            .collect();
        // All are waited for, whatever happened to one.
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        results
            .into_iter()
            .find_map(|result| result.flatten().err())
    });
    if let Some(payload) = failure {
        resume_unwind(payload);
    }
    if random.one_in(2) {
        let here = heap.attach();
        here.finish_cycle();
        here.verify().unwrap_or_else(|error| panic!("{error}"));
    }
    let collections = heap.metrics().statistics().collections;
    if random.one_in(2) {
        common.handles.lock().clear();
    }
    drop(heap);
    // Relaxed: the threads have ended.
    let registered = common.registered.load(Ordering::Relaxed);
    let run = common.finalized.load(Ordering::Relaxed);
    assert!(
        run <= registered && (run == registered || !at_drop),
        "finalizers"
    );
    let alive = Arc::clone(&common.alive);
    assert_eq!(
        alive.load(Ordering::Relaxed),
        0,
        "values that were not dropped"
    );
    collections
}
