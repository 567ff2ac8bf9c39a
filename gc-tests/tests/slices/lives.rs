//! What lives in slices and headers is kept alive by them, whatever its pointers are like, and no longer.

use gc_core::{
    Arena, Collect, Gc, GcSlice, GcSliceWithHeader, GcThinSlice, GcThinSliceWithHeader, GcWeak,
    Lock, RefLock, Rootable, SliceWithHeader, barrier,
};
use gc_core::{GcSliceBuilder, GcSliceWithHeaderBuilder};
use gc_tests::way::{Way, in_each_way};

use crate::counted::{Count, Counted};

type Leaf<'gc> = Gc<'gc, Counted>;

/// A value whose pointers are where its variant has them.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Moving<'gc> {
    None(usize),
    First(Leaf<'gc>, usize),
    Second(usize, Leaf<'gc>),
}

impl<'gc> Moving<'gc> {
    fn leaf(&self) -> Option<Leaf<'gc>> {
        match self {
            Moving::None(_) => None,
            Moving::First(leaf, _) | Moving::Second(_, leaf) => Some(*leaf),
        }
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Root<'gc> {
    fixed: Option<GcThinSlice<'gc, Lock<Option<Leaf<'gc>>>>>,
    moving: Option<GcThinSlice<'gc, Lock<Moving<'gc>>>>,
    external: Option<GcSlice<'gc, RefLock<Vec<Leaf<'gc>>>>>,
    header: Option<GcThinSliceWithHeader<'gc, Lock<Option<Leaf<'gc>>>, u64>>,
    both: Option<GcSliceWithHeader<'gc, RefLock<Vec<Leaf<'gc>>>, Lock<Moving<'gc>>>>,
    weak: Option<GcSlice<'gc, Lock<Option<GcWeak<'gc, Counted>>>>>,
}

type Heap = Arena<Rootable![Root<'_>]>;

fn empty<'gc>() -> Root<'gc> {
    Root {
        fixed: None,
        moving: None,
        external: None,
        header: None,
        both: None,
        weak: None,
    }
}

fn rounds(way: Way, length: usize) {
    let count = Count::default();
    let mut arena = Heap::with_options(way.often(), |_| empty()).unwrap();
    arena.mutate_root(|mc, root| {
        let leaf = || Gc::new(mc, count.make());
        let fixed = GcSliceBuilder::new(length).write_slice_with(mc, |_| Lock::new(Some(leaf())));
        root.fixed = Some(Gc::as_thin(fixed));
        let moving = GcSliceBuilder::new(length).write_slice_with(mc, |i| {
            Lock::new(match i % 3 {
                0 => Moving::First(leaf(), i),
                1 => Moving::Second(i, leaf()),
                _ => Moving::None(i),
            })
        });
        root.moving = Some(Gc::as_thin(moving));
        let external = GcSliceBuilder::new(length)
            .write_slice_with(mc, |i| RefLock::new((0..i % 2).map(|_| leaf()).collect()));
        root.external = Some(external);
        let header = GcSliceWithHeaderBuilder::new(length)
            .write_header(Lock::new(Some(leaf())))
            .write_slice_with(mc, |i| i as u64);
        root.header = Some(Gc::as_thin(header));
        let both = GcSliceWithHeaderBuilder::new(length)
            .write_header(RefLock::new(vec![leaf(); 3]))
            .write_slice_with(mc, |i| Lock::new(Moving::First(leaf(), i)));
        root.both = Some(both);
        let weak = GcSliceBuilder::new(length)
            .write_slice_with(mc, |i| Lock::new(fixed[i].get().map(Gc::downgrade)));
        root.weak = Some(weak);
    });
    let expected = length + (length * 2).div_ceil(3) + length / 2 + 1 + (1 + length);
    for round in 0..4 {
        // Elements change places while cycles go on.
        for step in 0..way.size(3, 20) {
            arena.mutate(|mc, root| {
                let [at, to] = [(round + step) % length, (round * 7 + step * 3) % length];
                let fixed = root.fixed.unwrap();
                let values = [fixed[at].get(), fixed[to].get()];
                Gc::write_at(mc, fixed, at).unlock().set(values[1]);
                Gc::write_at(mc, fixed, to).unlock().set(values[0]);
                let weak = root.weak.unwrap();
                let values = [weak[at].get(), weak[to].get()];
                Gc::write_at(mc, weak, at).unlock().set(values[1]);
                Gc::write_at(mc, weak, to).unlock().set(values[0]);

                let moving = root.moving.unwrap();
                let values = [moving[at].get(), moving[to].get()];
                Gc::write_at(mc, moving, at).unlock().set(values[1]);
                Gc::write_at(mc, moving, to).unlock().set(values[0]);
                let external = Gc::write(mc, root.external.unwrap());
                if at != to {
                    let (at, to) = (external[at].unlock(), external[to].unlock());
                    std::mem::swap(&mut *at.borrow_mut(), &mut *to.borrow_mut());
                }

                let header = Gc::write(mc, root.header.unwrap());
                let header = barrier::field!(header, SliceWithHeader<_, _>, header).unlock();
                header.set(header.get());
                let both = Gc::write(mc, root.both.unwrap());
                let slice = barrier::field!(both, SliceWithHeader<_, _>, slice);
                let values = [slice[at].unlock().get(), slice[to].unlock().get()];
                slice[at].unlock().set(values[1]);
                slice[to].unlock().set(values[0]);
                Gc::new_slice(mc, &[0_u64; 1000]);
            });
            arena.collect_debt();
        }
        arena.finish_cycle();
        assert_eq!(count.alive(), expected);
        arena.mutate(|mc, root| {
            let alive = |leaf: Option<Leaf<'_>>| leaf.is_none_or(|leaf| leaf.is_counted());
            assert!(root.fixed.unwrap().iter().all(|cell| alive(cell.get())));
            assert!(
                root.moving
                    .unwrap()
                    .iter()
                    .all(|cell| alive(cell.get().leaf()))
            );
            assert_eq!(root.header.unwrap().slice.len(), length);
            assert!(alive(root.header.unwrap().header.get()));
            let both = root.both.unwrap();
            assert_eq!(both.header.borrow().len(), 3);
            assert!(both.slice.iter().all(|cell| alive(cell.get().leaf())));
            let weak = root.weak.unwrap();
            assert!(
                weak.iter()
                    .all(|weak| weak.get().unwrap().upgrade(mc).is_some())
            );
        });
    }
    // Without the slice, the weak pointers lead nowhere.
    arena.mutate_root(|_, root| root.fixed = None);
    arena.finish_cycle();
    assert_eq!(count.alive(), expected - length);
    arena.mutate(|mc, root| {
        let weak = root.weak.unwrap();
        assert!(
            weak.iter()
                .all(|weak| weak.get().unwrap().upgrade(mc).is_none())
        );
    });
    arena.mutate_root(|_, root| *root = empty());
    arena.finish_cycle();
    assert_eq!(count.alive(), 0);
}

#[test]
fn small_ones() {
    in_each_way(|way| {
        for length in [1, 2, 7] {
            rounds(way, length);
        }
    });
}

#[test]
fn large_ones() {
    in_each_way(|way| rounds(way, way.size(300, 6000)));
}
