//! Objects that own memory elsewhere, which markers trace while the program changes it.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use gc_core::barrier::field;
use gc_core::lock::OnceLock;
use gc_core::{Arena, Collect, Gc, Lock, Mutation, RefLock, Rootable};
use gc_tests::cycle::{begin, run_out};
use gc_tests::random::Random;
use gc_tests::seed::Seed;
use gc_tests::way::in_each_way;

/// Says when it was dropped.
#[derive(Collect)]
#[collect(require_static)]
struct Life(Rc<Cell<bool>>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
enum Link<'gc> {
    Number(u64),
    Owner(Gc<'gc, Owner<'gc>>),
    Named(u64, Gc<'gc, Owner<'gc>>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Cells<'gc> {
    lock: Lock<Option<Gc<'gc, Owner<'gc>>>>,
    slots: [RefLock<Vec<Option<Gc<'gc, Owner<'gc>>>>>; 2],
}

#[derive(Collect)]
#[collect(no_drop)]
struct Owner<'gc> {
    number: u64,
    life: Life,
    links: RefLock<Vec<Link<'gc>>>,
    pairs: RefLock<Vec<(u64, Gc<'gc, Owner<'gc>>)>>,
    queue: RefLock<VecDeque<Gc<'gc, Owner<'gc>>>>,
    map: RefLock<HashMap<u64, Gc<'gc, Owner<'gc>>>>,
    tree: RefLock<BTreeMap<u64, Box<Link<'gc>>>>,
    cells: Box<Cells<'gc>>,
    once: OnceLock<Box<[Gc<'gc, Owner<'gc>>]>>,
}

type Root<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, Owner<'gc>>>>>;

impl<'gc> Owner<'gc> {
    fn new(mc: &Mutation<'gc>, number: u64) -> Gc<'gc, Owner<'gc>> {
        let cells = Box::new(Cells {
            lock: Lock::new(None),
            slots: Default::default(),
        });
        Gc::new(
            mc,
            Owner {
                number,
                life: Life(Rc::new(Cell::new(true))),
                links: RefLock::default(),
                pairs: RefLock::default(),
                queue: RefLock::default(),
                map: RefLock::default(),
                tree: RefLock::default(),
                cells,
                once: OnceLock::new(),
            },
        )
    }

    /// All to which it leads.
    fn targets(&self) -> Vec<Gc<'gc, Owner<'gc>>> {
        let mut targets = Vec::new();
        let mut follow = |link: &Link<'gc>| match *link {
            Link::Number(_) => {}
            Link::Owner(owner) | Link::Named(_, owner) => targets.push(owner),
        };
        self.links.borrow().iter().for_each(&mut follow);
        self.tree.borrow().values().for_each(|link| follow(link));
        targets.extend(self.pairs.borrow().iter().map(|(_, owner)| owner));
        targets.extend(self.queue.borrow().iter());
        targets.extend(self.map.borrow().values());
        targets.extend(self.cells.lock.get());
        for slots in &self.cells.slots {
            targets.extend(slots.borrow().iter().flatten());
        }
        targets.extend(self.once.get().into_iter().flatten());
        targets
    }
}

/// Puts a pointer into some container of an owner, and takes out one of another, if it is full.
fn exchange<'gc>(
    mc: &Mutation<'gc>,
    owner: Gc<'gc, Owner<'gc>>,
    new: Gc<'gc, Owner<'gc>>,
    random: &mut Random,
) -> Option<Gc<'gc, Owner<'gc>>> {
    let [what, at] = [8, 1 << 20].map(|below| random.below(below));
    let (key, write) = (at as u64 % 16, Gc::write(mc, owner));
    match what {
        0 => {
            let mut links = field!(write, Owner, links).unlock().borrow_mut();
            links.push(match at % 3 {
                0 => Link::Number(key),
                1 => Link::Owner(new),
                _ => Link::Named(key, new),
            });
            if links.len() < 12 {
                return None;
            }
            match links.swap_remove(at % 12) {
                Link::Number(_) => None,
                Link::Owner(owner) | Link::Named(_, owner) => Some(owner),
            }
        }
        1 => {
            let mut pairs = field!(write, Owner, pairs).unlock().borrow_mut();
            pairs.push((key, new));
            (pairs.len() > 9).then(|| pairs.remove(at % 9).1)
        }
        2 => {
            let mut queue = field!(write, Owner, queue).unlock().borrow_mut();
            queue.push_back(new);
            (queue.len() > 7).then(|| queue.pop_front()).flatten()
        }
        3 => field!(write, Owner, map)
            .unlock()
            .borrow_mut()
            .insert(key, new),
        4 => {
            let link = Box::new(Link::Named(key, new));
            let mut tree = field!(write, Owner, tree).unlock().borrow_mut();
            match *tree.insert(key, link)? {
                Link::Named(_, owner) => Some(owner),
                _ => None,
            }
        }
        5 => {
            let cells = field!(write, Owner, cells).as_deref();
            field!(cells, Cells, lock).unlock().replace(Some(new))
        }
        6 => {
            let cells = field!(write, Owner, cells).as_deref();
            let slots = &field!(cells, Cells, slots)[at % 2];
            let mut slots = slots.unlock().borrow_mut();
            let count = slots.len().max(at % 600);
            slots.resize(count + 1, None);
            slots[at % (count + 1)].replace(new)
        }
        _ => {
            _ = field!(write, Owner, once).unlock().set(Box::new([new; 3]));
            None
        }
    }
}

