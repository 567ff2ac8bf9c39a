//! Makes objects of all the types, before and after writes.

use gc_core::barrier::unlock;
use gc_core::lock::OnceLock;
use gc_core::slice::{Interior, OffsetSlice, Slice, Str};
use gc_core::{Collect, Gc, Lock, Mutation, RefLock};

use crate::expected::{All, HasWords, Map, Words};
use crate::types::*;
use crate::{Root, WORD};

/// Makes objects, keeps them alive, and writes down what they should look like.
pub struct Maker<'a, 'gc> {
    pub mc: &'gc Mutation<'gc>,
    pub root: &'a mut Root<'gc>,
    pub all: &'a mut All,
    pub made: u64,
}

impl<'gc> Maker<'_, 'gc> {
    /// Writes down an object as it is now.
    pub fn note<T: HasWords + ?Sized>(&mut self, gc: Gc<'gc, T>, bytes: usize, map: Map) {
        let bytes = bytes.next_multiple_of(16);
        let (base, expected) = Words::of(gc, bytes, map);
        self.all.insert(base, expected);
        self.root.push(Gc::erase(gc));
    }

    pub fn make<T: Collect<'gc> + HasWords + 'gc>(
        &mut self,
        value: T,
        bytes: usize,
        map: Map,
    ) -> Gc<'gc, T> {
        let gc = Gc::new(self.mc, value);
        self.note(gc, bytes, map);
        gc
    }

    pub fn slice<T: Collect<'gc> + HasWords + 'gc>(
        &mut self,
        items: Vec<T>,
        bytes: usize,
        map: Map,
    ) -> Gc<'gc, [T]> {
        let gc = Gc::slice_from_iter(self.mc, items);
        self.note(gc, bytes, map);
        gc
    }

    pub fn leaf(&mut self) -> Leaf<'gc> {
        self.made += 1;
        self.make(self.made, 8, Map::Fixed)
    }

    fn pair(&mut self) -> Pair<'gc> {
        let some = self.made.is_multiple_of(2);
        Pair {
            first: self.leaf(),
            second: some.then(|| self.leaf()),
        }
    }

    fn mixed(&mut self) -> Mixed<'gc> {
        let some = self.made.is_multiple_of(3);
        Mixed {
            byte: 255,
            weak: Gc::downgrade(self.leaf()),
            number: u32::MAX,
            strong: self.leaf(),
            maybe_weak: some.then(|| Gc::downgrade(self.leaf())),
        }
    }

    /// All variants in turn. Numbers are addresses of objects, to look like pointers.
    pub fn tree(&mut self, variant: usize) -> Tree<'gc> {
        let number = self.all.keys().next().map_or(0, |base| *base as u64);
        match variant % 7 {
            0 => Tree::Empty,
            1 => Tree::Number(number),
            2 => Tree::One(self.leaf()),
            3 => Tree::Two(self.leaf(), Gc::downgrade(self.leaf())),
            4 => Tree::Named {
                byte: 1,
                number,
                weak: Gc::downgrade(self.leaf()),
                strong: self.leaf(),
            },
            5 => Tree::Nested(None, self.pair()),
            _ => Tree::Nested(Some(self.leaf()), self.pair()),
        }
    }

    pub fn fixed(&mut self) {
        let leaf = self.leaf();
        self.make(Tuple(leaf), 8, Map::Fixed);
        let pair = self.pair();
        self.make(pair, 16, Map::Fixed);
        let mixed = self.mixed();
        self.make(mixed, 32, Map::Fixed);
        let value = Generic {
            short: 1,
            value: mixed,
            number: 2,
        };
        self.make(value, 48, Map::Fixed);
        let value = Generic {
            short: 1,
            value: [pair; 3],
            number: 2,
        };
        self.make(value, 64, Map::Fixed);
        let nested = Generic {
            short: 1,
            value: Generic {
                short: 3,
                value: leaf,
                number: 4,
            },
            number: 2,
        };
        self.make(nested, 40, Map::Fixed);
        self.make(
            Generic {
                short: 1,
                value: 5_u32,
                number: 2,
            },
            16,
            Map::Fixed,
        );
        self.make((1_u64, Some(leaf), Gc::downgrade(leaf)), 24, Map::Fixed);
        self.make([None, Some(leaf), None, Some(leaf), None], 40, Map::Fixed);
        self.make(None::<Leaf<'gc>>, 8, Map::Fixed);
        self.make(Lock::new(Some(leaf)), 8, Map::Fixed);
        self.make([leaf; 64], 512, Map::Fixed);
        let last = Lock::new(None);
        let edges = self.make(
            Edges {
                first: leaf,
                between: [u64::MAX; 62],
                last,
            },
            512,
            Map::Fixed,
        );
        unlock!(Gc::write(self.mc, edges), Edges, last).set(Some(leaf));

        let text = Gc::str_from(self.mc, "as long as 23 bytes are");
        self.note(text, 23, Map::Fixed);
        let items = self.slice(vec![leaf; 3], 24, Map::Fixed);
        let bytes = self.slice(vec![1_u8; 17], 17, Map::Fixed);
        let weak = Gc::downgrade(bytes);
        self.make(
            Fat {
                text,
                number: 1,
                items,
                weak,
            },
            7 * WORD,
            Map::Fixed,
        );
        self.make(
            MaybeFat {
                number: 1,
                text: Some(text),
            },
            3 * WORD,
            Map::Dynamic,
        );
        self.make(
            MaybeFat {
                number: 1,
                text: None,
            },
            3 * WORD,
            Map::Dynamic,
        );

        let weak = Gc::downgrade(self.leaf());
        self.make(
            Dropping {
                number: 7,
                strong: leaf,
                weak,
            },
            3 * WORD + WORD,
            Map::Fixed,
        );
    }

    pub fn dynamic(&mut self, variant: usize) {
        let leaf = self.leaf();
        let beyond = Beyond {
            near: self.leaf(),
            between: [leaf_address(leaf); 69],
            far: self.leaf(),
            weak: Gc::downgrade(self.leaf()),
            more: [leaf_address(leaf); 100],
            farther: Lock::new(None),
            farthest: self.pair(),
        };
        let beyond = self.make(beyond, 175 * WORD, Map::Dynamic);
        if variant.is_multiple_of(2) {
            unlock!(Gc::write(self.mc, beyond), Beyond, farther).set(Some(leaf));
            self.note(beyond, 175 * WORD, Map::Dynamic);
        }
        self.make([leaf; 100], 800, Map::Dynamic);

        let tree = self.tree(variant);
        self.make(tree, TREE_BYTES, Map::Dynamic);
        let value = Generic {
            short: 1,
            value: tree,
            number: 2,
        };
        self.make(value, TREE_BYTES + 16, Map::Dynamic);
        self.make([tree, Tree::Empty, tree], 3 * TREE_BYTES, Map::Dynamic);
        self.make(Some(tree), TREE_BYTES, Map::Dynamic);
    }

    pub fn locks(&mut self, variant: usize) {
        let mc = self.mc;
        for written in [false, true] {
            let (before, after) = (self.tree(variant), self.tree(variant / 7));
            let (leaf, weak) = (self.leaf(), Gc::downgrade(self.leaf()));

            let locks = Locks {
                number: leaf_address(leaf),
                lock: Lock::new(before),
                strong: Lock::new(None),
                weak: Lock::new(None),
            };
            let locks = Gc::new(mc, locks);
            if written {
                unlock!(Gc::write(mc, locks), Locks, lock).set(after);
                unlock!(Gc::write(mc, locks), Locks, strong).set(Some(leaf));
                unlock!(Gc::write(mc, locks), Locks, weak).set(Some(weak));
            }
            self.note(locks, 3 * WORD + TREE_BYTES + WORD, Map::Dynamic);

            let tree = RefLock::new(before);
            let ref_locks = Gc::new(
                mc,
                RefLocks {
                    number: 1,
                    tree,
                    strong: RefLock::new(None),
                },
            );
            if written {
                *unlock!(Gc::write(mc, ref_locks), RefLocks, tree).borrow_mut() = after;
                *unlock!(Gc::write(mc, ref_locks), RefLocks, strong).borrow_mut() = Some(leaf);
            }
            // A number, two borrow counts, a pointer.
            self.note(ref_locks, 4 * WORD + TREE_BYTES + WORD, Map::Dynamic);

            let (strong_lock, weak_lock) = (RefLock::new(None), RefLock::new(None));
            let still = Gc::new(
                mc,
                Still {
                    number: 1,
                    strong: strong_lock,
                    weak: weak_lock,
                },
            );
            if written {
                *unlock!(Gc::write(mc, still), Still, strong).borrow_mut() = Some(leaf);
                *unlock!(Gc::write(mc, still), Still, weak).borrow_mut() = Some(weak);
            }
            self.note(still, extent_of_still(), Map::Dynamic);

            let onces = Gc::new(
                mc,
                Onces {
                    number: 1,
                    tree: OnceLock::new(),
                    strong: OnceLock::new(),
                },
            );
            if written {
                assert!(
                    unlock!(Gc::write(mc, onces), Onces, tree)
                        .set(after)
                        .is_ok()
                );
                assert!(
                    unlock!(Gc::write(mc, onces), Onces, strong)
                        .set(leaf)
                        .is_ok()
                );
            }
            self.note(onces, 2 * WORD + TREE_BYTES + WORD, Map::Dynamic);

            for cells in [
                Cells::Strong(Lock::new(None)),
                Cells::Once(leaf_address(leaf), OnceLock::new()),
                Cells::Weak(leaf_address(leaf), Lock::new(None), leaf),
            ] {
                let cells = Gc::new(mc, RefLock::new(cells));
                if written {
                    match &mut *cells.borrow_mut(mc) {
                        Cells::Strong(lock) => *lock.get_mut() = Some(leaf),
                        Cells::Once(_, once) => {
                            *once = OnceLock::from(std::cell::OnceCell::from(leaf))
                        }
                        Cells::Weak(_, lock, _) => *lock.get_mut() = Some(weak),
                    }
                }
                self.note(cells, extent_of_cells(), Map::Dynamic);
            }

            let items: Vec<_> = (0..5).map(|_| Lock::new(before)).collect();
            let items = Gc::slice_from_iter(mc, items);
            if written {
                Gc::write(mc, items)[1].unlock().set(after);
                Gc::write(mc, items)[4].unlock().set(after);
            }
            self.note(items, 5 * TREE_BYTES + 2 * WORD, Map::Dynamic);

            let pairs: Vec<_> = (0..3).map(|_| Lock::new(None)).collect();
            let links = Gc::slice_from_iter(mc, pairs);
            if written {
                Gc::write(mc, links)[2].unlock().set(Some(leaf));
            }
            self.note(links, 3 * WORD, Map::Fixed);
        }
    }

    pub fn slices(&mut self, variant: usize, length: usize) {
        let leaf = self.leaf();
        self.slice(vec![leaf; length], length * WORD, Map::Fixed);
        let mixed = self.mixed();
        self.slice(vec![mixed; length], length * 32, Map::Fixed);
        let pair = self.pair();
        self.slice(vec![[pair, pair]; length], length * 32, Map::Fixed);
        self.slice(vec![7_u64; length], length * WORD, Map::Fixed);
        self.slice(
            vec![7_u8; length],
            length.next_multiple_of(WORD),
            Map::Fixed,
        );
        let trees: Vec<_> = (0..length).map(|i| self.tree(variant + i)).collect();
        self.slice(trees.clone(), length * TREE_BYTES, Map::Dynamic);
        let locks: Vec<_> = trees.iter().map(|tree| Lock::new(*tree)).collect();
        let locks = self.slice(locks, length * TREE_BYTES + 2 * WORD, Map::Dynamic);
        for i in (0..length).step_by(3) {
            Gc::write(self.mc, locks)[i]
                .unlock()
                .set(trees[length - 1 - i]);
        }
        self.note(locks, length * TREE_BYTES + 2 * WORD, Map::Dynamic);
        let weak = Gc::downgrade(leaf);
        let dropping = (0..length)
            .map(|_| Dropping {
                number: 7,
                strong: leaf,
                weak,
            })
            .collect();
        self.slice(dropping, length * 3 * WORD + 2 * WORD, Map::Fixed);
    }

    fn views(&mut self) -> Views<'gc> {
        let some = self.made.is_multiple_of(3);
        let all = Slice::from(self.slice(vec![self.made; 5], 40, Map::Fixed));
        let text = Gc::str_from(self.mc, "twenty bytes of text");
        self.note(text, 20, Map::Fixed);
        let tail = OffsetSlice::new(self.mc, [1, 2, 3, 4]);
        // The byte that says how many there are makes it longer by a granule.
        self.note(tail.base(), 33, Map::Fixed);
        Views {
            byte: 255,
            part: all.slice(1..3),
            text: some.then(|| Str::from(text).slice(7..)),
            weak: Gc::downgrade(self.leaf()),
            field: Interior::of_element(all, 4),
            maybe_field: some.then(|| Interior::from(self.leaf())),
            tail: tail.skip(4),
            maybe_tail: (!some).then_some(tail),
        }
    }

    /// All variants in turn.
    pub fn view(&mut self, variant: usize) -> View<'gc> {
        let views = self.views();
        let number = leaf_address(self.leaf());
        match variant % 7 {
            0 => View::Nothing,
            1 => View::Numbers([number; 5]),
            2 => View::Part(views.part),
            3 => View::Field(number, views.field),
            4 => View::Both(None, views.field),
            5 => View::Both(Some(views.text.unwrap_or_default()), views.field),
            _ => View::Pointers([self.leaf(); 4], views.weak),
        }
    }

    /// Views of parts of objects.
    pub fn interiors(&mut self, variant: usize, length: usize) {
        let mc = self.mc;
        let views = self.views();
        self.make(views, VIEWS_BYTES, Map::Fixed);
        self.make([views; 3], 3 * VIEWS_BYTES, Map::Dynamic);
        self.slice(vec![views; length], length * VIEWS_BYTES, Map::Fixed);
        self.slice(vec![views.part; length], length * 24, Map::Fixed);
        self.slice(vec![views.maybe_field; length], length * 16, Map::Fixed);

        let view = self.view(variant);
        self.make(view, VIEW_BYTES, Map::Dynamic);
        self.make([view; 2], 2 * VIEW_BYTES, Map::Dynamic);
        for written in [false, true] {
            let window = Window {
                number: 1,
                part: Lock::new(None),
                once: OnceLock::new(),
            };
            let window = Gc::new(mc, window);
            let cell = Gc::new(mc, Lock::new(view));
            let cells = Gc::slice_from_iter(mc, (0..length).map(|_| Lock::new(view)));
            if written {
                unlock!(Gc::write(mc, window), Window, part).set(Some(views.part));
                let once = unlock!(Gc::write(mc, window), Window, once);
                assert!(once.set(views.field).is_ok());
                let after = self.view(variant + length);
                cell.set(mc, after);
                for index in (0..length).step_by(2) {
                    Gc::write_at(mc, cells, index).unlock().set(after);
                }
            }
            self.note(window, 6 * WORD, Map::Fixed);
            self.note(cell, VIEW_BYTES + WORD, Map::Dynamic);
            self.note(cells, length * VIEW_BYTES + 2 * WORD, Map::Dynamic);
        }
    }

    pub fn external(&mut self) {
        let outside = (0..3).map(|_| self.leaf()).collect();
        let (strong, weak) = (self.leaf(), self.leaf());
        let weak = self.made.is_multiple_of(2).then(|| Gc::downgrade(weak));
        self.make(
            Outside {
                strong,
                outside,
                weak,
            },
            5 * WORD + WORD,
            Map::External,
        );
    }
}

fn leaf_address(leaf: Leaf<'_>) -> u64 {
    Gc::as_ptr(leaf).addr() as u64
}

/// A number, and twice a borrow count and a pointer.
fn extent_of_still() -> usize {
    5 * WORD
}

/// A borrow count, a discriminant and three words, and a descriptor, as which variant it is changes.
fn extent_of_cells() -> usize {
    5 * WORD + WORD
}
