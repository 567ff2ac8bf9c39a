//! Type maps: how the collector finds the pointer words of a value of a given type.
//!
//! Every type that implements [`Collect`](crate::Collect) has a [`TypeMap`] constant. It is what
//! the allocator consults, once, to set the pointer tags of a new object in the metadata planes;
//! after that the tags, and not the type, are what the marker follows.
//!
//! There are four kinds, from cheapest to dearest:
//!
//! | kind | meaning | tags are set |
//! | --- | --- | --- |
//! | `Leaf` | holds no pointer | never |
//! | `Fixed` | the pointer words are the same for every value | at allocation, with a constant |
//! | `Dynamic` | the pointer words depend on the value, and all lie in the value itself | by visiting the value, at allocation and again after writes |
//! | `External` | pointers may lie outside the value (in a `Vec`, a `Box` …), or nothing is known | never: the value is visited each time it is marked |
//!
//! Maps compose: the derive macro builds the map of a struct from those of its fields and their
//! offsets, and that of an enum from those of all its variants' fields. Composition is `const`, so
//! the map of any concrete type is a compile-time constant.
//!
//! # Invariants
//!
//! 1. For a `Fixed` map, bit *i* of `tags` is set exactly if word *i* of every value is a pointer
//!    word: null, an immediate, or a `Gc`/`GcWeak`. Bit *i* of `kinds` says of a pointer word that it is
//!    weak, and of another that it is derived from word *i* - 1, which is a strong pointer word, or, if that is a
//!    weak one, that it is the value of the ephemeron of which that is the key.
//! 2. A `Leaf` or `Fixed` type has no pointer outside its own words, and neither has `Dynamic`.
//! 3. `moves` is set if a write to a value in place, through a cell, can change which of its words
//!    are pointers. Only `Dynamic` and `External` maps may have it.
//! 4. A map other than `Leaf` is *branded* if the type has the lifetime of its arena's brand in it, because some part
//!    of it is a pointer of the heap. `Fixed` and `Dynamic` ones are, for they are made from such pointers; of an
//!    `External` one it is written down, and if it is not branded, nothing is known. So no value of a branded type,
//!    and nothing that borrows from one, is in use outside of the `mutate` calls of the arena.
//! 5. An `External` map is *concurrent* if a marker may trace a value while the program runs: once the marker has
//!    published the value's object and found it unclaimed (`crate::protocol::claim`). That is so if its `trace` consists
//!    of those of this crate and of the derive macro, which visit each pointer once, run no code of anybody else and do not
//!    panic; and if all memory that it reads, flags of locks apart, is changed only after the write barrier of the object.
//!    Such is memory that the value owns alone, at any depth, in which cells open behind barriers only. It is not so if
//!    memory is shared (`Rc`, `Arc`): the barrier of one owner says nothing to a marker that comes from another. A
//!    concurrent map is branded, as it is made from pointers.
//! 6. If `niche` is not zero: a value of `niche` words has no bit pattern that stands for no value but those
//!    in which its one strong or weak pointer is null.
//! 7. The `trace` of a type with a `Dynamic` map consists of those of this crate and of the derive macro, for others
//!    have no means to make one. So it runs no other code, and does not panic where nobody uses a reference to the value.
//! 8. `kinds` of a `Dynamic` map is set if some word of some value can have a bit in the `kinds` plane.

use core::mem::size_of;

/// The widest object, in words, that a constant map can describe.
const MAP_WORDS: u32 = u64::BITS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Leaf,
    Fixed { tags: u64, kinds: u64, niche: u8 },
    Dynamic { moves: bool, kinds: bool },
    External { branded: bool, concurrent: bool },
}

/// Where the pointers of a type are: nowhere, at fixed places, at places that depend on the value,
/// or outside of the value.
///
/// Hand-written implementations of [`Collect`](crate::Collect) need not name this type: the
/// default is right for every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeMap(Kind);

impl TypeMap {
    /// A type that holds no pointers.
    pub const LEAF: TypeMap = TypeMap(Kind::Leaf);

