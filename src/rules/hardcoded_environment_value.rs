//! See `rules/hardcoded-environment-value.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding, bare_words};
use crate::source::Span;
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for string in cx.strings(statement) {
        let body = string.body;
        let follows = |word: &str| string.word_before.eq_ignore_ascii_case(word);
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
        } else {
            None
        };
        if let Some((what, level)) = found {
            report(cx, string.span, what, level);
        }
    }
    if statement.tag == "ALTER DATABASE"
        && statement.placeholders.is_empty()
        && let Some((span, _)) = bare_words(statement).get(2)
    {
        let what = "a database is named in the migration: it may be called otherwise elsewhere";
        report(
            cx,
            statement.source.map.to_file(*span),
            what,
            Level::Warning,
        );
    }
}

fn report(cx: &mut Cx<'_>, span: Span, what: &str, level: Level) {
    let help = match level {
        Level::Error => {
            "change it, for it is in the repository's history, and set it where secrets are kept"
        }
        _ => {
            "set it outside of the migrations, or put it together from a setting (`current_setting`, `current_database()`)"
        }
    };
    cx.report(Finding::new(span, what).level(level).help(help));
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
