//! Strings, of which there is one with each text, the table that knows them all, and those that programs name.
//!
//! The table's entries are weak. What died is removed when the table is traced, and replaced where the same text is
//! asked for before that. As such tables do, it is borrowed first, and the write barrier comes only where there is
//! something to insert, with the guard held.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::gc::barrier::Unlock;
use super::gc::collect::Trace;
use super::gc::{Collect, Gc, GcWeak, Mutation, RefLock};

/// The text of a string, which the table of names shares.
#[derive(Collect)]
#[collect(require_static)]
struct Text(Arc<str>);

/// A string. Two of them are equal if they are one.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Str<'gc>(Gc<'gc, Text>);

impl<'gc> Str<'gc> {
    pub fn text(self) -> &'gc str {
        &self.0.as_ref().0
    }

    pub fn address(self) -> *const () {
        Gc::as_ptr(self.0).cast()
    }
}

type Entries<'gc> = HashMap<Arc<str>, GcWeak<'gc, Text>, FixedState>;

/// All strings.
#[derive(Default)]
pub struct Names<'gc>(RefLock<Entries<'gc>>);

// SAFETY: every pointer that is left in the table is traced; those that are removed are weak and lead to nothing.
unsafe impl<'gc> Collect<'gc> for Names<'gc> {
    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        // SAFETY: pointers are only removed here, which needs no barrier while the collector traces the object.
        let mut entries = unsafe { self.0.unlock_unchecked() }.borrow_mut();
        entries.retain(|_, text| !text.is_dropped());
        cc.trace(&*entries);
    }
}

impl<'gc> Names<'gc> {
    /// The string in `names` with this text, which is made if there is none.
    pub fn intern(mc: &Mutation<'gc>, names: Gc<'gc, Names<'gc>>, text: &str) -> Str<'gc> {
        // SAFETY: nothing is inserted before the barrier below was called.
        let mut entries = unsafe { names.0.unlock_unchecked() }.borrow_mut();
        if let Some(there) = entries.get(text).and_then(|weak| weak.upgrade(mc)) {
            return Str(there);
        }
        let text: Arc<str> = text.into();
        let made = Gc::new(mc, Text(text.clone()));
        let weak = Gc::downgrade(made);
        mc.backward_barrier_weak(Gc::erase(names), GcWeak::erase(weak));
        entries.insert(text, weak);
        Str(made)
    }
}

macro_rules! constants {
    ($($name:ident $text:literal,)*) => {
        /// The strings that programs name: where the machine had instructions, these would be their constants.
        #[derive(Clone, Copy)]
        pub enum Key {
            $($name,)*
        }

        const TEXTS: &[&str] = &[$($text,)*];
    };
}

constants! {
    Buffer "buffer",
    Class "class",
    Close "close",
    Frame "frame ",
    Id "id",
    Kept "kept",
    Left "left",
    Link "link",
    Log "log",
    Name "name",
    Open "open",
    Path "path",
    Right "right",
    Seen "seen",
    Speed "speed",
    Step "step",
    Tags "tags",
    X "x",
    Y "y",
}

/// The string of each key.
#[derive(Collect)]
#[collect(no_drop)]
pub struct Constants<'gc>(Vec<Str<'gc>>);

impl<'gc> Constants<'gc> {
    pub fn new(mc: &Mutation<'gc>, names: Gc<'gc, Names<'gc>>) -> Constants<'gc> {
        let strings = TEXTS.iter().map(|text| Names::intern(mc, names, text));
        Constants(strings.collect())
    }

    pub fn get(&self, key: Key) -> Str<'gc> {
        self.0[key as usize]
    }
}
