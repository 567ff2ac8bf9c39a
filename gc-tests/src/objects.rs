//! The types of the objects in the real heap, and what can be asked of a pointer to any of them.

use std::rc::Rc;

use gc_core::arena::Root as RootOf;
use gc_core::collect::Trace;
use gc_core::lock::OnceLock;
use gc_core::{
    Collect, DynamicRoot, DynamicRootSet, Ephemeron, Gc, GcWeak, GcWeakLong, Lock, Mutation,
    Pinned, RefLock, Rootable, Soft,
};

use crate::kind::VALUE_BYTES;
use crate::model::Id;
use crate::payload::Payload;
use crate::tracked::{DropLog, Tracked, TrackedUnit};

/// What is in a slot for anything.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Value<'gc> {
    /// Nothing.
    Nil,
    /// An integer.
    Number(i64),
    /// A pointer that keeps its target alive.
    Strong(Pointer<'gc>),
    /// A pointer that does not.
    Weak(WeakPointer<'gc>),
    /// One that does not, and that finalization does not clear.
    Long(LongPointer<'gc>),
    /// A pointer that keeps its target alive as long as the policy says, here always.
    Soft(Soft<'gc, Keyed<'gc>>),
}

/// Two words, of which the second is a strong pointer, a weak one or neither.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Switching<'gc> {
    /// Nothing.
    Nil,
    /// An integer.
    Number(i64),
    /// A pointer that keeps its target alive.
    Strong(Gc<'gc, Switch<'gc>>),
    /// A pointer that does not.
    Weak(GcWeak<'gc, Switch<'gc>>),
    /// One that does not, and that finalization does not clear.
    Long(GcWeakLong<'gc, Switch<'gc>>),
}

/// The object of [`Kind::Fixed`](crate::kind::Kind::Fixed).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Fixed<'gc> {
    pub id: Id,
    pub strong: Lock<Option<Gc<'gc, Fixed<'gc>>>>,
    pub small: u32,
    pub weak: Lock<Option<GcWeak<'gc, Fixed<'gc>>>>,
    pub switch: Lock<Option<Gc<'gc, Switch<'gc>>>>,
    pub origin: Option<Gc<'gc, Fixed<'gc>>>,
}

/// The object of [`Kind::Switch`](crate::kind::Kind::Switch).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Switch<'gc> {
    pub first: Lock<Switching<'gc>>,
    pub id: Id,
    pub second: Lock<Switching<'gc>>,
}

/// The object of [`Kind::Record`](crate::kind::Kind::Record).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Record<'gc> {
    pub id: Id,
    pub slots: [Lock<Value<'gc>>; 3],
}

/// The object of [`Kind::Wide`](crate::kind::Kind::Wide). Two pointers lie beyond the words that a
/// constant map describes.
#[derive(Collect)]
#[collect(no_drop)]
#[repr(C)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Wide<'gc> {
    pub id: Id,
    pub near: Lock<Option<Gc<'gc, Fixed<'gc>>>>,
    pub words: [u64; 71],
    pub far: Lock<Option<Gc<'gc, Fixed<'gc>>>>,
    pub weak: Lock<Option<GcWeak<'gc, Fixed<'gc>>>>,
}

/// The object of [`Kind::Once`](crate::kind::Kind::Once).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Once<'gc> {
    pub id: Id,
    pub slot: OnceLock<Value<'gc>>,
}

macro_rules! aligned_nodes {
    ($($name:ident($align:literal)),*) => {$(
        /// An object of [`Kind::AlignedNode`](crate::kind::Kind::AlignedNode).
        #[derive(Collect)]
        #[collect(no_drop)]
        #[repr(align($align))]
        #[expect(missing_docs, reason = "the names say all")]
        pub struct $name<'gc> {
            pub id: Id,
            pub slot: Lock<Value<'gc>>,
        }
    )*};
}
aligned_nodes!(LineNode(64), GroupNode(512), PageNode(4096));

/// The object of [`Kind::TrackedNode`](crate::kind::Kind::TrackedNode).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct TrackedNode<'gc> {
    pub tracked: Tracked,
    pub slot: Lock<Value<'gc>>,
}

/// The object of [`Kind::Vector`](crate::kind::Kind::Vector).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Vector<'gc> {
    pub tracked: Tracked,
    pub slots: RefLock<Vec<Value<'gc>>>,
}

