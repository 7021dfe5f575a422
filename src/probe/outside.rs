//! What a user hands over beside a database: figures from files and programs, queries of his own, facts about the deploy.
//!
//! All of it comes from the command line. None of it stands in the project's configuration: whoever checks somebody
//! else's branch must not run what that branch says.

use serde_json::{Map, Value};

use super::gate::Gates;
use crate::source::Span;
use crate::sql;
use crate::sql::lex::{Lexer, TokenKind};
use crate::statement::Kind;

/// The text of a file or the output of a program, or why there is none.
pub type Text = Result<String, String>;

/// Everything of the sort.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Metrics by name.
    pub metrics: Vec<(String, Text)>,
    /// From where on they are too high.
    pub gates: Gates,
    /// Age in seconds from which a metric is not known any more.
    pub oldest: f64,
    /// What there is of backups: a line for each.
    pub backup: Option<Text>,
    /// What must hold of the data.
    pub invariants: Option<Vec<Invariant>>,
    /// The role that runs the migrations.
    pub role: Option<String>,
    /// When the application was deployed, in seconds since 1970.
    pub deployed: Option<f64>,
}

/// A query of the user with what it must return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invariant {
    /// What the comment in front of it says, or its first line.
    pub title: String,
    /// The query.
    pub query: String,
    /// What it must return.
    pub expected: Expected,
}

/// What a query must return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// No row: the query looks for what must not be.
    Nothing,
    /// One row with this one value, as PostgreSQL writes it.
    Value(String),
    /// The value that it had in the snapshot from before.
    Same,
    /// A number that is not less than it was in the snapshot from before.
    NotLess,
}

impl Invariant {
    /// What runs in the same transaction in front of it: names are looked up as for most applications, the system's own
    /// ones first.
    pub const BEFORE: &'static str = "SET LOCAL search_path = pg_catalog, public";

    /// The query with no more rows than it takes to judge.
    #[must_use]
    pub fn sql(&self) -> String {
        let query = self.query.trim_end().trim_end_matches(';');
        format!("SELECT * FROM (\n{query}\n) invariant LIMIT 2")
    }

    /// The one value of its rows as text; none if they are not one value.
    #[must_use]
    pub fn value(rows: &[Map<String, Value>]) -> Option<String> {
        let [row] = rows else { return None };
        let mut values = row.values();
        let value = values.next().filter(|_| row.len() == 1)?;
        Some(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

/// Reads queries, each with its comments in front of it: `-- expect: 0`, `-- expect: no rows` (so unless it says
/// something else), `-- expect: same`, `-- expect: not less`. What else the comments say is its title.
///
/// # Errors
/// Why it is no such file: a message.
pub fn invariants(text: &str) -> Result<Vec<Invariant>, String> {
    let parsed = sql::parse_text(text);
    if let Some(error) = parsed.errors.first() {
        return Err(format!("it cannot be read as SQL: {}", error.message));
    }
    let mut from = 0;
    let mut invariants: Vec<Invariant> = Vec::new();
    for statement in &parsed.statements {
        let span = statement.span;
        let query = text.get(span.range()).unwrap_or_default();
        let shown = first_line(query);
        let reads = matches!(&statement.kind, Kind::Select(query) if query.changes.is_empty() && query.locked.is_empty());
        if !reads
            || query
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("table ")
        {
            return Err(format!("`{shown}` is no SELECT that only reads"));
        }
        let (title, expected) = comments(text.get(from..span.range().start).unwrap_or_default())?;
        from = span.range().end;
        let title = if title.is_empty() { shown } else { title };
        if invariants.iter().any(|other| other.title == title) {
            return Err(format!("two of its queries are called `{title}`"));
        }
        invariants.push(Invariant {
            title,
            query: query.to_owned(),
            expected,
        });
    }
    if invariants.is_empty() {
        return Err("there is no query in it".to_owned());
    }
    Ok(invariants)
}

/// Title and expectation in the comments of a stretch of text.
fn comments(text: &str) -> Result<(String, Expected), String> {
    let mut title: Vec<&str> = Vec::new();
    let mut expected = Expected::Nothing;
    for token in Lexer::new(text) {
        if token.kind != TokenKind::LineComment {
            continue;
        }
        let span: Span = token.span;
        let comment = text.get(span.range()).unwrap_or_default();
        let comment = comment.trim_start_matches('-').trim();
        match comment.strip_prefix("expect:").map(str::trim) {
            Some("") => return Err("an `expect:` says nothing".to_owned()),
            Some("no rows") => expected = Expected::Nothing,
            Some("same") => expected = Expected::Same,
            Some("not less") => expected = Expected::NotLess,
            Some(value) => expected = Expected::Value(value.to_owned()),
            None if comment.is_empty() => {}
            None => title.push(comment),
        }
    }
    let title = title.join(" ").replace('`', "'");
    Ok((title.trim_end_matches('.').to_owned(), expected))
}

fn first_line(query: &str) -> String {
    let line = query.trim().split(['\n', '\r']).next().unwrap_or_default();
    line.trim_end_matches(';').replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_what_they_expect_in_front_of_them() {
        let text = "-- Every order has a user.\nSELECT id FROM orders WHERE user_id IS NULL;\n\n\
            -- Users stay.\n-- expect: same\nSELECT count(*)\nFROM users;\n\
            -- expect: 3\nSELECT count(*) FROM coupons; -- expect: not less\nSELECT max(id) FROM orders";
        let read = invariants(text).unwrap();
        let short: Vec<(&str, &Expected)> = read
            .iter()
            .map(|one| (one.title.as_str(), &one.expected))
            .collect();
        assert_eq!(
            short,
            [
                ("Every order has a user", &Expected::Nothing),
                ("Users stay", &Expected::Same),
                (
                    "SELECT count(*) FROM coupons",
                    &Expected::Value("3".to_owned())
                ),
                ("SELECT max(id) FROM orders", &Expected::NotLess),
            ]
        );
        assert!(read[1].query.starts_with("SELECT count(*)\nFROM users"));
    }

    #[test]
    fn only_queries_that_read_are_taken() {
        for (text, expected) in [
            ("", "there is no query in it"),
            ("SELEC 1", "it cannot be read as SQL"),
            (
                "DELETE FROM users",
                "`DELETE FROM users` is no SELECT that only reads",
            ),
            (
                "WITH d AS (DELETE FROM users RETURNING 1) SELECT * FROM d",
                "is no SELECT that only reads",
            ),
            (
                "SELECT 1 FROM users FOR UPDATE",
                "is no SELECT that only reads",
            ),
            ("SELECT 1; SELECT 1", "two of its queries"),
            ("-- expect:\nSELECT 1", "an `expect:` says nothing"),
        ] {
            let error = invariants(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
