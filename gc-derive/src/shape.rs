//! Which definitions the macro refuses, and why.
//!
//! `trace` hands out a reference to each field in its place, so a field must have a place that is
//! known (which a union's has not) and that a reference can point at (which a packed field's need
//! not be). Neither matters where nothing is traced.

use proc_macro2::TokenStream;
use syn::{Attribute, Data, DeriveInput, parenthesized, token};

/// Refuses unions and packed types.
pub fn refuse_untraceable(input: &DeriveInput) -> syn::Result<()> {
    if let Data::Union(data) = &input.data {
        return Err(syn::Error::new(
            data.union_token.span,
            "`Collect` cannot be derived for a union: which of its fields is in use is not known. \
             Use an enum, or the mode `require_static` if it never holds a `Gc`",
        ));
    }
    input
        .attrs
        .iter()
        .filter(|a| a.path().is_ident("repr"))
        .try_for_each(refuse_packed)
}

fn refuse_packed(repr: &Attribute) -> syn::Result<()> {
    let mut packed = Ok(());
    // A malformed `repr` is left to the compiler, which reports it better.
    let _ = repr.parse_nested_meta(|meta| {
        if meta.input.peek(token::Paren) {
            let argument;
            parenthesized!(argument in meta.input);
            argument.parse::<TokenStream>()?;
        }
        if meta.path.is_ident("packed") {
            packed = Err(syn::Error::new_spanned(
                &meta.path,
                "`Collect` cannot be derived for a packed type: fields are traced by reference, \
                 and there are no references to fields that are not aligned. Remove `packed`, or \
                 use the mode `require_static` if the type never holds a `Gc`",
            ));
        }
        Ok(())
    });
    packed
}
