//! [`Packed`]: an enum in two words, with its pointer always in the first.
//!
//! Which words of an enum are pointers depends on the value, so whoever writes one has to tell the collector
//! ([enums](crate::lock#enums)). Of a packed one they are the same in all values, as in a struct: writing it is storing
//! two words, and a marker needs nothing but the tag of the first. The price is that a `match` is on a copy.
//!
//! # Layout
//!
//! | the variant has | first word | second word |
//! | --- | --- | --- |
//! | a pointer | the pointer, an even number | the number of the variant |
//! | data, at most 8 bytes | twice the number of the variant, plus one | the data, zero behind them |
//! | nothing | the same | zero |
//!
//! An odd number is the address of no object, so markers pass it by.
//!
//! # Invariants
//!
//! 1. What is in a [`OneOf`] was put there as one of the fields, at the number that it tells.
//! 2. So the first word is an odd number, or a pointer of the arena that `'gc` brands.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use crate::mutator::mutation::Invariant;
use crate::pointers::gc::{Gc, IsGcKind};
use crate::types::collect::{Collect, Trace};
use crate::types::type_map::TypeMap;

#[doc(inline)]
pub use gc_derive::Pack;

/// An enum whose variants have one field at most, a pointer or a number, so that it can be [`Packed`].
///
/// It is derived, beside `Collect`. A field is a thin [`Gc`], or one of the types of numbers, `bool`, `char` or
/// `()`. There are 16 variants at most.
///
/// ```
/// use gc_core::packed::{Pack, Packed};
/// use gc_core::{Collect, Gc, Lock, arena::rootless_mutate};
///
/// #[derive(Clone, Copy, Collect, Pack)]
/// #[collect(no_drop)]
/// enum Value<'gc> {
///     Nil,
///     Int(i64),
///     Float(f64),
///     Cell(Gc<'gc, Lock<Packed<'gc, Value<'gc>>>>),
/// }
///
/// rootless_mutate(|mc| {
///     let cell = Gc::new(mc, Lock::new(Packed::new(Value::Nil)));
///     cell.set(mc, Value::Int(5).into());
///     let outer = Packed::new(Value::Cell(cell));
///     match outer.get() {
///         Value::Cell(cell) => assert!(matches!(cell.get().get(), Value::Int(5))),
///         _ => unreachable!(),
///     }
/// });
/// ```
pub trait Pack<'gc>: Copy {
    /// The fields of the variants, in their order: a tuple, with `()` for a variant without a field.
    type Fields;

    /// The number of the variant, with its field.
    fn pack(self) -> OneOf<'gc, Self::Fields>;

    /// The variant of that number, with its field.
    fn unpack(one: OneOf<'gc, Self::Fields>) -> Self;
}

/// A value of the enum `E`, in 16 bytes and with its pointer always in the same word.
///
/// See [`Pack`] for an example.
pub struct Packed<'gc, E: Pack<'gc>>(OneOf<'gc, E::Fields>);

const _: () = assert!(size_of::<OneOf<'static, ()>>() == 16);

impl<'gc, E: Pack<'gc>> Packed<'gc, E> {
    /// Packs a value.
    ///
    /// # Panics
    ///
    /// If it is a pointer to a value without size, whose address is odd.
    #[inline(always)]
    pub fn new(value: E) -> Packed<'gc, E> {
        Packed(value.pack())
    }

    /// The value.
    #[inline(always)]
    pub fn get(self) -> E {
        E::unpack(self.0)
    }
}

impl<'gc, E: Pack<'gc>> Copy for Packed<'gc, E> {}

impl<'gc, E: Pack<'gc>> Clone for Packed<'gc, E> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<'gc, E: Pack<'gc>> From<E> for Packed<'gc, E> {
    #[inline(always)]
    fn from(value: E) -> Self {
        Packed::new(value)
    }
}

impl<'gc, E: Pack<'gc> + Default> Default for Packed<'gc, E> {
    #[inline]
    fn default() -> Self {
        Packed::new(E::default())
    }
}

impl<'gc, E: Pack<'gc> + PartialEq> PartialEq for Packed<'gc, E> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<'gc, E: Pack<'gc> + Eq> Eq for Packed<'gc, E> {}

impl<'gc, E: Pack<'gc> + fmt::Debug> fmt::Debug for Packed<'gc, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

