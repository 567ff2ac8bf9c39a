//! The first steps of a newcomer: allocate, link, collect, look.

use gc_core::{Arena, Collect, Gc, GcWeak, HeapOptions, Lock, RefLock, Rootable, Zeal};

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Nil,
    Int(i64),
    Pair(Gc<'gc, Pair<'gc>>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Pair<'gc> {
    car: Lock<Value<'gc>>,
    cdr: Lock<Value<'gc>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    list: Lock<Value<'gc>>,
    table: Gc<'gc, RefLock<Vec<Value<'gc>>>>,
    weak: Vec<GcWeak<'gc, Pair<'gc>>>,
}

fn sum(mut value: Value<'_>) -> i64 {
    let mut sum = 0;
    while let Value::Pair(pair) = value {
        if let Value::Int(i) = pair.car.get() {
            sum += i;
        }
        value = pair.cdr.get();
    }
    sum
}

#[test]
fn a_list_survives_and_garbage_does_not() {
    let options = HeapOptions::default().zeal(Zeal::ALL);
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root {
        list: Lock::new(Value::Nil),
        table: Gc::new(mc, RefLock::new(Vec::new())),
        weak: Vec::new(),
    })
    .unwrap();
    for i in 0..2000 {
        arena.mutate_root(|mc, root| {
            let dead = Gc::new(
                mc,
                Pair {
                    car: Value::Int(i).into(),
                    cdr: Value::Nil.into(),
                },
            );
            let live = Gc::new(
                mc,
                Pair {
                    car: Value::Int(i).into(),
                    cdr: root.list.get().into(),
                },
            );
            root.list = Lock::new(Value::Pair(live));
            if i % 10 == 0 {
                root.weak.push(Gc::downgrade(dead));
                root.weak.push(Gc::downgrade(live));
                root.table.borrow_mut(mc).push(Value::Pair(live));
            }
            if i % 3 == 0 {
                // An integer where a pointer was, and the other way round.
                gc_core::barrier::unlock!(Gc::write(mc, dead), Pair, cdr).set(Value::Pair(live));
                gc_core::barrier::unlock!(Gc::write(mc, live), Pair, car).set(Value::Pair(dead));
                gc_core::barrier::unlock!(Gc::write(mc, live), Pair, car).set(Value::Int(i));
            }
        });
        if i % 50 == 0 {
            arena.collect_debt();
        }
    }
    arena.finish_cycle();
    arena.verify().unwrap();
    arena.mutate(|mc, root| {
        assert_eq!(sum(root.list.get()), (0..2000).sum());
        for (i, weak) in root.weak.iter().enumerate() {
            assert_eq!(weak.upgrade(mc).is_some(), i % 2 == 1);
            assert_eq!(weak.is_dropped(), i % 2 == 0);
        }
    });
    // 2000 pairs, one table, and 200 shells.
    assert_eq!(arena.metrics().total_gc_count(), 2201);
}
