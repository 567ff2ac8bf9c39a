//! The lexer: text to tokens, skipping blanks and comments.

use std::rc::Rc;

use super::number::{self, Number};
use super::syntax::Datum;
use crate::error::{Position, SyntaxError};

/// A token.
pub enum Token {
    /// An opening bracket, with the bracket that closes it.
    Open(char),
    /// A closing bracket.
    Close(char),
    /// `#(`
    VectorOpen,
    /// A prefix that stands for a list of this symbol and the following datum.
    Prefix(&'static str),
    /// `#;`: the following datum is a comment.
    Skip,
    /// The dot of a dotted list.
    Dot,
    /// A datum of one token.
    Atom(Datum),
    /// The end of the text.
    End,
}

/// Reads tokens from a text.
pub struct Lexer<'a> {
    rest: std::str::Chars<'a>,
    position: Position,
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || "()[]{}\";'`,".contains(c)
}

/// Characters with names, as in `#\newline`.
pub const CHARACTER_NAMES: [(&str, char); 10] = [
    ("space", ' '),
    ("newline", '\n'),
    ("tab", '\t'),
    ("return", '\r'),
    ("null", '\0'),
    ("nul", '\0'),
    ("alarm", '\x07'),
    ("backspace", '\x08'),
    ("delete", '\x7f'),
    ("escape", '\x1b'),
];

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`.
    pub fn new(text: &'a str) -> Self {
        let mut rest = text.chars();
        let mut position = Position { line: 1, column: 1 };
        if text.starts_with("#!/") || text.starts_with("#! ") {
            for c in rest.by_ref() {
                if c == '\n' {
                    position.line += 1;
                    break;
                }
            }
        }
        Lexer { rest, position }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.position.line += 1;
            self.position.column = 1;
        } else {
            self.position.column += 1;
        }
        Some(c)
    }

    /// The next token and its position.
    pub(crate) fn next(&mut self) -> Result<(Token, Position), SyntaxError> {
        self.skip_blanks()?;
        let position = self.position;
        let Some(c) = self.peek() else {
            return Ok((Token::End, position));
        };
        let simple = match c {
            '(' => Some(Token::Open(')')),
            '[' => Some(Token::Open(']')),
            ')' | ']' => Some(Token::Close(c)),
            '\'' => Some(Token::Prefix("quote")),
            '`' => Some(Token::Prefix("quasiquote")),
            _ => None,
        };
        if let Some(token) = simple {
            self.bump();
            return Ok((token, position));
        }
        let token = match c {
            ',' => {
                self.bump();
                if self.peek() == Some('@') {
                    self.bump();
                    Token::Prefix("unquote-splicing")
                } else {
                    Token::Prefix("unquote")
                }
            }
            '"' => Token::Atom(Datum::String(self.string(position)?)),
            '|' => Token::Atom(Datum::Symbol(self.bar_symbol(position)?)),
            '{' | '}' => {
                return Err(SyntaxError::new(position, format!("unexpected `{c}`")));
            }
            '#' => self.hash(position)?,
            _ => self.atom(position)?,
        };
        Ok((token, position))
    }

    fn skip_blanks(&mut self) -> Result<(), SyntaxError> {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => {
                    self.bump();
                }
                Some(';') => while self.bump().is_some_and(|c| c != '\n') {},
                Some('#') if self.second() == Some('|') => self.skip_block()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_block(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        let mut depth = 0_usize;
        loop {
            match (self.bump(), self.peek()) {
                (Some('#'), Some('|')) => {
                    self.bump();
                    depth += 1;
                }
                (Some('|'), Some('#')) => {
                    self.bump();
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (Some(_), _) => {}
                (None, _) => {
                    return Err(SyntaxError {
                        position: start,
                        message: "unexpected end of input: this comment is not closed".into(),
                        incomplete: true,
                    });
                }
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|&c| !is_delimiter(c)) {
            word.push(c);
            self.bump();
        }
        word
    }

    fn atom(&mut self, position: Position) -> Result<Token, SyntaxError> {
        let word = self.word();
        if word == "." {
            return Ok(Token::Dot);
        }
        Ok(Token::Atom(match number::parse(&word, 10) {
            Some(Number::Exact(n)) => Datum::Fixnum(n),
            Some(Number::Inexact(x)) => Datum::Flonum(x),
            None if word.contains('|') => {
                return Err(SyntaxError::new(position, format!("bad symbol `{word}`")));
            }
            None => Datum::Symbol(word.into()),
        }))
    }

    fn hash(&mut self, position: Position) -> Result<Token, SyntaxError> {
        match self.second() {
            Some('(') => {
                self.bump();
                self.bump();
                Ok(Token::VectorOpen)
            }
            Some(';') => {
                self.bump();
                self.bump();
                Ok(Token::Skip)
            }
            Some('\\') => {
                self.bump();
                self.bump();
                self.character(position)
                    .map(|c| Token::Atom(Datum::Char(c)))
            }
            _ => {
                let word = self.word();
                let datum = match word.as_str() {
                    "#t" | "#true" => Datum::Bool(true),
                    "#f" | "#false" => Datum::Bool(false),
                    "#!eof" => Datum::Eof,
                    "#!bwp" => Datum::Broken,
                    "#!unspecific" => Datum::Unspecified,
                    _ => match number::parse(&word, 10) {
                        Some(Number::Exact(n)) => Datum::Fixnum(n),
                        Some(Number::Inexact(x)) => Datum::Flonum(x),
                        None => {
                            return Err(SyntaxError::new(position, format!("bad syntax `{word}`")));
                        }
                    },
                };
                Ok(Token::Atom(datum))
            }
        }
    }

    fn character(&mut self, position: Position) -> Result<char, SyntaxError> {
        let Some(first) = self.bump() else {
            return Err(SyntaxError {
                position,
                message: "unexpected end of input in a character".into(),
                incomplete: true,
            });
        };
        let mut word = String::from(first);
        if !is_delimiter(first) {
            word.push_str(&self.word());
        }
        if word.chars().nth(1).is_none() {
            return Ok(first);
        }
        let named = CHARACTER_NAMES
            .iter()
            .find(|(name, _)| *name == word)
            .map(|&(_, c)| c);
        let coded = || {
            let digits = word.strip_prefix('x')?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        };
        named
            .or_else(coded)
            .ok_or_else(|| SyntaxError::new(position, format!("unknown character `#\\{word}`")))
    }

    fn bar_symbol(&mut self, position: Position) -> Result<Rc<str>, SyntaxError> {
        self.delimited(position, '|', "symbol")
    }

    fn string(&mut self, position: Position) -> Result<Rc<str>, SyntaxError> {
        self.delimited(position, '"', "string")
    }

    fn delimited(
        &mut self,
        start: Position,
        end: char,
        what: &str,
    ) -> Result<Rc<str>, SyntaxError> {
        let mut text = String::new();
        self.bump();
        loop {
            let position = self.position;
            match self.bump() {
                Some(c) if c == end => return Ok(text.into()),
                Some('\\') => self.escape(position, &mut text)?,
                Some(c) => text.push(c),
                None => {
                    return Err(SyntaxError {
                        position: start,
                        message: format!("unexpected end of input: this {what} is not closed"),
                        incomplete: true,
                    });
                }
            }
        }
    }

    fn escape(&mut self, position: Position, text: &mut String) -> Result<(), SyntaxError> {
        let c = match self.bump() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('0') => '\0',
            Some(c @ ('"' | '\\' | '|')) => c,
            Some('x') => {
                let mut digits = String::new();
                while let Some(c) = self.bump().filter(|&c| c != ';') {
                    digits.push(c);
                    if digits.len() > 8 {
                        break;
                    }
                }
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                code.ok_or_else(|| {
                    SyntaxError::new(position, format!("bad character code `\\x{digits};`"))
                })?
            }
            Some(c) if c.is_whitespace() => {
                let mut line_ended = c == '\n';
                while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
                    if c == '\n' && line_ended {
                        break;
                    }
                    line_ended |= c == '\n';
                    self.bump();
                }
                return Ok(());
            }
            Some(c) => {
                return Err(SyntaxError::new(
                    position,
                    format!("unknown escape `\\{c}`"),
                ));
            }
            None => return Ok(()),
        };
        text.push(c);
        Ok(())
    }
}
