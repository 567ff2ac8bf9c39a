//! Tests of `gc-core` through its public surface.
