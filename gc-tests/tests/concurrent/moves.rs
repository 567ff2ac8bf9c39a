//! The only pointer to an object goes from one place to another, in the middle of a cycle.
//!
//! A marker that has been at the new place and comes to the old one later finds the pointer at
//! neither. Here many pointers go between places of all kinds, at a time that differs in each round,
//! so that each of the two is before the marker, behind it, new, or the root.

use gc_core::{Arena, Collect, Gc, Lock, Rootable};
use gc_tests::random::Random;
use gc_tests::seed::Seed;

use crate::cargo::{Ballast, Cargo, Crate, Holder, KINDS, OBJECTS, litter};
use crate::{Way, begin, delay, in_each_way, run_out, steps};

#[derive(Collect)]
#[collect(no_drop)]
struct Field<'gc> {
    before: Option<Gc<'gc, Ballast<'gc>>>,
    holders: Gc<'gc, [Holder<'gc>]>,
    after: Option<Gc<'gc, Ballast<'gc>>>,
    /// New objects with cargo.
    fresh: Vec<Holder<'gc>>,
    /// Cargo in the root itself.
    bare: Vec<Crate<'gc>>,
}

/// The number of elements of the shared slices; an array of the larger ones is a large object.
const SLICES: [usize; 3] = [7, 1100, 4200];

struct Yard {
    arena: Arena<Rootable![Field<'_>]>,
    /// What ought to be in each holder.
    holders: Vec<Option<u64>>,
    fresh: Vec<u64>,
    bare: Vec<u64>,
    /// The number of objects when nothing is in a new one.
    objects: usize,
    ballast: usize,
}

impl Yard {
    /// A field of which about the half is full.
    fn new(way: Way, count: usize) -> Yard {
        let ballast = way.size(300, 3000);
        let ids = |index: usize| index.is_multiple_of(2).then_some(index as u64);
        let arena = Arena::with_options(way.options(), |mc| {
            let slices = SLICES.map(|length| {
                let empty = (0..length).map(|_| Lock::new(None));
                Gc::slice_from_iter(mc, empty)
            });
            let before = Ballast::new(mc, ballast);
            let holders = Gc::slice_from_iter(
                mc,
                (0..count).map(|index| {
                    let cargo = ids(index).map(|id| Cargo::new(mc, id));
                    let slice = slices[index % SLICES.len()];
                    let element = index * 11 % SLICES[index % SLICES.len()];
                    let holder = match index % (KINDS + 2) {
                        KINDS => Holder::Slice(slice, element),
                        kind if kind > KINDS => Holder::Element(slice, element),
                        kind => return Holder::new(mc, kind, cargo),
                    };
                    // Two holders may be the same place.
                    if holder.get().is_none() {
                        holder.set(mc, cargo);
                    }
                    holder
                }),
            );
            Field {
                before,
                holders,
                after: Ballast::new(mc, ballast),
                fresh: Vec::new(),
                bare: Vec::new(),
            }
        })
        .unwrap();
        let mut yard = Yard {
            arena,
            holders: Vec::new(),
            fresh: Vec::new(),
            bare: Vec::new(),
            objects: 0,
            ballast,
        };
        // What is there after a full collection is what is looked for from then on.
        yard.arena.finish_cycle();
        yard.holders = yard.arena.mutate(|_, field| {
            let id = |holder: &Holder<'_>| holder.get().map(|cargo| cargo.id());
            field.holders.iter().map(id).collect()
        });
        yard.objects = yard.arena.metrics().total_gc_count();
        yard
    }

    /// Moves one cargo from somewhere to somewhere, in one call or in two.
    fn carry(&mut self, random: &mut Random) {
        let (from, to) = (
            random.below(self.holders.len()),
            random.below(self.holders.len()),
        );
        let kind = random.below(KINDS);
        let in_two_calls = random.one_in(3);
        match random.below(5) {
            // From one holder to another.
            0 | 1 => {
                self.arena.mutate(|mc, field| {
                    let (from, to) = (field.holders[from], field.holders[to]);
                    if let (Some(cargo), None) = (from.get(), to.get()) {
                        to.set(mc, Some(cargo));
                        if !in_two_calls {
                            from.set(mc, None);
                        }
                    }
                });
                if let (Some(id), None) = (self.holders[from], self.holders[to]) {
                    if in_two_calls {
                        if random.one_in(2) {
                            self.arena.collect_debt();
                        }
                        self.arena
                            .mutate(|mc, field| field.holders[from].set(mc, None));
                    }
                    self.put(from, None);
                    self.put(to, Some(id));
                }
            }
            // From a holder into a new object.
            2 => {
                let Some(id) = self.holders[from] else { return };
                self.put(from, None);
                self.fresh.push(id);
                self.arena.mutate_root(|mc, field| {
                    let cargo = field.holders[from].get();
                    let holder = if in_two_calls {
                        let holder = Holder::new(mc, kind, None);
                        holder.set(mc, cargo);
                        holder
                    } else {
                        Holder::new(mc, kind, cargo)
                    };
                    field.fresh.push(holder);
                    field.holders[from].set(mc, None);
                });
            }
            // From a holder into the root.
            3 => {
                let Some(id) = self.holders[from] else { return };
                self.put(from, None);
                self.bare.push(id);
                self.arena
                    .mutate_root(|mc, field| field.bare.extend(field.holders[from].take(mc)));
            }
            // From a new object or the root into a holder.
            _ => {
                if self.holders[to].is_some() {
                    return;
                }
                let id = if in_two_calls {
                    self.fresh.pop()
                } else {
                    self.bare.pop()
                };
                let Some(id) = id else { return };
                self.put(to, Some(id));
                self.arena.mutate_root(|mc, field| {
                    let cargo = if in_two_calls {
                        field.fresh.pop().expect("it has as many").take(mc)
                    } else {
                        field.bare.pop()
                    };
                    field.holders[to].set(mc, cargo);
                });
            }
        }
    }

