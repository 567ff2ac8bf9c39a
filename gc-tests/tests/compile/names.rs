//! Names in the user's program change nothing in what the macros expand to.
//!
//! A macro's own names for bindings are seen by the compiler as the user's constants if there are any of that name,
//! and its names for types as the user's types. So programs are made in which *every* identifier that stands
//! in a macro of `gc-core` or in the source of the derive macro is also a constant, a static, and so on, beside uses
//! of all macros. The identifiers are read from the sources, so that new ones are among them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Uses of all macros. Its own names begin with `our` and `Our`, and it has all others by paths.
const PROGRAM: &str = r#"
    type OurSlot<'gc> = ::gc_core::Lock<::core::option::Option<::gc_core::Gc<'gc, ::core::primitive::u64>>>;

    #[derive(::gc_core::Collect)]
    #[collect(no_drop)]
    pub struct OurNode<'gc, OurT> {
        our_slot: OurSlot<'gc>,
        our_value: OurT,
        #[collect(require_static)]
        our_static: ::core::cell::Cell<::core::primitive::u64>,
    }

    #[derive(::gc_core::Collect)]
    #[collect(unsafe_drop)]
    enum OurChoice<'gc> {
        OurOne(::gc_core::Gc<'gc, ::core::primitive::u64>, #[collect(recursive)] ::std::boxed::Box<OurChoice<'gc>>),
        OurTwo { our_field: ::core::primitive::u64 },
        OurThree,
    }

    #[derive(::core::clone::Clone, ::core::marker::Copy, ::gc_core::Collect, ::gc_core::packed::Pack)]
    #[collect(no_drop)]
    enum OurPacked<'gc> {
        OurNil,
        OurInt(::core::primitive::i64),
        OurPointer { our_field: ::gc_core::Gc<'gc, ::core::primitive::u64> },
    }

    #[derive(::gc_core::Collect)]
    #[collect(require_static)]
    struct OurStatic(::core::primitive::u64);

    struct OurNumber<OurT>(OurT);
    ::gc_core::static_collect!(<OurT> OurNumber<OurT>);
    struct OurText;
    ::gc_core::static_collect!(OurText);

    trait OurTrait<'gc, OurT>: ::gc_core::collect::DynCollect<'gc> {}
    ::gc_core::collect::dyn_collect!(<OurT> dyn OurTrait<'gc, OurT> + 'gc where OurT: ::core::marker::Copy);
    trait OurPlainTrait<'gc>: ::gc_core::collect::DynCollect<'gc> {}
    ::gc_core::collect::dyn_collect!(dyn OurPlainTrait<'gc> + 'gc);

    struct OurMeta;
    impl ::gc_core::meta::TypeMeta for OurMeta {
        type TypeMetadata = ::core::primitive::u64;
        const TYPE_METADATA: &'static ::core::primitive::u64 = &7;
    }

    type OurRoot = ::gc_core::Rootable![::gc_core::Gc<'_, OurNode<'_, ::gc_core::Gc<'_, ::core::primitive::u64>>>];

    pub fn our_test() {
        let mut our_arena = ::gc_core::Arena::<OurRoot>::new(|our_mc| {
            ::gc_core::Gc::new(our_mc, OurNode {
                our_slot: ::gc_core::Lock::new(::core::option::Option::None),
                our_value: ::gc_core::Gc::new(our_mc, 5),
                our_static: ::core::cell::Cell::new(1),
            })
        });
        our_arena.mutate(|our_mc, our_root| {
            let our_write = ::gc_core::Gc::write(our_mc, *our_root);
            ::gc_core::barrier::unlock!(our_write, OurNode, our_slot)
                .set(::core::option::Option::Some(::gc_core::Gc::new(our_mc, 6)));
            let _ = ::gc_core::barrier::field!(our_write, OurNode, our_value);
            let our_part = ::gc_core::slice::interior!(*our_root, OurNode, our_value);
            assert_eq!(**our_part, 5);
            let our_object: ::gc_core::Gc<'_, dyn ::core::fmt::Debug> =
                ::gc_core::unsize!(our_root.our_value => dyn ::core::fmt::Debug);
            assert_eq!(::std::format!("{our_object:?}"), "5");
        });
        our_arena.finish_cycle();
        our_arena.mutate(|_, our_root| {
            assert_eq!(*our_root.our_slot.get().unwrap(), 6);
            assert_eq!(*our_root.our_value, 5);
        });
    }
"#;

/// What a name can be that a pattern, a path or a call of a macro could take for what it means.
const KINDS: [(&str, &str); 6] = [
    ("constants", "pub const NAME: i32 = 1;"),
    ("statics", "pub static NAME: i32 = 1;"),
    ("unit_structs", "pub struct NAME;"),
    (
        "variants",
        "enum OurNameNAME { NAME } use OurNameNAME::NAME;",
    ),
    ("modules", "mod NAME {}"),
    (
        "macros",
        "macro_rules! NAME { ($($our:tt)*) => { this_is_not_the_macro_that_is_meant } }",
    ),
];

#[test]
fn names_of_the_user_are_never_meant() {
    let names = names_in_expansions();
    for expected in [
        "__gc_core_part",
        "__cc",
        "__place",
        "__field_0",
        "bool",
        "Checked",
    ] {
        assert!(names.contains(expected), "{expected} is in no expansion");
    }
    let tests = trybuild::TestCases::new();
    for (kind, item) in KINDS {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("names_{kind}.rs"));
        fs::write(&path, program(&names, kind, item)).unwrap();
        tests.pass(path);
    }
}

#[test]
fn names_of_crates_are_never_meant() {
    trybuild::TestCases::new().pass("tests/ui/names/*.rs");
}

fn program(names: &BTreeSet<String>, kind: &str, item: &str) -> String {
    let mut text = String::from("#![allow(warnings)]\nmod our_module {\n");
    for name in names {
        // The program itself calls these, and cannot name another one of them.
        if kind == "macros" && ["assert_eq", "panic"].contains(&name.as_str()) {
            continue;
        }
        writeln!(text, "    {}", item.replace("NAME", name)).unwrap();
    }
    text + PROGRAM + "}\nfn main() { our_module::our_test() }\n"
}

/// All identifiers in the exported macros of `gc-core`, and in the source of the derive macro.
fn names_in_expansions() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = BTreeSet::new();
    for file in sources(&root.join("gc-core/src")) {
        let text = fs::read_to_string(&file).unwrap();
        for exported in text.split("#[macro_export]").skip(1) {
            // The macro ends with the first line that is only a brace.
            identifiers(exported.split("\n}\n").next().unwrap(), &mut names);
        }
    }
    for file in sources(&root.join("gc-derive/src")) {
        let text = fs::read_to_string(&file).unwrap();
        identifiers(text.split("#[cfg(test)]").next().unwrap(), &mut names);
    }
    // The fields of a variant are bound to names that are made by counting.
    names.extend((0..3).map(|index| format!("__field_{index}")));
    names.retain(|name| keyword(name).is_none() && !name.starts_with("our"));
    names
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn identifiers(text: &str, names: &mut BTreeSet<String>) {
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let starts = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts && !word.trim_matches('_').is_empty() {
            names.insert(word.to_owned());
        }
    }
}

/// The keyword, if `name` is one.
fn keyword(name: &str) -> Option<&'static str> {
    const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum \
        extern false final fn for gen if impl in let loop macro match mod move mut override priv pub ref return \
        self Self static struct super trait true try type typeof unsafe unsized use virtual where while yield";
    KEYWORDS.split(' ').find(|keyword| *keyword == name)
}
