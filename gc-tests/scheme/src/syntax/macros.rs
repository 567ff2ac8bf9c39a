//! `syntax-rules`.
//!
//! A symbol that a template inserts is renamed afresh in each expansion, so that variables which
//! the template binds are its own. A renamed symbol that nothing binds stands for what it was
//! before, looked up where the macro is *used*: a macro that refers to a variable that its user
//! shadows locally sees the user's. That is the one gap in hygiene.

use std::collections::HashMap;
use std::rc::Rc;

use super::expand::{Binding, Expanded, Expander, fail};
use crate::error::{Position, SyntaxError};
use crate::reader::syntax::{Datum, RENAMED, Syntax, base_name};

/// A macro.
#[derive(Debug)]
pub struct Macro {
    literals: Vec<Rc<str>>,
    ellipsis: Rc<str>,
    rules: Vec<(Syntax, Syntax)>,
}

/// What a pattern variable matched.
enum Match {
    One(Syntax),
    Many(Vec<Matches>),
}

type Matches = HashMap<Rc<str>, Match>;

/// `(define-syntax name (syntax-rules …))`
pub(crate) fn definition(
    form: &Syntax,
    rest: &[Syntax],
) -> Result<(Rc<str>, Rc<Macro>), SyntaxError> {
    match rest {
        [name, rules] => match name.as_symbol() {
            Some(symbol) => Ok((symbol.clone(), Rc::new(Macro::parse(rules)?))),
            None => fail(name, "expected the name of a macro"),
        },
        _ => fail(form, "`define-syntax` needs a name and `syntax-rules`"),
    }
}

/// `(let-syntax ((name rules) …) body …)`, and `letrec-syntax`.
pub(crate) fn let_syntax(x: &mut Expander, form: &Syntax, rest: &[Syntax], tail: bool) -> Expanded {
    let Some((list, body)) = rest.split_first() else {
        return fail(form, "expected bindings and a body");
    };
    let mut scope = Vec::new();
    for (name, rules) in super::forms::bindings(form, list)? {
        scope.push((name, Binding::Macro(Rc::new(Macro::parse(rules)?))));
    }
    x.with_scope(scope, |x| x.body(form, body, tail))
}

impl Macro {
    fn parse(form: &Syntax) -> Result<Macro, SyntaxError> {
        let Some([keyword, rest @ ..]) = form.as_list().map(|items| &**items) else {
            return fail(form, "expected `syntax-rules`");
        };
        if !keyword.is_symbol("syntax-rules") {
            return fail(form, "only `syntax-rules` defines macros");
        }
        let (ellipsis, rest) = match rest {
            [custom, rest @ ..] if custom.as_symbol().is_some() => {
                (custom.as_symbol().cloned().unwrap_or_default(), rest)
            }
            _ => ("...".into(), rest),
        };
        let Some((literals, rules)) = rest.split_first() else {
            return fail(form, "`syntax-rules` needs a list of literals");
        };
        let Some(literals) = literals.as_list() else {
            return fail(literals, "expected a list of literals");
        };
        let mut pairs = Vec::with_capacity(rules.len());
        for rule in rules {
            match rule.as_list().map(|items| &**items) {
                Some([pattern, template]) => pairs.push((pattern.clone(), template.clone())),
                _ => return fail(rule, "expected `(pattern template)`"),
            }
        }
        let literals = literals
            .iter()
            .filter_map(Syntax::as_symbol)
            .cloned()
            .collect();
        Ok(Macro {
            literals,
            ellipsis,
            rules: pairs,
        })
    }

    /// Expands a use of the macro.
    pub(crate) fn expand(&self, form: &Syntax, renamings: &mut u64) -> Result<Syntax, SyntaxError> {
        let arguments = match &form.datum {
            Datum::List(items) => Datum::List(items[1..].into()),
            other => other.clone(),
        };
        let arguments = Syntax::new(form.position, arguments);
        for (pattern, template) in &self.rules {
            let pattern_arguments = match &pattern.datum {
                Datum::List(items) if !items.is_empty() => Datum::List(items[1..].into()),
                Datum::Dotted(items, tail) => Datum::dotted(items[1..].to_vec(), (**tail).clone()),
                _ => return fail(pattern, "a pattern must be a list"),
            };
            let pattern = Syntax::new(pattern.position, pattern_arguments);
            let mut matches = Matches::new();
            if self.matches(&pattern, &arguments, &mut matches) {
                *renamings += 1;
                let instance = Instance {
                    rules: self,
                    mark: *renamings,
                    position: form.position,
                };
                return instance.fill(template, &[&matches], true);
            }
        }
        fail(form, "no rule of the macro matches this use")
    }

