//! Signs that a project's migrations are written for another database.

use super::{Found, Problem, ProblemKind, path, text};
use crate::source::{Location, Source, Span};

/// A sign in a file, with the place that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The other database.
    pub dialect: &'static str,
    /// What was seen, as it is shown: "`ENGINE=InnoDB`".
    pub evidence: String,
    /// Where.
    pub span: Span,
}

/// The other database that a connection URL names; none for PostgreSQL and for what is not known.
#[must_use]
pub fn of_url(url: &str) -> Option<&'static str> {
    let url = url.trim().to_ascii_lowercase();
    let url = url.strip_prefix("jdbc:").unwrap_or(&url);
    let scheme = url.split([':', '+']).next()?;
    Some(match scheme {
        "mysql" => "MySQL",
        "mariadb" => "MariaDB",
        "sqlite" => "SQLite",
        "sqlserver" | "mssql" | "jtds" => "SQL Server",
        "oracle" => "Oracle",
        "db2" => "Db2",
        "snowflake" => "Snowflake",
        "clickhouse" => "ClickHouse",
        "bigquery" => "BigQuery",
        "mongodb" => "MongoDB",
        _ => return None,
    })
}

/// The first sign of another database in a SQL file.
#[must_use]
pub fn of_sql(source: &Source) -> Option<Sign> {
    if path::is_python(&source.path) {
        return of_python(source);
    }
    let code = text::code(&source.text);
    let has = |word: &str| contains_word(&code, word);
    let (dialect, shown) = if code.contains("MERGETREE") {
        ("ClickHouse", "MergeTree")
    } else if code.contains("LOWCARDINALITY(") {
        ("ClickHouse", "LowCardinality")
    } else if code.contains(" ON CLUSTER ") {
        ("ClickHouse", "ON CLUSTER")
    } else if code.contains("ENGINE=INNODB") || code.contains("ENGINE = INNODB") {
        ("MySQL", "ENGINE=InnoDB")
    } else if code.contains("ENGINE=MYISAM") || code.contains("ENGINE = MYISAM") {
        ("MySQL", "ENGINE=MyISAM")
    } else if has("AUTO_INCREMENT") {
        ("MySQL", "AUTO_INCREMENT")
    } else if has("AUTOINCREMENT") {
        ("SQLite", "AUTOINCREMENT")
    } else if code.contains("IDENTITY(1,1)") || code.contains("IDENTITY(1, 1)") {
        ("SQL Server", "IDENTITY(1,1)")
    } else if code.contains("[DBO].") {
        ("SQL Server", "[dbo]")
    } else if has("NVARCHAR") && !has("NVARCHAR2") {
        ("SQL Server", "NVARCHAR")
    } else if code.split('\n').any(|line| line.trim() == "GO") {
        ("SQL Server", "GO")
    } else if has("VARCHAR2") || has("NVARCHAR2") {
        ("Oracle", "VARCHAR2")
    } else if code.contains(" NUMBER(") {
        ("Oracle", "NUMBER(")
    } else if is_backticked(&code) {
        ("MySQL", "`")
    } else {
        return None;
    };
    let needle = shown
        .split('=')
        .next()
        .unwrap_or(shown)
        .to_ascii_uppercase();
    // The blanked text keeps no offsets; the words are rare enough for the first one in the file to be the right one.
    let start = source.text.to_ascii_uppercase().find(&needle).unwrap_or(0);
    let evidence = if shown == "`" {
        "names in backticks".to_owned()
    } else {
        format!("`{shown}`")
    };
    Some(Sign {
        dialect,
        evidence,
        span: Span::new(start, start + needle.len()),
    })
}

/// A name in backticks directly behind a SQL keyword: SQL in a Python string, and no text about code. Words alone say
/// nothing in Python (`autoincrement=True` is for every database).
fn of_python(source: &Source) -> Option<Sign> {
    const BEFORE: [&str; 6] = [
        "TABLE `", "UPDATE `", "INTO `", "FROM `", "COLUMN `", "INDEX `",
    ];
    let text = source.text.to_ascii_uppercase();
    let (start, sign) = BEFORE
        .iter()
        .filter_map(|sign| Some((text.find(sign)?, sign)))
        .min()?;
    Some(Sign {
        dialect: "MySQL",
        evidence: "names in backticks".to_owned(),
        span: Span::new(start, start + sign.len()),
    })
}

/// True if a SQL file holds something that only PostgreSQL has.
#[must_use]
pub fn is_postgres(source: &Source) -> bool {
    const WORDS: &[&str] = &[
        "JSONB",
        "TIMESTAMPTZ",
        "BIGSERIAL",
        "SERIAL",
        "PLPGSQL",
        "CONCURRENTLY",
        "GEN_RANDOM_UUID",
        "BYTEA",
        "TSVECTOR",
        "SEARCH_PATH",
        "LOCK_TIMEOUT",
        "PG_CATALOG",
        "ILIKE",
        "CITEXT",
    ];
    let code = text::code(&source.text);
    code.contains("::")
        || WORDS.iter().any(|word| contains_word(&code, word))
        || source.text.contains("$$")
}

