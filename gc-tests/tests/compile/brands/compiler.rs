//! Crates that are written by a test and only checked by the compiler.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate that depends on `gc-core`.
pub struct Crate(PathBuf);

impl Crate {
    /// Writes a crate with that `main.rs`.
    pub fn write(name: &str, source: &str) -> Crate {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("brands")
            .join(name);
        fs::create_dir_all(place.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\ngc-core = {{ path = {:?} }}\n[workspace]\n",
            workspace.join("gc-core")
        );
        fs::write(place.join("Cargo.toml"), manifest).unwrap();
        fs::copy(workspace.join("Cargo.lock"), place.join("Cargo.lock")).unwrap();
        fs::write(place.join("src/main.rs"), source).unwrap();
        Crate(place)
    }

    /// The errors, by line. Whatever keeps the compiler from looking at all lines is a panic.
    pub fn check(&self) -> BTreeMap<usize, String> {
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--message-format=short"])
            .arg("--manifest-path")
            .arg(self.0.join("Cargo.toml"))
            // The crates that this depends on are compiled once for all.
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("brands/target"))
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let errors: BTreeMap<usize, String> = said.lines().filter_map(error).collect();
        assert!(
            output.status.success() == errors.is_empty(),
            "the crate was not checked: {said}"
        );
        errors
    }
}

/// The line and the text of an error in the crate, if this is one.
fn error(line: &str) -> Option<(usize, String)> {
    let (number, rest) = line.strip_prefix("src/main.rs:")?.split_once(':')?;
    let (_column, text) = rest.split_once(": ")?;
    text.starts_with("error")
        .then(|| Some((number.parse().ok()?, line.to_string())))?
}
