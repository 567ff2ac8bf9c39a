//! Metadata of types: they are found for as long as the value lives, by every pointer that has them.

use gc_core::arena::rootless_mutate;
use gc_core::gc::IsGcKind;
use gc_core::lock::OnceLock;
use gc_core::meta::{TypeMeta, UnitPtrMeta};
use gc_core::{
    Arena, Collect, Gc, GcBuilder, GcFat, GcSlice, GcSliceBuilder, GcSliceWithHeader,
    GcSliceWithHeaderBuilder, GcStr, GcStrBuilder, GcThin, GcThinSlice, Lock, Mutation, RefLock,
    Rootable, Static, unsize,
};
use gc_tests::way::in_each_way;

use crate::counted::{Count, Counted};

struct Info {
    name: &'static str,
    call: fn(u32) -> u32,
}

macro_rules! info {
    ($($type:ident, $name:literal, $call:expr;)*) => {$(
        struct $type;
        impl TypeMeta for $type {
            type TypeMetadata = Info;
            const TYPE_METADATA: &'static Info = &Info { name: $name, call: $call };
        }
    )*};
}
info! {
    Locked, "locked", |x| x + 1;
    Unlocked, "unlocked", |x| x * 2;
}

/// Says how large a type is.
struct SizeOf<T>(T);
impl<T> TypeMeta for SizeOf<T> {
    type TypeMetadata = usize;
    const TYPE_METADATA: &'static usize = &size_of::<T>();
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    fat: Vec<GcFat<'gc, Static<u32>, Info, UnitPtrMeta>>,
    thin: Vec<GcThin<'gc, Static<u32>, Info, UnitPtrMeta>>,
    nothing: GcFat<'gc, (), Info, UnitPtrMeta>,
    dropped: GcFat<'gc, Counted, Info, UnitPtrMeta>,
    slice: GcThinSlice<'gc, u32, Info>,
    empty: GcSlice<'gc, Counted, Info>,
}

#[test]
fn they_survive_with_the_value() {
    in_each_way(|way| {
        let count = Count::default();
        let make = |mc: &gc_core::Mutation<'_>, _: ()| {
            Gc::new_slice(mc, &[0_u8; 100]);
        };
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let fat: Vec<_> = (0..100)
                .map(|i| {
                    let value = Static(i);
                    match i % 2 {
                        0 => GcBuilder::new_with_type_meta::<Locked>().write(mc, value),
                        _ => GcBuilder::new_with_type_meta::<Unlocked>().write(mc, value),
                    }
                })
                .collect();
            Root {
                thin: fat.iter().copied().map(Gc::as_thin).collect(),
                fat,
                nothing: GcBuilder::new_with_type_meta::<Locked>().write(mc, ()),
                dropped: GcBuilder::new_with_type_meta::<Unlocked>().write(mc, count.make()),
                slice: Gc::as_thin(
                    GcSliceBuilder::new_with_type_meta::<Locked>(3).copy_slice(mc, &[1, 2, 3]),
                ),
                empty: GcSliceBuilder::new_with_type_meta::<Unlocked>(0)
                    .write_slice_with(mc, |_| count.make()),
            }
        })
        .unwrap();
        for _ in 0..3 {
            arena.mutate(|mc, root| {
                make(mc, ());
                for (i, (fat, thin)) in root.fat.iter().zip(&root.thin).enumerate() {
                    let info = Gc::type_metadata(*fat);
                    assert_eq!(info.name, Gc::type_metadata(*thin).name);
                    assert_eq!(info.name, ["locked", "unlocked"][i % 2]);
                    assert_eq!((fat.0, thin.0), (i as u32, i as u32));
                    assert_eq!((info.call)(10), [11, 20][i % 2]);
                }
                assert_eq!(Gc::type_metadata(root.nothing).name, "locked");
                assert_eq!(Gc::type_metadata(root.dropped).name, "unlocked");
                assert_eq!(Gc::type_metadata(root.slice).name, "locked");
                assert_eq!(Gc::type_metadata(Gc::as_thin(root.empty)).name, "unlocked");
                assert_eq!((root.slice.len(), root.empty.len()), (3, 0));
            });
            arena.finish_cycle();
        }
        assert_eq!(count.alive(), 1);
        drop(arena);
        assert_eq!(count.alive(), 0);
    });
}

