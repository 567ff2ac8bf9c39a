//! Where threads exchange things that keep objects alive.

use std::sync::{Mutex, PoisonError};

use crate::random::Random;

/// Things that threads have made and others may take.
#[derive(Debug)]
pub struct Market<T>(Mutex<Vec<T>>);

impl<T> Default for Market<T> {
    fn default() -> Self {
        Market(Mutex::default())
    }
}

impl<T> Market<T> {
    fn with<R>(&self, f: impl FnOnce(&mut Vec<T>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a thing on the market.
    pub fn put(&self, thing: T) {
        self.with(|things| things.push(thing));
    }

    /// Puts a thing on the market and takes any.
    pub fn exchange(&self, thing: T, random: &mut Random) -> T {
        self.with(|things| {
            things.push(thing);
            let index = random.below(things.len());
            things.swap_remove(index)
        })
    }

    /// What a thread does that is attached to no arena: it replaces things by clones, so many times, and throws
    /// things away when there are many.
    pub fn turn_over(&self, rounds: usize)
    where
        T: Clone,
    {
        for _ in 0..rounds {
            if let Some(taken) = self.with(Vec::pop) {
                let again = taken.clone();
                drop(taken);
                self.put(again);
            }
            let thrown_away = self.with(|things| things.split_off(things.len().min(20)));
            drop(thrown_away);
        }
    }

    /// What is left.
    pub fn into_inner(self) -> Vec<T> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
