//! What programs do to a heap, and a generator of such programs.
//!
//! An operation names objects by a [`Path`] from a root, so that it means something on any heap,
//! also when a shorter program is sought that fails as well. One that makes no sense on a given
//! heap does nothing.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::kind::{Alignment, Kind};

/// How to find an object: from a root, through slots. All numbers are reduced to what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where to start among the roots.
    pub root: usize,
    /// Which slots to go through.
    pub steps: Vec<u8>,
}

/// What to write into a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing.
    Nil,
    /// An integer.
    Number(i64),
    /// An integer that is the address of an object, or of a part of it, so many bytes behind.
    AddressOf(Path, u8),
    /// An integer that was the address of some object when it was made.
    OldAddress(usize),
    /// A pointer that keeps the object alive.
    Strong(Path),
    /// A pointer that does not.
    Weak(Path),
    /// One that does not, and that finalization does not clear.
    Long(Path),
    /// A soft pointer to a [`Kind::Keyed`], where these are kept.
    Soft(Path),
    /// A copy of what is in a slot.
    Copy(Path, usize),
}

/// Which barrier is called before a write, where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// That of the object which is written.
    Object,
    /// That for writes to objects of which nobody says which.
    Unknown,
    /// That of the element which is written, in slices.
    Element,
}

/// Where to move a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into a new object, which is made a root.
    New(Kind),
    /// Into the root.
    Root,
    /// Into a slot of an object.
    Slot(Path, usize),
}

/// What happens between the two writes that move a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Nothing: both are in one `mutate` call.
    None,
    /// They are in two calls.
    Call,
    /// They are in two calls, with a safepoint between.
    Safepoint,
}

/// A step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Allocate an object, and make it a root or put it into a slot. A `Fixed` one refers to its
    /// origin from the beginning.
    #[expect(missing_docs, reason = "the names say all")]
    Allocate {
        kind: Kind,
        origin: Option<Path>,
        slot: Option<(Path, usize)>,
    },
    /// Allocate objects that nothing refers to.
    #[expect(missing_docs, reason = "the names say all")]
    Garbage { kind: Kind, count: usize },
    /// Write to a slot.
    #[expect(missing_docs, reason = "the names say all")]
    Write {
        object: Path,
        slot: usize,
        source: Source,
        barrier: Barrier,
    },
    /// Copy what is in a slot, and then clear the slot.
    #[expect(missing_docs, reason = "the names say all")]
    Move {
        from: Path,
        slot: usize,
        to: Destination,
        pause: Pause,
        barrier: Barrier,
    },
    /// Take all that a [`Kind::Vector`] holds, and put it into another one, or into the root.
    #[expect(missing_docs, reason = "the names say all")]
    TakeApart { from: Path, to: Option<Path> },
    /// Move the roots to memory elsewhere, in reverse order.
    TurnRoots,
    /// Add a root.
    Root(Source),
    /// Take a root away.
    Unroot(usize),
    /// Overwrite a root.
    Reroot(usize, Source),
    /// Put an object into the dynamic root set.
    Stash(Path),
    /// Pin an object. The guard is a handle like those of the set.
    Pin(Path),
    /// Clone a handle.
    CloneHandle(usize),
    /// Drop a handle.
    DropHandle(usize),
    /// Make a root of what a handle holds.
    Fetch(usize),
    /// Follow a weak pointer, if it leads somewhere; maybe make a root of what is there.
    #[expect(missing_docs, reason = "the names say all")]
    Upgrade {
        object: Path,
        slot: usize,
        keep: bool,
    },
    /// Make an ephemeron of two [`Kind::Keyed`] in a third, or clear the one that is there.
    #[expect(missing_docs, reason = "the names say all")]
    Pair {
        object: Path,
        pair: Option<(Path, Path)>,
    },
    /// Follow an ephemeron, if it leads somewhere; maybe make roots of key and value.
    #[expect(missing_docs, reason = "the names say all")]
    FollowPair { object: Path, keep: bool },
    /// Register a finalizer, which notes that it ran, and maybe resurrects the object.
    #[expect(missing_docs, reason = "the names say all")]
    Finalize { object: Path, resurrects: bool },
    /// Take a finalizer back, maybe one that has run or was taken back before.
    Unregister(usize),
    /// Run finalizers that wait, so many at most.
    RunFinalizers(usize),
    /// Collect if it is time.
    CollectDebt,
    /// Give back what is not in use.
    ReleaseUnused,
    /// Collect.
    FinishCycle,
    /// The same, while each `trace` of a [`Kind::Bomb`] panics.
    #[expect(missing_docs, reason = "the names say all")]
    PanicInTrace { finish: bool },
    /// The same, while the next `Drop` panics.
    #[expect(missing_docs, reason = "the names say all")]
    PanicInDrop { finish: bool },
    /// Compare everything, without a collection before.
    Check,
    /// Take all roots away.
    DropAll,
}

