//! Bad input: what a heap does when memory is out, when code of the user's panics, and when what it
//! is given is wrong.
//!
//! In each case there is an error or a panic that says what happened, and afterwards the heap is as
//! good as before.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::iter::repeat_n;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::rc::Rc;

use gc_core::arena::{CollectionPhase, rootless_mutate};
use gc_core::barrier::Write;
use gc_core::collect::Trace;
use gc_core::{
    Arena, Collect, DynamicRoot, DynamicRootSet, Gc, GcWeak, HeapError, HeapOptions, Lock, Mutation,
    RefLock, Rootable, Zeal,
};

const KIB: usize = 1 << 10;

/// All checks, and no collection that was not asked for.
fn checked() -> HeapOptions {
    HeapOptions::default().zeal(Zeal { collect: false, ..Zeal::ALL })
}

/// The text with which `f` panics.
fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("no panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().expect("a panic without a text").to_string(),
    }
}

/// A value that counts its drops.
#[derive(Clone, Collect)]
#[collect(require_static)]
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

mod memory {
    use super::*;

    #[test]
    fn a_limit_is_met_by_collections_at_safepoints() {
        let options = checked().limit(256 * KIB);
        let mut arena =
            Arena::<Rootable![Gc<'_, u64>]>::with_options(options, |mc| Gc::new(mc, 7)).unwrap();
        for i in 0..4000 {
            arena.mutate(|mc, _| _ = Gc::new_slice(mc, repeat_n(i, 64)));
            arena.collect_debt();
        }
        let statistics = arena.metrics().statistics();
        assert!(statistics.collections >= 4000 * 512 / (256 * KIB as u64), "{statistics:?}");
        assert!(statistics.peak_heap_bytes <= 256 * KIB, "{statistics:?}");
        assert_eq!(arena.mutate(|_, root| **root), 7);
    }

    #[test]
    fn inside_mutate_try_calls_return_an_error_with_the_figures() {
        let options = checked().limit(256 * KIB);
        let mut arena =
            Arena::<Rootable![Vec<Gc<'_, [u64; 128]>>]>::with_options(options, |_| Vec::new()).unwrap();
        for _ in 0..3 {
            let error = arena.mutate_root(|mc, root| {
                loop {
                    match Gc::try_new(mc, [root.len() as u64; 128]) {
                        Ok(gc) => root.push(gc),
                        Err(error) => return error,
                    }
                }
            });
            assert_eq!(
                error,
                HeapError::LimitReached { requested: 32 * KIB, limit: 256 * KIB, in_use: 256 * KIB }
            );
            let text = error.to_string();
            assert!(text.contains("32 KiB more") && text.contains("limit of 256 KiB"), "{text}");
            assert!(text.contains("raise `HeapOptions::limit`"), "{text}");
            let _: &dyn Error = &error;

            let metrics = arena.metrics().clone();
            let objects = metrics.total_gc_count();
            arena.mutate(|mc, root| {
                // The other calls say the same, for what they ask for.
                assert!(Gc::try_new_slice(mc, repeat_n(0_u64, 128)).is_err());
                let text = "x".repeat(100 * KIB);
                let error = Gc::try_new_str(mc, &text).unwrap_err();
                assert!(matches!(error, HeapError::LimitReached { requested, .. } if requested >= 100 * KIB));
                assert_eq!(panic_of(|| Gc::new_str(mc, &text)), error.to_string());
                let error = Gc::try_new_slice(mc, repeat_n(0_u64, 5000)).unwrap_err();
                assert_eq!(panic_of(|| Gc::new_slice(mc, repeat_n(0_u64, 5000))), error.to_string());
                let error = Gc::try_new(mc, [0_u64; 128]).unwrap_err();
                assert_eq!(panic_of(|| Gc::new(mc, [0_u64; 128])), error.to_string());
                // What was there is there.
                assert!((0..).zip(root).all(|(i, gc)| **gc == [i; 128]));
            });
            assert_eq!(metrics.total_gc_count(), objects);
            assert!(metrics.allocation_debt() > 0.0);

            // Collecting makes room for as much again.
            arena.mutate_root(|_, root| root.truncate(10));
            arena.collect_debt();
            assert_eq!(arena.metrics().total_gc_count(), 10);
        }
    }

    #[test]
    fn a_value_that_finds_no_room_is_dropped() {
        let drops = Rc::new(Cell::new(0));
        let options = checked().limit(64 * KIB);
        let arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
        arena.mutate(|mc, _| {
            let mut made = 0;
            while Gc::try_new(mc, (Counted(drops.clone()), [0_u64; 100])).is_ok() {
                made += 1;
            }
            assert!(made > 0 && drops.get() == 1);
            // No item is asked for when there is no room for all.
            let items = repeat_n((), 10_000).map(|()| Counted(drops.clone()));
            assert!(Gc::try_new_slice(mc, items).is_err());
            assert_eq!(drops.get(), 1);
        });
    }

    #[test]
    fn a_tebibyte_is_an_error() {
        let never = |_: ()| -> u8 { panic!("an item was asked for") };
        let mut arena = Arena::<Rootable![Gc<'_, u8>]>::with_options(checked(), |mc| Gc::new(mc, 5)).unwrap();
        arena.mutate(|mc, _| {
            let error = Gc::try_new_slice(mc, repeat_n((), 1 << 40).map(never)).unwrap_err();
            assert!(matches!(error, HeapError::AddressSpaceExhausted { requested, .. } if requested == 1 << 40));
            assert!(error.to_string().contains("no 1 TiB in a row"), "{error}");
            let plain = panic_of(|| Gc::new_slice(mc, repeat_n((), 1 << 40).map(never)));
            assert_eq!(plain, error.to_string());
        });
        arena.finish_cycle();
        assert_eq!(arena.mutate(|_, root| **root), 5);

        let limited = Arena::<Rootable![()]>::with_options(checked().limit(1 << 30), |_| ()).unwrap();
        limited.mutate(|mc, _| {
            let error = Gc::try_new_slice(mc, repeat_n((), 1 << 40).map(never)).unwrap_err();
            assert_eq!(
                error,
                HeapError::LimitReached { requested: 1 << 40, limit: 1 << 30, in_use: 0 }
            );
        });
    }

    #[test]
    fn a_size_overflow_is_an_error() {
        let never = |_: ()| -> [u64; 3] { panic!("an item was asked for") };
        rootless_mutate(|mc| {
            for count in [usize::MAX, usize::MAX / 8, usize::MAX / 24, isize::MAX as usize / 24] {
                let items = || repeat_n((), count).map(never);
                let error = Gc::try_new_slice(mc, items()).unwrap_err();
                assert_eq!(error.to_string(), panic_of(|| Gc::new_slice(mc, items())));
                if count > isize::MAX as usize / 24 {
                    assert_eq!(error, HeapError::SizeOverflow { count, size: 24 });
                    assert!(error.to_string().contains(&count.to_string()), "{error}");
                }
            }
            for count in [usize::MAX, usize::MAX - 7, usize::MAX - 15, 1 << 63, (1 << 63) - 1] {
                assert!(Gc::try_new_slice(mc, repeat_n(0_u8, count)).is_err());
                let items = repeat_n((), count).map(|()| -> Counted { panic!("an item was asked for") });
                assert!(Gc::try_new_slice(mc, items).is_err());
            }
            assert_eq!(*Gc::new(mc, 3), 3);
        });
    }

    #[test]
    fn a_full_address_space_is_an_error_and_a_collection_makes_room() {
        let options = checked().reserve(4 << 20);
        let mut arena = Arena::<Rootable![()]>::with_options(options, |_| ()).unwrap();
        for _ in 0..3 {
            arena.mutate(|mc, _| {
                let count = (0..).take_while(|_| Gc::try_new(mc, [0_u64; 64]).is_ok()).count();
                assert_eq!(count, (4 << 20) / 512);
                let error = Gc::try_new(mc, [0_u64; 64]).unwrap_err();
                assert_eq!(
                    error,
                    HeapError::AddressSpaceExhausted { requested: 32 * KIB, reserved: 4 << 20 }
                );
                assert!(error.to_string().contains("`HeapOptions::reserve`"), "{error}");
            });
            arena.collect_debt();
            assert_eq!(arena.metrics().total_gc_count(), 0);
            arena.mutate(|mc, _| assert!(Gc::try_new_slice(mc, repeat_n(1_u8, 4 << 20)).is_ok()));
            arena.finish_cycle();
        }
    }

    #[test]
    fn options_that_mean_nothing_are_errors() {
        let error = |options| {
            Arena::<Rootable![()]>::with_options(options, |_| ()).err().expect("an error").to_string()
        };
        let defaults = HeapOptions::default();
        for bytes in [0, (1 << 46) + 1, 1 << 47, usize::MAX] {
            let text = error(defaults.reserve(bytes));
            let named = format!("`HeapOptions::reserve` is {bytes}");
            assert!(text.contains(&named), "{text}");
        }
        for bytes in [0, 1, 32 * KIB - 1] {
            let text = error(defaults.limit(bytes));
            let named = format!("`HeapOptions::limit` is {bytes}");
            assert!(text.contains(&named), "{text}");
        }
        // Strange, but not without meaning.
        let strange = checked().growth(u32::MAX).floor(usize::MAX).reserve(1).limit(32 * KIB);
        let mut arena = Arena::<Rootable![Gc<'_, u8>]>::with_options(strange, |mc| Gc::new(mc, 1)).unwrap();
        arena.finish_cycle();
        arena.collect_debt();
    }

    /// Runs in a process of its own, which may not have much address space.
    #[cfg(unix)]
    #[test]
    fn a_refused_reservation_names_its_size_and_the_option() {
        const CHILD: &str = "GC_TESTS_LITTLE_ADDRESS_SPACE";
        if std::env::var_os(CHILD).is_some() {
            let options = HeapOptions::default().reserve(1 << 40);
            let error = Arena::<Rootable![()]>::with_options(options, |_| ()).err().expect("an error");
            assert!(matches!(error, HeapError::ReserveRefused { requested, .. } if requested == 1 << 40));
            let text = error.to_string();
            assert!(text.contains("cannot reserve 1 TiB") && text.contains("`HeapOptions::reserve`"), "{text}");
            // The shared space takes what it gets.
            let mut arena = Arena::<Rootable![Gc<'_, u8>]>::new(|mc| Gc::new(mc, 1));
            arena.finish_cycle();
            arena.verify().unwrap();
            return;
        }
        let test = "memory::a_refused_reservation_names_its_size_and_the_option";
        let child = Command::new("sh")
            .args(["-c", "ulimit -v 8000000 && exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
        assert!(child.status.success() && out.contains("1 passed"), "{out}\n{err}");
    }
}

mod panics {
    use super::*;

    #[test]
    fn a_panic_inside_mutate_leaves_the_arena_usable() {
        let mut arena =
            Arena::<Rootable![Gc<'_, RefLock<Vec<Gc<'_, u32>>>>]>::with_options(checked(), |mc| {
                Gc::new(mc, RefLock::default())
            })
            .unwrap();
        for round in 0..5 {
            let text = panic_of(|| {
                arena.mutate(|mc, root| {
                    root.borrow_mut(mc).push(Gc::new(mc, round));
                    let _garbage = Gc::new(mc, round);
                    let _guard = root.borrow_mut(mc);
                    panic!("round {round}");
                })
            });
            assert_eq!(text, format!("round {round}"));
            let text = panic_of(|| {
                arena.mutate_root(|mc, root| -> () {
                    root.borrow_mut(mc).push(Gc::new(mc, round));
                    panic!("round {round}");
                })
            });
            assert_eq!(text, format!("round {round}"));
            arena.finish_cycle();
            arena.mutate(|_, root| {
                assert_eq!(root.borrow().len(), 2 * round as usize + 2);
                assert!((0..).zip(&*root.borrow()).all(|(i, gc)| **gc == i / 2));
            });
            assert_eq!(arena.metrics().total_gc_count(), 2 * round as usize + 3);
        }
    }

    #[test]
    fn a_panic_while_the_root_is_made_drops_what_was_made() {
        let drops = Rc::new(Cell::new(0));
        let text = panic_of(|| {
            Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| {
                Gc::new(mc, Counted(drops.clone()));
                panic!("no root")
            })
        });
        assert_eq!((text.as_str(), drops.get()), ("no root", 1));
        let failed = Arena::<Rootable![Gc<'_, Counted>]>::try_new(|mc| {
            Gc::new(mc, Counted(drops.clone()));
            Err("no root")
        });
        assert_eq!((failed.err(), drops.get()), (Some("no root"), 2));

        let arena = Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| Gc::new(mc, Counted(drops.clone())));
        panic_of(|| arena.map_root::<Rootable![()]>(|_, _| panic!("no other root")));
        assert_eq!(drops.get(), 3);
        let arena = Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| Gc::new(mc, Counted(drops.clone())));
        assert!(arena.try_map_root::<Rootable![()], _>(|_, _| Err(())).is_err());
        assert_eq!(drops.get(), 4);
    }

    /// A value whose `trace` panics on demand.
    struct Bomb<'gc> {
        armed: Rc<Cell<bool>>,
        behind: Gc<'gc, u64>,
    }

    // SAFETY: the one pointer is visited in place, unless `trace` does not return.
    unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
        fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
            assert!(!self.armed.get(), "bang");
            cc.trace(&self.behind);
        }
    }

