//! Buffers of collections that are large, grow where they are, and hold pointers of all kinds.

use gc_core::collections::{HashMap, Vec, VecDeque};
use gc_core::slice::{Interior, Slice, Str};
use gc_core::{Arena, Collect, Ephemeron, Gc, GcWeak, Lock, RefLock, Rootable};
use gc_tests::way::in_each_way;

type Pair<'gc> = Ephemeron<'gc, u64, (u64, Gc<'gc, u64>)>;

#[derive(Collect)]
#[collect(no_drop)]
struct All<'gc> {
    strong: RefLock<Vec<'gc, Gc<'gc, u64>>>,
    weak: RefLock<Vec<'gc, GcWeak<'gc, u64>>>,
    pairs: RefLock<Vec<'gc, Pair<'gc>>>,
    texts: RefLock<Vec<'gc, (u8, Str<'gc>)>>,
    parts: RefLock<VecDeque<'gc, (Interior<'gc, u64>, u8)>>,
    wide: RefLock<Vec<'gc, ([u64; 61], Slice<'gc, u64>)>>,
    options: RefLock<Vec<'gc, Option<Ephemeron<'gc, u64, u64>>>>,
    results: RefLock<Vec<'gc, Result<Gc<'gc, u64>, u64>>>,
    table: RefLock<HashMap<'gc, u64, Lock<Option<Gc<'gc, u64>>>>>,
}

fn is_kept(i: u64) -> bool {
    i.is_multiple_of(3)
}

#[test]
fn buffers_of_all_kinds_of_pointers_grow_in_every_phase() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Gc<'_, All<'_>>]>::with_options(way.often(), |mc| {
            Gc::new(
                mc,
                All {
                    strong: RefLock::default(),
                    weak: RefLock::default(),
                    pairs: RefLock::default(),
                    texts: RefLock::default(),
                    parts: RefLock::default(),
                    wide: RefLock::default(),
                    options: RefLock::default(),
                    results: RefLock::default(),
                    table: RefLock::default(),
                },
            )
        })
        .unwrap();
        let count = way.size(3_000, 12_000) as u64;
        let batch = 50;
        for from in (0..count).step_by(batch) {
            arena.mutate(|mc, all| {
                use gc_core::barrier::unlock;
                let all_writable = Gc::write(mc, *all);
                for i in from..from + batch as u64 {
                    let number = Gc::new(mc, i);
                    if is_kept(i) {
                        unlock!(all_writable, All, strong)
                            .borrow_mut()
                            .push(mc, number);
                    }
                    unlock!(all_writable, All, weak)
                        .borrow_mut()
                        .push(mc, Gc::downgrade(number));
                    let pair = Ephemeron::new(number, Gc::new(mc, (!i, number)));
                    unlock!(all_writable, All, pairs)
                        .borrow_mut()
                        .push(mc, pair);
                    let text = Str::from(Gc::str_from(mc, &format!("<{i}>"))).slice(1..);
                    unlock!(all_writable, All, texts)
                        .borrow_mut()
                        .push(mc, (i as u8, text));
                    let part = Interior::of_element(Slice::from(Gc::new(mc, [i, !i])), 1);
                    let mut parts = unlock!(all_writable, All, parts).borrow_mut();
                    if i % 2 == 0 {
                        parts.push_front(mc, (part, 0));
                    } else {
                        parts.push_back(mc, (part, 1));
                    }
                    let slice = Slice::from(Gc::new(mc, [i; 5])).slice(2..4);
                    if i % 8 == 0 {
                        unlock!(all_writable, All, wide)
                            .borrow_mut()
                            .push(mc, ([i; 61], slice));
                    }
                    let option = is_kept(i).then(|| Ephemeron::new(number, Gc::new(mc, i + 1)));
                    unlock!(all_writable, All, options)
                        .borrow_mut()
                        .push(mc, option);
                    let result = if i % 2 == 0 {
                        Ok(Gc::new(mc, i))
                    } else {
                        Err(usize::MAX as u64 - i)
                    };
                    unlock!(all_writable, All, results)
                        .borrow_mut()
                        .push(mc, result);
                    unlock!(all_writable, All, table).borrow_mut().insert(
                        mc,
                        i,
                        Lock::new(Some(Gc::new(mc, i))),
                    );
                }
            });
            arena.collect_debt();
        }
        for _ in 0..2 {
            arena.finish_cycle();
            arena.verify().unwrap();
        }
        arena.mutate(|mc, all| {
            assert!(
                all.strong
                    .borrow()
                    .iter()
                    .map(|n| **n)
                    .eq((0..count).filter(|i| is_kept(*i)))
            );
            for (i, (weak, pair)) in (0..).zip(all.weak.borrow().iter().zip(&*all.pairs.borrow())) {
                let found = is_kept(i).then_some(i);
                assert_eq!(weak.upgrade(mc).map(|n| *n), found, "{i}");
                assert_eq!(pair.value(mc).map(|v| (v.0, *v.1)), found.map(|i| (!i, i)));
            }
            for (i, (byte, text)) in (0..).zip(&*all.texts.borrow()) {
                assert_eq!((*byte, &**text), (i as u8, &*format!("{i}>")));
            }
            let mut sum = 0u64;
            for (part, _) in &*all.parts.borrow() {
                sum = sum.wrapping_add(**part);
            }
            assert_eq!(sum, (0..count).fold(0u64, |sum, i| sum.wrapping_add(!i)));
            for (numbers, slice) in &*all.wide.borrow() {
                assert_eq!(**slice, numbers[..2]);
            }
            for (i, option) in (0..).zip(&*all.options.borrow()) {
                assert_eq!(
                    option.and_then(|pair| pair.value(mc)).map(|v| *v),
                    is_kept(i).then_some(i + 1)
                );
            }
            for (i, result) in (0..).zip(&*all.results.borrow()) {
                assert_eq!(result.map_or_else(|e| usize::MAX as u64 - e, |n| *n), i);
            }
            for (i, cell) in &*all.table.borrow() {
                assert_eq!(cell.get().map(|n| *n), Some(*i));
            }
        });
    });
}
