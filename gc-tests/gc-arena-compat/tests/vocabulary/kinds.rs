//! Slices, strings and headers with their builders; thin and fat pointers; metadata of types.

use std::alloc::Layout;

use gc_arena::arena::rootless_mutate;
use gc_arena::meta::{AllocMeta, PtrMeta, TypeMeta, UnitPtrMeta};
use gc_arena::{
    Arena, Collect, Gc, GcBuilder, GcFat, GcSlice, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStr,
    GcThin, GcThinSlice, GcThinSliceWithHeader, GcThinStr, GcWeak, Lock, Rootable, Static,
};

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    numbers: GcThinSlice<'gc, u64>,
    slots: GcSlice<'gc, Lock<Option<Gc<'gc, u64>>>>,
    text: GcThinStr<'gc>,
    name: GcStr<'gc>,
    record: GcThinSliceWithHeader<'gc, Gc<'gc, u64>, Gc<'gc, u64>>,
}

#[test]
fn slices_and_strings_of_all_widths_live_in_the_root() {
    assert_eq!(size_of::<GcThinSlice<'_, u64>>(), size_of::<usize>());
    assert_eq!(size_of::<GcSlice<'_, u64>>(), 2 * size_of::<usize>());
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| Root {
        numbers: Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3])),
        slots: GcSliceBuilder::new(100).write_slice_with(mc, |_| Lock::new(None)),
        text: Gc::as_thin(Gc::new_str(mc, "thin")),
        name: Gc::new_str(mc, "fat"),
        record: Gc::as_thin(
            GcSliceWithHeaderBuilder::new(50)
                .write_header(Gc::new(mc, 1000))
                .write_slice_with(mc, |index| Gc::new(mc, index as u64)),
        ),
    });
    for round in 0..3 {
        arena.mutate(|mc, root| {
            let slots = Gc::write(mc, root.slots);
            slots[7].unlock().set(Some(Gc::new(mc, round)));
        });
        arena.finish_cycle();
        arena.mutate(|_, root| {
            assert_eq!(*root.numbers, [1, 2, 3]);
            assert_eq!(root.slots[7].get().map(|number| *number), Some(round));
            assert_eq!((&*root.text, &*root.name), ("thin", "fat"));
            assert_eq!(*root.record.header, 1000);
            assert_eq!(root.record.slice.len(), 50);
            assert!((0..50).all(|index| *root.record.slice[index] == index as u64));
        });
    }
}

/// Pointers in memory of which the collector knows nothing, for as long as something else keeps the value.
#[test]
fn thin_pointers_go_through_raw_ones() {
    use gc_arena::slice::{SliceWithHeader, SliceWithHeaderPtrMeta};
    let arena = Arena::<Rootable![Root<'_>]>::new(|mc| Root {
        numbers: Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3])),
        slots: GcSliceBuilder::new(0).write_slice_with(mc, |_| Lock::new(None)),
        text: Gc::as_thin(Gc::new_str(mc, "")),
        name: Gc::new_str(mc, ""),
        record: Gc::as_thin(
            GcSliceWithHeaderBuilder::new(600)
                .write_header(Gc::new(mc, 1000))
                .write_slice_with(mc, |index| Gc::new(mc, index as u64)),
        ),
    });
    arena.mutate(|_, root| {
        let numbers: *const () = Gc::as_thin_ptr(root.numbers);
        assert_eq!(numbers, Gc::as_ptr(root.numbers).cast());
        // SAFETY: it is the pointer of a slice that the root keeps.
        let again: GcThinSlice<'_, u64> = unsafe { Gc::from_thin_ptr_with_kind(numbers) };
        assert!(Gc::ptr_eq(again, root.numbers) && *again == [1, 2, 3]);

        let header: *const Gc<'_, u64> = Gc::as_thin_ptr(root.record);
        // SAFETY: as above, of the record.
        let record: GcThin<'_, SliceWithHeader<_, Gc<'_, u64>>, (), SliceWithHeaderPtrMeta> =
            unsafe { Gc::from_thin_ptr_with_kind(header) };
        assert_eq!((*record.header, *record.slice[599]), (1000, 599));
    });
    rootless_mutate(|mc| {
        let empty: GcThinSlice<'_, u64> = Gc::as_thin(Gc::new_slice(mc, &[]));
        // SAFETY: as above; the slice is empty.
        let again: GcThinSlice<'_, u64> =
            unsafe { Gc::from_thin_ptr_with_kind(Gc::as_thin_ptr(empty)) };
        assert!(again.is_empty());
    });
}

