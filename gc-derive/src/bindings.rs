//! Names for bindings that mean nothing else.
//!
//! Where there is a constant, a static or a unit struct of its name, a pattern is that, or an error, and no
//! binding; and which of them the user's module has cannot be known. But what is imported in an inner block hides what
//! is outside, and a function may be shadowed by a binding. So the expansion stands in a block that imports a
//! function under the name of each of its bindings. These are names that the definition does not mention.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Path};

use crate::mentions::Names;

/// The bindings of an expansion.
pub struct Bindings<'a> {
    mentioned: &'a Names,
    bound: Vec<Ident>,
}

impl<'a> Bindings<'a> {
    /// For a definition with the names `mentioned`.
    pub fn new(mentioned: &'a Names) -> Self {
        Bindings {
            mentioned,
            bound: Vec::new(),
        }
    }

    /// A name for a binding: `stem`, with as many underscores as it takes.
    pub fn bind(&mut self, stem: &str) -> Ident {
        let mut name = self.mentioned.fresh(stem);
        name.set_span(Span::mixed_site());
        if !self.bound.contains(&name) {
            self.bound.push(name.clone());
        }
        name
    }

    /// The imports, from the crate `krate`, that are to stand in the same block as the bindings.
    pub fn imports(&self, krate: &Path) -> TokenStream {
        if self.bound.is_empty() {
            return TokenStream::new();
        }
        let names = self.bound.iter().map(|name| {
            let name = Ident::new(&name.to_string(), Span::call_site());
            quote!(shadow as #name)
        });
        quote!(use #krate::__private::{#(#names),*};)
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn each_name_is_imported_once() {
        let mentioned = Names::of(&quote!([u8; __cc]));
        let mut bindings = Bindings::new(&mentioned);
        let names = ["__cc", "__place", "__cc"].map(|stem| bindings.bind(stem).to_string());
        assert_eq!(names, ["__cc_", "__place", "__cc_"]);
        assert_eq!(
            bindings.imports(&parse_quote!(gc)).to_string(),
            quote!(
                use gc::__private::{shadow as __cc_, shadow as __place};
            )
            .to_string()
        );
    }
}
