//! The lifetimes that `Rootable!` leaves out.
//!
//! In `Rootable![Root<'_>]` every elided lifetime stands for the one that brands the arena. Written
//! out, these are `'_` and the missing lifetime of a reference. What stands in the signature of a
//! function pointer or in `Fn(...)` is left alone, because there elision means a lifetime of that
//! signature, and so are expressions, where it means that the compiler infers it.
//!
//! What it deliberately does not do: a lifetime parameter that a path leaves out altogether (`Root`
//! for `Root<'_>`) does not show in the text. That one is the compiler's error.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Lifetime, ParenthesizedGenericArguments, Token, Type, TypeBareFn, TypeReference};

/// The input `'lt; Type`, of which the elided lifetimes are named `'lt`.
pub struct Unelided(Type);

impl Unelided {
    /// The type with its lifetimes written out.
    pub fn into_type(self) -> TokenStream {
        self.0.into_token_stream()
    }
}

impl Parse for Unelided {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let lifetime: Lifetime = input.parse()?;
        input.parse::<Token![;]>()?;
        let mut ty: Type = input.parse()?;
        Namer { lifetime }.visit_type_mut(&mut ty);
        Ok(Unelided(ty))
    }
}

struct Namer {
    lifetime: Lifetime,
}

impl VisitMut for Namer {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.lifetime.clone();
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.lifetime.clone());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }

    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn assert_unelided(ty: TokenStream, expected: TokenStream) {
        let unelided: Unelided = parse_quote!('gc; #ty);
        assert_eq!(unelided.into_type().to_string(), expected.to_string());
    }

    #[test]
    fn elided_lifetimes_are_named() {
        assert_unelided(quote!(Root<'_>), quote!(Root<'gc>));
        assert_unelided(quote!(Root), quote!(Root));
        assert_unelided(
            quote!(a::Pair<'_, [(&u8, &'_ mut Gc<'_, u8>); 3]>),
            quote!(a::Pair<'gc, [(&'gc u8, &'gc mut Gc<'gc, u8>); 3]>),
        );
        assert_unelided(
            quote!(Box<dyn Object<'_> + '_>),
            quote!(Box<dyn Object<'gc> + 'gc>),
        );
        assert_unelided(
            quote!(<Gc<'_, u8> as Tr>::Out),
            quote!(<Gc<'gc, u8> as Tr>::Out),
        );
    }

    #[test]
    fn other_lifetimes_stay() {
        assert_unelided(
            quote!(Root<'a, 'static, &'b u8>),
            quote!(Root<'a, 'static, &'b u8>),
        );
        assert_unelided(
            quote!(Gc<'_, fn(&u8, Gc<'_, u8>) -> &u8>),
            quote!(Gc<'gc, fn(&u8, Gc<'_, u8>) -> &u8>),
        );
        assert_unelided(
            quote!(Box<dyn Fn(&u8) -> Root<'_> + '_>),
            quote!(Box<dyn Fn(&u8) -> Root<'_> + 'gc>),
        );
        assert_unelided(
            quote!([&u8; length::<&u8>()]),
            quote!([&'gc u8; length::<&u8>()]),
        );
    }

    #[test]
    fn what_is_not_lifetime_and_type_is_refused() {
        for input in [
            "",
            "'gc",
            "'gc; ",
            "Root<'_>",
            "'gc, Root<'_>",
            "'gc; 7",
            "'gc; A; B",
        ] {
            assert!(syn::parse_str::<Unelided>(input).is_err(), "{input}");
        }
    }
}
