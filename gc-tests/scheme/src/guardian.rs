//! Guardians: procedures that tell which of the objects registered with them are inaccessible, and hand them out
//! (Dybvig, Bruggeman and Eby, "Guardians in a Generation-Based Garbage Collector", PLDI 1993).
//!
//! A registration is a `Ward` with a finalizer. The only way to a ward is an ephemeron whose key is the
//! registered object (`Entry`): so a ward is found dead when the object is, by whatever kind of
//! collection, and its finalizer puts it into the queue of its guardian, where it keeps the object alive. Nothing
//! is allocated for that, so it cannot fail.
//!
//! That finalizers do this, and not a look at what is dead between marking and sweeping
//! ([`gc_core::arena::MarkedArena::finalize`]), has these reasons: an object cannot be missed, even if the embedder
//! collects on his own ([`crate::Interpreter::arena_mut`]); however many objects die at once, a safepoint
//! takes no longer; and all dead objects are enqueued before one of them is kept, which is what Chez Scheme
//! promises for structures with several registered parts.
//!
//! A ward holds its guardian by a long weak pointer. A guardian that is itself only reachable from dead registered
//! objects is kept with them, and gets its own; one that is gone gets nothing. The object is kept until the
//! next collection then, as finalizers see their objects; a collection of the program's own,
//! `(collect)`, has that follow at once ([`Registry::take_orphans`]), so that a program cannot tell.
//!
//! # Invariants
//!
//! 1. A ward is reachable by nothing but the ephemeron of its entry until it is done, and from then on it is not
//!    followed from there.
//! 2. An entry is unlinked only if its ward is done, or gone, or its guardian is gone.

use gc_core::finalizer::{Finalize, Finalizing};
use gc_core::{Collect, Ephemeron, Gc, GcWeakLong, Lock, Mutation, barrier::unlock};

use crate::alloc::{self, HeapError};
use crate::value::Value;

/// A guardian: the objects to be handed out, oldest first.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Guardian<'gc> {
    first: Lock<Option<Gc<'gc, Ward<'gc>>>>,
    last: Lock<Option<Gc<'gc, Ward<'gc>>>>,
}

/// What becomes of one registration.
#[derive(Collect)]
#[collect(no_drop)]
struct Ward<'gc> {
    guardian: GcWeakLong<'gc, Guardian<'gc>>,
    registry: Gc<'gc, Registry<'gc>>,
    /// What the guardian returns: the object, or what stands for it.
    returned: Value<'gc>,
    /// Whether the object was found to be dead.
    done: Lock<bool>,
    /// The next in the guardian's queue.
    next: Lock<Option<Gc<'gc, Ward<'gc>>>>,
}

/// Keeps a ward alive as long as the registered object.
#[derive(Collect)]
#[collect(no_drop)]
struct Entry<'gc> {
    ward: Ephemeron<'gc, (), Ward<'gc>>,
    next: Lock<Option<Gc<'gc, Entry<'gc>>>>,
}

/// All registrations.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Registry<'gc> {
    first: Lock<Option<Gc<'gc, Entry<'gc>>>>,
    count: Lock<usize>,
    /// When there are so many entries, those are unlinked that are of no use any more.
    limit: Lock<usize>,
    orphans: Lock<bool>,
}

/// The least number of entries that are looked through.
const FEW: usize = 64;

