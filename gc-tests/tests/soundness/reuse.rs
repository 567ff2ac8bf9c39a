//! Memory that is used again: by the same heap for something else, and by other heaps. What the
//! metadata said of the objects before must not be said of those after.

use std::iter::repeat_n;
use std::sync::Barrier;

use gc_core::{Arena, Collect, Gc, GcWeak, HeapOptions, Lock, RefLock, Rootable};

use crate::checked;

type WeakSlice<'gc> = Gc<'gc, [Option<GcWeak<'gc, [usize]>>]>;

/// Leaves every kind of mark that metadata can have: strong and weak tags, tags that move, shells,
/// values to drop; in small and in large objects.
#[derive(Collect)]
#[collect(no_drop)]
struct Litter<'gc> {
    weak: Vec<GcWeak<'gc, [usize]>>,
    cells: Vec<Gc<'gc, Lock<Either<'gc>>>>,
    weak_slices: Vec<WeakSlice<'gc>>,
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Either<'gc> {
    Weak(GcWeak<'gc, [usize]>),
    Numbers(usize, [usize; 2]),
}

type Dump = Arena<Rootable![Gc<'_, RefLock<Option<Litter<'_>>>>]>;

fn dump(options: HeapOptions) -> Dump {
    Arena::with_options(options, |mc| Gc::new(mc, RefLock::new(None))).unwrap()
}

fn litter(arena: &mut Dump, longest: usize) {
    arena.mutate(|mc, root| {
        let numbers =
            |i: usize| Gc::downgrade(Gc::slice_from_iter(mc, repeat_n(7, 1 + i * 97 % longest)));
        let slice = |i: usize| repeat_n(Some(numbers(i)), 1 + i * 89 % longest);
        *root.borrow_mut(mc) = Some(Litter {
            weak: (0..200).map(numbers).collect(),
            cells: (0..200)
                .map(|i| Gc::new(mc, Lock::new(Either::Weak(numbers(i)))))
                .collect(),
            weak_slices: (0..20).map(|i| Gc::slice_from_iter(mc, slice(i))).collect(),
        });
    });
    arena.finish_cycle();
    arena.mutate(|mc, root| {
        let litter = root.borrow();
        let litter = litter.as_ref().unwrap();
        assert!(litter.weak.iter().all(|weak| weak.upgrade(mc).is_none()));
        for (i, cell) in litter.cells.iter().enumerate() {
            assert!(matches!(cell.get(), Either::Weak(weak) if weak.is_dropped()));
            cell.set(mc, Either::Numbers(i, [i; 2]));
        }
    });
}

/// Fills the memory with words that look like pointers and are none, beside some that are.
fn build_upon(arena: &mut Dump, longest: usize) {
    arena.mutate(|mc, root| *root.borrow_mut(mc) = None);
    arena.finish_cycle();
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 1);
    let mut numbers = Vec::new();
    arena.mutate(|mc, root| {
        let targets: Vec<_> = (0..200)
            .map(|i| Gc::slice_from_iter(mc, repeat_n(i, 1 + i * 61 % longest)))
            .collect();
        // A number that is the address of an object, or of none.
        let address = |i: usize| Gc::as_ptr(targets[i % 200]).addr() + (i % 3) * 16;
        for i in 0..300 {
            let words = Gc::slice_from_iter(mc, (0..1 + i * 53 % longest).map(|_| address(i)));
            numbers.push(Gc::as_ptr(words).addr());
        }
        *root.borrow_mut(mc) = Some(Litter {
            weak: targets.iter().map(|gc| Gc::downgrade(*gc)).collect(),
            cells: Vec::new(),
            weak_slices: Vec::new(),
        });
        assert!(
            targets
                .iter()
                .all(|gc| Gc::downgrade(*gc).upgrade(mc).is_some())
        );
        assert!(targets.iter().all(|gc| !Gc::downgrade(*gc).is_dropped()));
    });
    arena.verify().unwrap();
    for base in numbers {
        assert_eq!(arena.tagged_words(base), []);
    }
    arena.finish_cycle();
    // The root, and the shells of the targets.
    assert_eq!(arena.metrics().total_gc_count(), 201);
}

#[test]
fn by_the_same_heap() {
    for (longest, reserve) in [(30, 4 << 20), (9000, 64 << 20)] {
        let mut arena = dump(checked().reserve(reserve));
        for _ in 0..2 {
            litter(&mut arena, longest);
            build_upon(&mut arena, longest);
        }
    }
}

#[test]
fn under_a_limit_that_makes_blocks_come_and_go() {
    let mut arena = dump(checked().limit(24 << 20).floor(0).growth(0));
    for round in 0..4 {
        let longest = [30, 9000, 500, 4000][round];
        litter(&mut arena, longest);
        build_upon(&mut arena, longest);
        let statistics = arena.metrics().statistics();
        assert!(statistics.peak_heap_bytes <= 24 << 20, "{statistics:?}");
    }
}

/// Each heap ends before the next begins, and so they have the same number and the same blocks.
#[test]
fn by_one_heap_after_the_other() {
    for longest in [30, 9000, 400] {
        litter(&mut dump(checked()), longest);
        let mut next = dump(checked());
        build_upon(&mut next, longest);
        litter(&mut next, 9030 - longest);
    }
}

#[test]
fn by_heaps_of_other_threads() {
    const THREADS: usize = 4;
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let together = &together;
            scope.spawn(move || {
                for round in 0..4 {
                    let longest = [30, 600, 5000][(thread + round) % 3];
                    let mut arena = dump(checked());
                    litter(&mut arena, longest);
                    if (thread + round) % 2 == 0 {
                        build_upon(&mut arena, longest);
                    }
                    together.wait();
                    drop(arena);
                }
            });
        }
    });
}
