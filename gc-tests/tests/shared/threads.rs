//! Threads that come and go, and pointers on threads that are not attached.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{Collect, Gc, Rootable};

use crate::{arena, in_each_way, on_threads, verify};

type Heap = Arena<Rootable![Gc<'_, Mutex<Vec<Gc<'_, u64>>>>]>;

/// Threads attach, allocate and end, with the guard or with a leaked one.
#[test]
fn threads_come_and_go() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |mc| mc.allocate(Mutex::new(Vec::new())));
        let rounds = way.size(5, 20);
        for round in 0..rounds {
            on_threads(4, |number| {
                let here = heap.attach();
                for value in 0..10 {
                    here.mutate(|mc, list| list.lock(mc).push(mc.allocate(value)));
                    here.collect_debt();
                }
                match (number + round) % 4 {
                    0 => core::mem::forget(here),
                    1 => {
                        core::mem::forget(here);
                        // The thread is attached as before.
                        let again = heap.attach();
                        again.finish_cycle();
                    }
                    _ => {}
                }
            });
        }
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        let sum: u64 = here.mutate(|mc, list| list.lock(mc).iter().map(|gc| **gc).sum());
        assert_eq!(sum, 45 * 4 * rounds as u64);
        assert_eq!(heap.metrics().total_gc_count(), 40 * rounds + 1);
    });
}

/// The arena goes to another thread, which drops it while a guard of a third was leaked.
#[test]
fn an_arena_is_dropped_elsewhere() {
    #[derive(Collect)]
    #[collect(require_static)]
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    in_each_way(|way| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let heap: Arena<Rootable![AtomicGc<'_, Counted>]> =
            arena(way.often(), |_| AtomicGc::null());
        let heap = Arc::new(heap);
        let leaker = {
            let (heap, dropped) = (Arc::clone(&heap), Arc::clone(&dropped));
            std::thread::spawn(move || {
                let here = heap.attach();
                here.mutate(|mc, cell| {
                    for _ in 0..10 {
                        cell.store(mc, Some(mc.allocate(Counted(dropped.clone()))));
                    }
                });
                core::mem::forget(here);
            })
        };
        leaker.join().unwrap();
        std::thread::spawn(move || drop(heap)).join().unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), 10);
    });
}

/// In a call, other threads can read, and write what they were allowed to.
#[test]
fn pointers_are_sent_in_a_call() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |mc| mc.allocate(Mutex::new(Vec::new())));
        let here = heap.attach();
        for round in 0..10 {
            here.mutate(|mc, &list| {
                let value = mc.allocate(round);
                let write = mc.write(list);
                std::thread::scope(|scope| {
                    for _ in 0..3 {
                        scope.spawn(move || {
                            assert_eq!(*value, round);
                            write.lock().push(value);
                        });
                    }
                });
                assert_eq!(write.lock().len(), 3 * (round as usize + 1));
            });
            here.collect_debt();
        }
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 11);
    });
}

/// Pointers of an arena with one mutator can be read by others, in a call.
#[test]
fn pointers_of_a_single_arena_are_sent_in_a_call() {
    let sum = StdMutex::new(0);
    gc_core::arena::rootless_mutate(|mc| {
        let list = Gc::slice_from_iter(mc, (0..10).map(|value| Gc::new(mc, value)));
        std::thread::scope(|scope| {
            for part in 0..2 {
                let sum = &sum;
                scope.spawn(move || {
                    let values = list.iter().skip(part).step_by(2);
                    let weak = Gc::downgrade(list[part]);
                    assert!(!weak.is_dropped());
                    *sum.lock().unwrap() += values.map(|gc| **gc).sum::<i32>();
                });
            }
        });
    });
    assert_eq!(sum.into_inner().unwrap(), 45);
}
