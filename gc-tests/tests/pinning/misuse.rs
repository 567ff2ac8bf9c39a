//! What is done wrong with pins: it is refused, listed, or harmless.

use std::cell::RefCell;

use gc_core::{Arena, Gc, Mutation, Pinned, Rootable};

use crate::{Guard, Node, empty, in_each_way, left, litter, panic_of};

#[test]
fn a_pin_of_another_arena_is_refused() {
    in_each_way(|way| {
        let (mut one, mut other) = (empty(way.options()), empty(way.options()));
        let guard: Guard = one.mutate(|mc, _| Gc::pin(mc, Node::list(mc, 3)));
        let error = other.mutate(|mc, _| guard.try_get(mc).map(|_| ()).unwrap_err().to_string());
        assert!(error.contains("another arena"), "{error}");
        let text = panic_of(|| other.mutate(|mc, _| guard.get(mc).value));
        assert_eq!(text, Some(error));
        left(&mut other, 0);
        left(&mut one, 3);
        // A new arena is not taken for one that is gone.
        drop(one);
        for _ in 0..10 {
            empty(way.options()).mutate(|mc, _| assert!(guard.try_get(mc).is_err()));
        }
    });
}

#[test]
fn raw_pins_are_not_taken_back_more_often_than_made() {
    in_each_way(|way| {
        let (mut heap, other) = (empty(way.options()), empty(way.options()));
        let (address, guards) = heap.mutate(|mc, _| {
            let node = Node::list(mc, 1);
            let guards: [Guard; 2] = [Gc::pin(mc, node), Gc::pin(mc, node)];
            Gc::pin_raw(mc, Node::list(mc, 1));
            (Gc::pin_raw(mc, node).cast::<()>(), guards)
        });
        // SAFETY: nobody relies on a pin that is not there.
        let unpin = |mc: &Mutation<'_>, address| unsafe { Gc::<()>::unpin_raw(mc, address) };
        let error = other.mutate(|mc, _| unpin(mc, address).unwrap_err());
        assert_eq!((error.guards, error.objects), (0, 0));
        heap.mutate(|mc, _| {
            unpin(mc, address).unwrap();
            let error = unpin(mc, address).unwrap_err();
            let found = (error.address, error.guards, error.objects);
            assert_eq!(found, (address.addr(), 2, 2));
            let text = error.to_string();
            let figures = [
                &format!("{:#x}", address.addr())[..],
                "2 guards",
                "2 objects",
            ];
            assert!(figures.iter().all(|part| text.contains(part)), "{text}");
            for nonsense in [0, 1, address.addr() + 8, usize::MAX] {
                let error = unpin(mc, std::ptr::without_provenance(nonsense)).unwrap_err();
                assert_eq!((error.address, error.guards), (nonsense, 0));
            }
            assert!(Gc::is_pinned(mc, guards[0].get(mc)));
        });
        left(&mut heap, 2);
    });
}

#[test]
fn a_guard_outlives_its_arena() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let pin =
            |heap: &crate::Empty| -> Guard { heap.mutate(|mc, _| Gc::pin(mc, Node::list(mc, 5))) };
        let guards: Vec<Guard> = (0..100).map(|_| pin(&heap)).collect();
        crate::begin(&mut heap);
        drop(heap);
        // The memory is another heap's now, in which nothing is pinned.
        let mut heap = empty(way.options());
        let mut others: Vec<Guard> = (0..100).map(|_| pin(&heap)).collect();
        heap.mutate(|mc, _| {
            for _ in 0..2000 {
                assert!(!Gc::is_pinned(mc, Node::new(mc, 1, None)));
            }
        });
        let again = guards[0].clone();
        drop(guards);
        drop(again);
        heap.mutate(|mc, _| {
            others
                .iter()
                .for_each(|guard| assert!(Gc::is_pinned(mc, guard.get(mc))))
        });
        left(&mut heap, 500);
        others.clear();
        left(&mut heap, 0);
    });
}

