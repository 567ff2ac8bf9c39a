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
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::attributes::FieldMode;
use crate::bounds;
use crate::definition::{Definition, TracedField, Variant};

/// The method `trace`.
pub fn method(definition: &Definition<'_>) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    // Fields' types are named inside the method, so its parameter may not be called like any.
    let tracer = definition.names.fresh("__Tracer");
    let visits = definition
        .fields()
        .any(|field| field.mode != FieldMode::RequireStatic);
    let cc = if visits {
        quote_spanned!(Span::mixed_site()=> __cc)
    } else {
        quote!(_)
    };
    let arms = definition
        .variants
        .iter()
        .map(|variant| arm(definition, variant, &cc));
    quote! {
        #[inline]
        fn trace<#tracer: #krate::collect::Trace<#gc>>(&self, #cc: &mut #tracer) {
            match *self { #(#arms)* }
        }
    }
}

fn arm(definition: &Definition<'_>, variant: &Variant<'_>, cc: &TokenStream) -> TokenStream {
    let path = &variant.path;
    let members = variant.fields.iter().map(|field| &field.member);
    let bindings: Vec<Ident> = (0..variant.fields.len())
        .map(|index| format_ident!("__field_{index}", span = Span::mixed_site()))
        .collect();
    let visits = variant
        .fields
        .iter()
        .zip(&bindings)
        .map(|(field, bound)| visit(definition, field, bound, cc));
    quote! {
        #path { #(#members: ref #bindings),* } => { #(#visits)* }
    }
}

fn visit(
    definition: &Definition<'_>,
    field: &TracedField<'_>,
    bound: &Ident,
    cc: &TokenStream,
) -> TokenStream {
    let krate = &definition.krate;
    let gc = &definition.gc_lifetime.lifetime;
    let ty = field.ty;
    let span = ty.span().resolved_at(Span::call_site());
    let compare = quote_spanned!(span=> let _: *const #ty = #bound;);
    let then = match field.mode {
        // The map is asked for in the words of the type map, so that a type without `Collect` is
        // the same error in both places, and the compiler prints it once.
        FieldMode::Trace | FieldMode::Recursive => quote_spanned! {span=>
            let _ = <#ty as #krate::Collect<#gc>>::TYPE_MAP;
            #krate::collect::Trace::trace::<#ty>(#cc, #bound);
        },
        FieldMode::RequireStatic if bounds::decided_at_definition(definition, ty) => {
            quote_spanned!(span=> let _ = ::core::any::TypeId::of::<#ty>();)
        }
        FieldMode::RequireStatic => TokenStream::new(),
    };
    quote!(#compare #then)
}
