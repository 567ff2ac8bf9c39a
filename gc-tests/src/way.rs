//! The ways in which heaps are collected, for tests that hold in each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gc_core::{HeapOptions, Mode, Zeal};

/// How a heap is collected.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Who collects, and when.
    pub mode: Mode,
    /// How long a step lasts at most.
    pub step: Duration,
    /// How many threads mark.
    pub markers: usize,
    /// The checks that the heap makes of itself.
    pub zeal: Zeal,
}

impl Way {
    /// Options with which cycles begin only when a test says so, unless the heap is zealous.
    #[must_use]
    pub fn options(self) -> HeapOptions {
        HeapOptions::default()
            .mode(self.mode)
            .step(self.step)
            .markers(self.markers)
            .concurrent_from(0)
            .floor(1 << 30)
            .zeal(self.zeal)
    }

    /// Options with which cycles begin often.
    #[must_use]
    pub fn often(self) -> HeapOptions {
        self.options()
            .floor(100 << 10)
            .growth(50)
            .square_root_growth(0)
    }

    /// The larger of two sizes if the heap does not check itself, which takes time.
    #[must_use]
    pub fn size(self, zealous: usize, otherwise: usize) -> usize {
        if self.zeal == Zeal::NONE {
            otherwise
        } else {
            zealous
        }
    }
}

/// Options with which cycles begin early, and concurrently in that mode however small the heap is. The heap verifies
/// itself after each, but does not collect more often for that.
#[must_use]
pub fn eager(mode: Mode) -> HeapOptions {
    let zeal = Zeal {
        verify: true,
        ..Zeal::NONE
    };
    HeapOptions::default()
        .mode(mode)
        .concurrent_from(0)
        .floor(0)
        .zeal(zeal)
}

/// Options with all checks, and no collection that was not asked for.
#[must_use]
pub fn checked() -> HeapOptions {
    let zeal = Zeal {
        collect: false,
        ..Zeal::ALL
    };
    HeapOptions::default().zeal(zeal)
}

/// Calls `f` for each way. What a failed test prints ends with the way in which it failed.
pub fn in_each_way(f: impl Fn(Way)) {
    let modes = [
        (Mode::StopTheWorld, Duration::ZERO, 2),
        (Mode::Incremental, Duration::ZERO, 0),
        (Mode::Incremental, Duration::from_nanos(1), 0),
        (Mode::Concurrent, Duration::ZERO, 1),
        (Mode::Concurrent, Duration::from_nanos(1), 2),
    ];
    for (mode, step, markers) in modes {
        for zeal in [Zeal::NONE, Zeal::ALL] {
            let way = Way {
                mode,
                step,
                markers,
                zeal,
            };
            println!("{way:?}");
            f(way);
        }
    }
}

/// The text with which `f` panics, if it does.
///
/// # Panics
///
/// If `f` panics with something that is no text.
pub fn panic_of<T>(f: impl FnOnce() -> T) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => {
            let text = payload.downcast::<&str>();
            text.expect("a panic without a text").to_string()
        }
    })
}