    /// Notes what is in a holder, and in those that are the same place.
    fn put(&mut self, holder: usize, id: Option<u64>) {
        let place = |index: usize| {
            let slice = index % SLICES.len();
            (index % (KINDS + 2) >= KINDS).then(|| (slice, index * 11 % SLICES[slice]))
        };
        self.holders[holder] = id;
        if let Some(wanted) = place(holder) {
            for index in 0..self.holders.len() {
                if place(index) == Some(wanted) {
                    self.holders[index] = id;
                }
            }
        }
    }

    fn check(&self) {
        self.arena.mutate(|_, field| {
            Ballast::check(field.before, self.ballast);
            Ballast::check(field.after, self.ballast);
            for (index, (holder, expected)) in field.holders.iter().zip(&self.holders).enumerate() {
                let found = holder.get().map(|cargo| cargo.id());
                assert_eq!(found, *expected, "holder {index}");
            }
            for (holder, expected) in field.fresh.iter().zip(&self.fresh) {
                assert_eq!(holder.get().map(|cargo| cargo.id()), Some(*expected));
            }
            for (cargo, expected) in field.bare.iter().zip(&self.bare) {
                assert_eq!(cargo.id(), *expected);
            }
        });
    }
}

#[test]
fn nothing_is_lost_and_nothing_kept() {
    in_each_way(|way| {
        let seed = Seed::or(1);
        let mut random = seed.random();
        let mut yard = Yard::new(way, way.size(400, 4000));
        for round in 0..way.size(16, 40) {
            begin(&mut yard.arena);
            steps(&mut yard.arena, way.size(round % 8, delay(round)));
            for _ in 0..way.size(10, 400) {
                yard.carry(&mut random);
                if random.one_in(20) {
                    yard.arena.mutate(|mc, _| litter(mc, 2));
                }
                if random.one_in(way.size(10, 50)) {
                    yard.arena.collect_debt();
                }
            }
            yard.check();
            match round % 3 {
                0 => run_out(&mut yard.arena),
                1 => steps(&mut yard.arena, 3),
                _ => {
                    yard.arena.finish_cycle();
                    let found = yard.arena.metrics().total_gc_count();
                    assert_eq!(found, yard.objects + yard.fresh.len());
                    yard.arena.verify().unwrap();
                }
            }
            yard.arena.mutate(|mc, _| litter(mc, 100));
            yard.check();
        }
        // Nothing of it is kept when it is not reachable.
        yard.arena.mutate_root(|mc, field| {
            for holder in field.holders.iter() {
                holder.set(mc, None);
            }
            field.fresh.clear();
            field.bare.clear();
        });
        let cargo: std::collections::BTreeSet<u64> = yard
            .holders
            .iter()
            .flatten()
            .chain(&yard.fresh)
            .chain(&yard.bare)
            .copied()
            .collect();
        yard.arena.finish_cycle();
        assert_eq!(
            yard.arena.metrics().total_gc_count(),
            yard.objects - OBJECTS * cargo.len()
        );
    });
}

/// The same with one pointer, at each step of a cycle, in each of the ways in which it can go.
#[test]
fn one_pointer_at_each_step() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Two<'gc> {
        first: Holder<'gc>,
        list: Option<Gc<'gc, Ballast<'gc>>>,
        second: Holder<'gc>,
    }
    in_each_way(|way| {
        let length = way.size(100, 1000);
        for (from, to) in (0..KINDS).flat_map(|from| (0..KINDS).map(move |to| (from, to))) {
            let mut arena =
                Arena::<Rootable![Gc<'_, Two<'_>>]>::with_options(way.options(), |mc| {
                    let first = Holder::new(mc, from, Some(Cargo::new(mc, 7)));
                    let second = Holder::new(mc, to, None);
                    Gc::new(
                        mc,
                        Two {
                            first,
                            list: Ballast::new(mc, length),
                            second,
                        },
                    )
                })
                .unwrap();
            for round in 0..way.size(6, 24) {
                begin(&mut arena);
                steps(&mut arena, delay(round));
                arena.mutate(|mc, two| {
                    let (from, to) = match round % 2 {
                        0 => (two.first, two.second),
                        _ => (two.second, two.first),
                    };
                    let cargo = from.get();
                    assert_eq!(cargo.unwrap().id(), 7);
                    to.set(mc, cargo);
                    from.set(mc, None);
                });
                run_out(&mut arena);
                arena.mutate(|mc, two| {
                    litter(mc, 20);
                    let place = if round % 2 == 0 {
                        two.second
                    } else {
                        two.first
                    };
                    assert_eq!(place.get().unwrap().id(), 7);
                    Ballast::check(two.list, length);
                });
            }
            arena.finish_cycle();
            let expected = 1 + 2 + length + OBJECTS;
            assert_eq!(arena.metrics().total_gc_count(), expected);
        }
    });
}
