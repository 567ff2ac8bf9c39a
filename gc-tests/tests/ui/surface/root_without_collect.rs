use std::cell::Cell;

use gc_core::{Arena, Gc, HeapOptions, Rootable};

struct RefersToItself<'gc> {
    me: Cell<Option<&'gc RefersToItself<'gc>>>,
}

struct LooksInDrop<'gc>(Gc<'gc, Box<u8>>);

impl Drop for LooksInDrop<'_> {
    fn drop(&mut self) {
        assert_eq!(**self.0, 5);
    }
}

fn main() {
    let arena = Arena::<Rootable![RefersToItself<'_>]>::new(|_| RefersToItself {
        me: Cell::new(None),
    });
    arena.mutate(|_, root| root.me.set(Some(root)));

    let looks = Arena::<Rootable![LooksInDrop<'_>]>::with_options(HeapOptions::default(), |mc| {
        LooksInDrop(Gc::new(mc, Box::new(5)))
    });
    let arena = Arena::<Rootable![()]>::new(|_| ());
    arena.map_root::<Rootable![LooksInDrop<'_>]>(|mc, _| LooksInDrop(Gc::new(mc, Box::new(5))));
    drop(looks);
}
