//! `#[derive(Pack)]`: an enum as one of some fields, and back.
//!
//! The expansion has no `unsafe`: `gc-core` ensures that a field comes out as it was put in.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::bindings::Bindings;
use crate::bounds;
use crate::definition::{Definition, Variant};
use crate::errors::Errors;

/// The most variants.
const MOST: usize = 16;

/// The implementation for the definition `input`.
pub fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let definition = Definition::read(input)?;
    check(input)?;
    let Definition { krate, .. } = &definition;
    let gc = &definition.gc_lifetime.lifetime;
    let ident = &input.ident;
    let mut bindings = Bindings::new(&definition.names);
    let (value, one) = (bindings.bind("__value"), bindings.bind("__one"));
    let fields = definition.variants.iter().map(|variant| {
        let types = variant.fields.iter().map(|field| field.ty);
        // `()` for a variant without a field, and the type itself for one with one.
        quote!((#(#types)*))
    });
    let pack = arms(&definition.variants, |number, path, member| match member {
        None => quote!(#path {} => #krate::packed::OneOf::new::<#number>(()),),
        Some(member) => {
            quote!(#path { #member: #value } => #krate::packed::OneOf::new::<#number>(#value),)
        }
    });
    let unpack = arms(&definition.variants, |number, path, member| match member {
        None => quote!(#number => #path {},),
        Some(member) => {
            let get = quote!(#one.get::<#number>().expect("it says that it is this variant"));
            quote!(#number => #path { #member: #get },)
        }
    });
    let mut generics = bounds::impl_generics(&definition);
    // With parameters it is a matter of these whether it is.
    let copy = syn::parse_quote!(Self: #krate::__private::Copy);
    generics.make_where_clause().predicates.push(copy);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let imports = bindings.imports(krate);
    Ok(quote! {
        const _: () = {
            #imports
            #[automatically_derived]
            impl #impl_generics #krate::packed::Pack<#gc> for #ident #type_generics #where_clause {
                type Fields = (#(#fields,)*);

                #[inline(always)]
                fn pack(self) -> #krate::packed::OneOf<#gc, Self::Fields> {
                    match self { #pack }
                }

                #[inline(always)]
                fn unpack(#one: #krate::packed::OneOf<#gc, Self::Fields>) -> Self {
                    match #one.number() {
                        #unpack
                        _ => #krate::packed::no_such_variant(),
                    }
                }
            }
        };
    })
}

/// An arm for each variant, of its number, its path and its one field.
fn arms(
    variants: &[Variant<'_>],
    arm: impl Fn(usize, &syn::Path, Option<&syn::Member>) -> TokenStream,
) -> TokenStream {
    let arm = |(number, variant): (usize, &Variant<'_>)| {
        let member = variant.fields.first().map(|field| &field.member);
        arm(number, &variant.path, member)
    };
    variants.iter().enumerate().map(arm).collect()
}

/// Refuses what does not fit into two words.
fn check(input: &DeriveInput) -> syn::Result<()> {
    let Data::Enum(data) = &input.data else {
        let message = "`Pack` is for enums: the pointers of a struct are in the same words always";
        return Err(syn::Error::new(input.ident.span(), message));
    };
    let mut errors = Errors::default();
    for variant in &data.variants {
        if variant.fields.len() > 1 {
            let message = "a variant that is packed has one field at most";
            errors.note::<()>(Err(syn::Error::new(variant.ident.span(), message)));
        }
    }
    if data.variants.is_empty() || data.variants.len() > MOST {
        let message = format!("an enum that is packed has 1 to {MOST} variants");
        errors.note::<()>(Err(syn::Error::new(input.ident.span(), message)));
    }
    errors.join(Ok(()))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        for (input, expected) in [
            (
                parse_quote!(
                    #[collect(no_drop)]
                    struct S(u8);
                ),
                "`Pack` is for enums",
            ),
            (
                parse_quote!(
                    #[collect(no_drop)]
                    enum E {
                        A(u8, u8),
                    }
                ),
                "one field at most",
            ),
            (
                parse_quote!(
                    #[collect(no_drop)]
                    enum E {}
                ),
                "1 to 16",
            ),
        ] {
            let input: DeriveInput = input;
            let error = expand(&input).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
