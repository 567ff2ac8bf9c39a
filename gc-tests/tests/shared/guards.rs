//! Guards that were leaked, or are in use while the collector comes to their locks.

use core::mem::forget;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use gc_core::barrier::{Write, field};
use gc_core::shared::{Arena, AtomicGc, Mutation, Mutex, RwLock};
use gc_core::{Collect, Gc, GcWeak, Rootable};
use gc_tests::way::Way;

use crate::{LONG, arena, begin, in_each_way, in_time, is_marking, on_threads, verify};

/// More than the collector remembers.
const OBJECTS: usize = 100;

type Content<'gc> = Vec<Gc<'gc, u64>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Locks<'gc> {
    mutex: Mutex<Content<'gc>>,
    lock: RwLock<Content<'gc>>,
    #[allow(clippy::vec_box, reason = "memory that memory owns")]
    owned: Vec<Box<Mutex<Content<'gc>>>>,
    shared: [Arc<(Mutex<Content<'gc>>, RwLock<Content<'gc>>)>; 2],
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    all: Vec<Gc<'gc, Locks<'gc>>>,
    /// What is in the locks.
    weak: Vec<GcWeak<'gc, u64>>,
}

type Heap = Arena<Rootable![Root<'_>]>;

fn locks<'gc>(mc: &Mutation<'gc>) -> Root<'gc> {
    let mut weak = Vec::new();
    let all = (0..OBJECTS).map(|_| {
        let content = [1, 2, 2, 2, 2].map(|value| mc.allocate(value));
        weak.extend(content.map(Gc::downgrade));
        let pair = (Mutex::new(vec![content[3]]), RwLock::new(vec![content[4]]));
        let shared = Arc::new(pair);
        mc.allocate(Locks {
            mutex: Mutex::new(vec![content[0]]),
            lock: RwLock::new(vec![content[1]]),
            owned: vec![Box::new(Mutex::new(vec![content[2]]))],
            shared: [shared.clone(), shared],
        })
    });
    let all = all.collect();
    Root { all, weak }
}

/// Leaks a guard of a lock.
type Leak = for<'gc> fn(&Mutation<'gc>, Gc<'gc, Locks<'gc>>);

fn leak_mutex<'gc>(mc: &Mutation<'gc>, object: Gc<'gc, Locks<'gc>>) {
    forget(gc_core::barrier::field!(mc.write(object), Locks, mutex).lock());
}

fn leak_writer<'gc>(mc: &Mutation<'gc>, object: Gc<'gc, Locks<'gc>>) {
    forget(gc_core::barrier::field!(mc.write(object), Locks, lock).write());
}

fn leak_owned<'gc>(mc: &Mutation<'gc>, object: Gc<'gc, Locks<'gc>>) {
    let owned = gc_core::barrier::field!(mc.write(object), Locks, owned);
    forget(owned[0].as_deref().lock());
}

/// In memory that is not the object's alone.
fn leak_shared<'gc>(mc: &Mutation<'gc>, object: Gc<'gc, Locks<'gc>>) {
    mc.write(object);
    let (mutex, lock) = &*object.shared[0];
    // SAFETY: the barrier of the one object that shares them was called just now.
    let (mutex, lock) = unsafe { (Write::assume(mutex), Write::assume(lock)) };
    forget(mutex.lock());
    forget(lock.write());
}

fn leak_reader<'gc>(_: &Mutation<'gc>, object: Gc<'gc, Locks<'gc>>) {
    forget(object.lock.read());
}

/// Whatever guards were leaked, objects can be written, cycles come to their ends, garbage is freed, and what is in the
/// locks is kept.
fn collections_go_on(way: Way, leak: Leak) {
    let heap: Heap = arena(way.often(), |mc| locks(mc));
    let here = heap.attach();
    here.mutate(|mc, root| root.all.iter().for_each(|object| leak(mc, *object)));
    let statistics = || heap.metrics().statistics();
    let before = statistics().collections;
    for round in 0..way.size(4, 20) {
        begin(&here);
        for _ in 0..20 {
            here.mutate(|mc, root| {
                _ = mc.allocate([round; 200]);
                for object in &root.all {
                    mc.write(*object);
                }
            });
            here.collect_debt();
        }
        if round % 2 == 0 {
            here.finish_cycle();
            let objects = heap.metrics().total_gc_count();
            assert_eq!(objects, 6 * OBJECTS, "{way:?}");
        }
    }
    assert!(statistics().collections >= before + 4);
    here.mutate(|mc, root| {
        for weak in &root.weak {
            assert!(mc.upgrade(*weak).is_some_and(|value| *value <= 2));
        }
    });
    verify(&here);
}

