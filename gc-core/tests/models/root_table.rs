//! The root table: the world's stopper visits what has a handle, and nothing that never had one.

use loom::thread;

use crate::check;
use crate::protocol::root_table::RootTable;
use crate::sync::Arc;

/// Three threads: a tracer visits all handles, while another thread clones a handle, drops the older
/// one, and a third drops one that is the only one of its object. All orders.
#[test]
fn clones_and_drops_during_a_trace() {
    check(None, || {
        let table = Arc::new(RootTable::new());
        let dropped = table.add(10);
        let kept = table.add(20);
        let cloner = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table.retain(kept);
                table.release(kept);
            })
        };
        let dropper = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.release(dropped))
        };
        let mut seen = Vec::new();
        table.each(|address| seen.push(address));
        assert!(seen == [20] || seen == [10, 20], "{seen:?}");
        cloner.join().unwrap();
        dropper.join().unwrap();
        assert_eq!(table.get(kept), 20);
        table.release(kept);
        table.each(|_| panic!("no handle is left"));
    });
}

/// Two threads: while a tracer visits all handles, another drops most of them, so that the memory between those that are
/// kept is given back, and clones one. All orders.
#[test]
fn memory_is_given_back_during_a_trace() {
    check(None, || {
        let table = Arc::new(RootTable::new());
        let handles: Vec<usize> = (0..5).map(|address| table.add(address)).collect();
        let dropper = {
            let (table, handles) = (Arc::clone(&table), handles.clone());
            thread::spawn(move || {
                table.retain(handles[4]);
                table.release(handles[2]);
                table.release(handles[3]);
                table.release(handles[4]);
            })
        };
        let mut seen = Vec::new();
        table.each(|address| seen.push(address));
        assert!(seen.is_sorted());
        for kept in [0, 1, 4] {
            assert!(seen.contains(&kept), "{seen:?}");
        }
        dropper.join().unwrap();
        for handle in [0, 1, 4].map(|kept| handles[kept]) {
            table.release(handle);
        }
        table.each(|_| panic!("no handle is left"));
    });
}

/// Three threads make, ask and drop handles, whose slots are used again. All orders.
#[test]
fn slots_are_handed_on() {
    check(None, || {
        let table = Arc::new(RootTable::new());
        let first = table.add(1);
        let threads = [10, 20].map(|address| {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let handle = table.add(address);
                assert_eq!(table.get(handle), address);
                table.release(handle);
            })
        });
        table.release(first);
        let handle = table.add(2);
        assert_eq!(table.get(handle), 2);
        for thread in threads {
            thread.join().unwrap();
        }
        let mut seen = Vec::new();
        table.each(|address| seen.push(address));
        assert_eq!(seen, [2]);
    });
}

/// Three threads: two clone and drop the same handle, one drops the first. The object is there as long
/// as one of them, and no longer.
#[test]
fn counts_are_exact() {
    check(None, || {
        let table = Arc::new(RootTable::new());
        let handle = table.add(1);
        table.retain(handle);
        table.retain(handle);
        let threads = [(); 2].map(|()| {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table.retain(handle);
                table.release(handle);
                assert_eq!(table.get(handle), 1);
                table.release(handle);
            })
        });
        table.release(handle);
        for thread in threads {
            thread.join().unwrap();
        }
        table.each(|_| panic!("no handle is left"));
    });
}
