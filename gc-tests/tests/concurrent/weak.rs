//! Weak pointers in the middle of a cycle: what comes back by one stays whole, with all that it leads
//! to; and what does not come back never does.

use gc_core::{Arena, Collect, Gc, GcWeak, Lock, RefLock, Rootable};
use gc_tests::seed::Seed;

use crate::cargo::{Ballast, Cargo, Crate, Moving, OBJECTS, litter};
use crate::{begin, delay, in_each_way, run_out, steps};

/// A list behind a weak pointer: to come back, all of it must.
#[derive(Collect)]
#[collect(no_drop)]
struct Chain<'gc> {
    cargo: Crate<'gc>,
    next: Option<Gc<'gc, Chain<'gc>>>,
}

const LENGTH: u64 = 5;

impl<'gc> Chain<'gc> {
    fn check(mut self: &Chain<'gc>, id: u64) {
        for expected in (0..LENGTH).rev() {
            assert_eq!(self.cargo.id(), id * LENGTH + expected);
            match self.next {
                Some(next) => self = next.as_ref(),
                None => assert_eq!(expected, 0),
            }
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    weak: Gc<'gc, [Lock<Option<GcWeak<'gc, Chain<'gc>>>>]>,
    /// To the last object of the same chain.
    weak_end: Gc<'gc, [Lock<Option<GcWeak<'gc, Chain<'gc>>>>]>,
    strong: Gc<'gc, [Lock<Option<Gc<'gc, Chain<'gc>>>>]>,
    bare: Vec<Option<Gc<'gc, Chain<'gc>>>>,
    ballast: Option<Gc<'gc, Ballast<'gc>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;

fn fill(heap: &mut Heap, ids: std::ops::Range<usize>) {
    heap.mutate(|mc, roots| {
        for index in ids {
            let mut end = None;
            let chain = (0..LENGTH).fold(None, |next, place| {
                let cargo = Cargo::new(mc, index as u64 * LENGTH + place);
                let chain = Gc::new(mc, Chain { cargo, next });
                end = end.or(Some(chain));
                Some(chain)
            });
            Gc::write(mc, roots.weak)[index]
                .unlock()
                .set(chain.map(Gc::downgrade));
            Gc::write(mc, roots.weak_end)[index]
                .unlock()
                .set(end.map(Gc::downgrade));
            Gc::write(mc, roots.strong)[index].unlock().set(chain);
        }
    });
}

fn new_heap(way: crate::Way, count: usize) -> Heap {
    let mut heap = Heap::with_options(way.options(), |mc| Roots {
        weak: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(None))),
        weak_end: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(None))),
        strong: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(None))),
        bare: vec![None; count],
        ballast: Ballast::new(mc, way.size(100, 2000)),
    })
    .unwrap();
    fill(&mut heap, 0..count);
    heap
}

#[test]
fn what_is_upgraded_and_stored_stays() {
    in_each_way(|way| {
        let count = way.size(60, 600);
        let seed = Seed::or(2);
        let mut random = seed.random();
        for round in 0..way.size(8, 30) {
            let mut heap = new_heap(way, count);
            // Some are unreachable from the beginning of the cycle, some die in it.
            let mut cut = |heap: &mut Heap, one_in| {
                heap.mutate(|mc, roots| {
                    for strong in (0..count).filter(|_| random.one_in(one_in)) {
                        Gc::write(mc, roots.strong)[strong].unlock().set(None);
                    }
                });
            };
            cut(&mut heap, 2);
            begin(&mut heap);
            steps(&mut heap, delay(round) / 2);
            cut(&mut heap, 3);
            steps(&mut heap, delay(round) / 2);
            // Upgrade each in one of several ways, and store half of what comes.
            let mut came = vec![false; count];
            for (index, came) in came.iter_mut().enumerate() {
                if random.one_in(15) {
                    heap.collect_debt();
                }
                heap.mutate_root(|mc, roots| {
                    let strong = roots.strong[index].get();
                    let end = roots.weak_end[index].get().unwrap();
                    // The order of the two questions is not to matter.
                    let first = (index % 2 == 0).then(|| end.upgrade(mc));
                    let upgraded = roots.weak[index].get().unwrap().upgrade(mc);
                    let end = first.unwrap_or_else(|| end.upgrade(mc));
                    assert!(
                        strong.is_none() || upgraded.is_some(),
                        "{index} is reachable"
                    );
                    assert!(
                        upgraded.is_none() || end.is_some(),
                        "{index} came without what it leads to"
                    );
                    let Some(chain) = upgraded else { return };
                    litter(mc, 1);
                    chain.check(index as u64);
                    *came = index % 4 < 2;
                    match index % 4 {
                        0 => Gc::write(mc, roots.strong)[index].unlock().set(Some(chain)),
                        1 => roots.bare[index] = Some(chain),
                        _ => {}
                    }
                });
            }
            if round % 2 == 0 {
                run_out(&mut heap);
            }
            heap.mutate(|mc, _| litter(mc, 50));
            heap.finish_cycle();
            heap.mutate(|mc, roots| {
                litter(mc, 50);
                for (index, came) in came.iter().enumerate() {
                    let kept = roots.bare[index].or(roots.strong[index].get());
                    assert!(kept.is_some() || !came);
                    if let Some(chain) = kept {
                        chain.check(index as u64);
                    }
                    // Now it is certain for all.
                    let upgraded = roots.weak[index].get().unwrap().upgrade(mc);
                    assert_eq!(upgraded.is_some(), kept.is_some());
                    let end = roots.weak_end[index].get().unwrap();
                    assert_eq!(end.is_dropped(), kept.is_none());
                }
            });
        }
    });
}

