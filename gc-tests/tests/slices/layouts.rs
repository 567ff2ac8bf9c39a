//! Headers and elements of all sizes and alignments.

use gc_core::arena::rootless_mutate;
use gc_core::{Gc, GcSliceBuilder, GcSliceWithHeaderBuilder, GcThinSliceWithHeader};

macro_rules! layouts {
    ($(($header:literal, $header_align:literal, $element:literal, $element_align:literal)),*) => {$({
        #[repr(align($header_align))]
        #[derive(Clone, Copy, PartialEq, Debug)]
        struct Header([u8; $header]);
        gc_core::static_collect!(Header);

        #[repr(align($element_align))]
        #[derive(Clone, Copy, PartialEq, Debug)]
        struct Element([u8; $element]);
        gc_core::static_collect!(Element);

        let header = Header(std::array::from_fn(|i| i as u8));
        let element = |at: usize| Element(std::array::from_fn(|i| (i + at + 1) as u8));
        rootless_mutate(|mc| {
            for length in [0, 1, 5, 7, 70, 5000] {
                let fat = GcSliceWithHeaderBuilder::new(length)
                    .write_header(header)
                    .write_slice_with(mc, element);
                let thin: GcThinSliceWithHeader<Header, Element> = Gc::as_thin(fat);
                let copied = GcSliceWithHeaderBuilder::new(length)
                    .write_header(header)
                    .copy_slice(mc, &fat.slice);
                let slice = Gc::as_thin(GcSliceBuilder::new(length).copy_slice(mc, &fat.slice));
                for whole in [fat.as_ref(), thin.as_ref(), copied.as_ref()] {
                    assert_eq!((whole.header, whole.slice.len()), (header, length));
                    assert!((0..length).all(|at| whole.slice[at] == element(at)));
                    assert!(std::ptr::from_ref(&whole.header).is_aligned());
                    assert!(whole.slice.as_ptr().is_aligned());
                }
                assert_eq!(*slice, fat.slice);
                assert_eq!(*Gc::as_thin_ref(thin), header);
            }
        });
    })*};
}

#[test]
fn all_fit() {
    layouts!(
        (0, 1, 0, 1),
        (1, 1, 1, 1),
        (8, 1, 8, 1),
        (32, 1, 32, 1),
        (0, 8, 0, 1),
        (1, 8, 1, 1),
        (8, 8, 8, 1),
        (32, 8, 32, 1),
        (0, 1, 0, 8),
        (1, 1, 1, 8),
        (8, 1, 8, 8),
        (32, 1, 32, 8),
        (0, 8, 0, 32),
        (1, 8, 1, 32),
        (8, 8, 8, 32),
        (0, 32, 0, 8),
        (1, 32, 1, 8),
        (8, 32, 8, 8),
        (32, 32, 32, 8),
        (3, 64, 5, 4096)
    );
}
