//! Escape sequences: where the characters of a decoded Python literal stand in the file.

use super::text::Text;

/// Appends a decoded literal, with runs for what stands in the file byte for byte.
///
/// `value` is what the parser decoded from `text[start..end]`. Both are walked side by side; should they not fit
/// together (a broken literal), the value is appended without a way back.
pub(super) fn align(
    text: &str,
    start: usize,
    end: usize,
    value: &str,
    raw: bool,
    f_string: bool,
    out: &mut Text,
) {
    let source = text.get(start..end).unwrap_or("");
    if source == value {
        out.push_copied(value, start);
        return;
    }
    let mut pieces: Vec<(usize, Option<usize>, usize)> = Vec::new();
    let mut copy = |at: usize, from: Option<usize>, len: usize| match pieces.last_mut() {
        Some((_, Some(last), last_len)) if from == Some(*last + *last_len) => *last_len += len,
        _ => pieces.push((at, from, len)),
    };
    let (mut i, mut j) = (0, 0);
    while i < source.len() {
        let Some(c) = source[i..].chars().next() else {
            break;
        };
        let decoded = value.get(j..).and_then(|rest| rest.chars().next());
        if c == '\\' && !raw {
            let (consumed, produced) = escape(&source[i..]);
            match produced {
                // An unknown escape keeps both characters.
                Produced::Same => copy(j, Some(start + i), consumed),
                Produced::One => {
                    let Some(decoded) = decoded else {
                        return out.push_str(value);
                    };
                    copy(j, None, decoded.len_utf8());
                }
                Produced::Nothing => {}
            }
            j += match produced {
                Produced::Same => consumed,
                Produced::One => decoded.map_or(0, char::len_utf8),
                Produced::Nothing => 0,
            };
            i += consumed;
            continue;
        }
        if c == '\r' && decoded == Some('\n') {
            // Python reads CRLF and CR inside a literal as LF.
            let consumed = if source[i..].starts_with("\r\n") {
                2
            } else {
                1
            };
            copy(j, None, 1);
            (i, j) = (i + consumed, j + 1);
            continue;
        }
        if decoded != Some(c) {
            return out.push_str(value);
        }
        copy(j, Some(start + i), c.len_utf8());
        j += c.len_utf8();
        i += c.len_utf8();
        if f_string && matches!(c, '{' | '}') && source[i..].starts_with(c) {
            i += 1;
        }
    }
    if j != value.len() {
        return out.push_str(value);
    }
    for (at, from, len) in pieces {
        let Some(piece) = value.get(at..at + len) else {
            continue;
        };
        match from {
            Some(file) => out.push_copied(piece, file),
            None => out.push_str(piece),
        }
    }
}

#[derive(Clone, Copy)]
enum Produced {
    Nothing,
    One,
    Same,
}

/// Length of the escape sequence at the start of `rest` and what it stands for.
fn escape(rest: &str) -> (usize, Produced) {
    let bytes = rest.as_bytes();
    let hex = |digits: usize| (2 + digits).min(rest.len());
    match bytes.get(1) {
        Some(b'\r') if bytes.get(2) == Some(&b'\n') => (3, Produced::Nothing),
        Some(b'\n' | b'\r') => (2, Produced::Nothing),
        Some(b'x') => (hex(2), Produced::One),
        Some(b'u') => (hex(4), Produced::One),
        Some(b'U') => (hex(8), Produced::One),
        Some(b'N') => (rest.find('}').map_or(2, |at| at + 1), Produced::One),
        Some(b'0'..=b'7') => {
            let digits = bytes[1..]
                .iter()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            (1 + digits, Produced::One)
        }
        Some(b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v') => {
            (2, Produced::One)
        }
        // Only the backslash: the character behind it goes through the ordinary path.
        _ => (1, Produced::Same),
    }
}
