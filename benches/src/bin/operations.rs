//! One operation of the collector many times over, and nothing else: for counting instructions.
//!
//! ```sh
//! cargo build --release --bin operations
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/operations allocate 1000000
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/operations allocate 2000000
//! ```
//!
//! The difference of the two totals, divided by a million, is what one operation costs, with its
//! share of the slow paths and two or three instructions of the loop.
//!
//! `barrier-marking` stores while a cycle marks: it begins an incremental one in a heap of its own
//! and leaves it there. The first store claims the object that is stored into; the difference is
//! what the others cost. `store-enum-marking` does the same to an enum in a new object.
//!
//! `upgrade-marking` upgrades in such a heap a weak pointer to an object that is not marked, as nothing else leads to it.
//!
//! `follow-thin` reads the last element of a slice with a header behind a thin pointer, for which the object has to be
//! asked how long it is; `follow-thin-long` does so with a slice that is longer than a group of the planes.
//!
//! `collect-live` and `collect-garbage` collect a small heap with one marker and the program stopped, that many times:
//! 200,000 nodes that are alive, and as many that are allocated anew each time and are not. Divided by the nodes, the
//! difference between 10 and 20 times is what marking and sweeping one node costs, and what allocating and sweeping it does.
//!
//! `mark-owners` does the same to 100,000 objects that own a `Vec` of four pointers, `mark-owners-concurrent` lets a
//! thread mark them while the program waits, `mark-owners-in-steps` marks them step by step, and `mark-owners-paused`
//! marks a thousand of them by `finish_marking`, after a write to one. Objects whose `Collect` is written by hand are
//! marked by `mark-opaque-owners` with the program stopped, and by `mark-opaque-owners-in-steps`.
//!
//! `allocate-record` and `allocate-raw` make the same object of 32 bytes: what types cost beyond the
//! allocator is the difference of the two.

use std::alloc::Layout;
use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use gc_core::arena::{CollectionPhase, rootless_mutate};
use gc_core::barrier::field;
use gc_core::collect::Trace;
use gc_core::{
    Arena, Collect, Gc, GcSliceWithHeaderBuilder, GcThinSliceWithHeader, GcWeak, HeapOptions, Lock,
    Mode, Mutation, RefLock, Rootable,
};

/// Does one operation a number of times.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// What to do
    #[arg(value_enum)]
    operation: Operation,
    /// How often
    times: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Operation {
    /// Allocate a node of two pointers
    Allocate,
    /// Allocate a record of two pointers and two numbers
    AllocateRecord,
    /// Allocate the words of such a record without a type
    AllocateRaw,
    /// Store into a `Lock`, through the write barrier
    Store,
    /// Store into a `Lock` of an enum, numbers and pointers in turns
    StoreEnum,
    /// The same through a cell that was unlocked, which leaves the tags to the next safepoint
    StoreEnumUnlocked,
    /// Store into a `Cell`, for comparison
    PlainStore,
    /// Store into a `Lock` while a cycle marks
    BarrierMarking,
    /// Store an enum in turns as a number and a pointer, while a cycle marks
    StoreEnumMarking,
    /// Upgrade a weak pointer
    Upgrade,
    /// The same while a cycle marks, of which the target is not marked
    UpgradeMarking,
    /// Follow a thin pointer to a slice with a header
    FollowThin,
    /// The same, to a slice of 2 KiB
    FollowThinLong,
    /// Collect 200,000 nodes that are alive
    CollectLive,
    /// Allocate 200,000 nodes, and collect them
    CollectGarbage,
    /// Collect 100,000 owners of a `Vec` that are alive
    MarkOwners,
    /// The same on another thread
    MarkOwnersConcurrent,
    /// The same in steps
    MarkOwnersInSteps,
    /// Finish marking of 1000 owners of a `Vec`, one of which was written
    MarkOwnersPaused,
    /// Collect 100,000 owners with a `Collect` that is written by hand
    MarkOpaqueOwners,
    /// The same in steps
    MarkOpaqueOwnersInSteps,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    left: Option<Gc<'gc, Node<'gc>>>,
    right: Option<Gc<'gc, Node<'gc>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
struct Record<'gc> {
    left: Option<Gc<'gc, Record<'gc>>>,
    right: Option<Gc<'gc, Record<'gc>>>,
    numbers: [u64; 2],
}