// SAFETY: the one field is visited in place, and is at the same address.
unsafe impl<'gc, E: Pack<'gc>> Collect<'gc> for Packed<'gc, E> {
    const TYPE_MAP: TypeMap = TypeMap::LEAF.with_field(
        OneOf::<'gc, E::Fields>::TYPE_MAP,
        core::mem::offset_of!(Packed<'gc, E>, 0),
    );

    #[inline(always)]
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        cc.trace(&self.0);
    }
}

/// Owns one of them, invariantly.
type Fields<F> = (F, fn(F) -> F);

/// One of the fields of a tuple `F`, and which.
///
/// What [`Pack`] is derived with; a [`Packed`] enum is easier to use.
#[repr(C)]
pub struct OneOf<'gc, F> {
    /// A pointer, or an odd number without provenance.
    word: *const (),
    rest: u64,
    _fields: PhantomData<Fields<F>>,
    _invariant: Invariant<'gc>,
}

// SAFETY: it is a copy of one of the fields.
unsafe impl<F: Send> Send for OneOf<'_, F> {}
// SAFETY: as above.
unsafe impl<F: Sync> Sync for OneOf<'_, F> {}

impl<F> Copy for OneOf<'_, F> {}

impl<F> Clone for OneOf<'_, F> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<'gc, F> OneOf<'gc, F> {
    /// The field with the number `N`.
    ///
    /// # Panics
    ///
    /// If it is a pointer to a value without size, whose address is odd.
    #[inline(always)]
    pub fn new<const N: usize>(field: F::Field) -> OneOf<'gc, F>
    where
        F: HasField<'gc, N>,
    {
        let (word, rest) = match field.into_word() {
            Word::Pointer(pointer) => {
                assert!(
                    pointer.addr() & 1 == 0,
                    "a value without size cannot be packed"
                );
                (pointer, N as u64)
            }
            Word::Data(data) => (ptr::without_provenance(2 * N + 1), data),
        };
        OneOf {
            word,
            rest,
            _fields: PhantomData,
            _invariant: PhantomData,
        }
    }

    #[inline(always)]
    fn is_pointer(self) -> bool {
        self.word.addr() & 1 == 0
    }

    /// The number of the field that it is.
    #[inline(always)]
    pub fn number(self) -> usize {
        match self.is_pointer() {
            true => self.rest as usize,
            false => self.word.addr() >> 1,
        }
    }

    /// The field with the number `N`, if it is that.
    #[inline(always)]
    pub fn get<const N: usize>(self) -> Option<F::Field>
    where
        F: HasField<'gc, N>,
    {
        let word = match self.is_pointer() {
            true => Word::Pointer(self.word),
            false => Word::Data(self.rest),
        };
        // SAFETY: it was made as the field with this number (1), by `into_word` of its type.
        (self.number() == N).then(|| unsafe { F::Field::from_word(word) })
    }
}

// SAFETY: the first word is a pointer word: a pointer of the arena that `'gc` brands, or an odd number (2). The other
// one is none.
unsafe impl<'gc, F> Collect<'gc> for OneOf<'gc, F> {
    const TYPE_MAP: TypeMap =
        TypeMap::ONE_OF.with_field(TypeMap::LEAF, core::mem::offset_of!(OneOf<'gc, F>, rest));

    #[inline(always)]
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        let slot = ptr::from_ref(&self.word).addr();
        if self.is_pointer() {
            // SAFETY: it is a pointer of the arena that `'gc` brands (2), to something that starts there.
            cc.trace_gc_at(slot, unsafe { Gc::from_ptr(self.word) });
        } else {
            cc.trace_null_at(slot, false);
        }
    }
}

/// For a number that [`OneOf::number`] does not return.
#[doc(hidden)]
#[cold]
pub fn no_such_variant() -> ! {
    unreachable!("the number of a variant that there is not")
}

/// What is in a [`OneOf`] of some type of fields.
#[doc(hidden)]
pub enum Word {
    Pointer(*const ()),
    Data(u64),
}

/// A type of which a [`OneOf`] can hold a value.
///
/// # Safety
///
/// 1. `into_word` returns a pointer for all values, or data for all.
/// 2. A pointer is one to the start of an object of the arena that `'gc` brands, or in no heap.
#[doc(hidden)]
pub unsafe trait Field<'gc>: Copy {
    fn into_word(self) -> Word;

    /// # Safety
    ///
    /// `word` comes from `into_word` of this type.
    unsafe fn from_word(word: Word) -> Self;
}

