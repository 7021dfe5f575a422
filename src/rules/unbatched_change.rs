//! See `rules/unbatched-change.md`.

use super::ddl_and_data_change;
use crate::diagnostic::{Certainty, Level, Place};
use crate::effect::reach::{DataChange, Reach, data_changes};
use crate::rule::{Cx, Finding};
use crate::statement::{ChangeVerb, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for change in data_changes(statement, cx.before()) {
        // Where it has no WHERE or runs under a lock, the rules on that subsume this one.
        if change.verb.is_none() {
            continue;
        }
        if let Some(finding) = judge(cx, statement, &change) {
            let changes = matches!(change.verb, Some(ChangeVerb::Update | ChangeVerb::Delete));
            let steps = cx
                .batched(statement, change.table)
                .filter(|_| changes && !change.inner && change.reach != Reach::Few)
                .map_or_else(Vec::new, |batches| cx.remedy([(Place::Instead, batches)]));
            cx.report(finding.steps(steps).on(change.table));
        }
    }
}

fn judge(cx: &Cx<'_>, statement: &Statement, change: &DataChange<'_>) -> Option<Finding> {
    let (what, table) = (change.what, change.table);
    let span = if change.inner {
        table.span
    } else {
        statement.span
    };
    let batches = "work in batches by the key, a few thousand rows each, every batch in a transaction of its own";
    let finding = match change.reach {
        Reach::Few => {
            let is_change = matches!(change.verb, Some(ChangeVerb::Update | ChangeVerb::Delete));
            let step = cx.step();
            if !step.looped || !is_change || ddl_and_data_change::commits(step.outer) {
                return None;
            }
            // How often the loop turns is not known.
            Finding::new(
                span,
                format!(
                    "the turns of this loop are one transaction: the rows of `{table}` stay locked until the last one is done"
                ),
            )
            .certainty(Certainty::Possible)
            .help("COMMIT in each turn, which PostgreSQL allows in a DO block outside of any transaction, or loop outside of the migration")
        }
        Reach::Every => Finding::new(
            span,
            format!(
                "this {what} changes every row of `{table}` in one transaction: all of them stay locked until it ends"
            ),
        )
        .help(batches),
        Reach::Many { selective } => {
            let finding = if change.verb == Some(ChangeVerb::Insert) {
                Finding::new(
                    span,
                    format!("this INSERT copies an unbounded number of rows into `{table}` in one transaction"),
                )
            } else {
                Finding::new(
                    span,
                    format!(
                        "no key bounds the rows of `{table}` that this {what} changes: all of them stay locked until it ends"
                    ),
                )
            };
            if selective {
                finding
                    .certainty(Certainty::Possible)
                    .level(Level::Warning)
                    .help(format!(
                        "{batches}; if the condition finds few rows, say so in a comment that allows this"
                    ))
            } else {
                finding.help(batches)
            }
        }
    };
    Some(finding)
}
