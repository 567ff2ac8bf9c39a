//! The expression of the type map: where the pointer words of a value are.
//!
//! The map of a struct is put together from the maps and the offsets of its fields, so that it is
//! as constant as theirs. Two kinds of fields have no constant place: those of an enum's variants,
//! and those of a struct that may be unsized. Such a field is added without its place, and its pointers
//! are then found by visiting the value.
//!
//! The offsets are measured in memory for a value, and not told by `offset_of!`: a macro is found by its
//! path alone, so another one could stand there, while functions are checked by their types.
//!
//! A [recursive](FieldMode::Recursive) field counts as `EXTERNAL`, the map of which nothing is
//! known, so that the constant does not ask for itself.
//!
//! Whether a struct may be unsized is judged from the text of its last field: a slice, `str`, a trait object, or
//! anything that mentions a parameter with `?Sized` outside of what is known as a pointer by its name.
//! That is cautious: a struct gets the slower map if its last field is a wrapper of such a pointer.
//! One that is unsized without showing it (by an alias or an associated type) is refused by
//! the compiler, which cannot make a place for it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Ident, Path, Type, TypeParamBound, WherePredicate};

use crate::attributes::{FieldMode, Mode};
use crate::bindings::Bindings;
use crate::definition::{Definition, TracedField};
use crate::mentions;

/// The type map as an expression.
pub fn expression(definition: &Definition<'_>, bindings: &mut Bindings<'_>) -> TokenStream {
    let krate = &definition.krate;
    let mut map = match definition.options.mode {
        Mode::NoDrop => {
            quote_spanned! {definition.options.mode_span.resolved_at(Span::call_site())=>
                #krate::__private::TypeMap::without_destructor::<Self>()
            }
        }
        _ => quote_spanned!(Span::call_site()=> #krate::__private::TypeMap::LEAF),
    };
    let mut place = None;
    for variant in &definition.variants {
        let placeless = variant.is_enum_variant
            || variant
                .fields
                .last()
                .is_some_and(|last| may_be_unsized(last.ty, &definition.input.generics));
        for field in &variant.fields {
            if !field.mode.is_traced() {
                continue;
            }
            let place =
                (!placeless).then(|| &*place.get_or_insert_with(|| bindings.bind("__place")));
            map.extend(added(definition, field, place));
        }
    }
    match place {
        None => map,
        Some(place) => quote! {{
            let #place = #krate::__private::TypeMap::place::<Self>();
            #map
        }},
    }
}

/// The method call that adds `field` to the map before it, where the places of fields are measured in `place`.
fn added(
    definition: &Definition<'_>,
    field: &TracedField<'_>,
    place: Option<&Ident>,
) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let (ty, member) = (field.ty, &field.member);
    let span = ty.span().resolved_at(Span::call_site());
    let map = match field.mode {
        FieldMode::Recursive => quote_spanned!(span=> #krate::__private::TypeMap::EXTERNAL),
        _ => quote_spanned!(span=> <#ty as #krate::Collect<#gc>>::TYPE_MAP),
    };
    match place {
        // Method calls would not do: a trait in scope might have the methods, by value, for every type.
        Some(place) => quote_spanned! {span=>
            .with_field(#map, unsafe {
                #krate::__private::TypeMap::offset(
                    &#place,
                    &raw const (*#krate::__private::TypeMap::in_place(&#place)).#member,
                )
            })
        },
        None => quote_spanned!(span=> .with_variant_field(#map)),
    }
}

fn may_be_unsized(ty: &Type, generics: &Generics) -> bool {
    match ty {
        Type::Slice(_) | Type::TraitObject(_) => true,
        Type::Group(group) => may_be_unsized(&group.elem, generics),
        Type::Paren(paren) => may_be_unsized(&paren.elem, generics),
        Type::Array(_) | Type::BareFn(_) | Type::Never(_) | Type::Ptr(_) | Type::Reference(_) => {
            false
        }
        Type::Path(path) if path.path.is_ident("str") => true,
        Type::Path(path) if is_pointer(&path.path) => false,
        _ => mentions::type_params(ty, generics).any(|param| is_relaxed(param, generics)),
    }
}

/// Whether the name is that of a type which is sized whatever its parameters are.
fn is_pointer(path: &Path) -> bool {
    const POINTERS: [&str; 8] = [
        "Gc",
        "GcWeak",
        "PhantomData",
        "Box",
        "Rc",
        "Arc",
        "Weak",
        "NonNull",
    ];
    path.segments
        .last()
        .is_some_and(|last| POINTERS.iter().any(|name| last.ident == name))
}

/// Whether `?Sized` is written for `param`, with the parameter or in the where clause.
fn is_relaxed(param: &syn::Ident, generics: &Generics) -> bool {
    let relaxes = |bound: &TypeParamBound| {
        matches!(bound, TypeParamBound::Trait(t)
            if matches!(t.modifier, syn::TraitBoundModifier::Maybe(_)))
    };
    let with_param = generics.params.iter().any(|declared| {
        matches!(declared, GenericParam::Type(t)
            if t.ident == *param && t.bounds.iter().any(relaxes))
    });
    let in_clause = |predicate: &WherePredicate| {
        matches!(predicate, WherePredicate::Type(t)
            if is_param(&t.bounded_ty, param) && t.bounds.iter().any(relaxes))
    };
    with_param
        || generics
            .where_clause
            .iter()
            .any(|c| c.predicates.iter().any(in_clause))
}

fn is_param(ty: &Type, param: &syn::Ident) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.is_ident(param))
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_type_that_may_be_unsized_is_recognised() {
        let clause: syn::WhereClause = parse_quote!(where W: Copy + ?Sized, Vec<S>: Clone);
        let mut generics: Generics = parse_quote!(<'gc, S, U: ?Sized + Copy, W: 'gc>);
        generics.where_clause = Some(clause);
        let unsized_types: [Type; 8] = [
            parse_quote!(U),
            parse_quote!(W),
            parse_quote!([S]),
            parse_quote!((str)),
            parse_quote!(dyn Copy),
            parse_quote!(RefLock<U>),
            parse_quote!((u8, W)),
            parse_quote!(<U as Tr>::Out),
        ];
        for ty in unsized_types {
            assert!(may_be_unsized(&ty, &generics), "{}", quote!(#ty));
        }
        let sized_types: [Type; 9] = [
            parse_quote!(S),
            parse_quote!(Gc<'gc, U>),
            parse_quote!(std::rc::Rc<W>),
            parse_quote!(Vec<S>),
            parse_quote!(&'gc U),
            parse_quote!(*const [W]),
            parse_quote!([U; 3]),
            parse_quote!(fn(&U) -> &W),
            parse_quote!(String),
        ];
        for ty in sized_types {
            assert!(!may_be_unsized(&ty, &generics), "{}", quote!(#ty));
        }
    }
}
