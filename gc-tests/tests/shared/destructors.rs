//! Destructors run while nobody waits for the thread that runs them, and may use the arena.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};

use gc_core::collect::Trace;
use gc_core::shared::{self, Arena, AtomicGc};
use gc_core::{Collect, FinalizerMode, Gc, GcWeak, Mode, Rootable, Zeal};

use crate::{LONG, Meddling, arena, begin, in_each_way, in_time, on_threads, panic_of, verify};

/// Its destructor waits until another thread has done something.
#[derive(Collect)]
#[collect(require_static)]
struct Waiting {
    ask: Sender<()>,
    answer: Arc<Mutex<Receiver<()>>>,
    dropped: Arc<AtomicUsize>,
}

thread_local! {
    /// Whether this is the thread that answers. Destructors that it runs itself ask nobody.
    static ANSWERS: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if ANSWERS.get() {
            return;
        }
        self.ask.send(()).unwrap();
        let answer = self.answer.lock().unwrap();
        let answered = answer.recv_timeout(LONG / 2);
        answered.expect("the other thread waits for this destructor");
    }
}

type Heap = Arena<Rootable![(Weaks<'_>, AtomicGc<'_, u64>)]>;
type Weaks<'gc> = AtomicGc<'gc, Vec<GcWeak<'gc, Waiting>>>;

fn heap(options: gc_core::HeapOptions) -> Heap {
    arena(options, |_| (AtomicGc::null(), AtomicGc::null()))
}

/// What another thread does while a destructor waits for it: all that might wait for a collector.
fn use_everything(heap: &Heap, handle: &mut Option<shared::Root<Rootable![u64]>>) {
    let here = heap.attach();
    *handle = Some(here.mutate(|mc, (weaks, cell)| {
        for weak in weaks.load().iter().flat_map(|weaks| weaks.iter()) {
            assert!(mc.upgrade(*weak).is_none(), "its target is being dropped");
        }
        let old = cell.swap(mc, Some(mc.allocate(1)));
        mc.root(old.unwrap_or(mc.allocate(2)))
    }));
    here.collect_debt();
    here.finish_cycle();
    *handle = None;
    here.mutate(|mc, (_, cell)| cell.store(mc, Some(mc.allocate(3))));
    here.run_finalizers(1);
    heap.metrics().statistics();
}

/// Nothing that another thread does waits for a destructor, whether its object has weak pointers or not, in each sort of
/// safepoint.
#[test]
fn nobody_waits_for_a_destructor() {
    in_each_way(|way| {
        for (weak, step) in [(false, false), (false, true), (true, false), (true, true)] {
            in_time(move || {
                let heap = heap(way.often());
                let dropped = Arc::new(AtomicUsize::new(0));
                let (ask, asked) = channel();
                let (tell, answer) = channel();
                let answer = Arc::new(Mutex::new(answer));
                std::thread::scope(|scope| {
                    let other = &heap;
                    scope.spawn(move || {
                        ANSWERS.set(true);
                        let mut handle = None;
                        while asked.recv().is_ok() {
                            use_everything(other, &mut handle);
                            tell.send(()).unwrap();
                        }
                    });
                    let here = heap.attach();
                    let values = 5;
                    here.mutate(|mc, (weaks, _)| {
                        let values = (0..values).map(|_| {
                            mc.allocate(Waiting {
                                ask: ask.clone(),
                                answer: Arc::clone(&answer),
                                dropped: Arc::clone(&dropped),
                            })
                        });
                        let pointers = values.map(Gc::downgrade).collect::<Vec<_>>();
                        if weak {
                            weaks.store(mc, Some(mc.allocate(pointers)));
                        }
                    });
                    drop(ask);
                    if step {
                        begin(&here);
                        while dropped.load(Ordering::Relaxed) < values {
                            here.collect_debt();
                        }
                    } else {
                        here.finish_cycle();
                        assert_eq!(dropped.load(Ordering::Relaxed), values);
                    }
                });
                let here = heap.attach();
                here.mutate(|mc, (weaks, cell)| {
                    weaks.store(mc, None);
                    cell.store(mc, None);
                });
                here.finish_cycle();
                verify(&here);
                here.finish_cycle();
                assert_eq!(heap.metrics().total_gc_count(), 0);
            });
        }
    });
}

