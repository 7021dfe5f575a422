//! Lines of a table that know how wide they are.

use anstyle::Style as Ansi;
use unicode_width::UnicodeWidthStr as _;

use crate::report::Style;

/// Columns a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A text in at most so many columns; what is left out becomes `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width(&cut) + 1 > most {
            cut.pop();
            break;
        }
    }
    let kept = cut.trim_end().len();
    cut.truncate(kept);
    cut.push('…');
    cut
}

/// A text filled up to so many columns.
pub(super) fn pad(text: &str, to: usize) -> String {
    let fill = to.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(fill))
}

/// The words of a text in lines of at most so many columns; a word that is longer has its own line.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text in a colour, if colours are wanted.
pub(super) fn paint(style: Style, ansi: Ansi, text: &str) -> String {
    if style.color && ansi != Ansi::new() && !text.is_empty() {
        format!("{ansi}{text}{ansi:#}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit() {
        for (text, most, expected) in [
            ("orders", 6, "orders"),
            ("orders", 5, "orde…"),
            ("a b c", 3, "a…"),
            ("表表表", 6, "表表表"),
            ("表表表", 5, "表表…"),
            ("表表表", 4, "表…"),
            ("abc", 1, "…"),
        ] {
            let cut = cut(text, most);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= most);
        }
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("immeasurable x", 4), ["immeasurable", "x"]);
        assert_eq!(pad("表", 4), "表  ");
    }
}
