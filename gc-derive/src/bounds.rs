//! The generic parameters and the where clause of the implementation.
//!
//! Beside what the type itself demands there are, in this order: either the predicates of `bound`
//! or `T: Collect` for each type parameter of which a traced field holds values, `T::Item: Collect` if it
//! holds values of an associated type, and `F: 'static` for each field marked `require_static`.
//!
//! Of the latter only those become predicates that depend on the parameters of the type. Whether
//! the others hold is known where the type is defined, and there an error can point at the field,
//! so they are [asserted in the body](crate::trace) instead.

use std::collections::BTreeSet;

use quote::{ToTokens, quote};
use syn::{DeriveInput, GenericParam, Generics, Lifetime, Type, parse_quote};

use crate::attributes::{FieldMode, Mode, TypeOptions};
use crate::definition::Definition;
use crate::mentions::{self, Names};

/// The lifetime of the arena, by which the implementation calls it.
pub struct GcLifetime {
    pub lifetime: Lifetime,
    /// Whether it is a parameter of the implementation only, and not of the type.
    pub introduced: bool,
}

impl GcLifetime {
    /// The lifetime that the options name, or the only one that there is, or a new one.
    pub fn choose(input: &DeriveInput, options: &TypeOptions) -> syn::Result<Self> {
        if options.mode == Mode::RequireStatic {
            // No lifetime of the type is an arena's: it is collectable in every arena.
            return Ok(Self::introduce(&Names::of(input)));
        }
        let mut declared = input.generics.lifetimes().map(|param| &param.lifetime);
        if let Some(named) = &options.gc_lifetime {
            return match declared.find(|lifetime| *lifetime == named) {
                Some(_) => Ok(GcLifetime {
                    lifetime: named.clone(),
                    introduced: false,
                }),
                None => {
                    let ident = &input.ident;
                    let message = format!("`{named}` is not a lifetime parameter of `{ident}`");
                    Err(syn::Error::new(named.span(), message))
                }
            };
        }
        let several = || {
            let lifetimes = input.generics.lifetimes();
            let message = "which of these lifetimes is the arena's? Say so with \
                           `#[collect(gc_lifetime = 'gc)]`";
            syn::Error::new_spanned(quote!(#(#lifetimes),*), message)
        };
        match (declared.next(), declared.next()) {
            (Some(only), None) => Ok(GcLifetime {
                lifetime: only.clone(),
                introduced: false,
            }),
            (Some(_), Some(_)) => Err(several()),
            // A bound written by the user calls it `'gc`; otherwise nothing else may be called so,
            // not even in a `for<'gc>`.
            (None, _) if options.bound.is_some() => Ok(Self::introduce(&Names::default())),
            (None, _) => Ok(Self::introduce(&Names::of(input))),
        }
    }

    fn introduce(used: &Names) -> Self {
        GcLifetime {
            lifetime: used.fresh_lifetime("gc"),
            introduced: true,
        }
    }
}

/// The generics of the implementation of `Collect`.
pub fn impl_generics(definition: &Definition<'_>) -> Generics {
    let mut generics = definition.input.generics.clone();
    let GcLifetime {
        lifetime,
        introduced,
    } = &definition.gc_lifetime;
    if *introduced {
        let param = GenericParam::Lifetime(syn::LifetimeParam::new(lifetime.clone()));
        generics.params.insert(0, param);
    }
    let clause = generics.make_where_clause();
    if definition.options.mode == Mode::RequireStatic {
        clause.predicates.push(parse_quote!(Self: 'static));
        return generics;
    }
    match &definition.options.bound {
        Some(bound) => clause.predicates.extend(bound.iter().cloned()),
        None => clause.predicates.extend(collected_parts(definition)),
    }
    for field in definition.fields() {
        let ty = &field.ty;
        if field.mode == FieldMode::RequireStatic && !decided_at_definition(definition, ty) {
            clause.predicates.push(parse_quote!(#ty: 'static));
        }
    }
    generics
}

/// Whether it depends on no parameter but the arena's lifetime if `ty` is `'static`.
pub fn decided_at_definition(definition: &Definition<'_>, ty: &Type) -> bool {
    let generics = &definition.input.generics;
    let names = Names::of(ty);
    let mut others = generics
        .lifetimes()
        .map(|p| &p.lifetime)
        .filter(|l| **l != definition.gc_lifetime.lifetime);
    mentions::type_params(ty, generics).next().is_none() && !others.any(|l| names.has_lifetime(l))
}

fn collected_parts(definition: &Definition<'_>) -> Vec<syn::WherePredicate> {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let mut written = BTreeSet::new();
    let mut parts: Vec<Type> = Vec::new();
    for field in definition.fields().filter(|field| field.mode.is_traced()) {
        for part in mentions::collected_parts(field.ty, &definition.input.generics) {
            if written.insert(part.to_token_stream().to_string()) {
                parts.push(part);
            }
        }
    }
    parts
        .into_iter()
        .map(|part| parse_quote!(#part: #krate::Collect<#gc>))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generic parameters and the where clause for `input`, or what is wrong with it.
    fn generics_of(input: DeriveInput) -> String {
        match Definition::read(&input) {
            Err(error) => error.to_string(),
            Ok(definition) => {
                let generics = impl_generics(&definition);
                let (params, _, clause) = generics.split_for_impl();
                let gc = &definition.gc_lifetime.lifetime;
                quote!(#gc: #params #clause).to_string()
            }
        }
    }

    macro_rules! assert_generics {
        ({ $($input:tt)* }, $($expected:tt)*) => {
            assert_eq!(
                generics_of(parse_quote!($($input)*)),
                quote!($($expected)*).into_token_stream().to_string(),
            )
        };
    }

    #[test]
    fn the_lifetime_of_the_arena_is_found_or_made() {
        assert_generics!({ #[collect(no_drop)] struct S<'a>(Gc<'a, u8>); }, 'a: <'a>);
        assert_generics!({ #[collect(no_drop)] struct S(u8); }, 'gc: <'gc>);
        assert_generics!({ #[collect(no_drop)] struct S(for<'gc> fn(&'gc u8)); }, 'gc_: <'gc_>);
        assert_generics!(
            { #[collect(no_drop, gc_lifetime = 'b)] struct S<'a, 'b>(&'a u8, &'b u8); },
            'b: <'a, 'b>
        );
        assert_generics!(
            { #[collect(require_static)] struct S<'gc, 'gc_>(&'gc u8, &'gc_ u8); },
            'gc__: <'gc__, 'gc, 'gc_> where Self: 'static
        );
    }

    #[test]
    fn traced_parameters_are_bounded() {
        assert_generics!(
            {
                #[collect(no_drop, unsafe_crate = gc)]
                enum E<T: Copy = u8, U, V, const N: usize> where V: Copy {
                    A(T, [u8; N]),
                    B(#[collect(require_static)] U, #[collect(recursive)] Vec<(Self, V, T)>),
                }
            },
            'gc: <'gc, T: Copy, U, V, const N: usize> where
                V: Copy, T: gc::Collect<'gc>, V: gc::Collect<'gc>, U: 'static
        );
        assert_generics!(
            {
                #[collect(no_drop, unsafe_crate = gc)]
                struct S<'gc, I: Iterator, P>(Option<I::Item>, PhantomData<P>, Vec<I::Item>);
            },
            'gc: <'gc, I: Iterator, P> where I::Item: gc::Collect<'gc>
        );
    }

    #[test]
    fn a_bound_replaces_only_what_is_generated() {
        assert_generics!(
            {
                #[collect(no_drop, bound = "where Box<T>: Collect<'gc>")]
                struct S<T: for<'gc> Tr<'gc>, U>(T, #[collect(require_static)] U) where U: Copy;
            },
            'gc: <'gc, T: for<'gc> Tr<'gc>, U> where
                U: Copy, Box<T>: Collect<'gc>, U: 'static
        );
        assert_generics!({ #[collect(no_drop, bound = "")] struct S<T>(T); }, 'gc: <'gc, T>);
    }

    #[test]
    fn what_is_decided_at_the_definition_is_no_bound() {
        assert_generics!(
            {
                #[collect(no_drop, gc_lifetime = 'gc)]
                struct S<'a, 'gc, T>(
                    #[collect(require_static)] Gc<'gc, u8>,
                    #[collect(require_static)] Rc<u8>,
                    #[collect(require_static)] &'a u8,
                    #[collect(require_static)] fn(T),
                );
            },
            'gc: <'a, 'gc, T> where &'a u8: 'static, fn(T): 'static
        );
    }
}