/// Whatever markers and the program do to owned memory at the same time, what can be reached is there.
#[test]
fn what_is_owned_elsewhere_is_marked_while_it_changes() {
    in_each_way(|way| {
        let seed = Seed::or(0);
        let mut random = seed.random();
        let options = way.often();
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            let all = (0..40).map(|number| Owner::new(mc, number)).collect();
            Gc::new(mc, RefLock::new(all))
        })
        .unwrap();
        let mut made = 40;
        for step in 0..way.size(150, 1500) {
            arena.mutate(|mc, root| {
                // What is taken out of one is put into another, or lost.
                let mut held = None;
                for _ in 0..random.below(60) {
                    let roots = root.borrow();
                    let mut owner = roots[random.below(roots.len())];
                    drop(roots);
                    for _ in 0..random.below(6) {
                        let targets = owner.targets();
                        if targets.is_empty() {
                            break;
                        }
                        owner = targets[random.below(targets.len())];
                    }
                    let new = held.take().unwrap_or_else(|| {
                        made += 1;
                        Owner::new(mc, made)
                    });
                    held = exchange(mc, owner, new, &mut random);
                    if random.below(20) == 0 {
                        let mut roots = root.borrow_mut(mc);
                        let at = random.below(roots.len());
                        roots[at] = Owner::new(mc, made);
                    }
                }
            });
            arena.collect_debt();
            if step % 64 == 0 {
                arena.mutate(|_, root| {
                    let mut seen = HashSet::new();
                    let mut pending = root.borrow().clone();
                    while let Some(owner) = pending.pop() {
                        if seen.insert(Gc::as_ptr(owner)) {
                            assert!(owner.life.0.get(), "{} was dropped ({seed})", owner.number);
                            pending.extend(owner.targets());
                        }
                    }
                });
            }
        }
        arena.finish_cycle();
        arena.verify().unwrap();
    });
}

/// Guards to read are out, and some are never given back, while a marker reads what they guard.
#[test]
fn guards_do_not_keep_markers_away() {
    in_each_way(|way| {
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(way.options(), |mc| {
            let all = (0..300).map(|number| Owner::new(mc, number)).collect();
            Gc::new(mc, RefLock::new(all))
        })
        .unwrap();
        arena.mutate(|mc, root| {
            for (number, &owner) in root.borrow().iter().enumerate() {
                let pairs = vec![(1, Owner::new(mc, 1000)); 5];
                *field!(Gc::write(mc, owner), Owner, pairs)
                    .unlock()
                    .borrow_mut() = pairs;
                if number % 3 == 0 {
                    core::mem::forget(owner.pairs.borrow());
                } else if number % 3 == 1 {
                    let write = Gc::write(mc, owner);
                    core::mem::forget(field!(write, Owner, pairs).unlock().borrow_mut());
                }
            }
        });
        for _ in 0..4 {
            begin(&mut arena);
            arena.mutate(|_, root| {
                let owners = root.borrow();
                let guards = owners.iter().flat_map(|owner| owner.links.try_borrow());
                let guards: Vec<_> = guards.collect();
                assert_eq!(guards.len(), owners.len());
                std::thread::yield_now();
            });
            run_out(&mut arena);
        }
        arena.finish_cycle();
        arena.mutate(|_, root| {
            for owner in root.borrow().iter() {
                if let Ok(pairs) = owner.pairs.try_borrow() {
                    assert!(pairs.len() == 5 && pairs.iter().all(|(_, owner)| owner.life.0.get()));
                }
            }
        });
    });
}