fn path() -> impl Strategy<Value = Path> {
    (0..64_usize, vec(any::<u8>(), 0..6)).prop_map(|(root, steps)| Path { root, steps })
}

fn alignment() -> impl Strategy<Value = Alignment> {
    prop_oneof![
        Just(Alignment::Line),
        Just(Alignment::Group),
        Just(Alignment::Page)
    ]
}

/// Objects with slots for pointers.
fn node() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Fixed),
        4 => Just(Kind::Switch),
        4 => Just(Kind::Record),
        1 => Just(Kind::Wide),
        1 => Just(Kind::Once),
        2 => Just(Kind::TrackedNode),
        6 => Just(Kind::Keyed),
        1 => alignment().prop_map(Kind::AlignedNode),
        3 => Just(Kind::Vector),
        1 => Just(Kind::Bomb),
        1 => (0..20_usize).prop_map(Kind::Values),
        1 => (0..100_usize).prop_map(Kind::Links),
    ]
}

/// Objects that are small, or not much larger.
fn small() -> impl Strategy<Value = Kind> {
    prop_oneof![
        8 => node(),
        1 => Just(Kind::Unit),
        3 => (0..3_usize).prop_map(|index| Kind::Filled(Kind::FILLED[index])),
        1 => (0..12_usize).prop_map(Kind::Words),
        1 => (0..700_usize).prop_map(Kind::Bytes),
        1 => (0..70_usize).prop_map(Kind::Text),
        2 => Just(Kind::Tracked),
        1 => Just(Kind::TrackedUnit),
        1 => (0..9_usize).prop_map(Kind::TrackedSlice),
    ]
}

/// Objects around the limits of groups, blocks and large objects.
fn large() -> impl Strategy<Value = Kind> {
    const BLOCK: usize = 32 << 10;
    prop_oneof![
        4 => (3..Kind::FILLED.len()).prop_map(|index| Kind::Filled(Kind::FILLED[index])),
        2 => alignment().prop_map(Kind::Aligned),
        2 => (8100..8300_usize).prop_map(Kind::Bytes),
        2 => (BLOCK - 40..BLOCK + 40).prop_map(Kind::Bytes),
        2 => (BLOCK - 40..BLOCK + 40).prop_map(Kind::Text),
        2 => (5000..5200_usize).prop_map(Kind::Words),
        2 => (BLOCK / 8 - 5..BLOCK / 8 + 5).prop_map(Kind::Links),
        2 => (240..270_usize).prop_map(Kind::Values),
        2 => (1000..1050_usize).prop_map(Kind::Values),
        1 => (330..350_usize).prop_map(Kind::TrackedSlice),
        1 => Just(Kind::TrackedSlice(2000)),
        4 => medium().prop_map(Kind::Bytes),
        4 => medium().prop_map(|bytes| Kind::Links(bytes / 8)),
        4 => medium().prop_map(|bytes| Kind::Values(bytes / 16)),
        2 => medium().prop_map(|bytes| Kind::TrackedSlice(bytes / 24)),
        1 => Just(Kind::Bytes(1 << 20)),
        1 => Just(Kind::Links(1 << 15)),
    ]
}

/// Bytes of objects that share blocks which are longer than one; or for which blocks of their own are as good: all around
/// the limits.
fn medium() -> impl Strategy<Value = usize> {
    const BLOCK: usize = 32 << 10;
    let blocks = 1..=4_usize;
    prop_oneof![
        2 => 8100..8800_usize,
        3 => 8100..40_000_usize,
        1 => 8100..4 * BLOCK,
        1 => (blocks.clone(), 0..100_usize).prop_map(|(count, by)| count * BLOCK * 4 / 5 - 50 + by),
        1 => (blocks, 0..100_usize).prop_map(|(count, by)| count * BLOCK - 50 + by),
    ]
}