type Slot<'gc> = Gc<'gc, Lock<Option<Gc<'gc, u64>>>>;

#[inline(never)]
fn allocate<'gc>(mc: &Mutation<'gc>, times: usize) {
    let mut left = None;
    for _ in 0..times {
        left = Some(Gc::new(mc, Node { left, right: None }));
    }
    black_box(left.map(|node| (node.left, node.right)));
}

#[inline(never)]
fn allocate_record<'gc>(mc: &Mutation<'gc>, times: usize) {
    let mut left = None;
    for number in 0..times as u64 {
        let numbers = [number; 2];
        let right = None;
        left = Some(Gc::new(
            mc,
            Record {
                left,
                right,
                numbers,
            },
        ));
    }
    black_box(left.map(|record| (record.left, record.right, record.numbers)));
}

#[inline(never)]
fn allocate_raw(mc: &Mutation<'_>, times: usize) {
    let mut left = 0;
    for number in 0..times {
        // SAFETY: the first two of four words are pointers, one to the object before or null, one null; and
        // all are written.
        left = unsafe {
            match mc.allocate_raw(Layout::new::<[usize; 4]>(), 0b11) {
                Ok(place) => {
                    place.cast::<[usize; 4]>().write([left, 0, number, number]);
                    place.addr().get()
                }
                Err(error) => panic!("{error}"),
            }
        };
    }
    black_box(left);
}

#[inline(never)]
fn store<'gc>(mc: &Mutation<'gc>, slot: Slot<'gc>, times: usize) {
    for _ in 0..times {
        black_box(slot).set(mc, None);
    }
}

/// A value of a dynamic language.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    #[allow(dead_code, reason = "what is stored is not read")]
    Number(u64),
    #[allow(dead_code, reason = "as above")]
    Object(Gc<'gc, u64>),
}

/// Stores a number and a pointer in turns, which changes the tags each time.
#[inline(never)]
fn store_enum<'gc>(mc: &Mutation<'gc>, unlocked: bool, times: usize) {
    let slot = Gc::new(mc, Lock::new(Value::Number(0)));
    let values = [Value::Number(1), Value::Object(Gc::new(mc, 2))];
    for time in 0..times {
        let value = black_box(&values)[time % 2];
        match unlocked {
            false => black_box(slot).set(mc, value),
            true => black_box(slot).unlock(mc).set(value),
        }
    }
}

#[inline(never)]
fn plain_store(cell: &Cell<Option<u64>>, times: usize) {
    for _ in 0..times {
        black_box(cell).set(None);
    }
}

#[inline(never)]
fn upgrade<'gc>(mc: &Mutation<'gc>, weak: GcWeak<'gc, u64>, times: usize) {
    for _ in 0..times {
        black_box(black_box(weak).upgrade(mc));
    }
}

#[inline(never)]
fn follow_thin(slice: GcThinSliceWithHeader<'_, u64, u64>, times: usize) {
    for _ in 0..times {
        black_box(black_box(slice).slice.last());
    }
}

/// Follows a thin pointer to a slice of so many numbers.
fn follow_thin_to(length: usize, times: usize) {
    rootless_mutate(|mc| {
        let builder = GcSliceWithHeaderBuilder::new(length).write_header(1);
        let slice = builder.write_slice_with(mc, |index| index as u64);
        follow_thin(Gc::as_thin(slice), times);
    });
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    slot: Slot<'gc>,
    weak: GcWeak<'gc, u64>,
    list: Option<Gc<'gc, Node<'gc>>>,
}

/// Nodes that the cycle is to mark: far more than a step does.
const OLD: usize = 200_000;

/// Calls of the collector in which a cycle must have begun.
const CALLS: usize = 1000;

