//! The kinds of objects that the model heap and the real one have in common.
//!
//! A [`Kind`] is plain data. It says how large an object is, which slots for pointers it has, and
//! what each may hold, computed here by hand: what the collector believes about the same types is
//! what the tests compare it with.

/// The bytes of a word of the heap.
const WORD: usize = 8;
/// The bytes of a granule: extents are whole granules.
const GRANULE: usize = 16;

/// The bytes of a [`Value`](crate::objects::Value): two discriminants and a fat pointer.
pub const VALUE_BYTES: usize = 32;

/// What sort of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of size zero.
    Unit,
    /// A struct of so many words without pointers; see [`Kind::FILLED`] for those there are.
    Filled(usize),
    /// A struct without pointers with this alignment, and of this size.
    Aligned(Alignment),
    /// A slice of so many integers.
    Words(usize),
    /// A slice of so many bytes.
    Bytes(usize),
    /// A string of so many bytes.
    Text(usize),
    /// A value with `Drop`.
    Tracked,
    /// A value of size zero with `Drop`.
    TrackedUnit,
    /// A slice of so many values with `Drop`.
    TrackedSlice(usize),
    /// A value with `Drop` and a slot for anything.
    TrackedNode,
    /// A struct whose pointers are always at the same place.
    Fixed,
    /// A struct with two words which are now pointers, strong or weak, and now integers.
    Switch,
    /// A struct with three slots for anything.
    Record,
    /// A struct of more words than a constant map describes.
    Wide,
    /// A slot that is written once.
    Once,
    /// A slot for anything in a struct with this alignment.
    AlignedNode(Alignment),
    /// A growing table outside of the heap, with `Drop`.
    Vector,
    /// A slot for anything, of which only a `trace` knows that can panic.
    Bomb,
    /// A slot for anything, and a place for an ephemeron, of which key and value are such objects.
    Keyed,
    /// A slice of so many slots for anything.
    Values(usize),
    /// A slice of so many pointers to [`Kind::Fixed`].
    Links(usize),
}

/// An alignment in bytes, which is also the size of what has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// 64 bytes.
    Line = 64,
    /// 512 bytes.
    Group = 512,
    /// 4096 bytes.
    Page = 4096,
}

/// What a slot may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anything.
    Any,
    /// Nothing, or anything; but once there is something it stays.
    Once,
    /// Nothing, an integer, or a strong or weak pointer to a [`Kind::Switch`].
    Switch,
    /// Nothing, or a strong pointer to a [`Kind::Fixed`].
    Fixed,
    /// Nothing, or a weak pointer to a [`Kind::Fixed`].
    FixedWeak,
    /// Nothing, or a strong pointer to a [`Kind::Switch`].
    StrongSwitch,
    /// What was put there when the object was made.
    Frozen,
}

/// The most slots that a [`Kind::Vector`] grows to.
pub const VECTOR_SLOTS: usize = 40;

impl Kind {
    /// The lengths in words that [`Kind::Filled`] has.
    pub const FILLED: [usize; 7] = [2, 3, 4, 512, 1023, 1024, 1025];

    /// The number of slots in a new object.
    pub fn slots(self) -> usize {
        match self {
            Kind::Fixed => 4,
            Kind::Record | Kind::Wide => 3,
            Kind::Switch => 2,
            Kind::Once | Kind::AlignedNode(_) | Kind::TrackedNode | Kind::Bomb | Kind::Keyed => 1,
            Kind::Values(count) | Kind::Links(count) => count,
            _ => 0,
        }
    }

    /// The slot that `wanted` names in an object with `count` slots, if it has any. It may be the
    /// one behind the last, where the object grows.
    pub fn slot(self, count: usize, wanted: usize) -> Option<usize> {
        let count = match self {
            Kind::Vector => (count + 1).min(VECTOR_SLOTS),
            _ => count,
        };
        (count > 0).then(|| wanted % count)
    }

    /// What the slot may hold.
    pub fn place(self, slot: usize) -> Place {
        match self {
            Kind::Fixed => [
                Place::Fixed,
                Place::FixedWeak,
                Place::StrongSwitch,
                Place::Frozen,
            ][slot],
            Kind::Wide => [Place::Fixed, Place::Fixed, Place::FixedWeak][slot],
            Kind::Links(_) => Place::Fixed,
            Kind::Switch => Place::Switch,
            Kind::Once => Place::Once,
            _ => Place::Any,
        }
    }

    /// The number of values with `Drop` in an object, apart from those of size zero.
    pub fn tracked(self) -> usize {
        match self {
            Kind::Tracked | Kind::TrackedNode | Kind::Vector => 1,
            Kind::TrackedSlice(count) => count,
            _ => 0,
        }
    }

    /// The number of values with `Drop` that were made when the allocation fails. The items of a
    /// slice are not asked for then.
    pub fn tracked_in_vain(self) -> usize {
        match self {
            Kind::TrackedSlice(_) => 0,
            _ => self.tracked(),
        }
    }

    /// The bytes of an allocation, or `None` if there is no need for one.
    ///
    /// A value is rounded up to whole words. Behind it comes the address of a descriptor if the type
    /// has `Drop` or pointers that move, and before that the length, for slices. All this is rounded
    /// up to whole granules, of which there is at least one.
    pub fn extent(self) -> Option<usize> {
        let (value, behind) = match self {
            Kind::Unit => (0, 0),
            Kind::Filled(words) => (words * WORD, 0),
            Kind::Aligned(alignment) => (alignment as usize, 0),
            Kind::Words(count) => (count * WORD, 0),
            Kind::Bytes(count) | Kind::Text(count) => (count, 0),
            // A number and a counted pointer.
            Kind::Tracked => (3 * WORD, WORD),
            Kind::TrackedUnit => (0, WORD),
            Kind::TrackedSlice(count) => (count * 3 * WORD, 2 * WORD),
            Kind::TrackedNode => (3 * WORD + VALUE_BYTES, WORD),
            // A number, a smaller one, and four pointers.
            Kind::Fixed => (6 * WORD, 0),
            // A number, and twice a discriminant and a word.
            Kind::Switch => (5 * WORD, WORD),
            Kind::Record => (WORD + 3 * VALUE_BYTES, WORD),
            Kind::Wide => (75 * WORD, 0),
            Kind::Once => (WORD + VALUE_BYTES, WORD),
            Kind::AlignedNode(alignment) => (alignment as usize, WORD),
            // A tracked value, and a borrow count and the three words of a `Vec`.
            Kind::Vector => (3 * WORD + 4 * WORD, WORD),
            // A number, a counted pointer, and a slot.
            Kind::Bomb => (2 * WORD + VALUE_BYTES, WORD),
            // A number, a slot, and two aligned words.
            Kind::Keyed => (8 * WORD, WORD),
            Kind::Values(count) => (count * VALUE_BYTES, 2 * WORD),
            Kind::Links(count) => (count * WORD, 0),
        };
        let empty = matches!(self, Kind::Values(0) | Kind::TrackedSlice(0));
        if empty || value + behind == 0 {
            return None;
        }
        Some((value.next_multiple_of(WORD) + behind).next_multiple_of(GRANULE))
    }

    /// The alignment of the first byte.
    pub fn align(self) -> usize {
        match self {
            Kind::Aligned(alignment) | Kind::AlignedNode(alignment) => alignment as usize,
            _ => GRANULE,
        }
    }
}