    impl<'gc> Bomb<'gc> {
        fn new(mc: &Mutation<'gc>, armed: &Rc<Cell<bool>>) -> Gc<'gc, Bomb<'gc>> {
            Gc::new(mc, Bomb { armed: armed.clone(), behind: Gc::new(mc, 77) })
        }
    }

    #[derive(Collect)]
    #[collect(no_drop)]
    struct Node<'gc> {
        id: u64,
        next: Option<Gc<'gc, Node<'gc>>>,
        bomb: Option<Gc<'gc, Bomb<'gc>>>,
    }

    /// Makes an array of nodes, each with one behind it and the last of some with a bomb, and
    /// returns how many objects that are.
    fn an_array_with_bombs(bombs: &[usize], bomb_first: bool) {
        const NODES: usize = 20_000;
        type Array<'gc> = Gc<'gc, [Gc<'gc, Node<'gc>>]>;
        #[derive(Collect)]
        #[collect(no_drop)]
        struct Roots<'gc> {
            bomb: Option<Gc<'gc, Bomb<'gc>>>,
            array: Array<'gc>,
            late_bomb: Option<Gc<'gc, Bomb<'gc>>>,
            weak: GcWeak<'gc, u64>,
        }
        let armed = Rc::new(Cell::new(false));
        
        let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |mc| {
            let array = Gc::new_slice(
                mc,
                (0..NODES).map(|i| {
                    let bomb = bombs.contains(&i).then(|| Bomb::new(mc, &armed));
                    let last = Gc::new(mc, Node { id: i as u64, next: None, bomb });
                    let _garbage = Gc::new(mc, 8_u64);
                    Gc::new(mc, Node { id: i as u64, next: Some(last), bomb: None })
                }),
            );
            let bomb = Some(Bomb::new(mc, &armed));
            let weak = Gc::downgrade(Gc::new(mc, 9));
            match bomb_first {
                true => Roots { bomb, array, late_bomb: None, weak },
                false => Roots { bomb: None, array, late_bomb: bomb, weak },
            }
        })
        .unwrap();
        let live = 1 + 2 * NODES + 2 * (bombs.len() + 1);
        let all = arena.allocations();
        assert_eq!(all.len(), live + NODES + 1);

        for _ in 0..3 {
            armed.set(true);
            assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
            armed.set(false);
            assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
            // Nothing was freed, not even garbage.
            assert_eq!(arena.allocations(), all);
            arena.verify().unwrap();
            arena.mutate(|mc, root| {
                assert!(root.weak.upgrade(mc).is_some());
                for (i, node) in (0..).zip(root.array.iter()) {
                    assert_eq!((node.id, node.next.unwrap().id), (i, i));
                }
            });
        }
        assert_eq!(arena.metrics().statistics().collections, 0);
        arena.finish_cycle();
        // The live objects and a shell.
        assert_eq!(arena.metrics().total_gc_count(), live + 1);
        arena.mutate(|mc, root| {
            assert!(root.weak.upgrade(mc).is_none());
            for (i, node) in (0..).zip(root.array.iter()) {
                assert_eq!((node.id, node.next.unwrap().id), (i, i));
                assert!(node.next.unwrap().bomb.is_none_or(|bomb| *bomb.behind == 77));
            }
        });
    }

    #[test]
    fn after_a_panic_inside_trace_nothing_is_freed() {
        an_array_with_bombs(&[], true);
        an_array_with_bombs(&[], false);
        an_array_with_bombs(&[0], false);
        an_array_with_bombs(&[9_999, 10_001], true);
        an_array_with_bombs(&[19_999], false);
    }

    #[test]
    fn a_panic_inside_the_trace_of_the_root_frees_nothing() {
        struct Root<'gc> {
            armed: Rc<Cell<bool>>,
            first: Gc<'gc, u64>,
            second: Gc<'gc, u64>,
        }
        // SAFETY: both pointers are visited in place, unless `trace` does not return.
        unsafe impl<'gc> Collect<'gc> for Root<'gc> {
            fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
                cc.trace(&self.first);
                assert!(!self.armed.get(), "bang");
                cc.trace(&self.second);
            }
        }
        let armed = Rc::new(Cell::new(true));
        let mut arena = Arena::<Rootable![Root<'_>]>::with_options(checked(), |mc| Root {
            armed: armed.clone(),
            first: Gc::new(mc, 1),
            second: Gc::new(mc, 2),
        })
        .unwrap();
        assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
        assert_eq!(panic_of(|| arena.finish_cycle()), "bang");
        armed.set(false);
        arena.finish_cycle();
        assert_eq!(arena.mutate(|_, root| (*root.first, *root.second)), (1, 2));
        assert_eq!(arena.metrics().total_gc_count(), 2);
    }

    /// A value that notes its drop, and then panics if it is told to.
    #[derive(Collect)]
    #[collect(require_static)]
    struct Fragile {
        id: usize,
        panics: bool,
        dropped: Rc<RefCell<Vec<usize>>>,
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            self.dropped.borrow_mut().push(self.id);
            assert!(!self.panics, "value {} is fragile", self.id);
        }
    }

    #[test]
    fn a_panic_inside_drop_does_not_keep_others_from_being_dropped() {
        type Roots<'gc> = Vec<(Gc<'gc, Fragile>, GcWeak<'gc, Fragile>)>;
        let dropped = Rc::new(RefCell::new(Vec::new()));
        let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |_| Vec::new()).unwrap();
        arena.mutate_root(|mc, root| {
            for id in 0..5000 {
                let panics = id % 1000 == 500;
                let gc = Gc::new(mc, Fragile { id, panics, dropped: dropped.clone() });
                if id % 5 == 1 {
                    root.push((gc, Gc::downgrade(gc)));
                }
            }
        });
        let text = panic_of(|| arena.finish_cycle());
        assert!(text.contains("is fragile"), "{text}");
        let take = || {
            let mut ids = dropped.take();
            ids.sort_unstable();
            ids
        };
        assert!(take().into_iter().eq((0..5000).filter(|id| id % 5 != 1)));
        assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
        assert_eq!(arena.metrics().statistics().collections, 1);
        assert_eq!(arena.metrics().total_gc_count(), 1000);
        arena.verify().unwrap();
        arena.finish_cycle();
        assert!(dropped.borrow().is_empty());
        arena.mutate(|_, root| assert!(root.iter().all(|(gc, _)| gc.id % 5 == 1)));

        // Also where a weak pointer keeps a shell.
        arena.mutate_root(|mc, root| {
            for id in 5000..5003 {
                let gc = Gc::new(mc, Fragile { id, panics: true, dropped: dropped.clone() });
                root[id - 5000].1 = Gc::downgrade(gc);
            }
        });
        let text = panic_of(|| arena.finish_cycle());
        assert!(text.contains("is fragile"), "{text}");
        assert_eq!(take(), [5000, 5001, 5002]);
        assert_eq!(arena.metrics().total_gc_count(), 1003);
        arena.finish_cycle();
        arena.mutate(|mc, root| assert!(root[..3].iter().all(|(_, weak)| weak.upgrade(mc).is_none())));

        // And when the arena ends.
        arena.mutate_root(|mc, _| {
            for id in 6000..6010 {
                Gc::new(mc, Fragile { id, panics: id == 6004, dropped: dropped.clone() });
            }
        });
        assert_eq!(panic_of(|| drop(arena)), "value 6004 is fragile");
        let last = (0..5000).filter(|id| id % 5 == 1).chain(6000..6010);
        assert!(take().into_iter().eq(last));
    }

    #[test]
    fn an_arena_that_ends_while_unwinding_drops_its_values() {
        let dropped = Rc::new(RefCell::new(Vec::new()));
        let text = panic_of(|| {
            let arena = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
            arena.mutate(|mc, _| {
                for id in 0..3 {
                    Gc::new(mc, Fragile { id, panics: id == 1, dropped: dropped.clone() });
                }
            });
            panic!("the first panic");
        });
        assert_eq!(text, "the first panic");
        assert_eq!(dropped.borrow().len(), 3);
    }

    /// An iterator that says one length and has another, or panics.
    struct Items<F>(usize, usize, F);

    impl<T, F: FnMut(usize) -> Option<T>> Iterator for Items<F> {
        type Item = T;

        fn next(&mut self) -> Option<T> {
            self.0 += 1;
            (self.2)(self.0 - 1)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.1 - self.0, Some(self.1 - self.0))
        }
    }

    impl<T, F: FnMut(usize) -> Option<T>> ExactSizeIterator for Items<F> {}

    #[test]
    fn a_panic_while_a_slice_is_made_drops_the_items() {
        type Roots<'gc> = Vec<Gc<'gc, u64>>;
        let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |_| Vec::new()).unwrap();
        let drops = Rc::new(Cell::new(0));
        for (length, at) in [(10, 0), (10, 5), (3000, 2999), (100_000, 50_000)] {
            drops.set(0);
            let text = panic_of(|| {
                arena.mutate_root(|mc, root| {
                    Gc::new_slice(
                        mc,
                        Items(0, length, |i| {
                            root.push(Gc::new(mc, i as u64));
                            assert!(i < at, "no item {i}");
                            Some((Counted(drops.clone()), root[i]))
                        }),
                    );
                })
            });
            assert_eq!((text, drops.get()), (format!("no item {at}"), at));
            // It ends early.
            let text = panic_of(|| {
                arena.mutate(|mc, _| {
                    Gc::new_slice(mc, Items(0, length, |i| (i < at).then(|| Counted(drops.clone()))));
                })
            });
            assert!(text.contains(&length.to_string()) && text.contains(&at.to_string()), "{text}");
            assert_eq!(drops.get(), 2 * at);
            arena.verify().unwrap();
            arena.finish_cycle();
            assert_eq!(drops.get(), 2 * at, "an item was dropped twice");
            arena.mutate_root(|_, root| {
                assert!((0..).zip(&*root).all(|(i, gc)| **gc == i));
                root.clear();
            });
            assert_eq!(arena.metrics().total_gc_count(), at + 1);
            arena.finish_cycle();
            assert_eq!(arena.metrics().total_gc_count(), 0);
        }
    }

    #[test]
    fn an_iterator_that_goes_on_is_cut_off() {
        let drops = Rc::new(Cell::new(0));
        let mut arena = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
        arena.mutate(|mc, _| {
            let slice = Gc::new_slice(mc, Items(0, 5, |_| Some(Counted(drops.clone()))));
            assert_eq!(slice.len(), 5);
        });
        arena.finish_cycle();
        assert_eq!(drops.get(), 5);
    }
}

