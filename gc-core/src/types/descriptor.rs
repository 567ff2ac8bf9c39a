//! Descriptors: what the collector must be able to ask an object about its type.
//!
//! Most objects have no use for one: their tags say all. A *described* object, whose type needs
//! `Drop`, is `External`, or has pointers that move when it is written, or to which thin pointers or
//! metadata of the type belong ([`crate::types::meta`]), lives in a block of described objects and has the
//! address of its type's [`Descriptor`] in its last word. If its type alone does not tell how to make a
//! pointer to the value from an address, what does is in the word before, the *detail*: the length of a
//! slice, mostly. (Of a buffer of [`crate::collections`] it tells which slots hold values, and changes with these.
//! Only the program's thread reads that, and no pointer takes it for a length: those to buffers have theirs with them.)
//!
//! The highest bits of the last word, which are not needed for an address, are the object's entry in the
//! [ledger](crate::types::ledger): how many bytes its value is known to own outside of the heap.
//!
//! # Invariants
//!
//! 1. The last word of an object in a described block is the address of the descriptor of the value in it, with its
//!    entry in the ledger; or the address with the lowest bit set, when the value is gone; or zero, if it is not
//!    there yet.
//! 2. The value starts at the start of the object.
//! 3. From when a pointer to the value exists, until the memory of the object is free, the detail, if it is not that of a
//!    buffer, and the descriptor's address, but for its lowest bit, stay as they are. They move to the new end when a
//!    shell is cut, while no mutator is at work. So who has a pointer, strong or
//!    weak, may read them without more ado, whatever the collector is doing meanwhile.
//! 4. From then on the last word is accessed atomically only: a mutator may change the entry while others read
//!    the address.

use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use crate::heap::extent::Extent;
use crate::heap::planes::WORD;
use crate::heap::start::ObjectStart;
use crate::sync::{AtomicUsize, Ordering};
use crate::types::found::Found;
use crate::types::ledger::{self, Entry};
use crate::types::owned_bytes::only_looking;
use crate::types::trace::{EdgeVisitor, Edges};

/// Drops the value in an object.
pub(crate) type DropValue = unsafe fn(Extent);

/// Visits the pointers of the value in an object, and says where that is.
pub(crate) type TraceValue = unsafe fn(Extent, &mut Edges<'_>);

/// Tells how many bytes the value in an object owns outside of the heap; `None` if a lock in it is taken. May panic.
pub(crate) type MeasureValue = unsafe fn(Extent) -> Option<usize>;

/// What the collector can ask an object about its type.
#[derive(Debug)]
pub(crate) struct Descriptor {
    /// Drops the value in the object, if it needs it.
    pub(crate) drop: Option<DropValue>,
    /// Visits the pointers of the value in the object.
    pub(crate) trace: TraceValue,
    /// Tells what the value owns, if it may own something: if it has a destructor.
    pub(crate) measure: Option<MeasureValue>,
    /// Whether values may have pointers outside of the object, or in words that are not tagged.
    pub(crate) external: bool,
    /// Whether a marker may trace values while the program runs ([`TypeMap::is_concurrent`]).
    ///
    /// [`TypeMap::is_concurrent`]: crate::types::type_map::TypeMap::is_concurrent
    pub(crate) concurrent: bool,
    /// Whether tracing a value may run code of the user's, or look at memory that it shares with others. If not, the
    /// values in it are of types that are concurrent.
    pub(crate) opaque: bool,
    /// Whether writes can change which words are pointers.
    pub(crate) moves: bool,
    /// Whether the value is part of one in another object, whose lock it is that keeps others away while it is written:
    /// the elements of a collection.
    pub(crate) lent: bool,
    /// The address of the metadata of the type.
    pub(crate) metadata: NonNull<()>,
    /// What the compiler calls the type, for reports.
    pub(crate) type_name: fn() -> &'static str,
}

// SAFETY: the metadata are static, and of a type that all threads may share (`TypeMeta`).
unsafe impl Send for Descriptor {}
// SAFETY: all that can be done with a shared descriptor is to read it; the metadata as for `Send`.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// Bytes that the object needs beside its value.
    pub(crate) const fn overhead(detailed: bool) -> usize {
        if detailed { 2 * WORD } else { WORD }
    }
}

