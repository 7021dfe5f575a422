//! Where the application's sources name a table or a column: in SQL that stands in their strings, and as an identifier.
//!
//! A scanner of string literals that fits most languages, no parser of any: what it finds is a hint for people.

use crate::source::Span;

/// How a place names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// In the text of an SQL statement that names the table too.
    Sql,
    /// An `INSERT` into the table that lists no columns.
    Unlisted,
    /// As an identifier, or a string of its own: the attribute of a model, a key.
    Identifier,
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The table.
    pub table: &'a str,
    /// The column, if it is not the whole table.
    pub column: Option<&'a str>,
    /// Nothing else in the database has the name, so that an identifier of that name means it.
    pub distinct: bool,
}

/// Places of a source that name it, in order.
#[must_use]
pub fn places(path: &str, text: &str, wanted: Wanted<'_>) -> Vec<(Span, Way)> {
    let name = wanted.column.unwrap_or(wanted.table);
    let is_there = |name: &str| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_some();
    if name.is_empty() || !(is_there(name) || is_there(wanted.table)) {
        return Vec::new();
    }
    let language = Language::of(path);
    let pieces = pieces(text, language);
    let mut found = Vec::new();
    for region in regions(text, &pieces) {
        let Some((first, last)) = region.first().zip(region.last()) else {
            continue;
        };
        let whole = &text[first.start..last.end];
        if is_sql(whole) {
            in_sql(text, region, wanted, &mut found);
        } else if wanted.distinct && region.len() == 1 && whole == name {
            found.push((Span::new(first.start, first.end), Way::Identifier));
        }
    }
    if wanted.distinct && wanted.column.is_some() && language != Language::Sql {
        for gap in gaps(text, &pieces) {
            for at in words(&text[gap.start..gap.end], name) {
                let at = gap.start + at;
                found.push((Span::new(at, at + name.len()), Way::Identifier));
            }
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(span, _)| *span);
    found
}

/// Names in a region that holds SQL.
fn in_sql(text: &str, region: &[Piece], wanted: Wanted<'_>, found: &mut Vec<(Span, Way)>) {
    let Some(table) = region
        .iter()
        .find_map(|piece| of_table(text, piece, wanted.table))
    else {
        return;
    };
    let Some(column) = wanted.column else {
        found.push((table, Way::Sql));
        return;
    };
    let before = found.len();
    for piece in region {
        let inside = &text[piece.start..piece.end];
        for at in words(inside, column) {
            let at = piece.start + at;
            found.push((Span::new(at, at + column.len()), Way::Sql));
        }
    }
    if found.len() == before {
        let whole = region.iter().map(|piece| &text[piece.start..piece.end]);
        let whole: Vec<&str> = whole.collect();
        if is_unlisted(&whole.concat(), wanted.table) {
            found.push((table, Way::Unlisted));
        }
    }
}

/// The place of a table's name behind a word that a table follows.
fn of_table(text: &str, piece: &Piece, table: &str) -> Option<Span> {
    const BEFORE: [&str; 7] = ["from", "join", "into", "update", "table", "only", "using"];
    let inside = &text[piece.start..piece.end];
    words(inside, table).into_iter().find_map(|at| {
        let before = inside[..at].trim_end_matches(['"', '`', '[']);
        // A schema may stand between.
        let before = match before.strip_suffix('.') {
            Some(before) => before
                .trim_end_matches(['"', '`', ']'])
                .trim_end_matches(is_word)
                .trim_end_matches(['"', '`', '[']),
            None => before,
        };
        let before = before.trim_end();
        let word = &before[before.trim_end_matches(is_word).len()..];
        let start = piece.start + at;
        BEFORE
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
            .then(|| Span::new(start, start + table.len()))
    })
}

/// True for `INSERT INTO table VALUES`, `INSERT INTO table SELECT`.
fn is_unlisted(sql: &str, table: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    words(&lower, &table.to_ascii_lowercase())
        .into_iter()
        .any(|at| {
            let is_insert = lower[..at]
                .trim_end_matches(['"', '`'])
                .trim_end()
                .ends_with("into");
            let behind = lower[at + table.len()..]
                .trim_start_matches(['"', '`'])
                .trim_start();
            is_insert && (behind.starts_with("values") || behind.starts_with("select"))
        })
}

/// True for a text that begins as a statement does, or that a query builder takes for a part of one.
fn is_sql(text: &str) -> bool {
    const VERBS: [&str; 8] = [
        "select", "insert", "update", "delete", "with", "merge", "from", "copy",
    ];
    let mut text = text.trim_start();
    while let Some(rest) = text.strip_prefix("--") {
        text = rest
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    let text = text.trim_start_matches(['(', '"', '\'', '`']);
    let word = &text[..text.len() - text.trim_start_matches(is_word).len()];
    VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb)) && text.contains(char::is_whitespace)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Places where a name stands as a whole word.
fn words(text: &str, name: &str) -> Vec<usize> {
    memchr::memmem::find_iter(text.as_bytes(), name.as_bytes())
        .filter(|&at| {
            let before = text[..at].chars().next_back();
            let behind = text[at + name.len()..].chars().next();
            !before.is_some_and(is_word) && !behind.is_some_and(is_word)
        })
        .collect()
}

/// How strings and comments look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// `#` begins a comment: Python, Ruby, Elixir, PHP, shells.
    Hash,
    /// `//` and `/*` do, and `'` is about one character: Rust, Java, Go, C#, Kotlin, Scala.
    Slash,
    /// They do, and `'` begins a string: JavaScript, TypeScript.
    Script,
    /// The whole file is SQL.
    Sql,
}

