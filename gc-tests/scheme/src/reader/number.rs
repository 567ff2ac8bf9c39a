//! Numbers from text, for the lexer and for `string->number`.
//!
//! Exact integers beyond 64 bits and fractions that are no integers become inexact: the language
//! has no other exact numbers.

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An exact integer.
    Exact(i64),
    /// Any other number.
    Inexact(f64),
}

/// The number that `text` denotes, `None` if it denotes none. A `#x`, `#o`, `#b`, `#d`, `#e` or
/// `#i` prefix is understood.
pub fn parse(text: &str, mut radix: u32) -> Option<Number> {
    let mut exactness = None;
    let mut rest = text;
    while let Some(prefixed) = rest.strip_prefix('#') {
        let letter = prefixed.chars().next()?.to_ascii_lowercase();
        match letter {
            'x' => radix = 16,
            'o' => radix = 8,
            'b' => radix = 2,
            'd' => radix = 10,
            'e' | 'i' => exactness = Some(letter),
            _ => return None,
        }
        rest = &prefixed[1..];
    }
    let number = parse_real(rest, radix)?;
    Some(match (exactness, number) {
        (Some('i'), Number::Exact(n)) => Number::Inexact(n as f64),
        (Some('e'), Number::Inexact(x)) => Number::Exact(to_exact(x)?),
        _ => number,
    })
}

/// The integer that `x` equals, if it is one of 64 bits.
pub fn to_exact(x: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (x.fract() == 0.0 && (-LIMIT..LIMIT).contains(&x)).then_some(x as i64)
}

fn parse_real(text: &str, radix: u32) -> Option<Number> {
    match text {
        "+inf.0" => return Some(Number::Inexact(f64::INFINITY)),
        "-inf.0" => return Some(Number::Inexact(f64::NEG_INFINITY)),
        "+nan.0" | "-nan.0" => return Some(Number::Inexact(f64::NAN)),
        _ => {}
    }
    if let Some((numerator, denominator)) = text.split_once('/') {
        if denominator.starts_with(['+', '-']) {
            return None;
        }
        let (n, d) = (
            parse_integer(numerator, radix)?,
            parse_integer(denominator, radix)?,
        );
        return match (n, d) {
            (_, Number::Exact(0)) => None,
            (Number::Exact(n), Number::Exact(d)) if n.checked_rem(d) == Some(0) => {
                Some(Number::Exact(n / d))
            }
            _ => Some(Number::Inexact(as_float(n) / as_float(d))),
        };
    }
    parse_integer(text, radix).or_else(|| {
        let decimal = radix == 10
            && text.bytes().any(|b| b.is_ascii_digit())
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            && !text.trim_start_matches(['+', '-']).starts_with(['e', 'E']);
        if decimal {
            text.parse().ok().map(Number::Inexact)
        } else {
            None
        }
    })
}

fn parse_integer(text: &str, radix: u32) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    if let Ok(n) = i64::from_str_radix(text, radix) {
        return Some(Number::Exact(n));
    }
    if radix == 10 {
        return text.parse().ok().map(Number::Inexact);
    }
    let magnitude = digits
        .chars()
        .filter_map(|c| c.to_digit(radix))
        .fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit));
    Some(Number::Inexact(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    }))
}

fn as_float(number: Number) -> f64 {
    match number {
        Number::Exact(n) => n as f64,
        Number::Inexact(x) => x,
    }
}

#[cfg(test)]
mod tests {
    use super::{Number::*, parse};

    #[test]
    fn numbers_and_what_only_looks_like_them() {
        for (text, expected) in [
            ("42", Some(Exact(42))),
            ("-7", Some(Exact(-7))),
            ("+5", Some(Exact(5))),
            ("1.5", Some(Inexact(1.5))),
            ("-.5e2", Some(Inexact(-50.0))),
            ("1.", Some(Inexact(1.0))),
            ("#xff", Some(Exact(255))),
            ("#b-101", Some(Exact(-5))),
            ("#e1.0", Some(Exact(1))),
            ("#i3", Some(Inexact(3.0))),
            ("6/3", Some(Exact(2))),
            ("1/4", Some(Inexact(0.25))),
            (
                "9223372036854775808",
                Some(Inexact(9_223_372_036_854_775_808.0)),
            ),
            ("-9223372036854775808", Some(Exact(i64::MIN))),
            ("+", None),
            ("-", None),
            ("...", None),
            ("1+", None),
            ("e5", None),
            ("1e", None),
            ("#", None),
            ("", None),
            ("1/0", None),
        ] {
            assert_eq!(parse(text, 10), expected, "{text}");
        }
    }
}
