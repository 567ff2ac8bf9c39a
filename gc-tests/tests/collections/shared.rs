//! Collections in an arena that several threads change at the same time.

use gc_core::collections::{HashMap, Vec};
use gc_core::shared::{Arena, Mutex};
use gc_core::{Collect, Gc, HeapOptions, Rootable, Zeal};
use gc_tests::seed::Seed;

#[derive(Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Number(u64),
    Pointer(Gc<'gc, u64>),
}

#[derive(Collect, Default)]
#[collect(no_drop)]
struct Table<'gc> {
    map: HashMap<'gc, u64, Gc<'gc, u64>>,
    vec: Vec<'gc, Value<'gc>>,
    names: Vec<'gc, std::string::String>,
}

#[test]
fn threads_take_turns() {
    type Tables<'gc> = Gc<'gc, [Mutex<Table<'gc>>]>;
    for zeal in [Zeal::NONE, Zeal::ALL] {
        let options = HeapOptions::default()
            .concurrent_from(0)
            .floor(64 << 10)
            .zeal(zeal);
        let arena = Arena::<Rootable![Tables<'_>]>::with_options(options, |mc| {
            mc.allocate_slice((0..3).map(|_| Mutex::default()))
        })
        .unwrap();
        let seed = Seed::or(0);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (arena, seed) = (&arena, &seed);
                scope.spawn(move || {
                    let mut random = seed.random_of(thread);
                    let here = arena.attach();
                    for _ in 0..if zeal == Zeal::NONE { 3000 } else { 150 } {
                        let which = random.below(3);
                        here.mutate(|mc, tables| {
                            let mut table = mc.write_at(*tables, which).lock();
                            for _ in 0..10 {
                                let key = random.number() % 500;
                                match random.below(5) {
                                    0 | 1 => _ = table.map.insert(mc, key, mc.allocate(key)),
                                    2 => _ = table.map.remove(mc, &key),
                                    3 => table.vec.push(mc, Value::Pointer(mc.allocate(key))),
                                    _ => table.vec.push(mc, Value::Number(key)),
                                }
                                if table.vec.len() > 300 {
                                    table.vec.drain(mc, 50..250);
                                }
                                table.names.push(mc, key.to_string());
                                if table.names.len() > 100 {
                                    table.names.clear(mc);
                                }
                            }
                            for (key, value) in &table.map {
                                assert_eq!(*key, **value);
                            }
                            for value in &table.vec {
                                let number = match value {
                                    Value::Number(number) => *number,
                                    Value::Pointer(pointer) => **pointer,
                                };
                                assert!(number < 500);
                            }
                        });
                        here.collect_debt();
                    }
                });
            }
        });
        arena.attach().finish_cycle();
    }
}
