//! Which soft references are kept.
//!
//! A soft reference is an ephemeron whose key is a *cohort*: a small object for references that were last
//! used since some collection. Using a reference moves it to the youngest cohort. When a cycle
//! begins, the policy says which cohorts are kept alive, by taking them for roots; the others are
//! forgotten here, so the ephemerons that have them for keys are cleared, unless something else keeps their
//! values. So the collector knows nothing of soft references but some addresses.

use std::collections::VecDeque;

use crate::sync::Mutex;

/// A cohort: its address, and how many collections were completed when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cohort {
    address: usize,
    made: u64,
}

/// See the [module documentation](self).
#[derive(Default)]
pub(crate) struct Cohorts(Mutex<VecDeque<Cohort>>);

impl Cohorts {
    /// The youngest cohort, if it was made after so many collections.
    pub(crate) fn youngest(&self, collections: u64) -> Option<usize> {
        let cohorts = self.0.lock();
        let last = cohorts.back().filter(|last| last.made == collections);
        last.map(|last| last.address)
    }

    /// Adds a cohort that was made after so many collections.
    pub(crate) fn add(&self, address: usize, collections: u64) {
        let made = collections;
        self.0.lock().push_back(Cohort { address, made });
    }

    /// Forgets those that were not used in the last `idle` collections of so many; all if there is
    /// `no_room`.
    pub(crate) fn choose(&self, collections: u64, idle: u32, no_room: bool) {
        let is_kept = |cohort: &Cohort| !no_room && cohort.made + u64::from(idle) >= collections;
        let mut cohorts = self.0.lock();
        cohorts.retain(is_kept);
        if cohorts.len() < cohorts.capacity() / 4 {
            let kept = cohorts.len();
            cohorts.shrink_to(2 * kept);
        }
    }

    /// Calls `f` with each cohort.
    pub(crate) fn each(&self, mut f: impl FnMut(usize)) {
        self.0.lock().iter().for_each(|cohort| f(cohort.address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_are_forgotten() {
        let cohorts = Cohorts::default();
        for made in 0..5 {
            cohorts.add(made as usize * 16, made);
        }
        assert_eq!((cohorts.youngest(4), cohorts.youngest(5)), (Some(64), None));
        cohorts.choose(5, 3, false);
        let mut kept = Vec::new();
        cohorts.each(|address| kept.push(address / 16));
        assert_eq!(kept, [2, 3, 4]);
        cohorts.choose(5, 3, true);
        assert_eq!(cohorts.youngest(4), None);
    }
}
