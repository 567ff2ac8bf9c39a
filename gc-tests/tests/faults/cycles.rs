//! A `trace` that panics at each place where a cycle calls it: when the cycle begins, at safepoints, in the rounds that
//! scan again what was written because weak pointers were upgraded, after a finalization call, for what finalizers see, and
//! in checks. What is thrown must not be dropped by the collector either: that may panic once more.
//!
//! After each panic nothing that can be reached was freed, the next cycle completes, and what is garbage goes.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gc_core::arena::CollectionPhase;
use gc_core::barrier::unlock;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Mutation, RefLock, Rootable};
use gc_tests::way::{Way, in_each_way};

thread_local! {
    /// How many calls of `trace` are left, with that which panics.
    static LEFT: Cell<u32> = const { Cell::new(0) };
    /// What the program does.
    static STEP: Cell<Step> = const { Cell::new(Step::Idle) };
    /// In which steps which objects have thrown.
    static THROWN: RefCell<BTreeSet<(Step, Id)>> = const { RefCell::new(BTreeSet::new()) };
    pub static DROPPED: Cell<u32> = const { Cell::new(0) };
}

/// What the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Idle,
    Begin,
    Write,
    RunOut,
    FinishMarking,
    Finalize,
    Finish,
    Verify,
}

/// Which object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    /// The root leads to it.
    Kept,
    /// Only a weak pointer does, by which the program gets at it.
    Upgraded,
    /// Only a weak pointer does, by which a finalization call gets at it.
    Resurrected,
    /// Its finalizer sees it.
    Finalized,
}

/// What is thrown.
pub struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
        if !std::thread::panicking() {
            resume_unwind(Box::new("a payload was dropped"));
        }
    }
}

/// Called by each `trace`.
pub fn burn(id: Id) {
    let left = LEFT.get();
    LEFT.set(left.saturating_sub(1));
    if left == 1 {
        THROWN.with_borrow_mut(|thrown| thrown.insert((STEP.get(), id)));
        resume_unwind(Box::new(Payload));
    }
}

/// Does one step, and leaks what it throws.
pub fn step<T>(step: Step, f: impl FnOnce() -> T) -> Option<T> {
    STEP.set(step);
    let result = catch_unwind(AssertUnwindSafe(f));
    STEP.set(Step::Idle);
    let thrown = |payload: Box<dyn Any + Send>| {
        if !payload.is::<Payload>() {
            resume_unwind(payload);
        }
        std::mem::forget(payload);
    };
    result.map_err(thrown).ok()
}

/// Runs `f` once for each call of `trace` in it, which panics.
pub fn for_each_trace(f: impl Fn()) {
    for number in 1.. {
        LEFT.set(number);
        f();
        assert_eq!(DROPPED.get(), 0, "a payload was dropped");
        // Where other threads mark, it is not always the same number.
        if LEFT.replace(0) > 0 {
            break;
        }
    }
}

/// Nothing panics from here on, where a run is checked.
pub fn calm() -> impl Drop {
    struct Before(u32);

    impl Drop for Before {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    Before(LEFT.replace(0))
}

/// Asserts that in these steps these objects have thrown.
pub fn assert_thrown(expected: &[(Step, Id)]) {
    THROWN.with_borrow(|thrown| {
        for pair in expected {
            assert!(thrown.contains(pair), "{pair:?} is not in {thrown:?}");
        }
        // No barrier calls a `trace`.
        assert!(thrown.iter().all(|(step, _)| *step != Step::Write));
    });
}

struct Bomb<'gc> {
    id: Id,
    number: Gc<'gc, u64>,
    next: RefLock<Option<Gc<'gc, Bomb<'gc>>>>,
}

// SAFETY: the pointers are visited in place, unless `trace` does not return.
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.number);
        burn(self.id);
        cc.trace(&self.next);
    }
}

impl<'gc> Bomb<'gc> {
    fn new(mc: &Mutation<'gc>, id: Id) -> Gc<'gc, Bomb<'gc>> {
        let (number, next) = (Gc::new(mc, id as u64), RefLock::new(None));
        Gc::new(mc, Bomb { id, number, next })
    }

    /// Looks at the objects from here on. How many there are.
    fn check(&self) -> usize {
        assert_eq!(*self.number, self.id as u64);
        2 + self.next.borrow().map_or(0, |next| next.check())
    }
}

