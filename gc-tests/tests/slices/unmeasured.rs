//! Values that panic when they are asked what they own, which they are when an object is finished: whichever way they
//! came into the heap, they are dropped once, at that moment, and no pointer to them comes into being.

use std::cell::Cell;

use gc_core::collect::OwnedBytes;
use gc_core::slice::OffsetSlice;
use gc_core::{
    Arena, Collect, Gc, GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, Mutation, Rootable,
};
use gc_tests::way::{in_each_way, panic_of};

use crate::counted::{Count, Counted};

thread_local! {
    static ANSWERS: Cell<usize> = const { Cell::new(0) };
}

/// Answers as often as `ANSWERS` says, and then panics.
#[repr(align(64))]
struct Unmeasured {
    counted: Counted,
}

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Unmeasured {
    const NEEDS_TRACE: bool = false;

    fn owned_bytes(&self, owned: &mut OwnedBytes) {
        assert!(self.counted.is_counted());
        let left = ANSWERS.get().checked_sub(1).expect("no answer");
        ANSWERS.set(left);
        owned.add(1);
    }
}

/// All ways to make some of them; the second number is how many they are.
type Make = for<'gc> fn(&Mutation<'gc>, &dyn Fn() -> Unmeasured);

const WAYS: [(Make, usize); 8] = [
    (|mc, make| _ = Gc::new(mc, make()), 1),
    (
        |mc, make| _ = Gc::slice_from_iter(mc, [(); 3].map(|()| make())),
        3,
    ),
    (
        |mc, make| _ = OffsetSlice::new(mc, [(); 3].map(|()| make())),
        3,
    ),
    (|mc, make| _ = GcBuilder::new().write(mc, make()), 1),
    (
        |mc, make| {
            let mut builder = GcBuilder::<[Unmeasured; 2]>::new();
            // SAFETY: the value is written.
            unsafe {
                builder.as_ptr().write([make(), make()]);
                builder.assume_init(mc);
            }
        },
        2,
    ),
    (
        |mc, make| _ = GcSliceBuilder::new(3).write_slice_with(mc, |_| make()),
        3,
    ),
    (
        |mc, make| {
            let builder = GcSliceWithHeaderBuilder::new(3).write_header(make());
            builder.write_slice_with(mc, |_| make());
        },
        4,
    ),
    (
        |mc, make| {
            let builder = GcSliceWithHeaderBuilder::<Unmeasured, Unmeasured>::new(2);
            let mut builder = builder.write_header(make());
            let place = builder.slice_ptr().cast::<Unmeasured>();
            // SAFETY: both elements are written.
            unsafe {
                place.write(make());
                place.add(1).write(make());
                builder.assume_init(mc);
            }
        },
        3,
    ),
];

#[test]
fn whoever_cannot_be_measured_is_dropped_once() {
    in_each_way(|way| {
        let count = Count::default();
        let make = || Unmeasured {
            counted: count.make(),
        };
        let mut arena = Arena::<Rootable![()]>::with_options(way.options(), |_| ()).unwrap();
        for (into_heap, values) in WAYS {
            for answers in 0..values {
                let before = count.dropped();
                ANSWERS.set(answers);
                let panic = panic_of(|| arena.mutate(|mc, ()| into_heap(mc, &make)));
                assert_eq!(panic.as_deref(), Some("no answer"));
                assert_eq!((count.alive(), count.dropped()), (0, before + values));
            }
            // Measured, they live as long as others do.
            ANSWERS.set(usize::MAX);
            arena.mutate(|mc, ()| into_heap(mc, &make));
            assert_eq!(count.alive(), values);
            arena.finish_cycle();
            arena.finish_cycle();
            assert_eq!((count.alive(), arena.metrics().total_gc_count()), (0, 0));
        }
    });
}
