//! Panics of the program, and of destructors.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Life, place, walk};
use crate::graph::{DROP_PANIC, Link};
use crate::shadow;

impl Life {
    /// A value panics when it is dropped in one of the next safepoints.
    pub(super) fn panic_in_drop(&mut self) {
        self.deaths.panics.set(true);
        let heap = &mut self.heap;
        let result = catch_unwind(AssertUnwindSafe(|| heap.collect_debt()));
        self.deaths.panics.set(false);
        if let Err(payload) = result {
            let text = payload.downcast::<String>().expect("a panic with a text");
            assert_eq!(*text, DROP_PANIC);
        }
    }

    /// The program panics between two writes.
    pub(super) fn panic_in_mutate(&mut self) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            self.mutate(|mc, root, shadow, random| {
                let Some((object, id)) = walk(root, shadow, random) else {
                    return;
                };
                if let Some(index) = place(object, random) {
                    object.set(mc, index, Link::Nil);
                    shadow.set(id, index, shadow::Link::Nil);
                    panic!("the program panics");
                }
            });
        }));
        if let Err(payload) = result {
            match payload.downcast::<&str>() {
                Ok(text) if *text == "the program panics" => {}
                Ok(text) => panic!("{text}"),
                Err(payload) => resume_unwind(payload),
            }
        }
    }
}