/// The link of an object, behind its barrier.
fn next<'gc>(
    mc: &Mutation<'gc>,
    bomb: Gc<'gc, Bomb<'gc>>,
) -> RefMut<'gc, Option<Gc<'gc, Bomb<'gc>>>> {
    unlock!(Gc::write(mc, bomb), Bomb, next).borrow_mut()
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    kept: [Gc<'gc, Bomb<'gc>>; 2],
    upgraded: GcWeak<'gc, Bomb<'gc>>,
    resurrected: GcWeak<'gc, Bomb<'gc>>,
}

type Heap = Arena<Rootable![Root<'_>]>;

fn heap(way: Way) -> Heap {
    let _calm = calm();
    Heap::with_options(way.options(), |mc| {
        let upgraded = Gc::downgrade(Bomb::new(mc, Id::Upgraded));
        _ = mc.finalize_with(Bomb::new(mc, Id::Finalized), |bomb, _| {
            let _calm = calm();
            assert_eq!(bomb.check(), 2);
        });
        Root {
            kept: [(); 2].map(|()| Bomb::new(mc, Id::Kept)),
            upgraded,
            resurrected: upgraded,
        }
    })
    .unwrap()
}

fn begin(heap: &mut Heap) {
    heap.metrics().adjust_debt(1e15);
    step(Step::Begin, || heap.collect_debt());
    heap.metrics().adjust_debt(f64::NAN);
}

fn run_out(heap: &mut Heap) {
    for _ in 0..100 {
        if heap.collection_phase() == CollectionPhase::Sleeping {
            break;
        }
        step(Step::RunOut, || heap.collect_debt());
        std::thread::yield_now();
    }
}

/// Calls `trace` wherever a cycle does. The finalization call throws as well, if `throws` says so.
fn with_cycles(way: Way, throws: bool) {
    let mut heap = heap(way);
    let linked = [Cell::new(false), Cell::new(false)];
    begin(&mut heap);
    // What the program gets hold of was not reachable when the cycle began.
    heap.mutate(|mc, root| {
        if let Some(bomb) = root.upgraded.upgrade(mc) {
            step(Step::Write, || {
                *next(mc, root.kept[0]) = Some(bomb);
                linked[0].set(true);
            });
        }
    });
    run_out(&mut heap);
    heap.mutate_root(|mc, root| root.resurrected = Gc::downgrade(Bomb::new(mc, Id::Resurrected)));
    begin(&mut heap);
    heap.mutate(|mc, root| step(Step::Write, || _ = Gc::write(mc, root.kept[1])));
    step(Step::FinishMarking, || {
        let Some(marked) = heap.finish_marking() else {
            return;
        };
        STEP.set(Step::Finalize);
        marked.finalize(|fc, root| {
            if let Some(bomb) = root.resurrected.upgrade(fc) {
                *next(fc, root.kept[1]) = Some(bomb);
                linked[1].set(true);
            }
            // The first panic goes on, and neither payload is dropped.
            if throws {
                resume_unwind(Box::new(Payload));
            }
        });
    });
    step(Step::Finish, || heap.finish_cycle());
    step(Step::Verify, || heap.verify().unwrap());

    let _calm = calm();
    for _ in 0..3 {
        heap.finish_cycle();
        let links = linked.iter().filter(|linked| linked.get()).count();
        let count = heap.mutate(|_, root| root.kept.map(|bomb| bomb.check()).iter().sum::<usize>());
        assert_eq!(count, 4 + 2 * links);
        heap.verify().unwrap();
    }
    heap.mutate_root(|_, root| {
        root.upgraded = Gc::downgrade(root.kept[0]);
        root.resurrected = Gc::downgrade(root.kept[0]);
    });
    heap.finish_cycle();
    heap.finish_cycle();
    let links = linked.iter().filter(|linked| linked.get()).count();
    assert_eq!(heap.metrics().total_gc_count(), 4 + 2 * links);
}

/// Wherever it happens.
#[test]
fn traces_panic_once_each() {
    in_each_way(|way| {
        for throws in [false, true] {
            for_each_trace(|| with_cycles(way, throws));
        }
    });
    assert_thrown(&[
        (Step::Begin, Id::Kept),
        (Step::RunOut, Id::Kept),
        // It is found only by scanning again what was written.
        (Step::RunOut, Id::Upgraded),
        (Step::FinishMarking, Id::Kept),
        // What the call has written is scanned when it is over.
        (Step::Finalize, Id::Kept),
        (Step::Finish, Id::Kept),
        (Step::Finish, Id::Resurrected),
        // Finalizers see it, and nobody else.
        (Step::RunOut, Id::Finalized),
        (Step::Verify, Id::Kept),
    ]);
}
