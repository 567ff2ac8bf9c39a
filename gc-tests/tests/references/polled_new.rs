//! Weak pointers that the program looks at in each `mutate` call, while it makes something new that refers to what it has found.
//! What only they lead to dies within three cycles all the same; what is alive keeps all that it was given.

use gc_core::arena::{CollectionPhase, Root};
use gc_core::barrier::unlock;
use gc_core::weak_collections::WeakMap;
use gc_core::{Arena, Collect, Gc, GcWeak, Lock, Mutation, RefLock, Rootable};
use gc_tests::cycle::{begin, collections, in_cycle};
use gc_tests::way::{Way, in_each_way};

/// What weak pointers lead to.
#[derive(Collect)]
#[collect(no_drop)]
struct Parent<'gc> {
    id: usize,
    held: Lock<Held<'gc>>,
    list: Gc<'gc, RefLock<Vec<Gc<'gc, Child<'gc>>>>>,
    friend: Lock<Option<Gc<'gc, Parent<'gc>>>>,
}

/// What one holds that was made in a later call than itself.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Held<'gc> {
    Nothing,
    Child(Gc<'gc, Child<'gc>>),
    Row(Gc<'gc, [Child<'gc>]>),
    Text(Gc<'gc, Named<'gc>>),
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Child<'gc> {
    parent: Gc<'gc, Parent<'gc>>,
    next: Option<Gc<'gc, Child<'gc>>>,
}

/// One with a destructor, and memory of its own in which pointers are.
#[derive(Collect)]
#[collect(no_drop)]
struct Named<'gc> {
    name: String,
    parents: Vec<Gc<'gc, Parent<'gc>>>,
}

impl<'gc> Parent<'gc> {
    fn new(mc: &Mutation<'gc>, id: usize) -> Gc<'gc, Parent<'gc>> {
        let parent = Parent {
            id,
            held: Lock::new(Held::Nothing),
            list: Gc::new(mc, RefLock::default()),
            friend: Lock::new(None),
        };
        Gc::new(mc, parent)
    }

    fn hold(mc: &Mutation<'gc>, this: Gc<'gc, Parent<'gc>>, held: Held<'gc>) {
        unlock!(Gc::write(mc, this), Parent, held).set(held);
    }

    /// Checks that all that was given to it is there.
    fn check(&self) {
        let child = |child: &Child<'_>| {
            assert_eq!(child.parent.id, self.id);
            let next = core::iter::successors(child.next, |next| next.next);
            next.for_each(|next| assert_eq!(next.parent.id, self.id));
        };
        match self.held.get() {
            Held::Nothing => {}
            Held::Child(one) => child(&one),
            Held::Row(row) => row.iter().step_by(97).for_each(child),
            Held::Text(text) => {
                assert_eq!(text.name, format!("of {}", self.id));
                text.parents
                    .iter()
                    .for_each(|parent| assert_eq!(parent.id, self.id));
            }
        }
        self.list.borrow().iter().for_each(|one| child(one));
        if let Some(friend) = self.friend.get() {
            assert_eq!(friend.id ^ 1, self.id);
        }
    }
}

fn child<'gc>(parent: Gc<'gc, Parent<'gc>>) -> Child<'gc> {
    Child { parent, next: None }
}

/// Makes something new for an object that was found.
type Give = for<'gc> fn(&Mutation<'gc>, Gc<'gc, Parent<'gc>>);

fn give_child<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    Parent::hold(mc, to, Held::Child(Gc::new(mc, child(to))));
}

fn give_chain<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let chain = (0..5).fold(None, |next, _| {
        Some(Gc::new(mc, Child { next, ..child(to) }))
    });
    Parent::hold(mc, to, Held::Child(chain.unwrap()));
}

fn give_row<'gc, const LENGTH: usize>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let row = Gc::slice_from_iter(mc, (0..LENGTH).map(|_| child(to)));
    Parent::hold(mc, to, Held::Row(row));
}

fn give_text<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let (name, parents) = (format!("of {}", to.id), vec![to; 2]);
    Parent::hold(mc, to, Held::Text(Gc::new(mc, Named { name, parents })));
}

