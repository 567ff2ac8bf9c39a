//! Builders: whatever becomes of them, what was given to them is dropped once.

use std::mem::forget;

use gc_core::arena::rootless_mutate;
use gc_core::{
    Arena, Gc, GcBuilder, GcSlice, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderBuilder,
    GcStr, GcStrBuilder, HeapOptions, Rootable, Static,
};
use gc_tests::way::{in_each_way, panic_of};

use crate::counted::{Count, Counted};

type OfTwo<'gc> = GcSliceWithHeader<'gc, Counted, Counted>;

fn builder<'gc>(length: usize) -> GcSliceWithHeaderBuilder<'gc, Counted, Counted> {
    GcSliceWithHeaderBuilder::new(length)
}

#[test]
fn what_is_completed_is_dropped_with_the_heap() {
    let count = Count::default();
    rootless_mutate(|mc| {
        let gc: OfTwo = builder(10)
            .write_header(count.make())
            .write_slice_with(mc, |_| count.make());
        assert_eq!((gc.slice.len(), count.alive()), (10, 11));
        GcSliceBuilder::new(5).write_slice_with(mc, |_| count.make());
        GcBuilder::new().write(mc, count.make());
    });
    assert_eq!((count.alive(), count.dropped()), (0, 17));
}

#[test]
fn what_is_not_completed_is_dropped_with_the_builder() {
    let count = Count::default();
    drop(builder(10));
    drop(builder(10).write_header(count.make()));
    assert_eq!((count.alive(), count.dropped()), (0, 1));

    // The header moves to memory when somebody asks for that of the elements.
    let mut asked = builder(10).write_header(count.make());
    assert_eq!(asked.slice_ptr().len(), 10);
    drop(asked);
    assert_eq!((count.alive(), count.dropped()), (0, 2));

    let mut asked = builder(10);
    asked.header_ptr();
    drop(asked.write_header(count.make()));
    assert_eq!((count.alive(), count.dropped()), (0, 3));

    // What was written to memory only its writer knows of.
    let mut sized = GcBuilder::<Counted>::new();
    // SAFETY: there is room for one.
    unsafe { sized.as_ptr().write(count.make()) };
    drop(sized);
    assert_eq!(count.alive(), 1);

    let mut leaked = builder(10).write_header(count.make());
    leaked.slice_ptr();
    forget(leaked);
    assert_eq!(count.alive(), 2);
}

