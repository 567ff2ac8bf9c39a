//! More objects than the mark stack holds, found through memory outside of the heap, with all that
//! makes the marker leave its usual path among them.

use gc_core::{Arena, Collect, Gc, GcWeak, HeapOptions, Lock, Rootable, Zeal};

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Target<'gc> {
    Number(usize, usize),
    Pointer(Gc<'gc, usize>),
    Second(usize, Gc<'gc, usize>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Item<'gc> {
    Plain(Gc<'gc, Gc<'gc, usize>>),
    /// The pointer is outside of the heap.
    Owner(Gc<'gc, Box<Gc<'gc, usize>>>),
    /// The pointer moves when the cell is written.
    Cell(Gc<'gc, Lock<Target<'gc>>>),
    /// To something that nothing else leads to.
    Weak(Gc<'gc, (usize, GcWeak<'gc, usize>)>),
    /// An object with blocks of its own.
    Large(Gc<'gc, [Option<Gc<'gc, usize>>]>),
}

/// What the mark stack holds, and some more.
const ITEMS: usize = (1 << 20) + 30_000;

#[test]
fn nothing_is_forgotten_that_does_not_fit_on_the_mark_stack() {
    type Root<'gc> = Gc<'gc, Vec<Item<'gc>>>;
    let options = HeapOptions::default().zeal(Zeal::NONE);
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
        let mut objects = 0;
        let items = (0..ITEMS).map(|i| {
            let number = || Gc::new(mc, i);
            // The last are pushed when the stack is full already.
            let (item, made) = match i % 1000 {
                500 => (Item::Owner(Gc::new(mc, Box::new(number()))), 2),
                501 => (Item::Cell(Gc::new(mc, Lock::new(Target::Number(i, i)))), 1),
                502 => (Item::Weak(Gc::new(mc, (i, Gc::downgrade(number())))), 2),
                503 if i > ITEMS - 25_000 => {
                    let mut slots = vec![None; 5000];
                    slots[i % 5000] = Some(number());
                    (Item::Large(Gc::slice_from_iter(mc, slots)), 2)
                }
                _ => (Item::Plain(Gc::new(mc, number())), 2),
            };
            objects += made;
            item
        });
        let root = Gc::new(mc, items.collect());
        assert_eq!(mc.metrics().total_gc_count(), objects + 1);
        root
    })
    .unwrap();
    // Written after they were made: dirty when the marker reaches them.
    arena.mutate(|mc, root| {
        for (i, item) in root.iter().enumerate() {
            if let Item::Cell(cell) = item {
                let number = Gc::new(mc, i);
                cell.set(
                    mc,
                    match i / 1000 % 2 {
                        0 => Target::Pointer(number),
                        _ => Target::Second(i, number),
                    },
                );
            }
        }
    });
    let objects = arena.metrics().total_gc_count();
    arena.finish_cycle();
    // Also the targets of weak pointers, as shells.
    assert_eq!(arena.metrics().total_gc_count(), objects);
    arena.mutate(|mc, root| {
        for (i, item) in root.iter().enumerate() {
            match *item {
                Item::Plain(plain) => assert_eq!(**plain, i),
                Item::Owner(owner) => assert_eq!(***owner, i),
                Item::Cell(cell) => match cell.get() {
                    Target::Number(..) => panic!("the cell was written"),
                    Target::Pointer(number) | Target::Second(_, number) => assert_eq!(*number, i),
                },
                Item::Weak(weak) => {
                    assert_eq!(weak.0, i);
                    assert!(weak.1.upgrade(mc).is_none());
                }
                Item::Large(slots) => {
                    assert_eq!(slots[i % 5000].as_deref(), Some(&i));
                    assert_eq!(slots.iter().flatten().count(), 1);
                }
            }
        }
    });
}
