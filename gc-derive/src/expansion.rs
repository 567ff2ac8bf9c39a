//! The implementation put together.
//!
//! `impl Collect`, and beside it, in the mode `no_drop`, an implementation of the marker trait that
//! every type with a destructor has already: a destructor is then a conflict between the two.
//!
//! The expansion contains `unsafe`, and the path by which it names `gc-core` is one that the user's crate can
//! redirect. What makes it sound nevertheless is in `gc-core`'s module `derived`: whatever has to be true is said by
//! the trait itself or by a function of the type of its constant `TYPE_MAP`, never by another function, another trait, or a macro.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::DeriveInput;

use crate::attributes::Mode;
use crate::bindings::Bindings;
use crate::definition::Definition;
use crate::{bounds, owned_bytes, trace, type_map};

/// Everything that the macro writes for the definition `input`.
pub fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let definition = Definition::read(input)?;
    let mut bindings = Bindings::new(&definition.names);
    let collect = collect_impl(&definition, &mut bindings);
    let must_not_drop =
        (definition.options.mode == Mode::NoDrop).then(|| must_not_drop_impl(&definition));
    let imports = bindings.imports(&definition.krate);
    Ok(quote! {
        const _: () = {
            #imports
            #collect
            #must_not_drop
        };
    })
}

fn collect_impl(definition: &Definition<'_>, bindings: &mut Bindings<'_>) -> TokenStream {
    let Definition { input, krate, .. } = definition;
    let gc = &definition.gc_lifetime.lifetime;
    let ident = &input.ident;
    let generics = bounds::impl_generics(definition);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let items = if definition.options.mode == Mode::RequireStatic {
        quote!(
            const NEEDS_TRACE: #krate::__private::bool = false;
        )
    } else {
        let map = type_map::expression(definition, bindings);
        let trace = trace::method(definition, bindings);
        quote! {
            const NEEDS_TRACE: #krate::__private::bool =
                !<Self as #krate::Collect<#gc>>::TYPE_MAP.is_leaf();
            const TYPE_MAP: #krate::__private::TypeMap = #map;
            #trace
        }
    };
    let owned_bytes = owned_bytes::method(definition, bindings);
    quote! {
        #[automatically_derived]
        unsafe impl #impl_generics #krate::Collect<#gc> for #ident #type_generics #where_clause {
            #items
            #owned_bytes
        }
    }
}

/// Conflicts with a destructor, at the place where the mode `no_drop` is written.
fn must_not_drop_impl(definition: &Definition<'_>) -> TokenStream {
    let Definition {
        input,
        krate,
        options,
        ..
    } = definition;
    let ident = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let span = options.mode_span;
    let conflicting = quote_spanned! {span=>
        impl #impl_generics #krate::__MustNotImplDrop for #ident #type_generics #where_clause {
            type Checked = #krate::__private::NoDestructor;
        }
    };
    let conflicting = placed_at(span, conflicting);
    quote!(#[automatically_derived] #conflicting)
}

