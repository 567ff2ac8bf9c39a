//! Pointers to values of unknown type lead to what they led to before, or nowhere else.

use std::any::Any;

use gc_core::{Arena, Gc, Rootable, Static, unsize};

use crate::checked;

type Value<'gc> = Gc<'gc, dyn Any>;

struct Nothing;
gc_core::static_collect!(Nothing);

#[test]
fn a_value_is_what_it_was_made_as() {
    let mut arena = Arena::<Rootable![Vec<Value<'_>>]>::with_options(checked(), |mc| {
        vec![
            unsize!(Gc::new(mc, 5_u64) => dyn Any),
            unsize!(Gc::new(mc, 5_i64) => dyn Any),
            unsize!(Gc::new(mc, String::from("text")) => dyn Any),
            unsize!(Gc::new(mc, Static([1_u8, 2])) => dyn Any),
            unsize!(Gc::new(mc, Nothing) => dyn Any),
        ]
    })
    .unwrap();
    for _ in 0..2 {
        arena.finish_cycle();
        arena.mutate(|_, values| {
            let unsigned: Vec<u64> = values
                .iter()
                .filter_map(|value| Gc::downcast(*value).ok())
                .map(|number| *number)
                .collect();
            assert_eq!(unsigned, [5]);
            assert_eq!(*Gc::downcast::<String>(values[2]).unwrap(), "text");
            assert_eq!(
                Gc::downcast::<Static<[u8; 2]>>(values[3]).unwrap().0,
                [1, 2]
            );
            assert!(Gc::downcast::<[u8; 2]>(values[3]).is_err());
            assert!(Gc::downcast::<Nothing>(values[4]).is_ok());
            // Nor is the pointer itself taken for the value, or the object for one of another width.
            assert!(Gc::downcast::<Box<dyn Any>>(values[0]).is_err());
            let back = Gc::downcast::<u32>(values[0]).unwrap_err();
            assert!(Gc::ptr_eq(back, values[0]));
        });
    }
}