/// The object of [`Kind::Bomb`](crate::kind::Kind::Bomb).
#[expect(missing_docs, reason = "the names say all")]
pub struct Bomb<'gc> {
    pub id: Id,
    pub log: Rc<DropLog>,
    pub slot: Lock<Value<'gc>>,
}

// SAFETY: the one field with pointers is visited in place, unless `trace` does not return.
unsafe impl<'gc> Collect<'gc> for Bomb<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        self.log.maybe_panic_in_trace();
        cc.trace(&self.slot);
    }
}

/// The object of [`Kind::Keyed`](crate::kind::Kind::Keyed).
#[derive(Collect)]
#[collect(no_drop)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Keyed<'gc> {
    pub id: Id,
    pub slot: Lock<Value<'gc>>,
    pub pair: Lock<Option<Pair<'gc>>>,
}

/// What is in the second field of a [`Keyed`].
pub type Pair<'gc> = Ephemeron<'gc, Keyed<'gc>, Keyed<'gc>>;

/// Where finalizers put what they resurrect.
pub type Drawer<'gc> = RefLock<Vec<Value<'gc>>>;

const _: () = assert!(size_of::<Keyed<'_>>() == 64);
const _: () = assert!(size_of::<Value<'_>>() == VALUE_BYTES && size_of::<Switching<'_>>() == 16);
const _: () = assert!(size_of::<Fixed<'_>>() == 48 && size_of::<Wide<'_>>() == 600);

/// The root of the arena.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Root<'gc> {
    /// The roots.
    pub slots: Vec<Value<'gc>>,
    /// More roots, held by some of the [`Handle`]s.
    pub set: DynamicRootSet<'gc>,
    /// What finalizers have resurrected, until it is made a root.
    pub drawer: Gc<'gc, Drawer<'gc>>,
}

/// What keeps an object alive from outside of the arena.
pub enum Keeper<R: for<'a> Rootable<'a>> {
    /// A handle of the dynamic root set.
    Root(DynamicRoot<R>),
    /// A guard that pins the object.
    Pin(Pinned<R>),
}

impl<R: for<'a> Rootable<'a>> Clone for Keeper<R> {
    fn clone(&self) -> Keeper<R> {
        match self {
            Keeper::Root(root) => Keeper::Root(root.clone()),
            Keeper::Pin(pinned) => Keeper::Pin(pinned.clone()),
        }
    }
}

impl<R: for<'a> Rootable<'a>> Keeper<R> {
    fn fetch<'gc>(&self, mc: &Mutation<'gc>, set: DynamicRootSet<'gc>) -> Gc<'gc, RootOf<'gc, R>> {
        match self {
            Keeper::Root(root) => set.fetch(root),
            Keeper::Pin(pinned) => {
                let gc = pinned.get(mc);
                assert!(std::ptr::addr_eq(pinned.as_ptr(), Gc::as_ptr(gc)));
                assert!(Gc::is_pinned(mc, gc));
                gc
            }
        }
    }

    fn is_pin(&self) -> bool {
        matches!(self, Keeper::Pin(_))
    }
}

