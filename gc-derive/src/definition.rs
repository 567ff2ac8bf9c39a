//! The definition of a type, as far as the expansion depends on it.

use proc_macro2::Span;
use syn::{Data, DeriveInput, Fields, Ident, Member, Path, Type, parse_quote};

use crate::attributes::{self, FieldMode, Mode, TypeOptions};
use crate::bounds::GcLifetime;
use crate::errors::Errors;
use crate::mentions::Names;
use crate::{code, crate_path, recursion, shape};

/// A definition and its options.
pub struct Definition<'a> {
    pub input: &'a DeriveInput,
    pub options: TypeOptions,
    pub gc_lifetime: GcLifetime,
    /// The path of `gc-core`.
    pub krate: Path,
    /// All names in the definition.
    pub names: Names,
    /// A struct has one.
    pub variants: Vec<Variant<'a>>,
}

/// A variant of an enum, or all there is to a struct.
pub struct Variant<'a> {
    /// The path by which patterns name it.
    pub path: Path,
    pub is_enum_variant: bool,
    pub fields: Vec<TracedField<'a>>,
}

/// A field and what is to be done with it.
pub struct TracedField<'a> {
    pub member: Member,
    pub ty: &'a Type,
    pub mode: FieldMode,
}

impl<'a> Definition<'a> {
    /// Reads the definition `input`, or says everything that is wrong with it.
    pub fn read(input: &'a DeriveInput) -> syn::Result<Self> {
        let mut errors = Errors::default();
        errors.note(attributes::refuse_misplaced(input));
        let variants = read_variants(input, &mut errors);
        let (options, gc_lifetime) = errors.join(read_options(input))?;
        let krate = crate_path::resolve(options.crate_path.as_ref());
        Ok(Definition {
            input,
            options,
            gc_lifetime,
            krate,
            names: Names::of(input),
            variants,
        })
    }

    /// All fields of all variants.
    pub fn fields(&self) -> impl Iterator<Item = &TracedField<'a>> {
        self.variants.iter().flat_map(|variant| &variant.fields)
    }
}

fn read_options(input: &DeriveInput) -> syn::Result<(TypeOptions, GcLifetime)> {
    let options = TypeOptions::read(input)?;
    if options.mode != Mode::RequireStatic {
        shape::refuse_untraceable(input)?;
    }
    let gc_lifetime = GcLifetime::choose(input, &options)?;
    Ok((options, gc_lifetime))
}

fn read_variants<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Vec<Variant<'a>> {
    let own = &input.ident;
    match &input.data {
        Data::Struct(data) => {
            let fields = read_fields(&data.fields, own, errors);
            vec![Variant {
                path: parse_quote!(Self),
                is_enum_variant: false,
                fields,
            }]
        }
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                let fields = read_fields(&variant.fields, own, errors);
                Variant {
                    path: parse_quote!(Self::#ident),
                    is_enum_variant: true,
                    fields,
                }
            })
            .collect(),
        // Only in a mode that does not look at them.
        Data::Union(_) => Vec::new(),
    }
}

fn read_fields<'a>(fields: &'a Fields, own: &Ident, errors: &mut Errors) -> Vec<TracedField<'a>> {
    let mut read = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(syn::Index {
                index: index as u32,
                span: Span::call_site(),
            }),
        };
        let mode = match errors.note(FieldMode::read(field)) {
            Some(FieldMode::Trace) if code::shows(&field.ty) => FieldMode::Code,
            Some(FieldMode::Trace) if recursion::shows(&field.ty, own) => FieldMode::Recursive,
            mode => mode.unwrap_or(FieldMode::Trace),
        };
        read.push(TracedField {
            member,
            ty: &field.ty,
            mode,
        });
    }
    read
}
