//! See `rules/risk-undeclared.md`.

use crate::layout::Migration;
use crate::risk;
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if migration
        .statements
        .iter()
        .all(|statement| statement.changes_nothing())
    {
        return;
    }
    let (risk, why) = risk::of(cx.steps());
    let word = risk.as_str();
    let finding = match &cx.markers().risk {
        Some(declared) if declared.value >= risk => return,
        Some(declared) => Finding::at(
            declared.location,
            format!(
                "the risk is declared {} and is {word}: {why}",
                declared.value.as_str()
            ),
        ),
        None => Finding::new(
            migration.span,
            format!("the migration does not declare its risk, which is {word}: {why}"),
        ),
    };
    cx.report(finding.help(format!("declare it: `-- lockgate: risk {word}`")));
}
