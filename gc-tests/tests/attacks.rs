//! Attacks on collections that go on while the program does. Those that could end the process run in a
//! child.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "they keep contracts to see whether that is enough"
)]

use std::process::Command;
use std::time::{Duration, Instant};

use gc_core::arena::CollectionPhase;
use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Mode, Rootable, Zeal};

fn options(mode: Mode) -> HeapOptions {
    HeapOptions::default()
        .mode(mode)
        .concurrent_from(0)
        .floor(0)
        .zeal(Zeal {
            verify: true,
            ..Zeal::NONE
        })
}

macro_rules! begin {
    ($arena:expr) => {
        $arena.metrics().adjust_debt(1e12);
        $arena.collect_debt();
    };
}

macro_rules! drive {
    ($arena:expr) => {
        let end = Instant::now() + Duration::from_secs(20);
        while $arena.collection_phase() != CollectionPhase::Sleeping {
            $arena.collect_debt();
            assert!(Instant::now() < end, "the cycle does not end");
        }
    };
}

/// Runs a test of this program in a child; how it ended. In the child: nothing.
fn child(name: &str) -> Option<bool> {
    if std::env::var_os("ATTACK_CHILD").is_some() {
        // SAFETY: it does nothing but what its name says. It ends a child that hangs.
        unsafe { libc::alarm(60) };
        return None;
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("ATTACK_CHILD", "1")
        .status()
        .unwrap();
    println!("child {name}: {status}");
    Some(status.success())
}

type Slots<'gc> = Gc<'gc, [Lock<Option<Gc<'gc, u64>>>]>;

fn first_chunk(mode: Mode) {
    const LENGTH: usize = 16 << 10;
    let options = options(mode).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Slots<'_>]>::with_options(options, |mc| {
        Gc::slice_from_iter(
            mc,
            (0..LENGTH).map(|i| Lock::new(Some(Gc::new(mc, i as u64)))),
        )
    })
    .unwrap();
    // In the concurrent mode the marker has to be late: it is tried often.
    for round in 0..if mode == Mode::Concurrent { 50 } else { 1 } {
        begin!(arena);
        arena.mutate(|mc, slots| {
            let new = Gc::new(mc, 0);
            Gc::write_at(mc, *slots, 0).unlock().set(Some(new));
        });
        drive!(arena);
        arena.mutate(|_, slots| {
            let lost = (0..LENGTH)
                .filter(|i| *slots[*i].get().unwrap() != *i as u64)
                .count();
            assert_eq!(
                lost, 0,
                "round {round}: objects that can be reached were freed"
            );
        });
    }
}

/// `write_at` of an element in the first chunk claims, for the markers, the whole array.
#[test]
fn first_chunk_incremental() {
    first_chunk(Mode::Incremental);
}

#[test]
fn first_chunk_concurrent() {
    first_chunk(Mode::Concurrent);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    next: Option<Gc<'gc, Node<'gc>>>,
    value: u64,
    _rest: [u64; 4],
}

type List<'gc> = Gc<'gc, Lock<Option<Gc<'gc, Node<'gc>>>>>;

fn list(options: HeapOptions, length: u64) -> Arena<Rootable![List<'_>]> {
    let arena =
        Arena::<Rootable![List<'_>]>::with_options(options, |mc| Gc::new(mc, Lock::new(None)))
            .unwrap();
    arena.mutate(|mc, root| {
        for value in 0..length {
            let next = root.get();
            root.set(
                mc,
                Some(Gc::new(
                    mc,
                    Node {
                        next,
                        value,
                        _rest: [value; 4],
                    },
                )),
            );
        }
    });
    arena
}

fn check_list(arena: &Arena<Rootable![List<'_>]>, length: u64) {
    arena.mutate(|_, root| {
        let mut at = root.get();
        for value in (0..length).rev() {
            let node = at.expect("the list is shorter than it was");
            assert_eq!(
                (node.value, node._rest),
                (value, [value; 4]),
                "an object was freed"
            );
            at = node.next;
        }
    });
}

struct CollectsInDrop<'a>(&'a mut Arena<Rootable![List<'_>]>);
impl Drop for CollectsInDrop<'_> {
    fn drop(&mut self) {
        self.0.finish_cycle();
    }
}

fn unwinding(mode: Mode) {
    const LENGTH: u64 = 200_000;
    let mut arena = list(options(mode).zeal(Zeal::NONE), LENGTH);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = CollectsInDrop(&mut arena);
        panic!("the program's own");
    }));
    assert!(result.is_err());
    println!("came back from unwinding");
    check_list(&arena, LENGTH);
    let verified = arena.verify();
    println!("verify: {verified:?}");
    for round in 0..3 {
        arena.finish_cycle();
        println!("another cycle is over");
        arena.mutate(|mc, _| {
            for _ in 0..2 * LENGTH {
                Gc::new(mc, [u64::MAX - round; 6]);
            }
        });
        check_list(&arena, LENGTH);
    }
    verified.unwrap();
}

