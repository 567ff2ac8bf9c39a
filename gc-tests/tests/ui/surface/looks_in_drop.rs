use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem::ManuallyDrop;

use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Mutation, Rootable, Static};

/// Looks at a pointer when it is dropped.
struct Looks<'gc>(Gc<'gc, u64>);

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        assert_eq!(*self.0, 5);
    }
}

/// Makes a strong pointer of a weak one when it is dropped, and puts it where it lives on.
struct Resurrects<'gc> {
    weak: GcWeak<'gc, u64>,
    mc: &'gc Mutation<'gc>,
    slot: Gc<'gc, Lock<Option<Gc<'gc, u64>>>>,
}

impl Drop for Resurrects<'_> {
    fn drop(&mut self) {
        self.slot.set(self.mc, self.weak.upgrade(self.mc));
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct AsAField<'gc>(Looks<'gc>, Option<Resurrects<'gc>>);

#[derive(Collect)]
#[collect(no_drop)]
struct Hidden<'gc>(ManuallyDrop<Looks<'gc>>);

#[derive(Collect)]
#[collect(no_drop)]
struct SaidToBeStatic<'gc>(Static<Looks<'gc>>);

/// The hasher is a part of the map, too.
impl BuildHasher for Looks<'_> {
    type Hasher = <RandomState as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        RandomState::new().build_hasher()
    }
}

fn as_a_hasher() {
    Arena::<Rootable![HashMap<u8, u8, Looks<'_>>]>::new(|mc| {
        HashMap::with_hasher(Looks(Gc::new(mc, 5)))
    });
}

fn as_a_closure() {
    Arena::<Rootable![Gc<'_, u8>]>::new(|mc| {
        let looks = Looks(Gc::new(mc, 5));
        Gc::new_static(mc, move || drop(looks));
        Gc::new(mc, 1)
    });
}

fn main() {}
