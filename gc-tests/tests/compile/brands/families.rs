//! Families of types with a given member.

/// A family whose member is `MEMBER`, and the items that it needs.
pub struct Family {
    pub name: &'static str,
    pub items: &'static str,
    pub ty: &'static str,
    /// Whether generic code of others, which knows of a family only that it is `Rootable`, is protected from it too.
    pub behind_generics: bool,
}

const fn family(name: &'static str, items: &'static str, ty: &'static str) -> Family {
    Family {
        name,
        items,
        ty,
        behind_generics: true,
    }
}

pub const FAMILIES: &[Family] = &[
    family("plain", "", "Rootable!['gc => MEMBER]"),
    family(
        "with_a_marker",
        "",
        "gc_core::__DynRootable<dyn for<'gc> Rootable<'gc, Root = MEMBER> + Send>",
    ),
    family(
        "subtrait",
        "trait Sub: for<'gc> Rootable<'gc, Root = MEMBER> {}",
        "gc_core::__DynRootable<dyn Sub>",
    ),
    family(
        "named",
        "struct Named; impl<'gc> Rootable<'gc> for Named { type Root = MEMBER; }",
        "Named",
    ),
    family(
        "forwarded",
        "",
        "Forwarded<dyn for<'gc> Rootable<'gc, Root = MEMBER>>",
    ),
    // A member by the object of another trait. Of that the compiler knows nothing where it looks at the
    // implementation, and looks no more where it knows: only `gc-core` does, where it gets the family.
    Family {
        behind_generics: false,
        ..family(
            "other_object",
            "",
            "Other<dyn for<'gc> Membership<'gc, Member = MEMBER>>",
        )
    },
    family(
        "other_in_the_macro",
        "",
        "Rootable!['x => <Other<dyn for<'gc> Membership<'gc, Member = MEMBER>> as Rootable<'x>>::Root]",
    ),
    family(
        "other_in_ours",
        "",
        "gc_core::__DynRootable<Other<dyn for<'gc> Membership<'gc, Member = MEMBER>>>",
    ),
];
