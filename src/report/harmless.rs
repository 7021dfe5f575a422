//! Text from a repository made safe to print: no control character reaches a terminal, no line is forged.

use std::fmt::Write as _;

/// True for characters that steer a terminal, reorder text or cannot be seen.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The visible stand-in of a character: `␛` for ESC; tabs and everything harmless stay as they are.
pub(crate) fn visible_char(c: char) -> char {
    match c {
        '\t' => '\t',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        c if is_treacherous(c) => '\u{fffd}',
        c => c,
    }
}

/// A text for one line of text for people: every control character, line ends too, as its visible stand-in.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

/// A text of several lines for people: line ends of every kind become one, other control characters visible.
pub(crate) fn visible_lines(text: &str) -> Vec<String> {
    text.split('\n')
        .map(|line| visible(line.strip_suffix('\r').unwrap_or(line)))
        .collect()
}

/// A text for one line of a format that programs read: control characters as `\n`, `\t`, `\u{1b}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_treacherous(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for (text, shown, one_line) in [
            ("plain é\t", "plain é\t", "plain é\\t"),
            ("\x1b[31m", "␛[31m", "\\u{1b}[31m"),
            ("a\r\nb", "a␍␊b", "a\\r\\nb"),
            ("\x7f\u{9b}", "␡\u{fffd}", "\\u{7f}\\u{9b}"),
            ("x\u{202e}y", "x\u{fffd}y", "x\\u{202e}y"),
        ] {
            assert_eq!(visible(text), shown);
            assert_eq!(escaped(text), one_line);
        }
        assert_eq!(visible_lines("a\r\nb\x07"), ["a", "b␇"]);
    }
}
