//! Fields that are pointers to functions.
//!
//! Code holds no pointers of an arena, whatever types it is for. `Collect` says so of `fn(A, B) -> R`; but `fn(&A)`
//! is a type of another form, `for<'a> fn(&'a A)`, and no implementation can be for all of those. So a field is known by
//! its text. The expansion compares the text with the field's type, as it does for all fields.

use syn::{GenericArgument, PathArguments, Type};

/// Whether `ty` is written as a pointer to a function, or as an option of one.
pub fn shows(ty: &Type) -> bool {
    match ty {
        Type::BareFn(_) => true,
        Type::Group(group) => shows(&group.elem),
        Type::Paren(paren) => shows(&paren.elem),
        _ => in_option(ty).is_some(),
    }
}

/// The pointer to a function in what is written as an option of one. Whether that is `core`'s option is for the expansion
/// to ask.
pub fn in_option(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return in_option(&group.elem),
        Type::Paren(paren) => return in_option(&paren.elem),
        Type::Path(path) => path,
        _ => return None,
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(code @ Type::BareFn(_))
            if path.qself.is_none() && last.ident == "Option" && arguments.args.len() == 1 =>
        {
            Some(code)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn only_pointers_to_functions_are_code() {
        let code: [Type; 4] = [
            parse_quote!(fn(&Mutation<'gc>, Gc<'gc, T>) -> T),
            parse_quote!((for<'a> unsafe extern "C" fn(&'a A))),
            parse_quote!(Option<fn(&A)>),
            parse_quote!(std::option::Option<fn(&A)>),
        ];
        for ty in code {
            assert!(shows(&ty), "{}", quote::quote!(#ty));
        }
        let options: [Type; 3] = [
            parse_quote!(Option<fn(&A)>),
            parse_quote!(((Option<fn(&A)>))),
            // As a macro hands over a type.
            Type::Group(syn::TypeGroup {
                group_token: Default::default(),
                elem: parse_quote!(Option<fn(&A)>),
            }),
        ];
        for ty in options {
            assert!(shows(&ty) && in_option(&ty).is_some());
        }
        let others: [Type; 5] = [
            parse_quote!(Box<dyn Fn(&A)>),
            parse_quote!(Vec<fn(&A)>),
            parse_quote!(Option<Gc<'gc, fn(&A)>>),
            parse_quote!(<A as Option<fn(&A)>>::B),
            parse_quote!(Option<A>),
        ];
        for ty in others {
            assert!(!shows(&ty), "{}", quote::quote!(#ty));
        }
    }
}
