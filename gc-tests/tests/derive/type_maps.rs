//! The constants that `#[derive(Collect)]` computes, beside what `offset_of!` says of the layout.
//!
//! `TYPE_MAP` is not public surface; it is looked at here because a map that is right but slower
//! than need be (a struct visited by `trace` that could have a constant) shows nowhere else.

use core::marker::PhantomData;
use core::mem::offset_of;

use gc_core::__private::TypeMap;
use gc_core::lock::RefLock;
use gc_core::slice::{Interior, OffsetSlice, Slice, Str};
use gc_core::{Collect, Gc, GcWeak, Lock};

const fn map<'gc, T: Collect<'gc> + ?Sized>() -> TypeMap {
    T::TYPE_MAP
}

const fn needs_trace<'gc, T: Collect<'gc> + ?Sized>() -> bool {
    T::NEEDS_TRACE
}

/// The word in which a field lies.
macro_rules! word {
    ($ty:ty, $field:tt) => {
        (offset_of!($ty, $field) / size_of::<usize>())
    };
}

fn assert_fixed(map: TypeMap, strong: &[usize], weak: &[usize]) {
    let bits = |words: &[usize]| words.iter().fold(0_u64, |bits, word| bits | 1 << word);
    assert_eq!(
        map.fixed(),
        Some((bits(strong) | bits(weak), bits(weak))),
        "{map:?}"
    );
}

fn assert_dynamic(map: TypeMap) {
    assert!(map.fixed().is_none() && !map.is_external(), "{map:?}");
}

#[derive(Collect)]
#[collect(no_drop)]
struct Mixed<'gc> {
    _flag: bool,
    strong: Gc<'gc, u64>,
    _count: u32,
    weak: GcWeak<'gc, u64>,
    maybe: Option<Gc<'gc, u64>>,
}

#[test]
fn a_struct_has_the_words_of_its_fields() {
    type M = Mixed<'static>;
    assert_fixed(
        map::<M>(),
        &[word!(M, strong), word!(M, maybe)],
        &[word!(M, weak)],
    );
    assert!(needs_trace::<M>());
}

#[derive(Collect)]
#[collect(no_drop)]
struct Views<'gc> {
    _flag: bool,
    part: Slice<'gc, u64>,
    maybe_part: Lock<Option<Slice<'gc, u64>>>,
    text: Str<'gc>,
    field: Option<Interior<'gc, u64>>,
    tail: Option<OffsetSlice<'gc, u64>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Numbered<'gc>(&'static u64, Interior<'gc, u64>);

