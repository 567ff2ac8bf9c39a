//! Panics in code of the user's that a collection calls leave it in order.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use gc_core::arena::rootless_mutate;
use gc_core::collections::{HashMap, Vec, VecDeque};
use gc_core::{Collect, Gc};
use gc_tests::way::panic_of;

use crate::elements::{Cargo, Element, Token};

#[test]
fn closures() {
    rootless_mutate(|mc| {
        let mut vec = Vec::from_iter(mc, (0..10).map(|id| (Cargo::new(mc, id), Token::new(id))));
        let panic = panic_of(|| {
            vec.retain(mc, |(cargo, _)| match cargo.id() {
                6 => panic!("six"),
                id => id % 2 == 0,
            })
        });
        assert_eq!(panic.as_deref(), Some("six"));
        let ids = vec.iter().map(|(cargo, token)| (cargo.id(), token.id()));
        assert!(ids.eq([0, 2, 4, 6, 7, 8, 9].map(|id| (id, id))));

        let mut deque = VecDeque::from_iter(mc, 0..10);
        let panic = panic_of(|| {
            deque.retain(mc, |id| match id {
                6 => panic!("six"),
                id => id % 2 == 0,
            })
        });
        assert_eq!(panic.as_deref(), Some("six"));
        assert!(deque.iter().eq(&[0, 2, 4, 6, 7, 8, 9]));

        let mut map: HashMap<_, _> = HashMap::from_iter(mc, (0..10).map(|id| (id, id)));
        let panic = panic_of(|| {
            map.retain(mc, |key, _| match key {
                6 => panic!("six"),
                key => key % 2 == 0,
            })
        });
        assert_eq!(panic.as_deref(), Some("six"));
        for id in 0..10 {
            let kept = [0, 2, 4, 6, 7, 8, 9].contains(&id);
            assert_eq!(map.get(&id), kept.then_some(&id));
        }
        let panic = panic_of(|| {
            map.extend(
                mc,
                (20..30).map(|id| if id == 25 { panic!("end") } else { (id, id) }),
            )
        });
        assert_eq!(panic.as_deref(), Some("end"));
        assert_eq!(map.len(), 12);
    });
    assert_eq!(Token::live(), 0);
}

thread_local! {
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

fn burn() {
    FUSE.set(FUSE.get() - 1);
    assert!(FUSE.get() > 0, "the fuse has burnt down");
}

/// A key whose `Hash` and `Eq` panic when the fuse has burnt down.
#[derive(Collect)]
#[collect(require_static)]
struct Key(u32);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn();
        // Few hashes, so that keys are compared.
        state.write_u32(self.0 % 4);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        burn();
        self.0 == other.0
    }
}

impl Eq for Key {}

#[test]
fn hashes_and_comparisons() {
    rootless_mutate(|mc| {
        let mut map: HashMap<'_, Key, Gc<'_, Cargo<'_>>> = HashMap::new();
        let mut twin = std::collections::BTreeMap::new();
        for round in 0..2000_u32 {
            let key = round.wrapping_mul(2_654_435_761) >> 8 & 63;
            FUSE.set(round % 17 + 1);
            let removes = round % 3 == 0;
            let value = Cargo::new(mc, u64::from(round));
            let done = panic_of(|| {
                if removes {
                    map.remove(mc, &Key(key));
                } else {
                    map.insert(mc, Key(key), value);
                }
            });
            FUSE.set(u32::MAX);
            match (done, removes) {
                (Some(_), _) => {}
                (None, true) => _ = twin.remove(&key),
                (None, false) => _ = twin.insert(key, u64::from(round)),
            }
            assert_eq!(map.len(), twin.len());
            for (key, id) in &twin {
                assert_eq!(map.get(&Key(*key)).unwrap().id(), *id);
            }
        }
        assert!(twin.len() > 5);
    });
}

/// A value whose drop panics when it is told to.
#[derive(Collect)]
#[collect(require_static)]
struct Bomb(Token, bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.1, "a drop");
    }
}

#[test]
fn drops() {
    rootless_mutate(|mc| {
        let bombs = || (0..10).map(|id| Bomb(Token::new(id), id == 5));
        let mut vec = Vec::from_iter(mc, bombs());
        assert_eq!(panic_of(|| vec.truncate(mc, 2)).as_deref(), Some("a drop"));
        assert_eq!((vec.len(), Token::live()), (2, 2));
        vec.clear(mc);

        vec.extend(mc, bombs());
        let panic = panic_of(|| vec.retain(mc, |bomb| bomb.0.id() % 5 != 0));
        assert_eq!(panic.as_deref(), Some("a drop"));
        assert_eq!((vec.len(), Token::live()), (8, 8));
        vec.clear(mc);

        vec.extend(mc, bombs());
        let all = std::mem::take(&mut vec).into_iter(mc);
        assert_eq!(panic_of(|| drop(all)).as_deref(), Some("a drop"));
        assert_eq!(Token::live(), 0);

        let mut deque = VecDeque::from_iter(mc, bombs());
        assert_eq!(panic_of(|| deque.clear(mc)).as_deref(), Some("a drop"));
        assert_eq!((deque.len() as isize, 5), (Token::live(), 5));
        deque.clear(mc);
        assert_eq!(Token::live(), 0);
    });
}