#[test]
fn a_leaked_guard_ends_no_collections() {
    in_each_way(|way| {
        for leak in [
            leak_mutex,
            leak_writer,
            leak_owned,
            leak_shared,
            leak_reader,
        ] as [Leak; 5]
        {
            collections_go_on(way, leak);
        }
    });
}

/// Nothing is lost if an object is written in a cycle in which a guard hides what it held.
#[test]
fn what_was_behind_a_guard_is_kept() {
    in_each_way(|way| {
        let heap: Heap = arena(way.options(), |mc| locks(mc));
        let here = heap.attach();
        here.mutate(|mc, root| leak_mutex(mc, root.all[0]));
        begin(&here);
        if !is_marking(&here) {
            return;
        }
        // What is in the other lock is replaced; it leads to a new object, and the old one to nothing.
        here.mutate(|mc, root| {
            let lock = gc_core::barrier::field!(mc.write(root.all[0]), Locks, lock);
            *lock.write() = vec![mc.allocate(3)];
        });
        for _ in 0..3 {
            for _ in 0..200 {
                here.collect_debt();
            }
            here.mutate(|mc, root| {
                assert_eq!(*root.all[0].lock.read()[0], 3);
                assert_eq!(mc.upgrade(root.weak[0]).as_deref(), Some(&1));
            });
            here.finish_cycle();
        }
        here.mutate(|mc, root| assert!(mc.upgrade(root.weak[1]).is_none()));
        assert_eq!(
            heap.metrics().total_gc_count(),
            6 * OBJECTS + 1,
            "with one shell"
        );
        verify(&here);
    });
}

/// What an object held when a cycle began is not taken for what it holds when the cycle looks at it again, because weak
/// pointers are polled.
#[test]
fn what_is_put_behind_a_guard_while_weak_pointers_are_polled() {
    in_each_way(|way| {
        let heap: Heap = arena(way.options(), |mc| locks(mc));
        let here = heap.attach();
        let polled = |here: &gc_core::shared::Attached<'_, Rootable![Root<'_>]>| {
            here.mutate(|mc, root| {
                root.weak
                    .iter()
                    .filter(|weak| mc.upgrade(**weak).is_some())
                    .count()
            })
        };
        here.mutate(|mc, root| root.all.iter().for_each(|object| leak_mutex(mc, *object)));
        // The collector gets to know that it cannot ask them in a barrier.
        begin(&here);
        here.mutate(|mc, root| root.all.iter().for_each(|object| _ = mc.write(*object)));
        here.finish_cycle();
        for _ in 0..3 {
            // What is in two locks of each dies while it is polled.
            here.mutate(|mc, root| {
                for object in &root.all {
                    gc_core::barrier::field!(mc.write(*object), Locks, lock)
                        .write()
                        .clear();
                }
            });
            begin(&here);
            while heap.collection_phase() != gc_core::arena::CollectionPhase::Sleeping {
                polled(&here);
                here.collect_debt();
            }
            here.finish_cycle();
            // In a cycle in which the program is known to poll, what only weak pointers led to is saved.
            let weak: Vec<_> = here.mutate(|mc, root| {
                let some = root.all.iter().map(|_| Gc::downgrade(mc.allocate(5)));
                some.map(|weak| mc.root::<Rootable![GcWeak<'_, u64>]>(mc.allocate(weak)))
                    .collect()
            });
            begin(&here);
            let saved = here.mutate(|mc, root| {
                let mut saved = 0;
                for (object, weak) in root.all.iter().zip(&weak) {
                    if let Some(value) = mc.upgrade(*mc.get(weak)) {
                        gc_core::barrier::field!(mc.write(*object), Locks, lock)
                            .write()
                            .push(value);
                        saved += 1;
                    }
                }
                saved
            });
            for _ in 0..200 {
                here.collect_debt();
                std::thread::yield_now();
            }
            here.finish_cycle();
            here.mutate(|mc, root| {
                let alive = weak
                    .iter()
                    .filter(|weak| mc.upgrade(*mc.get(weak)).is_some());
                assert_eq!(alive.count(), saved, "{way:?}");
                let mut values = root
                    .all
                    .iter()
                    .flat_map(|object| object.lock.read().to_vec());
                assert!(values.all(|value| *value == 5));
            });
            verify(&here);
        }
    });
}

/// Values without pointers, of which the collector does not know that.
#[derive(Default)]
struct Plain(Vec<u64>);

// SAFETY: there are no pointers. The value is looked at, as that of a type which has some is.
unsafe impl<'gc> Collect<'gc> for Plain {
    const NEEDS_TRACE: bool = true;

    fn trace<T: gc_core::collect::Trace<'gc>>(&self, _: &mut T) {
        assert!(self.0.iter().all(|word| *word == self.0.len() as u64));
    }
}

