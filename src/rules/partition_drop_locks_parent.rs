//! See `rules/partition-drop-locks-parent.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if !matches!(drop.object, ObjectKind::Table | ObjectKind::ForeignTable) {
        return;
    }
    for name in &drop.names {
        let Some(parent) = cx
            .before()
            .table(name)
            .and_then(|table| table.partition.as_ref())
            .map(|partition| partition.parent.clone())
        else {
            continue;
        };
        let goes_too = drop.names.iter().any(|other| cx.resolve(other) == parent);
        let locked = cx
            .effects()
            .on(&parent)
            .is_some_and(|effect| effect.lock.blocks_reads());
        if goes_too || !locked || cx.before().is_fresh(&parent) || cx.effects().fails.is_some() {
            continue;
        }
        let whole = parent.short();
        let (help, steps) = if cx.postgres() >= 14
            && cx.before().default_partition(&parent).is_none()
        {
            let detach = format!("ALTER TABLE {whole} DETACH PARTITION {name} CONCURRENTLY");
            (
                format!("detach it CONCURRENTLY first; then the drop concerns {name} alone"),
                cx.remedy([(Place::Before, detach)]),
            )
        } else {
            (
                "CONCURRENTLY cannot detach it here: keep lock_timeout short, and the drop alone in its transaction".to_owned(),
                Vec::new(),
            )
        };
        let finding = Finding::new(
            name.span,
            format!(
                "dropping the partition `{name}` takes an ACCESS EXCLUSIVE lock on all of `{whole}`: reads and writes queue behind it until the transaction ends"
            ),
        )
        .help(help)
        .steps(steps)
        .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}
