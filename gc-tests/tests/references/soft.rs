//! Soft references: kept while memory is plentiful.

use gc_core::{Arena, Gc, HeapOptions, Mode, Rootable, Soft, SoftCache};
use gc_tests::way::in_each_way;

type Row<'gc> = Vec<Soft<'gc, [u64; 8]>>;
type Heap = Arena<Rootable![Row<'_>]>;

fn heap(options: HeapOptions, count: usize) -> Heap {
    Arena::with_options(options, |mc| {
        let soft = |id| Soft::new(mc, Gc::new(mc, [id as u64; 8]));
        (0..count).map(soft).collect()
    })
    .unwrap()
}

fn there(heap: &Heap) -> Vec<usize> {
    heap.mutate(|mc, row| {
        let mut there = Vec::new();
        for (id, soft) in row.iter().enumerate() {
            if let Some(value) = soft.peek(mc) {
                assert_eq!(*value, [id as u64; 8]);
                there.push(id);
            }
        }
        there
    })
}

#[test]
fn those_that_are_used_stay() {
    in_each_way(|way| {
        let mut heap = heap(way.options().soft_idle(3), 20);
        for collection in 1..=9 {
            heap.mutate(|mc, row| {
                for id in (0..20).step_by(4) {
                    assert!(row[id].get(mc).is_some());
                }
                if collection == 3 {
                    assert!(row[1].get(mc).is_some());
                }
            });
            heap.finish_cycle();
            let expected: Vec<_> = match collection {
                1..=4 => (0..20).collect(),
                5..=6 => (0..20).filter(|id| id % 4 == 0 || *id == 1).collect(),
                _ => (0..20).step_by(4).collect(),
            };
            // Zealous heaps collect more often.
            let found = there(&heap);
            if way.zeal == gc_core::Zeal::NONE {
                assert_eq!(found, expected, "collection {collection}");
            } else {
                assert!(found.iter().all(|id| expected.contains(id)));
                assert!((0..20).step_by(4).all(|id| found.contains(&id)));
            }
        }
    });
}

#[test]
fn a_cycle_between_whose_steps_they_are_used() {
    in_each_way(|way| {
        for delay in 0..way.size(5, 25) {
            let mut heap = heap(way.options().soft_idle(0), 30);
            heap.finish_cycle();
            heap.metrics().adjust_debt(1e15);
            heap.collect_debt();
            heap.metrics().adjust_debt(f64::NAN);
            for _ in 0..delay {
                heap.collect_debt();
            }
            let used: Vec<_> = heap.mutate(|mc, row| {
                let used = |id: &usize| id.is_multiple_of(3) && row[*id].get(mc).is_some();
                (0..30).filter(used).collect()
            });
            for _ in 0..300 {
                heap.collect_debt();
            }
            let found = there(&heap);
            if way.zeal == gc_core::Zeal::NONE {
                assert!(
                    used.iter().all(|id| found.contains(id)),
                    "{used:?} {found:?}"
                );
            }
            heap.finish_cycle();
            heap.finish_cycle();
            heap.finish_cycle();
            assert_eq!(there(&heap), []);
            // The references, and what is left of some cohorts.
            assert!(heap.metrics().total_gc_count() <= 30 + 3);
        }
    });
}

/// All of them go before a program is told for a second time that there is no memory.
#[test]
fn near_the_limit_all_are_let_go() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let options = HeapOptions::default().mode(mode).limit(4 << 20);
        let mut heap = heap(options, 1000);
        heap.finish_cycle();
        assert_eq!(there(&heap).len(), 1000);
        // Values that are kept, until there is no memory.
        let failed = heap.mutate_root(|mc, row| {
            loop {
                match Gc::try_new(mc, [1; 8]) {
                    Ok(new) => row.push(Soft::new(mc, new)),
                    Err(error) => break error.to_string(),
                }
                if row.len() > 100_000 {
                    break "there is no limit".to_string();
                }
            }
        });
        assert!(failed.contains("limit"), "{failed}");
        heap.collect_debt();
        heap.mutate(|mc, row| {
            assert!(row.iter().all(|soft| soft.peek(mc).is_none()));
            assert!(Gc::try_new(mc, [0_u64; 8]).is_ok());
        });
    }
}

#[test]
fn what_is_let_go_is_freed_at_once() {
    in_each_way(|way| {
        let mut heap = heap(way.options().soft_idle(0), 50);
        heap.finish_cycle();
        heap.finish_cycle();
        // The references, and what is left of one cohort.
        assert!(heap.metrics().total_gc_count() <= 51 + 1);
        assert_eq!(there(&heap), []);
    });
}

#[test]
fn a_cache_forgets_what_is_not_used() {
    in_each_way(|way| {
        let options = way.options().soft_idle(1);
        type Heap = Arena<Rootable![SoftCache<'_, usize, usize>]>;
        #[allow(clippy::redundant_closure, reason = "the function serves one lifetime")]
        let mut heap = Heap::with_options(options, |mc| SoftCache::new(mc)).unwrap();
        let made = std::cell::Cell::new(0);
        let look = |heap: &mut Heap, id: usize| {
            heap.mutate(|mc, cache| {
                let value = cache.get_or_insert_with(mc, id, || {
                    made.set(made.get() + 1);
                    Gc::new(mc, id * id)
                });
                assert_eq!(*value, id * id);
            });
        };
        (0..50).for_each(|id| look(&mut heap, id));
        for _ in 0..4 {
            (0..5).for_each(|id| look(&mut heap, id));
            heap.finish_cycle();
        }
        assert_eq!(made.get(), 50);
        heap.mutate(|mc, cache| assert_eq!(cache.count(mc), 5));
        (0..50).for_each(|id| look(&mut heap, id));
        assert_eq!(made.get(), 95);
    });
}
