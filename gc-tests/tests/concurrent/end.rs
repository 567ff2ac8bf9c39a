//! Arenas that end in the middle of a cycle: every value is dropped, once.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::{Arena, Collect, Gc, GcWeak, RefLock, Rootable};

use crate::cargo::{Ballast, Counted, litter};
use crate::{begin, in_each_way, panic_of, steps};

#[derive(Collect)]
#[collect(no_drop)]
struct Item<'gc> {
    counted: Counted,
    next: Option<Gc<'gc, Item<'gc>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    items: Option<Gc<'gc, Item<'gc>>>,
    weak: Vec<GcWeak<'gc, Item<'gc>>>,
    table: Gc<'gc, RefLock<Vec<Gc<'gc, Item<'gc>>>>>,
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

const ITEMS: usize = 600;

/// A heap of which a part is garbage, in a cycle, so many steps after its beginning.
fn heap(way: crate::Way, drops: &[Rc<Cell<usize>>], delay: usize) -> Heap {
    let mut heap = Heap::with_options(way.options(), |mc| Roots {
        items: None,
        weak: Vec::new(),
        table: Gc::new(mc, RefLock::default()),
        ballast: Ballast::new(mc, way.size(50, 2000)),
    })
    .unwrap();
    heap.mutate_root(|mc, root| {
        for (index, count) in drops.iter().enumerate().take(ITEMS) {
            let counted = Counted(count.clone());
            let next = if index % 3 == 0 { root.items } else { None };
            let item = Gc::new(mc, Item { counted, next });
            match index % 3 {
                0 => root.items = Some(item),
                1 => root.weak.push(Gc::downgrade(item)),
                _ if index % 2 == 0 => root.table.borrow_mut(mc).push(item),
                _ => {}
            }
        }
    });
    begin(&mut heap);
    steps(&mut heap, delay);
    // Some more, in the middle.
    heap.mutate_root(|mc, root| {
        for (index, count) in drops.iter().enumerate().skip(ITEMS) {
            let counted = Counted(count.clone());
            let item = Gc::new(
                mc,
                Item {
                    counted,
                    next: None,
                },
            );
            if index % 2 == 0 {
                root.table.borrow_mut(mc).push(item);
            }
        }
        root.items = root.items.and_then(|item| item.next);
        litter(mc, 10);
    });
    heap
}

fn counters() -> Vec<Rc<Cell<usize>>> {
    (0..ITEMS + 100).map(|_| Rc::default()).collect()
}

#[test]
fn in_every_phase() {
    in_each_way(|way| {
        for delay in 0..way.size(12, 60) {
            let drops = counters();
            let mut heap = heap(way, &drops, delay);
            steps(&mut heap, delay % 4);
            assert!(drops.iter().all(|count| count.get() <= 1));
            drop(heap);
            assert!(drops.iter().all(|count| count.get() == 1));
        }
    });
}

#[test]
fn while_unwinding() {
    in_each_way(|way| {
        for delay in 0..10 {
            let drops = counters();
            let text = panic_of(|| {
                let heap = heap(way, &drops, delay);
                heap.mutate(|mc, _| {
                    litter(mc, 10);
                    panic!("the program's");
                });
            });
            assert_eq!(text.as_deref(), Some("the program's"));
            assert!(drops.iter().all(|count| count.get() == 1));
        }
    });
}

/// Where the root itself is dropped after the heap, and metrics outlive both.
#[test]
fn metrics_stay() {
    in_each_way(|way| {
        for delay in 0..10 {
            let drops = counters();
            let heap = heap(way, &drops, delay);
            let metrics = heap.metrics().clone();
            drop(heap);
            assert_eq!(metrics.total_gc_count(), 0);
            let _ = (metrics.statistics(), metrics.allocation_debt());
        }
    });
}

/// Many arenas, each with a cycle in progress, one after another and at the same time.
#[test]
fn many_arenas() {
    in_each_way(|way| {
        let drops: Vec<_> = (0..12).map(|_| counters()).collect();
        let mut heaps: Vec<Heap> = (0..)
            .zip(&drops)
            .map(|(delay, drops)| heap(way, drops, delay % 8))
            .collect();
        for heap in &mut heaps {
            heap.collect_debt();
        }
        while !heaps.is_empty() {
            heaps.swap_remove(heaps.len() / 2);
            for heap in &mut heaps {
                heap.collect_debt();
            }
        }
        let all = drops.iter().flatten();
        assert!(all.into_iter().all(|count| count.get() == 1));
    });
}
