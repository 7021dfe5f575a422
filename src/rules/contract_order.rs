//! See `rules/contract-order.md`.

use crate::layout::Migration;
use crate::markers::Phase;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{AlterAction, ColumnChange, QualifiedName};

/// Steps in the order in which they can be broken off without harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Validate,
    NotNull,
    Drop,
}

impl Stage {
    fn words(self) -> &'static str {
        match self {
            Self::Validate => "validates a constraint",
            Self::NotNull => "sets NOT NULL",
            Self::Drop => "drops a column",
        }
    }
}

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    let contract = cx
        .markers()
        .phase
        .is_some_and(|declared| declared.value == Phase::Contract);
    if !contract {
        return;
    }
    let mut seen: Vec<(QualifiedName, Stage, Span)> = Vec::new();
    let mut found = Vec::new();
    for step in cx.steps() {
        for (table, action) in step.statement.alter_actions() {
            let stage = match action {
                AlterAction::ValidateConstraint(_) => Stage::Validate,
                AlterAction::AlterColumn(alter)
                    if matches!(alter.change, ColumnChange::SetNotNull) =>
                {
                    Stage::NotNull
                }
                AlterAction::DropColumn { .. } => Stage::Drop,
                _ => continue,
            };
            let key = step.before.resolve(table);
            let span = step.statement.span;
            let later = seen
                .iter()
                .find(|(other, earlier, at)| *other == key && *earlier > stage && *at != span);
            if let Some((_, earlier, at)) = later {
                let message = format!(
                    "it {} on `{table}` behind the statement that {}",
                    stage.words(),
                    earlier.words()
                );
                let place = cx.location(*at);
                found.push(
                    Finding::new(span, message)
                        .label(place, "this runs first")
                        .help("validate first, then set NOT NULL, then drop: what can fail on the rows comes before what cannot be taken back"),
                );
            }
            seen.push((key, stage, span));
        }
    }
    for finding in found {
        cx.report(finding);
    }
}
