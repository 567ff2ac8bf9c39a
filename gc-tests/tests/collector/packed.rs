//! Packed enums: each variant comes out as it was put in, and the pointers keep alive what they lead to.

use gc_core::packed::{Pack, Packed};
use gc_core::{Arena, Collect, Gc, GcThinStr, Lock, Mutation, RefLock, Rootable, collections};
use gc_tests::cargo::{Cargo, litter};
use gc_tests::cycle::begin;
use gc_tests::seed::seeds;
use gc_tests::way::in_each_way;

type Slot<'gc> = Packed<'gc, Value<'gc>>;

#[derive(Clone, Copy, Collect, Pack)]
#[collect(no_drop)]
enum Value<'gc> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Small(i8),
    Letter(char),
    Cargo(Gc<'gc, Cargo<'gc>>),
    Named { text: GcThinStr<'gc> },
    List(Gc<'gc, RefLock<collections::Vec<'gc, Slot<'gc>>>>),
    Cell(Gc<'gc, Lock<Slot<'gc>>>),
    Unit(()),
}

impl<'gc> Value<'gc> {
    fn make(mc: &Mutation<'gc>, id: u64) -> Value<'gc> {
        match id % 11 {
            0 => Value::Nil,
            1 => Value::Bool(id.is_multiple_of(2)),
            2 => Value::Int(!(id as i64)),
            3 => Value::Float(-(id as f64)),
            4 => Value::Small(-(id as i8 & 0x7f)),
            5 => Value::Letter(char::from_u32('a' as u32 + id as u32 % 26).unwrap()),
            6 => Value::Cargo(Cargo::new(mc, id)),
            7 => Value::Named {
                text: Gc::as_thin(Gc::new_str(mc, &id.to_string())),
            },
            8 => {
                let list = collections::Vec::from_iter(mc, [Value::make(mc, id / 11).into()]);
                Value::List(Gc::new(mc, RefLock::new(list)))
            }
            9 => Value::Cell(Gc::new(mc, Lock::new(Value::make(mc, id / 11).into()))),
            _ => Value::Unit(()),
        }
    }

    fn check(self, id: u64) {
        match self {
            Value::Nil => assert_eq!(id % 11, 0),
            Value::Bool(even) => assert_eq!((id % 11, even), (1, id.is_multiple_of(2))),
            Value::Int(number) => assert_eq!((id % 11, number), (2, !(id as i64))),
            Value::Float(number) => assert_eq!((id % 11, number), (3, -(id as f64))),
            Value::Small(number) => assert_eq!((id % 11, number), (4, -(id as i8 & 0x7f))),
            Value::Letter(letter) => {
                assert_eq!((id % 11, letter as u64), (5, 'a' as u64 + id % 26));
            }
            Value::Cargo(cargo) => assert_eq!((id % 11, cargo.id()), (6, id)),
            Value::Named { text } => {
                assert_eq!(
                    (id % 11, &*text.as_ref().to_string()),
                    (7, &*id.to_string())
                );
            }
            Value::List(list) => {
                assert_eq!(id % 11, 8);
                list.borrow()[0].get().check(id / 11);
            }
            Value::Cell(cell) => {
                assert_eq!(id % 11, 9);
                cell.get().get().check(id / 11);
            }
            Value::Unit(()) => assert_eq!(id % 11, 10),
        }
    }
}

#[test]
fn variants_come_out_as_they_were_put_in() {
    assert_eq!(size_of::<Slot<'_>>(), 16);
    in_each_way(|way| {
        for seed in seeds(0..2) {
            type Root<'gc> = Gc<'gc, RefLock<collections::Vec<'gc, Slot<'gc>>>>;
            let mut random = seed.random();
            let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
                Gc::new(mc, RefLock::new(collections::Vec::new()))
            })
            .unwrap();
            let (mut model, mut next) = (Vec::new(), 0);
            for _ in 0..way.size(40, 300) {
                arena.mutate(|mc, root| {
                    let mut slots = root.borrow_mut(mc);
                    for _ in 0..random.below(30) {
                        next += 1;
                        let new = Value::make(mc, next).into();
                        let at = random.below(model.len() + 1);
                        if at == model.len() || model.len() < 100 {
                            slots.push(mc, new);
                            model.push(next);
                        } else {
                            *slots.get_mut(mc, at).unwrap() = new;
                            model[at] = next;
                        }
                    }
                    litter(mc, 10);
                    for (slot, id) in slots.iter().zip(&model) {
                        slot.get().check(*id);
                    }
                });
                match random.below(4) {
                    0 => begin(&mut arena),
                    1 => arena.finish_cycle(),
                    _ => arena.collect_debt(),
                }
            }
            arena.finish_cycle();
            arena.verify().unwrap();
            assert_eq!(arena.metrics().statistics().retagged_late, 0);
        }
    });
}

/// The pointer word is the first of each, whatever is in it.
#[test]
fn the_first_word_is_tagged_and_the_other_is_not() {
    let mut arena = Arena::<Rootable![Gc<'_, [Slot<'_>]>]>::new(|mc| {
        Gc::slice_from_iter(mc, (0..22_u32).map(|id| Value::make(mc, id.into()).into()))
    });
    let base = arena.mutate(|_, root| root.as_ptr().addr());
    let words = arena.tagged_words(base).into_iter();
    assert!(words.eq((0..22).map(|index| (base + 16 * index, false))));
}
