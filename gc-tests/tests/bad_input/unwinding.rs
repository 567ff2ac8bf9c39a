//! Collections while a thread unwinds. If one frees what is in use, it may end the process or hang it, so each test runs
//! in a child.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gc_core::{Mode, Zeal};
use gc_tests::child::{in_child, in_time};
use gc_tests::list::{List, check, list, litter};
use gc_tests::way::eager;

struct CollectsInDrop<'a>(&'a mut List);

impl Drop for CollectsInDrop<'_> {
    fn drop(&mut self) {
        self.0.finish_cycle();
    }
}

fn collect_while_unwinding(mode: Mode) {
    const LENGTH: u64 = 200_000;
    let mut list = list(eager(mode).zeal(Zeal::NONE), LENGTH);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = CollectsInDrop(&mut list);
        panic!("the program's own");
    }));
    assert!(result.is_err());
    check(&list, LENGTH);
    let verified = list.verify();
    for _ in 0..3 {
        list.finish_cycle();
        litter(&list, 2 * LENGTH);
        check(&list, LENGTH);
    }
    verified.unwrap();
}

#[test]
fn a_destructor_that_collects_frees_nothing_in_use_stop_the_world() {
    in_child(
        "unwinding::a_destructor_that_collects_frees_nothing_in_use_stop_the_world",
        || in_time(|| collect_while_unwinding(Mode::StopTheWorld)),
    );
}

#[test]
fn a_destructor_that_collects_frees_nothing_in_use_concurrently() {
    in_child(
        "unwinding::a_destructor_that_collects_frees_nothing_in_use_concurrently",
        || in_time(|| collect_while_unwinding(Mode::Concurrent)),
    );
}