fn push_to_list<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    let mut list = Gc::write(mc, to.list).unlock().borrow_mut();
    list.truncate(8);
    list.insert(0, Gc::new(mc, child(to)));
}

fn replace_list<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    *to.list.borrow_mut(mc) = vec![Gc::new(mc, child(to))];
}

/// Nothing new but that it holds itself.
fn give_itself<'gc>(mc: &Mutation<'gc>, to: Gc<'gc, Parent<'gc>>) {
    if matches!(to.held.get(), Held::Nothing) {
        give_child(mc, to);
    }
    Parent::hold(mc, to, to.held.get());
}

type Roots<'gc> = (
    Vec<Gc<'gc, Parent<'gc>>>,
    Gc<'gc, Vec<GcWeak<'gc, Parent<'gc>>>>,
);
type Heap = Arena<Rootable![Roots<'_>]>;

fn new_heap(way: Way, count: usize) -> Heap {
    Heap::with_options(way.options(), |mc| {
        let all: Vec<_> = (0..count).map(|id| Parent::new(mc, id)).collect();
        let weak = all.iter().map(|gc| Gc::downgrade(*gc)).collect();
        (all, Gc::new(mc, weak))
    })
    .unwrap()
}

/// Gives something to each that is found, and puts it into pairs: how many there are.
fn poll(heap: &Heap, give: Give) -> usize {
    heap.mutate(|mc, (strong, weak)| {
        let found: Vec<_> = weak.iter().filter_map(|weak| weak.upgrade(mc)).collect();
        for &one in &found {
            one.check();
            give(mc, one);
            let friend = found.iter().find(|other| other.id ^ 1 == one.id);
            unlock!(Gc::write(mc, one), Parent, friend).set(friend.copied());
            one.check();
        }
        strong.iter().for_each(|one| one.check());
        found.len()
    })
}

/// Calls `poll` at each safepoint until so many cycles are complete, but for most of those that only sweep: each makes more
/// that the next cycle has to sweep.
fn run<R>(heap: &mut Arena<R>, mut poll: impl FnMut(&Arena<R>), cycles: u64)
where
    R: for<'a> Rootable<'a>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    let end = collections(heap) + cycles;
    let mut phase = heap.collection_phase();
    while collections(heap) < end {
        if !in_cycle(heap) {
            begin(heap);
            poll(heap);
        }
        heap.collect_debt();
        let before = core::mem::replace(&mut phase, heap.collection_phase());
        if phase != CollectionPhase::Sweeping || before != phase {
            poll(heap);
        }
        std::thread::yield_now();
    }
}

fn dies(give: Give) {
    in_each_way(|way| {
        for finalizers in [false, true] {
            let mut heap = new_heap(way, 4);
            if finalizers {
                heap.mutate(|mc, (_, weak)| _ = mc.finalize_with(*weak, |_, _| {}));
            }
            for after in [0, 3] {
                run(&mut heap, |heap| _ = poll(heap, give), after);
                assert_eq!(poll(&heap, give), 4);
            }
            // In the middle of a cycle, if it has one. A pair stays, and half of one.
            begin(&mut heap);
            heap.mutate_root(|mc, (strong, _)| {
                strong.pop();
                strong.pop();
                for one in strong {
                    unlock!(Gc::write(mc, *one), Parent, friend).set(None);
                }
            });
            run(&mut heap, |heap| _ = poll(heap, give), 3);
            assert_eq!(poll(&heap, give), 2, "{way:?} {finalizers}");
            heap.finish_cycle();
            assert_eq!(poll(&heap, give), 2);
        }
    });
}

#[test]
fn a_child() {
    dies(give_child);
}

#[test]
fn a_chain() {
    dies(give_chain);
}

#[test]
fn a_slice() {
    dies(give_row::<3>);
}

#[test]
fn a_medium_object() {
    dies(give_row::<600>);
}

#[test]
fn a_large_object() {
    dies(give_row::<4096>);
}

