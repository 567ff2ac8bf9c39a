//! A program that was written for `gc-arena`: `gc-core` under the name `gc_arena`, and nothing here is
//! called `gc_core`.
//!
//! The derive macro and `Rootable!` look the name up in `Cargo.toml`. Each module exercises a part of the
//! vocabulary of `gc-arena` 0.7, with the bounds and meanings that it has there.

mod arenas;
mod barriers;
mod collect;
mod derive;
mod dynamic_roots;
mod hand_written;
mod kinds;
mod libraries;
mod locks;
mod machines;
mod metrics;
mod objects;
mod pointers;
mod static_wrapper;
mod zst_cache;

use gc_arena::collect::Trace;
use gc_arena::{Collect, Gc, GcWeak};

/// How many strong and weak pointers a value says that it holds.
fn pointers_of<'gc, T: Collect<'gc> + ?Sized>(value: &T) -> (usize, usize) {
    struct Counter(usize, usize);
    impl<'gc> Trace<'gc> for Counter {
        fn trace_gc(&mut self, _: Gc<'gc, ()>) {
            self.0 += 1;
        }
        fn trace_gc_weak(&mut self, _: GcWeak<'gc, ()>) {
            self.1 += 1;
        }
    }
    let mut counter = Counter(0, 0);
    counter.trace(value);
    (counter.0, counter.1)
}
