//! The modes: destructors, and types without pointers.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

use gc_core::Collect;

use crate::tokens::{Ptr, assert_keeps};

#[derive(Collect)]
#[collect(unsafe_drop)]
struct Dropping<'gc> {
    _token: Ptr<'gc>,
    #[collect(require_static)]
    dropped: Rc<Cell<bool>>,
}

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

#[derive(Collect)]
#[collect(require_static)]
#[repr(C, packed(2))]
struct Packed(u8, u32);

#[derive(Collect)]
#[collect(require_static)]
union Bits {
    _integer: u64,
    _float: f64,
}

/// Collectable in every arena if `'a` is `'static`; `'a` is no arena's lifetime.
#[derive(Collect)]
#[collect(require_static)]
struct Borrowed<'a, T: Debug>(#[allow(dead_code, reason = "only its type matters")] &'a T);

#[test]
fn modes() {
    let dropped = Rc::new(Cell::new(false));
    assert_keeps!(1, Dropping<'_>, |mc, token| Dropping {
        _token: token(),
        dropped: Rc::clone(&dropped),
    });
    assert!(dropped.get());
    assert_keeps!(0, Packed, |mc, token| Packed(1, 2));
    assert_keeps!(0, Bits, |mc, token| Bits { _integer: 1 });
    assert_keeps!(1, (Borrowed<'static, u8>, Ptr<'_>), |mc, token| (
        Borrowed(&1),
        token()
    ));
}