/// With a heap in an address space of its own, not even the planes are there any more.
#[test]
fn a_guard_outlives_its_address_space() {
    in_each_way(|way| {
        let heap = empty(way.options().reserve(64 << 20));
        let guard: Guard = heap.mutate(|mc, _| Gc::pin(mc, Node::list(mc, 5)));
        let raw = heap.mutate(|mc, _| Gc::pin_raw(mc, Node::list(mc, 5)).addr());
        assert_eq!(
            heap.pinned()
                .iter()
                .filter(|pinned| pinned.address == raw)
                .count(),
            1
        );
        drop(heap);
        let again = guard.clone();
        assert!(format!("{again:?}").starts_with("Pinned(0x"));
        drop(guard);
    });
}

/// A leaked guard keeps its object, and is found in the list.
#[test]
fn leaked_pins_are_listed() {
    in_each_way(|way| {
        let mut heap = empty(way.options());
        let line = heap.mutate(|mc, _| {
            let node = Node::list(mc, 3);
            std::mem::forget(Gc::pin::<Rootable!['gc => Node<'gc>]>(mc, node));
            let line = line!() - 1;
            let guard: Guard = Gc::pin(mc, node);
            std::mem::forget(guard.clone());
            drop(guard);
            Gc::pin_raw(mc, node);
            line
        });
        left(&mut heap, 3);
        heap.mutate(|mc, _| litter(mc, 10));
        let [leaked] = &heap.pinned()[..] else {
            panic!("one object is pinned")
        };
        assert_eq!(leaked.pins, 3);
        let text = leaked.to_string();
        assert!(text.contains("pinned 3 times"), "{text}");
        let places = leaked
            .places
            .iter()
            .map(|place| (place.file(), place.line()));
        if cfg!(debug_assertions) {
            let mut lines: Vec<u32> = places
                .map(|(file, line)| {
                    assert!(text.contains(&format!("{file}:{line}")), "{text}");
                    assert_eq!(file, file!());
                    line
                })
                .collect();
            lines.sort_unstable();
            // What was dropped is not in the list.
            assert_eq!(lines, [line, line + 3, line + 5]);
        } else {
            assert_eq!(places.count(), 0);
        }
    });
}

/// A guard in the object that it pins is a leak, which ends with the arena.
#[test]
fn an_object_may_have_its_own_guard() {
    struct Own(RefCell<Option<Pinned<Rootable![Own]>>>);
    gc_core::static_collect!(Own);
    in_each_way(|way| {
        let mut heap = empty(way.options());
        heap.mutate(|mc, _| {
            let own = Gc::new(mc, Own(RefCell::new(None)));
            *own.0.borrow_mut() = Some(Gc::pin(mc, own));
        });
        left(&mut heap, 1);
        assert_eq!(heap.pinned().len(), 1);
        drop(heap);
    });
}

/// A value that replaces its guards by clones while the collector asks it, which it does while it reads the
/// table of pins, for one.
#[test]
fn guards_change_while_the_collector_asks() {
    use gc_core::Collect;
    use gc_core::collect::Trace;
    struct Restless(RefCell<Vec<Guard>>);
    // SAFETY: it has no pointers that the collector must know.
    unsafe impl<'gc> Collect<'gc> for Restless {
        fn trace<C: Trace<'gc>>(&self, _: &mut C) {
            let mut guards = self.0.borrow_mut();
            // All are pinned as before, if by other guards, the first of them twice for a moment.
            for _ in 0..guards.len() / 2 {
                let first = guards.swap_remove(0);
                guards.push(first.clone());
            }
        }
    }
    in_each_way(|way| {
        let mut heap = Arena::<Rootable![Gc<'_, Restless>]>::with_options(way.options(), |mc| {
            let pin = |_| Gc::pin(mc, Node::list(mc, 2));
            Gc::new(mc, Restless(RefCell::new((0..200).map(pin).collect())))
        })
        .unwrap();
        for _ in 0..100 {
            heap.finish_cycle();
            heap.mutate(|mc, restless| {
                litter(mc, 10);
                for guard in &*restless.0.borrow() {
                    assert_eq!(guard.get(mc).check(), 2);
                }
            });
        }
        let guards = heap.mutate(|_, restless| restless.0.take());
        assert_eq!(guards.len(), 200);
        assert_eq!(heap.metrics().statistics().pins, 200);
        drop(guards);
        left(&mut heap, 1);
    });
}