/// The bit of the last word that says that the value is gone.
const GONE: usize = 1;

const _: () = assert!(align_of::<Descriptor>() > GONE);

/// Where the entry in the ledger begins. No address of the program is as high: x86-64 and AArch64 give it 47 or 48
/// bits of them, unless it asks for more.
const ENTRY: u32 = usize::BITS - ledger::BITS;

/// The bits of the last word that are the address of the descriptor.
const ADDRESS: usize = ((1 << ENTRY) - 1) & !GONE;

/// The last word of an object that ends at `end`.
///
/// # Safety
///
/// It is a described object, which is not freed while this is in use.
#[inline(always)]
unsafe fn last_word<'a>(end: usize) -> &'a AtomicUsize {
    // SAFETY: the object is described and not freed (the caller's promise); so its last word is there, and it is
    // aligned and initialised (invariant 1).
    unsafe { &*ptr::with_exposed_provenance::<AtomicUsize>(end - WORD) }
}

/// The last word of an object with a value of that type, and with this entry.
#[inline(always)]
fn word_of(descriptor: &'static Descriptor, entry: Entry) -> usize {
    let address = ptr::from_ref(descriptor).expose_provenance();
    debug_assert!(address & !ADDRESS == 0);
    address | entry.bits() << ENTRY
}

/// The word before the last: any bytes, of which some may be an address.
pub(crate) type Detail = MaybeUninit<usize>;

/// The address of the detail in an object that ends at `end`.
#[inline(always)]
fn detail_at(end: usize) -> usize {
    end - 2 * WORD
}

/// Reads the detail of an object that ends at `end`.
///
/// # Safety
///
/// A value is or was in the object, and its detail is a `D`.
#[inline(always)]
pub(crate) unsafe fn read_detail<D: Copy>(end: usize) -> D {
    const { assert!(size_of::<D>() <= WORD && align_of::<D>() <= WORD) };
    // SAFETY: the detail was written with the value (the caller's promise), and does not change (invariant 3).
    unsafe { ptr::with_exposed_provenance::<D>(detail_at(end)).read() }
}

/// The metadata of the type of an object that ends at `end`.
///
/// # Safety
///
/// A value is or was in the object, which is described, and the metadata of its type are an `M`.
#[inline(always)]
pub(crate) unsafe fn read_metadata<M: 'static>(end: usize) -> &'static M {
    // SAFETY: the object is described, and has or had a value (the caller's promise), so the word has the address of
    // its descriptor. A descriptor is static, as are the metadata; the provenance of its address was exposed.
    unsafe {
        // Relaxed: the address was there before whoever has a pointer had it (invariant 3).
        let last = last_word(end).load(Ordering::Relaxed);
        let descriptor = &*ptr::with_exposed_provenance::<Descriptor>(last & ADDRESS);
        descriptor.metadata.cast::<M>().as_ref()
    }
}

/// Copies the detail and the address of the descriptor to the end of a shorter object at the same address.
///
/// # Safety
///
/// 1. `from` is an object in a described block, and `to` begins where it does.
/// 2. There is no value in it any more, and nobody looks at it meanwhile.
pub(crate) unsafe fn move_last_words(from: Extent, to: Extent) {
    debug_assert!(from.base == to.base && 2 * WORD <= to.bytes && to.bytes <= from.bytes);
    // SAFETY: both words are in the object, in which nothing else is (the caller's promise). They are copied as what
    // they are, whatever that is, and the first before the second, so neither is overwritten before it is read.
    unsafe {
        for at in [detail_at, |end| end - WORD] {
            let word = ptr::with_exposed_provenance::<Detail>(at(from.end())).read();
            ptr::with_exposed_provenance_mut::<Detail>(at(to.end())).write(word);
        }
    }
}

/// A described object with a value in it.
#[derive(Clone, Copy)]
pub(crate) struct Described {
    extent: Extent,
    descriptor: &'static Descriptor,
}

