//! The expression of the type map: where the pointer words of a value are.
//!
//! The map of a struct is put together from the maps and the offsets of its fields, so that it is
//! as constant as theirs. Two kinds of fields have no constant place: those of an enum's variants,
//! and the last field of a struct that may be unsized, which `offset_of!` does not accept. Such a
//! field is added without its place, and its pointers are then found by visiting the value.
//!
//! A [recursive](FieldMode::Recursive) field counts as `EXTERNAL`, the map of which nothing is
//! known, so that the constant does not ask for itself.
//!
//! Whether a last field may be unsized is judged from its text: a slice, `str`, a trait object, or
//! anything that mentions a parameter with `?Sized` outside of a reference or pointer. That is
//! cautious: `Gc<'gc, T>` is always sized, and its struct gets the slower map if `T: ?Sized`.
//! A last field that is unsized without showing it (by an alias or an associated type) is refused by
//! the compiler, which cannot tell its offset.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Type, TypeParamBound, WherePredicate};

use crate::attributes::FieldMode;
use crate::definition::{Definition, TracedField};
use crate::mentions;

/// The type map as an expression.
pub fn expression(definition: &Definition<'_>) -> TokenStream {
    let krate = &definition.krate;
    let mut map = quote_spanned!(Span::call_site()=> #krate::__private::TypeMap::LEAF);
    for variant in &definition.variants {
        let last = variant.fields.len().checked_sub(1);
        for (index, field) in variant.fields.iter().enumerate() {
            if field.mode == FieldMode::RequireStatic {
                continue;
            }
            let placeless = variant.is_enum_variant
                || Some(index) == last && may_be_unsized(field.ty, &definition.input.generics);
            map.extend(added(definition, field, !placeless));
        }
    }
    map
}

/// The method call that adds `field` to the map before it.
fn added(definition: &Definition<'_>, field: &TracedField<'_>, placed: bool) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let (ty, member) = (field.ty, &field.member);
    let span = ty.span().resolved_at(Span::call_site());
    let map = match field.mode {
        FieldMode::Recursive => quote_spanned!(span=> #krate::__private::TypeMap::EXTERNAL),
        _ => quote_spanned!(span=> <#ty as #krate::Collect<#gc>>::TYPE_MAP),
    };
    if placed {
        quote_spanned! {span=>
            .with_field(#map, ::core::mem::offset_of!(Self, #member))
        }
    } else {
        quote_spanned!(span=> .with_variant_field(#map))
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
        _ => mentions::type_params(ty, generics).any(|param| is_relaxed(param, generics)),
    }
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
        let sized_types: [Type; 7] = [
            parse_quote!(S),
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
