//! The names of a definition that a part of it uses.
//!
//! What a macro in a type makes of its tokens is not known, so every name in them counts as used.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Generics, Ident, Lifetime, Macro, Path, Type};

/// The identifiers and the lifetimes in some tokens.
#[derive(Default)]
pub struct Names {
    identifiers: BTreeSet<String>,
    lifetimes: BTreeSet<String>,
}

impl Names {
    /// The names in `part`.
    pub fn of(part: &impl ToTokens) -> Self {
        let mut names = Names::default();
        names.gather(part.to_token_stream());
        names
    }

    /// Whether `identifier` is among the names.
    pub fn has(&self, identifier: &Ident) -> bool {
        self.identifiers.contains(&identifier.unraw().to_string())
    }

    /// Whether `lifetime` is among the names.
    pub fn has_lifetime(&self, lifetime: &Lifetime) -> bool {
        self.lifetimes.contains(&lifetime.ident.unraw().to_string())
    }

    /// An identifier that is not among the names: `stem`, with as many underscores as it takes.
    pub fn fresh(&self, stem: &str) -> Ident {
        Ident::new(&unused(stem, &self.identifiers), Span::call_site())
    }

    /// A lifetime that is not among the names: `'stem`, with as many underscores as it takes.
    pub fn fresh_lifetime(&self, stem: &str) -> Lifetime {
        let name = unused(stem, &self.lifetimes);
        Lifetime {
            apostrophe: Span::call_site(),
            ident: Ident::new(&name, Span::call_site()),
        }
    }

    fn gather(&mut self, tokens: TokenStream) {
        let mut after_apostrophe = false;
        for token in tokens {
            let apostrophe = matches!(&token, TokenTree::Punct(p) if p.as_char() == '\'');
            match token {
                TokenTree::Group(group) => self.gather(group.stream()),
                TokenTree::Ident(name) => {
                    let name = name.unraw().to_string();
                    if after_apostrophe {
                        self.lifetimes.insert(name);
                    } else {
                        self.identifiers.insert(name);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            after_apostrophe = apostrophe;
        }
    }
}

/// The type parameters of `generics` that `ty` mentions.
pub fn type_params<'a>(ty: &Type, generics: &'a Generics) -> impl Iterator<Item = &'a Ident> {
    let mut starts = PathStarts::default();
    starts.visit_type(ty);
    generics
        .type_params()
        .map(|param| &param.ident)
        .filter(move |param| starts.0.has(param))
}

/// The names that paths start with: only there can a type parameter stand.
#[derive(Default)]
struct PathStarts(Names);

impl<'ast> Visit<'ast> for PathStarts {
    fn visit_path(&mut self, path: &'ast Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            self.0.gather(first.ident.to_token_stream());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.0.gather(call.tokens.clone());
    }
}

fn unused(stem: &str, used: &BTreeSet<String>) -> String {
    let mut name = stem.to_owned();
    while used.contains(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn fresh_names_are_unused() {
        let names = Names::of(&quote!(
            struct S<'gc, 'gc_, r#gc>(__Tracer, [m![gc_]; 3]);
        ));
        assert_eq!(names.fresh_lifetime("gc").to_string(), "'gc__");
        assert_eq!(names.fresh_lifetime("arena").to_string(), "'arena");
        assert_eq!(names.fresh("__Tracer"), "__Tracer_");
        assert_eq!(names.fresh("gc"), "gc__");
        assert!(names.has(&parse_quote!(r#gc)) && !names.has(&parse_quote!(gc__)));
    }

    #[test]
    fn type_parameters_stand_at_the_start_of_paths() {
        let generics: Generics = parse_quote!(<'a, A, B, C, D, const N: usize>);
        let mentioned = |ty: Type| {
            let params = type_params(&ty, &generics);
            params.map(ToString::to_string).collect::<Vec<_>>().concat()
        };
        assert_eq!(
            mentioned(parse_quote!(Gc<'a, [(r#A, fn(B) -> u8); N]>)),
            "AB"
        );
        assert_eq!(mentioned(parse_quote!(<C as Tr<D>>::A)), "CD");
        assert_eq!(mentioned(parse_quote!(A::C)), "A");
        assert_eq!(
            mentioned(parse_quote!(module::A<::B, dyn Iterator<Item = C>>)),
            "C"
        );
        assert_eq!(mentioned(parse_quote!(some_type![D; (B)])), "BD");
        assert_eq!(mentioned(parse_quote!([u8; N])), "");
    }
}
