//! Attacks from safe code that is run while the collector is at work: by destructors, and by threads that write to
//! what needs no barrier.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::Write;
use gc_core::collect::{DynCollect, dyn_collect};
use gc_core::shared::RwLock;
use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Mode, RefLock, Rootable, Static};

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

/// A destructor takes a value out of a lock that is in no heap, at the safepoint at which marking ends.
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
    let panic = catch_unwind(AssertUnwindSafe(|| arena.finish_cycle()));
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

trait Traced: for<'a> DynCollect<'a> + Send + Sync {}
dyn_collect!(dyn Traced);
impl Traced for [u8; 64] {}
type Things = RwLock<Vec<Box<dyn Traced>>>;

/// A lock in an object is open in another thread when the object's barrier is called.
#[test]
fn from_static() {
    const COUNT: usize = 2000;
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::from_nanos(1))
        .floor(0);
    let mut arena = Arena::<Rootable![Vec<Gc<'_, Things>>]>::with_options(options, |mc| {
        (0..COUNT)
            .map(|_| Gc::new(mc, RwLock::new(Vec::new())))
            .collect()
    })
    .unwrap();
    arena.metrics().adjust_debt(1e12);
    arena.collect_debt();
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena.mutate(|mc, root| {
        let at = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let all = &root[..];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (i, gc) in all.iter().enumerate() {
                    let mut things = Write::from_static(Gc::as_ref(*gc)).write();
                    at.store(i + 1, Ordering::SeqCst);
                    while done.load(Ordering::SeqCst) < i + 1 {
                        for _ in 0..300 {
                            things.push(Box::new([0; 64]));
                        }
                        things.clear();
                        things.shrink_to_fit();
                    }
                }
            });
            for (i, gc) in all.iter().enumerate() {
                while at.load(Ordering::SeqCst) < i + 1 {
                    std::hint::spin_loop();
                }
                for _ in 0..2000 {
                    std::hint::spin_loop();
                }
                Gc::write(mc, *gc);
                done.store(i + 1, Ordering::SeqCst);
            }
        });
    });
}

trait Local: for<'a> DynCollect<'a> {}
dyn_collect!(dyn Local);
impl Local for u8 {}

/// A lock in an object is open in this thread when the object's barrier is called.
#[test]
fn from_static_alone() {
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::from_nanos(1))
        .floor(0);
    let mut arena =
        Arena::<Rootable![Gc<'_, RefLock<Vec<Box<dyn Local>>>>]>::with_options(options, |mc| {
            Gc::new(mc, RefLock::new(vec![Box::new(1_u8)]))
        })
        .unwrap();
    arena.metrics().adjust_debt(1e12);
    arena.collect_debt();
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena.mutate(|mc, root| {
        let lock: &RefLock<Vec<Box<dyn Local>>> = Gc::as_ref(*root);
        let mut guard = Write::from_static(lock).unlock().borrow_mut();
        let things = &mut *guard;
        Gc::write(mc, *root);
        things.clear();
    });
}