    fn is_ellipsis(&self, form: &Syntax) -> bool {
        form.as_symbol()
            .is_some_and(|name| base_name(name) == base_name(&self.ellipsis))
    }

    fn matches(&self, pattern: &Syntax, form: &Syntax, found: &mut Matches) -> bool {
        match &pattern.datum {
            Datum::Symbol(name) if &**name == "_" => true,
            Datum::Symbol(name) if self.literals.contains(name) => form.is_symbol(base_name(name)),
            Datum::Symbol(name) => {
                found.insert(name.clone(), Match::One(form.clone()));
                true
            }
            Datum::List(items) => match &form.datum {
                Datum::List(forms) => self.match_items(items, None, forms, None, found),
                _ => false,
            },
            Datum::Dotted(items, tail) => match &form.datum {
                Datum::List(forms) => self.match_items(items, Some(tail), forms, None, found),
                Datum::Dotted(forms, end) => {
                    self.match_items(items, Some(tail), forms, Some(end), found)
                }
                _ => false,
            },
            Datum::Vector(items) => match &form.datum {
                Datum::Vector(forms) => self.match_items(items, None, forms, None, found),
                _ => false,
            },
            _ => same_atom(&pattern.datum, &form.datum),
        }
    }

    fn match_items(
        &self,
        patterns: &[Syntax],
        pattern_tail: Option<&Syntax>,
        forms: &[Syntax],
        form_tail: Option<&Syntax>,
        found: &mut Matches,
    ) -> bool {
        let repeated = patterns.iter().skip(1).position(|p| self.is_ellipsis(p));
        let Some(at) = repeated else {
            if forms.len() < patterns.len()
                || (pattern_tail.is_none() && (forms.len() > patterns.len() || form_tail.is_some()))
            {
                return false;
            }
            let (front, rest) = forms.split_at(patterns.len());
            return patterns
                .iter()
                .zip(front)
                .all(|(p, f)| self.matches(p, f, found))
                && pattern_tail
                    .is_none_or(|p| self.matches(p, &rest_of(rest, form_tail, p), found));
        };
        let after = &patterns[at + 2..];
        let Some(count) = forms.len().checked_sub(at + after.len()) else {
            return false;
        };
        if pattern_tail.is_none() && form_tail.is_some() {
            return false;
        }
        if !patterns[..at]
            .iter()
            .zip(forms)
            .all(|(p, f)| self.matches(p, f, found))
        {
            return false;
        }
        let mut rounds = Vec::with_capacity(count);
        for form in &forms[at..at + count] {
            let mut round = Matches::new();
            if !self.matches(&patterns[at], form, &mut round) {
                return false;
            }
            rounds.push(round);
        }
        let mut names = Vec::new();
        self.variables(&patterns[at], &mut names);
        // All variables of the repeated pattern share the rounds; each picks its own out of them.
        let mut columns: Vec<Vec<Matches>> = names.iter().map(|_| Vec::new()).collect();
        for mut round in rounds {
            for (name, column) in names.iter().zip(&mut columns) {
                if let Some(value) = round.remove(name) {
                    column.push(Matches::from([(name.clone(), value)]));
                }
            }
        }
        for (name, column) in names.into_iter().zip(columns) {
            found.insert(name, Match::Many(column));
        }
        after
            .iter()
            .zip(&forms[at + count..])
            .all(|(p, f)| self.matches(p, f, found))
            && pattern_tail.is_none_or(|p| self.matches(p, &rest_of(&[], form_tail, p), found))
    }

    fn variables(&self, pattern: &Syntax, names: &mut Vec<Rc<str>>) {
        match &pattern.datum {
            Datum::Symbol(name)
                if !self.literals.contains(name)
                    && !self.is_ellipsis(pattern)
                    && &**name != "_" =>
            {
                names.push(name.clone());
            }
            Datum::List(items) | Datum::Vector(items) => {
                items.iter().for_each(|item| self.variables(item, names));
            }
            Datum::Dotted(items, tail) => {
                items.iter().for_each(|item| self.variables(item, names));
                self.variables(tail, names);
            }
            _ => {}
        }
    }
}

