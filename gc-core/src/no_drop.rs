//! The trait by which `#[collect(no_drop)]` keeps a type from implementing `Drop`.

/// Implemented for everything that implements `Drop`. The derive macro implements it for a type as
/// well, which is a conflict exactly if the type implements `Drop`.
#[doc(hidden)]
pub trait __MustNotImplDrop {}

#[allow(drop_bounds, reason = "the bound is the point")]
impl<T: Drop> __MustNotImplDrop for T {}
