//! Many arenas in cycles at the same time, and arenas of threads that end.

use std::cell::RefCell;

use gc_core::{Gc, HeapOptions, Mode, Zeal};
use gc_tests::list::{List, check, list};
use gc_tests::way::eager;

use crate::{begin, run_out};

fn options() -> HeapOptions {
    eager(Mode::Concurrent).zeal(Zeal::NONE)
}

/// They are in thread-local variables, whose destructors end the cycle wherever it is.
#[test]
fn arenas_of_threads_that_end_in_every_phase() {
    thread_local! {
        static LIST: RefCell<Option<List>> = const { RefCell::new(None) };
    }
    for round in 0..60_u64 {
        let thread = std::thread::spawn(move || {
            LIST.with_borrow_mut(|variable| {
                let list = variable.insert(list(options(), 20_000));
                begin(list);
                for _ in 0..round * round / 4 {
                    list.collect_debt();
                }
            });
        });
        thread.join().unwrap();
    }
}

/// Some are dropped meanwhile, some abort their cycles.
#[test]
fn many_arenas_share_few_markers() {
    const LENGTH: u64 = 5000;
    let make = || list(options(), LENGTH);
    let mut lists: Vec<List> = (0..30).map(|_| make()).collect();
    for round in 0..40 {
        for list in &mut lists {
            begin(list);
        }
        for (i, list) in lists.iter_mut().enumerate() {
            if i % 3 == 0 {
                list.finish_cycle();
            } else if i % 7 == round % 7 {
                *list = make();
            } else if i % 5 == 0 {
                list.mutate(|mc, head| mc.forward_barrier(None, Gc::erase(head.get().unwrap())));
            }
            check(list, LENGTH);
        }
    }
    for list in &mut lists {
        run_out(list);
        check(list, LENGTH);
    }
}
