//! Tables in the heap that do not keep alive what they are about.
//!
//! [`WeakMap`] adds values to objects, [`WeakSet`] remembers objects, and [`WeakInterner`] makes equal
//! strings the same object, each for as long as somebody else has the key, the object, or the string.
//!
//! All are handles of one word, which can be copied, to tables in the heap without `Drop` or memory outside of
//! it, and objects are known by their address. Entries of what is gone are removed when a table grows, or by
//! `shrink_to_fit`; until then their places, and what is left of such an object, remain.

mod interner;
mod map;
mod set;

use crate::collections::or_panic;

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

/// How many places a table needs for so many entries, and as many more.
fn places_for(entries: usize) -> usize {
    (entries * 2).max(LEAST).next_power_of_two()
}