mod misuse {
    use super::*;

    type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;

    #[test]
    fn a_leaked_guard_frees_nothing() {
        #[derive(Collect)]
        #[collect(no_drop)]
        struct Roots<'gc> {
            numbers: Numbers<'gc>,
            one: Gc<'gc, RefLock<Option<Gc<'gc, u64>>>>,
            many: Gc<'gc, [RefLock<(u8, Vec<Gc<'gc, u64>>)>]>,
        }
        let mut arena = Arena::<Rootable![Roots<'_>]>::with_options(checked(), |mc| Roots {
            numbers: Gc::new(mc, RefLock::default()),
            one: Gc::new(mc, RefLock::new(None)),
            many: Gc::new_slice(mc, (0..3).map(|i| RefLock::new((i, Vec::new())))),
        })
        .unwrap();
        arena.mutate(|mc, root| {
            let mut numbers = root.numbers.borrow_mut(mc);
            numbers.push(Gc::new(mc, 1));
            std::mem::forget(numbers);
            let mut one = root.one.borrow_mut(mc);
            *one = Some(Gc::new(mc, 2));
            std::mem::forget(one);
            let mut last = Gc::write(mc, root.many)[2].unlock().borrow_mut();
            last.1.push(Gc::new(mc, 3));
            std::mem::forget(last);
        });
        for _ in 0..2 {
            arena.finish_cycle();
            arena.verify().unwrap();
            assert_eq!(arena.metrics().total_gc_count(), 6);
        }
        arena.mutate(|_, root| {
            assert!(root.numbers.try_borrow().is_err());
            // SAFETY: the guards are gone, if not dropped, and nobody else borrows.
            unsafe {
                assert_eq!(**(&*root.numbers.as_ptr()).first().unwrap(), 1);
                assert_eq!(*(*root.one.as_ptr()).unwrap(), 2);
                assert_eq!(*(&*root.many[2].as_ptr()).1[0], 3);
            }
        });
    }

    /// Outside of the heap the collector cannot know whether the guard is in use.
    #[test]
    fn a_leaked_guard_outside_of_the_heap_is_a_panic_that_frees_nothing() {
        type Lock<'gc> = RefLock<Vec<Gc<'gc, u64>>>;
        let mut arena =
            Arena::<Rootable![Lock<'_>]>::with_options(checked(), |_| RefLock::default()).unwrap();
        arena.mutate_root(|mc, root| {
            let mut numbers = Write::from_mut(root).unlock().borrow_mut();
            numbers.push(Gc::new(mc, 1));
            std::mem::forget(numbers);
        });
        let text = panic_of(|| arena.finish_cycle());
        assert!(text.contains("RefLock"), "{text}");
        assert_eq!(arena.metrics().total_gc_count(), 1);
        arena.mutate_root(|_, root| {
            let numbers = std::mem::take(root.get_mut());
            *root = RefLock::new(numbers);
        });
        arena.finish_cycle();
        assert_eq!(arena.mutate(|_, root| *root.borrow()[0]), 1);
    }

    #[test]
    fn a_handle_of_another_set_is_refused() {
        type Two<'gc> = [DynamicRootSet<'gc>; 2];
        let make = || {
            Arena::<Rootable![Two<'_>]>::with_options(checked(), |mc| {
                [DynamicRootSet::new(mc), DynamicRootSet::new(mc)]
            })
            .unwrap()
        };
        let (mut first, second) = (make(), make());
        let handle: DynamicRoot<Rootable![u64]> =
            first.mutate(|mc, sets| sets[0].stash(mc, Gc::new(mc, 5)));
        for (arena, set) in [(&first, 1), (&second, 0), (&second, 1)] {
            arena.mutate(|_, sets| {
                assert!(!sets[set].contains(&handle));
                let error = sets[set].try_fetch(&handle).err().expect("an error").to_string();
                assert!(error.contains("another set"), "{error}");
                assert_eq!(panic_of(|| *sets[set].fetch(&handle)), error);
            });
        }
        first.finish_cycle();
        assert_eq!(first.mutate(|_, sets| *sets[0].fetch(&handle)), 5);

        // A handle outlives its set, and its arena.
        first.mutate_root(|mc, sets| sets[0] = DynamicRootSet::new(mc));
        first.finish_cycle();
        assert_eq!(first.metrics().total_gc_count(), 2);
        first.mutate(|_, sets| assert!(sets.iter().all(|set| set.try_fetch(&handle).is_err())));
        drop(first);
        drop(handle.clone());
        second.mutate(|_, sets| assert!(sets[0].try_fetch(&handle).is_err()));
    }

    #[test]
    fn a_set_with_a_handle_of_its_own_inside_is_no_trouble() {
        #[derive(Collect)]
        #[collect(no_drop)]
        struct Holder<'gc> {
            next: Lock<Option<Gc<'gc, Holder<'gc>>>>,
            #[collect(require_static)]
            handle: RefCell<Option<DynamicRoot<Rootable![Holder<'_>]>>>,
        }
        let mut arena = Arena::<Rootable![Option<DynamicRootSet<'_>>]>::with_options(checked(), |mc| {
            let set = DynamicRootSet::new(mc);
            for _ in 0..10 {
                let (next, handle) = (Lock::new(None), RefCell::new(None));
                let holder = Gc::new(mc, Holder { next, handle });
                *holder.handle.borrow_mut() = Some(set.stash(mc, holder));
            }
            Some(set)
        })
        .unwrap();
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 11);
        // The holders keep themselves alive only as long as there is the set.
        arena.mutate_root(|_, root| *root = None);
        arena.finish_cycle();
        assert_eq!(arena.metrics().total_gc_count(), 0);
    }

    #[test]
    fn arenas_nest() {
        let mut outer =
            Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |mc| Gc::new(mc, RefLock::default())).unwrap();
        outer.mutate(|mc, numbers| {
            let mut inner = Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |inner_mc| {
                numbers.borrow_mut(mc).push(Gc::new(mc, 1));
                Gc::new(inner_mc, RefLock::default())
            })
            .unwrap();
            for i in 0..1000 {
                inner.mutate(|inner_mc, inner_numbers| {
                    inner_numbers.borrow_mut(inner_mc).push(Gc::new(inner_mc, i));
                    numbers.borrow_mut(mc).push(Gc::new(mc, i));
                    // The same arena again.
                    outer.mutate(|again, same| {
                        same.borrow_mut(again).push(Gc::new(again, i));
                    });
                });
                if i % 100 == 0 {
                    inner.finish_cycle();
                }
            }
            assert_eq!(inner.metrics().total_gc_count(), 1001);
            assert_eq!(rootless_mutate(|mc| *Gc::new(mc, 8)), 8);
            drop(inner);
            assert!(numbers.borrow().iter().skip(1).zip((0..).map(|i| i / 2)).all(|(gc, i)| **gc == i));
        });
        outer.finish_cycle();
        assert_eq!(outer.metrics().total_gc_count(), 2002);

        // A callback of one arena drops another that was there before.
        let drops = Rc::new(Cell::new(0));
        let mut other = Some(Arena::<Rootable![Gc<'_, Counted>]>::new(|mc| Gc::new(mc, Counted(drops.clone()))));
        outer.mutate_root(|mc, numbers| {
            drop(other.take());
            *numbers = Gc::new(mc, RefLock::default());
        });
        assert_eq!(drops.get(), 1);
        outer.finish_cycle();
        assert_eq!(outer.metrics().total_gc_count(), 1);
    }

    #[test]
    fn values_use_other_arenas_while_they_are_dropped() {
        type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;
        #[derive(Collect)]
        #[collect(require_static)]
        struct Owner(Rc<Cell<usize>>, RefCell<Arena<Rootable![Numbers<'_>]>>);
        impl Drop for Owner {
            fn drop(&mut self) {
                let arena = self.1.get_mut();
                arena.mutate(|mc, numbers| {
                    (0..100).for_each(|i| numbers.borrow_mut(mc).push(Gc::new(mc, i)));
                });
                arena.finish_cycle();
                self.0.set(self.0.get() + arena.metrics().total_gc_count());
                self.0.set(self.0.get() + rootless_mutate(|mc| Gc::new_slice(mc, [1, 2]).len()));
            }
        }
        let count = Rc::new(Cell::new(0));
        let mut outer = Arena::<Rootable![()]>::with_options(checked(), |_| ()).unwrap();
        for _ in 0..2 {
            outer.mutate(|mc, _| {
                for _ in 0..10 {
                    let inner = Arena::with_options(checked(), |mc| Gc::new(mc, RefLock::default()));
                    Gc::new(mc, Owner(count.clone(), RefCell::new(inner.unwrap())));
                }
            });
            outer.finish_cycle();
            assert_eq!(count.take(), 10 * 103);
        }
        outer.mutate(|mc, _| {
            let inner = Arena::with_options(checked(), |mc| Gc::new(mc, RefLock::default()));
            Gc::new(mc, Owner(count.clone(), RefCell::new(inner.unwrap())));
        });
        drop(outer);
        assert_eq!(count.get(), 103);
    }

    #[test]
    fn a_thousand_arenas_share_a_space() {
        type Numbers<'gc> = Gc<'gc, RefLock<Vec<Gc<'gc, u64>>>>;
        const ARENAS: u64 = 250;
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let together = &together;
                scope.spawn(move || {
                    let mut arenas: Vec<_> = (0..ARENAS)
                        .map(|_| {
                            Arena::<Rootable![Numbers<'_>]>::with_options(checked(), |mc| {
                                Gc::new(mc, RefLock::default())
                            })
                            .unwrap()
                        })
                        .collect();
                    let number = |arena: usize, i: u64| (thread * ARENAS + arena as u64) << 32 | i;
                    for round in 0..3_u64 {
                        together.wait();
                        for (index, arena) in arenas.iter_mut().enumerate() {
                            arena.mutate(|mc, numbers| {
                                for i in 0..20 {
                                    let gc = Gc::new(mc, number(index, round * 20 + i));
                                    numbers.borrow_mut(mc).push(gc);
                                    Gc::new_slice(mc, repeat_n(i, 100));
                                }
                                Gc::new_slice(mc, repeat_n(7_u64, 5000));
                            });
                            if (index as u64 + round).is_multiple_of(2) {
                                arena.finish_cycle();
                            }
                        }
                    }
                    // Some end early, and others take their blocks.
                    arenas.drain(..ARENAS as usize / 2);
                    together.wait();
                    for (index, arena) in arenas.iter_mut().enumerate() {
                        let index = index + ARENAS as usize / 2;
                        arena.finish_cycle();
                        arena.verify().unwrap();
                        assert_eq!(arena.metrics().total_gc_count(), 61);
                        arena.mutate(|_, numbers| {
                            let numbers = numbers.borrow();
                            assert!((0..).zip(&*numbers).all(|(i, gc)| **gc == number(index, i)));
                            let other = Gc::as_ptr(numbers[0]).addr();
                            assert_eq!(arena.allocation_of(other).unwrap().base, other);
                        });
                    }
                    // An address of another arena is none of this.
                    let foreign = arenas[0].mutate(|_, numbers| Gc::as_ptr(*numbers).addr());
                    assert!(arenas[1..].iter().all(|arena| arena.allocation_of(foreign).is_none()));
                });
            }
        });
    }

    #[test]
    fn metrics_outlive_their_arena() {
        let mut arena = Arena::<Rootable![Gc<'_, [u64]>]>::with_options(checked(), |mc| {
            Gc::new_slice(mc, repeat_n(1, 100_000))
        })
        .unwrap();
        arena.finish_cycle();
        let metrics = arena.metrics().clone();
        assert_eq!(metrics.total_gc_count(), 1);
        drop(arena);
        assert_eq!(metrics.total_gc_count(), 0);
        let statistics = metrics.statistics();
        assert_eq!((statistics.heap_bytes, statistics.collections), (0, 1));
        assert!(statistics.peak_heap_bytes >= 800_000 && statistics.allocated_bytes >= 800_000);
        metrics.adjust_debt(10.0);
        metrics.set_pacing(gc_core::metrics::Pacing::STOP_THE_WORLD);
        assert!(format!("{metrics:?}").contains("total_gc_count"));
    }

    #[test]
    fn pacing_without_sense_does_no_harm() {
        use gc_core::metrics::Pacing;
        let options = checked().floor(10_000);
        let mut arena = Arena::<Rootable![Gc<'_, u64>]>::with_options(options, |mc| Gc::new(mc, 1)).unwrap();
        for factor in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, f64::MAX] {
            let pacing = Pacing { sleep_factor: factor, min_sleep: 10_000, ..Pacing::DEFAULT };
            arena.metrics().set_pacing(pacing);
            for debt in [0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, f64::MAX, f64::MIN] {
                arena.metrics().adjust_debt(debt);
                arena.mutate(|mc, _| _ = Gc::new_slice(mc, repeat_n(0_u64, 2000)));
                arena.collect_debt();
                arena.finish_cycle();
            }
        }
        arena.metrics().set_pacing(Pacing::DEFAULT);
        assert_eq!(arena.mutate(|_, root| **root), 1);
        assert_eq!(arena.metrics().total_gc_count(), 1);
    }
}
