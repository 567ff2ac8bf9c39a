//! Attacks on collections, trait objects, and parts of objects.

mod buffers;
mod crowd;
mod finalizers;
mod objects;