    /// A type of which only its `trace` method knows where the pointers are, and whether there are any.
    pub const EXTERNAL: TypeMap = TypeMap(Kind::External {
        branded: false,
        concurrent: false,
    });

    /// One word that is a strong pointer: the map of `Gc`.
    pub(crate) const STRONG: TypeMap = TypeMap::pointer(0b1, 0, 1);

    /// One word that is a weak pointer: the map of `GcWeak`.
    pub(crate) const WEAK: TypeMap = TypeMap::pointer(0b1, 0b1, 1);

    /// A strong pointer and a number: the map of `OffsetSlice`.
    pub(crate) const STRONG_AND_NUMBER: TypeMap = TypeMap::pointer(0b1, 0, 2);

    /// A strong pointer, and one into its object: the map of `Interior`.
    pub(crate) const BASE_AND_DERIVED: TypeMap = TypeMap::pointer(0b01, 0b10, 2);

    /// A number, a strong pointer, and one into its object: the map of `Slice`.
    pub(crate) const LENGTH_BASE_AND_DERIVED: TypeMap = TypeMap::pointer(0b010, 0b100, 3);

    /// A strong pointer word and a number, with no niche: the map of `OneOf`.
    pub(crate) const ONE_OF: TypeMap = TypeMap::pointer(0b1, 0, 0);

    const fn pointer(tags: u64, kinds: u64, niche: u8) -> TypeMap {
        TypeMap(Kind::Fixed { tags, kinds, niche })
    }

    /// Two words that are an ephemeron: a weak pointer, the key, and the value, which is no pointer word by its
    /// tag.
    pub(crate) const EPHEMERON: TypeMap = TypeMap::pointer(0b01, 0b11, 0);

    /// The map of a type about which nothing is known but whether it needs tracing at all.
    pub const fn opaque(needs_trace: bool) -> TypeMap {
        if needs_trace {
            TypeMap::EXTERNAL
        } else {
            TypeMap::LEAF
        }
    }

    /// The map of a struct that has, beside what `self` describes, a field of map `field` which
    /// starts `offset` bytes into it.
    pub const fn with_field(self, field: TypeMap, offset: usize) -> TypeMap {
        let word = (offset / size_of::<usize>()) as u32;
        let (tags, kinds, niche) = match field.0 {
            Kind::Fixed { tags, kinds, niche } if offset.is_multiple_of(size_of::<usize>()) => {
                (tags, kinds, niche)
            }
            // A pointer is word-aligned wherever it is, so a field with pointers is too, unless
            // the struct is packed; nothing can be said of that one.
            Kind::Fixed { .. } => return field.elsewhere(),
            Kind::Leaf | Kind::Dynamic { .. } | Kind::External { .. } => {
                return self.with_variant_field(field);
            }
        };
        if word >= MAP_WORDS || (tags | kinds).leading_zeros() < word {
            return self.with_variant_field(field);
        }
        match self.0 {
            // If there is something else in the struct that has a niche, it has more words.
            Kind::Leaf => TypeMap::pointer(tags << word, kinds << word, niche),
            Kind::Fixed {
                tags: t, kinds: k, ..
            } => TypeMap::pointer(t | tags << word, k | kinds << word, 0),
            Kind::Dynamic { .. } | Kind::External { .. } => self.with_variant_field(field),
        }
    }

    /// The map of a type that has, beside what `self` describes, a field of map `field` at a place
    /// which depends on the value (a variant of an enum), or which the compiler does not tell.
    pub const fn with_variant_field(self, field: TypeMap) -> TypeMap {
        match (self.0, field.0) {
            (Kind::External { .. }, _) | (_, Kind::External { .. }) => TypeMap(Kind::External {
                branded: self.is_branded() || field.is_branded(),
                concurrent: self.is_concurrent() && field.is_concurrent(),
            }),
            (_, Kind::Leaf) => self,
            _ => TypeMap(Kind::Dynamic {
                moves: self.moves() || field.moves(),
                kinds: self.may_have_kinds() || field.may_have_kinds(),
            }),
        }
    }

