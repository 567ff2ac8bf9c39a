//! Slices and strings with metadata, made by builders: what other threads find, and what is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::meta::TypeMeta;
use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{
    Collect, Gc, GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStrBuilder, GcThinSlice,
    GcThinSliceWithHeader, GcThinStr, HeapOptions, Rootable,
};

use crate::shapes::Counted;
use crate::{Way, arena, in_each_way, on_threads, verify};

/// What is said of a type by a word.
struct Said;

impl TypeMeta for Said {
    type TypeMetadata = &'static str;
    const TYPE_METADATA: &'static &'static str = &"said";
}

/// One of each, behind pointers of one word.
#[derive(Collect)]
#[collect(no_drop)]
struct Shapes<'gc> {
    name: GcThinStr<'gc, &'static str>,
    slots: GcThinSlice<'gc, AtomicGc<'gc, usize>, &'static str>,
    record: GcThinSliceWithHeader<'gc, Gc<'gc, usize>, Gc<'gc, usize>, &'static str>,
    bytes: GcThinSlice<'gc, u8, &'static str>,
}

#[test]
fn threads_share_what_builders_make() {
    type All<'gc> = Gc<'gc, Mutex<Vec<Gc<'gc, Shapes<'gc>>>>>;
    in_each_way(|way: Way| {
        let heap: Arena<Rootable![All<'_>]> =
            arena(way.options(), |mc| mc.allocate(Mutex::new(Vec::new())));
        on_threads(3, |_| {
            let here = heap.attach();
            for round in 0..40_usize {
                here.mutate(|mc, all| {
                    let text = round.to_string();
                    let name = GcStrBuilder::new_with_type_meta::<Said>(text.len());
                    let slots = GcSliceBuilder::new_with_type_meta::<Said>(round % 5);
                    let record = GcSliceWithHeaderBuilder::new_with_type_meta::<Said>(round % 7);
                    let record = record.write_header(mc.allocate(round));
                    let bytes = GcSliceBuilder::new_with_type_meta::<Said>(round);
                    let shapes = Shapes {
                        name: Gc::as_thin(mc.build(name, &text)),
                        slots: Gc::as_thin(
                            mc.build(slots, (0..).map(|i| AtomicGc::from(mc.allocate(i)))),
                        ),
                        record: Gc::as_thin(mc.build(record, (0..).map(|i| mc.allocate(10 * i)))),
                        bytes: Gc::as_thin(mc.build(bytes, [7; 64])),
                    };
                    all.lock(mc).push(mc.allocate(shapes));
                });
                here.collect_debt();
                here.mutate(|mc, all| {
                    for shapes in &*all.lock(mc) {
                        let round: usize = shapes.name.parse().unwrap();
                        assert_eq!(*Gc::type_metadata(shapes.name), "said");
                        assert_eq!(*Gc::type_metadata(shapes.slots), "said");
                        assert_eq!(*Gc::type_metadata(shapes.record), "said");
                        let slots = shapes.slots.iter().map(|slot| *slot.load().unwrap());
                        assert!(slots.eq(0..round % 5));
                        assert_eq!(*shapes.record.header, round);
                        let fields = shapes.record.slice.iter().map(|field| **field);
                        assert!(fields.eq((0..round % 7).map(|i| 10 * i)));
                        assert!(*shapes.bytes == [7; 64][..round]);
                    }
                });
            }
        });
        let here = heap.attach();
        verify(&here);
        here.mutate(|mc, all| all.lock(mc).clear());
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 1);
    });
}