#[test]
fn builders_of_all_sorts_take_them() {
    rootless_mutate(|mc| {
        let text: GcStr<usize> =
            GcStrBuilder::new_with_type_meta::<SizeOf<u16>>(4).copy_str(mc, "text");
        assert_eq!((*Gc::type_metadata(text), &*text), (2, "text"));
        let with: GcSliceWithHeader<u8, u8, usize> =
            GcSliceWithHeaderBuilder::new_with_type_meta::<SizeOf<u32>>(1)
                .write_header(1)
                .copy_slice(mc, &[2]);
        assert_eq!(
            (
                *Gc::type_metadata(with),
                *Gc::type_metadata(Gc::as_thin(with))
            ),
            (4, 4)
        );
        let builder = GcBuilder::<Static<u8>, usize>::new_with_type_meta::<SizeOf<u64>>();
        assert_eq!(
            *Gc::type_metadata(builder.unwrap_static().write(mc, 7_u8)),
            8
        );

        // No metadata are not looked for.
        Gc::type_metadata(Gc::new(mc, 7));
        Gc::type_metadata(Gc::new_slice(mc, &[7]));
        Gc::type_metadata(Gc::new(mc, ()));
    });
}

/// Not `Copy`, and larger than a word, with parts of its own behind it.
struct Table {
    names: [&'static str; 3],
    parent: Option<&'static Table>,
}

struct Child;
impl Child {
    const PARENT: &'static Table = &Table {
        names: ["a", "b", "c"],
        parent: None,
    };
}
impl TypeMeta for Child {
    type TypeMetadata = Table;
    const TYPE_METADATA: &'static Table = &Table {
        names: ["d", "e", "f"],
        parent: Some(Child::PARENT),
    };
}

#[test]
fn a_reference_to_them_outlives_the_heap() {
    let (one, other) = rootless_mutate(|mc| {
        let make = |value: u8| GcBuilder::new_with_type_meta::<Child>().write(mc, value);
        (Gc::type_metadata(make(1)), Gc::type_metadata(make(2)))
    });
    assert!(std::ptr::eq(one, other), "there is one copy for each type");
    assert_eq!(one.names, ["d", "e", "f"]);
    let parent = one.parent.expect("the child has a parent");
    assert_eq!((parent.names[0], parent.parent.is_none()), ("a", true));
}

/// Takes no memory and is not `Copy`.
#[derive(Debug, PartialEq)]
struct Token;

struct Marked;
impl TypeMeta for Marked {
    type TypeMetadata = Token;
    const TYPE_METADATA: &'static Token = &Token;
}

#[test]
fn those_without_a_size_are_not_looked_for() {
    rootless_mutate(|mc| {
        let value = GcBuilder::new_with_type_meta::<Marked>().write(mc, 7_u32);
        assert_eq!((*value, Gc::type_metadata(value)), (7, &Token));
        let text = GcStrBuilder::new_with_type_meta::<Marked>(4).copy_str(mc, "text");
        assert_eq!(Gc::type_metadata(Gc::as_thin(text)), &Token);
    });
}

#[test]
fn other_types_of_the_same_object_have_them() {
    rootless_mutate(|mc| {
        let gc = GcBuilder::new_with_type_meta::<Locked>().write(mc, [1_u8, 2]);
        // SAFETY: an array begins with its first element.
        let first: GcFat<u8, Info, UnitPtrMeta> = unsafe { Gc::cast(gc) };
        assert_eq!((*first, Gc::type_metadata(first).name), (1, "locked"));
        let slice: Gc<[u8]> = unsize!(gc => [u8]);
        assert_eq!(*slice, [1, 2]);
        let plain: Gc<[u8; 2]> = Gc::erase_kind(gc);
        assert!(Gc::ptr_eq(Gc::erase(plain), Gc::erase(first)));
    });
}

#[test]
fn locks_beside_metadata_are_used_like_others() {
    fn use_them<'gc, S, R, O>(
        mc: &Mutation<'gc>,
        lock: Gc<'gc, Lock<u32>, S>,
        list: Gc<'gc, RefLock<Vec<u32>>, R>,
        once: Gc<'gc, OnceLock<u32>, O>,
    ) where
        S: IsGcKind<'gc, Lock<u32>>,
        R: IsGcKind<'gc, RefLock<Vec<u32>>>,
        O: IsGcKind<'gc, OnceLock<u32>>,
    {
        lock.set(mc, lock.get() + 1);
        list.borrow_mut(mc).push(lock.get());
        assert!(list.try_borrow_mut(mc).is_ok() && list.try_borrow().is_ok());
        assert_eq!(list.borrow().last(), Some(&lock.get()));
        assert_eq!(once.get(), None);
        assert_eq!(once.get_or_init(mc, || 5), &5);
        assert_eq!(once.set(mc, 6), Err(6));
    }
    rootless_mutate(|mc| {
        let lock = GcBuilder::new_with_type_meta::<Locked>().write(mc, Lock::new(1));
        let list = GcBuilder::new_with_type_meta::<Locked>().write(mc, RefLock::default());
        let once = GcBuilder::new_with_type_meta::<Locked>().write(mc, OnceLock::new());
        use_them(mc, lock, list, once);
        assert_eq!(Gc::type_metadata(lock).name, "locked");
        assert_eq!(
            (lock.get(), list.borrow().len(), once.get()),
            (2, 1, Some(&5))
        );
    });
}
