//! How the machine makes, reads, writes and recognises objects of the real heap.

use std::rc::Rc;

use gc_core::barrier::{Write, unlock};
use gc_core::lock::OnceLock;
use gc_core::{Gc, GcWeak, HeapError, Lock, Mutation, RefLock, unsize};

use crate::kind::{Alignment, Kind, VECTOR_SLOTS};
use crate::model::Id;
use crate::objects::{
    Bomb, Fixed, GroupNode, Keyed, LineNode, LongPointer, Once, PageNode, Pointer, Record, Switch,
    Switching, TrackedNode, Value, Vector, WeakPointer, Wide,
};
use crate::operation::Barrier;
use crate::payload::{
    Filled, FilledGroup, FilledLine, FilledPage, Payload, Unit, byte, character, word,
};
use crate::tracked::{DropLog, Tracked, TrackedUnit};

/// Allocates an object of any kind.
///
/// # Errors
///
/// Those of the heap.
pub fn allocate<'gc>(
    mc: &Mutation<'gc>,
    kind: Kind,
    id: Id,
    origin: Option<Pointer<'gc>>,
    log: &Rc<DropLog>,
) -> Result<Pointer<'gc>, HeapError> {
    /// A value without pointers, behind a pointer that does not tell its type.
    macro_rules! payload {
        ($value:expr) => {
            Pointer::Payload(unsize!(Gc::try_new(mc, $value)? => dyn Payload + 'static))
        };
    }
    let nil = || Lock::new(Value::Nil);
    Ok(match kind {
        Kind::Unit => payload!(Unit),
        Kind::Filled(2) => payload!(Filled::<2>::of(id)),
        Kind::Filled(3) => payload!(Filled::<3>::of(id)),
        Kind::Filled(4) => payload!(Filled::<4>::of(id)),
        Kind::Filled(512) => payload!(Filled::<512>::of(id)),
        Kind::Filled(1023) => payload!(Filled::<1023>::of(id)),
        Kind::Filled(1024) => payload!(Filled::<1024>::of(id)),
        Kind::Filled(1025) => payload!(Filled::<1025>::of(id)),
        Kind::Filled(words) => unreachable!("there is no struct of {words} words"),
        Kind::Aligned(Alignment::Line) => payload!(FilledLine::<8>::of(id)),
        Kind::Aligned(Alignment::Group) => payload!(FilledGroup::<64>::of(id)),
        Kind::Aligned(Alignment::Page) => payload!(FilledPage::<512>::of(id)),
        Kind::Words(count) => Pointer::Words(Gc::try_slice_from_iter(
            mc,
            (0..count).map(|index| word(id, index)),
        )?),
        Kind::Bytes(count) => Pointer::Bytes(Gc::try_slice_from_iter(
            mc,
            (0..count).map(|index| byte(id, index)),
        )?),
        Kind::Text(count) => {
            let text: String = (0..count).map(|index| character(id, index)).collect();
            Pointer::Text(Gc::try_str_from(mc, &text)?)
        }
        Kind::Tracked => Pointer::Tracked(Gc::try_new(mc, Tracked::new(id, 0, log))?),
        Kind::TrackedUnit => Pointer::TrackedUnit(Gc::try_new(mc, TrackedUnit)?),
        Kind::TrackedSlice(count) => {
            let items = (0..count).map(|index| Tracked::new(id, index, log));
            Pointer::TrackedSlice(Gc::try_slice_from_iter(mc, items)?)
        }
        Kind::TrackedNode => {
            let node = TrackedNode {
                tracked: Tracked::new(id, 0, log),
                slot: nil(),
            };
            Pointer::TrackedNode(Gc::try_new(mc, node)?)
        }
        Kind::Fixed => {
            let origin = origin.and_then(Pointer::as_fixed);
            let fixed = Fixed {
                id,
                strong: Lock::new(None),
                small: id as u32,
                weak: Lock::new(None),
                switch: Lock::new(None),
                origin,
            };
            Pointer::Fixed(Gc::try_new(mc, fixed)?)
        }
        Kind::Switch => {
            let [first, second] = [Switching::Nil; 2].map(Lock::new);
            Pointer::Switch(Gc::try_new(mc, Switch { first, id, second })?)
        }
        Kind::Record => Pointer::Record(Gc::try_new(
            mc,
            Record {
                id,
                slots: [nil(), nil(), nil()],
            },
        )?),
        Kind::Wide => {
            let words = core::array::from_fn(|index| word(id, index));
            let [near, far] = [None; 2].map(Lock::new);
            Pointer::Wide(Gc::try_new(
                mc,
                Wide {
                    id,
                    near,
                    words,
                    far,
                    weak: Lock::new(None),
                },
            )?)
        }
        Kind::Once => Pointer::Once(Gc::try_new(
            mc,
            Once {
                id,
                slot: OnceLock::new(),
            },
        )?),
        Kind::AlignedNode(Alignment::Line) => {
            Pointer::LineNode(Gc::try_new(mc, LineNode { id, slot: nil() })?)
        }
        Kind::AlignedNode(Alignment::Group) => {
            Pointer::GroupNode(Gc::try_new(mc, GroupNode { id, slot: nil() })?)
        }
        Kind::AlignedNode(Alignment::Page) => {
            Pointer::PageNode(Gc::try_new(mc, PageNode { id, slot: nil() })?)
        }
        Kind::Vector => {
            let slots = RefLock::new(Vec::new());
            Pointer::Vector(Gc::try_new(
                mc,
                Vector {
                    tracked: Tracked::new(id, 0, log),
                    slots,
                },
            )?)
        }
        Kind::Bomb => Pointer::Bomb(Gc::try_new(
            mc,
            Bomb {
                id,
                log: log.clone(),
                slot: nil(),
            },
        )?),
        Kind::Keyed => {
            let (slot, pair) = (nil(), Lock::new(None));
            Pointer::Keyed(Gc::try_new(mc, Keyed { id, slot, pair })?)
        }
        Kind::Values(count) => {
            Pointer::Values(Gc::try_slice_from_iter(mc, (0..count).map(|_| nil()))?)
        }
        Kind::Links(count) => Pointer::Links(Gc::try_slice_from_iter(
            mc,
            (0..count).map(|_| Lock::new(None)),
        )?),
    })
}

fn from_strong<'gc>(fixed: Option<Gc<'gc, Fixed<'gc>>>) -> Value<'gc> {
    fixed.map_or(Value::Nil, |gc| Value::Strong(Pointer::Fixed(gc)))
}

fn from_weak<'gc>(fixed: Option<GcWeak<'gc, Fixed<'gc>>>) -> Value<'gc> {
    fixed.map_or(Value::Nil, |gc| Value::Weak(WeakPointer::Fixed(gc)))
}

impl<'gc> From<Switching<'gc>> for Value<'gc> {
    fn from(switching: Switching<'gc>) -> Value<'gc> {
        match switching {
            Switching::Nil => Value::Nil,
            Switching::Number(number) => Value::Number(number),
            Switching::Strong(gc) => Value::Strong(Pointer::Switch(gc)),
            Switching::Weak(gc) => Value::Weak(WeakPointer::Switch(gc)),
            Switching::Long(gc) => Value::Long(LongPointer::Switch(gc)),
        }
    }
}

/// What a value is instead where only some are allowed.
impl<'gc> Value<'gc> {
    fn fixed(self) -> Option<Gc<'gc, Fixed<'gc>>> {
        match self {
            Value::Nil => None,
            Value::Strong(pointer) => pointer.as_fixed(),
            _ => panic!("a strong pointer is wanted"),
        }
    }

    fn weak_fixed(self) -> Option<GcWeak<'gc, Fixed<'gc>>> {
        match self {
            Value::Nil => None,
            Value::Weak(WeakPointer::Fixed(gc)) => Some(gc),
            _ => panic!("a weak pointer is wanted"),
        }
    }

    fn switching(self) -> Switching<'gc> {
        match self {
            Value::Nil => Switching::Nil,
            Value::Number(number) => Switching::Number(number),
            Value::Strong(Pointer::Switch(gc)) => Switching::Strong(gc),
            Value::Weak(WeakPointer::Switch(gc)) => Switching::Weak(gc),
            Value::Long(LongPointer::Switch(gc)) => Switching::Long(gc),
            _ => panic!("a pointer to a switch is wanted"),
        }
    }
}

