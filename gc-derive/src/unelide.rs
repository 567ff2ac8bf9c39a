//! The lifetimes that `Rootable!` leaves out.
//!
//! In `Rootable![Root<'_>]` every elided lifetime stands for the one that brands the arena. Written
//! out, these are `'_` and the missing lifetime of a reference. What stands in the signature of a
//! function pointer or in `Fn(...)` is left alone, because there elision means a lifetime of that
//! signature, and so are expressions, where it means that the compiler infers it.
//!
//! A family can be mentioned within another one, as in `Rootable![DynamicRoot<Rootable![Root<'_>]>]`, and a lifetime
//! must not have the name of one around it. So the name tells how many calls of macros are in the type: in a family that is
//! within it there are fewer.
//!
//! What it deliberately does not do: a lifetime parameter that a path leaves out altogether (`Root`
//! for `Root<'_>`) does not show in the text. That one is the compiler's error.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Lifetime, ParenthesizedGenericArguments, Token, Type, TypeBareFn, TypeReference};

/// The input `Rootable; Type`: the path of the macro, and the member of the family.
pub struct Unelided {
    family: TokenStream,
    lifetime: Lifetime,
    /// With its elided lifetimes named.
    member: Type,
}

impl Unelided {
    /// The call of the macro that has its lifetime named.
    pub fn into_family(self) -> TokenStream {
        let Unelided {
            family,
            lifetime,
            member,
        } = self;
        quote!(#family ! [#lifetime => #member])
    }
}

impl Parse for Unelided {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut family = TokenStream::new();
        while !input.peek(Token![;]) {
            // The compiler's `$crate` is no name of which `syn` knows.
            family.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        let calls = macro_calls(input.fork().parse()?);
        let name = match calls {
            0 => "'__gc".to_owned(),
            _ => format!("'__gc_{calls}"),
        };
        let lifetime = Lifetime::new(&name, Span::call_site());
        let mut member: Type = input.parse()?;
        Namer {
            lifetime: lifetime.clone(),
        }
        .visit_type_mut(&mut member);
        Ok(Unelided {
            family,
            lifetime,
            member,
        })
    }
}

/// How many calls of macros there are at most in `tokens`.
fn macro_calls(tokens: TokenStream) -> usize {
    let calls = |token| match token {
        TokenTree::Group(group) => macro_calls(group.stream()),
        TokenTree::Punct(punct) => usize::from(punct.as_char() == '!'),
        TokenTree::Ident(_) | TokenTree::Literal(_) => 0,
    };
    tokens.into_iter().map(calls).sum()
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
        let unelided: Unelided = parse_quote!(Rootable; #ty);
        assert_eq!(
            unelided.into_family().to_string(),
            quote!(Rootable!['__gc => #expected]).to_string()
        );
    }

    #[test]
    fn a_family_within_another_has_a_lifetime_of_its_own() {
        let unelided: Unelided = parse_quote!(a::Rootable; A<'_, Rootable![B<'_, m!(C<'_>)>]>);
        assert_eq!(
            unelided.into_family().to_string(),
            quote!(a::Rootable!['__gc_2 => A<'__gc_2, Rootable![B<'_, m!(C<'_>)>]>]).to_string()
        );
    }

    #[test]
    fn elided_lifetimes_are_named() {
        assert_unelided(quote!(Root<'_>), quote!(Root<'__gc>));
        assert_unelided(quote!(Root), quote!(Root));
        assert_unelided(
            quote!(a::Pair<'_, [(&u8, &'_ mut Gc<'_, u8>); 3]>),
            quote!(a::Pair<'__gc, [(&'__gc u8, &'__gc mut Gc<'__gc, u8>); 3]>),
        );
        assert_unelided(
            quote!(Box<dyn Object<'_> + '_>),
            quote!(Box<dyn Object<'__gc> + '__gc>),
        );
        assert_unelided(
            quote!(<Gc<'_, u8> as Tr>::Out),
            quote!(<Gc<'__gc, u8> as Tr>::Out),
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
            quote!(Gc<'__gc, fn(&u8, Gc<'_, u8>) -> &u8>),
        );
        assert_unelided(
            quote!(Box<dyn Fn(&u8) -> Root<'_> + '_>),
            quote!(Box<dyn Fn(&u8) -> Root<'_> + '__gc>),
        );
        assert_unelided(
            quote!([&u8; length::<&u8>()]),
            quote!([&'__gc u8; length::<&u8>()]),
        );
    }

    #[test]
    fn what_is_not_lifetime_and_type_is_refused() {
        for input in [
            "",
            "Rootable",
            "Rootable; ",
            "Root<'_>",
            "Rootable, Root<'_>",
            "Rootable; 7",
            "Rootable; A; B",
        ] {
            assert!(syn::parse_str::<Unelided>(input).is_err(), "{input}");
        }
    }
}
