//! Attacks from safe code that is run while the collector is at work: by destructors.
#![forbid(unsafe_code)]

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, Lock, Rootable};
use gc_core::{HeapOptions, Mode, Static};
use std::time::Duration;

struct Taker;
impl Drop for Taker {
    fn drop(&mut self) {
        Lock::new(1_u32).take();
    }
}

#[derive(Collect, Clone, Copy)]
#[collect(no_drop)]
struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    value: u64,
}

fn takes_in_drop(mode: Mode) {
    let options = HeapOptions::default()
        .mode(mode)
        .step(Duration::from_nanos(1))
        .concurrent_from(0)
        .floor(0);
    let mut arena = Arena::<Rootable![Option<Gc<'_, Node<'_>>>]>::with_options(options, |mc| {
        let mut list = None;
        for value in 0..100_000 {
            list = Some(Gc::new(mc, Node { next: list, value }));
        }
        Gc::new(mc, Static(Taker));
        list
    })
    .unwrap();
    arena.metrics().adjust_debt(1e12);
    arena.collect_debt();
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| arena.finish_cycle()));
    arena.mutate(|mc, root| {
        for _ in 0..200_000 {
            Gc::new(
                mc,
                Node {
                    next: None,
                    value: u64::MAX,
                },
            );
        }
        let mut at = *root;
        for value in (0..100_000).rev() {
            let node = at.expect("the list is shorter");
            assert_eq!(node.value, value);
            at = node.next;
        }
    });
    panic.unwrap();
    arena.verify().unwrap();
    for _ in 0..3 {
        arena.finish_cycle();
    }
}

#[test]
fn in_drop_incremental() {
    takes_in_drop(Mode::Incremental);
}

#[test]
fn in_drop_concurrent() {
    takes_in_drop(Mode::Concurrent);
}
