//! Python literals as they stand in a `.npy` header: strings, integers, booleans, tuples, lists and one outer dict.
//!
//! The text may come from a stranger. A general parser for Python literals backtracks and takes exponential time on
//! nested brackets; this one reads every character once, to a bounded depth, and cannot panic.

use std::fmt::{self, Write as _};

/// A value that NumPy may write into a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Int(i128),
    Bool(bool),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
}

/// The value of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) value: Literal,
    /// The text is as NumPy writes it: without the `u'...'` and `3L` of Python 2, and without control characters.
    pub(super) is_plain: bool,
}

/// One `key: value` of a dict, with the value also as the text that it was written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) value: Literal,
    pub(super) source: &'a str,
}

/// Why a text is not a literal that NumPy writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// Something else stands where `expected` should.
    #[error("expected {expected} at byte {at}")]
    Expected {
        /// What should stand there.
        expected: &'static str,
        /// Offset in bytes from the beginning of the text.
        at: usize,
    },
    /// Brackets within brackets, more than 16 deep.
    #[error("brackets are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// How deep brackets may nest: far more than records in records need, far less than the stack holds.
const MAX_DEPTH: usize = 16;

/// Reads the one value that `text` consists of.
pub(super) fn parse(text: &str) -> Result<Parsed, LiteralError> {
    let mut cursor = Cursor::new(text);
    let value = cursor.value()?;
    cursor.end()?;
    let is_plain = !cursor.has_python_2 && !text.contains(char::is_control);
    Ok(Parsed { value, is_plain })
}

/// Reads the one dict with string keys that `text` consists of.
pub(super) fn parse_dict(text: &str) -> Result<Vec<Entry<'_>>, LiteralError> {
    let mut cursor = Cursor::new(text);
    cursor.expect('{', "a dict")?;
    let mut entries = Vec::new();
    while !cursor.take('}') {
        let key = cursor.text()?;
        cursor.expect(':', "a colon")?;
        cursor.skip_space();
        let start = cursor.at;
        let value = cursor.value()?;
        let source = &text[start..cursor.at];
        entries.push(Entry { key, value, source });
        if !cursor.take(',') {
            cursor.expect('}', "a comma or a closing brace")?;
            break;
        }
    }
    cursor.end()?;
    Ok(entries)
}

/// As Python writes it. Printable characters are not escaped, nor those that Python has for unprintable but controls.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_text(f, text),
            Self::Int(int) => write!(f, "{int}"),
            Self::Bool(bool) => f.write_str(if *bool { "True" } else { "False" }),
            Self::Tuple(items) => {
                f.write_char('(')?;
                write_items(f, items)?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Self::List(items) => {
                f.write_char('[')?;
                write_items(f, items)?;
                f.write_char(']')
            }
        }
    }
}

