//! The order of processing, row by row of the table in `docs/references.md`.
