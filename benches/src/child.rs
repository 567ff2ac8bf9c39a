//! Measurements in processes of their own.
//!
//! A binary starts itself with other arguments and reads what the child prints on its standard
//! output, line by line. What a child says on its standard error is kept for the message should
//! it fail, so that a panic in a measurement is reported as what it is. Of a child that does not fail it is passed on:
//! a panic that went no further is a finding, too.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// Runs this very binary with `arguments` and gives each line of its output to `line`.
///
/// # Errors
///
/// If the child cannot be started, if `line` refuses a line, or if the child fails; the message
/// then ends with what the child wrote on its standard error.
pub fn run(arguments: &[String], mut line: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let mut child = Command::new(&program)
        .args(arguments)
        // A failure is told in a sentence, not in frames.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;

    // Read beside the output: a child that fills one pipe while its parent waits for the other
    // would wait for ever.
    let mut errors = child
        .stderr
        .take()
        .context("the child has no standard error")?;
    let errors = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });

    let output = child
        .stdout
        .take()
        .context("the child has no standard output")?;
    let mut refusal = Ok(());
    for text in BufReader::new(output).lines() {
        let text = text.context("cannot read what the child printed")?;
        refusal = line(&text);
        if refusal.is_err() {
            child.kill().context("cannot end the child")?;
            break;
        }
    }

    let status = child.wait().context("cannot wait for the child")?;
    refusal?;
    let text = errors.join().ok().and_then(Result::ok).unwrap_or_default();
    let text = text.trim();
    if status.success() {
        if !text.is_empty() {
            eprintln!("{}: {text}", arguments.join(" "));
        }
    } else {
        // A child of this program says "error:" itself, and its parent will.
        let text = text.strip_prefix("error: ").unwrap_or(text);
        if text.is_empty() {
            bail!("the measuring process failed ({status}) and said nothing");
        }
        bail!("the measuring process failed ({status}): {text}");
    }
    Ok(())
}
