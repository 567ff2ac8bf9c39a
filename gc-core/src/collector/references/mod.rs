//! References that are not simply strong.

pub(crate) mod pending;