#[test]
fn what_was_written_to_memory_is_moved() {
    let count = Arc::new(AtomicUsize::new(0));
    let heap: Arena<Rootable![()]> = arena(HeapOptions::default(), |_| ());
    let here = heap.attach();
    here.mutate(|mc, _| {
        let make = || Counted::new(&count);
        let mut one = GcBuilder::<(u8, Counted)>::new();
        let mut two = GcSliceBuilder::<Counted>::new(2);
        let mut four = GcSliceWithHeaderBuilder::<Counted, Counted>::new(3).write_header(make());
        let mut text = GcStrBuilder::new(3);
        // SAFETY: all parts are written.
        unsafe {
            one.as_ptr().write((7, make()));
            assert_eq!(mc.build_init(one).0, 7);
            (0..2).for_each(|i| two.slice_ptr().cast::<Counted>().add(i).write(make()));
            assert_eq!(mc.build_init(two).len(), 2);
            (0..3).for_each(|i| four.slice_ptr().cast::<Counted>().add(i).write(make()));
            assert_eq!(mc.build_init(four).slice.len(), 3);
            text.str_ptr().cast::<u8>().copy_from(b"abc".as_ptr(), 3);
            assert_eq!(&*mc.build_init(text), "abc");
        }
        assert_eq!(count.load(Ordering::Relaxed), 7);
    });
    here.finish_cycle();
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn what_is_not_completed_is_dropped() {
    let count = Arc::new(AtomicUsize::new(0));
    let alive = || count.load(Ordering::Relaxed);
    let options = HeapOptions::default().limit(64 << 10);
    let heap: Arena<Rootable![()]> = arena(options, |_| ());
    let here = heap.attach();
    here.mutate(|mc, _| {
        let of = |length| GcSliceWithHeaderBuilder::new(length).write_header(Counted::new(&count));
        // There is no memory: no element is asked for.
        let none = || (0..).map(|_| -> Counted { panic!() });
        let refused = mc.try_build(of(1 << 20), none());
        assert!(refused.is_err() && alive() == 0);
        let given = [Counted::new(&count), Counted::new(&count)];
        let refused = mc.try_build(of(1 << 20), given);
        assert!(refused.is_err() && alive() == 0);
        let refused = mc.try_build(GcSliceBuilder::new(1 << 20), none());
        assert!(refused.is_err());
        let text = "x".repeat(1 << 20);
        assert!(mc.try_build(GcStrBuilder::new(1 << 20), &text).is_err());

        // A function panics, before and after the header went to memory.
        for asks in [false, true] {
            let mut builder = of(5);
            if asks {
                builder.slice_ptr();
            }
            let result = catch_unwind(AssertUnwindSafe(|| {
                let elements = (0..).map(|index| {
                    assert!(index < 3);
                    Counted::new(&count)
                });
                mc.build(builder, elements);
            }));
            assert!(result.is_err() && alive() == 0);
        }
        let few = AssertUnwindSafe(|| _ = mc.build(GcSliceBuilder::new(3), [1, 2]));
        assert!(catch_unwind(few).is_err());
        let inside = AssertUnwindSafe(|| _ = mc.build(GcStrBuilder::new(1), "é"));
        assert!(catch_unwind(inside).is_err());
    });
    here.finish_cycle();
    assert_eq!(heap.metrics().total_gc_count(), 0);
}

#[test]
fn more_than_an_address_space_is_an_error() {
    let heap: Arena<Rootable![()]> = arena(HeapOptions::default(), |_| ());
    heap.attach().mutate(|mc, _| {
        assert!(GcSliceWithHeaderBuilder::<(), u64>::try_new(usize::MAX).is_err());
        assert!(GcSliceBuilder::<u64>::try_new(usize::MAX).is_err());
        // It would fit, but for what an object has beside its value.
        let most = isize::MAX as usize / 8;
        let builder = GcSliceBuilder::try_new(most).unwrap();
        assert!(mc.try_build(builder, std::iter::repeat(0_u64)).is_err());
        // Elements without a size are no matter of the address space.
        let units = mc.build(GcSliceBuilder::new(usize::MAX >> 40), std::iter::repeat(()));
        assert_eq!(Gc::as_thin(units).len(), usize::MAX >> 40);
    });
}
