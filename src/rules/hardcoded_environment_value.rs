//! See `rules/hardcoded-environment-value.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let text = &*statement.source.sql;
    let tokens: Vec<Token> = Lexer::new(text)
        .filter(|token| !token.is_comment())
        .collect();
    for (index, token) in tokens.iter().enumerate() {
        if !matches!(token.kind, TokenKind::String(_)) {
            continue;
        }
        let body = &text[token.body(text).range()];
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let follows = |word: &str| before.is_some_and(|before| before.is_word(text, word));
        let found = if follows("password") && !body.is_empty() {
            Some(("a password stands in the migration", Level::Error))
        } else if holds_password(body) {
            Some((
                "an address with a password stands in the migration",
                Level::Error,
            ))
        } else if is_address(statement.tag) && (follows("host") || option(body, "host").is_some()) {
            Some((
                "the address of a server stands in the migration: it holds in one environment",
                Level::Warning,
            ))
        } else if matches!(&statement.kind, Kind::Copy { .. })
            && body.starts_with('/')
            && (follows("from") || follows("to"))
        {
            Some((
                "a path on the server stands in the migration: it holds on one machine",
                Level::Warning,
            ))
        } else {
            None
        };
        if let Some((what, level)) = found {
            report(cx, statement, token.span, what, level);
        }
    }
    if statement.tag == "ALTER DATABASE"
        && let Some(name) = tokens.get(2)
        && statement.placeholders.is_empty()
    {
        let what = "a database is named in the migration: it may be called otherwise elsewhere";
        report(cx, statement, name.span, what, Level::Warning);
    }
}

fn report(cx: &mut Cx<'_>, statement: &Statement, span: Span, what: &str, level: Level) {
    let help = match level {
        Level::Error => {
            "change it, for it is in the repository's history, and set it where secrets are kept"
        }
        _ => {
            "set it outside of the migrations, or put it together from a setting (`current_setting`, `current_database()`)"
        }
    };
    cx.report(
        Finding::new(statement.source.map.to_file(span), what)
            .level(level)
            .help(help),
    );
}

/// Commands that take addresses of servers.
fn is_address(tag: &str) -> bool {
    matches!(
        tag,
        "CREATE SERVER" | "ALTER SERVER" | "CREATE SUBSCRIPTION" | "ALTER SUBSCRIPTION" | "SELECT"
    )
}

/// `postgres://user:word@host`, or `host=… password=word`.
fn holds_password(text: &str) -> bool {
    let of_url = || {
        let (_, rest) = text.split_once("://")?;
        let (user, _) = rest.split(['/', '?', ' ']).next()?.rsplit_once('@')?;
        let (_, password) = user.split_once(':')?;
        Some(password)
    };
    let of_options =
        || option(text, "password").filter(|_| text.contains("host=") || text.contains("dbname="));
    of_url().or_else(of_options).is_some_and(|password| {
        !password.is_empty() && !password.starts_with(['$', '{', ':', '<', '%'])
    })
}

/// The value of an option in a connection string.
fn option<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}
