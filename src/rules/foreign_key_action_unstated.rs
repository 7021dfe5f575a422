//! See `rules/foreign-key-action-unstated.md`.

use crate::rule::{Cx, Finding, bare_words};
use crate::statement::table::ReferentialAction;
use crate::statement::{ConstraintDef, ConstraintKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (_, def) in statement.written_constraints() {
        let ConstraintKind::ForeignKey(key) = &def.kind else {
            continue;
        };
        if key.on_delete != ReferentialAction::NoAction || is_written(statement, def) {
            continue;
        }
        let finding = Finding::new(
            def.span,
            format!(
                "this foreign key does not say what becomes of its rows when one of `{}` is deleted",
                key.table
            ),
        )
        .help("write ON DELETE RESTRICT, CASCADE, SET NULL or NO ACTION");
        cx.report(finding);
    }
}

/// `ON DELETE NO ACTION` is written.
fn is_written(statement: &Statement, def: &ConstraintDef) -> bool {
    let words: Vec<&str> = bare_words(statement)
        .into_iter()
        .filter(|(span, _)| {
            let place = statement.source.map.to_file(*span);
            def.span.start <= place.start && place.end <= def.span.end
        })
        .map(|(_, word)| word)
        .collect();
    words
        .windows(2)
        .any(|pair| pair[0].eq_ignore_ascii_case("on") && pair[1].eq_ignore_ascii_case("delete"))
}
