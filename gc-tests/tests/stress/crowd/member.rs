//! One mutator of a crowd.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gc_core::shared::{Arena, AtomicGc, Attached, Mutation, Root as Handle};
use gc_core::{Gc, HeapError, Rootable};
use gc_tests::random::Random;
use parking_lot::Mutex;

use super::graph::{Link, Node, Object, Root};

pub type Heap = Arena<Rootable![Root<'_>]>;
type Stash = Handle<Rootable!['gc => Node<'gc>]>;

/// What the mutators of a crowd have in common, beside the heap.
#[derive(Default)]
pub struct Common {
    /// Handles that anybody may take, with the number of the node.
    pub handles: Mutex<Vec<(Stash, u64)>>,
    /// Values that were made and not dropped.
    pub alive: Arc<AtomicUsize>,
    /// Finalizers that have run, of those that were registered.
    pub finalized: Arc<AtomicUsize>,
    pub registered: AtomicUsize,
    /// Whether one has failed.
    pub failed: AtomicBool,
}

pub struct Member<'a> {
    heap: &'a Heap,
    common: &'a Common,
    number: usize,
    random: Random,
    /// The numbers of the nodes of its own list, the last first.
    own: Vec<u64>,
    handles: Vec<(Stash, u64)>,
    starved: bool,
    registered: usize,
}

/// One in so many operations is a safepoint, and one in so many of those a full collection.
pub struct Habits {
    pub safepoints: usize,
    pub full: usize,
}

/// An object at the end of a random walk.
fn walk<'gc>(mc: &Mutation<'gc>, root: &Root<'gc>, random: &mut Random) -> Option<Object<'gc>> {
    let slot = random.below(root.common.len());
    let start = *mc.write_at(root.common, slot).lock();
    let Link::Strong(mut object) = start else {
        return None;
    };
    object.check();
    for _ in 0..random.below(10) {
        let next = match object.follow(mc, random) {
            Link::Strong(next) => next,
            Link::Weak(weak) => match mc.upgrade(weak) {
                Some(node) => Object::Node(node),
                None => break,
            },
            Link::Nil | Link::Number(_) => break,
        };
        next.check();
        object = next;
    }
    Some(object)
}