/// Defines [`Pointer`], its weak twins, and what keeps it from outside.
macro_rules! pointers {
    ($($variant:ident($target:ty),)*) => {
        /// A strong pointer to an object of any kind.
        #[derive(Clone, Copy, Collect)]
        #[collect(no_drop)]
        #[expect(missing_docs, reason = "the names say all")]
        pub enum Pointer<'gc> {
            $($variant(Gc<'gc, $target>),)*
        }

        /// A weak pointer to an object of any kind.
        #[derive(Clone, Copy, Collect)]
        #[collect(no_drop)]
        #[expect(missing_docs, reason = "the names say all")]
        pub enum WeakPointer<'gc> {
            $($variant(GcWeak<'gc, $target>),)*
        }

        /// A weak pointer that finalization does not clear, to an object of any kind.
        #[derive(Clone, Copy, Collect)]
        #[collect(no_drop)]
        #[expect(missing_docs, reason = "the names say all")]
        pub enum LongPointer<'gc> {
            $($variant(GcWeakLong<'gc, $target>),)*
        }

        /// A root outside of the arena that is an object of any kind.
        #[derive(Clone)]
        #[expect(missing_docs, reason = "the names say all")]
        pub enum Handle {
            $($variant(Keeper<Rootable!['gc => $target]>),)*
        }

        impl<'gc> Pointer<'gc> {
            /// The address of the object.
            pub fn address(self) -> usize {
                match self {
                    $(Pointer::$variant(gc) => Gc::as_ptr(gc).addr(),)*
                }
            }

            /// A weak pointer to the same object.
            pub fn downgrade(self) -> WeakPointer<'gc> {
                match self {
                    $(Pointer::$variant(gc) => WeakPointer::$variant(Gc::downgrade(gc)),)*
                }
            }

            /// One that finalization does not clear.
            pub fn downgrade_long(self) -> LongPointer<'gc> {
                match self {
                    $(Pointer::$variant(gc) => LongPointer::$variant(Gc::downgrade_long(gc)),)*
                }
            }

            /// Makes the object a dynamic root.
            pub fn stash(self, mc: &Mutation<'gc>, set: DynamicRootSet<'gc>) -> Handle {
                match self {
                    $(Pointer::$variant(gc) => {
                        Handle::$variant(Keeper::Root(set.stash(mc, gc)))
                    })*
                }
            }

            /// Pins the object.
            pub fn pin(self, mc: &Mutation<'gc>) -> Handle {
                match self {
                    $(Pointer::$variant(gc) => Handle::$variant(Keeper::Pin(Gc::pin(mc, gc))),)*
                }
            }
        }

        impl<'gc> WeakPointer<'gc> {
            /// The address of the object.
            pub fn address(self) -> usize {
                match self {
                    $(WeakPointer::$variant(gc) => gc.as_ptr().addr(),)*
                }
            }

            /// A strong pointer to the object, if it is still whole.
            pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Pointer<'gc>> {
                match self {
                    $(WeakPointer::$variant(gc) => gc.upgrade(mc).map(Pointer::$variant),)*
                }
            }

            /// Whether the object is not whole any more.
            pub fn is_dropped(self) -> bool {
                match self {
                    $(WeakPointer::$variant(gc) => gc.is_dropped(),)*
                }
            }
        }

        impl<'gc> LongPointer<'gc> {
            /// The address of the object.
            pub fn address(self) -> usize {
                match self {
                    $(LongPointer::$variant(gc) => gc.as_ptr().addr(),)*
                }
            }

            /// A strong pointer to the object, if it is still whole.
            pub fn upgrade(self, mc: &Mutation<'gc>) -> Option<Pointer<'gc>> {
                match self {
                    $(LongPointer::$variant(gc) => gc.upgrade(mc).map(Pointer::$variant),)*
                }
            }

            /// Whether the object is not whole any more.
            pub fn is_dropped(self) -> bool {
                match self {
                    $(LongPointer::$variant(gc) => gc.is_dropped(),)*
                }
            }
        }

        impl Handle {
            /// The object.
            pub fn fetch<'gc>(
                &self,
                mc: &Mutation<'gc>,
                set: DynamicRootSet<'gc>,
            ) -> Pointer<'gc> {
                match self {
                    $(Handle::$variant(keeper) => Pointer::$variant(keeper.fetch(mc, set)),)*
                }
            }

            /// Whether it pins the object.
            pub fn is_pin(&self) -> bool {
                match self {
                    $(Handle::$variant(keeper) => keeper.is_pin(),)*
                }
            }
        }
    };
}
pointers! {
    Payload(dyn Payload + 'static),
    Words([u64]),
    Bytes([u8]),
    Text(str),
    Tracked(Tracked),
    TrackedUnit(TrackedUnit),
    TrackedSlice([Tracked]),
    TrackedNode(TrackedNode<'gc>),
    Fixed(Fixed<'gc>),
    Switch(Switch<'gc>),
    Record(Record<'gc>),
    Wide(Wide<'gc>),
    Once(Once<'gc>),
    LineNode(LineNode<'gc>),
    GroupNode(GroupNode<'gc>),
    PageNode(PageNode<'gc>),
    Vector(Vector<'gc>),
    Bomb(Bomb<'gc>),
    Keyed(Keyed<'gc>),
    Values([Lock<Value<'gc>>]),
    Links([Lock<Option<Gc<'gc, Fixed<'gc>>>>]),
}
