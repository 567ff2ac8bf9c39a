//! The options written in `#[collect(...)]`, on a type and on its fields.
//!
//! The meaning of each option is documented at [`derive_collect`](crate::derive_collect). What is
//! written twice, unknown, or in a place that has no options is an error at that very token.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Field, GenericParam, Lifetime, LitStr, Path, Token, WhereClause,
    WherePredicate,
};

use crate::errors::Errors;

const TYPE_USAGE: &str = "`#[collect(...)]` takes one mode (`no_drop`, `require_static` or \
    `unsafe_drop`) and optionally `bound = \"where ...\"`, `gc_lifetime = 'gc`, `owned_bytes = path` and `unsafe_crate = path`";

const FIELD_USAGE: &str =
    "a field takes `#[collect(require_static)]` or `#[collect(recursive)]` and nothing else";

/// How it is ensured that the destructor of a type does not reach for its pointers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    RequireStatic,
    NoDrop,
    UnsafeDrop,
}

/// A where clause, as far as predicates go.
pub type Predicates = Punctuated<WherePredicate, Token![,]>;

/// The options of a type.
pub struct TypeOptions {
    pub mode: Mode,
    /// Where the mode is written.
    pub mode_span: Span,
    /// What replaces the generated predicates.
    pub bound: Option<Predicates>,
    pub gc_lifetime: Option<Lifetime>,
    pub crate_path: Option<Path>,
    /// The function that tells what a value owns.
    pub owned_bytes: Option<Path>,
}

/// How a field is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldMode {
    /// It is traced, and its type map is asked for.
    Trace,
    /// It is traced; its type map would depend on that of the type, and is not asked for.
    Recursive,
    /// It holds no pointers, as it is `'static`.
    RequireStatic,
    /// It holds none, as it is a [pointer to a function](crate::code).
    Code,
}

impl FieldMode {
    /// Whether the field may hold pointers.
    pub fn is_traced(self) -> bool {
        matches!(self, FieldMode::Trace | FieldMode::Recursive)
    }
}

impl TypeOptions {
    /// Reads the options of the type that `input` defines.
    pub fn read(input: &DeriveInput) -> syn::Result<Self> {
        let Some(attribute) = collect_attribute(&input.attrs)? else {
            let message = format!("deriving `Collect` needs an attribute: {TYPE_USAGE}");
            return Err(syn::Error::new(input.ident.span(), message));
        };
        let (mut mode, mut bound, mut gc_lifetime) = (None, None, None);
        let (mut crate_path, mut owned_bytes) = (None, None);
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string);
            match name.as_deref().unwrap_or_default() {
                "no_drop" => set_mode(&mut mode, Mode::NoDrop, &meta),
                "require_static" => set_mode(&mut mode, Mode::RequireStatic, &meta),
                "unsafe_drop" => set_mode(&mut mode, Mode::UnsafeDrop, &meta),
                "bound" => set_once(&mut bound, where_predicates(&meta)?, &meta),
                "gc_lifetime" => set_once(&mut gc_lifetime, value(&meta, Lifetime::parse)?, &meta),
                "unsafe_crate" => {
                    set_once(&mut crate_path, value(&meta, Path::parse_mod_style)?, &meta)
                }
                "owned_bytes" => set_once(&mut owned_bytes, value(&meta, Path::parse)?, &meta),
                _ => Err(meta.error(format_args!("this is no option: {TYPE_USAGE}"))),
            }
        })?;
        let Some((mode, mode_span)) = mode else {
            let message = format!("the mode is missing: {TYPE_USAGE}");
            return Err(syn::Error::new_spanned(attribute, message));
        };
        Ok(TypeOptions {
            mode,
            mode_span,
            bound,
            gc_lifetime,
            crate_path,
            owned_bytes,
        })
    }
}

impl FieldMode {
    /// Reads the options of `field`.
    pub fn read(field: &Field) -> syn::Result<Self> {
        let Some(attribute) = collect_attribute(&field.attrs)? else {
            return Ok(FieldMode::Trace);
        };
        let mut mode = None;
        attribute.parse_nested_meta(|meta| {
            let read = if meta.path.is_ident("require_static") {
                FieldMode::RequireStatic
            } else if meta.path.is_ident("recursive") {
                FieldMode::Recursive
            } else {
                return Err(meta.error(FIELD_USAGE));
            };
            match mode.replace(read) {
                None => Ok(()),
                Some(_) => Err(meta.error(format_args!("one option too many: {FIELD_USAGE}"))),
            }
        })?;
        mode.ok_or_else(|| syn::Error::new_spanned(attribute, FIELD_USAGE))
    }
}

