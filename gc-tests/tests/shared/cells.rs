//! The cells by themselves.

use gc_core::shared::{Arena, AtomicGc, Mutex, RwLock};
use gc_core::{Collect, Gc, GcWeak, Rootable};

use crate::{arena, verify};

/// Cells in enums, options, arrays, slices and boxes.
#[derive(Collect)]
#[collect(no_drop)]
enum Shape<'gc> {
    Empty,
    One(AtomicGc<'gc, u64>),
    Two([Mutex<Option<Gc<'gc, u64>>>; 2]),
    Boxed(Box<RwLock<Option<GcWeak<'gc, u64>>>>),
    Wide(u8, RwLock<(u8, Option<Gc<'gc, [u64]>>)>),
}

#[test]
fn cells_of_all_shapes() {
    type Shapes<'gc> = Gc<'gc, [Mutex<Shape<'gc>>]>;
    let heap: Arena<Rootable![Shapes<'_>]> = arena(
        gc_core::HeapOptions::default().zeal(gc_core::Zeal::ALL),
        |mc| mc.allocate_slice((0..5).map(|_| Mutex::new(Shape::Empty))),
    );
    let here = heap.attach();
    for round in 0..10 {
        here.mutate(|mc, &shapes| {
            let number = |value: u64| Some(mc.allocate(value));
            let set = |index: usize, shape| {
                *mc.write_at(shapes, (index + round) % 5).lock() = shape;
            };
            set(0, Shape::Empty);
            set(1, Shape::One(AtomicGc::new(number(1))));
            set(2, Shape::Two([Mutex::new(number(2)), Mutex::new(None)]));
            let weak = Gc::downgrade(number(3).unwrap());
            set(3, Shape::Boxed(Box::new(RwLock::new(Some(weak)))));
            let slice = mc.allocate_slice([4, 5]);
            set(4, Shape::Wide(0, RwLock::new((1, Some(slice)))));
        });
        here.collect_debt();
        here.mutate(|mc, &shapes| {
            for index in 0..5 {
                match &mut *mc.write_at(shapes, (index + round) % 5).lock() {
                    Shape::Empty => assert_eq!(index, 0),
                    Shape::One(cell) => assert_eq!(cell.load().as_deref(), Some(&1)),
                    Shape::Two([one, other]) => {
                        assert_eq!(one.get_mut().as_deref(), Some(&2));
                        assert!(other.get_mut().is_none());
                    }
                    Shape::Boxed(weak) => {
                        let weak = weak.get_mut().unwrap();
                        assert!(mc.upgrade(weak).is_none() && weak.is_dropped());
                    }
                    Shape::Wide(_, slice) => assert_eq!(*slice.get_mut().1.unwrap(), [4, 5]),
                }
            }
        });
        verify(&here);
    }
}

#[test]
fn formatting_and_defaults() {
    let heap: Arena<Rootable![()]> = Arena::new(|_| ());
    let here = heap.attach();
    here.mutate(|mc, _| {
        let cell: AtomicGc<'_, u64> = mc.allocate(5).into();
        assert_eq!(format!("{cell:?}"), "AtomicGc(Some(5))");
        assert!(AtomicGc::<u64>::default().load().is_none());
        let lock = mc.allocate(RwLock::from(5));
        assert_eq!(format!("{lock:?}"), "RwLock(5)");
        {
            let _writes = lock.lock_write(mc);
            assert!(lock.try_read().is_none() && mc.write(lock).try_write().is_none());
            assert_eq!(format!("{lock:?}"), "RwLock(<being written>)");
        }
        let mutex = mc.allocate(Mutex::from("text"));
        assert_eq!(format!("{:?}", mutex.lock(mc)), "\"text\"");
        assert_eq!(*Mutex::new(1).get_mut() + *RwLock::new(2).get_mut(), 3);
        assert_eq!(&*mc.allocate_str("text"), "text");
    });
    assert!(format!("{heap:?} {here:?}").contains("total_gc_count"));
}
