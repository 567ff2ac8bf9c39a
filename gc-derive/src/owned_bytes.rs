//! The body of `owned_bytes`: it adds up what the fields own.
//!
//! Fields that need not be `Collect` are left out. The attribute `owned_bytes = path` replaces all of it by
//! the result of a function of the user's.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::attributes::{FieldMode, Mode};
use crate::bindings::Bindings;
use crate::definition::{Definition, TracedField, Variant};

/// The method `owned_bytes`, unless it would be the default.
pub fn method(definition: &Definition<'_>, bindings: &mut Bindings<'_>) -> TokenStream {
    let krate = &definition.krate;
    let nothing =
        definition.options.mode == Mode::RequireStatic || !definition.fields().any(is_counted);
    if nothing && definition.options.owned_bytes.is_none() {
        return TokenStream::new();
    }
    let owned = bindings.bind("__owned");
    let body = if let Some(path) = &definition.options.owned_bytes {
        let span = path.span().resolved_at(Span::call_site());
        quote_spanned!(span=> #krate::collect::OwnedBytes::add_told(#owned, self, #path))
    } else {
        let arms: Vec<_> = definition
            .variants
            .iter()
            .map(|variant| arm(definition, variant, &owned, bindings))
            .collect();
        quote!(match *self { #(#arms)* })
    };
    quote! {
        #[inline]
        fn owned_bytes(&self, #owned: &mut #krate::collect::OwnedBytes) {
            #body
        }
    }
}

fn is_counted(field: &TracedField<'_>) -> bool {
    matches!(field.mode, FieldMode::Trace | FieldMode::Recursive)
}

fn arm(
    definition: &Definition<'_>,
    variant: &Variant<'_>,
    owned: &Ident,
    bindings: &mut Bindings<'_>,
) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let path = &variant.path;
    let (mut patterns, mut additions) = (Vec::new(), Vec::new());
    for (index, field) in variant.fields.iter().enumerate() {
        if !is_counted(field) {
            continue;
        }
        let (member, ty) = (&field.member, field.ty);
        let bound = bindings.bind(&format!("__field_{index}"));
        let span = ty.span().resolved_at(Span::call_site());
        patterns.push(quote!(#member: ref #bound,));
        // In the words of `trace`, so that a type without `Collect` is the same error in both places, and the compiler
        // prints it once.
        additions.push(quote_spanned! {span=>
            if #krate::collect::OwnedBytes::may_own::<#ty>() {
                <#ty as #krate::Collect<#gc>>::owned_bytes(#bound, #owned);
            }
        });
    }
    quote! {
        #path { #(#patterns)* .. } => { #(#additions)* }
    }
}
