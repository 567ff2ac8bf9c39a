//! How much memory objects take, and what is given back.

mod release;
mod waste;