/// The same tokens, which mean what they meant, but are shown at the place of `span`.
pub fn placed_at(span: Span, tokens: TokenStream) -> TokenStream {
    let place = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let stream = placed_at(span, group.stream());
            let mut placed = Group::new(group.delimiter(), stream);
            placed.set_span(group.span());
            token = TokenTree::Group(placed);
        }
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::crate_path;

    /// The text of the items in `tokens`, independent of how the tokens were joined.
    fn text(tokens: TokenStream) -> String {
        let file: syn::File = syn::parse2(tokens).unwrap();
        quote!(#file).to_string()
    }

    fn assert_expands(input: DeriveInput, expected: TokenStream) {
        assert_eq!(text(expand(&input).unwrap()), text(expected));
    }

    fn errors(input: DeriveInput) -> Vec<String> {
        expand(&input)
            .unwrap_err()
            .into_iter()
            .map(|error| error.to_string())
            .collect()
    }

    #[test]
    fn a_struct_is_traced_field_by_field() {
        let input = parse_quote! {
            #[collect(no_drop, unsafe_crate = gc)]
            struct Node<'gc, T> { next: Gc<'gc, Self>, r#type: T, #[collect(require_static)] id: Id }
        };
        assert_expands(
            input,
            quote! {
                const _: () = {
                use gc::__private::{shadow as __place, shadow as __cc, shadow as __field_0, shadow as __field_1, shadow as __field_2, shadow as __owned};
                #[automatically_derived]
                unsafe impl<'gc, T> gc::Collect<'gc> for Node<'gc, T>
                where
                    T: gc::Collect<'gc>
                {
                    const NEEDS_TRACE: gc::__private::bool =
                        !<Self as gc::Collect<'gc>>::TYPE_MAP.is_leaf();
                    const TYPE_MAP: gc::__private::TypeMap = {
                        let __place = gc::__private::TypeMap::place::<Self>();
                        gc::__private::TypeMap::without_destructor::<Self>()
                            .with_field(
                                <Gc<'gc, Self> as gc::Collect<'gc>>::TYPE_MAP,
                                unsafe { gc::__private::TypeMap::offset(&__place, &raw const (*gc::__private::TypeMap::in_place(&__place)).next,) }
                            )
                            .with_field(
                                <T as gc::Collect<'gc>>::TYPE_MAP,
                                unsafe { gc::__private::TypeMap::offset(&__place, &raw const (*gc::__private::TypeMap::in_place(&__place)).r#type,) }
                            )
                    };
                    #[inline]
                    fn trace<__Tracer: gc::collect::Trace<'gc>>(&self, __cc: &mut __Tracer) {
                        match *self {
                            Self { next: ref __field_0, r#type: ref __field_1, id: ref __field_2 } => {
                                let _: *const Gc<'gc, Self> = __field_0;
                                if <Gc<'gc, Self> as gc::Collect<'gc>>::NEEDS_TRACE { <Gc<'gc, Self> as gc::Collect<'gc>>::trace::<__Tracer>(__field_0, __cc); }
                                let _: *const T = __field_1;
                                if <T as gc::Collect<'gc>>::NEEDS_TRACE { <T as gc::Collect<'gc>>::trace::<__Tracer>(__field_1, __cc); }
                                let _: *const Id = __field_2;
                                gc::__private::TypeMap::require_static::<Id>();
                            }
                        }
                    }
                    #[inline]
                    fn owned_bytes(&self, __owned: &mut gc::collect::OwnedBytes) {
                        match *self {
                            Self { next: ref __field_0, r#type: ref __field_1, .. } => {
                                if gc::collect::OwnedBytes::may_own::<Gc<'gc, Self>>() { <Gc<'gc, Self> as gc::Collect<'gc>>::owned_bytes(__field_0, __owned); }
                                if gc::collect::OwnedBytes::may_own::<T>() { <T as gc::Collect<'gc>>::owned_bytes(__field_1, __owned); }
                            }
                        }
                    }
                }
                #[automatically_derived]
                impl<'gc, T> gc::__MustNotImplDrop for Node<'gc, T> {
                    type Checked = gc::__private::NoDestructor;
                }
                };
            },
        );
    }

    #[test]
    fn an_enum_is_traced_variant_by_variant() {
        let input = parse_quote! {
            #[collect(unsafe_drop, unsafe_crate = gc)]
            enum Tree<'gc> { Leaf, Fork(#[collect(recursive)] Box<Self>, __Tracer) }
        };
        assert_expands(
            input,
            quote! {
                const _: () = {
                use gc::__private::{shadow as __cc, shadow as __field_0, shadow as __field_1, shadow as __owned};
                #[automatically_derived]
                unsafe impl<'gc> gc::Collect<'gc> for Tree<'gc> {
                    const NEEDS_TRACE: gc::__private::bool =
                        !<Self as gc::Collect<'gc>>::TYPE_MAP.is_leaf();
                    const TYPE_MAP: gc::__private::TypeMap = gc::__private::TypeMap::LEAF
                        .with_variant_field(gc::__private::TypeMap::EXTERNAL)
                        .with_variant_field(<__Tracer as gc::Collect<'gc>>::TYPE_MAP);
                    #[inline]
                    fn trace<__Tracer_: gc::collect::Trace<'gc>>(&self, __cc: &mut __Tracer_) {
                        match *self {
                            Self::Leaf {} => {}
                            Self::Fork { 0: ref __field_0, 1: ref __field_1 } => {
                                let _: *const Box<Self> = __field_0;
                                if <Box<Self> as gc::Collect<'gc>>::NEEDS_TRACE { <Box<Self> as gc::Collect<'gc>>::trace::<__Tracer_>(__field_0, __cc); }
                                let _: *const __Tracer = __field_1;
                                if <__Tracer as gc::Collect<'gc>>::NEEDS_TRACE { <__Tracer as gc::Collect<'gc>>::trace::<__Tracer_>(__field_1, __cc); }
                            }
                        }
                    }
                    #[inline]
                    fn owned_bytes(&self, __owned: &mut gc::collect::OwnedBytes) {
                        match *self {
                            Self::Leaf { .. } => {}
                            Self::Fork { 0: ref __field_0, 1: ref __field_1, .. } => {
                                if gc::collect::OwnedBytes::may_own::<Box<Self>>() { <Box<Self> as gc::Collect<'gc>>::owned_bytes(__field_0, __owned); }
                                if gc::collect::OwnedBytes::may_own::<__Tracer>() { <__Tracer as gc::Collect<'gc>>::owned_bytes(__field_1, __owned); }
                            }
                        }
                    }
                }
                };
            },
        );
    }

    #[test]
    fn a_static_type_is_not_looked_into() {
        assert_expands(
            parse_quote!(#[repr(packed)] #[collect(require_static)] union Bits<T> { t: T }),
            {
                let krate = crate_path::resolve(None);
                quote! {
                    const _: () = {
                        #[automatically_derived]
                        unsafe impl<'gc, T> #krate::Collect<'gc> for Bits<T> where Self: 'static {
                            const NEEDS_TRACE: #krate::__private::bool = false;
                        }
                    };
                }
            },
        );
    }

    #[test]
    fn a_function_tells_what_a_value_owns() {
        assert_expands(
            parse_quote!(
                #[collect(require_static, owned_bytes = Self::pixels, unsafe_crate = gc)]
                struct Texture(Handle);
            ),
            quote! {
                const _: () = {
                use gc::__private::{shadow as __owned};
                #[automatically_derived]
                unsafe impl<'gc> gc::Collect<'gc> for Texture where Self: 'static {
                    const NEEDS_TRACE: gc::__private::bool = false;
                    #[inline]
                    fn owned_bytes(&self, __owned: &mut gc::collect::OwnedBytes) {
                        gc::collect::OwnedBytes::add_told(__owned, self, Self::pixels)
                    }
                }
                };
            },
        );
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let errors = errors(parse_quote! {
            #[collect(no_drop)]
            enum E<'a, 'b> {
                A(#[collect(no_drop)] u8),
                #[collect(no_drop)]
                B(#[collect] &'a u8, &'b u8),
            }
        });
        assert_eq!(errors.len(), 4, "{errors:?}");
    }
}
