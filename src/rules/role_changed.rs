//! See `rules/role-changed.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding, bare_words};
use crate::statement::Statement;

/// Attributes that pass by what a database checks.
const POWERS: [&str; 5] = [
    "superuser",
    "bypassrls",
    "createrole",
    "createdb",
    "replication",
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let tag = statement.tag;
    if !matches!(tag, "CREATE ROLE" | "ALTER ROLE" | "DROP ROLE") {
        return;
    }
    let words = bare_words(statement);
    let power = words.iter().skip(2).find_map(|(_, word)| {
        POWERS
            .into_iter()
            .find(|power| word.eq_ignore_ascii_case(power))
    });
    let finding = match power {
        Some(power) if tag != "DROP ROLE" => Finding::new(
            statement.span,
            format!(
                "this role gets {}, which holds in every database of the cluster",
                power.to_uppercase()
            ),
        )
        .level(Level::Error)
        .help("leave such rights to those who run the cluster"),
        _ => Finding::new(
            statement.span,
            format!("{tag} changes the whole cluster, with its other databases"),
        )
        .help("make roles where the cluster is set up, and only GRANT in migrations"),
    };
    cx.report(finding);
}
