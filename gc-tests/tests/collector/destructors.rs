//! Values with destructors weigh more to the pacer. That must not let the heap itself grow by more.

use std::cell::Cell;
use std::rc::Rc;

use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, HeapOptions, Lock, Mode, Rootable, Zeal};
use gc_tests::drops::Counted;

/// Has a destructor, and fills much of the heap.
struct Owner(
    [u64; 126],
    #[allow(dead_code, reason = "it makes the type one with a destructor")] Box<u8>,
);

// SAFETY: it holds no pointers.
unsafe impl<'gc> Collect<'gc> for Owner {
    const NEEDS_TRACE: bool = false;
}

type Root<'gc> = Vec<Gc<'gc, Owner>>;

fn owners(options: HeapOptions, mebibytes: usize) -> Arena<Rootable![Root<'_>]> {
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let make = |number| Gc::new(mc, Owner([number; 126], Box::new(1)));
        (0..mebibytes as u64 * 1024).map(make).collect()
    })
    .unwrap();
    arena.finish_cycle();
    arena
}

/// A heap below its limit, which is nowhere near what is alive, collects what has no destructors in time.
#[test]
fn a_limit_is_kept_where_values_with_destructors_survive() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let limit = 64 << 20;
        let mut arena = owners(HeapOptions::default().mode(mode).limit(limit), 24);
        for step in 0..150_000 {
            arena.mutate(|mc, _| {
                let made = Gc::try_new(mc, [step as u64; 127]);
                assert!(made.is_ok(), "{mode:?}, {step}: {:?}", made.err());
            });
            arena.collect_debt();
        }
        arena.mutate(|_, root| assert_eq!(root[7].0[100], 7));
    }
}

/// How many bytes without destructors can be allocated until a collection is due.
fn until_due<R>(arena: &mut Arena<R>) -> usize
where
    R: for<'a> Rootable<'a>,
    for<'a> gc_core::arena::Root<'a, R>: Collect<'a>,
{
    let mut steps = 0;
    while arena.metrics().allocation_debt() == 0.0 {
        arena.mutate(|mc, _| (0..64).for_each(|_| _ = Gc::new(mc, [0_u64; 127])));
        steps += 1;
    }
    steps * 64 * 1024
}

/// The heap grows by no more with destructors than without.
#[test]
fn garbage_without_destructors_does_not_pile_up_beside_values_with_them() {
    let options = || {
        HeapOptions::default()
            .mode(Mode::StopTheWorld)
            .square_root_growth(0)
    };
    let beside_owners = until_due(&mut owners(options(), 32));
    let mut leaves = Arena::<Rootable![Vec<Gc<'_, [u64; 127]>>]>::with_options(options(), |mc| {
        (0..32 << 10).map(|_| Gc::new(mc, [1; 127])).collect()
    })
    .unwrap();
    leaves.finish_cycle();
    let beside_leaves = until_due(&mut leaves);
    assert!(
        beside_owners <= beside_leaves + (1 << 20),
        "{beside_owners} and {beside_leaves}"
    );
}

/// Shares blocks with values that have destructors.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
#[allow(dead_code, reason = "it may be either")]
enum Word<'gc> {
    Number(usize),
    Pointer(Gc<'gc, u64>),
}

/// One value with a destructor in a block of others does not make them all weigh more than what is allocated.
#[test]
fn a_few_values_with_destructors_do_not_let_a_heap_of_others_grow() {
    type Mixed<'gc> = Vec<(Gc<'gc, Lock<Word<'gc>>>, Option<Gc<'gc, String>>)>;
    let options = || {
        HeapOptions::default()
            .mode(Mode::StopTheWorld)
            .square_root_growth(0)
    };
    let growth = |every: usize| {
        let mut arena = Arena::<Rootable![Mixed<'_>]>::with_options(options(), |mc| {
            let make = |number: usize| {
                let text = (number % every == 1).then(|| Gc::new(mc, String::from("x")));
                (Gc::new(mc, Lock::new(Word::Number(number))), text)
            };
            (0..1 << 19).map(make).collect()
        })
        .unwrap();
        arena.finish_cycle();
        until_due(&mut arena)
    };
    let (without, with) = (growth(usize::MAX), growth(500));
    assert!(with <= without + (without / 8), "{with} and {without}");
}

/// A value that a `Weak` of `std` shares is dropped by the collector if that was its last owner, after the cycle. That some may wait
/// for this does not end a collection before it has swept.
#[test]
fn weak_pointers_of_std_do_not_hold_up_a_collection() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Shared<'gc>(Gc<'gc, u64>);
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        strong: Rc<Shared<'gc>>,
        local: std::rc::Weak<Shared<'gc>>,
        across: std::sync::Weak<Shared<'gc>>,
        owner: std::sync::Arc<Shared<'gc>>,
    }
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let options = HeapOptions::default()
            .mode(mode)
            .concurrent_from(0)
            .zeal(Zeal::NONE);
        let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(options, |mc| {
            let strong = Rc::new(Shared(Gc::new(mc, 1)));
            let owner = std::sync::Arc::new(Shared(Gc::new(mc, 2)));
            Roots {
                local: Rc::downgrade(&strong),
                across: std::sync::Arc::downgrade(&owner),
                strong,
                owner,
            }
        })
        .unwrap();
        let dropped: Rc<Cell<usize>> = Rc::default();
        for round in 1..4 {
            arena.mutate(|mc, _| {
                Gc::new(mc, Counted(dropped.clone()));
                Gc::new(mc, 3_u64);
            });
            arena.finish_cycle();
            assert_eq!(
                arena.collection_phase(),
                CollectionPhase::Sleeping,
                "{mode:?}"
            );
            assert_eq!(arena.metrics().total_gc_count(), 2, "{mode:?}");
            assert_eq!(arena.metrics().statistics().collections, round, "{mode:?}");
            assert_eq!(dropped.get() as u64, round, "{mode:?}");
        }
        arena.mutate(|_, roots| {
            assert_eq!(*roots.local.upgrade().unwrap().0, *roots.strong.0);
            assert_eq!(*roots.across.upgrade().unwrap().0, *roots.owner.0);
        });
    }
}
