//! Collections of other libraries.

use enum_map::{Enum, EnumMap, enum_map};
use gc_arena::barrier::{Write, field};
use gc_arena::{Arena, Collect, Gc, Lock, Rootable};
use gc_tests::way::in_each_way;
use slotmap::{DefaultKey, SlotMap};
use smallvec::SmallVec;

use crate::pointers_of;

#[derive(Enum, Clone, Copy)]
enum Colour {
    Red,
    Green,
}

type Slot<'gc> = Lock<Option<Gc<'gc, u32>>>;

#[derive(Collect)]
#[collect(no_drop)]
struct All<'gc> {
    map: hashbrown::HashMap<u32, Slot<'gc>>,
    older: hashbrown_0_16::HashMap<u32, Slot<'gc>>,
    older_set: hashbrown_0_16::HashSet<Gc<'gc, u32>>,
    set: hashbrown::HashSet<Gc<'gc, u32>>,
    table: hashbrown::HashTable<Gc<'gc, u32>>,
    ordered: indexmap::IndexMap<u32, Slot<'gc>>,
    ordered_set: indexmap::IndexSet<Gc<'gc, u32>>,
    slots: SlotMap<DefaultKey, Slot<'gc>>,
    key: Lock<DefaultKey>,
    small: SmallVec<[Slot<'gc>; 2]>,
    spilled: SmallVec<[Slot<'gc>; 2]>,
    colours: EnumMap<Colour, Slot<'gc>>,
}

fn places<'a, 'gc>(all: &'a Write<All<'gc>>) -> Vec<&'a Write<Slot<'gc>>> {
    vec![
        &field!(all, All, map)[&1],
        &field!(all, All, older)[&1],
        &field!(all, All, ordered)[&1],
        &field!(all, All, ordered)[1],
        &field!(all, All, slots)[all.key.get()],
        &field!(all, All, small)[0],
        &field!(all, All, spilled)[2],
        &field!(all, All, spilled).as_deref()[1],
        &field!(all, All, colours)[Colour::Green],
        &field!(all, All, colours)[Colour::Red],
    ]
}

#[test]
fn what_they_hold_stays_alive() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Gc<'_, All<'_>>]>::with_options(way.often(), |mc| {
            let slot = || Lock::new(Some(Gc::new(mc, 0)));
            let mut slots = SlotMap::new();
            let key = Lock::new(slots.insert(slot()));
            let mut table = hashbrown::HashTable::new();
            table.insert_unique(7, Gc::new(mc, 7), |_| 7);
            Gc::new(
                mc,
                All {
                    map: [(1, slot())].into_iter().collect(),
                    older: [(1, slot())].into_iter().collect(),
                    older_set: [Gc::new(mc, 7)].into_iter().collect(),
                    set: [Gc::new(mc, 7)].into_iter().collect(),
                    table,
                    ordered: [(1, slot()), (2, slot())].into_iter().collect(),
                    ordered_set: [Gc::new(mc, 7)].into_iter().collect(),
                    slots,
                    key,
                    small: SmallVec::from_iter([slot()]),
                    spilled: SmallVec::from_iter([slot(), slot(), slot()]),
                    colours: enum_map! { _ => slot() },
                },
            )
        })
        .unwrap();
        for round in 0..way.size(5, 100) as u32 {
            arena.mutate(|mc, root| {
                for (number, place) in (0..).zip(places(Gc::write(mc, *root))) {
                    place.unlock().set(Some(Gc::new(mc, round + number)));
                }
                (0..500).for_each(|_| _ = Gc::new(mc, [round; 8]));
            });
            arena.collect_debt();
            arena.mutate(|mc, root| {
                for (number, place) in (0..).zip(places(Gc::write(mc, *root))) {
                    assert_eq!(*place.get().unwrap(), round + number);
                }
                assert_eq!(**root.set.iter().next().unwrap(), 7);
                assert_eq!(**root.table.iter().next().unwrap(), 7);
                assert_eq!(*root.ordered_set[0], 7);
                assert_eq!(**root.older_set.iter().next().unwrap(), 7);
                // `map`, `older` and its set, `set`, `table`, `ordered` twice, its set, `slots`, 1 + 3 elements, 2 colours.
                assert_eq!(pointers_of(&**root), (15, 0));
            });
        }
        assert!(arena.verify().is_ok());
    });
}
