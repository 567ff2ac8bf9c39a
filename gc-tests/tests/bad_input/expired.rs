//! A `trace` that leaves out what has expired breaks its contract, and the reports name its type.
//!
//! The table is one of guests, each of whom stays as long as somebody outside of the heap has the ticket.

use std::rc::{Rc, Weak};
use std::time::Duration;

use gc_core::collect::Trace;
use gc_core::{Arena, Collect, Gc, HeapOptions, Mode, RefLock, Rootable, Zeal};

use crate::panic_of;
use gc_tests::cycle::{begin, in_cycle};

type Guest<'gc> = Gc<'gc, [u64; 4]>;

struct Guests<'gc>(Vec<(Weak<()>, Guest<'gc>)>);

// SAFETY: none: those whose tickets are gone are left out. That nobody gets them any more is not enough.
unsafe impl<'gc> Collect<'gc> for Guests<'gc> {
    fn trace<C: Trace<'gc>>(&self, cc: &mut C) {
        for (ticket, guest) in &self.0 {
            if ticket.strong_count() > 0 {
                cc.trace(guest);
            }
        }
    }
}

impl<'gc> Guests<'gc> {
    fn first(&self) -> Option<Guest<'gc>> {
        let (ticket, guest) = &self.0[0];
        ticket.upgrade().map(|_| *guest)
    }
}

/// A chain that a marker has to walk before it comes to the table.
#[derive(Collect)]
#[collect(no_drop)]
enum Way<'gc> {
    Step(Gc<'gc, Way<'gc>>),
    End(Gc<'gc, Guests<'gc>>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct House<'gc> {
    way: Gc<'gc, Way<'gc>>,
    guests: Gc<'gc, Guests<'gc>>,
    /// Where a guest is put whom somebody has got from the table.
    room: Gc<'gc, RefLock<Vec<Guest<'gc>>>>,
}

type Houses = Arena<Rootable![House<'_>]>;

/// A cycle begins, a guest moves from the table to the room, and the ticket goes before the table is traced.
fn expire_in_a_cycle(zeal: Zeal) -> Houses {
    let ticket = Rc::new(());
    let options = HeapOptions::default()
        .mode(Mode::Incremental)
        .step(Duration::ZERO)
        .zeal(zeal);
    let mut arena = Houses::with_options(options, |mc| {
        let guest = Gc::new(mc, [7; 4]);
        let guests = Gc::new(mc, Guests(vec![(Rc::downgrade(&ticket), guest)]));
        let mut way = Gc::new(mc, Way::End(guests));
        for _ in 0..1000 {
            way = Gc::new(mc, Way::Step(way));
        }
        let room = Gc::new(mc, RefLock::default());
        House { way, guests, room }
    })
    .unwrap();
    arena.finish_cycle();
    begin(&mut arena);
    assert!(in_cycle(&arena));
    arena.mutate(|mc, house| {
        let guest = house.guests.first().expect("the ticket is there");
        house.room.borrow_mut(mc).push(guest);
        // The way leads to the same table.
        let mut way = house.way;
        while let Way::Step(next) = *way {
            way = next;
        }
        assert!(matches!(*way, Way::End(guests) if Gc::ptr_eq(guests, house.guests)));
    });
    drop(ticket);
    arena
}

#[test]
fn the_naive_marker_names_the_table() {
    let mut arena = expire_in_a_cycle(Zeal {
        naive_mark: true,
        ..Zeal::NONE
    });
    let report = panic_of(|| arena.finish_cycle());
    assert!(report.contains("has missed the object"), "{report}");
    assert!(report.contains("RefLock"), "{report}");
    assert!(
        report.contains("expired::Guests<'_>` at ") && report.contains("does not any more"),
        "{report}"
    );
}

#[test]
fn verify_names_who_has_a_pointer_to_what_was_freed() {
    let mut arena = expire_in_a_cycle(Zeal::NONE);
    arena.finish_cycle();
    let error = arena.verify().unwrap_err();
    assert!(error.finding.contains("RefLock"), "{error}");
    assert!(
        error.finding.contains("where no allocation starts"),
        "{error}"
    );
    arena.mutate(|_, house| {
        assert_eq!(error.address, Gc::as_ptr(house.room).addr());
    });
}
