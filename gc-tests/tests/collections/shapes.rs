//! Unusual elements, places and moves.

use gc_core::collections::{ByIdentity, HashMap, HashSet, String, Vec, VecDeque};
use gc_core::slice::Slice;
use gc_core::{Arena, Collect, Gc, Lock, RefLock, Rootable};
use gc_tests::tracked::TrackedUnit;
use gc_tests::way::in_each_way;

use crate::begin;
use crate::elements::{Cargo, Element, Moving, Triple};

#[test]
fn elements_without_size() {
    let dropped = TrackedUnit::dropped();
    type Root<'gc> = (
        Vec<'gc, TrackedUnit>,
        VecDeque<'gc, TrackedUnit>,
        Vec<'gc, ()>,
    );
    let mut heap = Arena::<Rootable![Root<'_>]>::new(|_| Default::default());
    heap.mutate_root(|mc, (vec, deque, units)| {
        for _ in 0..100 {
            vec.push(mc, TrackedUnit);
            deque.push_front(mc, TrackedUnit);
            deque.push_back(mc, TrackedUnit);
            units.push(mc, ());
        }
        vec.truncate(mc, 90);
        drop(deque.pop_back(mc));
        assert_eq!((vec.len(), deque.len(), units.len()), (90, 199, 100));
        assert_eq!(deque.iter().count(), 199);
    });
    assert_eq!(TrackedUnit::dropped() - dropped, 11);
    heap.finish_cycle();
    heap.mutate_root(|mc, (vec, deque, _)| {
        drop(vec.drain(mc, 10..20));
        assert_eq!(deque.make_contiguous(mc).len(), 199);
        *vec = Vec::new();
    });
    assert_eq!(TrackedUnit::dropped() - dropped, 21);
    heap.finish_cycle();
    assert_eq!(TrackedUnit::dropped() - dropped, 101);
    drop(heap);
    assert_eq!(TrackedUnit::dropped() - dropped, 300);
}

#[repr(align(64))]
#[derive(Collect)]
#[collect(no_drop)]
struct Aligned<'gc>(Gc<'gc, Cargo<'gc>>);

/// A type whose words of pointers are more than a constant map can say.
type Wide<'gc> = [Gc<'gc, Cargo<'gc>>; 70];

#[test]
fn wide_and_aligned_elements() {
    in_each_way(|way| {
        type Root<'gc> = (Vec<'gc, Aligned<'gc>>, Vec<'gc, Wide<'gc>>);
        let mut heap =
            Arena::<Rootable![Root<'_>]>::with_options(way.often(), |_| Default::default())
                .unwrap();
        for round in 0..40 {
            heap.mutate_root(|mc, (aligned, wide)| {
                aligned.push(mc, Aligned(Cargo::new(mc, round)));
                wide.push(mc, [Cargo::new(mc, round); 70]);
            });
            begin(&mut heap);
            heap.mutate(|_, (aligned, wide)| {
                for (id, (one, other)) in aligned.iter().zip(wide).enumerate() {
                    assert!((&raw const *one).addr().is_multiple_of(64));
                    assert_eq!(one.0.id(), id as u64);
                    assert!(other.iter().all(|cargo| cargo.id() == id as u64));
                }
            });
        }
        heap.finish_cycle();
        heap.verify().unwrap();
    });
}

/// A removed element is garbage at the next full collection, and a buffer that was outgrown too.
#[test]
fn nothing_is_kept_that_was_removed() {
    in_each_way(|way| {
        type Pointers<'gc> = Gc<'gc, RefLock<Vec<'gc, Gc<'gc, Cargo<'gc>>>>>;
        let mut heap = Arena::<Rootable![Pointers<'_>]>::with_options(way.options(), |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
        let count = way.size(1000, 5000);
        heap.mutate(|mc, root| {
            let cargo = (0..count as u64).map(|id| Cargo::new(mc, id));
            root.borrow_mut(mc).extend(mc, cargo);
        });
        heap.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 2 + 2 * count);
        heap.mutate(|mc, root| {
            let mut vec = root.borrow_mut(mc);
            vec.pop(mc);
            vec.swap_remove(mc, 3);
            vec.remove(mc, 10);
            vec.truncate(mc, count / 2);
            vec.retain(mc, |cargo| cargo.id() % 2 == 0);
            drop(vec.drain(mc, ..20));
        });
        heap.finish_cycle();
        heap.mutate(|mc, root| {
            let len = root.borrow().len();
            assert_eq!(mc.metrics().total_gc_count(), 2 + 2 * len);
            root.borrow_mut(mc).clear(mc);
        });
        heap.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 2);
    });
}

