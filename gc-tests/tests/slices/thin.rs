//! Thin pointers: each finds what it lacks, wherever its object is.

use std::fmt::Debug;

use gc_core::arena::rootless_mutate;
use gc_core::meta::{PtrMeta, UnitPtrMeta};
use gc_core::{
    Arena, Collect, Gc, GcSlice, GcStr, GcThinSlice, GcThinSliceWithHeader, GcThinStr, GcWeak,
    HeapOptions, Lock, Rootable, unsize,
};
use gc_core::{GcSliceBuilder, GcSliceWithHeaderBuilder};
use gc_tests::way::{Way, in_each_way, panic_of};

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    bytes: Vec<GcThinSlice<'gc, u8>>,
    texts: Vec<GcThinStr<'gc>>,
    /// Each element points to a thin slice of its index.
    nested: Vec<GcThinSliceWithHeader<'gc, usize, Lock<Option<GcThinSlice<'gc, usize>>>>>,
}

/// Lengths around the ends of groups and of blocks, and one of many blocks.
fn lengths() -> impl Iterator<Item = usize> {
    let around = |at: usize| {
        [
            at - 33,
            at - 17,
            at - 16,
            at - 15,
            at - 8,
            at - 1,
            at,
            at + 1,
        ]
    };
    let ends = [512, 1024, 16 << 10, 32 << 10, 64 << 10];
    (0..40)
        .chain(ends.into_iter().flat_map(around))
        .chain([300_000])
}

/// A text that is longer than all that are needed.
fn alphabet() -> String {
    "abcdefghijklmnopqrstuvwxyz".repeat(12_000)
}

fn check(root: &Root<'_>, text: &str) {
    for (length, (bytes, own)) in lengths().zip(root.bytes.iter().zip(&root.texts)) {
        assert_eq!(bytes.len(), length);
        let ends = [bytes.first(), bytes.last()];
        assert_eq!(
            ends,
            [
                (length > 0).then_some(&0),
                (length > 0).then_some(&((length.max(1) - 1) as u8))
            ]
        );
        assert_eq!(**own, text[..length]);
    }
    for nested in &root.nested {
        assert_eq!(nested.header, nested.slice.len());
        for (index, element) in nested.slice.iter().enumerate() {
            assert_eq!(*element.get().unwrap(), [index]);
        }
    }
}

fn everywhere(way: Way, options: HeapOptions) {
    let text = alphabet();
    let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| Root {
        bytes: lengths()
            .map(|length| GcSliceBuilder::new(length).write_slice_with(mc, |i| i as u8))
            .map(Gc::as_thin)
            .collect(),
        texts: lengths()
            .map(|length| Gc::as_thin(Gc::new_str(mc, &text[..length])))
            .collect(),
        nested: (0..way.size(20, 200))
            .step_by(7)
            .chain([way.size(300, 5000)])
            .map(|length| {
                let fat = GcSliceWithHeaderBuilder::new(length)
                    .write_header(length)
                    .write_slice_with(mc, |i| {
                        Lock::new(Some(Gc::as_thin(Gc::new_slice(mc, &[i]))))
                    });
                Gc::as_thin(fat)
            })
            .collect(),
    })
    .unwrap();
    arena.mutate(|_, root| check(root, &text));
    for _ in 0..3 {
        arena.finish_cycle();
        arena.mutate(|mc, root| {
            check(root, &text);
            // Half of the elements get new slices, beside a marker or not.
            for nested in &root.nested {
                for index in (0..nested.header).step_by(2) {
                    let new = Gc::as_thin(Gc::new_slice(mc, &[index]));
                    let elements = Gc::write(mc, *nested);
                    gc_core::barrier::field!(elements, gc_core::SliceWithHeader<_, _>, slice)
                        [index]
                        .unlock()
                        .set(Some(new));
                }
            }
        });
        arena.collect_debt();
        arena.mutate(|_, root| check(root, &text));
    }
    arena.mutate_root(|_, root| {
        root.bytes.truncate(10);
        root.texts.truncate(10);
    });
    arena.finish_cycle();
    arena.mutate(|_, root| check(root, &text));
}

#[test]
fn lengths_are_found_in_each_way() {
    in_each_way(|way| everywhere(way, way.options()));
}

#[test]
fn lengths_are_found_in_spaces_of_their_own() {
    in_each_way(|way| everywhere(way, way.options().reserve(256 << 20)));
}