#[test]
fn a_panic_drops_what_is_there_so_far() {
    in_each_way(|way| {
        let count = Count::default();
        let mut arena =
            Arena::<Rootable![Vec<OfTwo<'_>>]>::with_options(way.options(), |_| Vec::new())
                .unwrap();
        for asks in [false, true] {
            let dropped = count.dropped();
            let panic = panic_of(|| {
                arena.mutate_root(|mc, root| {
                    let mut builder = builder(10).write_header(count.make());
                    if asks {
                        builder.slice_ptr();
                    }
                    root.push(builder.write_slice_with(mc, |i| {
                        assert!(i < 5, "enough");
                        count.make()
                    }));
                });
            });
            assert_eq!(panic.as_deref(), Some("enough"));
            assert_eq!((count.alive(), count.dropped()), (0, dropped + 6));
            // The object without a value is garbage like any other.
            arena.finish_cycle();
            arena.finish_cycle();
            assert_eq!(arena.metrics().total_gc_count(), 0);
        }
        arena.mutate_root(|mc, root| {
            let builder = builder(10).write_header(count.make());
            root.push(builder.write_slice_with(mc, |_| count.make()));
        });
        arena.finish_cycle();
        assert_eq!(count.alive(), 11);
        arena.mutate_root(|_, root| root.clear());
        arena.finish_cycle();
        assert_eq!(count.alive(), 0);
    });
}

#[test]
fn values_can_be_written_to_memory() {
    let count = Count::default();
    rootless_mutate(|mc| {
        let mut builder = builder(3);
        let header = builder.header_ptr();
        // SAFETY: the header is written, and then each element.
        let gc = unsafe {
            header.write(count.make());
            let mut builder = builder.assume_init();
            let elements = builder.slice_ptr().cast::<Counted>();
            (0..3).for_each(|i| elements.add(i).write(count.make()));
            builder.assume_init(mc)
        };
        assert_eq!((gc.slice.len(), count.alive()), (3, 4));

        let mut builder = GcStrBuilder::new(4);
        // SAFETY: all bytes are written.
        let text: GcStr = unsafe {
            (*(builder.str_ptr() as *mut [u8])).copy_from_slice("text".as_bytes());
            builder.assume_init(mc)
        };
        assert_eq!(&*text, "text");

        let raw = GcBuilder::<Counted>::new().into_raw();
        // SAFETY: the value is written.
        let one = unsafe {
            raw.write(count.make());
            GcBuilder::<Counted>::from_raw(raw).assume_init(mc)
        };
        // It is an ordinary pointer.
        let _: Gc<Counted> = one;
        assert_eq!(count.alive(), 5);
    });
    assert_eq!((count.alive(), count.dropped()), (0, 5));
}

#[test]
fn without_memory_everything_is_dropped() {
    let count = Count::default();
    let options = HeapOptions::default().limit(1 << 20);
    let arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
    arena.mutate(|mc, ()| {
        assert!(
            builder(1 << 20)
                .write_header(count.make())
                .try_write_slice_with(mc, |_| unreachable!())
                .is_err()
        );
        assert!(
            GcSliceBuilder::new(1 << 21)
                .try_copy_slice(mc, &[0_u8; 1 << 21])
                .is_err()
        );
        assert!(
            GcSliceBuilder::new(1 << 21)
                .try_copy_slice(mc, &[0_u8; 1 << 21])
                .is_err()
        );
        assert!(
            GcStrBuilder::new(1 << 21)
                .try_copy_str(mc, &"-".repeat(1 << 21))
                .is_err()
        );
    });
    assert_eq!((count.alive(), count.dropped()), (0, 1));

    let panic = panic_of(|| {
        arena.mutate(|mc, ()| {
            let mut builder = GcSliceWithHeaderBuilder::<Counted, [u8; 1 << 20]>::new(2)
                .write_header(count.make());
            builder.slice_ptr();
            // SAFETY: bytes can have any value, and memory of the allocator's has one.
            unsafe {
                builder.slice_ptr().cast::<u8>().write_bytes(0, 2 << 20);
                builder.assume_init(mc)
            };
        });
    });
    assert!(panic.unwrap().starts_with("out of memory"));
    assert_eq!((count.alive(), count.dropped()), (0, 2));
}

#[test]
fn lengths_that_do_not_fit_are_refused() {
    let count = Count::default();
    for length in [usize::MAX, usize::MAX / size_of::<Counted>(), 1 << 62] {
        assert!(panic_of(|| builder(length)).is_some(), "{length}");
    }
    rootless_mutate(|mc| {
        // Large, but not too large for a layout.
        let huge = GcSliceBuilder::<u8>::new(isize::MAX as usize);
        assert!(huge.try_write_slice_with(mc, |_| 0).is_err());
        let panic = panic_of(|| {
            let builder = GcSliceWithHeaderBuilder::new(3).write_header(count.make());
            builder.copy_slice(mc, &[1, 2])
        });
        assert_eq!(
            panic.as_deref(),
            Some("2 elements are too few for a slice of 3")
        );
        assert_eq!(count.alive(), 0);
        let panic = panic_of(|| GcStrBuilder::new(1).copy_str(mc, "ä"));
        assert_eq!(
            panic.as_deref(),
            Some("a string of 2 bytes cannot be cut after 1")
        );
        assert!(panic_of(|| GcStrBuilder::new(3).copy_str(mc, "ä")).is_some());
        // What is too long is cut.
        assert_eq!(*GcSliceBuilder::new(2).copy_slice(mc, &[1, 2, 3]), [1, 2]);
        assert_eq!(&*GcStrBuilder::new(2).copy_str(mc, "äh"), "ä");
    });
}

#[test]
fn static_values_need_not_be_collect() {
    struct Plain(usize);
    rootless_mutate(|mc| {
        let gc: GcSliceWithHeader<Plain, Plain> = GcSliceWithHeaderBuilder::new(2)
            .unwrap_static_header()
            .write_header(Plain(7))
            .unwrap_static_element()
            .write_slice_with(mc, Plain);
        assert_eq!((gc.header.0, gc.slice[1].0), (7, 1));

        // Also if the value is in memory by then.
        let mut builder = GcSliceWithHeaderBuilder::<Static<Plain>, Static<Plain>>::new(2);
        builder.header_ptr();
        let mut builder = builder.unwrap_static_header().write_header(Plain(8));
        builder.slice_ptr();
        let gc = builder.unwrap_static_element().write_slice_with(mc, Plain);
        assert_eq!((gc.header.0, gc.slice[1].0), (8, 1));

        let slice: GcSlice<Plain> = GcSliceBuilder::new(1)
            .unwrap_static()
            .write_slice_with(mc, |_| Plain(9));
        assert_eq!(slice[0].0, 9);
        let mut builder = GcBuilder::<Static<Plain>>::new();
        builder.as_ptr();
        assert_eq!(builder.unwrap_static().write(mc, Plain(1)).0, 1);
    });
}