fn write_items(f: &mut fmt::Formatter<'_>, items: &[Literal]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        fmt::Display::fmt(item, f)?;
    }
    Ok(())
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// It has read what only Python 2 writes.
    has_python_2: bool,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            has_python_2: false,
        }
    }

    fn value(&mut self) -> Result<Literal, LiteralError> {
        self.skip_space();
        match self.peek() {
            Some('\'' | '"' | 'u' | 'U') => self.text().map(Literal::Text),
            Some('(') => self.tuple(),
            Some('[') => self.items('[', ']').map(|(items, _)| Literal::List(items)),
            Some('-' | '0'..='9') => self.integer().map(Literal::Int),
            _ if self.take_word("True") => Ok(Literal::Bool(true)),
            _ if self.take_word("False") => Ok(Literal::Bool(false)),
            _ => Err(self.expected("a value")),
        }
    }

    fn tuple(&mut self) -> Result<Literal, LiteralError> {
        let (mut items, has_comma) = self.items('(', ')')?;
        match items.pop() {
            // Python's `(3)` is the number 3.
            Some(only) if items.is_empty() && !has_comma => Ok(only),
            last => {
                items.extend(last);
                Ok(Literal::Tuple(items))
            }
        }
    }

    /// The items between two brackets, and whether there was a comma among them.
    fn items(&mut self, open: char, close: char) -> Result<(Vec<Literal>, bool), LiteralError> {
        self.expect(open, "an opening bracket")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(LiteralError::TooDeep);
        }
        let mut items = Vec::new();
        let mut has_comma = false;
        while !self.take(close) {
            items.push(self.value()?);
            if !self.take(',') {
                self.expect(close, "a comma or a closing bracket")?;
                break;
            }
            has_comma = true;
        }
        self.depth -= 1;
        Ok((items, has_comma))
    }

    fn integer(&mut self) -> Result<i128, LiteralError> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..sign + digits]
            .parse()
            .map_err(|_| self.expected("an integer of at most 38 digits"))?;
        self.at += sign + digits;
        // Python 2 wrote long integers as `3L`.
        self.has_python_2 |= self.take_word("L");
        Ok(number)
    }

    fn text(&mut self) -> Result<String, LiteralError> {
        self.skip_space();
        // Python 2 wrote texts that are no bytes as `u'f8'`.
        self.has_python_2 |= self.take_word("u") || self.take_word("U");
        let Some(quote @ ('\'' | '"')) = self.peek() else {
            return Err(self.expected("a quoted string"));
        };
        self.at += quote.len_utf8();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\\') => self.escape(&mut text)?,
                Some(c) if c == quote => return Ok(text),
                Some('\n' | '\r') => return Err(self.expected("a closing quote on the same line")),
                Some(c) => text.push(c),
                None => return Err(self.expected("a closing quote")),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), LiteralError> {
        match self.next() {
            Some(c @ ('\\' | '\'' | '"')) => text.push(c),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('x') => text.push(self.code_point(2)?),
            Some('u') => text.push(self.code_point(4)?),
            Some('U') => text.push(self.code_point(8)?),
            Some(c) => text.extend(['\\', c]),
            None => return Err(self.expected("a closing quote")),
        }
        Ok(())
    }

    fn code_point(&mut self, digits: usize) -> Result<char, LiteralError> {
        let point = self
            .rest()
            .get(..digits)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32)
            .ok_or_else(|| self.expected("the hexadecimal digits of a character"))?;
        self.at += digits;
        Ok(point)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), LiteralError> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn end(&mut self) -> Result<(), LiteralError> {
        self.skip_space();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.expected("the end"))
        }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> LiteralError {
        LiteralError::Expected { expected, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_is_a_list_of_tuples() {
        assert_eq!(
            value("[('a', '<i4'), (\"b\", '<f8', (3,)), ]"),
            Ok(Literal::List(vec![
                Literal::Tuple(vec![text("a"), text("<i4")]),
                Literal::Tuple(vec![text("b"), text("<f8"), Literal::Tuple(vec![Literal::Int(3)])]),
            ]))
        );
    }

    #[test]
    fn a_tuple_of_one_needs_its_comma() {
        assert_eq!(value("(7)"), Ok(Literal::Int(7)));
        assert_eq!(value("(7,)"), Ok(Literal::Tuple(vec![Literal::Int(7)])));
        assert_eq!(value("()"), Ok(Literal::Tuple(vec![])));
        assert_eq!(
            value("(-7L, 1)"),
            Ok(Literal::Tuple(vec![Literal::Int(-7), Literal::Int(1)]))
        );
    }

    #[test]
    fn escapes_are_read_as_python_reads_them() {
        assert_eq!(
            value(r#"'a\'\\\n\xe9\u20ac\U0001f600\q"'"#),
            Ok(text("a'\\\né€😀\\q\""))
        );
        for broken in [r"'\", r"'\x4'", r"'\xg1'", r"'\ud800'", r"'\U99999999'"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_dict_keeps_the_text_of_its_values() {
        let entries = parse_dict("{'descr': [('a', '<i4')] , 'fortran_order':False,}\n").unwrap();
        assert_eq!(entries[0].source, "[('a', '<i4')]");
        assert_eq!(entries[1].value, Literal::Bool(false));
    }

    #[test]
    fn what_python_2_wrote_is_read_and_written_as_python_3_does() {
        for (old, new) in [
            ("[(u'a', u\"<f8\", (3L,))]", "[('a', '<f8', (3,))]"),
            ("(U'a', 3L, True)", "('a', 3, True)"),
            ("[('a\tb',\n'<f8')]", r"[('a\tb', '<f8')]"),
            (r#"[u'it\'s', u'a\'b"c\\\x1b\n']"#, r#"["it's", 'a\'b"c\\\x1b\n']"#),
        ] {
            let parsed = parse(old).unwrap();
            assert!(!parsed.is_plain, "{old}");
            assert_eq!(parsed.value.to_string(), new);
            assert_eq!(
                parse(new),
                Ok(Parsed {
                    is_plain: true,
                    ..parsed
                })
            );
        }
        for broken in ["u 'a'", "uu'a'", "'a\nb'"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_read_once() {
        assert!(parse(&("[".repeat(16) + &"]".repeat(16))).is_ok());
        assert_eq!(value(&("[".repeat(17) + &"]".repeat(17))), Err(LiteralError::TooDeep));
        assert_eq!(value(&"(".repeat(1_000_000)), Err(LiteralError::TooDeep));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(value("('a', x)").unwrap_err().to_string(), "expected a value at byte 6");
        assert_eq!(value("1 2").unwrap_err().to_string(), "expected the end at byte 2");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\](){}'",:\\xuU0-9a-f -é€TrueFals]{0,60}"#) {
            let _ = parse(&text);
            let _ = parse_dict(&text);
        }
    }

    fn value(text: &str) -> Result<Literal, LiteralError> {
        parse(text).map(|parsed| parsed.value)
    }

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }
}
