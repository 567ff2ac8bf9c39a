//! A table whose entries keep their numbers, and whose cost is proportional to the entries in use.
//!
//! A handle knows its entry by number, so an entry does not move while it is in use. But after a burst of millions of
//! entries, the table must not keep their memory, and collections must not walk through it for ever. So entries are in
//! *leaves* of [`LEAF`], each with a word that says which entries are in use. A leaf without any is freed. What is left
//! is a directory, with a word and two bits for each leaf up to the last one in use. A new entry gets the first free
//! place, so the table fills from the front, and its end becomes free.
//!
//! The first leaf is always kept, and so is one other leaf that becomes empty. So a program that adds and removes
//! entries in turn allocates nothing.
//!
//! # Costs
//!
//! Finding or removing an entry reads the directory and the leaf. Adding one also searches the bits of the directory
//! for the first leaf with a free place. Visiting all entries costs the leaves in use, and one word for each 64 leaves
//! of the directory.
//!
//! # Invariants
//!
//! 1. A bit of `used` is set if and only if that entry is in use. The others have the default value.
//! 2. A leaf is there if and only if its bit of `occupied` is set. It has an entry in use, unless it is the first. The last
//!    one of the directory is there.
//! 3. A bit of `open` is set if and only if its leaf is in the directory, and is not there or not full. Words before
//!    `first_open` have none.

use core::mem;

/// How many entries are in a leaf.
pub(crate) const LEAF: usize = if cfg!(loom) { 1 } else { 64 };

/// As many ones as there are entries in a leaf.
const FULL: u64 = u64::MAX >> (64 - LEAF);

struct Leaf<T> {
    used: u64,
    entries: [T; LEAF],
}

/// Which leaves have a free place, and which have entries: a bit for each of 64.
#[derive(Clone, Copy, Default)]
struct Word {
    open: u64,
    occupied: u64,
}

/// See the [module documentation](self).
pub(crate) struct SlotTable<T> {
    leaves: Vec<Option<Box<Leaf<T>>>>,
    words: Vec<Word>,
    first_open: usize,
    len: usize,
    spare: Option<Box<Leaf<T>>>,
}

impl<T> Default for SlotTable<T> {
    fn default() -> SlotTable<T> {
        SlotTable {
            leaves: Vec::new(),
            words: Vec::new(),
            first_open: 0,
            len: 0,
            spare: None,
        }
    }
}

