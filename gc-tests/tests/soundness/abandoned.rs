//! Cycles that are abandoned because a `trace` panics, after cells were written whose pointers move:
//! what the barriers noted must not be lost with the cycle.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, RefLock, Rootable};

use crate::checked;

struct Bomb<'gc> {
    armed: Rc<Cell<bool>>,
    behind: Gc<'gc, u64>,
}

// SAFETY: the one pointer is visited in place, unless `trace` does not return.
#[allow(unsafe_code, reason = "no derived `trace` panics")]
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.behind);
        assert!(!self.armed.get(), "bang");
    }
}

/// A pointer in one word or in the other, or in none; strong or weak.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Moving<'gc> {
    None(usize, usize),
    First(Gc<'gc, u64>, usize),
    Second(usize, Gc<'gc, u64>),
    Weak(GcWeak<'gc, u64>, usize),
}

type Slot<'gc> = Gc<'gc, Lock<Moving<'gc>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    before: Gc<'gc, RefLock<Vec<Slot<'gc>>>>,
    bomb: Gc<'gc, Bomb<'gc>>,
    slots: Gc<'gc, RefLock<Vec<Slot<'gc>>>>,
}

const SLOTS: usize = 400;

fn value<'gc>(mc: &gc_core::Mutation<'gc>, slot: usize, round: usize) -> Moving<'gc> {
    let number = || Gc::new(mc, (slot * 100 + round) as u64);
    match (slot + round) % 4 {
        0 => Moving::None(0xbad0, round),
        1 => Moving::First(number(), round),
        2 => Moving::Second(round, number()),
        _ => Moving::Weak(Gc::downgrade(number()), round),
    }
}

#[test]
fn writes_before_them_are_remembered() {
    let armed = Rc::new(Cell::new(false));
    let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |mc| {
        let slots = || {
            let slots = (0..SLOTS).map(|_| Gc::new(mc, Lock::new(Moving::None(0, 0))));
            Gc::new(mc, RefLock::new(slots.collect()))
        };
        let behind = Gc::new(mc, 7);
        let bomb = Bomb {
            armed: armed.clone(),
            behind,
        };
        Roots {
            before: slots(),
            bomb: Gc::new(mc, bomb),
            slots: slots(),
        }
    })
    .unwrap();
    let mut written = vec![0; SLOTS];
    for round in 1..30 {
        arena.mutate(|mc, root| {
            for slot in (0..SLOTS).filter(|slot| slot % 7 == round % 7) {
                root.before.borrow()[slot].set(mc, value(mc, slot, round));
                root.slots.borrow()[slot].set(mc, value(mc, slot, round));
                written[slot] = round;
            }
        });
        armed.set(true);
        for _ in 0..1 + round % 2 {
            assert!(catch_unwind(AssertUnwindSafe(|| arena.finish_cycle())).is_err());
        }
        armed.set(false);
        if round % 3 == 0 {
            arena.verify().unwrap();
        }
        if round % 2 == 0 {
            arena.finish_cycle();
        }
        arena.mutate(|mc, root| {
            for cells in [root.before, root.slots] {
                for (slot, cell) in cells.borrow().iter().enumerate() {
                    let round = written[slot];
                    let number = (slot * 100 + round) as u64;
                    match cell.get() {
                        Moving::None(..) => {}
                        Moving::First(gc, r) | Moving::Second(r, gc) => {
                            assert_eq!((*gc, r), (number, round));
                        }
                        Moving::Weak(weak, r) => {
                            assert_eq!(r, round);
                            assert_eq!(weak.is_dropped(), weak.upgrade(mc).is_none());
                            assert!(weak.upgrade(mc).is_none_or(|gc| *gc == number));
                        }
                    }
                }
            }
            assert_eq!(*root.bomb.behind, 7);
        });
    }
}
