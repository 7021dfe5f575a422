//! See `rules/statement-fails.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::statement::Statement;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let step = cx.step();
    let Some(failure) = &step.effects.fails else {
        return;
    };
    // The migration ends with the first one. Statements of a function's or block's body may be caught.
    let earlier = cx
        .earlier_in_migration()
        .iter()
        .any(|step| step.effects.fails.is_some());
    let caught = step.is_nested()
        && step
            .outer
            .source
            .sql
            .to_ascii_uppercase()
            .contains("EXCEPTION");
    if earlier || caught || cx.migration().incomplete || step.certainty() != Certainty::Certain {
        return;
    }
    let what = cx.short_text(statement);
    let help = match failure.sqlstate {
        "42701" | "42710" | "42P06" | "42P07" | "42723" => {
            "take another name, or leave it out: the earlier migrations made it"
        }
        "42P01" | "42703" | "42704" | "42883" => {
            "name something that the earlier migrations leave, or that the target version has"
        }
        "42601" => {
            "write it in the grammar of the target version, or set `postgres` to the version that is run"
        }
        _ => "change the statement, or what stands in its way before it",
    };
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "`{what}` fails with SQLSTATE {}: {}",
                failure.sqlstate, failure.reason
            ),
        )
        .help(help),
    );
}
