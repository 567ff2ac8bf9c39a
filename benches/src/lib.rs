//! What the benchmarks share: the programs under measurement, and what is asked of the machine.
//!
//! A comparison is only as fair as the sameness of what is compared. So each program exists once,
//! generic or compiled twice, and what differs between the rows of a table is the memory manager:
//!
//! - [`forest`] is the binary-trees program over any manager of trees;
//! - [`collected`] is one source of managed heaps, compiled against gc-core and against gc-arena;
//! - [`pauses`] are programs cut into steps, and how long these take;
//! - [`child`] runs a measurement in a process of its own, so that none inherits another's heap,
//!   warm pages or peak;
//! - [`machine`], [`processor`], [`resident`] and [`units`] say where a figure comes from and in which unit.
//!
//! Nothing here decides what is measured or how often; the binaries `pauses` and `ratios` and the
//! Criterion benches do.

pub mod child;
pub mod collected;
pub mod forest;
pub mod machine;
pub mod pauses;
pub mod processor;
pub mod resident;
pub mod shared;
pub mod units;

/// The number in the environment variable `name`, or `otherwise` where it is not set.
///
/// # Panics
///
/// If the variable is set to anything but a number that fits: a bench that ignored it would
/// report figures of another size than the one asked for.
pub fn setting<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Err(_) => otherwise,
        Ok(text) => match text.replace('_', "").parse() {
            Ok(number) => number,
            Err(_) => panic!("{name} is set to \"{text}\", which is no number in range"),
        },
    }
}