/// A lock of values that are `'static` can be taken without a barrier. The collector that meets it waits for the call in
/// which it was taken, and neither looks at the value nor panics.
#[test]
fn locks_that_are_taken_meanwhile() {
    type Heap = Arena<Rootable![Vec<Gc<'_, Mutex<Plain>>>]>;
    in_each_way(|way| {
        in_time(move || {
            let heap: Heap = arena(way.options(), |mc| {
                (0..20).map(|_| mc.allocate(Mutex::default())).collect()
            });
            let (taken, is_taken) = channel();
            let (rounds, end) = (way.size(3, 10), channel::<()>());
            std::thread::scope(|scope| {
                let other = &heap;
                scope.spawn(move || {
                    let here = other.attach();
                    // Until the other end of the channel is gone.
                    while end.1.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
                        here.mutate(|mc, all| {
                            let mut guards = Vec::new();
                            for object in all {
                                guards.push(Write::from_static(&**object).lock());
                            }
                            for guard in &mut guards {
                                guard.0.push(0);
                                let length = guard.0.len() as u64;
                                guard.0.fill(length);
                            }
                            _ = taken.send(());
                            let mut turns = 0;
                            while !mc.should_yield() && turns < 1000 {
                                turns += 1;
                                std::thread::yield_now();
                            }
                        });
                    }
                });
                let end = end.0;
                let here = heap.attach();
                for _ in 0..rounds {
                    begin(&here);
                    is_taken.recv_timeout(LONG).unwrap();
                    // The other thread may be in the lock of the object meanwhile.
                    here.mutate(|mc, all| all.iter().for_each(|object| _ = mc.write(*object)));
                    while heap.collection_phase() != gc_core::arena::CollectionPhase::Sleeping {
                        here.collect_debt();
                    }
                }
                drop(end);
            });
            verify(&heap.attach());
        });
    });
}

thread_local! {
    /// Whether this thread is in a call that has a guard.
    static HAS_GUARD: Cell<bool> = const { Cell::new(false) };
}

/// How often a value was traced by a thread that had a guard.
static UNDER_GUARD: AtomicUsize = AtomicUsize::new(0);

struct Opaque<'gc> {
    lock: Mutex<Option<Gc<'gc, u64>>>,
    cell: AtomicGc<'gc, u64>,
}

// SAFETY: the pointers are visited in place.
unsafe impl<'gc> Collect<'gc> for Opaque<'gc> {
    fn trace<T: gc_core::collect::Trace<'gc>>(&self, cc: &mut T) {
        // If the guard was this value's, a thread that took the lock would wait for itself.
        UNDER_GUARD.fetch_add(usize::from(HAS_GUARD.get()), Ordering::Relaxed);
        cc.trace(&self.lock);
        cc.trace(&self.cell);
    }
}

/// No barrier asks a value for its pointers: the thread may have a guard that is wanted for that.
#[test]
fn no_barrier_traces_what_may_be_under_a_guard() {
    type Heap = Arena<Rootable![Gc<'_, [Gc<'_, [Opaque<'_>]>]>]>;
    let objects = [20, 300];
    in_each_way(|way| {
        // Slices that are small, and one that is large.
        let heap: Heap = arena(way.often(), |mc| {
            let opaque = |number: usize| Opaque {
                lock: Mutex::new(Some(mc.allocate(number as u64))),
                cell: AtomicGc::new(Some(mc.allocate(number as u64))),
            };
            let slice = |length| mc.allocate_slice((0..length).map(opaque));
            mc.allocate_slice(objects.map(slice))
        });
        on_threads(3, |thread| {
            let here = heap.attach();
            for round in 0..way.size(100, 1000) {
                here.mutate(|mc, all| {
                    HAS_GUARD.set(true);
                    for slice in all.iter() {
                        let index = (round * 7 + thread) % slice.len();
                        let number = index as u64;
                        let lock = match round % 2 {
                            0 => field!(&mc.write(*slice)[index], Opaque, lock),
                            _ => field!(mc.write_at(*slice, index), Opaque, lock),
                        };
                        let old = lock.lock().replace(mc.allocate(number));
                        assert_eq!(old.as_deref(), Some(&number));
                        slice[index].cell.store(mc, old);
                    }
                    HAS_GUARD.set(false);
                });
                here.collect_debt();
            }
        });
        let here = heap.attach();
        here.finish_cycle();
        verify(&here);
        let count: usize = objects.iter().sum();
        assert_eq!(heap.metrics().total_gc_count(), 3 + 2 * count);
        here.mutate(|_, all| {
            for (index, opaque) in all.iter().flat_map(|slice| slice.iter().enumerate()) {
                let number = index as u64;
                assert_eq!(opaque.cell.load().as_deref(), Some(&number));
            }
        });
    });
    assert_eq!(UNDER_GUARD.load(Ordering::Relaxed), 0);
}
