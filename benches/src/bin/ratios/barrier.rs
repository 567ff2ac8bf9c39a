//! What the write barrier adds to a store while no cycle runs.
//!
//! A managed word is stored into every object of an array in turn, once through [`Gc::set`] on a
//! `Lock` and once into a plain `Cell`. Objects of both kinds lie in the same heap and are found
//! through arrays of the same kind, so what differs is the barrier. One process measures both in
//! turns of a few hundred microseconds, so that a machine that slows down slows both, and the
//! difference is that of the medians.
//!
//! [`Gc::set`]: gc_core::Gc::set

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use gc_benches::collected::ours::{self, Array};
use gc_core::arena::CollectionPhase;
use gc_core::{Arena, Collect, Gc, Lock, Mutation, Rootable};

use crate::Measure;
use crate::contest::{self, Contender, Figures, median};
use crate::options::{OBJECTS, Options};

/// Objects that are stored into.
const SLOTS: usize = 1024;

/// Passes over the array in a turn.
const PASSES: usize = 100;

/// Turns of each in a full run, and in a short one.
const TURNS: usize = 1000;
const QUICK_TURNS: usize = 20;

const BARRIERED: &str = "ns a barriered store";
const PLAIN: &str = "ns a plain store";

type Target<'gc> = Gc<'gc, u64>;
type Slot<'gc> = Gc<'gc, Lock<Option<Target<'gc>>>>;
type Word<'gc> = Gc<'gc, Cell<usize>>;

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    slots: Array<'gc, Slot<'gc>>,
    words: Array<'gc, Word<'gc>>,
    target: Target<'gc>,
}

#[inline(never)]
fn barriered<'gc>(mc: &Mutation<'gc>, slots: &[Slot<'gc>], target: Target<'gc>) {
    for slot in slots {
        slot.set(mc, Some(target));
    }
}

#[inline(never)]
fn plain(words: &[Word<'_>], target: usize) {
    for word in words {
        word.set(target);
    }
}

/// Stores into both kinds of object in turns.
pub fn run(objects: usize) -> Result<Figures> {
    let turns = if objects < OBJECTS {
        QUICK_TURNS
    } else {
        TURNS
    };
    let mut arena = Arena::<Rootable![Root<'_>]>::new(|mc| {
        let slots = (0..SLOTS).map(|_| Gc::new(mc, Lock::new(None))).collect();
        let words = (0..SLOTS).map(|_| Gc::new(mc, Cell::new(0))).collect();
        Root {
            slots: ours::array(mc, slots),
            words: ours::array(mc, words),
            target: Gc::new(mc, 7),
        }
    });
    // What is stored into is old, as most of what a program stores into is.
    arena.finish_cycle();

    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        with.push(arena.mutate(|mc, root| each(|| barriered(mc, &root.slots, root.target))));
        without.push(arena.mutate(|_, root| {
            let target = Gc::as_ptr(root.target).addr();
            each(|| plain(&root.words, target))
        }));
    }
    ensure!(
        arena.collection_phase() == CollectionPhase::Sleeping,
        "a cycle began while stores were measured"
    );
    Ok(Figures::of(BARRIERED, median(with)).and(PLAIN, Some(median(without))))
}

/// Nanoseconds of one store, of passes over all objects.
fn each(mut pass: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..PASSES {
        black_box(&mut pass)();
    }
    start.elapsed().as_nanos() as f64 / (PASSES * SLOTS) as f64
}

/// Both kinds of store, and their difference.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    let medians = contest::hold(&[Contender::Barrier], options, "barrier")?;
    let barriered = medians.expect(Contender::Barrier, BARRIERED)?;
    let plain = medians.expect(Contender::Barrier, PLAIN)?;
    Ok(vec![
        Measure::new(
            "barriered store - plain store, no cycle running",
            barriered - plain,
            "ns",
        )
        .at_most(options.bound_on_heaps(1.0)),
        Measure::new("  barriered store", barriered, "ns"),
        Measure::new("  plain store", plain, "ns"),
    ])
}
