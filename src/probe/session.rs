//! Another session, as several probes describe it.

use serde::Deserialize;

use crate::wording::duration;

/// A row of `pg_stat_activity`, by the names that the probes' SQL gives its columns. What the role may not see is none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Session {
    /// Its process.
    pub pid: Option<i32>,
    /// Its role.
    pub user: Option<String>,
    /// What it calls itself.
    pub application: Option<String>,
    /// `active`, `idle in transaction` …
    pub state: Option<String>,
    /// What it runs, or ran last.
    pub query: Option<String>,
    /// Seconds since its transaction began.
    pub age: Option<f64>,
    /// Seconds since it is in its state.
    pub since: Option<f64>,
}

impl Session {
    /// `session 123 (`app`, `worker`)`.
    #[must_use]
    pub fn name(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for name in [&self.user, &self.application].into_iter().flatten() {
            if !name.is_empty() {
                names.push(format!("`{}`", plain(name)));
            }
        }
        let names = if names.is_empty() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        match self.pid {
            Some(pid) => format!("session {pid}{names}"),
            None => format!("a session{names}"),
        }
    }

    /// What it does: `it runs …`, `it is idle in transaction for 3 min, last …`.
    #[must_use]
    pub fn doing(&self) -> String {
        let query = excerpt(self.query.as_deref().unwrap_or(""));
        let query = if query.is_empty() {
            "nothing".to_owned()
        } else {
            query
        };
        match (self.state.as_deref(), self.since) {
            (Some("active"), _) => format!("it runs {query}"),
            (Some(state), Some(since)) => {
                format!("it is {state} for {}, last {query}", duration(since))
            }
            _ => "what it does is not shown to this role".to_owned(),
        }
    }

    /// How to end it.
    #[must_use]
    pub fn ending(&self) -> String {
        format!(
            "SELECT pg_terminate_backend({})",
            self.pid.unwrap_or_default()
        )
    }
}

/// A name from a database without what would end the quotes around it.
fn plain(text: &str) -> String {
    text.replace('`', "'")
}

/// The beginning of a query, on one line and in backticks, without the texts in it: they may be secrets. Empty for an
/// empty query.
#[must_use]
pub fn excerpt(query: &str) -> String {
    const LONGEST: usize = 80;
    let mut text = String::new();
    let mut rest = query.trim();
    while let Some(at) = rest.find(['\'', '$']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(behind) = behind_literal(rest) else {
            text.push('$');
            rest = &rest[1..];
            continue;
        };
        text.push_str("'…'");
        rest = behind;
    }
    text.push_str(rest);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = plain(&text);
    if text.is_empty() {
        return text;
    }
    if text.chars().count() <= LONGEST {
        return format!("`{text}`");
    }
    let short: String = text.chars().take(LONGEST - 1).collect();
    format!("`{short}…`")
}

/// What stands behind the text literal at the beginning, to the end if it is not closed; none if there is no literal.
fn behind_literal(text: &str) -> Option<&str> {
    if let Some(body) = text.strip_prefix('\'') {
        let mut chars = body.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                // Right for `E''` texts; in others it hides more rather than less.
                '\\' => {
                    chars.next();
                }
                '\'' => return Some(&body[at + 1..]),
                _ => {}
            }
        }
        return Some("");
    }
    let tag_end = text[1..].find('$')? + 2;
    let tag = &text[..tag_end];
    let is_tag = tag[1..tag_end - 1]
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c.is_alphabetic() || at > 0 && c.is_alphanumeric());
    is_tag.then(|| {
        let body = &text[tag_end..];
        body.find(tag).map_or("", |end| &body[end + tag.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_queries_are_not_shown() {
        for (query, expected) in [
            ("", ""),
            ("SELECT 1", "`SELECT 1`"),
            (" SELECT\n  now() ", "`SELECT now()`"),
            (
                "ALTER ROLE a PASSWORD 'secret' VALID UNTIL 'x'",
                "`ALTER ROLE a PASSWORD '…' VALID UNTIL '…'`",
            ),
            ("SELECT E'it\\'s secret', 1", "`SELECT E'…', 1`"),
            ("SELECT 'it''s secret', 1", "`SELECT '…''…', 1`"),
            ("SELECT 'cut off secre", "`SELECT '…'`"),
            ("DO $x$ secret $x$ ; y", "`DO '…' ; y`"),
            ("SELECT $1, $2", "`SELECT $1, $2`"),
            ("SELECT $$secret", "`SELECT '…'`"),
            ("SELECT `a`", "`SELECT 'a'`"),
        ] {
            assert_eq!(excerpt(query), expected);
        }
        assert_eq!(excerpt(&"x".repeat(200)).chars().count(), 82);
    }
}
