//! Weak pointers of all kinds.

use gc_core::gc::{GcKind, Thin};
use gc_core::gc_slice::{SlicePtrMeta, SliceWithHeaderPtrMeta};
use gc_core::meta::TypeMeta;
use gc_core::{
    Arena, Collect, Gc, GcSliceBuilder, GcSliceWithHeaderBuilder, GcThinSlice, GcWeak, Rootable,
    SliceWithHeader,
};
use gc_tests::way::in_each_way;

use crate::counted::{Count, Counted};

type WeakThinSlice<'gc, E, M = ()> = GcWeak<'gc, [E], GcKind<Thin<[E]>, M, SlicePtrMeta>>;
type OfTwo = SliceWithHeader<Counted, u32>;

struct Named;
impl TypeMeta for Named {
    type TypeMetadata = &'static str;
    const TYPE_METADATA: &'static &'static str = &"named";
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    strong: Option<GcThinSlice<'gc, Counted, &'static str>>,
    thin: WeakThinSlice<'gc, Counted, &'static str>,
    leaf: WeakThinSlice<'gc, u64>,
    header: GcWeak<'gc, OfTwo, GcKind<Thin<OfTwo>, (), SliceWithHeaderPtrMeta>>,
}

#[test]
fn they_lead_to_the_value_as_long_as_it_is_there() {
    in_each_way(|way| {
        let count = Count::default();
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let slice = GcSliceBuilder::new_with_type_meta::<Named>(5)
                .write_slice_with(mc, |_| count.make());
            let header = GcSliceWithHeaderBuilder::new(3)
                .write_header(count.make())
                .copy_slice(mc, &[1, 2, 3]);
            Root {
                strong: Some(Gc::as_thin(slice)),
                thin: GcWeak::as_thin(Gc::downgrade(slice)),
                leaf: Gc::downgrade(Gc::as_thin(Gc::new_slice(mc, &[7; 100]))),
                header: Gc::downgrade(Gc::as_thin(header)),
            }
        })
        .unwrap();
        arena.mutate(|mc, root| {
            assert_eq!(root.leaf.upgrade(mc).unwrap()[99], 7);
            assert_eq!(root.header.upgrade(mc).unwrap().slice, [1, 2, 3]);
        });
        for _ in 0..2 {
            arena.finish_cycle();
            arena.mutate(|mc, root| {
                let gc = root.thin.upgrade(mc).unwrap();
                assert_eq!((gc.len(), *Gc::type_metadata(gc)), (5, "named"));
                assert!(root.leaf.upgrade(mc).is_none() && root.leaf.is_dropped());
                assert!(root.header.upgrade(mc).is_none() && root.header.is_dropped());
                assert_eq!(count.alive(), 5);
            });
        }
        arena.mutate_root(|_, root| root.strong = None);
        arena.finish_cycle();
        arena.mutate(|mc, root| {
            assert_eq!(count.alive(), 0);
            assert!(root.thin.upgrade(mc).is_none() && root.thin.is_dropped());
            // The length is told by what is left of the object.
            assert_eq!(root.thin.as_ptr().len(), 5);
            assert_eq!(GcWeak::as_fat(root.leaf).as_ptr().len(), 100);
            assert!(GcWeak::ptr_eq(root.thin, root.thin));
            // SAFETY: the pointer is in use, and of the same kind.
            let again: WeakThinSlice<u64> =
                unsafe { GcWeak::from_ptr_with_kind(root.leaf.as_ptr()) };
            assert!(GcWeak::ptr_eq(
                GcWeak::erase(again),
                GcWeak::erase(root.leaf)
            ));
            Gc::new_slice(mc, &[1, 2, 3]);
        });
        // What is left is still there a cycle later, if it is the weak pointer that is looked at.
        arena.finish_cycle();
        arena.mutate(|_, root| assert_eq!(root.thin.as_ptr().len(), 5));
    });
}

/// Metadata of pointers that depend on those of the type: read also when the value is gone.
mod scaled {
    use std::alloc::Layout;

    use gc_core::GcBuilder;
    use gc_core::arena::rootless_mutate;
    use gc_core::gc::Fat;
    use gc_core::meta::{AllocMeta, PtrMeta};

    use super::*;

    struct Scaled;

    impl PtrMeta<[u8], u32> for Scaled {
        type PtrMetadata = u16;
        type Thin = u8;

        fn to_thin(_: &u32, fat: *const [u8]) -> *const u8 {
            fat.cast()
        }

        fn from_thin(scale: &u32, thin: *const u8, length: u16) -> *const [u8] {
            std::ptr::slice_from_raw_parts(thin, *scale as usize * usize::from(length))
        }
    }

    impl AllocMeta<[u8], u32> for Scaled {
        fn layout(scale: &u32, length: u16) -> Option<Layout> {
            Layout::array::<u8>(*scale as usize * usize::from(length)).ok()
        }
    }

    struct Ten;
    impl TypeMeta for Ten {
        type TypeMetadata = u32;
        const TYPE_METADATA: &'static u32 = &10;
    }

    type Weak<'gc> = GcWeak<'gc, [u8], GcKind<Thin<[u8]>, u32, Scaled>>;
    type Fatter<'gc> = Gc<'gc, [u8], GcKind<Fat<[u8]>, u32, Scaled>>;

    fn build<'gc>(mc: &gc_core::Mutation<'gc>) -> Fatter<'gc> {
        // SAFETY: `Scaled` keeps to the rules, and all bytes are written.
        unsafe {
            let mut builder = GcBuilder::<[u8], u32, Scaled>::new_with_type_and_ptr_meta::<Ten>(3);
            builder.as_ptr().cast::<u8>().write_bytes(7, 30);
            builder.assume_init(mc)
        }
    }

    #[test]
    fn the_type_is_known_of_what_is_gone() {
        in_each_way(|way| {
            let mut arena = Arena::<Rootable![Weak<'_>]>::with_options(way.options(), |mc| {
                Gc::downgrade(Gc::as_thin(build(mc)))
            })
            .unwrap();
            arena.mutate(|mc, weak| assert_eq!(*weak.upgrade(mc).unwrap(), [7; 30]));
            arena.finish_cycle();
            arena.mutate(|_, weak| {
                assert!(weak.is_dropped());
                assert_eq!(weak.as_ptr().len(), 30);
            });
        });
        rootless_mutate(|mc| assert_eq!(*Gc::type_metadata(build(mc)), 10));
    }
}