/// Calls `f` while a cycle marks.
fn while_marking(f: impl for<'gc> FnOnce(&Mutation<'gc>, &Root<'gc>)) -> Result<()> {
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .floor(1 << 20)
        .step(Duration::from_micros(1));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root {
        slot: Gc::new(mc, Lock::new(None)),
        weak: Gc::downgrade(Gc::new(mc, 1)),
        list: None,
    })?;
    arena.mutate_root(|mc, root| {
        for _ in 0..OLD {
            let left = root.list;
            root.list = Some(Gc::new(mc, Node { left, right: None }));
        }
    });
    let marks = (0..CALLS).any(|_| {
        arena.collect_debt();
        arena.collection_phase() == CollectionPhase::Marking
    });
    ensure!(marks, "no step of the collector ended while it marked");
    arena.mutate(|mc, root| f(mc, root));
    ensure!(
        arena.collection_phase() == CollectionPhase::Marking,
        "the cycle did not outlast the call"
    );
    Ok(())
}

/// Collects a heap of [`OLD`] nodes `times` times: the same ones, which are alive, or new ones, which are not.
fn collect(times: usize, alive: bool) -> Result<()> {
    let options = HeapOptions::default().mode(Mode::StopTheWorld).markers(1);
    let mut arena = Arena::<Rootable![Option<Gc<'_, Node<'_>>>]>::with_options(options, |_| None)?;
    for collected in 0..times {
        if collected == 0 || !alive {
            arena.mutate_root(|mc, root| {
                let mut list = None;
                for _ in 0..OLD {
                    list = Some(Gc::new(
                        mc,
                        Node {
                            left: list,
                            right: None,
                        },
                    ));
                }
                *root = list.filter(|_| alive);
            });
        }
        arena.finish_cycle();
    }
    Ok(())
}

/// An object that owns memory outside of the heap.
#[derive(Collect)]
#[collect(no_drop)]
struct Owner<'gc> {
    items: RefLock<Vec<Gc<'gc, Owner<'gc>>>>,
    hidden: Option<Hidden<'gc>>,
}

/// What derived types cannot look into.
#[derive(Clone, Copy)]
struct Hidden<'gc>(Option<Gc<'gc, Owner<'gc>>>);

// SAFETY: all there is is visited in place.
unsafe impl<'gc> Collect<'gc> for Hidden<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

/// [`Owner`], without anything in it that is opaque.
#[derive(Collect)]
#[collect(no_drop)]
struct Table<'gc> {
    items: RefLock<Vec<Gc<'gc, Table<'gc>>>>,
}

/// Makes objects, each with pointers to four others.
macro_rules! fill {
    ($mc:ident, $root:ident, $count:expr, |$items:ident| $new:expr) => {
        let mut all = $root.borrow_mut($mc);
        for number in 0..$count {
            // Spread over all that there are.
            let other =
                |index: usize| all.get(number.wrapping_mul(7919 * (index + 1)) % (number + 1));
            let $items = RefLock::new((0..4).filter_map(other).copied().collect());
            all.push(Gc::new($mc, $new));
        }
    };
}

type Tables<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Table<'gc>>>>>;
type Owners<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Owner<'gc>>>>>;

/// How many there are.
const OWNERS: usize = 100_000;

/// How many there are in a small heap.
const FEW: usize = 1000;

fn stopped() -> HeapOptions {
    HeapOptions::default().mode(Mode::StopTheWorld).markers(1)
}

fn in_steps() -> HeapOptions {
    HeapOptions::default().mode(Mode::Incremental)
}

/// Brings a cycle of a heap to its end by safepoints, as often as is said.
macro_rules! lead_through {
    ($arena:ident, $times:ident) => {
        for _ in 0..$times {
            $arena.metrics().adjust_debt(1e12);
            loop {
                $arena.collect_debt();
                if $arena.collection_phase() == CollectionPhase::Sleeping {
                    break;
                }
                std::thread::yield_now();
            }
        }
    };
}