/// Large buffers grow where they are if they can, which depends on what is behind them and on the phase.
#[test]
fn large_buffers_grow() {
    #[derive(Collect, Default)]
    #[collect(no_drop)]
    struct Growing<'gc> {
        triples: [Vec<'gc, Triple<'gc>>; 2],
        slices: Vec<'gc, Slice<'gc, u64>>,
        map: HashMap<'gc, u64, Gc<'gc, Cargo<'gc>>>,
        text: String<'gc>,
    }

    in_each_way(|way| {
        let options = way.options();
        let mut heap =
            Arena::<Rootable![Growing<'_>]>::with_options(options, |_| Growing::default()).unwrap();
        let mut count = 0;
        let rounds = way.size(12, 100);
        for round in 0..rounds {
            heap.mutate_root(|mc, growing| {
                for id in count..count + 100 {
                    growing.triples[id as usize % 2].push(mc, Triple::make(mc, id));
                    let numbers = Slice::from(Gc::slice_from_iter(mc, [id, id + 1, id + 2]));
                    growing.slices.push(mc, numbers.slice(1..));
                    growing.map.insert(mc, id, Cargo::new(mc, id));
                    growing.text.push_str(mc, "a few letters");
                }
            });
            count += 100;
            if round % 3 == 0 {
                begin(&mut heap);
            }
            heap.collect_debt();
            if round % 10 == 9 {
                heap.finish_cycle();
                heap.verify().unwrap();
            }
        }
        heap.finish_cycle();
        heap.verify().unwrap();
        heap.mutate(|_, growing| {
            for id in 0..count {
                assert_eq!(growing.triples[id as usize % 2][id as usize / 2].id(), id);
                assert_eq!(*growing.slices[id as usize], [id + 1, id + 2]);
                assert_eq!(growing.map[&id].id(), id);
            }
            assert_eq!(growing.text.len() as u64, 13 * count);
        });
    });
}

/// Values with locks in a vector are written through the barrier of the buffer.
#[test]
fn locks_in_elements() {
    in_each_way(|way| {
        type Cells<'gc> = Vec<'gc, RefLock<Moving<'gc>>>;
        let count = way.size(100, 2000);
        let mut heap = Arena::<Rootable![Gc<'_, Cells<'_>>]>::with_options(way.options(), |mc| {
            let cells = (0..count as u64).map(|_| RefLock::new(Moving::Neither(0)));
            Gc::new(mc, Vec::from_iter(mc, cells))
        })
        .unwrap();
        for round in 0..way.size(10, 50) {
            begin(&mut heap);
            heap.mutate(|mc, cells| {
                for at in (round % 3..count).step_by(3) {
                    let id = (round + at) as u64;
                    let new = crate::elements::Element::make(mc, id);
                    *cells.write_at(mc, at).unlock().borrow_mut() = new;
                }
            });
            heap.collect_debt();
        }
        heap.finish_cycle();
        heap.verify().unwrap();
        heap.mutate(|_, cells| {
            cells
                .iter()
                .for_each(|cell| _ = crate::elements::Element::id(&*cell.borrow()));
        });
    });
}

/// A collection is a value: it moves from one object to another while a cycle marks.
#[test]
fn collections_change_places() {
    in_each_way(|way| {
        type Place<'gc> = RefLock<Vec<'gc, Gc<'gc, Cargo<'gc>>>>;
        type Places<'gc> = Gc<'gc, [Place<'gc>]>;
        let mut heap = Arena::<Rootable![Places<'_>]>::with_options(way.options(), |mc| {
            Gc::slice_from_iter(mc, (0..50).map(|_| RefLock::default()))
        })
        .unwrap();
        let count = way.size(100, 3000) as u64;
        heap.mutate(|mc, places| {
            let cargo = (0..count).map(|id| Cargo::new(mc, id));
            *Gc::write(mc, *places)[0].unlock().borrow_mut() = Vec::from_iter(mc, cargo);
        });
        for at in 0..49 {
            begin(&mut heap);
            heap.mutate(|mc, places| {
                let take = Gc::write(mc, *places)[at].unlock().take();
                *Gc::write(mc, *places)[at + 1].unlock().borrow_mut() = take;
            });
            heap.collect_debt();
            heap.mutate(|mc, places| {
                let mut vec = Gc::write(mc, *places)[at + 1].unlock().borrow_mut();
                let first = vec.remove(mc, 0);
                vec.push(mc, first);
            });
            if at % 7 == 0 {
                heap.finish_cycle();
            }
        }
        heap.finish_cycle();
        assert_eq!(
            heap.metrics().total_gc_count() as u64,
            2 + 2 * count,
            "the places, the buffer and the cargo"
        );
        heap.mutate(|_, places| {
            let ids = places[49]
                .borrow()
                .iter()
                .map(|cargo| cargo.id())
                .sum::<u64>();
            assert_eq!(ids, count * (count - 1) / 2);
        });
    });
}

#[test]
fn keys() {
    gc_core::arena::rootless_mutate(|mc| {
        let mut by_text: HashMap<'_, String<'_>, u32> = HashMap::new();
        by_text.insert(mc, String::from_str(mc, "one"), 1);
        assert_eq!(by_text.get("one"), Some(&1));
        assert_eq!(
            *by_text.entry(mc, String::from_str(mc, "one")).or_insert(5),
            1
        );

        let (one, same) = (Gc::new(mc, 1), Gc::new(mc, 1));
        let by_value = HashSet::<_>::from_iter(mc, [one, same]);
        let by_identity = HashSet::<_>::from_iter(mc, [one, same, one].map(ByIdentity));
        assert_eq!((by_value.len(), by_identity.len()), (1, 2));
        assert!(by_identity.contains(&ByIdentity(same)));

        let table = HashMap::<_, _>::from_iter(mc, [(1, Lock::new(one))]);
        table.write_value(mc, &1).unwrap().unlock().set(same);
        assert!(Gc::ptr_eq(table[&1].get(), same));
    });
}
