//! The body of `trace`: it matches the value and visits the traced fields in their place.
//!
//! The address of each visited pointer is what tags its word in the planes, so fields are visited
//! by references into the value and never copied out.
//!
//! The pattern has every field and no rest, and each field's type is compared with the text from
//! which the constants were made. The comparison is the coercion of a reference to a raw pointer,
//! because that one, unlike a coercion to a reference, does not go through `Deref`: a `Gc<T>` must
//! not pass for a `T`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::attributes::FieldMode;
use crate::bindings::Bindings;
use crate::bounds;
use crate::code;
use crate::definition::{Definition, TracedField, Variant};
use crate::expansion::placed_at;

/// The method `trace`.
pub fn method(definition: &Definition<'_>, bindings: &mut Bindings<'_>) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    // Fields' types are named inside the method, so its parameter may not be called like any.
    let tracer = definition.names.fresh("__Tracer");
    let visits = definition.fields().any(|field| field.mode.is_traced());
    let cc = if visits {
        bindings.bind("__cc").into_token_stream()
    } else {
        quote!(_)
    };
    let arms: Vec<_> = definition
        .variants
        .iter()
        .map(|variant| arm(definition, variant, &tracer, &cc, bindings))
        .collect();
    quote! {
        #[inline]
        fn trace<#tracer: #krate::collect::Trace<#gc>>(&self, #cc: &mut #tracer) {
            match *self { #(#arms)* }
        }
    }
}

fn arm(
    definition: &Definition<'_>,
    variant: &Variant<'_>,
    tracer: &Ident,
    cc: &TokenStream,
    bindings: &mut Bindings<'_>,
) -> TokenStream {
    let path = &variant.path;
    let members = variant.fields.iter().map(|field| &field.member);
    let bound: Vec<Ident> = (0..variant.fields.len())
        .map(|index| bindings.bind(&format!("__field_{index}")))
        .collect();
    let visits = variant
        .fields
        .iter()
        .zip(&bound)
        .map(|(field, bound)| visit(definition, field, bound, tracer, cc));
    quote! {
        #path { #(#members: ref #bound),* } => { #(#visits)* }
    }
}

fn visit(
    definition: &Definition<'_>,
    field: &TracedField<'_>,
    bound: &Ident,
    tracer: &Ident,
    cc: &TokenStream,
) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let ty = field.ty;
    let span = ty.span().resolved_at(Span::call_site());
    let compare = quote_spanned!(span=> let _: *const #ty = #bound;);
    let then = match field.mode {
        // The trait is named in the words of the type map, so that a type without `Collect` is
        // the same error in both places, and the compiler prints it once.
        FieldMode::Trace | FieldMode::Recursive => quote_spanned! {span=>
            if <#ty as #krate::Collect<#gc>>::NEEDS_TRACE {
                <#ty as #krate::Collect<#gc>>::trace::<#tracer>(#bound, #cc);
            }
        },
        FieldMode::RequireStatic if bounds::decided_at_definition(definition, ty) => {
            let krate = placed_at(span, krate.to_token_stream());
            quote_spanned!(span=> #krate::__private::TypeMap::require_static::<#ty>();)
        }
        FieldMode::Code if let Some(code) = code::in_option(ty) => {
            quote_spanned!(span=> #krate::__private::TypeMap::option_of::<#code>(#bound);)
        }
        FieldMode::RequireStatic | FieldMode::Code => TokenStream::new(),
    };
    quote!(#compare #then)
}