/// What is left of a list for the tail of a pattern.
fn rest_of(rest: &[Syntax], tail: Option<&Syntax>, pattern: &Syntax) -> Syntax {
    let position = rest
        .first()
        .or(tail)
        .map_or(pattern.position, |form| form.position);
    let datum = match tail {
        Some(tail) => Datum::dotted(rest.to_vec(), tail.clone()),
        None => Datum::List(rest.into()),
    };
    Syntax::new(position, datum)
}

fn same_atom(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Fixnum(a), Datum::Fixnum(b)) => a == b,
        (Datum::Flonum(a), Datum::Flonum(b)) => a == b,
        (Datum::Bool(a), Datum::Bool(b)) => a == b,
        (Datum::Char(a), Datum::Char(b)) => a == b,
        (Datum::String(a), Datum::String(b)) => a == b,
        _ => false,
    }
}

/// One expansion.
struct Instance<'a> {
    rules: &'a Macro,
    mark: u64,
    position: Position,
}

impl Instance<'_> {
    fn lookup<'m>(scopes: &[&'m Matches], name: &Rc<str>) -> Option<&'m Match> {
        scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// The template with its variables replaced; `ellipsis` tells whether `...` is special.
    fn fill(
        &self,
        template: &Syntax,
        scopes: &[&Matches],
        ellipsis: bool,
    ) -> Result<Syntax, SyntaxError> {
        let datum = match &template.datum {
            Datum::Symbol(name) => match Self::lookup(scopes, name) {
                Some(Match::One(form)) => return Ok(form.clone()),
                Some(Match::Many(_)) => {
                    return fail(template, "a repeated pattern variable needs `...`");
                }
                None => Datum::Symbol(format!("{name}{RENAMED}{}", self.mark).into()),
            },
            Datum::List(items) => match &**items {
                [escape, inner] if ellipsis && self.rules.is_ellipsis(escape) => {
                    return self.fill(inner, scopes, false);
                }
                _ => Datum::List(self.fill_items(items, scopes, ellipsis)?.into()),
            },
            Datum::Vector(items) => Datum::Vector(self.fill_items(items, scopes, ellipsis)?.into()),
            Datum::Dotted(items, tail) => Datum::dotted(
                self.fill_items(items, scopes, ellipsis)?,
                self.fill(tail, scopes, ellipsis)?,
            ),
            other => other.clone(),
        };
        Ok(Syntax::new(self.position, datum))
    }

    fn fill_items(
        &self,
        items: &[Syntax],
        scopes: &[&Matches],
        ellipsis: bool,
    ) -> Result<Vec<Syntax>, SyntaxError> {
        let mut result = Vec::new();
        let mut i = 0;
        while let Some(item) = items.get(i) {
            i += 1;
            let mut levels = 0;
            while ellipsis
                && items
                    .get(i)
                    .is_some_and(|next| self.rules.is_ellipsis(next))
            {
                levels += 1;
                i += 1;
            }
            self.repeat(item, scopes, ellipsis, levels, &mut result)?;
        }
        Ok(result)
    }

    fn repeat(
        &self,
        item: &Syntax,
        scopes: &[&Matches],
        ellipsis: bool,
        levels: usize,
        result: &mut Vec<Syntax>,
    ) -> Result<(), SyntaxError> {
        if levels == 0 {
            result.push(self.fill(item, scopes, ellipsis)?);
            return Ok(());
        }
        let mut names = Vec::new();
        self.rules.variables(item, &mut names);
        let columns: Vec<&Vec<Matches>> = names
            .iter()
            .filter_map(|name| match Self::lookup(scopes, name) {
                Some(Match::Many(rounds)) => Some(rounds),
                _ => None,
            })
            .collect();
        let Some(count) = columns.iter().map(|rounds| rounds.len()).max() else {
            return fail(item, "nothing to repeat before `...`");
        };
        for round in 0..count {
            let mut inner = scopes.to_vec();
            inner.extend(columns.iter().filter_map(|rounds| rounds.get(round)));
            self.repeat(item, &inner, ellipsis, levels - 1, result)?;
        }
        Ok(())
    }
}