/// A collection at once in a destructor, while the thread unwinds.
#[test]
fn finish_cycle_while_unwinding_stw() {
    match child("finish_cycle_while_unwinding_stw") {
        None => unwinding(Mode::StopTheWorld),
        Some(fine) => assert!(fine),
    }
}

#[test]
fn finish_cycle_while_unwinding_concurrent() {
    match child("finish_cycle_while_unwinding_concurrent") {
        None => unwinding(Mode::Concurrent),
        Some(fine) => assert!(fine),
    }
}

/// `allocation_of` an address in a dead large object, which a thread is freeing.
#[test]
fn allocation_of_while_large_objects_are_swept() {
    if let Some(fine) = child("allocation_of_while_large_objects_are_swept") {
        return assert!(fine);
    }
    type Root<'gc> = Gc<'gc, Lock<u8>>;
    for reserve in [None, Some(64 << 20)] {
        let mut options = options(Mode::Concurrent).zeal(Zeal::NONE);
        if let Some(bytes) = reserve {
            options = options.reserve(bytes);
        }
        let mut arena =
            Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Gc::new(mc, Lock::new(0)))
                .unwrap();
        let mut strange = 0;
        let text = "x".repeat(100_000);
        for _ in 0..300 {
            const SIZE: usize = 100_000;
            let addresses: Vec<usize> = arena.mutate(|mc, _| {
                (0..16)
                    .map(|_| Gc::as_ptr(Gc::str_from(mc, &text)).cast::<u8>().addr())
                    .collect()
            });
            begin!(arena);
            let end = Instant::now() + Duration::from_secs(10);
            while arena.collection_phase() != CollectionPhase::Sleeping {
                arena.collect_debt();
                for _ in 0..50 {
                    for address in &addresses {
                        for inside in [0, SIZE / 2, SIZE - 1] {
                            let found = arena.allocation_of(address + inside);
                            let whole = SIZE.next_multiple_of(16);
                            if found.is_some_and(|it| (it.base, it.bytes) != (*address, whole)) {
                                strange += 1;
                            }
                        }
                    }
                }
                assert!(Instant::now() < end, "the cycle does not end");
            }
        }
        println!("answers that were never true: {strange}");
        assert_eq!(strange, 0);
    }
}

/// The longest step there is.
#[test]
fn longest_step() {
    for mode in [Mode::Incremental, Mode::Concurrent] {
        let mut arena = list(options(mode).step(Duration::MAX), 1000);
        begin!(arena);
        drive!(arena);
        check_list(&arena, 1000);
    }
}

/// An object that owns a vector.
struct Owner<'gc>(Vec<Gc<'gc, u64>>);
unsafe impl<'gc> Collect<'gc> for Owner<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

/// How much memory a program takes that allocates little while many objects have to be asked.
fn waste(mode: Mode) {
    type Root<'gc> = (Gc<'gc, u64>, Gc<'gc, [Gc<'gc, Owner<'gc>>]>);
    let options = options(mode).zeal(Zeal::NONE).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let one = Gc::new(mc, 1);
        (
            one,
            Gc::slice_from_iter(mc, (0..50_000).map(|_| Gc::new(mc, Owner(vec![one])))),
        )
    })
    .unwrap();
    arena.finish_cycle();
    let before = arena.metrics().statistics();
    begin!(arena);
    let mut safepoints = 0;
    while arena.collection_phase() == CollectionPhase::Marking && safepoints < 10_000 {
        arena.mutate(|mc, _| {
            Gc::new(mc, 1u64);
        });
        arena.collect_debt();
        safepoints += 1;
    }
    let after = arena.metrics().statistics();
    println!(
        "{mode:?}: {safepoints} safepoints: {} bytes allocated, heap grew by {} KiB",
        after.allocated_bytes - before.allocated_bytes,
        (after.heap_bytes.saturating_sub(before.heap_bytes)) >> 10
    );
    assert!(after.heap_bytes < before.heap_bytes + (4 << 20));
}

