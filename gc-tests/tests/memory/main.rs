//! How much memory objects take, and what is given back.

mod waste;
