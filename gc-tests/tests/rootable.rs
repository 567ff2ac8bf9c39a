//! What `Rootable!` makes of the types that it is given.

#![forbid(unsafe_code)]

use gc_core::{Gc, RefLock, Rootable};

/// A pair of pointers, of which the first is branded.
type Pair<'gc, T> = (Gc<'gc, u8>, T);

/// Compiles if `R` is the rootable of which the root in an arena of lifetime `'gc` is `T`.
fn assert_root<'gc, R, T: 'gc>()
where
    R: Rootable<'gc, Root = T>,
{
}

fn assert_roots<'gc>(_brand: &'gc ()) {
    assert_root::<'gc, Rootable![()], ()>();
    assert_root::<'gc, Rootable![Gc<'_, u8>], Gc<'gc, u8>>();
    assert_root::<'gc, Rootable!['a => Pair<'a, u8>], Pair<'gc, u8>>();
    assert_root::<'gc, Rootable![Pair<'_, [&'_ u8; 2]>], Pair<'gc, [&'gc u8; 2]>>();
    assert_root::<'gc, Rootable![Gc<'_, RefLock<&mut u8>>], Gc<'gc, RefLock<&'gc mut u8>>>();
    assert_root::<'gc, Rootable![Pair<'_, fn(&u8) -> &u8>], Pair<'gc, fn(&u8) -> &u8>>();
    assert_root::<'gc, Rootable![Pair<'_, &dyn Fn(&u8) -> &u8>], Pair<'gc, &'gc dyn Fn(&u8) -> &u8>>(
    );
    assert_root::<'gc, Rootable![Box<dyn Iterator<Item = Gc<'_, u8>> + '_>], Boxed<'gc>>();
}

type Boxed<'gc> = Box<dyn Iterator<Item = Gc<'gc, u8>> + 'gc>;

fn assert_generic<'gc, T: 'static>(_brand: &'gc ()) {
    assert_root::<'gc, Rootable![Pair<'_, T>], Pair<'gc, T>>();
}

#[test]
fn elided_lifetimes_are_the_arenas() {
    assert_roots(&());
    assert_generic::<u8>(&());
}
