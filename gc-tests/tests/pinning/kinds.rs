//! Pins that are made of pointers of other kinds than the default one.

use gc_core::shared::Arena;
use gc_core::{
    Gc, GcSliceBuilder, GcSliceWithHeader, GcSliceWithHeaderBuilder, GcStrBuilder, GcThinSlice,
    GcThinStr, Pinned, Rootable, SliceWithHeader,
};

use crate::{empty, in_each_way, left, litter};

#[test]
fn thin_and_fat_pointers_with_metadata() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let (slice, text, record, raw) = heap.mutate(|mc, _| {
            let slice: GcThinSlice<'_, u16> = Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3]));
            let text: GcThinStr<'_> = Gc::as_thin(Gc::new_str(mc, "foreign"));
            let builder = GcSliceWithHeaderBuilder::new(2).write_header(Gc::new(mc, 9));
            let record: GcSliceWithHeader<'_, Gc<'_, u64>, u8> = builder.copy_slice(mc, &[4, 5]);
            assert!(!Gc::is_pinned(mc, slice) && !Gc::is_pinned(mc, record));
            let pins: (
                Pinned<Rootable![[u16]]>,
                Pinned<Rootable![str]>,
                Pinned<Rootable!['gc => SliceWithHeader<Gc<'gc, u64>, u8>]>,
            ) = (
                Gc::pin(mc, slice),
                Gc::pin(mc, text),
                Gc::pin(mc, Gc::as_thin(record)),
            );
            assert!(Gc::is_pinned(mc, slice) && Gc::is_pinned(mc, record));
            assert_eq!(pins.0.as_ptr(), Gc::as_ptr(slice));
            (pins.0, pins.1, pins.2, Gc::pin_raw(mc, text))
        });
        left(&mut heap, 4);
        heap.mutate(|mc, _| {
            litter(mc, 500);
            assert_eq!(*slice.get(mc), [1, 2, 3]);
            assert_eq!(&*text.get(mc), "foreign");
            let record = record.get(mc);
            assert_eq!((*record.header, &record.slice), (9, &[4, 5][..]));
        });
        drop((slice, text, record));
        left(&mut heap, 1);
        // SAFETY: it is still pinned by hand, once.
        unsafe {
            assert_eq!(&*raw, "foreign");
            heap.mutate(|mc, _| Gc::unpin_raw(mc, raw)).unwrap();
        }
        left(&mut heap, 0);
    });
}

#[test]
fn in_shared_arenas() {
    in_each_way(|way| {
        let heap = Arena::<Rootable![()]>::with_options(way.often(), |_| ()).unwrap();
        let here = heap.attach();
        let (slice, raw) = here.mutate(|mc, _| {
            let slice =
                Gc::as_thin(mc.build(GcSliceBuilder::new(2), [mc.allocate(1), mc.allocate(2)]));
            let text = Gc::as_thin(mc.build(GcStrBuilder::new(7), "foreign"));
            let pinned = Gc::pin::<Rootable!['gc => [Gc<'gc, u64>]]>(mc, slice);
            let raw = Gc::pin_raw(mc, text);
            assert!(Gc::is_pinned(mc, slice) && Gc::is_pinned(mc, text));
            (pinned, raw)
        });
        here.finish_cycle();
        here.mutate(|mc, _| {
            let numbers: Vec<u64> = slice.get(mc).iter().map(|number| **number).collect();
            assert_eq!(numbers, [1, 2]);
            // SAFETY: it is pinned, once.
            unsafe {
                assert_eq!(&*raw, "foreign");
                Gc::unpin_raw(mc, raw).unwrap();
            }
        });
        drop(slice);
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 0);
    });
}
