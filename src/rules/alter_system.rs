//! See `rules/alter-system.md`.

use crate::rule::{Cx, Finding, bare_words};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if statement.tag != "ALTER SYSTEM" {
        return;
    }
    let words = bare_words(statement);
    let name = words.get(3).map_or("", |(_, word)| *word);
    let shown = if name.is_empty() || name.eq_ignore_ascii_case("all") {
        "all settings".to_owned()
    } else {
        format!("`{name}`")
    };
    let finding = Finding::new(
        statement.span,
        format!("{shown} changes for every database of the server, from its next reload or restart on"),
    )
    .help("change it where the server is configured; ALTER DATABASE … SET holds for one database, SET for one session");
    cx.report(finding);
}
