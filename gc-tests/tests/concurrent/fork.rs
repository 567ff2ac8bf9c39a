//! A process that is forked has none of its parent's threads, and its heap may be in the middle of
//! anything. Whoever touches a heap of the parent's is told so.
//!
//! The test runs in a process of its own, because nothing else ought to go on in one that forks.

use gc_core::{Arena, Gc, HeapOptions, Lock, Mode, Rootable};
use gc_tests::child::in_child;

use crate::cargo::{Ballast, Cargo, Crate};
use crate::{begin, panic_of, steps};

type Heap = Arena<Rootable![(Vec<Crate<'_>>, Option<Gc<'_, Ballast<'_>>>)]>;

const COUNT: u64 = 1000;
const BALLAST: usize = 100_000;

/// What a child does to the heap.
type Touch = fn(&mut Heap);

const TOUCHES: [(&str, Touch); 4] = [
    ("mutate", |heap| {
        heap.mutate(|mc, _| _ = Gc::new(mc, 5));
    }),
    ("mutate_root", |heap| {
        heap.mutate_root(|mc, root| root.0.push(Cargo::new(mc, 0)));
    }),
    ("collect_debt", |heap| {
        heap.metrics().adjust_debt(1e15);
        heap.collect_debt();
    }),
    ("finish_cycle", |heap| heap.finish_cycle()),
];

/// Forks, and returns what the child's `touch` panicked with: 0 for a panic that speaks of a fork, 1
/// for another one, 2 for none; or the number of the signal that ended it, negative.
fn touch_in_child(heap: &mut Heap, touch: Touch) -> i32 {
    // SAFETY: the process has this thread and those of the collector, which do not return into code
    // of ours in the child; the hook for panics does nothing, so no lock of theirs is waited for.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "cannot fork");
    if child == 0 {
        // SAFETY: these do nothing but what their names say. The alarm ends a child that hangs.
        unsafe {
            libc::alarm(30);
            let code = match panic_of(|| touch(heap)) {
                Some(text) if text.contains("fork") => 0,
                Some(_) => 1,
                None => 2,
            };
            libc::_exit(code)
        }
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status has room.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        -libc::WTERMSIG(status)
    }
}

fn parent() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        // Before the first cycle, in the middle of one, and after one.
        for place in 0..3 {
            for (name, touch) in TOUCHES {
                let options = HeapOptions::default()
                    .mode(mode)
                    .concurrent_from(0)
                    .step(std::time::Duration::ZERO);
                let mut heap = Heap::with_options(options, |mc| {
                    let cargo = (0..COUNT).map(|id| Cargo::new(mc, id)).collect();
                    (cargo, Ballast::new(mc, BALLAST))
                })
                .unwrap();
                match place {
                    0 => {}
                    1 => {
                        begin(&mut heap);
                        steps(&mut heap, 2);
                    }
                    _ => heap.finish_cycle(),
                }
                let code = touch_in_child(&mut heap, touch);
                if code != 0 {
                    failures.push(format!("{mode:?}, {name}, place {place}: {code}"));
                }
                // Nor does a value that is in no heap make it wait for the parent's markers.
                let code = touch_in_child(&mut heap, |_| {
                    assert_eq!(Lock::new(Some(7)).take(), Some(7));
                });
                if code != 2 {
                    failures.push(format!("{mode:?}, take, place {place}: {code}"));
                }
                // To drop the heap there is not to hang; whatever else happens is for nobody to see.
                let code = touch_in_child(&mut heap, |heap| {
                    let empty = Heap::new(|_| (Vec::new(), None));
                    drop(core::mem::replace(heap, empty));
                });
                if code < 0 {
                    failures.push(format!("{mode:?}, drop, place {place}: {code}"));
                }
                // The parent does not notice.
                heap.mutate(|mc, root| {
                    assert!((0..).zip(&root.0).all(|(id, cargo)| cargo.id() == id));
                    Ballast::check(root.1, BALLAST);
                    Gc::new(mc, 5);
                });
                heap.finish_cycle();
                let expected = 2 * COUNT as usize + BALLAST;
                assert_eq!(heap.metrics().total_gc_count(), expected);
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_forked_child_is_told() {
    in_child("fork::a_forked_child_is_told", parent);
}
