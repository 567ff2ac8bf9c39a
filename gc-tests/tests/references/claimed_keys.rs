//! Keys of ephemerons that a barrier claims before a marker comes to them, so that no marker scans them: their values
//! stay even so.

use gc_core::barrier::unlock;
use gc_core::{Arena, Collect, Ephemeron, Gc, Lock, Mutation, RefLock, Rootable};
use gc_tests::cycle::{begin, run_out};
use gc_tests::way::in_each_way;

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    id: u64,
    next: Lock<Option<Pointer<'gc>>>,
    check: u64,
}

type Pointer<'gc> = Gc<'gc, Node<'gc>>;
type Pair<'gc> = Ephemeron<'gc, Node<'gc>, Node<'gc>>;

fn node<'gc>(mc: &Mutation<'gc>, id: u64, next: Option<Pointer<'gc>>) -> Pointer<'gc> {
    let (next, check) = (Lock::new(next), !id);
    Gc::new(mc, Node { id, next, check })
}

fn look(node: Pointer<'_>) -> u64 {
    assert_eq!(node.check, !node.id, "an object that was freed");
    node.id
}

fn set<'gc>(mc: &Mutation<'gc>, node: Pointer<'gc>, next: Option<Pointer<'gc>>) {
    unlock!(Gc::write(mc, node), Node, next).set(next);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Keys<'gc> {
    /// A list, of which the last node is the key.
    list: Pointer<'gc>,
    pair: Gc<'gc, Lock<Pair<'gc>>>,
}

/// A key that is written after an ephemeron was met, or before, and before it is marked: nobody scans it.
#[test]
fn a_key_that_is_claimed_before_it_is_marked() {
    in_each_way(|way| {
        for delay in 0..6 {
            let mut arena = Arena::<Rootable![Keys<'_>]>::with_options(way.options(), |mc| {
                let key = node(mc, 1, None);
                let value = node(mc, 2, None);
                let pair = Gc::new(mc, Lock::new(Ephemeron::new(key, value)));
                let list = (0..5000).fold(key, |list, id| node(mc, 10 + id, Some(list)));
                Keys { list, pair }
            })
            .unwrap();
            begin(&mut arena);
            for _ in 0..delay {
                arena.collect_debt();
            }
            arena.mutate(|mc, keys| {
                let mut key = keys.list;
                while let Some(next) = key.next.get() {
                    key = next;
                }
                set(mc, key, None);
            });
            run_out(&mut arena);
            arena.mutate(|mc, keys| {
                // What was freed is used again.
                for id in 0..100 {
                    Gc::new(mc, [id; 3]);
                }
                let (key, value) = keys.pair.get().get(mc).expect("the key is reachable");
                assert_eq!((look(key), look(value)), (1, 2));
            });
        }
    });
}

/// The same with keys that large arrays lead to, keys that have to be asked, and large keys.
#[test]
fn keys_of_all_sorts_that_are_claimed_before_they_are_marked() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Roots<'gc> {
        asked: Gc<'gc, RefLock<Vec<Pointer<'gc>>>>,
        large: Gc<'gc, [Lock<Option<Pointer<'gc>>>; 3000]>,
        small: Pointer<'gc>,
        array: Gc<'gc, [Lock<Option<Pointer<'gc>>>]>,
    }
    type Cell<'gc> = RefLock<Vec<Pointer<'gc>>>;
    type Large<'gc> = [Lock<Option<Pointer<'gc>>>; 3000];
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Pairs<'gc> {
        asked: Ephemeron<'gc, Cell<'gc>, Node<'gc>>,
        large: Ephemeron<'gc, Large<'gc>, Node<'gc>>,
        small: Ephemeron<'gc, Node<'gc>, Node<'gc>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    struct All<'gc> {
        list: Gc<'gc, Link<'gc>>,
        pairs: Gc<'gc, Pairs<'gc>>,
    }
    #[derive(Collect)]
    #[collect(no_drop)]
    enum Link<'gc> {
        More(Gc<'gc, Link<'gc>>),
        End(Roots<'gc>),
    }
    in_each_way(|way| {
        for delay in 0..4 {
            let mut arena = Arena::<Rootable![All<'_>]>::with_options(way.options(), |mc| {
                let small = node(mc, 1, None);
                let roots = Roots {
                    asked: Gc::new(mc, RefLock::new(vec![node(mc, 5, None)])),
                    large: Gc::new(mc, [const { Lock::new(None) }; 3000]),
                    small,
                    array: Gc::slice_from_iter(mc, (0..3000).map(|_| Lock::new(Some(small)))),
                };
                let pairs = Gc::new(
                    mc,
                    Pairs {
                        asked: Ephemeron::new(roots.asked, node(mc, 2, None)),
                        large: Ephemeron::new(roots.large, node(mc, 3, None)),
                        small: Ephemeron::new(small, node(mc, 4, None)),
                    },
                );
                let end = Gc::new(mc, Link::End(roots));
                let list = (0..3000).fold(end, |list, _| Gc::new(mc, Link::More(list)));
                All { list, pairs }
            })
            .unwrap();
            begin(&mut arena);
            for _ in 0..delay {
                arena.collect_debt();
            }
            arena.mutate(|mc, all| {
                let mut link = all.list;
                let roots = loop {
                    match &*link {
                        Link::More(next) => link = *next,
                        Link::End(roots) => break roots,
                    }
                };
                roots.asked.borrow_mut(mc).clear();
                Gc::write(mc, roots.large);
                set(mc, roots.small, None);
                Gc::write_at(mc, roots.array, 7).unlock().set(None);
            });
            run_out(&mut arena);
            arena.mutate(|mc, all| {
                for id in 0..200 {
                    Gc::new(mc, [id; 3]);
                }
                let pairs = all.pairs;
                let values = [
                    pairs.asked.value(mc),
                    pairs.large.value(mc),
                    pairs.small.value(mc),
                ];
                assert_eq!(values.map(|value| look(value.unwrap())), [2, 3, 4]);
            });
        }
    });
}
