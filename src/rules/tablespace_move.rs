//! See `rules/tablespace-move.md`.

use crate::effect::{Effect, RelationKind};
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, Kind, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let moves = match &statement.kind {
        Kind::AlterTable(_) => statement
            .alter_actions()
            .any(|(_, action)| matches!(action, AlterAction::SetTablespace(_))),
        _ => statement.tag == "ALTER TABLE ALL IN TABLESPACE",
    };
    if !moves {
        return;
    }
    let copied: Vec<Effect> = cx
        .effects()
        .list
        .iter()
        .filter(|effect| {
            effect.work.file_copy
                && effect.kind != RelationKind::PartitionedTable
                && !cx.before().is_fresh(&effect.relation)
        })
        .cloned()
        .collect();
    let Some(first) = copied.first() else { return };
    let certainty = first.certainty;
    let help = if first.kind == RelationKind::Index && cx.postgres() >= 14 {
        format!(
            "REINDEX (CONCURRENTLY, TABLESPACE …) INDEX {} builds it anew over there, and stops neither reads nor writes",
            first.relation.short()
        )
    } else {
        "pg_repack moves a table while it is used; otherwise plan for the time of the copy"
            .to_owned()
    };
    let finding = Finding::new(
        statement.span,
        format!(
            "SET TABLESPACE copies the files of {} under an ACCESS EXCLUSIVE lock: reads and writes wait",
            wording::names(copied.iter().map(|effect| effect.relation.short()))
        ),
    )
    .certainty(certainty)
    .help(help)
    .effects(copied.clone());
    cx.report(finding);
}
