//! The derive macros of `gc-core`: `#[derive(Collect)]`, and `#[derive(Pack)]` beside it.
//!
//! The macro reads the definition of a type and writes its implementation of `Collect`: the method
//! that visits its fields, the constant that says whether there is anything to visit, and the
//! constant type map from which the allocator tags the pointer words of a new object.
//!
//! | module | concept |
//! | --- | --- |
//! | `definition` | what the expansion depends on in a definition |
//! | `attributes` | the options written in `#[collect(...)]` |
//! | `shape` | which definitions are refused, and why |
//! | `mentions` | the names of a definition that a part of it uses |
//! | `code` | fields that are pointers to functions |
//! | `recursion` | fields that own values of the type being derived |
//! | `bounds` | the generic parameters and the where clause of the implementation |
//! | `bindings` | names for bindings that mean nothing else |
//! | `type_map` | the expression of the type map |
//! | `trace` | the body of `trace` |
//! | `owned_bytes` | the body of `owned_bytes` |
//! | `expansion` | the implementation put together |
//! | `pack` | the other macro, `#[derive(Pack)]` |
//! | `errors` | errors that are reported together |
//! | `crate_path` | by which path the expansion names `gc-core` |
//! | `unelide` | the lifetimes that `Rootable!` leaves out |
//!
//! # Invariants
//!
//! 1. The expansion states what it read: every field is matched by name, without a rest pattern,
//!    and its type is compared with the one that was read. An attribute macro that changes the type
//!    after the derive macro has seen it makes an error, never an implementation that is wrong.
//! 2. What goes wrong is an error that points at the token which is at fault; nothing panics.
//! 3. The expansion opens a scope, in which it declares only names that the definition does not mention, so it
//!    resolves names as the definition does, in a module as in the body of a function.
//! 4. Nothing that the user's crate declares changes what the expansion means: neither its names for crates nor
//!    its constants (`bindings`, and the module `derived` of `gc-core`).
//!
//! What it deliberately does not do: it puts no bounds on the types of fields, only on type
//! parameters and the types associated with them. Bounds on fields would go round in circles for recursive types, and would show the
//! private types of a public one.

#![forbid(unsafe_code)]

