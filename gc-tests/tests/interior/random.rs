//! Slices and strings against those of the standard library.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use gc_core::slice::{Slice, Str};
use gc_core::{Arena, Gc, Rootable, arena::rootless_mutate};
use gc_tests::seed::{config, repeat};
use gc_tests::way::checked;
use proptest::prelude::*;

/// One that is made of another.
#[derive(Clone, Copy, Debug)]
enum Step {
    Slice(usize, usize),
    From(usize),
    To(usize),
    Inclusive(usize, usize),
    SplitAt(usize, bool),
    SplitFirst,
    SplitLast,
    Chunk(usize, usize),
    RChunk(usize, usize),
    ChunkExact(usize, usize),
    Window(usize, usize),
    Split(u8, usize),
    Reference(usize, usize),
    Compact,
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..12_usize;
    prop_oneof![
        (at(), at()).prop_map(|(from, to)| Step::Slice(from, to)),
        at().prop_map(Step::From),
        at().prop_map(Step::To),
        (at(), at()).prop_map(|(from, to)| Step::Inclusive(from, to)),
        (at(), any::<bool>()).prop_map(|(at, before)| Step::SplitAt(at, before)),
        Just(Step::SplitFirst),
        Just(Step::SplitLast),
        (1..5_usize, at()).prop_map(|(size, nth)| Step::Chunk(size, nth)),
        (1..5_usize, at()).prop_map(|(size, nth)| Step::RChunk(size, nth)),
        (1..5_usize, at()).prop_map(|(size, nth)| Step::ChunkExact(size, nth)),
        (1..5_usize, at()).prop_map(|(size, nth)| Step::Window(size, nth)),
        (0..4_u8, at()).prop_map(|(separator, nth)| Step::Split(separator, nth)),
        (at(), at()).prop_map(|(from, to)| Step::Reference(from, to)),
        Just(Step::Compact),
        Just(Step::Collect),
    ]
}

/// What a step makes of a slice of the standard library.
fn expected<T: Copy + PartialEq<u8>>(slice: &[T], step: Step) -> Option<Vec<T>> {
    let part = match step {
        Step::Slice(from, to) | Step::Reference(from, to) => slice.get(from..to)?,
        Step::From(from) => slice.get(from..)?,
        Step::To(to) => slice.get(..to)?,
        Step::Inclusive(from, to) => slice.get(from..=to)?,
        Step::SplitAt(at, true) => slice.split_at_checked(at)?.0,
        Step::SplitAt(at, false) => slice.split_at_checked(at)?.1,
        Step::SplitFirst => slice.split_first()?.1,
        Step::SplitLast => slice.split_last()?.1,
        Step::Chunk(size, nth) => slice.chunks(size).nth(nth)?,
        Step::RChunk(size, nth) => slice.rchunks(size).nth(nth)?,
        Step::ChunkExact(size, nth) => slice.chunks_exact(size).nth(nth)?,
        Step::Window(size, nth) => slice.windows(size).nth(nth)?,
        Step::Split(separator, nth) => slice.split(|element| *element == separator).nth(nth)?,
        Step::Compact | Step::Collect => slice,
    };
    Some(part.to_vec())
}

/// The same of a managed slice.
fn part<'gc, T: Copy + PartialEq<u8> + gc_core::Collect<'gc>>(
    mc: &gc_core::Mutation<'gc>,
    slice: Slice<'gc, T>,
    step: Step,
) -> Option<Slice<'gc, T>> {
    match step {
        Step::Slice(from, to) => slice.get_slice(from..to),
        Step::From(from) => slice.get_slice(from..),
        Step::To(to) => slice.get_slice(..to),
        Step::Inclusive(from, to) => slice.get_slice(from..=to),
        Step::SplitAt(at, true) if at <= slice.len() => Some(slice.slice(..at)),
        Step::SplitAt(at, false) if at <= slice.len() => Some(slice.slice(at..)),
        Step::SplitFirst => slice.get_slice(1..),
        Step::SplitLast => slice.get_slice(..slice.len().checked_sub(1)?),
        Step::SplitAt(..) => None,
        Step::Chunk(size, nth) => slice.slice_ref(slice.chunks(size).nth(nth)?),
        Step::RChunk(size, nth) => slice.slice_ref(slice.rchunks(size).nth(nth)?),
        Step::ChunkExact(size, nth) => slice.slice_ref(slice.chunks_exact(size).nth(nth)?),
        Step::Window(size, nth) => slice.slice_ref(slice.windows(size).nth(nth)?),
        Step::Split(separator, nth) => {
            let mut parts = slice.as_ref().split(|element| *element == separator);
            slice.slice_ref(parts.nth(nth)?)
        }
        Step::Reference(from, to) => slice.slice_ref(slice.get(from..to)?),
        Step::Compact => Some(slice.compact_to_fit(mc)),
        Step::Collect => Some(slice),
    }
}

/// A byte that takes more room, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, gc_core::Collect)]
#[collect(require_static)]
struct Wide([u8; 20]);

impl PartialEq<u8> for Wide {
    fn eq(&self, other: &u8) -> bool {
        self.0[0] == *other
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, gc_core::Collect)]
#[collect(require_static)]
struct Nothing;

impl PartialEq<u8> for Nothing {
    fn eq(&self, _: &u8) -> bool {
        false
    }
}

