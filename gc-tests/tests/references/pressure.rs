//! Finalizers where memory is short, or the program is fast: what only waits for them is no reason to refuse memory, and does
//! not pile up. All of it by counts: a safepoint runs at least one finalizer, and these tests allow it no time for more.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_core::metrics::Statistics;
use gc_core::{Arena, FinalizerMode, Gc, HeapError, HeapOptions, Mode, Rootable, Zeal, shared};
use gc_tests::way::{Way, in_each_way};

const MIB: usize = 1 << 20;

/// The limit of heaps that are filled as far as they go.
fn limit(way: Way) -> usize {
    way.size(MIB / 2, MIB)
}

/// Bytes of each object.
const OBJECT: usize = 64;

type Heap = Arena<Rootable![()]>;

fn heap(options: HeapOptions) -> Heap {
    Heap::with_options(options.finalizer_step(Duration::ZERO), |_| ()).unwrap()
}

/// Makes objects with finalizers that nothing leads to: so many, and how many were refused and why.
fn litter(heap: &Heap, count: usize) -> (usize, Option<HeapError>) {
    heap.mutate(|mc, ()| {
        let (mut refused, mut why) = (0, None);
        for _ in 0..count {
            match Gc::try_new(mc, [7_u8; OBJECT]) {
                Ok(object) => _ = mc.finalize_with(object, |object, _| assert_eq!(object[9], 7)),
                Err(error) => (refused, why) = (refused + 1, Some(error)),
            }
        }
        (refused, why)
    })
}

fn figures(heap: &Heap) -> Statistics {
    let figures = heap.metrics().statistics();
    assert_eq!(figures.finalizers_panicked, 0);
    figures
}

#[test]
fn a_limit_refuses_nothing_while_nothing_is_alive() {
    in_each_way(|way| {
        let limit = way.size(1, 2) * MIB;
        let batches = way.size(20, 100);
        let mut heap = heap(way.options().limit(limit));
        for batch in 0..batches {
            let refused = litter(&heap, 1000);
            assert_eq!(refused, (0, None), "in batch {batch}: {:?}", figures(&heap));
            heap.collect_debt();
        }
        heap.finish_cycle();
        let figures = figures(&heap);
        assert_eq!(figures.finalizers_run, batches as u64 * 1000);
        if way.zeal == Zeal::NONE {
            // Each frees a good part of the heap.
            let most = 2 + 10 * batches * 1000 * OBJECT / limit;
            assert!(figures.collections as usize <= most, "{figures:?}");
        }
    });
}

/// What one call makes is more than half of the heap: what waits from the one before must be gone.
#[test]
fn each_call_fills_most_of_the_heap() {
    in_each_way(|way| {
        if way.mode != Mode::StopTheWorld {
            // A cycle in steps needs room for what the program allocates meanwhile.
            return;
        }
        let limit = way.size(1, 4) * MIB;
        let mut heap = heap(way.options().limit(limit));
        let count = limit * 7 / 10 / OBJECT;
        for round in 0..6 {
            assert_eq!(litter(&heap, count), (0, None), "in round {round}");
            heap.collect_debt();
        }
    });
}

/// Beside what is alive, finalizers that keep others alive as well.
#[test]
fn the_queue_is_no_reason_for_an_allowance() {
    in_each_way(|way| {
        let floor = MIB;
        let options = way.often().floor(floor);
        let mut heap = heap(options);
        let batches = way.size(20, 200);
        let mut most = 0;
        for _ in 0..batches {
            litter(&heap, 1000);
            heap.collect_debt();
            most = most.max(figures(&heap).finalizers_waiting);
        }
        let figures = figures(&heap);
        // Without the debt being paid, one finalizer a safepoint would have run.
        assert!(most * OBJECT <= 4 * floor, "{most} wait, {figures:?}");
        assert!(figures.peak_heap_bytes <= 10 * floor, "{figures:?}");
    });
}

/// Fills the heap in one call until memory is refused. How many objects that were, and why it ended.
fn fill(heap: &Heap) -> (usize, HeapError) {
    heap.mutate(|mc, ()| {
        let mut count = 0;
        loop {
            match Gc::try_new(mc, [7_u8; OBJECT]) {
                Ok(object) => _ = mc.finalize_with(object, |_, _| ()),
                Err(error) => return (count, error),
            }
            count += 1;
        }
    })
}

#[test]
fn after_a_refusal_what_the_error_says_helps() {
    type Advice = fn(&mut Heap);
    let advice: [Advice; 2] = [Heap::collect_debt, Heap::finish_cycle];
    in_each_way(|way| {
        for follow in advice {
            let mut heap = heap(way.options().limit(limit(way)));
            for _ in 0..3 {
                let (count, error) = fill(&heap);
                assert!(count * OBJECT > limit(way) * 9 / 10, "{count}: {error}");
                let HeapError::LimitReached { finalizers, .. } = error else {
                    panic!("{error}")
                };
                assert_eq!(finalizers.count, 0);
                follow(&mut heap);
            }
        }
    });
}

