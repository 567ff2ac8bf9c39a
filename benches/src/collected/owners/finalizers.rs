//! What is told when it dies: coroutines, which are reset, and tables with a finalizer.

use super::closure::Closure;
use super::gc::{Collect, Finalization, Gc, Mutation, RefLock};
use super::table::{Table, WeakTable};
use super::thread::{Thread, WeakThread};

/// The objects with finalizers, and those to be finalized.
#[derive(Collect, Default)]
#[collect(no_drop)]
pub struct Finalizers<'gc> {
    threads: Vec<WeakThread<'gc>>,
    tables: Vec<(WeakTable<'gc>, Closure<'gc>)>,
    found: Vec<(Table<'gc>, Closure<'gc>)>,
}

type All<'gc> = Gc<'gc, RefLock<Finalizers<'gc>>>;

impl<'gc> Finalizers<'gc> {
    pub fn add_thread(mc: &Mutation<'gc>, all: All<'gc>, thread: Thread<'gc>) {
        all.borrow_mut(mc).threads.push(thread.downgrade());
    }

    pub fn add_table(
        mc: &Mutation<'gc>,
        all: All<'gc>,
        table: Table<'gc>,
        finalizer: Closure<'gc>,
    ) {
        let entry = (table.downgrade(), finalizer);
        all.borrow_mut(mc).tables.push(entry);
    }

    /// Keeps the tables that would die until their finalizers have run.
    pub fn find(fc: &Finalization<'gc>, all: All<'gc>) {
        let mut all = all.borrow_mut(fc);
        let Finalizers { tables, found, .. } = &mut *all;
        tables.retain(|&(table, finalizer)| {
            if !table.is_dead(fc) {
                return true;
            }
            let table = table.resurrect(fc).map(Table::found);
            found.push((table.expect("what is dead is still there"), finalizer));
            false
        });
    }

    /// Resets the coroutines that die.
    pub fn reset_threads(fc: &Finalization<'gc>, all: All<'gc>) {
        all.borrow_mut(fc).threads.retain(|thread| {
            let thread = thread.upgrade(fc).expect("a coroutine died unseen");
            let dies = Gc::is_dead(fc, thread);
            if dies {
                thread.borrow_mut(fc).reset();
            }
            !dies
        });
    }

    /// Calls the finalizers of the tables that were found.
    pub fn run(mc: &Mutation<'gc>, all: All<'gc>) {
        let found = std::mem::take(&mut all.borrow_mut(mc).found);
        for (table, finalizer) in found {
            finalizer.call(mc, table.into());
        }
    }
}