macro_rules! compare {
    ($type:ty, $bytes:expr, $steps:expr, $make:expr) => {{
        let model: Vec<$type> = $bytes.iter().copied().map($make).collect();
        // All slices that were made are kept, and compared in the end.
        let mut models = vec![model.clone()];
        let mut arena = Arena::<Rootable![Vec<Slice<'_, $type>>]>::with_options(checked(), |mc| {
            vec![Slice::from(Gc::slice_from_iter(mc, model))]
        })
        .unwrap();
        for (salt, step) in $steps.iter().enumerate() {
            let from = salt * 7 % models.len();
            let result = expected(&models[from], *step);
            arena.mutate_root(|mc, root| {
                let found = part(mc, root[from], *step);
                assert_eq!(found.as_deref(), result.as_deref(), "{step:?}");
                if let Some(found) = found {
                    assert!(found.slice_ref(&found).is_some());
                    assert_eq!(found.to_vec(), result.clone().unwrap());
                    root.push(found);
                }
            });
            models.extend(result);
            if matches!(step, Step::Collect) {
                arena.finish_cycle();
            }
        }
        arena.verify().unwrap();
        arena.mutate(|_, root| {
            let hasher = RandomState::new();
            for (slice, model) in root.iter().zip(&models) {
                assert_eq!(*slice, *model);
                assert_eq!(slice.iter().count(), model.len());
                assert_eq!(format!("{slice:?}"), format!("{model:?}"));
                assert_eq!(hasher.hash_one(slice), hasher.hash_one(model));
                for (other, other_model) in root.iter().zip(&models) {
                    assert_eq!(slice == other, model == other_model);
                    assert_eq!(slice.cmp(other), model.cmp(other_model));
                }
            }
            let set: HashSet<_> = root.iter().copied().collect();
            assert_eq!(set.len(), models.iter().collect::<HashSet<_>>().len());
            assert!(set.contains(&models[0][..]));
        });
    }};
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn slices_are_as_those_of_the_library(
        _repeat in repeat(),
        bytes in prop::collection::vec(0..4_u8, 0..40),
        steps in prop::collection::vec(step(), 0..25),
    ) {
        compare!(u8, bytes, steps, |byte| byte);
        compare!(Wide, bytes, steps, |byte| Wide([byte; 20]));
        compare!(Nothing, bytes, steps, |_| Nothing);
    }

    #[test]
    fn strings_are_as_those_of_the_library(
        _repeat in repeat(),
        text in "[a-cä𝄞 \n\r]{0,30}",
        cuts in prop::collection::vec((0..40_usize, 0..40_usize), 0..12),
    ) {
        rootless_mutate(|mc| {
            let whole = Str::from(Gc::str_from(mc, &text));
            assert_eq!(whole, text);
            for (from, to) in cuts {
                let found = whole.get_slice(from..to);
                assert_eq!(found.as_deref(), text.get(from..to));
                let panicked = catch_unwind(AssertUnwindSafe(|| whole.slice(from..to))).is_err();
                assert_eq!(panicked, found.is_none());
                if let Some(part) = found {
                    assert!(ptr::eq(&*whole.slice_ref(part.as_ref()).unwrap(), &*part));
                    assert_eq!(part.compact_to_fit(mc), part);
                    assert_eq!(part.cmp(&whole), text[from..to].cmp(&text[..]));
                }
                let bytes = Slice::from(whole);
                if let Some(bytes) = bytes.get_slice(from..to) {
                    // No bytes are text anywhere, even within a character.
                    let is_text = from == to || text.get(from..to).is_some();
                    assert_eq!(Str::from_utf8(bytes).is_ok(), is_text);
                }
            }
            let lines = whole.lines().map(|line| whole.slice_ref(line).unwrap().as_ref());
            assert!(lines.eq(text.lines()));
            assert!(whole.split('b').map(|part| part.as_ref()).eq(text.split('b')));
            assert!(whole.split('b').rev().map(|part| part.as_ref()).eq(text.split('b').rev()));
            assert_eq!(format!("{whole} {whole:?}"), format!("{text} {text:?}"));
        });
    }
}

/// References that are not to elements of the slice are to none of its.
#[test]
fn only_own_elements_are_parts() {
    rootless_mutate(|mc| {
        let all = Slice::from(Gc::new(mc, [[1_u8, 2], [3, 4], [5, 6]]));
        let middle = all.slice(1..2);
        assert!(middle.slice_ref(&all[..1]).is_none() && middle.slice_ref(&all[1..]).is_none());
        assert!(middle.slice_ref(&all[2..]).is_none());
        assert!(middle.slice_ref(&[]).is_none());
        assert!(middle.slice_ref(&all[1..1]).is_some() && middle.slice_ref(&all[2..2]).is_some());
        // Between the elements of one grid lie those of another.
        let (shifted, _) = all.as_flattened()[1..].as_chunks::<2>();
        assert_eq!(shifted, [[2, 3], [4, 5]]);
        assert!(all.slice_ref(shifted).is_none());
        let units = Slice::from(Gc::new(mc, [(); 5]));
        assert!(
            units
                .slice_ref(&units[1..3])
                .is_some_and(|part| part.len() == 2)
        );
        assert!(units.slice(2..).slice_ref(&units).is_none());
        assert_eq!(units.cmp(&units.slice(1..)), Ordering::Greater);
    });
}

#[test]
fn what_is_not_there_is_a_panic() {
    rootless_mutate(|mc| {
        let slice = Slice::from(Gc::new(mc, [1, 2, 3]));
        let panics: [&dyn Fn(); 6] = [
            &|| _ = slice.slice(2..5),
            #[allow(clippy::reversed_empty_ranges, reason = "that is the point")]
            &|| _ = slice.slice(2..1),
            &|| _ = slice.slice(..=usize::MAX),
            &|| _ = slice.slice(4..),
            &|| _ = Slice::write_at(mc, slice, 3),
            &|| _ = gc_core::slice::OffsetSlice::new(mc, [1]).skip(2),
        ];
        for (index, panic) in panics.iter().enumerate() {
            assert!(catch_unwind(AssertUnwindSafe(panic)).is_err(), "{index}");
        }
    });
}
