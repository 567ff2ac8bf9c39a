//! Seeds of randomised tests. A test that fails says from which seed its random numbers follow, and which command
//! repeats it.
//!
//! Tests that draw numbers have a [`Seed`]: the one in `GC_TESTS_SEED`, or their own. Property tests have [`config`] and
//! an argument from [`repeat`], and a seed that differs from run to run unless `PROPTEST_RNG_SEED` is set; the stress
//! program has a variable of its own. What threads of a collector do meanwhile follows from no seed.

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fmt, thread};

use proptest::strategy::Just;
use proptest::test_runner::{Config, RngSeed};

use crate::random::Random;

const SEED: &str = "GC_TESTS_SEED";
const PROPERTY_SEED: &str = "PROPTEST_RNG_SEED";
/// What else a test may depend on.
const OTHERS: [&str; 3] = ["GC_ZEAL", "PROPTEST_CASES", "PROGRAM_LENGTH"];

/// The number in an environment variable, if it is there.
///
/// # Panics
///
/// If it is no number.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is `{text}`: it must be a number")))
}

/// A seed that nobody has chosen.
#[must_use]
pub fn any() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(1, |time| time.as_nanos() as u64)
}

/// The command that runs the test of this thread with these variables.
#[must_use]
pub fn command(variables: &[(&str, u64)]) -> String {
    let mut command = String::new();
    for (name, number) in variables {
        command += &format!("{name}={number} ");
    }
    for name in OTHERS {
        if let Ok(value) = env::var(name) {
            command += &format!("{name}={value} ");
        }
    }
    let package = env::var("CARGO_PKG_NAME").unwrap_or("gc-tests".into());
    command += &format!("cargo test -p {package}");
    if !cfg!(debug_assertions) {
        command += " --release";
    }
    // The file is called after the test binary and a hash.
    let program = env::current_exe().unwrap_or_default();
    let stem = program
        .file_stem()
        .map(Path::new)
        .unwrap_or(Path::new(""))
        .to_string_lossy();
    if let Some((binary, _)) = stem.rsplit_once('-') {
        command += &format!(" --test {binary}");
    }
    // The harness calls a thread after its test, unless it needs no other thread.
    if let Some(test) = thread::current().name().filter(|name| *name != "main") {
        command += &format!(" -- --exact {test}");
    }
    command
}

/// A seed. If it goes out of scope because the test panics, it says how to repeat that.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// The seed in `GC_TESTS_SEED`, or this one.
    #[must_use]
    pub fn or(own: u64) -> Seed {
        Seed(number(SEED).unwrap_or(own))
    }

    /// The numbers that follow.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::new(self.0)
    }

    /// Those of a thread with that number.
    #[must_use]
    pub fn random_of(&self, thread: u64) -> Random {
        Random::new(self.0.wrapping_add(thread))
    }

    /// The seed as a number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            let seed = self.0;
            eprintln!(
                "with seed {seed}; to repeat it: {}",
                command(&[(SEED, seed)])
            );
        }
    }
}

/// These seeds, one after the other; or only that in `GC_TESTS_SEED`.
pub fn seeds(own: Range<u64>) -> impl Iterator<Item = Seed> {
    let range = match number(SEED) {
        Some(seed) => seed..seed + 1,
        None => own,
    };
    range.map(Seed)
}

/// The seed of the property tests of this process.
fn property_seed() -> u64 {
    static ANY: OnceLock<u64> = OnceLock::new();
    *ANY.get_or_init(|| number(PROPERTY_SEED).unwrap_or_else(any))
}

/// How a property is tested: so many times, unless `PROPTEST_CASES` says otherwise.
pub fn config(cases: u32) -> Config {
    let default = Config::default();
    let cases = env::var_os("PROPTEST_CASES").map_or(cases, |_| default.cases);
    Config {
        cases,
        max_shrink_iters: 4000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(property_seed()),
        ..default
    }
}

/// Says how to repeat a test where the arguments are shown with which it failed.
#[derive(Clone)]
pub struct Repeat;

impl fmt::Debug for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&command(&[(PROPERTY_SEED, property_seed())]))
    }
}

/// An argument of each property test.
pub fn repeat() -> Just<Repeat> {
    Just(Repeat)
}