/// Objects of all kinds.
pub fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![12 => small(), 1 => large()]
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        2 => Just(Source::Nil),
        1 => any::<i64>().prop_map(Source::Number),
        2 => (path(), prop_oneof![Just(0), any::<u8>()]).prop_map(|(of, by)| Source::AddressOf(of, by)),
        2 => (0..1000_usize).prop_map(Source::OldAddress),
        6 => path().prop_map(Source::Strong),
        3 => path().prop_map(Source::Weak),
        3 => path().prop_map(Source::Long),
        2 => path().prop_map(Source::Soft),
        1 => (path(), 0..8_usize).prop_map(|(of, slot)| Source::Copy(of, slot)),
    ]
}

fn barrier() -> impl Strategy<Value = Barrier> {
    prop_oneof![
        6 => Just(Barrier::Object),
        1 => Just(Barrier::Unknown),
        6 => Just(Barrier::Element),
    ]
}

fn slot() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..6_usize, 1 => 0..40_000_usize]
}

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        2 => node().prop_map(Destination::New),
        2 => Just(Destination::Root),
        4 => (path(), slot()).prop_map(|(path, slot)| Destination::Slot(path, slot)),
    ]
}

fn pause() -> impl Strategy<Value = Pause> {
    prop_oneof![
        2 => Just(Pause::None),
        1 => Just(Pause::Call),
        1 => Just(Pause::Safepoint),
    ]
}

/// One operation.
pub fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        20 => (kind(), option::of(path()), option::of((path(), slot())))
            .prop_map(|(kind, origin, slot)| Operation::Allocate { kind, origin, slot }),
        2 => (small(), 1..400_usize).prop_map(|(kind, count)| Operation::Garbage { kind, count }),
        1 => (large(), 1..6_usize).prop_map(|(kind, count)| Operation::Garbage { kind, count }),
        20 => (path(), slot(), source(), barrier()).prop_map(|(object, slot, source, barrier)| {
            Operation::Write { object, slot, source, barrier }
        }),
        12 => (path(), slot(), destination(), pause(), barrier()).prop_map(
            |(from, slot, to, pause, barrier)| Operation::Move { from, slot, to, pause, barrier }
        ),
        2 => (path(), option::of(path()))
            .prop_map(|(from, to)| Operation::TakeApart { from, to }),
        1 => Just(Operation::TurnRoots),
        3 => source().prop_map(Operation::Root),
        3 => (0..64_usize).prop_map(Operation::Unroot),
        3 => (0..64_usize, source()).prop_map(|(index, source)| Operation::Reroot(index, source)),
        2 => path().prop_map(Operation::Stash),
        2 => path().prop_map(Operation::Pin),
        1 => (0..64_usize).prop_map(Operation::CloneHandle),
        3 => (0..64_usize).prop_map(Operation::DropHandle),
        1 => (0..64_usize).prop_map(Operation::Fetch),
        4 => (path(), slot(), any::<bool>())
            .prop_map(|(object, slot, keep)| Operation::Upgrade { object, slot, keep }),
        8 => (path(), option::weighted(0.9, (path(), path())))
            .prop_map(|(object, pair)| Operation::Pair { object, pair }),
        3 => (path(), any::<bool>())
            .prop_map(|(object, keep)| Operation::FollowPair { object, keep }),
        5 => (path(), any::<bool>())
            .prop_map(|(object, resurrects)| Operation::Finalize { object, resurrects }),
        1 => (0..64_usize).prop_map(Operation::Unregister),
        2 => (0..5_usize).prop_map(Operation::RunFinalizers),
        20 => Just(Operation::CollectDebt),
        2 => Just(Operation::FinishCycle),
        1 => Just(Operation::ReleaseUnused),
        1 => any::<bool>().prop_map(|finish| Operation::PanicInTrace { finish }),
        1 => any::<bool>().prop_map(|finish| Operation::PanicInDrop { finish }),
        1 => Just(Operation::Check),
        1 => prop_oneof![9 => Just(Operation::Check), 1 => Just(Operation::DropAll)],
    ]
}

/// A program of up to `length` operations.
pub fn program(length: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..length)
}
