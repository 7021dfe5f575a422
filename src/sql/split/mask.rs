//! Replaces parts of a text without changing its length.

use super::template::Shape;

/// What to write in place of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// Blanks; line ends stay.
    Blank,
    /// A `;` and blanks.
    Terminator,
    /// The same letters, with `_` for everything that cannot stand in an identifier. Templating begins with such a
    /// character, so this never is a keyword, and equal templating stays equal.
    Identifier,
    /// A small number.
    Number,
    /// The same letters in single quotes.
    String,
    /// The same letters in double quotes.
    QuotedIdentifier,
    /// `true` if it fits.
    Truth,
}

impl From<Shape> for Write {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Blank => Self::Blank,
            Shape::Text => Self::Identifier,
            Shape::String => Self::String,
            Shape::Identifier => Self::QuotedIdentifier,
            Shape::Truth => Self::Truth,
        }
    }
}

/// A replacement to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) write: Write,
}

/// The text with all edits made, of the same length. Edits begin and end on character borders.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        write(&mut bytes[edit.start..edit.end], edit.write);
    }
    String::from_utf8(bytes).expect("edits replace whole characters by ASCII or keep them")
}

fn write(part: &mut [u8], write: Write) {
    match write {
        Write::Blank => blank(part),
        Write::Terminator => {
            blank(part);
            fill_start(part, b";");
        }
        Write::Identifier => letters(part),
        Write::Number => {
            part.fill(b'0');
            if let Some(last) = part.last_mut() {
                *last = b'1';
            }
        }
        Write::String => quoted(part, b'\''),
        Write::QuotedIdentifier => quoted(part, b'"'),
        Write::Truth => {
            part.fill(b' ');
            fill_start(part, b"true");
        }
    }
}

fn blank(part: &mut [u8]) {
    for byte in part {
        if !matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

fn fill_start(part: &mut [u8], with: &[u8]) {
    if let Some(start) = part.get_mut(..with.len()) {
        start.copy_from_slice(with);
    }
}

fn letters(part: &mut [u8]) {
    for byte in part {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() {
            *byte = b'_';
        }
    }
}

fn quoted(part: &mut [u8], quote: u8) {
    letters(part);
    if let [first, .., last] = part {
        *first = quote;
        *last = quote;
    }
}
