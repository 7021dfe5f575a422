//! Text out of a changelog that knows where it stands, and SQL put together from it.

use super::property::Properties;
use crate::layout::text;
use crate::source::{Fragment, Span, SpanMap};

/// A value of a changelog: what it means, and where its characters stand.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// What it means: without quotes, escapes and indentation.
    pub(super) value: String,
    /// From the value to the file.
    pub(super) map: SpanMap,
    /// The place of the whole.
    pub(super) span: Span,
}

/// So far apart the same words may stand in the file and in the value: an entity, a line's indentation, a comment.
const WINDOW: usize = 200;

impl Text {
    /// A value that is written in the file as `raw`, at `span`, with escapes or indentation that the value has not.
    pub(super) fn new(value: String, raw: &str, span: Span) -> Self {
        let mut map = SpanMap::generated(span);
        let mut at = 0;
        let mut start = 0;
        for line in value.split_inclusive('\n') {
            if let Some(found) = find_near(raw, at, line.trim_end_matches(['\n', '\r'])) {
                map.push_run(start, span.start as usize + found.start, found.len());
                at = found.end;
            } else {
                let mut offset = start;
                for word in line.split_inclusive(char::is_whitespace) {
                    if let Some(found) = find_near(raw, at, word.trim_end()) {
                        map.push_run(offset, span.start as usize + found.start, found.len());
                        at = found.end;
                    }
                    offset += word.len();
                }
            }
            start += line.len();
        }
        Self { value, map, span }
    }

    /// A part of a file as it stands there.
    pub(super) fn copied(file: &str, span: Span) -> Self {
        Self {
            value: file.get(span.range()).unwrap_or_default().to_owned(),
            map: SpanMap::copied(span.start as usize, span.len()),
            span,
        }
    }

    /// The text with its parameters filled in; unknown ones stay as they are.
    pub(super) fn filled(&self, properties: &Properties<'_>) -> Self {
        if !self.value.contains("${") {
            return self.clone();
        }
        let mut sql = Sql::new(self.span);
        for part in properties.parts(&self.value) {
            match part {
                Ok(range) => sql = sql.copy(self, range),
                Err(value) => sql = sql.add(&value),
            }
        }
        sql.into_text()
    }

    /// A part of the text, by its place in the value.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        let map = self.map.part(Span::new(range.start, range.end));
        Self {
            value: self.value.get(range.clone()).unwrap_or_default().to_owned(),
            span: self.map.to_file(Span::new(range.start, range.end)),
            map,
        }
    }

    /// The text without blanks around it.
    pub(super) fn trimmed(&self) -> Self {
        let trimmed = self.value.trim();
        let start = self.value.len() - self.value.trim_start().len();
        self.part(start..start + trimmed.len())
    }

    /// The parts between commas, without blanks around them.
    pub(super) fn list(&self) -> Vec<Self> {
        let mut start = 0;
        let mut all = Vec::new();
        for part in self.value.split(',') {
            all.push(self.part(start..start + part.len()).trimmed());
            start += part.len() + 1;
        }
        all.retain(|part| !part.value.is_empty());
        all
    }

    /// True if it says `true`, in any case.
    pub(super) fn is_true(&self) -> bool {
        self.value.trim().eq_ignore_ascii_case("true")
    }

    /// It as SQL.
    pub(super) fn into_fragment(self) -> Fragment {
        Fragment {
            sql: self.value.into(),
            map: self.map,
        }
    }

    /// True if it holds nothing but blanks and comments.
    pub(super) fn is_blank(&self) -> bool {
        text::blank(&self.value).is_some()
    }
}

/// Where a word stands in a text, at a place or not far behind it.
fn find_near(raw: &str, at: usize, word: &str) -> Option<std::ops::Range<usize>> {
    if word.is_empty() {
        return None;
    }
    let mut end = (at + word.len() + WINDOW).min(raw.len());
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let found = raw.get(at..end)?.find(word)? + at;
    Some(found..found + word.len())
}

/// SQL that is put together from pieces of a changelog.
#[derive(Debug, Clone)]
pub(super) struct Sql {
    text: String,
    map: SpanMap,
    whole: Span,
}

impl Sql {
    /// Nothing yet; what comes from nowhere else points at `whole`.
    pub(super) fn new(whole: Span) -> Self {
        Self {
            text: String::new(),
            map: SpanMap::generated(whole),
            whole,
        }
    }

    /// Adds words of our own.
    pub(super) fn add(mut self, words: &str) -> Self {
        self.text.push_str(words);
        self
    }

    /// Adds a text as it is.
    pub(super) fn text(mut self, text: &Text) -> Self {
        self.map.push_map(self.text.len(), &text.map);
        self.text.push_str(&text.value);
        self
    }

    /// Adds a part of a text as it is.
    pub(super) fn copy(self, text: &Text, range: std::ops::Range<usize>) -> Self {
        let part = text.part(range);
        self.text(&part)
    }

    /// Adds a name, in quotes where Liquibase quotes it.
    pub(super) fn name(self, name: &Text) -> Self {
        if is_quoted(&name.value) {
            let escaped = name.value.contains('"');
            let sql = self.add("\"");
            let sql = if escaped {
                sql.add(&name.value.replace('"', "\"\""))
            } else {
                sql.text(name)
            };
            sql.add("\"")
        } else {
            self.text(name)
        }
    }