impl<T: Default> SlotTable<T> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry: its number, which is the lowest that is free.
    #[inline]
    pub(crate) fn add(&mut self, value: T) -> usize {
        let number = match self.words.get(self.first_open) {
            Some(word) if word.open != 0 => {
                self.first_open * 64 + word.open.trailing_zeros() as usize
            }
            _ => self.find_open(),
        };
        let leaf = match &mut self.leaves[number] {
            Some(leaf) => leaf,
            None => self.make_leaf(number),
        };
        let place = leaf.used.trailing_ones() as usize % LEAF;
        leaf.entries[place] = value;
        leaf.used |= 1 << place;
        if leaf.used == FULL {
            self.words[number / 64].open &= !(1 << (number % 64));
        }
        self.len += 1;
        number * LEAF + place
    }

    /// The first leaf with a free place, if need be one behind all that there are.
    #[inline(never)]
    fn find_open(&mut self) -> usize {
        while let Some(word) = self.words.get(self.first_open) {
            if word.open != 0 {
                return self.first_open * 64 + word.open.trailing_zeros() as usize;
            }
            self.first_open += 1;
        }
        let number = self.leaves.len();
        self.leaves.push(None);
        self.first_open = number / 64;
        self.words.resize(number / 64 + 1, Word::default());
        self.words[number / 64].open |= 1 << (number % 64);
        number
    }

    #[inline(never)]
    fn make_leaf(&mut self, number: usize) -> &mut Leaf<T> {
        let leaf = self.spare.take().unwrap_or_else(|| {
            let entries = core::array::from_fn(|_| T::default());
            Box::new(Leaf { used: 0, entries })
        });
        self.words[number / 64].occupied |= 1 << (number % 64);
        self.leaves[number].insert(leaf)
    }

    /// The entry with this number, if it is in use.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let leaf = self.leaves.get_mut(index / LEAF)?.as_mut()?;
        let place = index % LEAF;
        (leaf.used & 1 << place != 0).then(|| &mut leaf.entries[place])
    }

    /// Takes an entry out, if it is in use.
    #[inline]
    pub(crate) fn remove(&mut self, index: usize) -> Option<T> {
        self.remove_if(index, |_| true)
    }

    /// Lets `f` change an entry, if it is in use, and takes it out if that says so.
    #[inline]
    pub(crate) fn remove_if(&mut self, index: usize, f: impl FnOnce(&mut T) -> bool) -> Option<T> {
        let (number, place) = (index / LEAF, index % LEAF);
        let leaf = self.leaves.get_mut(number)?.as_mut()?;
        let (used, entry) = (leaf.used, &mut leaf.entries[place]);
        if used & 1 << place == 0 || !f(entry) {
            return None;
        }
        let value = mem::take(entry);
        leaf.used = used & !(1 << place);
        self.len -= 1;
        if used == FULL {
            self.words[number / 64].open |= 1 << (number % 64);
            self.first_open = self.first_open.min(number / 64);
        }
        if used == 1 << place && number != 0 {
            self.free_leaf(number);
        }
        Some(value)
    }

    /// Frees a leaf without entries, and the part of the directory that is not needed without it.
    #[inline(never)]
    fn free_leaf(&mut self, number: usize) {
        self.spare = self.leaves[number].take();
        self.words[number / 64].occupied &= !(1 << (number % 64));
        while let Some(None) = self.leaves.last() {
            self.leaves.pop();
            let last = self.leaves.len();
            self.words[last / 64].open &= !(1 << (last % 64));
        }
        let (leaves, words) = (self.leaves.len(), self.leaves.len().div_ceil(64));
        self.words.truncate(words);
        if leaves < self.leaves.capacity() / 4 {
            self.leaves.shrink_to(2 * leaves);
            self.words.shrink_to(2 * words);
        }
    }

    /// Calls `f` with the number and the value of each entry of the first leaf that has some from `from` on. From where
    /// to go on, or `None` if there was none.
    ///
    /// Whatever happens between two calls, entries that are in use throughout are visited once by all of them.
    pub(crate) fn visit_some(&self, from: usize, mut f: impl FnMut(usize, &T)) -> Option<usize> {
        let first = from / LEAF;
        // Which leaves of the first word, and entries of the first leaf, are not before.
        let (mut leaves, mut places) = (u64::MAX << (first % 64), u64::MAX << (from % LEAF));
        for (index, word) in self.words.iter().enumerate().skip(first / 64) {
            let mut occupied = word.occupied & leaves;
            while occupied != 0 {
                let number = index * 64 + occupied.trailing_zeros() as usize;
                occupied &= occupied - 1;
                let leaf = self.leaves[number].as_ref()?;
                if number != first {
                    places = u64::MAX;
                }
                let mut used = leaf.used & places;
                if used == 0 {
                    continue;
                }
                while used != 0 {
                    let place = used.trailing_zeros() as usize % LEAF;
                    used &= used - 1;
                    f(number * LEAF + place, &leaf.entries[place]);
                }
                return Some((number + 1) * LEAF);
            }
            leaves = u64::MAX;
        }
        None
    }

    /// How many bytes the table takes, itself not included.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let leaves = self.leaves.iter().flatten().chain(&self.spare).count();
        leaves * size_of::<Leaf<T>>()
            + self.leaves.capacity() * size_of::<usize>()
            + self.words.capacity() * size_of::<Word>()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The oracle: a map, in which the lowest free number is looked for one by one.
    #[derive(Default)]
    struct Naive(BTreeMap<usize, u64>);

    impl Naive {
        fn add(&mut self, value: u64) -> usize {
            let free = (0..).find(|index| !self.0.contains_key(index)).unwrap();
            self.0.insert(free, value);
            free
        }
    }

    fn all(table: &SlotTable<u64>) -> Vec<(usize, u64)> {
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some(next) = table.visit_some(from, |index, value| all.push((index, *value))) {
            from = next;
        }
        all
    }

    fn check(table: &SlotTable<u64>) {
        assert!(table.leaves.last().is_none_or(Option::is_some));
        assert_eq!(table.words.len(), table.leaves.len().div_ceil(64));
        let (mut open, mut occupied) = (0, 0);
        for (number, leaf) in table.leaves.iter().enumerate() {
            let has = |bits: u64| bits & 1 << (number % 64) != 0;
            let used = leaf.as_ref().map_or(0, |leaf| leaf.used);
            let word = table.words[number / 64];
            assert_eq!(has(word.open), used != FULL);
            assert_eq!(has(word.occupied), leaf.is_some());
            assert!(leaf.is_none() || used != 0 || number == 0);
            open += u32::from(has(word.open));
            occupied += u32::from(has(word.occupied));
        }
        // There are no others.
        assert_eq!(
            table
                .words
                .iter()
                .map(|word| word.open.count_ones())
                .sum::<u32>(),
            open
        );
        assert_eq!(
            table
                .words
                .iter()
                .map(|word| word.occupied.count_ones())
                .sum::<u32>(),
            occupied
        );
        assert!(
            table
                .words
                .iter()
                .take(table.first_open)
                .all(|word| word.open == 0)
        );
    }

    #[test]
    fn it_does_what_a_map_does() {
        let (mut table, mut naive) = (SlotTable::default(), Naive::default());
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (random >> 33) as usize % below
        };
        for round in 0..40 {
            // Grows for a while, then shrinks.
            for step in 0..600 {
                if next(100) < if round % 4 < 2 { 80 } else { 15 } || naive.0.is_empty() {
                    let value = (round * 1000 + step) as u64 + 1;
                    assert_eq!(table.add(value), naive.add(value));
                } else {
                    let most = naive.0.last_key_value().unwrap().0 + 1;
                    let index = next(most);
                    assert_eq!(table.get_mut(index).copied(), naive.0.get(&index).copied());
                    assert_eq!(table.remove(index), naive.0.remove(&index));
                }
            }
            check(&table);
            assert_eq!(table.len(), naive.0.len());
            assert_eq!(
                all(&table),
                naive.0.iter().map(|(i, v)| (*i, *v)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn it_costs_what_is_in_it() {
        const BURST: usize = 300_000;
        let mut table = SlotTable::default();
        let kept = [0, 20_003, BURST - 1];
        let mut after = [0; 2];
        for after in &mut after {
            let indices: Vec<usize> = (0..BURST - table.len())
                .map(|value| table.add(value as u64))
                .collect();
            assert!(table.bytes() >= BURST * 8);
            // So many entries take no more than these words and some bits.
            assert!(table.bytes() < BURST * 9 && table.len() == BURST);
            for index in indices.into_iter().filter(|index| !kept.contains(index)) {
                table.remove(index).unwrap();
            }
            check(&table);
            *after = table.bytes();
            // No leaf is visited but those of the three.
            let (mut leaves, mut from) = (0, 0);
            while let Some(next) = table.visit_some(from, |index, _| assert!(kept.contains(&index)))
            {
                (leaves, from) = (leaves + 1, next);
            }
            assert_eq!(leaves, 3);
        }
        // The second time is as the first: four leaves, and the whole directory.
        assert_eq!(after[0], after[1]);
        assert!(
            after[0] < 4 * size_of::<Leaf<u64>>() + BURST / 2,
            "{after:?}"
        );
        // Without what was made last, the directory goes.
        table.remove(kept[2]).unwrap();
        assert!(table.bytes() < 5 * size_of::<Leaf<u64>>() + BURST / 16);
        for index in &kept[..2] {
            table.remove(*index).unwrap();
        }
        check(&table);
        // What is kept for the next.
        assert!(
            table.bytes() <= 2 * size_of::<Leaf<u64>>() + 256,
            "{}",
            table.bytes()
        );
    }

    #[test]
    fn who_adds_and_removes_in_turn_allocates_nothing() {
        for count in [0, LEAF, 64 * LEAF] {
            let mut table = SlotTable::default();
            (0..count).for_each(|value| _ = table.add(value as u64));
            let mut seen = None;
            for _ in 0..3 {
                let index = table.add(7);
                let leaf = &raw const **table.leaves[index / LEAF].as_ref().unwrap();
                assert_eq!(*seen.get_or_insert(leaf), leaf);
                assert_eq!(table.remove(index), Some(7));
                assert!(table.remove(index).is_none());
            }
        }
    }

    #[test]
    fn what_stays_is_visited_once_whatever_happens_meanwhile() {
        let mut table = SlotTable::default();
        let count = 200 * LEAF;
        (0..count).for_each(|value| _ = table.add(value as u64));
        let is_kept = |index: usize| index % (7 * LEAF) == 1;
        let (mut seen, mut from) = (Vec::new(), 0);
        while let Some(next) = table.visit_some(from, |index, _| seen.push(index)) {
            // What was visited goes, and something else comes in its place; so does what was not.
            for index in (from..next).chain(next + 50 * LEAF..next + 51 * LEAF) {
                if !is_kept(index) {
                    table.remove(index);
                }
            }
            table.add(0);
            from = next;
        }
        let kept: Vec<usize> = seen.into_iter().filter(|index| is_kept(*index)).collect();
        assert_eq!(
            kept,
            (0..count)
                .filter(|index| is_kept(*index))
                .collect::<Vec<_>>()
        );
    }
}