impl Described {
    /// Makes `extent` an object without a value.
    ///
    /// # Safety
    ///
    /// It is an allocation in a described block, to which only the caller refers.
    #[inline(always)]
    pub(crate) unsafe fn clear(extent: Extent) {
        let last = ptr::with_exposed_provenance_mut::<usize>(extent.end() - WORD);
        // SAFETY: the last word of a described object is kept free for this.
        unsafe { last.write(0) }
    }

    /// Says that a value of the type of `descriptor` is in the object, and with which entry in the ledger.
    ///
    /// # Safety
    ///
    /// As for [`Described::clear`]; and the value is there, and its detail, if it has one.
    #[inline(always)]
    pub(crate) unsafe fn set(extent: Extent, descriptor: &'static Descriptor, entry: Entry) {
        let last = ptr::with_exposed_provenance_mut::<usize>(extent.end() - WORD);
        // SAFETY: the last word is kept free for this.
        unsafe { last.write(word_of(descriptor, entry)) }
    }

    /// Writes the detail of an object, before [`Described::set`].
    ///
    /// # Safety
    ///
    /// As for [`Described::clear`], and the object has room for a detail.
    #[inline(always)]
    pub(crate) unsafe fn set_detail(extent: Extent, detail: Detail) {
        let word = ptr::with_exposed_provenance_mut::<Detail>(detail_at(extent.end()));
        // SAFETY: the word is kept free for this.
        unsafe { word.write(detail) }
    }

    /// Reads the descriptor of an object; `None` if there is no value in it.
    ///
    /// # Safety
    ///
    /// `extent` is an allocation in a described block.
    #[inline]
    pub(crate) unsafe fn at(extent: Extent) -> Option<Described> {
        // Relaxed: the object was made before whoever asks heard of it.
        // SAFETY: it is an allocation in a described block (the caller's promise).
        let word = unsafe { last_word(extent.end()) }.load(Ordering::Relaxed);
        if word & GONE != 0 {
            return None;
        }
        let descriptor =
            // SAFETY: by invariant 1 the word is zero or the address of a descriptor, whose provenance
            // was exposed; and descriptors are static.
            unsafe { ptr::with_exposed_provenance::<Descriptor>(word & ADDRESS).as_ref()? };
        Some(Described { extent, descriptor })
    }

    pub(crate) fn extent(&self) -> Extent {
        self.extent
    }