    /// Adds a name with the schema in front, if there is one.
    pub(super) fn qualified(self, schema: Option<&Text>, name: &Text) -> Self {
        match schema {
            Some(schema) => self.name(schema).add(".").name(name),
            None => self.name(name),
        }
    }

    /// Adds names with commas between them.
    pub(super) fn names(mut self, names: &[Text]) -> Self {
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                self = self.add(", ");
            }
            self = self.name(name);
        }
        self
    }

    /// Adds a string constant.
    pub(super) fn literal(self, value: &Text) -> Self {
        let sql = self.add("'");
        let sql = if value.value.contains('\'') {
            sql.add(&value.value.replace('\'', "''"))
        } else {
            sql.text(value)
        };
        sql.add("'")
    }

    /// Adds other SQL.
    pub(super) fn sql(mut self, other: &Self) -> Self {
        self.map.push_map(self.text.len(), &other.map);
        self.text.push_str(&other.text);
        self
    }

    /// True if nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What was put together.
    pub(super) fn finish(self) -> Fragment {
        Fragment {
            sql: self.text.into(),
            map: self.map,
        }
    }

    /// The same as a text.
    pub(super) fn into_text(self) -> Text {
        Text {
            value: self.text,
            map: self.map,
            span: self.whole,
        }
    }
}

/// The words that Liquibase quotes in any case, sorted: those that PostgreSQL reserves, in whatever positions.
const RESERVED: &[&str] = &[
    "ALL",
    "ANALYSE",
    "ANALYZE",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "ASYMMETRIC",
    "AUTHORIZATION",
    "BINARY",
    "BOTH",
    "CASE",
    "CAST",
    "CHECK",
    "COLLATE",
    "COLLATION",
    "COLUMN",
    "CONCURRENTLY",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_ROLE",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DEFAULT",
    "DEFERRABLE",
    "DESC",
    "DISTINCT",
    "DO",
    "ELSE",
    "END",
    "EXCEPT",
    "FALSE",
    "FETCH",
    "FOR",
    "FOREIGN",
    "FREEZE",
    "FROM",
    "FULL",
    "GRANT",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INITIALLY",
    "INNER",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "JOIN",
    "LATERAL",
    "LEADING",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "NATURAL",
    "NOT",
    "NOTNULL",
    "NULL",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OUTER",
    "OVERLAPS",
    "PLACING",
    "PRIMARY",
    "REFERENCES",
    "RETURNING",
    "RIGHT",
    "SELECT",
    "SESSION_USER",
    "SIMILAR",
    "SOME",
    "SYMMETRIC",
    "TABLE",
    "TABLESAMPLE",
    "THEN",
    "TO",
    "TRAILING",
    "TRUE",
    "UNION",
    "UNIQUE",
    "USER",
    "USING",
    "VARIADIC",
    "VERBOSE",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// True for a name that Liquibase puts into quotes: a reserved word, upper and lower case mixed, or a character that
/// no bare name has. A name in capitals stays bare, and PostgreSQL takes it in small letters.
fn is_quoted(name: &str) -> bool {
    if name.contains("${") {
        return false;
    }
    let is_mixed = name.chars().any(char::is_lowercase) && name.chars().any(char::is_uppercase);
    let is_bare = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    is_mixed
        || !is_bare
        // Bare in Liquibase's output, and reserved by PostgreSQL from 16 on only.
        || name == "system_user"
        || RESERVED
            .binary_search(&name.to_ascii_uppercase().as_str())
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_liquibase_does() {
        assert!(RESERVED.is_sorted());
        for (name, expected) in [
            ("orders", false),
            ("T2", false),
            ("_x", false),
            ("order", true),
            ("USER", true),
            ("Mixed", true),
            ("1a", true),
            ("a b", true),
            ("a$b", true),
            ("ünï", true),
            ("${prefix}_x", false),
        ] {
            assert_eq!(is_quoted(name), expected, "{name}");
        }
    }

    #[test]
    fn every_word_points_at_where_it_stands() {
        for (raw, value) in [
            ("a: |\n    select 1\n    from b", "select 1\nfrom b"),
            (r#""select\n\"x\" from b""#, "select\n\"x\" from b"),
            ("select a &lt; 3 from b", "select a < 3 from b"),
            ("<![CDATA[ select a ]]>", " select a "),
            (">\n  select\n  a", "select a"),
        ] {
            let text = Text::new(value.to_owned(), raw, Span::new(0, raw.len()));
            for word in value.split_whitespace().filter(|word| raw.contains(word)) {
                let at = value.find(word).unwrap();
                let place = text.map.to_file(Span::new(at, at + word.len()));
                assert_eq!(&raw[place.range()], word, "{raw}");
            }
        }
    }

    #[test]
    fn put_together_names_and_constants_keep_their_places() {
        let file = "Order it's";
        let (name, value) = (
            Text::copied(file, Span::new(0, 5)),
            Text::copied(file, Span::new(6, 10)),
        );
        let sql = Sql::new(Span::new(0, 10))
            .add("SELECT ")
            .name(&name)
            .add(" = ")
            .literal(&value)
            .finish();
        assert_eq!(&*sql.sql, "SELECT \"Order\" = 'it''s'");
        assert_eq!(sql.map.to_file(Span::new(8, 13)), Span::new(0, 5));
    }
}