fn mark_owners(times: usize, options: HeapOptions) -> Result<()> {
    let mut arena = Arena::<Rootable![Tables<'_>]>::with_options(options, |mc| {
        Gc::new(mc, RefLock::default())
    })?;
    arena.mutate(|mc, root| {
        fill!(mc, root, OWNERS, |items| Table { items });
    });
    lead_through!(arena, times);
    Ok(())
}

fn mark_opaque_owners(times: usize, options: HeapOptions) -> Result<()> {
    let mut arena = Arena::<Rootable![Owners<'_>]>::with_options(options, |mc| {
        Gc::new(mc, RefLock::default())
    })?;
    arena.mutate(|mc, root| {
        fill!(mc, root, OWNERS, |items| Owner {
            items,
            hidden: None
        });
    });
    lead_through!(arena, times);
    Ok(())
}

fn mark_owners_paused(times: usize) -> Result<()> {
    let options = HeapOptions::default();
    let mut arena = Arena::<Rootable![Tables<'_>]>::with_options(options, |mc| {
        Gc::new(mc, RefLock::default())
    })?;
    arena.mutate(|mc, root| {
        fill!(mc, root, FEW, |items| Table { items });
    });
    arena.finish_cycle();
    for _ in 0..times {
        arena.mutate(|mc, root| {
            let table = root.borrow()[FEW - 1];
            field!(Gc::write(mc, table), Table, items)
                .unlock()
                .borrow_mut()
                .reverse();
        });
        if let Some(marked) = arena.finish_marking() {
            marked.finalize(|_, _| ());
        }
        if let Some(marked) = arena.finish_marking() {
            marked.start_sweeping();
        }
        while arena.collection_phase() == CollectionPhase::Sweeping {
            arena.cycle_debt();
            std::thread::yield_now();
        }
    }
    Ok(())
}

fn succeed(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn main() -> ExitCode {
    let Options { operation, times } = Options::parse();
    match operation {
        Operation::Allocate => rootless_mutate(|mc| allocate(mc, times)),
        Operation::AllocateRecord => rootless_mutate(|mc| allocate_record(mc, times)),
        Operation::AllocateRaw => rootless_mutate(|mc| allocate_raw(mc, times)),
        Operation::Store => rootless_mutate(|mc| store(mc, Gc::new(mc, Lock::new(None)), times)),
        Operation::StoreEnum => rootless_mutate(|mc| store_enum(mc, false, times)),
        Operation::StoreEnumUnlocked => rootless_mutate(|mc| store_enum(mc, true, times)),
        Operation::PlainStore => plain_store(&Cell::new(None), times),
        Operation::BarrierMarking => {
            return succeed(while_marking(|mc, root| store(mc, root.slot, times)));
        }
        Operation::StoreEnumMarking => {
            return succeed(while_marking(|mc, _| store_enum(mc, false, times)));
        }
        Operation::Upgrade => {
            rootless_mutate(|mc| upgrade(mc, Gc::downgrade(Gc::new(mc, 1)), times));
        }
        Operation::UpgradeMarking => {
            return succeed(while_marking(|mc, root| upgrade(mc, root.weak, times)));
        }
        Operation::FollowThin => follow_thin_to(4, times),
        Operation::FollowThinLong => follow_thin_to(256, times),
        Operation::CollectLive => return succeed(collect(times, true)),
        Operation::CollectGarbage => return succeed(collect(times, false)),
        Operation::MarkOwners => return succeed(mark_owners(times, stopped())),
        Operation::MarkOwnersConcurrent => {
            let options = HeapOptions::default().concurrent_from(0);
            return succeed(mark_owners(times, options));
        }
        Operation::MarkOwnersInSteps => return succeed(mark_owners(times, in_steps())),
        Operation::MarkOwnersPaused => return succeed(mark_owners_paused(times)),
        Operation::MarkOpaqueOwners => return succeed(mark_opaque_owners(times, stopped())),
        Operation::MarkOpaqueOwnersInSteps => {
            return succeed(mark_opaque_owners(times, in_steps()));
        }
    }
    ExitCode::SUCCESS
}
