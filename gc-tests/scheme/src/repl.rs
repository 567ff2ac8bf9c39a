//! The read-eval-print loop.
//!
//! A line that ends inside a datum is continued on the next one. At a terminal there are line
//! editing and a history, kept in `~/.gc-scheme-history`; otherwise lines are read from standard
//! input without prompts, so that a dialogue can be piped in.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use gc_scheme::reader::read_all;
use gc_scheme::{Interpreter, Outcome, SchemeError};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::stats::Pauses;

/// Where lines come from.
enum Input {
    Terminal(Box<DefaultEditor>, Option<PathBuf>),
    Lines(io::Lines<io::StdinLock<'static>>),
}

/// What came.
enum Line {
    Text(String),
    /// The user gave up the line.
    Cancelled,
    End,
}

impl Input {
    fn new() -> Self {
        if io::stdin().is_terminal()
            && let Ok(mut editor) = DefaultEditor::new()
        {
            let history = std::env::home_dir().map(|home| home.join(".gc-scheme-history"));
            if let Some(history) = &history {
                // A missing history is an empty one.
                let _ = editor.load_history(history);
            }
            return Input::Terminal(Box::new(editor), history);
        }
        Input::Lines(io::stdin().lines())
    }

    fn read(&mut self, prompt: &str) -> Line {
        match self {
            Input::Terminal(editor, _) => match editor.readline(prompt) {
                Ok(line) => Line::Text(line),
                Err(ReadlineError::Interrupted) => Line::Cancelled,
                Err(_) => Line::End,
            },
            Input::Lines(lines) => match lines.next() {
                Some(Ok(line)) => Line::Text(line),
                _ => Line::End,
            },
        }
    }

    fn remember(&mut self, text: &str) {
        if let Input::Terminal(editor, history) = self {
            // A history that cannot be kept is no reason to stop.
            let _ = editor.add_history_entry(text.trim_end());
            if let Some(history) = history {
                let _ = editor.save_history(history);
            }
        }
    }
}

/// Whether more lines could complete the text.
fn is_incomplete(text: &str) -> bool {
    matches!(
        read_all("", text),
        Err(SchemeError::Syntax {
            incomplete: true,
            ..
        })
    )
}

/// Evaluates what is typed until the input ends or the program exits.
pub(crate) fn run(scheme: &mut Interpreter, pauses: &mut Pauses) -> Result<Outcome, SchemeError> {
    let mut input = Input::new();
    let mut text = String::new();
    let mut number = 1;
    loop {
        let prompt = if text.is_empty() { "> " } else { "  " };
        let end = match input.read(prompt) {
            Line::Text(line) => {
                text.push_str(&line);
                text.push('\n');
                false
            }
            Line::Cancelled => {
                text.clear();
                continue;
            }
            Line::End => true,
        };
        if is_incomplete(&text) && !end {
            continue;
        }
        if !text.trim().is_empty() {
            input.remember(&text);
            match crate::run(scheme, pauses, &format!("input-{number}"), &text) {
                Ok(Outcome::Exit(code)) => return Ok(Outcome::Exit(code)),
                Ok(Outcome::Value(value)) if value.is_empty() => {}
                Ok(Outcome::Value(value)) => writeln!(io::stdout(), "{value}")?,
                Err(error) => eprintln!("{error}"),
            }
            io::stdout().flush()?;
            number += 1;
        }
        if end {
            return Ok(Outcome::Exit(0));
        }
        text.clear();
    }
}
