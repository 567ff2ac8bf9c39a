//! Roots whose types are well-formed for some lifetimes only, which would give the brand away.
//!
//! A callback is compiled under the assumption that the types of its parameters are well-formed. If the root's type
//! is so only if the brand outlives `'static`, the callback may let everything escape (`gc_core::arena::WellFormed`).
//! Here are all [carriers](carriers) of such a demand, in all [families](families) that can bring one to an arena, and
//! all [places](places) of the public surface that take a family. Each combination is a function on a line of its
//! own, in one crate, and the compiler has to complain of each line. The same functions with a harmless demand in
//! the same carriers are another crate, and there it must not complain of any: so the first is refused for the
//! right reason.

mod carriers;
mod compiler;
mod families;
mod places;

use carriers::{CARRIERS, Carrier};
use compiler::Crate;
use families::{FAMILIES, Family};
use places::{PLACES, Place};

/// What the compiler is to say of the functions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// The brand outlives `'static`, says the root; and what it brands escapes.
    Refused,
    /// The brand outlives itself, says the root; and nothing escapes.
    Accepted,
}

/// One combination.
#[derive(Clone, Copy)]
struct Attack {
    carrier: &'static Carrier,
    family: &'static Family,
    place: &'static Place,
}

impl Attack {
    /// Some carriers in all families at all places; the others in the first family at some places.
    fn all() -> Vec<Attack> {
        let mut all = Vec::new();
        for carrier in CARRIERS {
            for place in PLACES {
                for family in FAMILIES {
                    let attack = Attack {
                        carrier,
                        family,
                        place,
                    };
                    if attack.is_useful() {
                        all.push(attack);
                    }
                }
            }
        }
        all
    }

    /// Whether there is such a combination, and it shows something that others do not.
    fn is_useful(&self) -> bool {
        let Attack {
            carrier,
            family,
            place,
        } = self;
        let possible = (carrier.is_collect || !place.needs_collect)
            && (carrier.is_sync || !place.needs_sync)
            && (family.behind_generics || !place.is_generic);
        possible
            && (carrier.is_tried_everywhere
                || place.for_all_carriers && family.name == FAMILIES[0].name)
    }

    fn name(&self, number: usize) -> String {
        format!(
            "a{number}_{}_{}_{}",
            self.carrier.name, self.family.name, self.place.name
        )
    }

    /// The function, and the items that it needs, on one line.
    fn source(&self, number: usize, case: Case) -> String {
        let outlived = match case {
            Case::Refused => "'static",
            Case::Accepted => "'gc",
        };
        let member = format!(
            "(Gc<'gc, String>, {})",
            self.carrier.ty.replace("'long", outlived)
        );
        let fill = |text: &str| text.replace("MEMBER", &member);
        let body = fill(&self.place.body.replace("FAMILY", self.family.ty));
        let items = fill(self.family.items);
        format!("fn {}() {{ {items} {body} }}", self.name(number))
    }
}

/// What the functions use.
fn prelude(case: Case) -> String {
    let keep = match case {
        Case::Refused => "fn keep(_: Gc<'static, String>) {}",
        Case::Accepted => "fn keep<'gc>(_: Gc<'gc, String>) {}",
    };
    format!("{}\n{keep}\n", include_str!("prelude.txt"))
}

/// The crate, and the line of the first function.
fn write(case: Case, name: &str, attacks: &[Attack]) -> (Crate, usize) {
    let mut source = prelude(case);
    let first = source.lines().count() + 1;
    for (number, attack) in attacks.iter().enumerate() {
        source.push_str(&attack.source(number, case));
        source.push('\n');
    }
    source.push_str("fn main() {}\n");
    (Crate::write(name, &source), first)
}

#[test]
fn a_root_that_gives_the_brand_away_is_refused_everywhere() {
    let attacks = Attack::all();
    let (refused, first) = write(Case::Refused, "refused", &attacks);
    let complaints = refused.check();
    let missed: Vec<String> = attacks
        .iter()
        .enumerate()
        .filter(|(number, _)| !complaints.contains_key(&(first + number)))
        .map(|(number, attack)| attack.source(number, Case::Refused))
        .collect();
    assert!(
        missed.is_empty(),
        "{} of {} compile:\n{}",
        missed.len(),
        attacks.len(),
        missed.join("\n")
    );
}

#[test]
fn a_root_that_demands_nothing_of_the_brand_is_accepted_everywhere() {
    let attacks = Attack::all();
    let (accepted, first) = write(Case::Accepted, "accepted", &attacks);
    let complaints = accepted.check();
    let refused: Vec<String> = complaints
        .iter()
        .map(|(line, complaint)| {
            let attack = line
                .checked_sub(first)
                .and_then(|number| Some((number, attacks.get(number)?)));
            let source = attack.map(|(number, attack)| attack.source(number, Case::Accepted));
            format!("{complaint}\n    {}", source.unwrap_or_default())
        })
        .collect();
    assert!(
        refused.is_empty(),
        "{} of {} are refused:\n{}",
        refused.len(),
        attacks.len(),
        refused.join("\n")
    );
}
