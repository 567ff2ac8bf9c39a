//! The same in shared arenas: each thread sees what it has written.

use std::thread;

use gc_core::shared::{Arena, Mutex, RwLock};
use gc_core::{Gc, Rootable};

use crate::{KIB, MIB, ways};

#[test]
fn objects_of_several_threads_are_collected_in_time() {
    type Root<'gc> = Mutex<Option<Gc<'gc, RwLock<Vec<u8>>>>>;
    for options in ways() {
        let arena = Arena::<Rootable![Gc<'_, Root<'_>>]>::with_options(options, |mc| {
            mc.allocate(Mutex::new(None))
        })
        .unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mine = arena.attach();
                    for round in 0..2000 {
                        mine.mutate(|mc, root| {
                            let grown = mc.allocate(RwLock::new(Vec::new()));
                            *grown.lock_write(mc) = Vec::with_capacity(64 * KIB);
                            if round % 100 == 0 {
                                *root.lock(mc) = Some(grown);
                            }
                        });
                        mine.collect_debt();
                    }
                });
            }
        });
        let mine = arena.attach();
        let statistics = arena.metrics().statistics();
        // 375 MiB were allocated. Two floors, and some for threads that wait for each other.
        assert!(statistics.collections >= 10, "{}", statistics.collections);
        assert!(
            statistics.owned_bytes < 64 * MIB,
            "{} KiB",
            statistics.owned_bytes / KIB
        );
        mine.finish_cycle();
        assert_eq!(arena.metrics().statistics().owned_bytes, 64 * KIB);
        mine.mutate(|mc, root| *root.lock(mc) = None);
        mine.finish_cycle();
        assert_eq!(arena.metrics().statistics().owned_bytes, 0);
    }
}
