//! Tables in the heap that do not keep their keys alive.
//!
//! [`WeakMap`] adds values to objects, [`WeakSet`] remembers objects, and [`WeakInterner`] makes equal strings the same
//! object: each as long as something else keeps the key, the object, or the string alive.
//!
//! All are copyable handles of one word to tables in the heap, which have no `Drop` and no memory outside of it.
//! Objects are identified by address. The shell of a dead object remains as long as its entry does. Every walk over a
//! table removes such entries. Insertion does too: it checks some places each time, and has checked all of them after
//! as many insertions as a quarter of the places. A place that was used stays marked, since entries that were inserted
//! later may be behind it, until the table is rebuilt: when it grows, when few of its places are in use, or by
//! `shrink_to_fit`.

mod interner;
mod map;
mod set;

pub use self::interner::WeakInterner;
pub(crate) use self::map::Place;
pub use self::map::WeakMap;
pub use self::set::WeakSet;

/// The fewest places of a table.
const LEAST: usize = 8;

/// How many places are used at most, of so many.
const fn most(places: usize) -> usize {
    places / 4 * 3
}

/// How many places are looked at for what is gone when something is inserted.
const LOOKS: usize = 4;

/// Whether a table of so many places is worth rebuilding for so many entries.
fn is_too_large(places: usize, entries: usize) -> bool {
    places >= 4 * places_for(entries + 1)
}

/// How far a table was looked through by insertions.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// The next place to be looked at.
    next: usize,
    /// How many entries were found before it.
    found: usize,
}

impl Progress {
    /// Looks at some more of so many places; `look` says whether there is an entry, and removes one that is gone.
    /// Whether the table turns out to be too large.
    fn advance(&mut self, places: usize, mut look: impl FnMut(usize) -> bool) -> bool {
        for _ in 0..LOOKS {
            if self.next >= places {
                let Progress { found, .. } = core::mem::take(self);
                return is_too_large(places, found);
            }
            self.found += usize::from(look(self.next));
            self.next += 1;
        }
        false
    }
}

/// How many places a table needs for so many entries, and as many more.
fn places_for(entries: usize) -> usize {
    (entries * 2).max(LEAST).next_power_of_two()
}
