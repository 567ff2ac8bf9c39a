//! Values that tell of their drop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::Collect;

/// A value that counts its drops.
#[derive(Clone, Debug, Collect)]
#[collect(require_static)]
pub struct Counted(pub Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// The numbers of the [`Fragile`] values that were dropped.
pub type Dropped = Rc<RefCell<Vec<usize>>>;

/// A value that notes its drop, and then panics if it is told to.
#[derive(Debug, Collect)]
#[collect(require_static)]
pub struct Fragile {
    /// Its number.
    pub id: usize,
    /// Whether its drop panics.
    pub panics: bool,
    dropped: Dropped,
}

impl Fragile {
    /// A value with that number.
    pub fn new(id: usize, panics: bool, dropped: &Dropped) -> Fragile {
        Fragile {
            id,
            panics,
            dropped: dropped.clone(),
        }
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.id);
        assert!(!self.panics, "value {} is fragile", self.id);
    }
}

/// A value of any thread that counts its drops, and says if somebody uses it after its own.
#[derive(Debug, Collect)]
#[collect(require_static)]
pub struct Witness {
    word: AtomicUsize,
    dropped: Arc<AtomicUsize>,
}

const ALIVE: usize = 0x1234_5678;

impl Witness {
    /// A value that is alive.
    pub fn new(dropped: &Arc<AtomicUsize>) -> Witness {
        Witness {
            word: AtomicUsize::new(ALIVE),
            dropped: dropped.clone(),
        }
    }

    /// Says that it is alive.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn check(&self) {
        // Relaxed: a hint, as whoever drops it too early is not ordered with this.
        assert_eq!(self.word.load(Ordering::Relaxed), ALIVE);
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Relaxed: as above, and a figure by itself.
        assert_eq!(self.word.swap(0, Ordering::Relaxed), ALIVE);
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}