/// The other database that a set of SQL files is written for, with the index of the first file that shows it. Most
/// files show it, or most of those that create a table; or a good part does and none shows a sign of PostgreSQL.
#[must_use]
pub fn of_files(sources: &[&Source]) -> Option<(usize, Sign)> {
    let mut signs: Vec<(usize, Sign)> = Vec::new();
    // Files that hold anything, files that create a table, and those of them that show another database.
    let (mut filled, mut tables, mut foreign_tables) = (0, 0, 0);
    for (index, source) in sources.iter().enumerate() {
        if text::blank(&source.text).is_some() {
            continue;
        }
        filled += 1;
        let creates = text::code(&source.text).contains("CREATE TABLE");
        let sign = of_sql(source);
        tables += usize::from(creates);
        foreign_tables += usize::from(creates && sign.is_some());
        signs.extend(sign.map(|sign| (index, sign)));
    }
    let most = 2 * signs.len() > filled || 2 * foreign_tables > tables;
    // Most revisions in Python hold no SQL of their own: two that do are a good part.
    let in_python = signs.len() >= 2
        && signs
            .iter()
            .all(|(index, _)| path::is_python(&sources[*index].path));
    let some = (4 * signs.len() >= filled || in_python)
        && !sources.iter().any(|source| is_postgres(source));
    if signs.is_empty() || !(most || some) {
        return None;
    }
    let count = |dialect: &str| {
        signs
            .iter()
            .filter(|(_, sign)| sign.dialect == dialect)
            .count()
    };
    let best = signs
        .iter()
        .map(|(_, sign)| sign.dialect)
        .max_by_key(|dialect| count(dialect))?;
    signs.into_iter().find(|(_, sign)| sign.dialect == best)
}

/// The other database that a history is written for, by its tool's connection URL or by its SQL.
#[must_use]
pub fn of_history(found: &Found, sources: &[&Source]) -> Option<(&'static str, Problem)> {
    let help = "Lockgate judges PostgreSQL only; leave this directory out, or name the PostgreSQL one in `migrations:`";
    let problem = |source: &Source, span, message: String| Problem {
        kind: ProblemKind::Dialect,
        location: Location {
            source: source.id,
            span,
        },
        message,
        help: Some(help.to_owned()),
        labels: Vec::new(),
    };
    let url = ["url", "sqlalchemy.url", "provider", "dialect"]
        .iter()
        .find_map(|key| found.settings.get(*key));
    if let Some(dialect) = url.and_then(|url| of_url(url))
        && let Some(first) = sources.first()
        && !sources.iter().any(|source| is_postgres(source))
    {
        let message =
            format!("these migrations are for {dialect}: the tool's configuration says so");
        return Some((dialect, problem(first, first.first_line(), message)));
    }
    // Programs (Rails, TypeORM, …) hold words of every dialect.
    let readable: Vec<&Source> = sources
        .iter()
        .copied()
        .filter(|source| path::is_sql(&source.path) || path::is_python(&source.path))
        .collect();
    let (index, sign) = of_files(&readable)?;
    let message = format!(
        "these migrations are for {}: {} in this file and its neighbours",
        sign.dialect, sign.evidence
    );
    Some((sign.dialect, problem(readable[index], sign.span, message)))
}

/// Two or more names in backticks.
fn is_backticked(code: &str) -> bool {
    let mut parts = code.split('`');
    parts.next();
    let names = parts.step_by(2).filter(|name| {
        !name.is_empty()
            && name.len() < 64
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '.')
    });
    names.count() >= 2
}

fn contains_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn source(text: &str) -> Source {
        Source::new(SourceId(0), "a.sql", text)
    }

    #[test]
    fn urls_name_their_database() {
        let cases = [
            ("jdbc:mysql://h/db", Some("MySQL")),
            ("mysql+pymysql://h/db", Some("MySQL")),
            ("sqlite:///a.db", Some("SQLite")),
            ("jdbc:sqlserver://h", Some("SQL Server")),
            ("jdbc:postgresql://h/db", None),
            ("postgresql+psycopg2://h", None),
            ("${DB_URL}", None),
            ("driver://user:pass@localhost/dbname", None),
            ("", None),
        ];
        for (url, expected) in cases {
            assert_eq!(of_url(url), expected, "{url}");
        }
    }

    #[test]
    fn sql_shows_its_dialect_outside_of_comments_and_strings() {
        let dialect = |text: &str| of_sql(&source(text)).map(|sign| (sign.dialect, sign.evidence));
        let is = |dialect, evidence: &str| Some((dialect, evidence.to_owned()));
        assert_eq!(
            dialect("create table a (id int) engine=InnoDB;"),
            is("MySQL", "`ENGINE=InnoDB`")
        );
        assert_eq!(
            dialect("insert into `a` (`b`) values (1)"),
            is("MySQL", "names in backticks")
        );
        assert_eq!(
            dialect("id int identity(1,1)"),
            is("SQL Server", "`IDENTITY(1,1)`")
        );
        assert_eq!(dialect("a\nGO\n"), is("SQL Server", "`GO`"));
        assert_eq!(
            dialect("create table a (b Int8) engine = ReplacingMergeTree"),
            is("ClickHouse", "`MergeTree`")
        );
        assert_eq!(dialect("a varchar2(10)"), is("Oracle", "`VARCHAR2`"));
        assert_eq!(
            dialect("-- `a` and `b`, auto_increment\nselect '`a` `b`'"),
            None
        );
        assert_eq!(
            dialect("create table a (id int generated always as identity)"),
            None
        );
        assert_eq!(dialect("select $$ engine=innodb $$"), None);
    }

    #[test]
    fn one_foreign_file_does_not_make_the_project_foreign() {
        let mysql = source("create table a (id int auto_increment)");
        let neutral = source("create table b (id int)");
        let postgres = source("create table b (id jsonb)");
        assert!(of_files(&[&mysql, &neutral]).is_some());
        assert!(of_files(&[&mysql, &postgres]).is_none());
        let dropped = source("drop table a");
        let cast = source("select 1::int");
        assert!(
            of_files(&[&dropped, &cast, &dropped, &mysql, &dropped]).is_some(),
            "what creates tables decides"
        );
        assert!(of_files(&[&neutral, &mysql, &mysql]).is_some_and(|(index, _)| index == 1));
        assert!(of_files(&[]).is_none());
    }
}
