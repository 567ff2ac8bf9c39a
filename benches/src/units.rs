//! Figures as people read them: three significant digits and a unit.

/// A time of `nanoseconds`, in ns, µs, ms or s.
pub fn time(nanoseconds: u64) -> String {
    let value = nanoseconds as f64;
    if value < 1e3 {
        format!("{nanoseconds} ns")
    } else if value < 1e6 {
        format!("{} µs", digits(value / 1e3))
    } else if value < 1e9 {
        format!("{} ms", digits(value / 1e6))
    } else {
        format!("{} s", digits(value / 1e9))
    }
}

/// A size of `bytes`, in B, KiB, MiB or GiB.
pub fn size(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    let value = bytes as f64;
    if value < KIB {
        format!("{bytes} B")
    } else if value < KIB * KIB {
        format!("{} KiB", digits(value / KIB))
    } else if value < KIB * KIB * KIB {
        format!("{} MiB", digits(value / (KIB * KIB)))
    } else {
        format!("{} GiB", digits(value / (KIB * KIB * KIB)))
    }
}

/// `count` with a space between each three digits.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `value` with three significant digits, and no fewer than its whole part.
pub fn digits(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_their_unit_at_the_thousand() {
        assert_eq!(time(0), "0 ns");
        assert_eq!(time(999), "999 ns");
        assert_eq!(time(1_000), "1.00 µs");
        assert_eq!(time(12_340_000), "12.3 ms");
        assert_eq!(time(3_000_000_000), "3.00 s");
    }

    #[test]
    fn sizes_change_their_unit_at_the_power_of_two() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.00 KiB");
        assert_eq!(size(720 << 20), "720 MiB");
        assert_eq!(size(64 << 30), "64.0 GiB");
    }

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_000), "1\u{202f}000");
        assert_eq!(count(20_000_000), "20\u{202f}000\u{202f}000");
    }
}