/// A thread may hold a lock while it calls `mutate` that destructors on other threads take.
#[test]
fn destructors_take_locks() {
    #[derive(Collect)]
    #[collect(require_static)]
    struct Counted(Arc<Mutex<usize>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    in_each_way(|way| {
        in_time(move || {
            let heap: Arena<Rootable![AtomicGc<'_, Vec<GcWeak<'_, Counted>>>]> =
                arena(way.often(), |_| AtomicGc::null());
            let count = Arc::new(Mutex::new(0));
            let (threads, rounds) = (3, way.size(10, 100));
            on_threads(threads, |number| {
                let here = heap.attach();
                for round in 0..rounds {
                    {
                        let _count = count.lock().unwrap();
                        here.mutate(|mc, _| _ = mc.allocate(round));
                    }
                    here.mutate(|mc, weaks| {
                        let value = mc.allocate(Counted(Arc::clone(&count)));
                        let weak = vec![Gc::downgrade(value)];
                        weaks.store(mc, (number == 0).then(|| mc.allocate(weak)));
                    });
                    match round % 3 {
                        0 => here.finish_cycle(),
                        _ => here.collect_debt(),
                    }
                }
            });
            let here = heap.attach();
            here.mutate(|mc, weaks| weaks.store(mc, None));
            here.finish_cycle();
            assert_eq!(*count.lock().unwrap(), threads * rounds);
            here.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 0);
        });
    });
}