// SAFETY: always a pointer, and it is one of this arena.
unsafe impl<'gc, T: ?Sized, K: IsGcKind<'gc, T>> Field<'gc> for Gc<'gc, T, K>
where
    Gc<'gc, T, K>: Copy,
{
    #[inline(always)]
    fn into_word(self) -> Word {
        const {
            assert!(
                size_of::<Self>() == size_of::<*const ()>(),
                "a pointer to pack is thin"
            )
        }
        // SAFETY: both are one word, and what a thin `Gc` has in it is its pointer.
        Word::Pointer(unsafe { core::mem::transmute_copy::<Self, *const ()>(&self) })
    }

    #[inline(always)]
    unsafe fn from_word(word: Word) -> Self {
        let Word::Pointer(pointer) = word else {
            unreachable!("made as a pointer")
        };
        // SAFETY: the bits are those of such a pointer (the caller's promise).
        unsafe { core::mem::transmute_copy::<*const (), Self>(&pointer) }
    }
}

macro_rules! data {
    ($($type:ty: |$value:ident| $to:expr, |$bits:ident| $from:expr;)*) => {$(
        // SAFETY: never a pointer.
        unsafe impl Field<'_> for $type {
            #[inline(always)]
            fn into_word(self) -> Word {
                let $value = self;
                Word::Data($to)
            }

            #[inline(always)]
            unsafe fn from_word(word: Word) -> Self {
                let Word::Data($bits) = word else {
                    unreachable!("made as data")
                };
                $from
            }
        }
    )*};
}

data! {
    (): |_unit| 0, |_bits| ();
    bool: |value| u64::from(value), |bits| bits != 0;
    char: |value| u64::from(u32::from(value)), |bits| char::from_u32(bits as u32).expect("made of a char");
    u8: |value| value as u64, |bits| bits as u8;
    u16: |value| value as u64, |bits| bits as u16;
    u32: |value| value as u64, |bits| bits as u32;
    u64: |value| value, |bits| bits;
    usize: |value| value as u64, |bits| bits as usize;
    i8: |value| value as u8 as u64, |bits| bits as i8;
    i16: |value| value as u16 as u64, |bits| bits as i16;
    i32: |value| value as u32 as u64, |bits| bits as i32;
    i64: |value| value as u64, |bits| bits as i64;
    isize: |value| value as u64, |bits| bits as isize;
    f32: |value| u64::from(value.to_bits()), |bits| f32::from_bits(bits as u32);
    f64: |value| value.to_bits(), |bits| f64::from_bits(bits);
}

/// A tuple with a field of the number `N`.
#[doc(hidden)]
pub trait HasField<'gc, const N: usize>: sealed::Tuple {
    type Field: Field<'gc>;
}

mod sealed {
    pub trait Tuple {}
}

macro_rules! tuples {
    (@tuple [$($all:ident)*]) => {
        impl<$($all),*> sealed::Tuple for ($($all,)*) {}
    };
    (@field [$($all:ident)*] $n:literal $name:ident) => {
        impl<'gc, $($all),*> HasField<'gc, $n> for ($($all,)*)
        where
            $name: Field<'gc>,
        {
            type Field = $name;
        }
    };
    ($all:tt $($n:literal $name:ident)*) => {
        tuples!(@tuple $all);
        $(tuples!(@field $all $n $name);)*
    };
}

tuples!([A] 0 A);
tuples!([A B] 0 A 1 B);
tuples!([A B C] 0 A 1 B 2 C);
tuples!([A B C D] 0 A 1 B 2 C 3 D);
tuples!([A B C D E] 0 A 1 B 2 C 3 D 4 E);
tuples!([A B C D E F] 0 A 1 B 2 C 3 D 4 E 5 F);
tuples!([A B C D E F G] 0 A 1 B 2 C 3 D 4 E 5 F 6 G);
tuples!([A B C D E F G H] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H);
tuples!([A B C D E F G H I] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I);
tuples!([A B C D E F G H I J] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J);
tuples!([A B C D E F G H I J K] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K);
tuples!([A B C D E F G H I J K L] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L);
tuples!([A B C D E F G H I J K L M] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L 12 M);
tuples!([A B C D E F G H I J K L M N] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L 12 M 13 N);
tuples!([A B C D E F G H I J K L M N O] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L 12 M 13 N 14 O);
tuples!([A B C D E F G H I J K L M N O P] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L 12 M 13 N 14 O 15 P);