struct Name;

impl TypeMeta for Name {
    type TypeMetadata = &'static str;
    const TYPE_METADATA: &'static &'static str = &"a number";
}

#[test]
fn metadata_belong_to_the_type() {
    rootless_mutate(|mc| {
        let number: GcFat<'_, u32, &'static str, UnitPtrMeta> =
            GcBuilder::<Static<u32>, _>::new_with_type_meta::<Name>()
                .unwrap_static()
                .write(mc, 7);
        let thin: GcThin<'_, u32, &'static str, UnitPtrMeta> = Gc::as_thin(number);
        assert_eq!((*number, *Gc::type_metadata(number)), (7, "a number"));
        assert_eq!((*thin, *Gc::type_metadata(thin)), (7, "a number"));
        assert!(Gc::ptr_eq(number, Gc::as_fat(thin)));
    });
}

struct Methods {
    class: &'static str,
    double: fn(u8) -> u8,
}

/// Generic over what is in the table, as a crate would be that only passes it on.
struct ClassOf<T>(T);

impl<T: Default> TypeMeta for ClassOf<T> {
    type TypeMetadata = Methods;
    const TYPE_METADATA: &'static Methods = &Methods {
        class: "of numbers",
        double: |number| number * 2,
    };
}

#[test]
fn metadata_are_a_reference_to_a_constant() {
    fn methods<'gc, T>(of: GcFat<'gc, T, Methods, UnitPtrMeta>) -> &'static Methods {
        Gc::type_metadata(of)
    }
    let methods = rootless_mutate(|mc| {
        let value = GcBuilder::new_with_type_meta::<ClassOf<u8>>().write(mc, 5_u8);
        assert_eq!((methods(value).double)(*value), 10);
        methods(value)
    });
    assert_eq!(methods.class, "of numbers");
}

/// Pointers to as many bytes as the metadata of the type say for each of the pointer's.
struct Wide;

impl PtrMeta<[u8], usize> for Wide {
    type PtrMetadata = usize;
    type Thin = ();

    fn to_thin(_: &'static usize, fat: *const [u8]) -> *const () {
        fat.cast()
    }

    fn from_thin(width: &'static usize, thin: *const (), count: usize) -> *const [u8] {
        std::ptr::slice_from_raw_parts(thin.cast(), count * width)
    }
}

impl AllocMeta<[u8], usize> for Wide {
    fn layout(width: &'static usize, count: usize) -> Option<Layout> {
        Layout::array::<u8>(count.checked_mul(*width)?).ok()
    }
}

struct Three;

impl TypeMeta for Three {
    type TypeMetadata = usize;
    const TYPE_METADATA: &'static usize = &3;
}

#[test]
fn pointers_are_made_with_a_reference_to_the_metadata_of_the_type() {
    rootless_mutate(|mc| {
        // SAFETY: `Wide` keeps to the rules, and all bytes are written.
        let fat: GcFat<'_, [u8], usize, Wide> = unsafe {
            let mut builder =
                GcBuilder::<[u8], usize, Wide>::new_with_type_and_ptr_meta::<Three>(2);
            builder.as_ptr().cast::<u8>().write_bytes(7, 6);
            builder.assume_init(mc)
        };
        let thin: GcThin<'_, [u8], usize, Wide> = Gc::as_thin(fat);
        assert_eq!((&*thin, Gc::type_metadata(thin)), (&[7; 6][..], &3));
    });
}

#[test]
fn what_is_dead_is_seen_and_resurrected() {
    let mut arena = Arena::<Rootable![(GcWeak<'_, u64>, GcWeak<'_, u64>)]>::new(|mc| {
        (Gc::downgrade(Gc::new(mc, 1)), Gc::downgrade(Gc::new(mc, 2)))
    });
    arena
        .finish_marking()
        .unwrap()
        .finalize(|fc, (one, other)| {
            assert!(one.is_dead(fc) && other.is_dead(fc));
            let one = one.resurrect(fc).unwrap();
            assert!(!Gc::is_dead(fc, one));
        });
    arena.finish_marking().unwrap().start_sweeping();
    arena.mutate(|mc, (one, other)| {
        assert_eq!(one.upgrade(mc).map(|number| *number), Some(1));
        assert!(other.upgrade(mc).is_none());
    });
    arena.finish_cycle();
    arena.finish_cycle();
    arena.mutate(|mc, (one, _)| assert!(one.upgrade(mc).is_none()));
}
