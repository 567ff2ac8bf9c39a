//! The operations of `String`, of which few call code of the user's.

use std::fmt::Write;

use gc_core::Mutation;
use gc_core::collections::String;

use crate::fuse::{self, Call, hit};
use crate::items::{Bounds, allocate};
use crate::stage::After::{Any, Same};
use crate::stage::{Operation, Subject};

/// `String`.
pub struct Subjects;

const TEXT: &str = "Äpfel, Birnen und Nüsse";

impl Subject for Subjects {
    type In<'gc> = String<'gc>;

    const STATES: usize = 1;

    fn new<'gc>(mc: &Mutation<'gc>, _: usize) -> String<'gc> {
        String::from_str(mc, TEXT)
    }

    fn contents<'gc>(_: &Mutation<'gc>, text: &String<'gc>) -> std::vec::Vec<u64> {
        // That these are UTF-8 is what is checked.
        let text = std::str::from_utf8(text.as_bytes()).unwrap();
        text.chars().map(u64::from).collect()
    }

    fn check<'gc>(_: &Mutation<'gc>, text: &mut String<'gc>, _: bool) {
        assert!(text.len() <= text.capacity());
    }

    fn go_on<'gc>(mc: &Mutation<'gc>, text: &mut String<'gc>) {
        text.push_str(mc, "größer");
        assert_eq!(text.pop(mc), Some('r'));
        text.retain(mc, |character| character.is_alphabetic());
        text.shrink_to_fit(mc);
    }
}

/// An iterator over characters that is user code.
struct Characters(std::str::Chars<'static>);

impl Iterator for Characters {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        hit(Call::Iterator);
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        hit(Call::Iterator);
        (fuse::or_lie(3, 100) as usize, None)
    }
}

/// A value whose text is made by user code.
struct Shown;

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ö")?;
        hit(Call::Debug);
        f.write_str("Ü")
    }
}

/// All of them.
pub fn operations() -> std::vec::Vec<Operation<Subjects>> {
    type Op = Operation<Subjects>;
    vec![
        Op::new(&["String::extend"], Any, |mc, text| {
            text.extend(mc, Characters("äöü".chars()))
        }),
        Op::new(&["String::from_iter"], Same, |mc, _| {
            String::from_iter(mc, Characters("äöü".chars()));
        }),
        Op::new(&["String::retain"], Same, |mc, text| {
            text.retain(mc, |character| {
                allocate(mc);
                hit(Call::Closure);
                fuse::is(character.is_lowercase())
            });
        }),
        Op::new(&["String::remove_range"], Same, |mc, text| {
            text.remove_range(mc, Bounds(0, 2))
        }),
        Op::new(
            &[
                "String::writer",
                "Writer: Write",
                "Writer: Debug",
                "String: Debug",
                "String: Display",
            ],
            Any,
            |mc, text| {
                let mut writer = text.writer(mc);
                write!(writer, "{}{:?}", Shown, Some(1)).unwrap();
                assert!(!format!("{writer:?}").is_empty());
                assert!(!format!("{text} {text:?}").is_empty());
            },
        ),
        // The others call nothing; a call of our own makes it sure that they are run with each fuse.
        Op::new(
            &[
                "String::new",
                "String::with_capacity",
                "String::from_str",
                "String::from_utf8",
                "String::into_bytes",
                "String::into_gc",
                "String::clone_in",
                "String::as_str",
                "String::capacity",
                "String::reserve",
                "String::try_reserve",
                "String::shrink_to_fit",
                "Gc: From",
                "String: Collect",
                "String: Deref",
                "String: AsRef",
                "String: Borrow",
                "String: PartialEq",
                "String: Eq",
                "String: PartialOrd",
                "String: Ord",
                "String: Hash",
            ],
            Same,
            |mc, text| {
                hit(Call::Closure);
                let bytes = text.clone_in(mc).into_bytes();
                let again = String::from_utf8(bytes).unwrap();
                assert!(again == *text && again.cmp(text).is_eq() && again == TEXT);
                let mut other = String::with_capacity(mc, 3);
                other.reserve(mc, 100);
                assert!(other.try_reserve(mc, usize::MAX).is_err());
                other.shrink_to_fit(mc);
                assert_eq!(&*again.into_gc(), TEXT);
                assert!(String::new() < *text && String::from_str(mc, TEXT) == *text);
                let gc: gc_core::Gc<'_, str> = text.clone_in(mc).into();
                assert_eq!(gc.len(), text.as_str().len());
                let mut map = std::collections::HashMap::from([(String::default(), 1)]);
                assert_eq!(map.insert(text.clone_in(mc), 2), None);
                assert_eq!(map[TEXT], 2);
                assert_eq!(AsRef::<str>::as_ref(text).len(), text.capacity());
            },
        ),
        Op::new(
            &[
                "String::push",
                "String::push_str",
                "String::pop",
                "String::insert",
                "String::insert_str",
                "String::remove",
                "String::truncate",
                "String::clear",
            ],
            Any,
            |mc, text| {
                hit(Call::Closure);
                text.push(mc, 'ß');
                text.push_str(mc, "ä");
                text.push_str(mc, "ö");
                assert_eq!(text.pop(mc), Some('ö'));
                text.insert(mc, 2, 'ü');
                text.insert_str(mc, 2, "ü");
                assert_eq!(text.remove(mc, 2), 'ü');
                text.truncate(mc, 2);
                text.clear(mc);
                // Not at the border of a character.
                text.push(mc, 'ä');
                text.truncate(mc, if fuse::is_lit() { 2 } else { 1 });
            },
        ),
    ]
}
