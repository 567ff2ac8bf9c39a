//! Cells: values in the heap that change. Each change passes a write barrier first.
//!
//! Cells for arenas with several mutators are in [`crate::shared`].

pub mod lock;
