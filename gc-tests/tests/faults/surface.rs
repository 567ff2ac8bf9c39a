//! That each public function of a collection, and each trait that it implements, has an operation here.
//!
//! The names are read from the source: `Type::function` for functions, `Type: Trait` for implementations. Those that
//! macros make (the iterators' traits) are not seen, and run with the functions that return their types.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::items::Dropping;
use crate::{builders, hash_map, hash_set, string, vec, vec_deque, weak};

/// Where the collections are, in `gc-core/src`.
const SOURCES: &[&str] = &[
    "collections",
    "references/weak_collections",
    "pointers/gc_slice",
    "pointers/gc/builder.rs",
];

/// What calls no code of the user's, so that there is nothing to inject.
const CALL_NOTHING: &[&str] = &[
    // Pointers, compared and hashed by their addresses.
    "ByIdentity",
    // What user code gets at values of is up to it: comparisons of plain fields.
    "SliceWithHeader",
    "SliceWithHeaderPtrMeta",
    // Witnesses without fields of the user's.
    "Mutation",
    "Access",
    // Handles of one word.
    "WeakMap: Copy",
    "WeakMap: Clone",
    "WeakMap: Collect",
    "WeakMap: Debug",
    "WeakSet: Copy",
    "WeakSet: Clone",
    "WeakSet: Collect",
    "WeakSet: Debug",
    "WeakInterner: Copy",
    "WeakInterner: Clone",
    "WeakInterner: Collect",
    "WeakInterner: Debug",
    // Builders before there is a value, and their `unsafe` ways, where the value is the caller's.
    "GcBuilder::new",
    "GcBuilder::new_with_type_meta",
    "GcBuilder::new_with_type_and_ptr_meta",
    "GcBuilder::unwrap_static",
    "GcBuilder::into_raw",
    "GcBuilder::from_raw",
    "GcBuilder::assume_init",
    "GcBuilder: Default",
    "GcBuilder: Drop",
    "GcSliceBuilder::new",
    "GcSliceBuilder::try_new",
    "GcSliceBuilder::new_with_type_meta",
    "GcSliceBuilder::unwrap_static",
    "GcSliceBuilder::slice_ptr",
    "GcSliceBuilder::assume_init",
    "GcStrBuilder::new",
    "GcStrBuilder::new_with_type_meta",
    "GcStrBuilder::str_ptr",
    "GcStrBuilder::assume_init",
    "GcSliceWithHeaderBuilder::new",
    "GcSliceWithHeaderBuilder::try_new",
    "GcSliceWithHeaderBuilder::new_with_type_meta",
    "GcSliceWithHeaderBuilder::unwrap_static_header",
    "GcSliceWithHeaderBuilder::header_ptr",
    "GcSliceWithHeaderBuilder::assume_init",
    "GcSliceWithHeaderSliceBuilder::unwrap_static_element",
    "GcSliceWithHeaderSliceBuilder::assume_init",
    "SlicePtrMeta",
    "StrPtrMeta",
    // Copies of what is there.
    "GcSlice::new_slice",
    "GcSlice::new_slice_static",
    "GcStr::new_str",
];

/// Types that are not public, and part of what is.
const PRIVATE: &[&str] = &[
    "Slots",
    "Buffer",
    "Kind",
    "Index",
    "Retaining",
    "Gap",
    "Cleared",
    "Rest",
    "Around",
    "Place",
    "Table",
    "Inner",
];

/// Functions of `Gc` that have operations, and are not in the [`SOURCES`].
const ELSEWHERE: &[&str] = &["Gc::slice_from_iter", "Gc::try_slice_from_iter"];

#[test]
fn each_operation_is_here() {
    let mut here: BTreeSet<String> = BTreeSet::new();
    let mut add = |covers: &[&str]| here.extend(covers.iter().map(|name| name.to_string()));
    macro_rules! tables {
        ($($table:expr),* $(,)?) => {
            $($table.iter().for_each(|operation| add(operation.covers));)*
        };
    }
    tables![
        vec::operations::<Dropping>(),
        vec::operations_with_copies(),
        vec_deque::operations::<Dropping>(),
        hash_map::operations::<Dropping>(),
        hash_set::operations::<Dropping>(),
        builders::operations::<Dropping>(),
        builders::operations_with_copies(),
        string::operations(),
        weak::operations(),
    ];

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gc-core/src");
    let mut there = BTreeSet::new();
    for source in SOURCES {
        for file in files(&root.join(source)) {
            let source = fs::read_to_string(file).unwrap();
            if source.contains("macro_rules! sequence ") {
                // What the macro makes of each collection, with its lines where they would be without it.
                let source = source.replace("\n        ", "\n");
                there.extend(
                    ["Vec", "VecDeque"]
                        .map(|name| names(&source.replace("$name", name)))
                        .concat(),
                );
            } else {
                there.extend(names(&source));
            }
        }
    }
    assert!(there.contains("Vec::push") && there.contains("HashMap: PartialEq"));

    let is_excepted = |name: &str| {
        let subject = name.split(':').next().unwrap();
        PRIVATE.contains(&subject)
            || CALL_NOTHING.contains(&subject)
            || CALL_NOTHING.contains(&name)
    };
    let missing: Vec<_> = there
        .iter()
        .filter(|name| !is_excepted(name) && !here.contains(*name))
        .collect();
    assert!(missing.is_empty(), "without an operation: {missing:#?}");
    let gone: Vec<_> = here
        .iter()
        .filter(|name| !there.contains(*name) && !ELSEWHERE.contains(&name.as_str()))
        .collect();
    assert!(gone.is_empty(), "not in the source: {gone:#?}");
}

/// The Rust files at a path.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

/// The public functions and the implementations in a file.
fn names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut subject = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let line = line.strip_prefix("unsafe ").unwrap_or(line);
        if line.starts_with("impl") {
            let mut header = line.to_string();
            while !header.contains('{') {
                header += " ";
                header += lines.next().expect("an implementation has a body").trim();
            }
            let (of, what) = parse(&header);
            names.extend(what.map(|what| format!("{of}: {what}")));
            subject = of;
        } else if line.starts_with('}') {
            subject.clear();
        } else if let Some(function) = public_function(line)
            && !subject.is_empty()
        {
            names.push(format!("{subject}::{function}"));
        }
    }
    names
}

/// The type and the trait, if any, of an implementation.
fn parse(header: &str) -> (String, Option<String>) {
    let header = header.strip_prefix("impl").unwrap();
    let header = without_generics(header);
    let header = header.split(" where").next().unwrap();
    let header = header.split('{').next().unwrap().trim();
    match header.split_once(" for ") {
        Some((what, of)) => (ident(of), Some(ident(what))),
        None => (ident(header), None),
    }
}

/// The text outside of angle brackets.
fn without_generics(text: &str) -> String {
    let mut depth = 0;
    let mut last = ' ';
    text.chars()
        .filter(|character| {
            depth += i32::from(*character == '<');
            let outside = depth == 0;
            depth -= i32::from(*character == '>' && last != '-');
            last = *character;
            outside
        })
        .collect()
}

/// The last identifier of a path, without references and lifetimes.
fn ident(text: &str) -> String {
    let last = text.trim().rsplit([':', ' ', '&']).next().unwrap();
    match last {
        // What the alias says.
        "IndexTrait" => "Index".to_string(),
        last => last.to_string(),
    }
}

fn public_function(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}
