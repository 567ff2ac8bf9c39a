//! Attacks on collections, trait objects, and parts of objects.

mod buffers;
mod objects;
