//! See `rules/repeated-table-pass.md`.

use crate::diagnostic::Certainty;
use crate::effect::reach::data_changes;
use crate::effect::{LockMode, RelationKind, Work};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    let table = cx.resolve(&alter.name);
    let Some(second) = pass(cx.step(), &table) else {
        return;
    };
    for earlier in cx.earlier_in_migration().iter().rev() {
        let changes = data_changes(earlier.statement, &earlier.before);
        if changes
            .iter()
            .any(|change| earlier.before.resolve(change.table) == table)
        {
            return;
        }
        if second.rewrite && builds_index(earlier, &table) {
            let finding = Finding::new(
                statement.span,
                format!(
                    "rewriting `{}` builds all its indexes again, also the one of the statement before",
                    alter.name
                ),
            )
            .on(&alter.name)
            .help("build the index behind the rewrite")
            .label(cx.location_of(earlier), "built here for the first time");
            cx.report(finding);
            return;
        }
        if pass(earlier, &table).is_some() {
            let verb = if second.rewrite { "rewrites" } else { "reads" };
            let finding = Finding::new(
                statement.span,
                format!(
                    "this {verb} all of `{}` again under an ACCESS EXCLUSIVE lock, as a statement before does",
                    alter.name
                ),
            )
            .on(&alter.name)
            .help("if the pass cannot be avoided, make both sub-commands of one ALTER TABLE: PostgreSQL does them in one pass")
            .label(cx.location_of(earlier), "the first pass");
            cx.report(finding);
            return;
        }
    }
}

/// The work of an `ALTER TABLE` that goes through all rows of the table under its strongest lock.
fn pass(step: &Step<'_>, table: &QualifiedName) -> Option<Work> {
    let Kind::AlterTable(alter) = &step.statement.kind else {
        return None;
    };
    let effect = step.effects.on(table)?;
    let whole = effect.work.rewrite || (effect.work.scan && !effect.work.index_build);
    (whole
        && effect.lock == LockMode::AccessExclusive
        && effect.kind == RelationKind::Table
        && effect.certainty == Certainty::Certain
        && step.effects.fails.is_none()
        && step.before.resolve(&alter.name) == *table)
        .then_some(effect.work)
}

fn builds_index(step: &Step<'_>, table: &QualifiedName) -> bool {
    matches!(step.statement.kind, Kind::CreateIndex(_))
        && step
            .effects
            .on(table)
            .is_some_and(|effect| effect.work.index_build)
}
