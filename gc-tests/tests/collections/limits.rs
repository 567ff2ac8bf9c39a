//! Collections at the limit of their heap.

use gc_core::collections::{HashMap, String, Vec, VecDeque};
use gc_core::{Arena, Collect, Gc, HeapError, HeapOptions, RefLock, Rootable};

use crate::elements::Cargo;

#[derive(Collect, Default)]
#[collect(no_drop)]
struct Full<'gc> {
    vec: Vec<'gc, Gc<'gc, Cargo<'gc>>>,
    deque: VecDeque<'gc, Gc<'gc, Cargo<'gc>>>,
    map: HashMap<'gc, u64, Gc<'gc, Cargo<'gc>>>,
    text: String<'gc>,
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let options = HeapOptions::default().limit(4 << 20);
    type Root<'gc> = Gc<'gc, RefLock<Full<'gc>>>;
    for which in 0..4 {
        let mut heap = Arena::<Rootable![Root<'_>]>::with_options(options, |mc| {
            Gc::new(mc, RefLock::default())
        })
        .unwrap();
        let mut count = 0;
        let error = heap.mutate(|mc, root| {
            let mut full = root.borrow_mut(mc);
            let cargo = Cargo::new(mc, 7);
            loop {
                let done: Result<(), HeapError> = match which {
                    0 => full
                        .vec
                        .try_reserve(mc, 1)
                        .map(|()| full.vec.push(mc, cargo)),
                    1 => full
                        .deque
                        .try_reserve(mc, 1)
                        .map(|()| full.deque.push_back(mc, cargo)),
                    2 => full
                        .map
                        .try_reserve(mc, 1)
                        .map(|()| _ = full.map.insert(mc, count, cargo)),
                    _ => full
                        .text
                        .try_reserve(mc, 4)
                        .map(|()| full.text.push_str(mc, "text")),
                };
                match done {
                    Ok(()) => count += 1,
                    Err(error) => break error,
                }
            }
        });
        assert!(
            matches!(
                error,
                HeapError::LimitReached { .. } | HeapError::OnlyCollecting { .. }
            ),
            "{error}"
        );
        heap.finish_cycle();
        heap.verify().unwrap();
        heap.mutate(|mc, root| {
            let full = root.borrow();
            let lens = [
                full.vec.len(),
                full.deque.len(),
                full.map.len(),
                full.text.len() / 4,
            ];
            assert_eq!(lens[which], count as usize);
            assert!(full.vec.iter().all(|cargo| cargo.id() == 7));
            assert!(full.deque.iter().all(|cargo| cargo.id() == 7));
            assert!((0..full.map.len() as u64).all(|key| full.map[&key].id() == 7));
            drop(full);
            // It is in order: what was taken out can be put back.
            let mut full = root.borrow_mut(mc);
            if let Some(last) = full.vec.pop(mc) {
                full.vec.push(mc, last);
            }
        });
    }
}

#[test]
fn lengths_beyond_all_bounds() {
    gc_core::arena::rootless_mutate(|mc| {
        let mut vec = Vec::from_iter(mc, [1_u64]);
        let mut deque = VecDeque::from_iter(mc, [1_u64]);
        let mut map: HashMap<_, _> = HashMap::from_iter(mc, [(1, 1)]);
        for additional in [usize::MAX, usize::MAX / 8, isize::MAX as usize, 1 << 60] {
            assert!(vec.try_reserve(mc, additional).is_err());
            assert!(deque.try_reserve(mc, additional).is_err());
            assert!(map.try_reserve(mc, additional).is_err());
        }
        assert_eq!((vec[0], deque[0], map[&1]), (1, 1, 1));
    });
}