    /// The map of a type whose values own or share what `self` describes, in memory elsewhere.
    pub const fn elsewhere(self) -> TypeMap {
        match self.0 {
            Kind::Leaf => self,
            _ => TypeMap(Kind::External {
                branded: self.is_branded(),
                concurrent: false,
            }),
        }
    }

    /// The map of a type whose values own what `self` describes, in memory elsewhere that nobody shares with them.
    /// Their `trace` runs nobody's code but that of what they own.
    pub(crate) const fn owned(self) -> TypeMap {
        match self.0 {
            Kind::Leaf => self,
            _ => TypeMap(Kind::External {
                branded: self.is_branded(),
                concurrent: self.is_concurrent(),
            }),
        }
    }

    /// The map of a cell whose content has the map `self` and the same address as the cell.
    ///
    /// Writing to the cell replaces the content, so a content whose pointers depend on its value
    /// makes a cell whose pointers move.
    pub const fn in_cell(self) -> TypeMap {
        match self.0 {
            Kind::Dynamic { kinds, .. } => TypeMap(Kind::Dynamic { moves: true, kinds }),
            _ => self,
        }
    }

    /// The map of `[T; count]`, where `self` is that of `T` and `stride` the size of `T` in bytes.
    pub const fn repeated(self, count: usize, stride: usize) -> TypeMap {
        if count == 0 {
            return TypeMap::LEAF;
        }
        match self.0 {
            Kind::Fixed { .. } => {
                let mut map = TypeMap::LEAF;
                let mut i = 0;
                while i < count {
                    map = map.with_field(self, i * stride);
                    if map.fixed().is_none() {
                        return map;
                    }
                    i += 1;
                }
                map
            }
            _ => self,
        }
    }

    /// Whether no value of the type holds a pointer.
    pub const fn is_leaf(self) -> bool {
        matches!(self.0, Kind::Leaf)
    }

    /// Whether the pointers are in words of the value that depend on the value: an enum has this map, mostly.
    pub(crate) const fn is_union(self) -> bool {
        matches!(self.0, Kind::Dynamic { .. })
    }

    /// Whether a word of some value may be a weak or a derived pointer (invariant 8).
    pub(crate) const fn may_have_kinds(self) -> bool {
        match self.0 {
            Kind::Leaf => false,
            Kind::Fixed { kinds, .. } => kinds != 0,
            Kind::Dynamic { kinds, .. } => kinds,
            Kind::External { .. } => true,
        }
    }

    /// Whether values may hold pointers outside their own words.
    pub const fn is_external(self) -> bool {
        matches!(self.0, Kind::External { .. })
    }

    /// Whether the type is known to have the brand of an arena in it (invariant 4).
    pub const fn is_branded(self) -> bool {
        match self.0 {
            Kind::Leaf => false,
            Kind::Fixed { .. } | Kind::Dynamic { .. } => true,
            Kind::External { branded, .. } => branded,
        }
    }

    /// Whether a marker may trace values while the program runs (invariant 5).
    pub const fn is_concurrent(self) -> bool {
        match self.0 {
            Kind::Leaf | Kind::Fixed { .. } | Kind::Dynamic { .. } => true,
            Kind::External { concurrent, .. } => concurrent,
        }
    }

    /// Whether a write in place can change which words are pointers.
    pub const fn moves(self) -> bool {
        matches!(
            self.0,
            Kind::Dynamic { moves: true, .. } | Kind::External { .. }
        )
    }

    /// The map of an `Option` of what `self` describes, where the option takes `bytes` bytes.
    ///
    /// In general the pointers of an option are there or not. But if the only thing of which the compiler can
    /// make the difference is a null, the word is a pointer word of either.
    pub const fn in_option(self, bytes: usize) -> TypeMap {
        match self.0 {
            Kind::Fixed { niche, .. } if niche as usize * size_of::<usize>() == bytes => self,
            _ => TypeMap::LEAF.with_variant_field(self),
        }
    }

