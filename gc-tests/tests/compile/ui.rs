//! Programs that must not compile, and what the compiler says of them.
//!
//! `tests/ui` has those of which the derive macro itself complains; the words are ours. Those in
//! `tests/ui/compiler`, which derive what cannot be, and in `tests/ui/surface`, which would break the
//! heap, are refused by the compiler, whose words change from version to version:
//! after an update, look whether the errors still point at the same places, and write the texts
//! anew with `TRYBUILD=overwrite cargo test -p gc-tests --test compile ui`.

#[test]
fn refused_by_the_derive_macro() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn refused_by_the_compiler() {
    trybuild::TestCases::new().compile_fail("tests/ui/compiler/*.rs");
}

#[test]
fn what_would_break_the_heap_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/surface/*.rs");
}