impl<'gc> Registry<'gc> {
    /// A registry without registrations.
    pub fn new(mc: &Mutation<'gc>) -> Result<Gc<'gc, Self>, HeapError> {
        let registry = Registry {
            first: Lock::new(None),
            count: Lock::new(0),
            limit: Lock::new(FEW),
            orphans: Lock::new(false),
        };
        alloc::new(mc, registry)
    }

    /// Whether objects were found dead whose guardians are gone, since this was called last.
    pub fn take_orphans(this: Gc<'gc, Self>, mc: &Mutation<'gc>) -> bool {
        let orphans = this.orphans.get();
        if orphans {
            unlock!(Gc::write(mc, this), Registry, orphans).set(false);
        }
        orphans
    }

    fn add(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        ward: Ephemeron<'gc, (), Ward<'gc>>,
    ) -> Result<(), HeapError> {
        let next = Lock::new(this.first.get());
        let entry = alloc::new(mc, Entry { ward, next })?;
        let registry = Gc::write(mc, this);
        unlock!(registry, Registry, first).set(Some(entry));
        unlock!(registry, Registry, count).set(this.count.get() + 1);
        if this.count.get() >= this.limit.get() {
            Self::tidy(this, mc);
        }
        Ok(())
    }

    /// Unlinks what is of no use any more. As there are then twice as many registrations until the next time, a
    /// registration takes constant time, amortised.
    fn tidy(this: Gc<'gc, Self>, mc: &Mutation<'gc>) {
        let mut last: Option<Gc<'gc, Entry<'gc>>> = None;
        let mut at = this.first.get();
        let mut count = 0;
        while let Some(entry) = at {
            at = entry.next.get();
            let ward = entry.ward.value(mc);
            if ward.is_some_and(|ward| !ward.done.get() && !ward.guardian.is_dropped()) {
                count += 1;
                last = Some(entry);
                continue;
            }
            match last {
                None => unlock!(Gc::write(mc, this), Registry, first).set(at),
                Some(last) => unlock!(Gc::write(mc, last), Entry, next).set(at),
            }
        }
        let registry = Gc::write(mc, this);
        unlock!(registry, Registry, count).set(count);
        unlock!(registry, Registry, limit).set((count * 2).max(FEW));
    }
}

impl<'gc> Guardian<'gc> {
    /// A guardian without registered objects.
    pub fn new(mc: &Mutation<'gc>) -> Result<Gc<'gc, Self>, HeapError> {
        let (first, last) = (Lock::new(None), Lock::new(None));
        alloc::new(mc, Guardian { first, last })
    }

    /// Registers an object, for which `returned` is to be handed out. What is no object is never inaccessible.
    pub fn register(
        this: Gc<'gc, Self>,
        mc: &Mutation<'gc>,
        registry: Gc<'gc, Registry<'gc>>,
        object: Value<'gc>,
        returned: Value<'gc>,
    ) -> Result<(), HeapError> {
        let Some(key) = object.object() else {
            return Ok(());
        };
        let ward = Ward {
            guardian: Gc::downgrade_long(this),
            registry,
            returned,
            done: Lock::new(false),
            next: Lock::new(None),
        };
        let ward = alloc::new(mc, ward)?;
        Registry::add(registry, mc, Ephemeron::new(key, ward))?;
        // The machine never takes a registration back.
        _ = mc.finalize(ward);
        Ok(())
    }

    /// Hands out an inaccessible object, if there is one.
    pub fn take(this: Gc<'gc, Self>, mc: &Mutation<'gc>) -> Option<Value<'gc>> {
        let first = this.first.get()?;
        let next = first.next.get();
        let guardian = Gc::write(mc, this);
        unlock!(guardian, Guardian, first).set(next);
        if next.is_none() {
            unlock!(guardian, Guardian, last).set(None);
        }
        Some(first.returned)
    }

    fn enqueue(this: Gc<'gc, Self>, mc: &Mutation<'gc>, ward: Gc<'gc, Ward<'gc>>) {
        let guardian = Gc::write(mc, this);
        match this.last.get() {
            None => unlock!(guardian, Guardian, first).set(Some(ward)),
            Some(last) => unlock!(Gc::write(mc, last), Ward, next).set(Some(ward)),
        }
        unlock!(guardian, Guardian, last).set(Some(ward));
    }
}

impl<'gc> Finalize<'gc> for Ward<'gc> {
    fn finalize(this: Gc<'gc, Self>, token: &Finalizing<'gc>) {
        unlock!(Gc::write(token, this), Ward, done).set(true);
        match this.guardian.upgrade(token) {
            Some(guardian) => Guardian::enqueue(guardian, token, this),
            None => {
                let registry = Gc::write(token, this.registry);
                unlock!(registry, Registry, orphans).set(true);
            }
        }
    }
}