#[test]
fn gone_is_gone() {
    in_each_way(|way| {
        let count = way.size(60, 1000);
        let mut heap = new_heap(way, count);
        heap.mutate(|mc, roots| {
            for index in (0..count).step_by(3) {
                Gc::write(mc, roots.strong)[index].unlock().set(None);
            }
        });
        let mut gone = vec![false; count];
        begin(&mut heap);
        for step in 0..way.size(20, 300) {
            heap.mutate(|mc, roots| {
                // Not all are asked at each step: whoever is asked may stay for it.
                for (index, gone) in gone.iter_mut().enumerate().skip(step % 7).step_by(7) {
                    let weak = roots.weak[index].get().unwrap();
                    let dropped = weak.is_dropped();
                    let upgraded = weak.upgrade(mc);
                    assert!(!dropped || upgraded.is_none());
                    assert!(!*gone || upgraded.is_none(), "{index} came back");
                    assert!(index % 3 == 0 || upgraded.is_some(), "{index} is reachable");
                    *gone = upgraded.is_none();
                    if let Some(chain) = upgraded {
                        chain.check(index as u64);
                    }
                }
                litter(mc, 5);
            });
            heap.collect_debt();
        }
        heap.finish_cycle();
        heap.mutate(|mc, roots| {
            for index in 0..count {
                let upgraded = roots.weak[index].get().unwrap().upgrade(mc);
                assert_eq!(upgraded.is_some(), index % 3 != 0);
            }
        });
    });
}

#[test]
fn weak_pointers_that_are_made_in_the_middle() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        strong: Vec<Crate<'gc>>,
        cells: Gc<'gc, [Lock<Moving<'gc>>]>,
        outside: Gc<'gc, RefLock<Vec<GcWeak<'gc, Cargo<'gc>>>>>,
        ballast: Option<Gc<'gc, Ballast<'gc>>>,
    }
    in_each_way(|way| {
        let count = way.size(40, 500);
        let ballast = way.size(100, 2000);
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| Roots {
            strong: (0..count).map(|id| Cargo::new(mc, id as u64)).collect(),
            cells: Gc::slice_from_iter(mc, (0..count).map(|_| Lock::new(Moving::Empty(0, 0)))),
            outside: Gc::new(mc, RefLock::default()),
            ballast: Ballast::new(mc, ballast),
        })
        .unwrap();
        for round in 0..way.size(6, 20) {
            begin(&mut heap);
            steps(&mut heap, delay(round));
            // Of old objects and new ones, which then lose their strong pointers.
            heap.mutate_root(|mc, roots| {
                let mut outside = roots.outside.borrow_mut(mc);
                outside.clear();
                for (index, strong) in roots.strong.iter_mut().enumerate() {
                    let old = *strong;
                    let cell = Moving::Weak(Gc::downgrade(old), index);
                    Gc::write(mc, roots.cells)[index].unlock().set(cell);
                    if index % 2 == round % 2 {
                        *strong = Cargo::new(mc, index as u64);
                        outside.push(Gc::downgrade(Cargo::new(mc, index as u64)));
                    }
                }
            });
            steps(&mut heap, round);
            heap.mutate(|mc, roots| {
                litter(mc, 10);
                for weak in roots.outside.borrow().iter() {
                    assert!(
                        weak.upgrade(mc)
                            .is_none_or(|cargo| cargo.id() < count as u64)
                    );
                }
            });
            heap.finish_cycle();
            heap.mutate(|mc, roots| {
                for weak in roots.outside.borrow().iter() {
                    assert!(weak.upgrade(mc).is_none());
                }
                for (index, cell) in roots.cells.iter().enumerate() {
                    let Moving::Weak(weak, _) = cell.get() else {
                        panic!("the cell is not weak")
                    };
                    match weak.upgrade(mc) {
                        None => assert_eq!(index % 2, round % 2),
                        Some(cargo) => assert!(Gc::ptr_eq(cargo, roots.strong[index])),
                    }
                }
                Ballast::check(roots.ballast, ballast);
            });
            let shells = count.div_ceil(2) * 2;
            let most = 2 + ballast + OBJECTS * count + shells;
            assert!(heap.metrics().total_gc_count() <= most);
        }
        // When the weak pointers are gone, their shells are.
        heap.mutate(|mc, roots| {
            roots.outside.borrow_mut(mc).clear();
            for index in 0..count {
                let cell = Gc::write(mc, roots.cells)[index].unlock();
                cell.set(Moving::Empty(index, index));
            }
        });
        heap.finish_cycle();
        let expected = 2 + ballast + OBJECTS * count;
        assert_eq!(heap.metrics().total_gc_count(), expected);
    });
}
