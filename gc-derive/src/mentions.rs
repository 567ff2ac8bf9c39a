//! The names of a definition that a part of it uses.
//!
//! What a macro in a type makes of its tokens is not known, so every name in them counts as used.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Expr, Generics, Ident, Lifetime, Macro, Path, Type, parse_quote};

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

/// What has to be `Collect` for `ty` to be, as far as that depends on the type parameters of `generics`: a parameter
/// itself, or a type that is associated with one, as in `T::Item`.
///
/// What `PhantomData` and pointers to functions mention is no part of the value.
pub fn collected_parts(ty: &Type, generics: &Generics) -> Vec<Type> {
    let mut parts = CollectedParts {
        generics,
        found: Vec::new(),
    };
    parts.visit_type(ty);
    parts.found
}

struct CollectedParts<'a> {
    generics: &'a Generics,
    found: Vec<Type>,
}

impl CollectedParts<'_> {
    fn is_param(&self, name: &Ident) -> bool {
        let name = name.unraw();
        self.generics
            .type_params()
            .any(|param| param.ident.unraw() == name)
    }

    /// Whether the compiler knows all lifetimes in `ty` also where the type's own parameters are declared; not if
    /// one is that of a `for<'a>` around it.
    fn is_closed(&self, ty: &Type) -> bool {
        let declared = Names::of(&self.generics.params);
        let mut names = Names::of(ty);
        names.lifetimes.remove("static");
        names.lifetimes.is_subset(&declared.lifetimes)
    }
}

impl<'ast> Visit<'ast> for CollectedParts<'_> {
    fn visit_type(&mut self, ty: &'ast Type) {
        match ty {
            Type::BareFn(_) => {}
            Type::Path(path) => {
                let segments = &path.path.segments;
                let of_a_param = match &path.qself {
                    Some(qself) => type_params(&qself.ty, self.generics).next().is_some(),
                    None => path.path.leading_colon.is_none() && self.is_param(&segments[0].ident),
                };
                if of_a_param {
                    if self.is_closed(ty) {
                        self.found.push(ty.clone());
                    }
                } else if segments
                    .last()
                    .is_some_and(|last| last.ident != "PhantomData")
                {
                    visit::visit_type(self, ty);
                }
            }
            // What a macro makes of them is not known.
            Type::Macro(_) => {
                let params = type_params(ty, self.generics);
                self.found.extend(params.map(|param| parse_quote!(#param)));
            }
            _ => visit::visit_type(self, ty),
        }
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
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

    #[test]
    fn only_what_is_in_the_value_has_to_be_collected() {
        let generics: Generics = parse_quote!(<'a, A, B, C: Tr<'a>, const N: usize>);
        let collected = |ty: Type| {
            let parts = collected_parts(&ty, &generics);
            quote!(#(#parts),*).to_string().replace(' ', "")
        };
        let cases: [(Type, TokenStream); 8] = [
            (parse_quote!(Gc<'a, [(r#A, B); N]>), quote!(r#A, B)),
            (
                parse_quote!((PhantomData<A>, std::marker::PhantomData<C::Item>)),
                quote!(),
            ),
            (parse_quote!(Option<for<'x> fn(&'x A, B) -> C>), quote!()),
            (parse_quote!(Vec<C::Item>), quote!(C::Item)),
            (
                parse_quote!([<C as Tr<'a>>::Item<B>; 2]),
                quote!(<C as Tr<'a>>::Item<B>),
            ),
            (
                parse_quote!(<Vec<A> as IntoIterator>::IntoIter),
                quote!(<Vec<A> as IntoIterator>::IntoIter),
            ),
            (parse_quote!(Box<dyn for<'x> Fn(A, C::Item<'x>)>), quote!(A)),
            (
                parse_quote!((some_type![B], module::C, <u8 as Tr<'a>>::Item)),
                quote!(B),
            ),
        ];
        for (ty, expected) in cases {
            assert_eq!(collected(ty), expected.to_string().replace(' ', ""));
        }
    }
}
