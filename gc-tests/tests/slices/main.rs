//! Slices, strings and slices with headers: their builders, thin pointers to them, and metadata of types.
//!
//! Pointers to parts of them are in `interior`.

mod builders;
mod counted;
mod layouts;
mod lives;
mod metadata;
mod thin;
mod unmeasured;
mod weak;
