//! Whether a program compiles: those that the compiler must refuse ([`ui`], [`brands`]), and those that must compile
//! whatever names they use ([`names`]).
//!
//! A program to refuse is a file in `tests/ui`, with what the compiler says of it.

#![forbid(unsafe_code)]

mod brands;
mod names;
mod ui;
