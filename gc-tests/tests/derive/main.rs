//! Types of every shape that `#[derive(Collect)]` takes, and whether the collector finds what they hold.
//!
//! Each shape holds some tokens through pointers. While the shape is reachable all of them must stay, and once it is
//! not, none. What the derive macro refuses is in `tests/ui`; which tags it makes is in `planes`.

#![forbid(unsafe_code)]
#![deny(
    unused,
    deprecated,
    non_local_definitions,
    private_bounds,
    private_interfaces
)]

mod modes;
mod parameters;
pub mod scopes;
mod shapes;
pub mod tokens;
mod type_maps;
