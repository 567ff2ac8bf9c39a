//! Where pins were made: known in builds with debug assertions, and counted otherwise.

#[cfg(not(debug_assertions))]
pub(crate) use self::counted::{Place, Places};
#[cfg(debug_assertions)]
pub(crate) use self::listed::{Place, Places};

#[cfg(debug_assertions)]
mod listed {
    use core::panic::Location;

    /// Where a pin was made.
    #[derive(Clone, Copy)]
    pub(crate) struct Place(&'static Location<'static>);

    impl Place {
        /// That of the caller.
        #[track_caller]
        pub(crate) fn here() -> Place {
            Place(Location::caller())
        }
    }

    /// The pins of one kind that an object has.
    #[derive(Default)]
    pub(crate) struct Places(Vec<Place>);

    impl Places {
        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }

        pub(crate) fn add(&mut self, place: Place) {
            self.0.push(place);
        }

        /// Takes one out that was made at `place`; whether there was one.
        pub(crate) fn remove(&mut self, place: Place) -> bool {
            let is = |other: &Place| core::ptr::eq(other.0, place.0);
            let index = self.0.iter().rposition(is);
            index.map(|index| self.0.swap_remove(index)).is_some()
        }

        /// Takes any out; whether there was one.
        pub(crate) fn remove_any(&mut self) -> bool {
            self.0.pop().is_some()
        }

        /// Where they were made, as far as that is known.
        pub(crate) fn locations(&self) -> impl Iterator<Item = &'static Location<'static>> {
            self.0.iter().map(|place| place.0)
        }
    }
}

#[cfg(not(debug_assertions))]
mod counted {
    use core::panic::Location;

    /// See the other one.
    #[derive(Clone, Copy)]
    pub(crate) struct Place;

    impl Place {
        pub(crate) fn here() -> Place {
            Place
        }
    }

    /// See the other one.
    #[derive(Default)]
    pub(crate) struct Places(usize);

    impl Places {
        pub(crate) fn len(&self) -> usize {
            self.0
        }

        pub(crate) fn add(&mut self, _: Place) {
            self.0 += 1;
        }

        pub(crate) fn remove(&mut self, _: Place) -> bool {
            self.remove_any()
        }

        pub(crate) fn remove_any(&mut self) -> bool {
            let less = self.0.checked_sub(1);
            self.0 = less.unwrap_or(0);
            less.is_some()
        }

        pub(crate) fn locations(&self) -> impl Iterator<Item = &'static Location<'static>> {
            core::iter::empty()
        }
    }
}