impl<'a> Member<'a> {
    pub fn new(heap: &'a Heap, common: &'a Common, number: usize, seed: u64) -> Member<'a> {
        Member {
            heap,
            common,
            number,
            random: Random::new(seed),
            own: Vec::new(),
            handles: Vec::new(),
            starved: false,
            registered: 0,
        }
    }

    /// Does so many things, attached once or several times.
    pub fn run(mut self, operations: u64, habits: &Habits, stop: impl Fn() -> bool) {
        let mut left = operations;
        while left > 0 && !stop() {
            let here = self.heap.attach();
            let some = left.min(1 + self.random.below(2000) as u64);
            for _ in 0..some {
                // Relaxed: it says nothing of other memory.
                if self.common.failed.load(Ordering::Relaxed) || stop() {
                    left = some;
                    break;
                }
                self.step(&here, habits);
            }
            left -= some;
            let registered = core::mem::take(&mut self.registered);
            // Relaxed: a figure by itself.
            self.common
                .registered
                .fetch_add(registered, Ordering::Relaxed);
            if self.random.one_in(4) {
                // The end of the thread detaches it, or the next guard is one more.
                core::mem::forget(here);
            }
        }
    }

    fn step(&mut self, here: &Attached<'_, Rootable![Root<'_>]>, habits: &Habits) {
        if self.random.one_in(habits.safepoints) {
            here.collect_debt();
            if self.random.one_in(habits.full) {
                here.finish_cycle();
            }
            if self.random.one_in(50) {
                here.release_unused();
            }
        }
        let random = &mut self.random;
        match random.below(22) {
            0..4 => {
                let alive = &self.common.alive;
                let done = here.mutate(|mc, root| {
                    let node = walk(mc, root, random).and_then(Object::node);
                    let object = Object::new(mc, random, node, alive)?;
                    let slot = random.below(root.common.len());
                    *mc.write_at(root.common, slot).lock() = Link::Strong(object);
                    Ok(())
                });
                self.note(done);
            }
            4..8 => here.mutate(|mc, root| {
                if let Some(object) = walk(mc, root, random) {
                    let other = match random.below(4) {
                        0 | 1 => None,
                        _ => walk(mc, root, random),
                    };
                    object.set(mc, random, other);
                }
            }),
            8 => here.mutate(|mc, root| {
                let slot = random.below(root.common.len());
                *mc.write_at(root.common, slot).lock() = Link::Nil;
            }),
            9..11 => {
                let done = here.mutate(|mc, root| push(mc, &root.stack, random));
                self.note(done);
            }
            11..13 => here.mutate(|mc, root| pop(mc, &root.stack)),
            13..15 => {
                let id = random.number();
                let own = self.number;
                let done = here.mutate(|mc, root| {
                    let top = &root.own[own];
                    let node = mc.try_allocate(Node::new(id, top.load()))?;
                    top.store(mc, Some(node));
                    Ok(())
                });
                if done.is_ok() {
                    self.own.push(id);
                }
                self.note(done);
            }
            15 => self.look_at_own(here),
            16 => self.handle(here),
            17 => {
                let litter = random.below(200);
                let done = here.mutate(|mc, _| {
                    for number in 0..litter {
                        mc.try_allocate(Node::new(number as u64, None))?;
                        if mc.should_yield() {
                            break;
                        }
                    }
                    mc.try_allocate_str("so much for nothing").map(drop)
                });
                self.note(done);
            }
            18 => {
                let run = &self.common.finalized;
                let done = here.mutate(|mc, root| {
                    let mut under = walk(mc, root, random).and_then(Object::node);
                    for _ in 0..random.below(20) {
                        let node = mc.try_allocate(Node::new(random.number(), under))?;
                        under = Some(node);
                        self.registered += 1;
                        let (run, seed) = (Arc::clone(run), random.number());
                        _ = mc.finalize_with(node, move |node, mc| {
                            // Relaxed: a figure by itself.
                            run.fetch_add(1, Ordering::Relaxed);
                            look_at_dead(mc, node, seed);
                        });
                    }
                    Ok(())
                });
                self.note(done);
            }
            19 => _ = here.run_finalizers(random.below(20)),
            20 => {
                let call = AssertUnwindSafe(|| {
                    here.mutate(|_, _| std::panic::resume_unwind(Box::new(())))
                });
                catch_unwind::<_, ()>(call).expect_err("a panic in a call comes back");
            }
            _ => here.mutate(|mc, root| {
                // A call in another, with a guard of its own.
                let also = self.heap.attach();
                also.mutate(|mc, root| _ = walk(mc, root, random));
                walk(mc, root, random);
            }),
        }
        if core::mem::take(&mut self.starved) {
            here.finish_cycle();
        }
    }

    fn note(&mut self, done: Result<(), HeapError>) {
        self.starved |= done.is_err();
    }

    /// The list that only this member changes is as it made it, and loses some.
    fn look_at_own(&mut self, here: &Attached<'_, Rootable![Root<'_>]>) {
        let (own, number, random) = (&mut self.own, self.number, &mut self.random);
        here.mutate(|mc, root| {
            let top = &root.own[number];
            let mut next = top.load();
            for &id in own.iter().rev() {
                let node = next.expect("a list is as long as it was made");
                assert_eq!(node.id(), id, "a node of a list is another");
                next = node.under;
            }
            assert!(next.is_none(), "a list is longer than it was made");
            let lost = match random.below(4) {
                0 => own.len(),
                _ if own.is_empty() => 0,
                _ => random.below(own.len()),
            };
            for _ in 0..lost {
                let node = top.load().expect("it was counted");
                top.store(mc, node.under);
                own.pop();
            }
        });
    }

    /// Makes, takes, gives, follows or drops handles.
    fn handle(&mut self, here: &Attached<'_, Rootable![Root<'_>]>) {
        let random = &mut self.random;
        match random.below(5) {
            0 => {
                let made = here.mutate(|mc, root| {
                    let node = walk(mc, root, random).and_then(Object::node)?;
                    Some((mc.root(node), node.id()))
                });
                self.handles.extend(made);
            }
            1 => self.common.handles.lock().extend(self.handles.pop()),
            2 => {
                let taken = self.common.handles.lock().pop();
                self.handles.extend(taken);
            }
            3 if !self.handles.is_empty() => {
                let again = random.pick(&self.handles).clone();
                self.handles.push(again);
                self.handles.swap_remove(random.below(self.handles.len()));
            }
            _ => here.mutate(|mc, root| {
                for (handle, id) in &self.handles {
                    let node = mc.get(handle);
                    assert_eq!(node.id(), *id, "a handle leads to another node");
                    let slot = random.below(root.common.len());
                    *mc.write_at(root.common, slot).lock() = Link::Strong(Object::Node(node));
                }
                if self.handles.len() > 20 {
                    self.handles.clear();
                }
            }),
        }
    }
}

/// A node that was found dead is whole, and so is what it leads to; which may be changed.
fn look_at_dead<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>, seed: u64) {
    let mut random = Random::new(seed);
    let mut object = Object::Node(node);
    for _ in 0..random.below(6) {
        object.check();
        let Link::Strong(next) = object.follow(mc, &mut random) else {
            break;
        };
        if random.one_in(3) {
            next.set(mc, &mut random, Some(Object::Node(node)));
        }
        object = next;
    }
    _ = mc.try_allocate(Node::new(seed, Some(node)));
}

fn push<'gc>(
    mc: &Mutation<'gc>,
    stack: &AtomicGc<'gc, Node<'gc>>,
    random: &mut Random,
) -> Result<(), HeapError> {
    let mut under = stack.load();
    loop {
        let node = mc.try_allocate(Node::new(random.number(), under))?;
        match stack.compare_exchange(mc, under, Some(node)) {
            Ok(_) => return Ok(()),
            Err(found) => under = found,
        }
    }
}

/// Takes a node off a stack. Nothing is freed in a call, so no address is used again.
fn pop<'gc>(mc: &Mutation<'gc>, stack: &AtomicGc<'gc, Node<'gc>>) {
    let mut top = stack.load();
    while let Some(node) = top {
        Gc::as_ref(node).id();
        match stack.compare_exchange(mc, top, node.under) {
            Ok(_) => return,
            Err(found) => top = found,
        }
    }
}