#[test]
fn a_value_with_a_destructor() {
    dies(give_text);
}

#[test]
fn more_in_a_list() {
    dies(push_to_list);
}

#[test]
fn another_list() {
    dies(replace_list);
}

#[test]
fn nothing_new() {
    dies(give_itself);
}

/// New objects are keys of ephemerons with what is polled as values; what has the key has the value.
#[test]
fn new_keys() {
    type Roots<'gc> = (
        WeakMap<'gc, Child<'gc>, Parent<'gc>>,
        Vec<Gc<'gc, Parent<'gc>>>,
        Vec<GcWeak<'gc, Parent<'gc>>>,
    );
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
            let all: Vec<_> = (0..6).map(|id| Parent::new(mc, id)).collect();
            let weak = all.iter().map(|gc| Gc::downgrade(*gc)).collect();
            (WeakMap::new(mc), all, weak)
        })
        .unwrap();
        let poll = |heap: &Arena<Rootable![Roots<'_>]>| {
            heap.mutate(|mc, (map, _, weak)| {
                let found = weak.iter().filter_map(|weak| weak.upgrade(mc));
                found
                    .inspect(|one| {
                        if let Held::Child(key) = one.held.get() {
                            assert_eq!(map.get(mc, key).unwrap().id, one.id);
                        }
                        // Blocks that were not there when marking began.
                        let keys = (0..way.size(5, 40)).map(|_| Gc::new(mc, child(*one)));
                        let keys: Vec<_> = keys.collect();
                        keys.iter().for_each(|key| _ = map.insert(mc, *key, *one));
                        Parent::hold(mc, *one, Held::Child(*keys.last().unwrap()));
                    })
                    .count()
            })
        };
        let mut left = 6;
        while left > 2 {
            begin(&mut heap);
            heap.mutate_root(|_, (_, strong, _)| strong.truncate(left - 2));
            left -= 2;
            run(&mut heap, |heap| _ = poll(heap), 3);
            assert_eq!(poll(&heap), left, "{way:?}");
        }
    });
}

/// Weak pointers in what is alive lead to new objects, of which some are kept, or to nothing.
#[test]
fn weak_pointers_to_new_objects() {
    #[derive(Collect)]
    #[collect(no_drop)]
    struct Cache<'gc> {
        weak: Lock<Option<GcWeak<'gc, Named<'gc>>>>,
        strong: Lock<Option<Gc<'gc, Named<'gc>>>>,
    }
    type Roots<'gc> = Gc<'gc, [Cache<'gc>]>;
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
            let empty = || Cache {
                weak: Lock::new(None),
                strong: Lock::new(None),
            };
            Gc::slice_from_iter(mc, (0..16).map(|_| empty()))
        })
        .unwrap();
        let mut turn = 0;
        let poll = |heap: &Arena<Rootable![Roots<'_>]>| {
            turn += 1;
            heap.mutate(|mc, caches| {
                // What is dead is polled, so cycles remember writes.
                for (index, cache) in caches.iter().enumerate() {
                    let found = cache.weak.get().and_then(|weak| weak.upgrade(mc));
                    if let Some(found) = found {
                        assert_eq!(found.name, format!("{index}"));
                    }
                    match (cache.strong.get(), found) {
                        (Some(strong), found) => assert!(Gc::ptr_eq(strong, found.unwrap())),
                        (None, Some(found)) if turn % 5 == 0 => {
                            unlock!(&Gc::write(mc, *caches)[index], Cache, strong).set(Some(found));
                        }
                        _ => {}
                    }
                    if (turn + index) % 7 == 0 {
                        let (name, parents) = (format!("{index}"), Vec::new());
                        let new = Gc::new(mc, Named { name, parents });
                        let cache = &Gc::write(mc, *caches)[index];
                        unlock!(cache, Cache, weak).set(Some(Gc::downgrade(new)));
                        unlock!(cache, Cache, strong).set((turn % 3 == 0).then_some(new));
                    }
                }
            });
        };
        run(&mut heap, poll, 8);
    });
}
