//! How much memory objects take, and what is given back.

mod look_ups;
mod release;
mod waste;