#[test]
fn derived_words_are_kinds_without_tags() {
    type V = Views<'static>;
    let words = [
        word!(V, part) + 1,
        word!(V, maybe_part) + 1,
        word!(V, text) + 1,
        word!(V, field),
    ];
    let bits = words.iter().fold(0_u64, |bits, word| bits | 1 << word);
    let tags = bits | (1 << word!(V, tail));
    assert_eq!(map::<V>().fixed(), Some((tags, bits << 1)));
    // Here the compiler may put the difference into the number.
    assert!(map::<Numbered<'static>>().fixed().is_some());
    assert_dynamic(map::<Option<Numbered<'static>>>());
    assert_dynamic(map::<Option<V>>());
}

#[derive(Collect)]
#[collect(no_drop)]
struct Outer<'gc>(u8, Mixed<'gc>, [Gc<'gc, u64>; 2], u16);

#[test]
fn a_struct_in_a_struct_is_shifted_to_its_place() {
    type M = Mixed<'static>;
    type O = Outer<'static>;
    let mixed = word!(O, 1);
    let strong = [
        mixed + word!(M, strong),
        mixed + word!(M, maybe),
        word!(O, 2),
        word!(O, 2) + 1,
    ];
    assert_fixed(map::<O>(), &strong, &[mixed + word!(M, weak)]);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Plain {
    _number: f64,
    _text: String,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Unit;

#[derive(Collect)]
#[collect(no_drop)]
enum Never {}

#[derive(Collect)]
#[collect(no_drop)]
enum Colour {
    _Red = 3,
    _Green = 7,
}

#[derive(Collect)]
#[collect(require_static)]
struct Opaque(#[allow(dead_code)] std::rc::Rc<std::cell::Cell<u8>>);

#[test]
fn what_holds_no_pointer_is_a_leaf() {
    for (map, needs_trace) in [
        (map::<Plain>(), needs_trace::<Plain>()),
        (map::<Unit>(), needs_trace::<Unit>()),
        (map::<Never>(), needs_trace::<Never>()),
        (map::<Colour>(), needs_trace::<Colour>()),
        (map::<Opaque>(), needs_trace::<Opaque>()),
    ] {
        assert!(map.is_leaf() && !needs_trace, "{map:?}");
    }
}

#[derive(Collect)]
#[collect(no_drop)]
enum Value<'gc> {
    _Nil,
    _Number(i64),
    _Pair(Gc<'gc, [Value<'gc>; 2]>),
    _Named {
        r#fn: Gc<'gc, u64>,
        next: Option<Gc<'gc, Value<'gc>>>,
    },
}

#[derive(Collect)]
#[collect(no_drop)]
enum Nothing<'gc> {
    _A(u8),
    _B(PhantomData<Gc<'gc, u8>>),
}

#[test]
fn an_enum_depends_on_its_value() {
    assert_dynamic(map::<Value<'static>>());
    assert!(!map::<Value<'static>>().moves());
    assert!(map::<Nothing<'static>>().is_leaf());
}

#[derive(Collect)]
#[collect(no_drop)]
struct Variable<'gc> {
    _value: RefLock<Value<'gc>>,
}

#[test]
fn a_cell_of_an_enum_moves() {
    assert_dynamic(map::<Variable<'static>>());
    assert!(map::<Variable<'static>>().moves());
}

#[derive(Collect)]
#[collect(no_drop)]
struct List<'gc, T: 'gc> {
    item: T,
    next: Option<Gc<'gc, List<'gc, T>>>,
    previous: Option<GcWeak<'gc, Self>>,
}

#[test]
fn a_type_that_points_at_itself_has_a_constant_map() {
    type Inner = List<'static, u8>;
    type Nested = List<'static, Inner>;
    assert_fixed(
        map::<Inner>(),
        &[word!(Inner, next)],
        &[word!(Inner, previous)],
    );
    let item = word!(Nested, item);
    assert_fixed(
        map::<Nested>(),
        &[word!(Nested, next), item + word!(Inner, next)],
        &[word!(Nested, previous), item + word!(Inner, previous)],
    );
}

#[derive(Collect)]
#[collect(no_drop)]
enum Tree<'gc> {
    _Leaf(Gc<'gc, u8>),
    _Fork(#[collect(recursive)] Box<(Tree<'gc>, Forest<'gc>)>),
}

#[derive(Collect)]
#[collect(no_drop)]
struct Forest<'gc>(Vec<Tree<'gc>>);

#[test]
fn a_type_that_owns_itself_is_external() {
    assert!(map::<Tree<'static>>().is_external() && needs_trace::<Tree<'static>>());
    assert!(map::<Forest<'static>>().is_external());
}

#[derive(Collect)]
#[collect(no_drop)]
struct Row<'gc, T, const N: usize> {
    _tag: u8,
    cells: [Gc<'gc, T>; N],
    flags: [T; N],
}

#[test]
fn a_const_parameter_repeats_the_element() {
    type Three = Row<'static, u8, 3>;
    let first = word!(Three, cells);
    assert_fixed(map::<Three>(), &[first, first + 1, first + 2], &[]);
    assert!(map::<Row<'static, u8, 0>>().is_leaf());
    assert_dynamic(map::<Row<'static, u64, 65>>());

    type Nested = Row<'static, Gc<'static, u8>, 2>;
    let (cells, flags) = (word!(Nested, cells), word!(Nested, flags));
    assert_fixed(map::<Nested>(), &[cells, cells + 1, flags, flags + 1], &[]);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Headed<'gc, T>
where
    T: ?Sized,
{
    head: Gc<'gc, u8>,
    tail: T,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Text<'gc> {
    head: Gc<'gc, u8>,
    _text: str,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Behind<'gc, T: ?Sized + 'gc> {
    reference: Gc<'gc, T>,
    _length: usize,
}

#[test]
fn a_struct_that_may_be_unsized_has_no_constant_places() {
    assert_dynamic(map::<Headed<'static, [u8]>>());
    assert_dynamic(map::<Headed<'static, u64>>());
    assert_dynamic(map::<Headed<'static, Gc<'static, u8>>>());
    assert!(
        map::<Headed<'static, [Gc<'static, u8>]>>()
            .fixed()
            .is_none()
    );
    assert_dynamic(map::<Text<'static>>());
    type B = Behind<'static, [u64]>;
    assert_fixed(map::<B>(), &[word!(B, reference)], &[]);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Partly<'gc, F> {
    #[collect(require_static)]
    _callback: F,
    #[collect(require_static)]
    _shared: std::rc::Rc<u8>,
    value: Gc<'gc, u8>,
}

#[test]
fn a_static_field_is_skipped() {
    type P = Partly<'static, fn(u8) -> u8>;
    assert_fixed(map::<P>(), &[word!(P, value)], &[]);
}
