//! Views in arenas with many mutators.

use gc_core::shared::{Arena, Mutation, Mutex, RwLock};
use gc_core::slice::{Interior, Slice, Str};
use gc_core::{Collect, Gc, Rootable};
use gc_tests::way::in_each_way;

#[derive(Collect)]
#[collect(no_drop)]
struct Board<'gc> {
    cells: Slice<'gc, Mutex<Option<Slice<'gc, u64>>>>,
    title: RwLock<Str<'gc>>,
    last: Mutex<Option<Interior<'gc, u64>>>,
}

/// Three equal numbers, seen in part.
fn part<'gc>(mc: &Mutation<'gc>, number: u64) -> Slice<'gc, u64> {
    let all = Slice::from(mc.allocate_slice([number; 3]));
    all.slice(number as usize % 2..)
}

#[test]
fn threads_write_views() {
    const CELLS: usize = 500;
    in_each_way(|way| {
        let arena = Arena::<Rootable![Gc<'_, Board<'_>>]>::with_options(way.often(), |mc| {
            let cells = mc.allocate_slice((0..CELLS).map(|_| Mutex::new(None)));
            let title = Str::from(mc.allocate_str("title: 0")).slice(7..);
            mc.allocate(Board {
                cells: cells.into(),
                title: RwLock::new(title),
                last: Mutex::new(None),
            })
        })
        .unwrap();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let arena = &arena;
                scope.spawn(move || {
                    let here = arena.attach();
                    for round in 0..way.size(40, 300) {
                        here.mutate(|mc, &board| {
                            for step in 0..10 {
                                let index = (round * 10 + step) * (thread + 3) % CELLS;
                                let cell = Interior::of_element(board.cells, index);
                                let mut cell = Interior::write(mc, cell).lock();
                                if let Some(old) = *cell {
                                    assert!(old.iter().all(|number| *number == old[0]));
                                }
                                let new = part(mc, index as u64);
                                *cell = (step != 9).then_some(new);
                                drop(cell);
                                let last = Interior::of_element(new, 1);
                                let board = mc.write(board);
                                *gc_core::barrier::field!(board, Board, last).lock() = Some(last);
                            }
                            let text = mc.allocate_str(&format!("title: {round}"));
                            let title = Str::from(text).slice(7..).compact_to_fit(mc);
                            assert!(board.title.read().parse::<usize>().is_ok());
                            let board = mc.write(board);
                            *gc_core::barrier::field!(board, Board, title).write() = title;
                        });
                        here.collect_debt();
                    }
                });
            }
        });
        let here = arena.attach();
        here.mutate(|mc, &board| {
            for index in 0..CELLS {
                let cell = Interior::write(mc, Interior::of_element(board.cells, index));
                if let Some(part) = *cell.lock() {
                    assert!(part.iter().all(|number| *number == index as u64));
                }
            }
            assert!(board.title.read().parse::<usize>().is_ok());
        });
    });
}
