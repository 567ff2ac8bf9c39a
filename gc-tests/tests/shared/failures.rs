//! Panics, memory that is used up, and values that come back to their own arena.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gc_core::collect::Trace;
use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{Collect, Gc, HeapError, Rootable};

use crate::{arena, in_each_way, on_threads, panic_of, verify};

/// A panic in a call leaves the call, and the locks that it had.
#[test]
fn panics_in_calls() {
    in_each_way(|way| {
        let heap: Arena<Rootable![Gc<'_, Mutex<Vec<Gc<'_, u64>>>>]> =
            arena(way.often(), |mc| mc.allocate(Mutex::new(Vec::new())));
        on_threads(3, |_| {
            let here = heap.attach();
            for _ in 0..50 {
                let call = AssertUnwindSafe(|| {
                    here.mutate(|mc, list| {
                        let mut list = list.lock(mc);
                        list.push(mc.allocate(1));
                        std::panic::resume_unwind(Box::new("as it was told to"));
                    })
                });
                catch_unwind::<_, ()>(call).unwrap_err();
                here.collect_debt();
            }
            let leave = AssertUnwindSafe(|| {
                let _here = heap.attach();
                std::panic::resume_unwind(Box::new(()));
            });
            catch_unwind::<_, ()>(leave).unwrap_err();
        });
        let here = heap.attach();
        assert_eq!(here.mutate(|mc, list| list.lock(mc).len()), 150);
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 151);
    });
}

/// A value whose `trace` panics when it is told to.
struct Fragile<'gc> {
    panics: Arc<AtomicBool>,
    next: AtomicGc<'gc, u64>,
}

// SAFETY: all pointers are visited, or none because of a panic.
unsafe impl<'gc> Collect<'gc> for Fragile<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        if self.panics.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("a trace panics"));
        }
        cc.trace(&self.next);
    }
}

/// When a `trace` panics, nothing is freed, whatever others do meanwhile.
#[test]
fn panics_in_trace() {
    in_each_way(|way| {
        let panics = Arc::new(AtomicBool::new(false));
        let heap: Arena<Rootable![Gc<'_, [Gc<'_, Fragile<'_>>]>]> = arena(way.often(), |mc| {
            mc.allocate_slice((0..20).map(|value: u32| {
                mc.allocate(Fragile {
                    panics: panics.clone(),
                    next: AtomicGc::new(Some(mc.allocate(u64::from(value)))),
                })
            }))
        });
        on_threads(3, |number| {
            let here = heap.attach();
            for round in 0..way.size(20, 200) {
                panics.store(round % 5 == number, Ordering::Relaxed);
                // The barrier does not ask.
                here.mutate(|mc, all| {
                    for (index, fragile) in all.iter().enumerate() {
                        let old = fragile.next.load().unwrap();
                        assert_eq!(*old, index as u64);
                        fragile.next.store(mc, Some(mc.allocate(index as u64)));
                        mc.write(*fragile);
                    }
                });
                let _ = catch_unwind(AssertUnwindSafe(|| match round % 7 {
                    0 => here.finish_cycle(),
                    _ => here.collect_debt(),
                }));
            }
        });
        panics.store(false, Ordering::Relaxed);
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        assert_eq!(heap.metrics().total_gc_count(), 41);
    });
}

/// A panic of a `Drop` comes out of a safepoint, and the others are dropped all the same.
#[test]
fn panics_in_drop() {
    #[derive(Collect)]
    #[collect(require_static)]
    struct Bomb(Arc<AtomicUsize>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            if self.1 {
                std::panic::resume_unwind(Box::new("a drop panics"));
            }
        }
    }
    in_each_way(|way| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let heap: Arena<Rootable![()]> = arena(way.often(), |_| ());
        let panics = AtomicUsize::new(0);
        on_threads(3, |_| {
            let here = heap.attach();
            for round in 0..30 {
                here.mutate(|mc, _| _ = mc.allocate(Bomb(dropped.clone(), round % 10 == 0)));
                if panic_of(|| here.collect_debt()).is_some() {
                    panics.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let here = heap.attach();
        _ = panic_of(|| here.finish_cycle());
        assert_eq!(dropped.load(Ordering::Relaxed), 90);
        assert_eq!(heap.metrics().total_gc_count(), 0);
    });
}

/// A guard that was leaked leaves the lock locked, and the collector undisturbed.
#[test]
fn leaked_guards() {
    in_each_way(|way| {
        let heap: Arena<Rootable![Gc<'_, Mutex<Option<Gc<'_, u64>>>>]> = arena(way.often(), |mc| {
            mc.allocate(Mutex::new(Some(mc.allocate(7))))
        });
        let here = heap.attach();
        here.mutate(|mc, cell| core::mem::forget(cell.lock(mc)));
        for _ in 0..3 {
            here.mutate(|mc, cell| assert!(mc.write(*cell).try_lock().is_none()));
            here.collect_debt();
            here.finish_cycle();
        }
        verify(&here);
        assert_eq!(heap.metrics().total_gc_count(), 2);
    });
}

/// All threads run out of memory, collect, and go on.
#[test]
fn memory_is_used_up() {
    in_each_way(|way| {
        let heap: Arena<Rootable![AtomicGc<'_, [u64; 100]>]> =
            arena(way.often().limit(1 << 20), |_| AtomicGc::null());
        let failures = AtomicUsize::new(0);
        on_threads(3, |_| {
            let here = heap.attach();
            for _ in 0..way.size(3, 20) {
                loop {
                    let allocated = here.mutate(|mc, cell| {
                        let new = mc.try_allocate([7; 100])?;
                        cell.store(mc, Some(new));
                        Ok::<(), HeapError>(())
                    });
                    if let Err(error) = allocated {
                        assert!(matches!(error, HeapError::LimitReached { .. }), "{error}");
                        failures.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                }
                here.finish_cycle();
            }
        });
        assert!(failures.into_inner() > 0);
    });
}
