//! By which path the expansion names `gc-core`.
//!
//! A dependency can be renamed, so its name is looked up in the `Cargo.toml` of the crate that is
//! compiled. Within `gc-core` itself, and where nothing is found (a build without Cargo, or a macro
//! of a third crate), it is taken to be `gc_core`. A crate that depends on `gc-core` under several
//! names gets one of them.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::Span;
use syn::{Ident, Path, parse_quote};

/// The path that the options give, or else the one of the dependency.
pub fn resolve(given: Option<&Path>) -> Path {
    given.cloned().unwrap_or_else(|| {
        let name = match crate_name("gc-core") {
            Ok(FoundCrate::Name(name)) => name,
            Ok(FoundCrate::Itself) | Err(_) => "gc_core".to_owned(),
        };
        let name = Ident::new(&name, Span::call_site());
        parse_quote!(::#name)
    })
}
