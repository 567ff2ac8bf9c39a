//! What is put into collections: a kind of items for each kind of memory that a collection has.
//!
//! | kind | pointers | `Drop` |
//! | --- | --- | --- |
//! | [`Plain`] | none | no |
//! | [`Pointing`] | in the same word of each value | no |
//! | [`Dropping`] | in the same word | yes |
//! | [`Moving`] | in one word or another | yes |
//! | [`Outside`] | in memory outside of the heap | yes, and its `trace` counts as user code |

use std::borrow::Borrow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};

use gc_core::collect::{OwnedBytes, Trace};
use gc_core::{Collect, Gc, Mutation};
use gc_tests::cargo::{Cargo, Crate};

use crate::fuse::{self, Call, hit};

thread_local! {
    /// How often each value that needs `Drop` was dropped, in the order in which they were made.
    static LEDGER: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Forgets what was made before.
pub fn open_ledger() {
    LEDGER.with_borrow_mut(Vec::clear);
}

/// How many values are alive.
///
/// # Panics
///
/// If one was dropped twice.
pub fn alive() -> usize {
    LEDGER.with_borrow(|ledger| {
        for (number, drops) in ledger.iter().enumerate() {
            assert!(*drops < 2, "value {number} was dropped {drops} times");
        }
        ledger.iter().filter(|drops| **drops == 0).count()
    })
}

/// The life of a value that needs `Drop`.
pub struct Life(usize);

// SAFETY: there are no pointers.
unsafe impl<'gc> Collect<'gc> for Life {
    const NEEDS_TRACE: bool = false;

    fn owned_bytes(&self, _: &mut OwnedBytes) {
        hit(Call::OwnedBytes);
    }
}

impl Life {
    fn new() -> Life {
        LEDGER.with_borrow_mut(|ledger| {
            ledger.push(0);
            Life(ledger.len() - 1)
        })
    }

    fn check(&self) {
        let drops = LEDGER.with_borrow(|ledger| ledger[self.0]);
        assert_eq!(drops, 0, "value {} is used after its drop", self.0);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        LEDGER.with_borrow_mut(|ledger| ledger[self.0] += 1);
        hit(Call::Drop);
    }
}

/// A number by which keys are looked up, whose comparisons and hashes are user code.
#[derive(Collect)]
#[collect(require_static)]
pub struct Key(pub u64);

static STRANGER: Key = Key(1 << 40);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        hit(Call::Eq);
        fuse::is(self.0 == other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hit(Call::Hash);
        // Few hashes, so that keys are compared.
        state.write_u64(fuse::or_lie(self.0 % 5, 1 << 33));
    }
}

const CANARY: u64 = 0x5afe_c0de_5afe_c0de;

/// What all items have.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Core {
    canary: u64,
    key: Key,
}

impl Core {
    fn new(id: u64) -> Core {
        let (canary, key) = (CANARY ^ id, Key(id));
        Core { canary, key }
    }

    fn id(&self) -> u64 {
        assert_eq!(self.canary, CANARY ^ self.key.0, "not a value");
        self.key.0
    }
}

/// The number of default values.
pub const DEFAULT: u64 = 77_777;

/// An item.
pub trait Item<'gc>:
    Collect<'gc> + Clone + Ord + Hash + Borrow<Key> + Default + fmt::Debug + 'gc
{
    /// One with a number and everything that belongs to it.
    fn make(mc: &Mutation<'gc>, id: u64) -> Self;

    /// The number.
    ///
    /// # Panics
    ///
    /// If the value is not whole.
    fn id(&self) -> u64;
}

/// A kind of items, for each brand.
pub trait Family: 'static {
    /// The items.
    type Of<'gc>: Item<'gc>;
}

