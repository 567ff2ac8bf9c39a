//! From text to data: the reader.
//!
//! [`read_all`] reads a whole source text to [`Syntax`] trees, each node with its position. The
//! lexer (`lexer.rs`) splits text into tokens, the parser keeps the open brackets on a stack of its
//! own, so that no nesting in the input nests calls here. Nesting is limited all the same
//! ([`MAX_NESTING`]), because the tree itself is visited and dropped recursively afterwards.

pub mod lexer;
pub mod number;
pub mod syntax;

use std::rc::Rc;

use crate::error::{Position, SchemeError, SyntaxError};
use lexer::{Lexer, Token};
use syntax::{Datum, Syntax};

/// How deep brackets and quotes may nest.
pub const MAX_NESTING: usize = 300;

/// What is open around the current token.
enum Open {
    List {
        close: char,
        items: Vec<Syntax>,
        tail: Tail,
    },
    Vector {
        items: Vec<Syntax>,
    },
    Prefix {
        name: &'static str,
    },
    Skip,
}

/// How far the dotted tail of a list has been read.
enum Tail {
    None,
    Expected,
    Read(Syntax),
}

/// Reads every datum of `text`; `source` names it in errors.
pub fn read_all(source: &str, text: &str) -> Result<Vec<Syntax>, SchemeError> {
    read(text).map_err(|error| error.at(source))
}

fn read(text: &str) -> Result<Vec<Syntax>, SyntaxError> {
    let mut lexer = Lexer::new(text);
    let mut stack: Vec<(Open, Position)> = Vec::new();
    let mut done = Vec::new();
    loop {
        let (token, position) = lexer.next()?;
        let datum = match token {
            Token::Open(close) => {
                stack.push((
                    Open::List {
                        close,
                        items: Vec::new(),
                        tail: Tail::None,
                    },
                    position,
                ));
                None
            }
            Token::VectorOpen => {
                stack.push((Open::Vector { items: Vec::new() }, position));
                None
            }
            Token::Prefix(name) => {
                stack.push((Open::Prefix { name }, position));
                None
            }
            Token::Skip => {
                stack.push((Open::Skip, position));
                None
            }
            Token::Dot => {
                dot(&mut stack, position)?;
                None
            }
            Token::Close(found) => Some(close(&mut stack, found, position)?),
            Token::Atom(datum) => Some(Syntax { datum, position }),
            Token::End => {
                let Some((open, start)) = stack.last() else {
                    return Ok(done);
                };
                let what = match open {
                    Open::List { .. } => "this list is not closed",
                    Open::Vector { .. } => "this vector is not closed",
                    Open::Prefix { .. } | Open::Skip => "nothing follows this prefix",
                };
                return Err(SyntaxError {
                    position: *start,
                    message: format!("unexpected end of input: {what}"),
                    incomplete: true,
                });
            }
        };
        if stack.len() > MAX_NESTING {
            let message = format!("data nested deeper than {MAX_NESTING} levels");
            return Err(SyntaxError::new(position, message));
        }
        if let Some(datum) = datum {
            deliver(&mut stack, &mut done, datum)?;
        }
    }
}

fn dot(stack: &mut [(Open, Position)], position: Position) -> Result<(), SyntaxError> {
    match stack.last_mut() {
        Some((
            Open::List {
                items,
                tail: tail @ Tail::None,
                ..
            },
            _,
        )) if !items.is_empty() => {
            *tail = Tail::Expected;
            Ok(())
        }
        _ => Err(SyntaxError::new(position, "unexpected `.`")),
    }
}

fn close(
    stack: &mut Vec<(Open, Position)>,
    found: char,
    position: Position,
) -> Result<Syntax, SyntaxError> {
    let Some((open, start)) = stack.pop() else {
        return Err(SyntaxError::new(position, format!("unexpected `{found}`")));
    };
    let datum = match open {
        Open::List { close, items, tail } => {
            if close != found {
                let message = format!(
                    "found `{found}` where `{close}` closes the list of line {}, column {}",
                    start.line, start.column
                );
                return Err(SyntaxError::new(position, message));
            }
            match tail {
                Tail::None => Datum::List(items.into()),
                Tail::Expected => {
                    return Err(SyntaxError::new(
                        position,
                        "nothing between `.` and the end",
                    ));
                }
                Tail::Read(tail) => Datum::dotted(items, tail),
            }
        }
        Open::Vector { items } if found == ')' => Datum::Vector(items.into()),
        Open::Vector { .. } => {
            return Err(SyntaxError::new(
                position,
                format!("`{found}` cannot close a vector"),
            ));
        }
        Open::Prefix { .. } | Open::Skip => {
            return Err(SyntaxError::new(
                position,
                format!("unexpected `{found}` after a prefix"),
            ));
        }
    };
    Ok(Syntax {
        datum,
        position: start,
    })
}

/// Hands a complete datum to what is open around it.
fn deliver(
    stack: &mut Vec<(Open, Position)>,
    done: &mut Vec<Syntax>,
    mut datum: Syntax,
) -> Result<(), SyntaxError> {
    loop {
        match stack.last_mut() {
            None => done.push(datum),
            Some((Open::Vector { items }, _)) => items.push(datum),
            Some((Open::List { items, tail, .. }, _)) => match tail {
                Tail::None => items.push(datum),
                Tail::Expected => *tail = Tail::Read(datum),
                Tail::Read(_) => {
                    return Err(SyntaxError::new(
                        datum.position,
                        "more than one datum after `.`",
                    ));
                }
            },
            Some((Open::Skip, _)) => {
                stack.pop();
            }
            Some((Open::Prefix { name }, position)) => {
                let position = *position;
                let symbol = Syntax {
                    datum: Datum::Symbol(Rc::from(*name)),
                    position,
                };
                datum = Syntax {
                    datum: Datum::List(Rc::new([symbol, datum])),
                    position,
                };
                stack.pop();
                continue;
            }
        }
        return Ok(());
    }
}
