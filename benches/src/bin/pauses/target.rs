//! Where build products lie.
//!
//! Cargo marks its target directory with the file `CACHEDIR.TAG`, so the one that this program
//! was built into is found from the program's own place, whatever the profile, the target triple
//! or the variable `CARGO_TARGET_DIR` made of it. A program that was copied elsewhere asks the
//! variable, and then settles for `target` in the current directory.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The target directory.
pub fn directory() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where this program lies")?;
    if let Some(marked) = marked(&program) {
        return Ok(marked);
    }
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) if !directory.is_empty() => Ok(directory.into()),
        _ => Ok(env::current_dir()
            .context("there is no current directory")?
            .join("target")),
    }
}

fn marked(program: &Path) -> Option<PathBuf> {
    let above = program.ancestors().skip(1);
    above
        .into_iter()
        .find(|above| above.join("CACHEDIR.TAG").is_file())
        .map(Path::to_owned)
}