/// Code of the user's that a collection calls of an item, all of which begins with the number that it checks.
macro_rules! items {
    ($($family:ident: $item:ty, |$core:ident| $get:expr;)*) => {$(
        /// See the table above.
        pub struct $family;

        impl Family for $family {
            type Of<'gc> = $item;
        }

        impl<'gc> PartialEq for $item {
            fn eq(&self, other: &Self) -> bool {
                hit(Call::Eq);
                fuse::is(self.id() == other.id())
            }
        }

        impl<'gc> Eq for $item {}

        impl<'gc> PartialOrd for $item {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl<'gc> Ord for $item {
            fn cmp(&self, other: &Self) -> Ordering {
                hit(Call::Ord);
                let truth = self.id().cmp(&other.id());
                match fuse::or_lie(truth as u64, 3) {
                    0 => Ordering::Equal,
                    1 => Ordering::Greater,
                    _ => Ordering::Less,
                }
            }
        }

        impl<'gc> Hash for $item {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Key(self.id()).hash(state);
            }
        }

        impl<'gc> Borrow<Key> for $item {
            fn borrow(&self) -> &Key {
                hit(Call::Borrow);
                self.id();
                let $core = self;
                if fuse::is(true) { &$get.key } else { &STRANGER }
            }
        }

        impl<'gc> fmt::Debug for $item {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hit(Call::Debug);
                write!(f, "{}", self.id())
            }
        }

        impl<'gc> Default for $item {
            fn default() -> Self {
                hit(Call::Default);
                Self::with(DEFAULT, None)
            }
        }

        impl<'gc> Clone for $item {
            fn clone(&self) -> Self {
                hit(Call::Clone);
                Self::with(self.id(), self.cargo())
            }
        }

        impl<'gc> Item<'gc> for $item {
            fn make(mc: &Mutation<'gc>, id: u64) -> Self {
                Self::with(id, Some(Cargo::new(mc, id)))
            }

            fn id(&self) -> u64 {
                let $core = self;
                let id = $get.id();
                self.check_life();
                if let Some(cargo) = self.cargo() {
                    assert_eq!(cargo.id(), id);
                }
                id
            }
        }
    )*};
}

items! {
    Plain: PlainItem, |item| item.0;
    Pointing: PointingItem<'gc>, |item| item.core;
    Dropping: DroppingItem<'gc>, |item| item.core;
    Moving: MovingItem<'gc>, |item| item.core();
    Outside: OutsideItem<'gc>, |item| item.0.core;
}

/// An item of [`Plain`].
#[derive(Collect)]
#[collect(no_drop)]
pub struct PlainItem(Core);

impl PlainItem {
    fn with(id: u64, _: Option<Crate<'_>>) -> Self {
        PlainItem(Core::new(id))
    }

    fn cargo<'gc>(&self) -> Option<Crate<'gc>> {
        None
    }

    fn check_life(&self) {}
}

/// An item of [`Pointing`].
#[derive(Collect)]
#[collect(no_drop)]
pub struct PointingItem<'gc> {
    core: Core,
    cargo: Option<Crate<'gc>>,
}

impl<'gc> PointingItem<'gc> {
    fn with(id: u64, cargo: Option<Crate<'gc>>) -> Self {
        let core = Core::new(id);
        PointingItem { core, cargo }
    }

    fn cargo(&self) -> Option<Crate<'gc>> {
        self.cargo
    }

    fn check_life(&self) {}
}

/// An item of [`Dropping`].
#[derive(Collect)]
#[collect(no_drop)]
pub struct DroppingItem<'gc> {
    core: Core,
    cargo: Option<Crate<'gc>>,
    life: Life,
}

impl<'gc> DroppingItem<'gc> {
    fn with(id: u64, cargo: Option<Crate<'gc>>) -> Self {
        let (core, life) = (Core::new(id), Life::new());
        DroppingItem { core, cargo, life }
    }

    fn cargo(&self) -> Option<Crate<'gc>> {
        self.cargo
    }

    fn check_life(&self) {
        self.life.check();
    }
}

/// An item of [`Moving`].
#[derive(Collect)]
#[collect(no_drop)]
pub enum MovingItem<'gc> {
    /// Without a pointer, or with one behind the number.
    After(Core, Life, Option<Crate<'gc>>),
    /// With one before it.
    Before(Crate<'gc>, Life, Core),
}

impl<'gc> MovingItem<'gc> {
    fn with(id: u64, cargo: Option<Crate<'gc>>) -> Self {
        let (core, life) = (Core::new(id), Life::new());
        match cargo {
            Some(cargo) if id.is_multiple_of(2) => MovingItem::Before(cargo, life, core),
            cargo => MovingItem::After(core, life, cargo),
        }
    }

    fn core(&self) -> &Core {
        match self {
            MovingItem::After(core, ..) | MovingItem::Before(_, _, core) => core,
        }
    }

    fn cargo(&self) -> Option<Crate<'gc>> {
        match self {
            MovingItem::After(_, _, cargo) => *cargo,
            MovingItem::Before(cargo, ..) => Some(*cargo),
        }
    }

    fn check_life(&self) {
        let (MovingItem::After(_, life, ..) | MovingItem::Before(_, life, ..)) = self;
        life.check();
    }
}