#[test]
fn by_hand_the_error_says_that_they_must_be_run() {
    in_each_way(|way| {
        let options = way
            .options()
            .limit(limit(way))
            .finalizers(FinalizerMode::Manual);
        let mut heap = heap(options);
        for _ in 0..2 {
            let (count, _) = fill(&heap);
            assert!(count * OBJECT > limit(way) * 9 / 10, "{count}");
            heap.finish_cycle();
            // Nobody has run them, so this cannot help, and it is told why.
            let (_, error) = fill(&heap);
            let HeapError::LimitReached { finalizers, .. } = error else {
                panic!("{error}")
            };
            assert_eq!(finalizers.count, figures(&heap).finalizers_waiting);
            let text = error.to_string();
            let expected = format!("{} finalizers wait", finalizers.count);
            assert!(
                text.contains(&expected) && text.contains("`run_finalizers`"),
                "{text}"
            );
            heap.finish_cycle();
            assert!(heap.run_finalizers(usize::MAX) >= finalizers.count);
            // What they saw is garbage now, and a collection is due for that.
            heap.collect_debt();
        }
    });
}

/// Finalizers that register others, and keep what they see, for ever: each safepoint ends.
#[test]
fn they_come_again_and_again() {
    #[derive(gc_core::Collect)]
    #[collect(require_static)]
    struct Again(Rc<Cell<u64>>);

    fn again<'gc>(object: Gc<'gc, (Again, [u8; OBJECT])>, mc: &gc_core::Mutation<'gc>) {
        _ = mc.finalize_with(object, |object, token| {
            object.0.0.set(object.0.0.get() + 1);
            again(object, token);
        });
    }
    in_each_way(|way| {
        let mut heap = heap(way.options().limit(limit(way)));
        let run = Rc::new(Cell::new(0));
        let count = way.size(500, 5000);
        heap.mutate(|mc, ()| {
            for _ in 0..count {
                again(Gc::new(mc, (Again(Rc::clone(&run)), [1; OBJECT])), mc);
            }
        });
        for _ in 0..5 {
            let before = (figures(&heap).collections, run.get());
            heap.finish_cycle();
            let after = (figures(&heap).collections, run.get());
            assert!(
                (1..=3).contains(&(after.0 - before.0)),
                "{before:?} {after:?}"
            );
            assert!(after.1 - before.1 <= 3 * count as u64);
            // All that live are those.
            litter(&heap, 1000);
            heap.collect_debt();
        }
    });
}

type Shared = shared::Arena<Rootable![()]>;

fn fill_shared(
    here: &shared::Attached<'_, Rootable![()]>,
    run: &Arc<AtomicUsize>,
) -> (usize, HeapError) {
    here.mutate(|mc, ()| {
        let mut count = 0;
        loop {
            match mc.try_allocate([7_u8; OBJECT]) {
                Ok(object) => {
                    let run = Arc::clone(run);
                    _ = mc
                        .finalize_with(object, move |_, _| _ = run.fetch_add(1, Ordering::Relaxed));
                }
                Err(error) => return (count, error),
            }
            count += 1;
        }
    })
}

/// `finish_cycle`, and what is due at a safepoint, wait for the thread that runs them.
#[test]
fn on_their_thread_they_run_before_memory_is_refused_again() {
    in_each_way(|way: Way| {
        let options = way
            .options()
            .limit(limit(way))
            .finalizers(FinalizerMode::Thread);
        let heap = Shared::with_options(options, |_| ()).unwrap();
        let here = heap.attach();
        let run = Arc::default();
        for round in 0..4 {
            let (count, error) = fill_shared(&here, &run);
            assert!(
                count * OBJECT > limit(way) * 9 / 10,
                "{count} in round {round}: {error}"
            );
            if round % 2 == 0 {
                here.finish_cycle();
            } else {
                here.collect_debt();
            }
        }
        assert!(run.load(Ordering::Relaxed) > 0);
    });
}

/// Without a limit: a program that is faster than the thread waits for it before it is far beyond its allowance.
#[test]
fn on_their_thread_they_do_not_pile_up() {
    in_each_way(|way| {
        let floor = MIB;
        let options = way.often().floor(floor);
        let heap = Shared::with_options(options.finalizers(FinalizerMode::Thread), |_| ()).unwrap();
        let here = heap.attach();
        let mut most = 0;
        for _ in 0..way.size(20, 200) {
            here.mutate(|mc, ()| {
                for _ in 0..1000 {
                    _ = mc.finalize_with(mc.allocate([7_u8; OBJECT]), |_, _| ());
                }
            });
            here.collect_debt();
            most = most.max(heap.metrics().statistics().finalizers_waiting);
        }
        let figures = heap.metrics().statistics();
        assert!(most * OBJECT <= 4 * floor, "{most} wait, {figures:?}");
        assert!(figures.peak_heap_bytes <= 10 * floor, "{figures:?}");
    });
}