#[test]
fn threads_find_them() {
    rootless_mutate(|mc| {
        let thin: GcThinSlice<u64> = Gc::as_thin(Gc::new_slice(mc, &[1, 2, 3]));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || assert_eq!(*thin, [1, 2, 3]));
            }
        });
    });
}

#[test]
fn a_thin_pointer_is_one_word() {
    assert_eq!(size_of::<GcThinSlice<'_, u32>>(), 8);
    assert_eq!(size_of::<Option<GcThinStr<'_>>>(), 8);
    assert_eq!(size_of::<GcSlice<'_, u32>>(), 16);
    assert_eq!(size_of::<Option<GcStr<'_>>>(), 16);
    assert_eq!(size_of::<Gc<'_, [u8]>>(), 16);
    assert_eq!(size_of::<Gc<'_, dyn Debug>>(), 16);
}

#[test]
fn pointers_of_all_widths_do_the_same() {
    rootless_mutate(|mc| {
        let fat = GcSliceBuilder::new(3).write_slice_with(mc, Lock::new);
        let thin = Gc::as_thin(fat);
        let plain = Gc::erase_kind(thin);
        assert!(Gc::ptr_eq(Gc::as_fat(thin), fat));
        assert!(Gc::ptr_eq(plain, Gc::erase_kind(fat)));
        assert!(Gc::ptr_eq(Gc::erase(thin), Gc::erase(fat)));
        assert_eq!(Gc::as_ptr(thin), Gc::as_ptr(fat));
        Gc::write_at(mc, thin, 1).unlock().set(7);
        Gc::write(mc, fat)[2].unlock().set(8);
        let values = |slice: &[Lock<usize>]| slice.iter().map(Lock::get).collect::<Vec<_>>();
        assert_eq!(values(&plain), [0, 7, 8]);

        let text = Gc::new_str(mc, "text");
        let thin = Gc::as_thin(text);
        assert_eq!(thin, Gc::as_thin(Gc::new_str(mc, "text")));
        assert_eq!(format!("{thin} {thin:?}"), "text \"text\"");
        // SAFETY: the pointer is that of the string.
        let again: GcThinStr = unsafe { Gc::from_ptr_with_kind(Gc::as_ptr(text)) };
        assert!(Gc::ptr_eq(thin, again));
        let sized = Gc::as_thin(Gc::new(mc, 7));
        assert_eq!(
            (*sized, *Gc::as_thin_ref(sized), *Gc::as_fat(sized)),
            (7, 7, 7)
        );
    });
}

/// It need only compile: a pointer to what lives longer is one to what lives as long.
#[test]
fn pointers_are_covariant() {
    fn shorter<'gc, 'short>(
        gc: GcThinSlice<'gc, &'static str>,
        _: &'short str,
    ) -> GcThinSlice<'gc, &'short str> {
        gc
    }
    fn shorter_by_default<'gc, 'short>(
        gc: Gc<'gc, &'static str>,
        _: &'short str,
    ) -> Gc<'gc, &'short str> {
        gc
    }
    fn shorter_weak<'gc, 'short>(
        gc: GcWeak<'gc, &'static str>,
        _: &'short str,
    ) -> GcWeak<'gc, &'short str> {
        gc
    }
    let _ = (shorter, shorter_by_default, shorter_weak);
}

trait Animal {
    fn legs(&self) -> u32;
}

impl Animal for u32 {
    fn legs(&self) -> u32 {
        *self
    }
}

/// Makes pointers to nowhere.
impl PtrMeta<dyn Animal, ()> for UnitPtrMeta {
    type PtrMetadata = usize;
    type Thin = u32;

    fn to_thin((): &(), fat: *const dyn Animal) -> *const u32 {
        fat.cast()
    }

    fn from_thin((): &(), _: *const u32, _: usize) -> *const dyn Animal {
        std::ptr::null::<u32>()
    }
}

#[test]
fn what_was_not_made_to_be_thin_stays_as_it_is() {
    rootless_mutate(|mc| {
        let animal = unsize!(Gc::new(mc, 4_u32) => dyn Animal);
        assert_eq!(animal.legs(), 4);
        let panic = panic_of(|| Gc::as_thin(animal));
        assert!(panic.unwrap().contains("cannot be thin"));
        assert!(panic_of(|| GcWeak::as_thin(Gc::downgrade(animal))).is_some());
    });
}