/// A destructor may do what code outside of `mutate` may: attach, mutate, collect.
#[test]
fn a_destructor_comes_back() {
    type Heap = Arena<Rootable![AtomicGc<'_, u64>]>;
    #[derive(Collect)]
    #[collect(require_static)]
    struct Returning(Weak<Heap>, Arc<AtomicUsize>);
    impl Drop for Returning {
        fn drop(&mut self) {
            let Some(heap) = self.0.upgrade() else { return };
            let here = heap.attach();
            let more = here.mutate(|mc, cell| {
                let count = cell.load().map_or(0, |count| *count);
                cell.store(mc, Some(mc.allocate(count + 1)));
                if count < 20 {
                    // One more to be dropped, in the collection below.
                    _ = mc.allocate(Returning(self.0.clone(), Arc::clone(&self.1)));
                }
                count
            });
            if more % 2 == 0 {
                here.finish_cycle();
            } else {
                here.collect_debt();
            }
            heap.metrics().statistics();
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    in_each_way(|way| {
        in_time(move || {
            let heap: Arc<Heap> = Arc::new(arena(way.often(), |_| AtomicGc::null()));
            let count = Arc::new(AtomicUsize::new(0));
            let here = heap.attach();
            here.mutate(|mc, _| {
                for _ in 0..10 {
                    _ = mc.allocate(Returning(Arc::downgrade(&heap), Arc::clone(&count)));
                }
            });
            while count.load(Ordering::Relaxed) < 30 {
                here.finish_cycle();
            }
            verify(&here);
            here.mutate(|mc, cell| {
                assert_eq!(cell.load().as_deref(), Some(&30));
                cell.store(mc, None);
            });
            here.finish_cycle();
            here.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 0);
        });
    });
}

/// Collections in destructors do not nest: the stack has room for any number of values.
#[test]
fn collections_in_destructors_do_not_nest() {
    type Heap = Arena<Rootable![()]>;
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    #[derive(Collect)]
    #[collect(require_static)]
    struct Collecting(Weak<Heap>);
    impl Drop for Collecting {
        fn drop(&mut self) {
            assert_eq!(DEPTH.fetch_add(1, Ordering::Relaxed), 0);
            if let Some(heap) = self.0.upgrade() {
                heap.attach().finish_cycle();
            }
            DEPTH.fetch_sub(1, Ordering::Relaxed);
        }
    }
    in_each_way(|way| {
        in_time(move || {
            let heap: Arc<Heap> = Arc::new(arena(way.options(), |_| ()));
            let here = heap.attach();
            here.mutate(|mc, _| {
                for _ in 0..way.size(20, 200) {
                    _ = mc.allocate(Collecting(Arc::downgrade(&heap)));
                }
            });
            here.finish_cycle();
            here.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 0);
        });
    });
}

/// The memory of a value whose destructor collects and allocates is used by nothing else meanwhile, wherever in the blocks that
/// it shares with others it lies.
#[test]
fn a_value_stays_where_it_is_until_its_destructor_has_run() {
    const WORDS: usize = 2500;
    type Heap = Arena<Rootable![()]>;
    #[derive(Collect)]
    #[collect(require_static)]
    struct Roomy(Weak<Heap>, [usize; WORDS]);
    impl Drop for Roomy {
        fn drop(&mut self) {
            let Some(heap) = self.0.upgrade() else { return };
            let here = heap.attach();
            here.finish_cycle();
            here.mutate(|mc, _| {
                for _ in 0..8 {
                    _ = mc.allocate(Roomy(Weak::new(), [usize::MAX; WORDS]));
                }
            });
            here.finish_cycle();
            assert!(self.1.iter().all(|word| *word == self.1[0] && *word < 100));
        }
    }
    in_each_way(|way| {
        in_time(move || {
            let heap: Arc<Heap> = Arc::new(arena(way.options(), |_| ()));
            let here = heap.attach();
            here.mutate(|mc, _| {
                for number in 0..way.size(6, 20) {
                    _ = mc.allocate(Roomy(Arc::downgrade(&heap), [number; WORDS]));
                }
            });
            here.finish_cycle();
            verify(&here);
            here.finish_cycle();
            here.finish_cycle();
            assert_eq!(heap.metrics().total_gc_count(), 0);
        });
    });
}

/// A safepoint of bounded length runs a bounded number of destructors, and goes on with the others next time.
#[test]
fn steps_run_some_destructors() {
    const VALUES: usize = 3000;
    #[derive(Collect)]
    #[collect(require_static)]
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    in_each_way(|way| {
        if way.mode == Mode::StopTheWorld || way.zeal != Zeal::NONE {
            return;
        }
        let dropped = Arc::new(AtomicUsize::new(0));
        let heap: Arena<Rootable![AtomicGc<'_, Vec<GcWeak<'_, Counted>>>]> =
            arena(way.options(), |_| AtomicGc::null());
        let here = heap.attach();
        here.mutate(|mc, weaks| {
            let values = (0..VALUES).map(|_| mc.allocate(Counted(Arc::clone(&dropped))));
            // Some have weak pointers, and so become shells.
            let some = values.map(Gc::downgrade).step_by(2).collect();
            weaks.store(mc, Some(mc.allocate(some)));
        });
        begin(&here);
        let mut most = 0;
        while dropped.load(Ordering::Relaxed) < VALUES {
            let before = dropped.load(Ordering::Relaxed);
            here.collect_debt();
            most = most.max(dropped.load(Ordering::Relaxed) - before);
        }
        assert!(most < VALUES / 10, "{most} at one safepoint");
    });
}

/// The destructors of all other values run when one panics, on whichever thread.
#[test]
fn a_panic_stops_no_other_destructor() {
    #[derive(Collect)]
    #[collect(require_static)]
    struct Bomb(Arc<AtomicUsize>, usize);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            if self.1 % 50 == 7 {
                std::panic::resume_unwind(Box::new(format!("the destructor of {}", self.1)));
            }
        }
    }
    in_each_way(|way| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let heap: Arena<Rootable![AtomicGc<'_, Vec<GcWeak<'_, Bomb>>>]> =
            arena(way.options(), |_| AtomicGc::null());
        let here = heap.attach();
        here.mutate(|mc, weaks| {
            let values = (0..500).map(|number| mc.allocate(Bomb(Arc::clone(&dropped), number)));
            let some = values.map(Gc::downgrade).step_by(3).collect();
            weaks.store(mc, Some(mc.allocate(some)));
        });
        let text = panic_of(|| here.finish_cycle()).expect("a destructor panicked");
        assert!(text.contains("the destructor of"), "{text}");
        assert_eq!(dropped.load(Ordering::Relaxed), 500);
        here.mutate(|mc, weaks| weaks.store(mc, None));
        here.finish_cycle();
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 0);
    });
}

