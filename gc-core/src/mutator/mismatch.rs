//! [`MismatchedArena`]: the error of what is used with an arena that it is not of.

/// Something was used with an arena that it is not of: a pin, a handle of a shared arena, or a registered finalizer.
///
/// ```
/// use gc_core::arena::{MismatchedArena, rootless_mutate};
/// use gc_core::pinning::Pinned;
/// use gc_core::{Arena, Gc, Rootable};
///
/// fn read(arena: &Arena<Rootable![()]>, pin: &Pinned<Rootable![u32]>) -> Result<u32, MismatchedArena> {
///     arena.mutate(|mc, _| Ok(*pin.try_get(mc)?))
/// }
///
/// let [arena, other] = [(); 2].map(|()| Arena::<Rootable![()]>::new(|_| ()));
/// let pinned = arena.mutate(|mc, _| Gc::pin(mc, Gc::new(mc, 7)));
/// assert_eq!(read(&arena, &pinned).ok(), Some(7));
/// let error = read(&other, &pinned).unwrap_err().to_string();
/// assert!(error.starts_with("the pinned object is of another arena"));
///
/// let elsewhere = rootless_mutate(|mc| mc.finalize_with(Gc::new(mc, 5), |_, _| ()));
/// let error = rootless_mutate(|mc| elsewhere.unregister(mc).unwrap_err());
/// assert!(error.to_string().starts_with("the finalizer is of another arena"));
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the {0} is of another arena: use it in a `mutate` call of the one that it was made in")]
pub struct MismatchedArena(pub(crate) &'static str);