#[test]
fn waste_incremental() {
    waste(Mode::Incremental);
}

#[test]
fn waste_concurrent() {
    waste(Mode::Concurrent);
}

/// A heap in an address space of its own, without a limit, whose program makes garbage only.
fn garbage(options: HeapOptions) {
    let mut arena = list(options, 150_000);
    for _ in 0..3000 {
        arena.mutate(|mc, _| {
            for _ in 0..200 {
                Gc::new(mc, [1u64; 40]);
            }
        });
        arena.collect_debt();
    }
    println!(
        "peak: {} MiB",
        arena.metrics().statistics().peak_heap_bytes >> 20
    );
    check_list(&arena, 150_000);
}

#[test]
fn reserve_instead_of_limit() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        println!("{mode:?}, limit");
        garbage(options(mode).zeal(Zeal::NONE).limit(20 << 20));
        println!("{mode:?}, reserve");
        garbage(options(mode).zeal(Zeal::NONE).reserve(20 << 20));
    }
}

/// Arenas in thread-local variables, whose threads end in each phase.
#[test]
fn thread_local_arenas() {
    use std::cell::RefCell;
    type ListArena = Arena<Rootable![List<'_>]>;
    thread_local! {
        static ARENA: RefCell<Option<ListArena>> = const { RefCell::new(None) };
    }
    for round in 0..60u64 {
        std::thread::spawn(move || {
            ARENA.with_borrow_mut(|arena| {
                let arena = arena.insert(list(options(Mode::Concurrent).zeal(Zeal::NONE), 20_000));
                begin!(arena);
                for _ in 0..round * round / 4 {
                    arena.collect_debt();
                }
            });
        })
        .join()
        .unwrap();
    }
}

/// Many arenas in cycles at once, which share few threads, some of which are dropped meanwhile.
#[test]
fn many_arenas() {
    let mut arenas: Vec<_> = (0..30)
        .map(|_| list(options(Mode::Concurrent).zeal(Zeal::NONE), 5000))
        .collect();
    for round in 0..40 {
        for arena in &mut arenas {
            begin!(arena);
        }
        for (i, arena) in arenas.iter_mut().enumerate() {
            if i % 3 == 0 {
                arena.finish_cycle();
            } else if i % 7 == round % 7 {
                *arena = list(options(Mode::Concurrent).zeal(Zeal::NONE), 5000);
            } else if i % 5 == 0 {
                arena.mutate(|mc, root| {
                    let node = root.get().unwrap();
                    mc.forward_barrier(None, Gc::erase(node));
                });
            }
            check_list(arena, 5000);
        }
    }
    for arena in &mut arenas {
        drive!(arena);
        check_list(arena, 5000);
    }
}

/// A `trace` that reads a handle of its own arena's root set, and changes nothing.
struct Reads<'gc>(
    Vec<Gc<'gc, u64>>,
    gc_core::DynamicRootSet<'gc>,
    gc_core::DynamicRoot<Rootable![u64]>,
);
unsafe impl<'gc> Collect<'gc> for Reads<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
        cc.trace(&self.1);
        cc.trace(&self.1.fetch(&self.2));
    }
}

#[test]
fn trace_that_fetches() {
    type Root<'gc> = (
        gc_core::DynamicRootSet<'gc>,
        Gc<'gc, gc_core::RefLock<Option<Reads<'gc>>>>,
    );
    let options = options(Mode::Incremental).step(Duration::from_nanos(1));
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let set = gc_core::DynamicRootSet::new(mc);
        let handle = set.stash::<Rootable![u64]>(mc, Gc::new(mc, 5));
        (
            set,
            Gc::new(
                mc,
                gc_core::RefLock::new(Some(Reads(vec![Gc::new(mc, 1)], set, handle))),
            ),
        )
    })
    .unwrap();
    begin!(arena);
    assert_eq!(arena.collection_phase(), CollectionPhase::Marking);
    arena.mutate(|mc, root| {
        root.1
            .borrow_mut(mc)
            .as_mut()
            .unwrap()
            .0
            .push(Gc::new(mc, 2))
    });
    drive!(arena);
}