/// An item of [`Outside`].
#[derive(Collect)]
#[collect(no_drop)]
pub struct OutsideItem<'gc>(Box<PointingItem<'gc>>, Life, Probe);

impl<'gc> OutsideItem<'gc> {
    fn with(id: u64, cargo: Option<Crate<'gc>>) -> Self {
        OutsideItem(Box::new(PointingItem::with(id, cargo)), Life::new(), Probe)
    }

    fn cargo(&self) -> Option<Crate<'gc>> {
        self.0.cargo
    }

    fn check_life(&self) {
        self.1.check();
    }
}

/// A field whose `trace` is user code.
pub struct Probe;

// SAFETY: there is nothing to visit.
unsafe impl<'gc> Collect<'gc> for Probe {
    fn trace<C: Trace<'gc>>(&self, _: &mut C) {
        hit(Call::Trace);
    }
}

/// A hasher that is user code.
#[derive(Debug)]
pub struct Builder;

/// A hash of [`Builder`].
pub struct State(u64);

impl Clone for Builder {
    fn clone(&self) -> Builder {
        hit(Call::BuildHasher);
        Builder
    }
}

impl Default for Builder {
    fn default() -> Builder {
        hit(Call::BuildHasher);
        Builder
    }
}

impl BuildHasher for Builder {
    type Hasher = State;

    fn build_hasher(&self) -> State {
        hit(Call::BuildHasher);
        State(0)
    }
}

impl Hasher for State {
    fn write(&mut self, bytes: &[u8]) {
        hit(Call::Hash);
        bytes.iter().for_each(|byte| self.0 += u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        hit(Call::Hash);
        fuse::or_lie(self.0, u64::MAX)
    }
}

/// An iterator that is user code, and tells its length when it does not lie.
pub struct Items<I> {
    items: std::vec::IntoIter<I>,
}

impl<I> Items<I> {
    /// One over items with these numbers.
    pub fn new<'gc>(mc: &Mutation<'gc>, ids: impl IntoIterator<Item = u64>) -> Items<I>
    where
        I: Item<'gc>,
    {
        let items: Vec<I> = ids.into_iter().map(|id| I::make(mc, id)).collect();
        Items {
            items: items.into_iter(),
        }
    }
}

impl<I> Iterator for Items<I> {
    type Item = I;

    fn next(&mut self) -> Option<I> {
        hit(Call::Iterator);
        self.items.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        hit(Call::Iterator);
        let len = fuse::or_lie(self.items.len() as u64, 64) as usize;
        (len, Some(len))
    }
}

impl<I> ExactSizeIterator for Items<I> {}

/// A closure's answer about an item.
pub fn keeps(id: u64) -> bool {
    hit(Call::Closure);
    fuse::is(!id.is_multiple_of(3))
}

/// A range whose bounds are user code.
pub struct Bounds(pub usize, pub usize);

impl std::ops::RangeBounds<usize> for Bounds {
    fn start_bound(&self) -> std::ops::Bound<&usize> {
        hit(Call::Range);
        std::ops::Bound::Included(if fuse::is(true) { &self.0 } else { &self.1 })
    }

    fn end_bound(&self) -> std::ops::Bound<&usize> {
        hit(Call::Range);
        std::ops::Bound::Excluded(if fuse::is(true) { &self.1 } else { &self.0 })
    }
}

/// Makes objects in the middle of whatever calls this, as a closure of the user's may.
pub fn allocate(mc: &Mutation<'_>) {
    for id in 0..10 {
        std::hint::black_box(Cargo::new(mc, id));
        Gc::new(mc, Life::new());
    }
}