impl<'gc> Pointer<'gc> {
    fn as_fixed(self) -> Option<Gc<'gc, Fixed<'gc>>> {
        match self {
            Pointer::Fixed(gc) => Some(gc),
            _ => None,
        }
    }

    /// What is in all slots.
    pub fn slots(self) -> Vec<Value<'gc>> {
        match self {
            Pointer::TrackedNode(gc) => vec![gc.slot.get()],
            Pointer::Fixed(gc) => vec![
                from_strong(gc.strong.get()),
                from_weak(gc.weak.get()),
                gc.switch
                    .get()
                    .map_or(Value::Nil, |gc| Value::Strong(Pointer::Switch(gc))),
                from_strong(gc.origin),
            ],
            Pointer::Switch(gc) => vec![gc.first.get().into(), gc.second.get().into()],
            Pointer::Record(gc) => gc.slots.iter().map(Lock::get).collect(),
            Pointer::Wide(gc) => {
                vec![
                    from_strong(gc.near.get()),
                    from_strong(gc.far.get()),
                    from_weak(gc.weak.get()),
                ]
            }
            Pointer::Once(gc) => vec![gc.slot.get().copied().unwrap_or(Value::Nil)],
            Pointer::LineNode(gc) => vec![gc.slot.get()],
            Pointer::GroupNode(gc) => vec![gc.slot.get()],
            Pointer::PageNode(gc) => vec![gc.slot.get()],
            Pointer::Vector(gc) => gc.slots.borrow().clone(),
            Pointer::Bomb(gc) => vec![gc.slot.get()],
            Pointer::Keyed(gc) => vec![gc.slot.get()],
            Pointer::Values(gc) => gc.iter().map(Lock::get).collect(),
            Pointer::Links(gc) => gc.iter().map(|link| from_strong(link.get())).collect(),
            Pointer::Payload(_)
            | Pointer::Words(_)
            | Pointer::Bytes(_)
            | Pointer::Text(_)
            | Pointer::Tracked(_)
            | Pointer::TrackedUnit(_)
            | Pointer::TrackedSlice(_) => Vec::new(),
        }
    }

    /// What is in one slot.
    pub fn slot(self, slot: usize) -> Value<'gc> {
        match self {
            Pointer::Values(gc) => gc[slot].get(),
            Pointer::Links(gc) => from_strong(gc[slot].get()),
            _ => self.slots()[slot],
        }
    }

    /// Writes a slot, or adds one if it is that behind the last.
    ///
    /// # Panics
    ///
    /// If the slot cannot hold the value.
    pub fn set(self, mc: &Mutation<'gc>, slot: usize, value: Value<'gc>, barrier: Barrier) {
        match self {
            Pointer::TrackedNode(gc) => unlock!(Gc::write(mc, gc), TrackedNode, slot).set(value),
            Pointer::Fixed(gc) => {
                let gc = Gc::write(mc, gc);
                match slot {
                    0 => unlock!(gc, Fixed, strong).set(value.fixed()),
                    1 => unlock!(gc, Fixed, weak).set(value.weak_fixed()),
                    2 => unlock!(gc, Fixed, switch).set(match value.switching() {
                        Switching::Nil => None,
                        Switching::Strong(gc) => Some(gc),
                        _ => panic!("a strong pointer is wanted"),
                    }),
                    _ => panic!("the origin is never written"),
                }
            }
            Pointer::Switch(gc) => {
                let switch = gc.as_ref();
                let lock = if slot == 0 {
                    &switch.first
                } else {
                    &switch.second
                };
                opened(mc, Gc::erase(gc), lock, barrier)
                    .unlock()
                    .set(value.switching());
            }
            Pointer::Record(gc) => {
                opened(mc, Gc::erase(gc), &gc.as_ref().slots[slot], barrier)
                    .unlock()
                    .set(value);
            }
            Pointer::Wide(gc) => {
                let gc = Gc::write(mc, gc);
                match slot {
                    0 => unlock!(gc, Wide, near).set(value.fixed()),
                    1 => unlock!(gc, Wide, far).set(value.fixed()),
                    _ => unlock!(gc, Wide, weak).set(value.weak_fixed()),
                }
            }
            Pointer::Once(gc) => {
                let set = unlock!(Gc::write(mc, gc), Once, slot).set(value);
                assert!(set.is_ok(), "the slot was written before");
            }
            Pointer::LineNode(gc) => unlock!(Gc::write(mc, gc), LineNode, slot).set(value),
            Pointer::GroupNode(gc) => unlock!(Gc::write(mc, gc), GroupNode, slot).set(value),
            Pointer::PageNode(gc) => unlock!(Gc::write(mc, gc), PageNode, slot).set(value),
            Pointer::Vector(gc) => {
                let mut slots = unlock!(Gc::write(mc, gc), Vector, slots).borrow_mut();
                if slot == slots.len() {
                    slots.push(value);
                } else {
                    slots[slot] = value;
                }
            }
            Pointer::Bomb(gc) => unlock!(Gc::write(mc, gc), Bomb, slot).set(value),
            Pointer::Keyed(gc) => unlock!(Gc::write(mc, gc), Keyed, slot).set(value),
            Pointer::Values(gc) => opened_element(mc, gc, slot, barrier).unlock().set(value),
            Pointer::Links(gc) => {
                opened_element(mc, gc, slot, barrier)
                    .unlock()
                    .set(value.fixed());
            }
            Pointer::Payload(_)
            | Pointer::Words(_)
            | Pointer::Bytes(_)
            | Pointer::Text(_)
            | Pointer::Tracked(_)
            | Pointer::TrackedUnit(_)
            | Pointer::TrackedSlice(_) => panic!("the object has no slots"),
        }
    }

    /// The object as what has a place for an ephemeron, and can be key and value of one.
    ///
    /// # Panics
    ///
    /// If it is of another kind than [`Kind::Keyed`].
    pub fn keyed(self) -> Gc<'gc, Keyed<'gc>> {
        match self {
            Pointer::Keyed(gc) => gc,
            _ => panic!("the object is no key"),
        }
    }

    /// Takes the content of a [`Kind::Vector`].
    ///
    /// # Panics
    ///
    /// If the object is none.
    pub fn take(self, mc: &Mutation<'gc>) -> Vec<Value<'gc>> {
        let Pointer::Vector(gc) = self else {
            panic!("the object does not grow")
        };
        unlock!(Gc::write(mc, gc), Vector, slots).take()
    }

    /// Adds to the content of a [`Kind::Vector`] as much as it can hold.
    ///
    /// # Panics
    ///
    /// If the object is none.
    pub fn extend(self, mc: &Mutation<'gc>, more: Vec<Value<'gc>>) {
        let Pointer::Vector(gc) = self else {
            panic!("the object does not grow")
        };
        let mut slots = unlock!(Gc::write(mc, gc), Vector, slots).borrow_mut();
        let room = VECTOR_SLOTS - slots.len();
        slots.extend(more.into_iter().take(room));
    }

    /// Whether this is the object `id` of that kind, with all that it holds beside slots.
    pub fn is(self, kind: Kind, id: Id) -> bool {
        let same_words = |words: &[u64]| (0..).zip(words).all(|(index, w)| *w == word(id, index));
        match (self, kind) {
            (Pointer::Payload(gc), Kind::Unit | Kind::Filled(_) | Kind::Aligned(_)) => gc.is(id),
            (Pointer::Words(gc), Kind::Words(count)) => gc.len() == count && same_words(&gc),
            (Pointer::Bytes(gc), Kind::Bytes(count)) => {
                gc.len() == count && (0..).zip(&*gc).all(|(index, b)| *b == byte(id, index))
            }
            (Pointer::Text(gc), Kind::Text(count)) => {
                gc.len() == count
                    && (0..)
                        .zip(gc.chars())
                        .all(|(index, c)| c == character(id, index))
            }
            (Pointer::Tracked(gc), Kind::Tracked) => gc.is(id, 0),
            (Pointer::TrackedUnit(_), Kind::TrackedUnit) => true,
            (Pointer::TrackedSlice(gc), Kind::TrackedSlice(count)) => {
                gc.len() == count && (0..).zip(&*gc).all(|(index, item)| item.is(id, index))
            }
            (Pointer::TrackedNode(gc), Kind::TrackedNode) => gc.tracked.is(id, 0),
            (Pointer::Fixed(gc), Kind::Fixed) => gc.id == id && gc.small == id as u32,
            (Pointer::Switch(gc), Kind::Switch) => gc.id == id,
            (Pointer::Record(gc), Kind::Record) => gc.id == id,
            (Pointer::Wide(gc), Kind::Wide) => gc.id == id && same_words(&gc.words),
            (Pointer::Once(gc), Kind::Once) => gc.id == id,
            (Pointer::LineNode(gc), Kind::AlignedNode(Alignment::Line)) => gc.id == id,
            (Pointer::GroupNode(gc), Kind::AlignedNode(Alignment::Group)) => gc.id == id,
            (Pointer::PageNode(gc), Kind::AlignedNode(Alignment::Page)) => gc.id == id,
            (Pointer::Vector(gc), Kind::Vector) => gc.tracked.is(id, 0),
            (Pointer::Bomb(gc), Kind::Bomb) => gc.id == id,
            (Pointer::Keyed(gc), Kind::Keyed) => gc.id == id,
            (Pointer::Values(gc), Kind::Values(count)) => gc.len() == count,
            (Pointer::Links(gc), Kind::Links(count)) => gc.len() == count,
            _ => false,
        }
    }
}

