//! How much memory a [`HashMap`] has.

use super::HashMap;
use crate::heap::error::HeapError;
use crate::heap::error::or_panic;
use crate::mutator::mutates::Mutates;
use crate::types::collect::Collect;

impl<'gc, K, V, S> HashMap<'gc, K, V, S>
where
    K: Collect<'gc> + 'gc,
    V: Collect<'gc> + 'gc,
{
    /// How many entries fit without more memory.
    ///
    /// ```
    /// # use gc_core::collections::HashMap;
    /// assert_eq!(HashMap::<u32, u32>::new().capacity(), 0);
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.index.capacity().min(self.entries.capacity())
    }

    /// Makes room for so many more entries. Inserting them does not fail then.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::new();
    /// assert!(map.try_reserve(mc, 10).is_ok());
    /// assert!(map.try_reserve(mc, usize::MAX).is_err());
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no memory, or so many entries do not fit into any map; this one is as it was.
    pub fn try_reserve(
        &mut self,
        mc: &impl Mutates<'gc, (K, V)>,
        additional: usize,
    ) -> Result<(), HeapError> {
        let len = self.len();
        let needed = len.saturating_add(additional);
        self.index.reserve(mc.access().0, len, needed)?;
        self.entries.try_reserve(mc, additional)
    }

    /// Makes room for so many more entries.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::new();
    /// map.reserve(mc, 10);
    /// assert!(map.capacity() >= 10);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory; see [`HashMap::try_reserve`].
    pub fn reserve(&mut self, mc: &impl Mutates<'gc, (K, V)>, additional: usize) {
        or_panic(self.try_reserve(mc, additional))
    }

    /// Moves the entries to memory with as little room for more as there can be.
    ///
    /// ```
    /// # use gc_core::{arena::rootless_mutate, collections::HashMap};
    /// # rootless_mutate(|mc| {
    /// let mut map = HashMap::<u32, u32>::with_capacity(mc, 1000);
    /// map.insert(mc, 1, 2);
    /// map.shrink_to_fit(mc);
    /// assert!(map.capacity() < 1000 && map[&1] == 2);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no memory.
    pub fn shrink_to_fit(&mut self, mc: &impl Mutates<'gc, (K, V)>) {
        self.entries.shrink_to_fit(mc);
        or_panic(self.index.shrink(mc.access().0, self.entries.len()));
    }
}
