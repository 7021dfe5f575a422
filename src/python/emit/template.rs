//! SQL text with values in it that are not known.

use crate::python::text::Text;
use crate::python::value::{UNKNOWN_PART, Value};

use super::{Emitter, Result, UNKNOWN_VALUE, fail, needed};

impl Emitter {
    /// SQL text that must be known but for values: what stands for one becomes a literal, and the statement approximate.
    pub(super) fn sql_text(&mut self, value: Option<&Value<'_>>, what: &str) -> Result<Text> {
        let Some(Value::Template(template)) = value else {
            return needed(value, what);
        };
        let (text, reason) = (&template.0, &template.1);
        match fill(text) {
            Some(text) => {
                self.approximate = true;
                Ok(text)
            }
            None => fail(format!("`{what}` is not known: {reason}")),
        }
    }
}

/// The text with its unknown parts as string literals; `None` if one stands where it may name something.
fn fill(text: &Text) -> Option<Text> {
    let all = text.as_str();
    if all.contains('$') {
        // A body in dollar quotes is code, in which quotes mean something else.
        return None;
    }
    let mut out = Text::default();
    let (mut copied, mut quoted, mut at) = (0, false, 0);
    while let Some(c) = all[at..].chars().next() {
        if all[at..].starts_with(UNKNOWN_PART) {
            let end = at + UNKNOWN_PART.len();
            if !quoted {
                let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '.');
                let joined = all[..at].ends_with(word) || all[end..].starts_with(word);
                if joined || !is_value(&all[..at]) {
                    return None;
                }
                out.push(&text.slice(copied, at));
                out.push_str(UNKNOWN_VALUE);
                copied = end;
            }
            at = end;
            continue;
        }
        match c {
            '\'' => quoted = !quoted,
            // Comments may hold an apostrophe.
            '-' if !quoted && all[at..].starts_with("--") => {
                at += all[at..].find('\n').unwrap_or(all.len() - at);
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    out.push(&text.slice(copied, all.len()));
    (!quoted).then_some(out)
}

/// True if what follows `before` can only be a value.
fn is_value(before: &str) -> bool {
    let before = before.trim_end();
    let upper = before.to_ascii_uppercase();
    if before.ends_with(['=', '<', '>']) {
        return true;
    }
    let in_values = upper
        .rfind("VALUES")
        .is_some_and(|at| !upper[at..].contains(';'));
    let in_list = upper
        .rfind('(')
        .is_some_and(|at| upper[..at].trim_end().ends_with(" IN"));
    before.ends_with(['(', ',']) && (in_values || in_list)
        || upper.ends_with(" LIMIT")
        || upper.ends_with(" INTERVAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_may_be_unknown() {
        for (text, sql) in [
            (
                "UPDATE t SET a = ?",
                Some("UPDATE t SET a = 'lockgate_unknown'"),
            ),
            (
                "INSERT INTO t VALUES (1, '?')",
                Some("INSERT INTO t VALUES (1, 'lockgate_unknown')"),
            ),
            (
                "DELETE FROM t WHERE a IN (?, ?)",
                Some("DELETE FROM t WHERE a IN ('lockgate_unknown', 'lockgate_unknown')"),
            ),
            (
                "-- it's\nSELECT '?'",
                Some("-- it's\nSELECT 'lockgate_unknown'"),
            ),
            ("DROP TABLE ?", None),
            ("INSERT INTO t (?) SELECT 1", None),
            ("UPDATE t SET a = x_?", None),
            ("UPDATE \"?\" SET a = 1", None),
            ("DO $$ BEGIN x := '?'; END $$", None),
            ("SELECT '", None),
        ] {
            let given = Text::from(text.replace('?', UNKNOWN_PART));
            assert_eq!(fill(&given).as_ref().map(Text::as_str), sql, "{text}");
        }
    }
}
