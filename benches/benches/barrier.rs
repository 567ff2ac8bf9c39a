//! What a store through the write barrier costs beside a plain one.
//!
//! Both store into every object of an array in turn: a managed pointer into a `Lock` of a managed
//! object, and a word into a `Cell` of a boxed one. The array and the loop are the same, so what
//! differs is the barrier. No collection runs meanwhile.

use std::cell::Cell;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_benches::collected::ours::{self, Array};
use gc_core::lock::Lock;
use gc_core::{Arena, Collect, Gc, Rootable};

/// Objects that are stored into.
const OBJECTS: usize = 1024;

/// A managed cell that holds a managed pointer.
type Slot<'gc> = Gc<'gc, Lock<Option<Gc<'gc, u64>>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    slots: Array<'gc, Slot<'gc>>,
    target: Gc<'gc, u64>,
}

fn barrier(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("barrier");
    group.throughput(Throughput::Elements(OBJECTS as u64));

    let arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let slots = (0..OBJECTS).map(|_| Gc::new(mc, Lock::new(None))).collect();
        Root {
            slots: ours::array(mc, slots),
            target: Gc::new(mc, 7),
        }
    });
    group.bench_function("Lock::set", |bencher| {
        bencher.iter(|| {
            arena.mutate(|mc, root| {
                let target = black_box(Some(root.target));
                for &slot in root.slots.iter() {
                    slot.set(mc, target);
                }
            });
        });
    });

    let slots: Vec<Box<Cell<usize>>> = (0..OBJECTS).map(|_| Box::new(Cell::new(0))).collect();
    group.bench_function("Cell::set", |bencher| {
        bencher.iter(|| {
            let target = black_box(7);
            for slot in black_box(&slots) {
                slot.set(target);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, barrier);
criterion_main!(benches);
