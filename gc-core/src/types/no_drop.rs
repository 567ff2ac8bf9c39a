//! The trait by which `#[collect(no_drop)]` keeps a type from implementing `Drop`.

/// Implemented for everything that implements `Drop`, sized or not. The derive macro implements it for a type
/// as well, which is a conflict exactly if the type implements `Drop`.
///
/// The derived `Collect` wants to see the derived `Checked`, so that nothing else can pass for this trait.
#[doc(hidden)]
pub trait __MustNotImplDrop {
    type Checked;
}

/// The type has a destructor.
#[doc(hidden)]
pub struct HasDestructor;

/// The type has none of its own.
#[doc(hidden)]
pub struct NoDestructor;

#[allow(drop_bounds, reason = "the bound is the point")]
impl<T: Drop + ?Sized> __MustNotImplDrop for T {
    type Checked = HasDestructor;
}