    /// The bits of words in `tags` and in `kinds`, if they are the same for every value: bit *i* stands
    /// for word *i*.
    pub const fn fixed(self) -> Option<(u64, u64)> {
        match self.0 {
            Kind::Leaf => Some((0, 0)),
            Kind::Fixed { tags, kinds, .. } => Some((tags, kinds)),
            Kind::Dynamic { .. } | Kind::External { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DYNAMIC: TypeMap = TypeMap(Kind::Dynamic {
        moves: false,
        kinds: false,
    });
    const DYNAMIC_WITH_KINDS: TypeMap = TypeMap(Kind::Dynamic {
        moves: false,
        kinds: true,
    });

    #[test]
    fn a_struct_joins_its_fields() {
        let map = TypeMap::LEAF
            .with_field(TypeMap::STRONG, 8)
            .with_field(TypeMap::LEAF, 16)
            .with_field(TypeMap::WEAK, 24);
        assert_eq!(map.fixed(), Some((0b1010, 0b1000)));
        let outer = TypeMap::LEAF
            .with_field(TypeMap::STRONG, 0)
            .with_field(map, 16);
        assert_eq!(outer.fixed(), Some((0b101001, 0b100000)));
    }

    #[test]
    fn a_field_beyond_the_constant_makes_it_dynamic() {
        let last = TypeMap::LEAF.with_field(TypeMap::STRONG, 63 * 8);
        assert_eq!(last.fixed(), Some((1 << 63, 0)));
        let beyond = TypeMap::LEAF.with_field(TypeMap::STRONG, 64 * 8);
        assert_eq!(beyond, DYNAMIC);
        let straddling = TypeMap::LEAF.with_field(TypeMap::STRONG.repeated(2, 8), 63 * 8);
        assert_eq!(straddling, DYNAMIC);
    }

    #[test]
    fn a_misaligned_pointer_is_left_to_trace() {
        assert!(TypeMap::LEAF.with_field(TypeMap::STRONG, 4).is_external());
    }

    #[test]
    fn a_cell_of_an_enum_moves() {
        let value = TypeMap::LEAF.with_variant_field(TypeMap::STRONG);
        assert_eq!(value, DYNAMIC);
        assert!(!value.moves() && value.in_cell().moves());
        assert_eq!(TypeMap::STRONG.in_cell(), TypeMap::STRONG);
        assert!(TypeMap::LEAF.with_field(value.in_cell(), 8).moves());
        assert!(TypeMap::LEAF.with_variant_field(TypeMap::LEAF).is_leaf());
    }

    #[test]
    fn external_swallows_everything() {
        let map = TypeMap::LEAF
            .with_field(TypeMap::STRONG, 0)
            .with_field(TypeMap::EXTERNAL, 8);
        assert!(map.is_external());
        assert!(
            TypeMap::EXTERNAL
                .with_field(TypeMap::STRONG, 0)
                .is_external()
        );
        assert!(map.repeated(3, 16).is_external() && map.repeated(0, 16).is_leaf());
    }

    #[test]
    fn a_pointer_anywhere_is_a_brand() {
        let unknown = TypeMap::EXTERNAL;
        assert!(!unknown.is_branded() && !TypeMap::LEAF.is_branded());
        assert!(!unknown.elsewhere().in_cell().in_option(8).is_branded());
        for map in [TypeMap::STRONG, TypeMap::WEAK, TypeMap::EPHEMERON] {
            let list = map.elsewhere();
            assert!(list.is_external() && list.is_branded());
            assert!(unknown.with_field(map, 0).is_branded());
            assert!(unknown.with_variant_field(list).in_cell().is_branded());
            assert!(map.with_field(unknown, 8).is_branded());
            assert!(TypeMap::LEAF.with_field(list, 8).elsewhere().is_branded());
            assert!(TypeMap::LEAF.with_variant_field(map).is_branded());
        }
        assert!(TypeMap::LEAF.elsewhere().is_leaf());
    }

    #[test]
    fn what_nobody_shares_is_traced_concurrently() {
        let list = TypeMap::STRONG.owned();
        assert!(list.is_external() && list.is_concurrent() && list.is_branded());
        assert!(list.owned().in_cell().in_option(24).is_concurrent());
        assert!(TypeMap::LEAF.with_field(list, 8).is_concurrent());
        assert!(TypeMap::WEAK.with_variant_field(list).is_concurrent());
        assert!(TypeMap::LEAF.owned().is_leaf());
        for opaque in [TypeMap::EXTERNAL, TypeMap::STRONG.elsewhere()] {
            assert!(!opaque.is_concurrent() && !opaque.owned().is_concurrent());
            assert!(!list.with_field(opaque, 24).is_concurrent());
            assert!(!opaque.with_variant_field(list).is_concurrent());
            assert!(!opaque.repeated(2, 8).is_concurrent());
        }
        assert!(!list.elsewhere().is_concurrent());
    }

    #[test]
    fn derived_words_follow_their_bases() {
        let slice = TypeMap::LENGTH_BASE_AND_DERIVED;
        let pair = TypeMap::LEAF
            .with_field(slice, 8)
            .with_field(TypeMap::WEAK, 0)
            .with_field(TypeMap::BASE_AND_DERIVED, 32);
        assert_eq!(pair.fixed(), Some((0b1_0101, 0b10_1001)));
        assert_eq!(slice.repeated(2, 24).fixed(), Some((0b01_0010, 0b10_0100)));
        let last = TypeMap::LEAF.with_field(slice, 61 * 8);
        assert_eq!(last.fixed(), Some((1 << 62, 1 << 63)));
        let straddling = TypeMap::LEAF.with_field(slice, 62 * 8);
        assert_eq!(straddling, DYNAMIC_WITH_KINDS);
    }

    #[test]
    fn a_union_knows_whether_something_in_it_is_not_plain() {
        for (map, kinds) in [
            (TypeMap::STRONG, false),
            (TypeMap::WEAK, true),
            (TypeMap::EPHEMERON, true),
            (TypeMap::BASE_AND_DERIVED, true),
        ] {
            let union = TypeMap::LEAF.with_variant_field(map);
            assert!(union.is_union() && union.may_have_kinds() == kinds);
            assert_eq!(union.in_cell().repeated(100, 8).may_have_kinds(), kinds);
            assert_eq!(DYNAMIC.with_field(map, 8).may_have_kinds(), kinds);
            assert_eq!(union.with_field(TypeMap::STRONG, 8).may_have_kinds(), kinds);
        }
    }

    #[test]
    fn an_option_is_fixed_if_none_is_a_null() {
        for (map, words) in [
            (TypeMap::STRONG, 1),
            (TypeMap::WEAK, 1),
            (TypeMap::STRONG_AND_NUMBER, 2),
            (TypeMap::BASE_AND_DERIVED, 2),
            (TypeMap::LENGTH_BASE_AND_DERIVED, 3),
        ] {
            assert_eq!(map.in_option(8 * words), map);
            assert_eq!(TypeMap::LEAF.with_field(map, 0).in_option(8 * words), map);
            let dynamic = TypeMap::LEAF.with_variant_field(map);
            assert_eq!(map.in_option(8 * words + 8), dynamic);
            // The niche may be that of the number before.
            let numbered = TypeMap::LEAF.with_field(map, 8);
            assert_eq!(numbered.in_option(8 * words + 8), dynamic);
            let pair = map.repeated(2, 8 * words);
            assert_eq!(pair.in_option(16 * words), dynamic);
        }
        assert_eq!(TypeMap::LEAF.in_option(8), TypeMap::LEAF);
        assert!(TypeMap::EXTERNAL.in_option(8).is_external());
    }

    #[test]
    fn an_array_repeats_its_element() {
        let pair = TypeMap::LEAF.with_field(TypeMap::STRONG, 8);
        assert_eq!(pair.repeated(3, 16).fixed(), Some((0b101010, 0)));
        assert_eq!(pair.repeated(33, 16), DYNAMIC);
    }
}
