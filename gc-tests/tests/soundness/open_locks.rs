//! Locks that are open while the barrier of the object that they are in traces it. `Write::from_static` opens them
//! without that barrier, for no pointer of the arena can be in them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_core::arena::CollectionPhase;
use gc_core::barrier::Write;
use gc_core::collect::{DynCollect, dyn_collect};
use gc_core::shared::RwLock;
use gc_core::{Arena, Gc, HeapOptions, Mode, RefLock, Rootable};

use crate::begin;

/// A cycle has begun, and marks nothing before the program goes on.
fn options() -> HeapOptions {
    HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::from_nanos(1))
        .floor(0)
}

trait Traced: for<'a> DynCollect<'a> + Send + Sync {}
dyn_collect!(dyn Traced);
impl Traced for [u8; 64] {}
type Things = RwLock<Vec<Box<dyn Traced>>>;

/// A lock in an object is open in another thread when the object's barrier is called.
#[test]
fn on_another_thread() {
    const COUNT: usize = 2000;
    let options = options();
    let mut arena = Arena::<Rootable![Vec<Gc<'_, Things>>]>::with_options(options, |mc| {
        (0..COUNT)
            .map(|_| Gc::new(mc, RwLock::new(Vec::new())))
            .collect()
    })
    .unwrap();
    begin(&mut arena);
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
fn on_this_thread() {
    let options = options();
    let mut arena =
        Arena::<Rootable![Gc<'_, RefLock<Vec<Box<dyn Local>>>>]>::with_options(options, |mc| {
            Gc::new(mc, RefLock::new(vec![Box::new(1_u8)]))
        })
        .unwrap();
    begin(&mut arena);
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena.mutate(|mc, root| {
        let lock: &RefLock<Vec<Box<dyn Local>>> = Gc::as_ref(*root);
        let mut guard = Write::from_static(lock).unlock().borrow_mut();
        let things = &mut *guard;
        Gc::write(mc, *root);
        things.clear();
    });
}