impl Language {
    fn of(path: &str) -> Self {
        match path.rsplit('.').next().unwrap_or_default() {
            "sql" | "pgsql" | "psql" => Self::Sql,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "vue" | "svelte" | "php" => Self::Script,
            "rs" | "java" | "go" | "cs" | "kt" | "kts" | "scala" | "c" | "cpp" | "h" | "swift"
            | "dart" => Self::Slash,
            _ => Self::Hash,
        }
    }
}

/// A string literal without its quotes, or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    start: usize,
    end: usize,
    comment: bool,
    /// First byte of the opening mark and the one behind the closing mark.
    outer: (usize, usize),
}

/// Strings and comments in order. Runs in linear time.
fn pieces(text: &str, language: Language) -> Vec<Piece> {
    if language == Language::Sql {
        return vec![Piece {
            start: 0,
            end: text.len(),
            comment: false,
            outer: (0, text.len()),
        }];
    }
    let bytes = text.as_bytes();
    let find = |from: usize, mark: &str| {
        memchr::memmem::find(&bytes[from..], mark.as_bytes()).map(|at| from + at)
    };
    let line_end = |from: usize| find(from, "\n").unwrap_or(bytes.len());
    let mut found = Vec::new();
    let mut at = 0;
    // A mark that nothing closes is looked for once.
    let mut open: Vec<&str> = Vec::new();
    while at < bytes.len() {
        let rest = &bytes[at..];
        let comment = match language {
            Language::Hash => rest.starts_with(b"#").then(|| line_end(at)),
            _ if rest.starts_with(b"//") => Some(line_end(at)),
            _ if rest.starts_with(b"/*") && !open.contains(&"*/") => match find(at + 2, "*/") {
                Some(end) => Some(end + 2),
                None => {
                    open.push("*/");
                    None
                }
            },
            _ => None,
        };
        if let Some(end) = comment {
            found.push(Piece {
                start: at,
                end,
                comment: true,
                outer: (at, end),
            });
            at = end.max(at + 1);
            continue;
        }
        let long = ["\"\"\"", "'''", "`"]
            .into_iter()
            .find(|mark| rest.starts_with(mark.as_bytes()) && !open.contains(mark));
        if let Some(mark) = long {
            if let Some(end) = find(at + mark.len(), mark) {
                found.push(Piece {
                    start: at + mark.len(),
                    end,
                    comment: false,
                    outer: (at, end + mark.len()),
                });
                at = end + mark.len();
                continue;
            }
            open.push(mark);
        }
        let quote = bytes[at];
        let is_char = quote == b'\'' && language == Language::Slash;
        if quote == b'"' || (quote == b'\'' && !is_char) {
            let end = short_end(bytes, at + 1, quote);
            found.push(Piece {
                start: at + 1,
                end,
                comment: false,
                outer: (at, (end + 1).min(bytes.len())),
            });
            at = end + 1;
        } else if is_char && bytes.get(at + 2) == Some(&b'\'') {
            at += 3;
        } else {
            at += 1;
        }
    }
    found.retain(|piece| text.is_char_boundary(piece.start) && text.is_char_boundary(piece.end));
    found
}

