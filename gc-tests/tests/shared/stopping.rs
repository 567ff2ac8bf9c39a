//! Stopping, and who is waited for.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gc_core::Rootable;
use gc_core::shared::{Arena, AtomicGc};
use gc_tests::child::in_child;

use crate::{arena, in_each_way, in_time, panic_of};

type Heap = Arena<Rootable![AtomicGc<'_, u64>]>;

/// A long call returns early because somebody collects, and finds everything as it left it.
#[test]
fn long_calls_yield() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |_| AtomicGc::null());
        let inside = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let here = heap.attach();
                let number = here.mutate(|mc, cell| {
                    assert!(!mc.should_yield());
                    inside.wait();
                    let mut number = 0;
                    while !mc.should_yield() {
                        number += 1;
                        cell.store(mc, Some(mc.allocate(number)));
                        std::thread::yield_now();
                    }
                    number
                });
                here.mutate(|_, cell| {
                    assert_eq!(cell.load().as_deref(), (number > 0).then_some(&number))
                });
            });
            let here = heap.attach();
            inside.wait();
            here.finish_cycle();
        });
        assert!(heap.metrics().statistics().collections > 0);
    });
}

/// Threads that are attached and outside are not waited for.
#[test]
fn who_is_outside_is_not_waited_for() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |_| AtomicGc::null());
        let (attached, done) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let here = heap.attach();
                here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate(7))));
                attached.wait();
                done.wait();
                here.mutate(|_, cell| assert_eq!(cell.load().as_deref(), Some(&7)));
            });
            attached.wait();
            let here = heap.attach();
            for _ in 0..10 {
                here.finish_cycle();
            }
            done.wait();
        });
    });
}

/// No call begins while all are stopped, whoever stops them.
#[test]
fn many_collect_at_once() {
    in_each_way(|way| {
        let heap: Heap = arena(way.often(), |_| AtomicGc::null());
        let sum = AtomicUsize::new(0);
        crate::on_threads(8, |number| {
            let here = heap.attach();
            for round in 0..way.size(10, 40) {
                here.mutate(|mc, cell| {
                    cell.store(mc, Some(mc.allocate(round as u64)));
                    sum.fetch_add(1, Ordering::Relaxed);
                });
                if (round + number) % 3 == 0 {
                    here.finish_cycle();
                } else {
                    here.collect_debt();
                }
            }
        });
        assert_eq!(sum.into_inner(), 8 * way.size(10, 40));
    });
}

/// A thread that is late is waited for, however often it is named.
#[test]
fn late_threads_are_waited_for() {
    let options = gc_core::HeapOptions::default().patience(Duration::from_millis(2));
    let heap: Heap = arena(options, |_| AtomicGc::null());
    let inside = Barrier::new(2);
    let returned = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            heap.attach().mutate(|mc, _| {
                inside.wait();
                while !mc.should_yield() {
                    std::thread::yield_now();
                }
                let end = Instant::now() + Duration::from_millis(20);
                while Instant::now() < end {
                    std::thread::yield_now();
                }
                returned.store(true, Ordering::Relaxed);
            });
        });
        let here = heap.attach();
        inside.wait();
        here.finish_cycle();
        assert!(returned.load(Ordering::Relaxed));
    });
}

/// A thread that collects in a call would wait for itself.
#[test]
fn collecting_in_a_call_is_refused() {
    let heap: Heap = arena(gc_core::HeapOptions::default(), |_| AtomicGc::null());
    let here = heap.attach();
    let also = heap.attach();
    let text = panic_of(|| here.mutate(|_, _| here.finish_cycle())).unwrap();
    assert!(text.contains("cannot collect"), "{text}");
    let text = panic_of(|| here.mutate(|_, _| also.verify())).unwrap();
    assert!(text.contains("cannot collect"), "{text}");
    // Calls in calls are fine.
    let five = here.mutate(|mc, cell| {
        cell.store(mc, Some(mc.allocate(5)));
        also.mutate(|_, cell| *cell.load().unwrap())
    });
    assert_eq!(five, 5);
    also.finish_cycle();
}

/// The message about a late thread waits for nobody, not even for a thread that has the standard error output and begins a call.
#[test]
fn the_message_about_late_threads_waits_for_nobody() {
    // In a process of its own, for the harness captures what is printed here.
    let text = in_child(
        "stopping::the_message_about_late_threads_waits_for_nobody",
        || in_time(be_late_with_the_output_locked),
    );
    if let Some(text) = text {
        assert!(
            text.contains("waits for `mutate` calls of these threads to return: late"),
            "{text}"
        );
    }
}

fn be_late_with_the_output_locked() {
    let options = gc_core::HeapOptions::default().patience(Duration::from_millis(2));
    let heap: Heap = arena(options, |_| AtomicGc::null());
    let (inside, locked) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let (heap, inside, locked) = (&heap, &inside, &locked);
        let late = move || {
            heap.attach().mutate(|mc, _| {
                inside.wait();
                locked.wait();
                while !mc.should_yield() {
                    std::thread::yield_now();
                }
                let end = Instant::now() + Duration::from_millis(100);
                while Instant::now() < end {
                    std::thread::yield_now();
                }
            });
        };
        let named = std::thread::Builder::new().name("late".into());
        named.spawn_scoped(scope, late).unwrap();
        inside.wait();
        scope.spawn(move || {
            let here = heap.attach();
            let _output = std::io::stderr().lock();
            locked.wait();
            for _ in 0..100 {
                here.mutate(|mc, cell| cell.store(mc, Some(mc.allocate(1))));
            }
        });
        heap.attach().finish_cycle();
    });
}