/// Refuses `#[collect]` where it means nothing: on the variants of an enum and on generic
/// parameters.
pub fn refuse_misplaced(input: &DeriveInput) -> syn::Result<()> {
    let mut errors = Errors::default();
    if let Data::Enum(data) = &input.data {
        for variant in &data.variants {
            errors.note(refuse(
                &variant.attrs,
                "an enum variant: write it on the variant's fields",
            ));
        }
    }
    for param in &input.generics.params {
        let attributes = match param {
            GenericParam::Lifetime(param) => &param.attrs,
            GenericParam::Type(param) => &param.attrs,
            GenericParam::Const(param) => &param.attrs,
        };
        errors.note(refuse(
            attributes,
            "a generic parameter: write it on the type or a field",
        ));
    }
    errors.join(Ok(()))
}

fn collect_attribute(attributes: &[Attribute]) -> syn::Result<Option<&Attribute>> {
    let mut found = attributes.iter().filter(|a| a.path().is_ident("collect"));
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(second) => Err(syn::Error::new_spanned(
            second,
            "more than one `#[collect]` attribute: write their options in one",
        )),
    }
}

fn refuse(attributes: &[Attribute], place: &str) -> syn::Result<()> {
    match attributes.iter().find(|a| a.path().is_ident("collect")) {
        None => Ok(()),
        Some(attribute) => {
            let message = format!("`#[collect]` has no meaning on {place}");
            Err(syn::Error::new_spanned(attribute, message))
        }
    }
}

fn set_mode(
    mode: &mut Option<(Mode, Span)>,
    new: Mode,
    meta: &ParseNestedMeta<'_>,
) -> syn::Result<()> {
    match mode.replace((new, meta.path.span())) {
        None => Ok(()),
        Some(_) => Err(meta.error(format_args!("a second mode: {TYPE_USAGE}"))),
    }
}

fn set_once<T>(option: &mut Option<T>, new: T, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    match option.replace(new) {
        None => Ok(()),
        Some(_) => Err(meta.error("this option is given twice")),
    }
}

/// The value of an option: what `parser` reads, or a string that holds it.
fn value<T>(
    meta: &ParseNestedMeta<'_>,
    parser: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let input = meta.value()?;
    if !input.peek(LitStr) {
        return parser(input);
    }
    let text: LitStr = input.parse()?;
    text.parse_with(parser)
        .map_err(|error| syn::Error::new(text.span(), error))
}

fn where_predicates(meta: &ParseNestedMeta<'_>) -> syn::Result<Predicates> {
    let text: LitStr = meta.value()?.parse()?;
    let clause: Option<WhereClause> = text.parse().map_err(|error| {
        let message = format!("a bound is empty or a where clause, `\"where T: ...\"`: {error}");
        syn::Error::new(text.span(), message)
    })?;
    Ok(clause.map(|clause| clause.predicates).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn read(input: &DeriveInput) -> (Mode, String) {
        let TypeOptions {
            mode,
            bound,
            gc_lifetime,
            crate_path,
            ..
        } = TypeOptions::read(input).unwrap();
        let bound = bound.map(|bound| quote!([#bound]));
        (mode, quote!(#bound #gc_lifetime #crate_path).to_string())
    }

    #[test]
    fn options_are_read_in_any_order_and_notation() {
        let input: DeriveInput = parse_quote! {
            /// Text.
            #[collect(unsafe_crate = "a::b", gc_lifetime = "'a", bound = "where T: C", unsafe_drop,)]
            struct S<'a>(&'a u8);
        };
        let expected = quote!([T: C] 'a a::b).to_string();
        assert_eq!(read(&input), (Mode::UnsafeDrop, expected));

        let input: DeriveInput = parse_quote!(
            #[collect(bound = "", no_drop, unsafe_crate = ::a, gc_lifetime = 'a)]
            struct S;
        );
        let expected = quote!([] 'a ::a).to_string();
        assert_eq!(read(&input), (Mode::NoDrop, expected));

        let input: DeriveInput = parse_quote!(
            #[collect(require_static)]
            struct S;
        );
        assert_eq!(read(&input), (Mode::RequireStatic, String::new()));
    }

    #[test]
    fn fields_have_modes() {
        let fields: syn::FieldsUnnamed = parse_quote! {
            (u8, #[collect(require_static)] u8, #[collect(recursive)] u8, #[collect(no_drop)] u8)
        };
        let modes: Vec<_> = fields
            .unnamed
            .iter()
            .map(|field| FieldMode::read(field).ok())
            .collect();
        let expected = [
            FieldMode::Trace,
            FieldMode::RequireStatic,
            FieldMode::Recursive,
        ];
        assert_eq!(modes[..3], expected.map(Some));
        assert_eq!(modes[3], None);
    }
}