    /// Where it starts.
    #[inline(always)]
    pub(crate) fn start(&self) -> ObjectStart {
        // SAFETY: the extent is an allocation (`at`), and is not freed while this is in use.
        unsafe { ObjectStart::new_unchecked(self.extent.base) }
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// Where it is and what it is, for reports.
    pub(crate) fn name(&self) -> String {
        let (name, start) = ((self.descriptor.type_name)(), self.extent.base);
        format!("the `{name}` at {start:#x}")
    }

    /// Visits the pointers of the value. What may be the user's code may only look at values meanwhile
    /// ([`crate::types::owned_bytes`], invariant 3).
    ///
    /// # Safety
    ///
    /// No mutator is at work on the heap; or, while one is, the object is about to be claimed for the first time
    /// in the cycle, which comes before whatever gives a reference by which to write pointers, and the visitor
    /// does not say that it is alone; or its descriptor does not say that it is `opaque`, and until this returns nobody
    /// has claimed it.
    pub(crate) unsafe fn trace(&self, visitor: &mut dyn EdgeVisitor) {
        let mut found = Found::default();
        // SAFETY: passed on to the caller.
        let mut trace = || unsafe { self.trace_by(&mut Edges::new(visitor, &mut found)) };
        if self.descriptor.opaque {
            only_looking(trace)
        } else {
            trace()
        }
    }

    /// The same with edges that are there, and if the value's `trace` is not the user's code.
    ///
    /// # Safety
    ///
    /// As for [`Described::trace`].
    #[inline(always)]
    pub(crate) unsafe fn trace_by(&self, edges: &mut Edges<'_>) {
        // SAFETY: by the invariants, a value of the descriptor's type is there. The caller's promises are the same.
        unsafe { (self.descriptor.trace)(self.extent, edges) }
    }

    /// The object's entry in the ledger.
    ///
    /// # Safety
    ///
    /// The object was not freed.
    pub(crate) unsafe fn entry(&self) -> Entry {
        // Relaxed: a figure by itself.
        // SAFETY: the object was not freed (the caller's promise).
        let word = unsafe { last_word(self.extent.end()) }.load(Ordering::Relaxed);
        Entry::from_bits(word >> ENTRY)
    }

    /// Looks what the value owns outside of the heap, and writes it down; by how many bytes that has grown.
    /// Nothing changes if a lock in the value is taken. Unwinds if the value does, and then nothing has changed.
    ///
    /// # Safety
    ///
    /// Nobody has an exclusive reference to the value. This is the thread of the heap's one mutator, or all values
    /// are `Sync`. The value is not dropped meanwhile.
    pub(crate) unsafe fn measure(&self) -> i64 {
        let Some(measure) = self.descriptor.measure else {
            return 0;
        };
        // SAFETY: by the invariants, a value of the descriptor's type is there; nobody has an exclusive reference to
        // it, and this thread may look at it (the caller's promise).
        let (Some(now), last) = (unsafe { (measure(self.extent), last_word(self.extent.end())) })
        else {
            return 0;
        };
        let word = word_of(self.descriptor, Entry::of(now));
        // Relaxed, both: a figure by itself. It is swapped, so that of several mutators who do this at the same time
        // each counts the difference to what the one before has counted.
        if last.load(Ordering::Relaxed) == word {
            return 0;
        }
        let before = Entry::from_bits(last.swap(word, Ordering::Relaxed) >> ENTRY);
        Entry::of(now).bytes() as i64 - before.bytes() as i64
    }

    /// Takes the value out of the object and drops it. Unwinds if the drop does; the value is gone
    /// even so.
    ///
    /// # Safety
    ///
    /// Nothing refers to the value, nor ever will.
    pub(crate) unsafe fn dispose(self) {
        // SAFETY: nothing refers to the value, nor ever will (the caller's promise); and it is dropped where it is
        // taken.
        unsafe {
            if let Some(value) = self.take() {
                value.drop();
            }
        }
    }

    /// Takes the value out of the object, which is empty then for whoever looks. If it has a destructor, it is the
    /// caller's to drop.
    ///
    /// # Safety
    ///
    /// As for [`Described::dispose`].
    pub(crate) unsafe fn take(self) -> Option<DeadValue> {
        // SAFETY: the object was not freed, as nothing but the caller refers to it.
        let (entry, last) = unsafe { (self.entry(), last_word(self.extent.end())) };
        // The caller owns the object now, so emptying it is nobody else's concern.
        // Relaxed: threads that have a weak pointer read the address, which does not change.
        last.store(
            word_of(self.descriptor, Entry::NOTHING) | GONE,
            Ordering::Relaxed,
        );
        let (extent, drop) = (self.extent, self.descriptor.drop?);
        Some(DeadValue {
            extent,
            drop,
            entry,
        })
    }
}

/// A value with a destructor that was taken out of its object, whose memory it still occupies.
pub(crate) struct DeadValue {
    extent: Extent,
    drop: DropValue,
    entry: Entry,
}

impl DeadValue {
    /// Where its object starts.
    pub(crate) fn start(&self) -> usize {
        self.extent.base
    }

    /// Bytes that it was known to own outside of the heap.
    pub(crate) fn owned(&self) -> usize {
        self.entry.bytes()
    }

    /// Drops it. Unwinds if its destructor does.
    ///
    /// # Safety
    ///
    /// The memory of the object was not used for anything else since.
    pub(crate) unsafe fn drop(self) {
        // SAFETY: the object's memory was not used for anything else (the caller's promise). The value is dropped once,
        // since no one can find it any more.
        unsafe { (self.drop)(self.extent) }
    }
}