/// A value that is shared outside of the heap. Its `trace` has another thread let go of it, so that whoever called that is
/// the last owner.
struct Shared {
    heap: Weak<SharingHeap>,
    meddling: Meddling,
}

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Shared {
    const NEEDS_TRACE: bool = true;

    fn trace<T: Trace<'gc>>(&self, _: &mut T) {
        self.meddling.ask();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(heap) = self.heap.upgrade() {
            let here = heap.attach();
            // A barrier that claims all objects, that which leads here among them.
            here.mutate(|mc, all| all.iter().for_each(|object| _ = mc.write(*object)));
        }
    }
}

type SharingHeap = Arena<Rootable![Vec<Gc<'_, Weak<Shared>>>]>;

/// Tracing a `sync::Weak` may leave the last owner of the value behind it, whose destructor may use the arena.
#[test]
fn the_last_owner_is_left_to_the_collector() {
    in_each_way(|way| {
        for by_barrier in [false, true] {
            in_time(move || {
                let ((ask, asked), (answer, answered)) = (channel(), channel());
                let heap: Arc<SharingHeap> = Arc::new_cyclic(|heap| {
                    let shared = Arc::new(Shared {
                        heap: Weak::clone(heap),
                        meddling: Meddling::new(ask, answered),
                    });
                    let made = arena(way.options(), |mc| {
                        let weak = Arc::downgrade(&shared);
                        (0..3).map(|_| mc.allocate(Weak::clone(&weak))).collect()
                    });
                    std::thread::spawn(move || {
                        asked.recv_timeout(LONG).unwrap();
                        drop(shared);
                        answer.send(()).unwrap();
                    });
                    made
                });
                let here = heap.attach();
                begin(&here);
                if by_barrier {
                    here.mutate(|mc, all| all.iter().for_each(|object| _ = mc.write(*object)));
                }
                for _ in 0..100 {
                    here.collect_debt();
                }
                here.finish_cycle();
                here.mutate(|_, all| assert!(all.iter().all(|weak| weak.strong_count() == 0)));
                verify(&here);
            });
        }
    });
}

/// The hook that hears of panics of finalizers may wait for another thread as a destructor may.
#[test]
fn nobody_waits_for_a_hook() {
    in_each_way(|way| {
        for mode in [FinalizerMode::AfterCollection, FinalizerMode::Thread] {
            in_time(move || {
                let heap = heap(way.often().finalizers(mode));
                let ((ask, asked), (tell, answer)) = (channel(), channel());
                let meddling = Meddling::new(ask, answer);
                heap.set_finalizer_hook(move |_| meddling.ask());
                std::thread::scope(|scope| {
                    let other = &heap;
                    scope.spawn(move || {
                        let mut handle = None;
                        asked.recv_timeout(LONG).unwrap();
                        use_everything(other, &mut handle);
                        tell.send(()).unwrap();
                    });
                    let here = heap.attach();
                    here.mutate(|mc, _| {
                        _ = mc.finalize_with(mc.allocate(1), |_, _| {
                            std::panic::resume_unwind(Box::new("a finalizer panics"))
                        });
                    });
                    here.finish_cycle();
                });
                assert_eq!(heap.metrics().statistics().finalizers_panicked, 1);
            });
        }
    });
}
