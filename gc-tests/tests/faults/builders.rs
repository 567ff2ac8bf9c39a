//! Objects that are built of what closures and iterators make: slices, slices with headers, single values.

use std::marker::PhantomData;

use gc_core::{
    Collect, Gc, GcBuilder, GcSlice, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStrBuilder,
    Mutation,
};

use crate::fuse::{Call, hit, or_lie};
use crate::items::{Family, Item, Items, Plain, allocate};
use crate::stage::After::{More, Same};
use crate::stage::{Operation, Subject};

/// Slices of one kind of items, and the values of builders.
pub struct Subjects<F>(PhantomData<F>);

/// What was built.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Built<'gc, I: Collect<'gc> + 'gc> {
    lists: Vec<Gc<'gc, [I]>>,
    slices: Vec<GcSlice<'gc, I>>,
    values: Vec<Gc<'gc, I>>,
}

impl<F: Family> Subject for Subjects<F> {
    type In<'gc> = Built<'gc, F::Of<'gc>>;

    const STATES: usize = 1;

    fn new<'gc>(mc: &Mutation<'gc>, _: usize) -> Self::In<'gc> {
        let items: Vec<_> = (0..5).map(|id| F::Of::make(mc, id)).collect();
        Built {
            lists: vec![Gc::slice_from_iter(mc, items)],
            slices: vec![],
            values: vec![Gc::new(mc, F::Of::make(mc, 5))],
        }
    }

    fn contents<'gc>(_: &Mutation<'gc>, built: &Self::In<'gc>) -> Vec<u64> {
        let values = built.values.iter().map(|value| value.id());
        let listed = built.lists.iter().flat_map(|list| list.iter());
        let elements = built.slices.iter().flat_map(|slice| slice.iter());
        values.chain(listed.chain(elements).map(Item::id)).collect()
    }

    fn check<'gc>(_: &Mutation<'gc>, _: &mut Self::In<'gc>, _: bool) {}

    fn go_on<'gc>(mc: &Mutation<'gc>, built: &mut Self::In<'gc>) {
        let slice =
            GcSliceBuilder::new(3).write_slice_with(mc, |index| F::Of::make(mc, index as u64));
        built.slices.push(slice);
    }
}

/// An item that a closure makes.
fn made<'gc, I: Item<'gc>>(mc: &Mutation<'gc>, id: u64) -> I {
    let item = I::make(mc, id);
    allocate(mc);
    hit(Call::Closure);
    item
}

/// All of them.
pub fn operations<F: Family>() -> Vec<Operation<Subjects<F>>> {
    type Op<F> = Operation<Subjects<F>>;
    vec![
        Op::<F>::new(
            &["GcBuilder::write", "GcBuilder::try_write"],
            More,
            |mc, built| {
                built.values.push(GcBuilder::new().write(mc, made(mc, 50)));
                let value = GcBuilder::new().try_write(mc, made(mc, 51)).unwrap();
                built.values.push(value);
                drop(GcBuilder::<F::Of<'_>>::new());
            },
        ),
        Op::<F>::new(&["GcBuilder::as_ptr"], Same, |mc, _| {
            // Somebody asks where the value will be, and writes none.
            let mut builder = GcBuilder::<F::Of<'_>>::new();
            let _ = builder.as_ptr();
            drop(made::<F::Of<'_>>(mc, 1));
        }),
        Op::<F>::new(
            &[
                "GcSliceBuilder::write_slice_with",
                "GcSliceBuilder::try_write_slice_with",
            ],
            More,
            |mc, built| {
                let slice = GcSliceBuilder::new(4)
                    .write_slice_with(mc, |index| made(mc, 60 + index as u64));
                built.slices.push(slice);
                let slice = GcSliceBuilder::new(4)
                    .try_write_slice_with(mc, |index| made(mc, 70 + index as u64))
                    .unwrap();
                built.slices.push(slice);
            },
        ),
        Op::<F>::new(
            &[
                "GcSliceWithHeaderBuilder::write_header",
                "GcSliceWithHeaderSliceBuilder::write_slice_with",
                "GcSliceWithHeaderSliceBuilder::try_write_slice_with",
                "GcSliceWithHeaderSliceBuilder::slice_ptr",
                "GcSliceWithHeaderSliceBuilder: Drop",
            ],
            Same,
            |mc, _| {
                type Builder<'gc, I> = GcSliceWithHeaderBuilder<'gc, I, I>;
                let builder = || Builder::<F::Of<'_>>::new(4).write_header(made(mc, 1));
                let element = |index| made(mc, 60 + index as u64);
                let one = builder().write_slice_with(mc, element);
                let mut staged = builder();
                let _ = staged.slice_ptr();
                let other = staged.try_write_slice_with(mc, element).unwrap();
                drop(builder());
                for slice in [one, other] {
                    assert_eq!(slice.header.id(), 1);
                    assert!(slice.slice.iter().all(|item| item.id() >= 60));
                }
            },
        ),
        Op::<F>::new(
            &["Gc::slice_from_iter", "Gc::try_slice_from_iter"],
            More,
            |mc, built| {
                let list = Gc::slice_from_iter(mc, Items::new(mc, 60..64));
                built.lists.push(list);
                let list = Gc::try_slice_from_iter(mc, Items::new(mc, 70..74)).unwrap();
                built.lists.push(list);
            },
        ),
    ]
}

/// Those that copy, and so call nothing of an item's.
pub fn operations_with_copies() -> Vec<Operation<Subjects<Plain>>> {
    vec![Operation::new(
        &[
            "GcSliceBuilder::copy_slice",
            "GcSliceBuilder::try_copy_slice",
            "GcStrBuilder::copy_str",
            "GcStrBuilder::try_copy_str",
            "GcSliceWithHeaderSliceBuilder::copy_slice",
            "GcSliceWithHeaderSliceBuilder::try_copy_slice",
        ],
        Same,
        |mc, _| {
            hit(Call::Closure);
            let length = or_lie(2, 5) as usize;
            let numbers = [1_u64, 2, 3];
            let slice = GcSliceBuilder::new(length).copy_slice(mc, &numbers);
            let again = GcSliceBuilder::new(length).try_copy_slice(mc, &slice);
            assert_eq!(*again.unwrap(), numbers[..length]);
            let text = GcStrBuilder::new(length).copy_str(mc, "abc");
            let again = GcStrBuilder::new(length).try_copy_str(mc, &text);
            assert_eq!(*again.unwrap(), "abc"[..length]);
            let builder = || GcSliceWithHeaderBuilder::new(length).write_header(7_u8);
            let slice = builder().copy_slice(mc, &numbers);
            let again = builder().try_copy_slice(mc, &numbers).unwrap();
            assert_eq!((slice.header, &slice.slice), (7, &again.slice));
        },
    )]
}
