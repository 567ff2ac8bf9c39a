//! Slices, strings and slices with headers, made by builders; thin pointers to them; and what is beside
//! their values.

mod builders;
mod counted;
mod layouts;
mod lives;
mod metadata;
mod thin;
mod weak;
