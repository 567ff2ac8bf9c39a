//! Fields that own values of the type being derived.
//!
//! Whether a type needs tracing is a constant that is computed from its fields, and for such a field it
//! would depend on itself. Where the text of a field's type shows this, the field is treated as if it were
//! marked `recursive`: the type's own name or `Self`, in nothing but owners of the standard library
//! and the like. Anything else may be a pointer of the heap, which does not depend on its target, or an alias, and
//! is left to the attribute.

use syn::{GenericArgument, Ident, Path, PathArguments, Type};

/// Types whose constants depend on those of their parameters.
const OWNERS: [&str; 24] = [
    "Option",
    "Result",
    "Box",
    "Rc",
    "Arc",
    "Weak",
    "Vec",
    "VecDeque",
    "LinkedList",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "HashMap",
    "HashSet",
    "IndexMap",
    "IndexSet",
    "HashTable",
    "SmallVec",
    "ManuallyDrop",
    "Pin",
    "Reverse",
    "Lock",
    "RefLock",
    "OnceLock",
];

/// Whether the text of `ty` shows that it owns values of the type called `own`.
pub fn shows(ty: &Type, own: &Ident) -> bool {
    match ty {
        Type::Array(array) => shows(&array.elem, own),
        Type::Group(group) => shows(&group.elem, own),
        Type::Paren(paren) => shows(&paren.elem, own),
        Type::Slice(slice) => shows(&slice.elem, own),
        Type::Tuple(tuple) => tuple.elems.iter().any(|elem| shows(elem, own)),
        Type::Path(path) if path.qself.is_none() => {
            is_own(&path.path, own) || owner(&path.path, own)
        }
        _ => false,
    }
}

fn is_own(path: &Path, own: &Ident) -> bool {
    let only = path.leading_colon.is_none() && path.segments.len() == 1;
    only && (path.segments[0].ident == "Self" || path.segments[0].ident == *own)
}

fn owner(path: &Path, own: &Ident) -> bool {
    let Some(last) = path.segments.last() else {
        return false;
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return false;
    };
    // The collections of `gc-core` have the same names, and a lifetime.
    let plain = |argument: &GenericArgument| !matches!(argument, GenericArgument::Lifetime(_));
    OWNERS.iter().any(|name| last.ident == name)
        && arguments.args.iter().all(plain)
        && arguments
            .args
            .iter()
            .any(|argument| matches!(argument, GenericArgument::Type(ty) if shows(ty, own)))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn owners_are_told_from_pointers() {
        let own: Ident = parse_quote!(Node);
        let owned: [Type; 6] = [
            parse_quote!(Box<Self>),
            parse_quote!(Option<std::rc::Rc<Node<'gc, T>>>),
            parse_quote!(Vec<(u8, [Node; 3])>),
            parse_quote!(Box<[Self]>),
            parse_quote!(HashMap<String, (Node<'gc>)>),
            parse_quote!(RefLock<BTreeMap<u8, Box<Node<'gc>>>>),
        ];
        for ty in owned {
            assert!(shows(&ty, &own), "{}", quote::quote!(#ty));
        }
        let others: [Type; 7] = [
            parse_quote!(Gc<'gc, Self>),
            parse_quote!(Lock<Option<Gc<'gc, Node<'gc>>>>),
            parse_quote!(Vec<'gc, Node<'gc>>),
            parse_quote!(Box<other::Node>),
            parse_quote!(Handle<Node>),
            parse_quote!(fn(Self) -> Box<Self>),
            parse_quote!(PhantomData<Box<Self>>),
        ];
        for ty in others {
            assert!(!shows(&ty, &own), "{}", quote::quote!(#ty));
        }
    }
}