/// The end of a string on one line.
fn short_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == quote => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Strings that are put together: nothing but blanks and operators stands between them.
fn regions<'p>(text: &str, pieces: &'p [Piece]) -> Vec<&'p [Piece]> {
    let mut regions = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        if pieces[start].comment {
            start += 1;
            continue;
        }
        let mut end = start + 1;
        while end < pieces.len() && !pieces[end].comment {
            let between = text.get(pieces[end - 1].outer.1..pieces[end].outer.0);
            let joins = |c: char| c.is_whitespace() || matches!(c, '+' | '\\' | '&' | 'f' | 'r');
            if !between.is_some_and(|between| between.chars().all(joins)) {
                break;
            }
            end += 1;
        }
        regions.push(&pieces[start..end]);
        start = end;
    }
    regions
}

/// What lies between strings and comments.
fn gaps<'t>(
    text: &'t str,
    pieces: &'t [Piece],
) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
    let starts = std::iter::once(0).chain(pieces.iter().map(|piece| piece.outer.1));
    let ends = pieces.iter().map(|piece| piece.outer.0).chain([text.len()]);
    starts
        .zip(ends)
        .filter(|(start, end)| start < end && text.get(*start..*end).is_some())
        .map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str, column: Option<&str>, distinct: bool) -> Vec<(usize, Way)> {
        let wanted = Wanted {
            table: "users",
            column,
            distinct,
        };
        places(path, text, wanted)
            .into_iter()
            .map(|(span, way)| (text[..span.start as usize].matches('\n').count() + 1, way))
            .collect()
    }

    #[test]
    fn names_are_found_where_code_uses_them() {
        use Way::{Identifier, Sql, Unlisted};
        let flag = Some("flag");
        for (path, text, column, distinct, expected) in [
            (
                "a.py",
                "db.execute('SELECT flag FROM users')",
                flag,
                false,
                vec![(1, Sql)],
            ),
            (
                "a.py",
                "q = '''\nSELECT id\nFROM users\nWHERE flag\n'''",
                flag,
                false,
                vec![(4, Sql)],
            ),
            (
                "a.py",
                "q = ('SELECT flag '\n     f'FROM users')",
                flag,
                false,
                vec![(1, Sql)],
            ),
            ("a.py", "q = 'SELECT flag FROM orders'", flag, false, vec![]),
            ("a.py", "q = 'SELECT flags FROM users'", flag, false, vec![]),
            ("a.py", "# SELECT flag FROM users", flag, true, vec![]),
            ("a.py", "user.flag = 1", flag, false, vec![]),
            (
                "a.py",
                "user.flag = 1\nx['flag']",
                flag,
                true,
                vec![(1, Identifier), (2, Identifier)],
            ),
            ("a.py", "log('the flag of users')", flag, true, vec![]),
            (
                "a.go",
                "db.Query(`select u.flag from public.users u`)",
                flag,
                false,
                vec![(1, Sql)],
            ),
            (
                "a.rs",
                "fn f<'a>() { q(\"update users set flag = 1\") }",
                flag,
                false,
                vec![(1, Sql)],
            ),
            (
                "a.ts",
                "q('INSERT INTO users VALUES (1)')",
                flag,
                false,
                vec![(1, Unlisted)],
            ),
            (
                "a.ts",
                "q('INSERT INTO users (id) VALUES (1)')",
                flag,
                false,
                vec![],
            ),
            (
                "a.sql",
                "-- users\nSELECT flag FROM users;",
                flag,
                false,
                vec![(2, Sql)],
            ),
            (
                "a.java",
                "@Query(\"delete from users\")",
                None,
                false,
                vec![(1, Sql)],
            ),
            (
                "a.py",
                "__tablename__ = 'users'",
                None,
                true,
                vec![(1, Identifier)],
            ),
            ("a.py", "users = 1", None, true, vec![]),
        ] {
            assert_eq!(found(path, text, column, distinct), expected, "{text}");
        }
    }

    #[test]
    fn any_text_can_be_scanned() {
        for text in [
            "'",
            "\"\"\"",
            "'''users",
            "`",
            "/*",
            "\\",
            "'\\",
            "'users\\",
            "é'é\\'é",
            "##'#\n'",
        ] {
            for path in ["a.py", "a.rs", "a.ts", "a.sql"] {
                let _ = found(path, text, Some("é"), true);
            }
        }
        let long = "'''\"\"\"`/*".repeat(100_000);
        assert!(found("a.ts", &long, Some("flag"), true).is_empty());
    }
}
