//! The length of an offset slice, found from the object.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use gc_core::slice::{OffsetSlice, Slice};
use gc_core::{Arena, Collect, Gc, Lock, Mutation, Rootable};
use gc_tests::way::in_each_way;

use crate::count;

/// One that needs a descriptor because its pointers move.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    Number(u64),
    Pointer(Gc<'gc, u64>),
}

#[derive(Clone, Collect)]
#[collect(require_static)]
struct Dropped(Rc<Cell<usize>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

thread_local! {
    static UNITS: Cell<usize> = const { Cell::new(0) };
}

#[derive(Collect)]
#[collect(require_static)]
struct DroppedUnit;

impl Drop for DroppedUnit {
    fn drop(&mut self) {
        UNITS.set(UNITS.get() + 1);
    }
}

#[derive(Clone, Copy, Collect)]
#[collect(require_static)]
#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "it is there for its size")] [u8; 64]);

const LENGTHS: [usize; 26] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 500, 1023, 1024, 2047,
    5000, 20_000,
];

fn check<'gc, T: Collect<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    length: usize,
    mut make: impl FnMut(usize) -> T,
) {
    let all = OffsetSlice::new(mc, (0..length).map(&mut make));
    assert_eq!((all.len(), all.resolve(mc).len()), (length, length));
    for count in [0, 1, 7, length / 2, length - length.min(1), length] {
        if count <= length {
            let tail = all.skip(count);
            assert_eq!(tail.as_ref().len(), length - count);
            assert!(ptr::eq(&*tail.resolve(mc), &all.resolve(mc)[count..]));
            assert!(ptr::eq(
                tail.resolve(mc).as_ref(),
                Slice::from(tail).as_ref()
            ));
        }
    }
    assert!(all.skip(length).split_first().is_none());
    if size_of::<T>() > 0 && length > 0 {
        let (first, rest) = all.split_first().unwrap();
        assert!(std::ptr::eq(first, &raw const all[0]) && rest.len() == length - 1);
    }
}

#[test]
fn of_elements_of_all_sizes() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![()]>::with_options(way.options(), |_| ()).unwrap();
        let drops = Rc::new(Cell::new(0));
        let (mut dropped, mut units) = (0, UNITS.get());
        for &length in &LENGTHS[..way.size(24, LENGTHS.len())] {
            arena.mutate(|mc, _| {
                check(mc, length, |i| i as u8);
                check(mc, length, |i| i as u16);
                check(mc, length, |i| [i as u8; 3]);
                check(mc, length, |i| [i as u16; 5]);
                check(mc, length, |i| i as u64);
                check(mc, length, |i| [i as u8; 17]);
                check(mc, length, |i| i as u128);
                check(mc, length, |i| [i as u64; 3]);
                check(mc, length, |_| ());
                check(mc, length, |_| Gc::new(mc, 1_u64));
                check(mc, length, |i| Lock::new(Value::Number(i as u64)));
                check(mc, length, |_| Lock::new(Value::Pointer(Gc::new(mc, 1))));
                check(mc, length, |_| Dropped(drops.clone()));
                check(mc, length, |_| DroppedUnit);
                check(mc, length.min(600), |i| Line([i as u8; 64]));
            });
            dropped += length;
            units += length;
            assert_eq!(count(&mut arena), 0);
            assert_eq!((drops.get(), UNITS.get()), (dropped, units));
        }
    });
}

#[test]
fn absurd_lengths_are_errors() {
    /// An iterator that lies.
    struct Endless;
    impl Iterator for Endless {
        type Item = u64;
        fn next(&mut self) -> Option<u64> {
            Some(0)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX / 8, Some(usize::MAX / 8))
        }
    }
    impl ExactSizeIterator for Endless {}
    let mut arena = Arena::<Rootable![()]>::new(|_| ());
    arena.mutate(|mc, _| {
        assert!(OffsetSlice::try_new(mc, Endless).is_err());
        let units = OffsetSlice::new(mc, std::iter::repeat_n((), 100_000));
        assert_eq!((units.len(), units.skip(9).len()), (100_000, 99_991));
        assert!(
            OffsetSlice::<()>::default().is_empty() && OffsetSlice::<u64>::default().is_empty()
        );
    });
    assert_eq!(count(&mut arena), 0);
}

/// A slice of the heap's lives on, and is as long as before.
#[test]
fn lengths_outlive_collections() {
    in_each_way(|way| {
        type Tails<'gc> = Vec<OffsetSlice<'gc, [u16; 3]>>;
        let mut arena =
            Arena::<Rootable![Tails<'_>]>::with_options(way.often(), |_| Vec::new()).unwrap();
        let lengths: Vec<usize> = (0..40).chain([900, 1400, 9000]).collect();
        arena.mutate_root(|mc, root| {
            for &length in &lengths {
                let slice = OffsetSlice::new(mc, (0..length).map(|i| [i as u16; 3]));
                root.push(slice.skip(length / 3));
            }
        });
        for _ in 0..3 {
            // Those of no elements have no object.
            assert_eq!(count(&mut arena), lengths.len() - 1);
            arena.mutate(|_, root| {
                for (tail, length) in root.iter().zip(&lengths) {
                    let numbers = (length / 3..*length).map(|i| [i as u16; 3]);
                    assert!(tail.iter().copied().eq(numbers));
                }
            });
        }
    });
}