/// A lock of an object, opened by one of the barriers that there are.
fn opened<'gc, T>(
    mc: &Mutation<'gc>,
    object: Gc<'gc, ()>,
    lock: &'gc Lock<T>,
    barrier: Barrier,
) -> &'gc Write<Lock<T>> {
    match barrier {
        Barrier::Object | Barrier::Element => mc.backward_barrier(object, None),
        // Any object will do as the child of an unknown parent.
        Barrier::Unknown => mc.forward_barrier(None, object),
    }
    // SAFETY: a barrier was called for the object of the lock, or for all.
    unsafe { Write::assume(lock) }
}

/// The barrier for one element of a slice.
pub fn write_at<'gc, T>(mc: &Mutation<'gc>, slice: Gc<'gc, [T]>, index: usize) -> &'gc Write<T> {
    Gc::write_at(mc, slice, index)
}

/// A lock in a slice, opened by one of the barriers that there are.
fn opened_element<'gc, T>(
    mc: &Mutation<'gc>,
    slice: Gc<'gc, [Lock<T>]>,
    index: usize,
    barrier: Barrier,
) -> &'gc Write<Lock<T>> {
    match barrier {
        Barrier::Element => write_at(mc, slice, index),
        Barrier::Object | Barrier::Unknown => {
            opened(mc, Gc::erase(slice), &slice.as_ref()[index], barrier)
        }
    }
}
