//! Fault injection: whatever code of the user's an operation calls, and at whichever call that panics, the collection
//! is in order afterwards, and the heap too.
//!
//! An operation of a collection calls `Eq`, `Hash`, `Ord`, `Clone`, `Drop`, `Borrow`, `Debug`, `trace`, `owned_bytes`, hashers, closures
//! and iterators ([`fuse::Call`]). For each operation the [`stage`] first counts these calls; then it repeats the operation
//! once for each of them, and lets that one panic. When the panic was caught, it checks:
//!
//! 1. What is in the collection is alive and whole ([`items`]): each value has a canary, a pointer to an object that
//!    repeats its number, and a line in a ledger that says whether it was dropped.
//! 2. Look-ups find what is there, do not find what is not, and end.
//! 3. The contents are what the operation promises for a panic ([`stage::After`]).
//! 4. A full collection succeeds, and the heap verifies.
//! 5. The collection can be used: cloned, changed, iterated.
//! 6. In the end each value has been dropped once, and none twice.
//!
//! Then each operation is run with user code that does not panic but *lies*: comparisons and hashes are drawn by lot,
//! `Borrow` borrows a stranger, and iterators tell wrong lengths. Whatever comes of it, 1 and 4 to 6 hold, and look-ups end.
//!
//! [`cycles`] and [`shared_cycles`] do the same with the `trace` calls of whole cycles, and [`payloads`] with all else that the
//! collector calls.
//!
//! The operations are tables, one for each collection. [`surface`] compares them with the source: a public function or an
//! implemented trait without an entry fails the test.

mod builders;
mod cycles;
mod fuse;
mod hash_map;
mod hash_set;
mod items;
mod payloads;
mod shared_cycles;
mod stage;
mod string;
mod surface;
mod vec;
mod vec_deque;
mod weak;

use fuse::{Call, was_hit};
use items::{Dropping, Moving, Outside, Plain, Pointing};
use stage::run;

/// Runs the operations of a collection with each kind of items. Of those that are named, no barrier may call `trace`.
macro_rules! for_each_kind {
    ($module:ident $(, $traced:ident)?) => {
        mod $module {
            use super::*;

            for_each_kind! { @ $module
                plain: Plain, pointing: Pointing, dropping: Dropping, moving: Moving, outside: Outside
            }

            $(
                #[test]
                fn no_trace_is_called() {
                    run(&crate::$module::operations::<$traced>()[..1]);
                    assert!(!was_hit(Call::Trace));
                }
            )?
        }
    };
    (@ $module:ident $($test:ident: $kind:ident),*) => {$(
        #[test]
        fn $test() {
            run(&crate::$module::operations::<$kind>());
        }
    )*};
}

mod faults_in {
    use super::*;

    for_each_kind!(vec, Outside);
    for_each_kind!(vec_deque, Outside);
    for_each_kind!(hash_map, Outside);
    for_each_kind!(hash_set, Outside);
    for_each_kind!(builders);

    #[test]
    fn owned_bytes_are_counted() {
        run(&crate::builders::operations::<Moving>()[..1]);
        assert!(was_hit(Call::OwnedBytes));
    }

    #[test]
    fn string() {
        run(&crate::string::operations());
    }

    #[test]
    fn weak_collections() {
        run(&crate::weak::operations());
    }

    #[test]
    fn copies() {
        run(&crate::vec::operations_with_copies());
        run(&crate::builders::operations_with_copies());
    }
}