mod attributes;
mod bindings;
mod bounds;
mod code;
mod crate_path;
mod definition;
mod errors;
mod expansion;
mod mentions;
mod owned_bytes;
mod pack;
mod recursion;
mod shape;
mod trace;
mod type_map;
mod unelide;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Implements `Collect` for a struct or an enum, so that its values can live in an arena.
///
/// ```
/// use gc_core::{Collect, Gc};
///
/// #[derive(Collect)]
/// #[collect(no_drop)]
/// struct Node<'gc, T> {
///     value: T,
///     next: Option<Gc<'gc, Node<'gc, T>>>,
/// }
/// ```
///
/// # Modes
///
/// The derived code is sound only if the destructor of the type does not reach for its pointers,
/// whose targets may be gone by then. The attribute says how this is ensured; one of these is
/// required:
///
/// - `#[collect(no_drop)]`: the type has no destructor of its own. An implementation of `Drop` is
///   then a compile error. This is the usual mode.
/// - `#[collect(require_static)]`: the type is `'static`, so it holds no pointers of an arena, and
///   nothing is traced. Fields need not implement `Collect`. Unions and packed types can be derived
///   in this mode only.
/// - `#[collect(unsafe_drop)]`: the type may implement `Drop`, and its author promises that the
///   destructor does not use a pointer into the heap in any way, by whatever way it gets at one (a field, memory shared
///   by an `Rc`, a thread-local variable): neither follow, copy nor compare it. Nothing checks that promise.
///
/// # Options
///
/// They stand beside the mode, separated by commas: `#[collect(no_drop, bound = "")]`.
///
/// - `bound = "where T: Collect<'gc>"` replaces the generated where clause, which demands `Collect`
///   of every type parameter `T` that a traced field mentions, and of `T::Item` where it mentions that. What is
///   mentioned in `PhantomData` or in a pointer to a function only is not counted. An empty string demands nothing. The
///   where clause of the type itself is kept in any case. Without effect in the mode
///   `require_static`.
/// - `gc_lifetime = 'gc` says which lifetime parameter is the arena's. It is needed only where a
///   type has several: a single one is the arena's, and a type without any implements `Collect` for
///   every arena.
/// - `owned_bytes = path` names a function `fn(&Self) -> usize` that tells how many bytes outside of the heap a value owns, for
///   the pace of the collector (`Collect::owned_bytes`). Without it, the fields tell, except in the mode
///   `require_static` and except fields with that attribute, which count as owning nothing. Use it for handles of memory
///   that a foreign library has allocated, or for memory that the program reports by itself (`Metrics::adjust_debt`).
///   The function may only look at values: at a safepoint it panics where it would write to one, as with `Lock::take`.
/// - `unsafe_crate = path::to::gc_core` says where `gc-core` is found, for macros whose users do not
///   depend on it themselves. Otherwise it is looked up in the `Cargo.toml` of the crate, under
///   whatever name the dependency has there. A path that leads elsewhere is an error, or derives a trait
///   that is not `gc-core`'s.
///
/// # Fields
///
/// - `#[collect(require_static)]` on a field: its type must be `'static` and need not implement
///   `Collect`; it is not traced.
/// - `#[collect(recursive)]` on a field: it owns values of the type being derived directly, not
///   through a `Gc`, as in `Box<Self>` or `Vec<Self>`, or by way of another derived type that owns
///   this one. Whether the type needs tracing is a constant computed from its fields, and for such
///   a field that constant would depend on itself, which the compiler reports as a cycle (E0391).
///   The attribute says that the field needs tracing and that only its `trace` knows the pointers,
///   which is always right, and slower than need be for any other field. One field in each cycle
///   needs it; it is not needed where a field shows the type's own name or `Self` in owners of the standard library, such
///   as `Option<Box<Self>>`. Such values are traced by recursion, as they are dropped: a chain of a million boxes
///   overflows the stack in either.
///
/// A field that is written as a pointer to a function, or as an `Option` of one, need not be `Collect`: code holds no
/// pointers. So `fn(&Mutation<'gc>, Gc<'gc, T>)` is fine, though no such type with elided lifetimes is `Collect` by itself. An
/// alias of one is not recognised; a derived struct with one field takes its place.
///
/// # Errors
///
/// A field whose type does not implement `Collect`, and whatever is wrong in an attribute, is
/// reported where it stands. Unions and packed types are refused unless `require_static`.
///
/// # Errors you may see
///
/// | the compiler says | because | do |
/// | --- | --- | --- |
/// | E0391, *cycle detected when …* `TYPE_MAP` or `NEEDS_TRACE` | a field owns values of the type itself, which its text does not show: by an alias (`type Children<'gc> = Vec<Tree<'gc>>`), an associated type, a wrapper of your own, or another derived type that owns this one | put `#[collect(recursive)]` on the field; one in each cycle is enough |
/// | E0277, *`(…)` cannot live in the heap* | a tuple has more than 32 elements | derive a struct with these fields, or nest tuples |
/// | *implementation of `Collect` is not general enough*, for a `fn(…)` | a field is an alias of a pointer to a function with elided lifetimes, `type Callback = fn(&T)`. Only spelt out in the field is it recognised | spell it out; or put `#[collect(require_static)]` on the field, if it is `'static`; or derive a struct with it as its one field |
/// | E0119, *conflicting implementations of trait `__MustNotImplDrop`* | the type has a destructor, and its mode is `no_drop` | drop by a field that is `'static`, or choose another mode |
/// | E0310 or E0477, *may not live long enough* | a field or a type is `require_static`, and mentions a lifetime or a parameter that is not `'static` | trace it instead, or bound the parameter by `'static` |
#[proc_macro_derive(Collect, attributes(collect))]
pub fn derive_collect(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as syn::DeriveInput);
    expansion::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements `Pack` for an enum, so that its values can be `Packed` into two words. It stands beside `Collect`, whose
/// attribute says which lifetime is the arena's.
///
/// ```
/// use gc_core::packed::{Pack, Packed};
/// use gc_core::{Collect, Gc};
///
/// #[derive(Clone, Copy, Collect, Pack)]
/// #[collect(no_drop)]
/// enum Value<'gc> {
///     Nil,
///     Int(i64),
///     Object(Gc<'gc, [Packed<'gc, Value<'gc>>; 2]>),
/// }
///
/// assert!(matches!(Packed::new(Value::Int(5)).get(), Value::Int(5)));
/// ```
///
/// # Errors
///
/// A variant has one field at most, and there are 1 to 16 of them. A field that is neither a thin pointer nor plain data of
/// at most 8 bytes is an error that names the trait `Field`.
#[proc_macro_derive(Pack, attributes(collect))]
pub fn derive_pack(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as syn::DeriveInput);
    pack::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Writes a family with the elided lifetimes of its member named: `__unelide_lifetimes!(Rootable; Root<'_>)` is
/// `Rootable!['gc => Root<'gc>]`, for some lifetime. Not public: it is a part of `Rootable!`.
#[doc(hidden)]
#[proc_macro]
pub fn __unelide_lifetimes(input: TokenStream) -> TokenStream {
    parse_macro_input!(input as unelide::Unelided)
        .into_family()
        .into()
}
