//! Implementations of `Collect` by hand that do what they may, and what they may not.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcRefLock, HeapOptions, Mode, Rootable};
use gc_tests::way::in_each_way;

/// A vector that calls `trace` of its own, which `Trace::trace` would not do if there are no pointers.
struct Direct<T>(Vec<T>);

#[allow(unsafe_code, reason = "what a type that is implemented by hand may do")]
// SAFETY: the one field is visited.
unsafe impl<'gc, T: Collect<'gc>> Collect<'gc> for Direct<T> {
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        self.0.trace(cc);
    }
}

/// Elements without pointers, or without a size, are none, however they are visited.
#[test]
fn elements_without_pointers_are_not_read() {
    type Root<'gc> = (
        Gc<'gc, Direct<()>>,
        Gc<'gc, Direct<usize>>,
        Gc<'gc, Direct<[u8; 8]>>,
        Gc<'gc, Direct<[Gc<'gc, u8>; 0]>>,
        Gc<'gc, Direct<Gc<'gc, u8>>>,
    );
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
            let dead = Gc::as_ptr(Gc::new(mc, 1_u64)).expose_provenance();
            (
                Gc::new(mc, Direct(vec![(); 1000])),
                Gc::new(mc, Direct(vec![dead; 100])),
                Gc::new(mc, Direct(vec![dead.to_ne_bytes(); 100])),
                Gc::new(mc, Direct(vec![[]; 1000])),
                Gc::new(mc, Direct(vec![Gc::new(mc, 7); 100])),
            )
        })
        .unwrap();
        for _ in 0..3 {
            arena.metrics().adjust_debt(1e9);
            arena.collect_debt();
            arena.finish_cycle();
        }
        // The root's five, and the number to which the last leads.
        assert_eq!(arena.metrics().total_gc_count(), 6);
        arena.mutate(|_, (.., pointers)| assert!(pointers.0.iter().all(|seven| **seven == 7)));
    });
}

thread_local! {
    static TAKES: Cell<bool> = const { Cell::new(false) };
}

type List<'gc> = GcRefLock<'gc, Vec<Gc<'gc, u64>>>;

/// An object whose `trace` takes the content of another, in which a marker may be reading.
struct Taking<'gc>(List<'gc>);

#[allow(
    unsafe_code,
    reason = "what a type that is implemented by hand may not do"
)]
// SAFETY: the one field is visited. What else this does must not be possible.
unsafe impl<'gc> Collect<'gc> for Taking<'gc> {
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        cc.trace(&self.0);
        if TAKES.get() {
            drop(self.0.take());
        }
    }
}

#[test]
fn a_trace_that_writes_without_a_barrier_panics() {
    type Root<'gc> = (Gc<'gc, Taking<'gc>>, Vec<List<'gc>>);
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let options = HeapOptions::default()
            .mode(mode)
            .concurrent_from(0)
            .step(Duration::from_micros(5));
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            let list = || {
                let numbers = (0..1000).map(|n| Gc::new(mc, n)).collect();
                Gc::new(mc, gc_core::RefLock::new(numbers))
            };
            let lists: Vec<_> = (0..100).map(|_| list()).collect();
            (Gc::new(mc, Taking(lists[50])), lists)
        })
        .unwrap();
        TAKES.set(true);
        let mut messages = 0;
        for _ in 0..10 {
            arena.metrics().adjust_debt(1e9);
            let collect = AssertUnwindSafe(|| {
                arena.collect_debt();
                arena.finish_cycle();
            });
            let payload = catch_unwind(collect).unwrap_err();
            let text = payload.downcast_ref::<&str>().copied().unwrap_or_default();
            messages += usize::from(text.contains("may only look at values"));
        }
        TAKES.set(false);
        assert_eq!(messages, 10, "{mode:?}");
        arena.finish_cycle();
        arena.mutate(|_, (_, lists)| {
            for list in lists {
                assert!(
                    list.borrow()
                        .iter()
                        .zip(0..)
                        .all(|(number, n)| **number == n)
                );
            }
        });
    }
}
