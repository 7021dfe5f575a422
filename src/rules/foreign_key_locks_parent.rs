//! See `rules/foreign-key-locks-parent.md`.

use crate::effect::column;
use crate::rule::{Cx, Finding};
use crate::statement::{
    AlterAction, ConstraintDef, ConstraintKind, ForeignKey, Kind, Name, QualifiedName, Statement,
};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let mut said: Vec<QualifiedName> = Vec::new();
    for (table, def, key) in keys(cx, statement) {
        let parent = cx.resolve(&key.table);
        if cx.is_new(&key.table) || parent == cx.resolve(table) || said.contains(&parent) {
            continue;
        }
        let Some(effect) = cx.effects().on(&parent).cloned() else {
            continue;
        };
        said.push(parent);
        if !effect.lock.blocks_writes() || effect.lock.blocks_reads() {
            continue;
        }
        cx.report(
            Finding::new(
                def.span,
                format!(
                    "the foreign key to `{}` holds {} lock on it: writes to it wait until the transaction ends",
                    key.table,
                    effect.lock.with_article()
                ),
            )
            .help("add it in a transaction of its own, with a short lock_timeout and further tries")
            .effects([effect]),
        );
    }
}

/// Foreign keys that are made without a check of rows, with their table.
fn keys<'s>(
    cx: &Cx<'_>,
    statement: &'s Statement,
) -> Vec<(&'s Name, &'s ConstraintDef, &'s ForeignKey)> {
    let mut found: Vec<(&Name, &ConstraintDef)> = Vec::new();
    match &statement.kind {
        Kind::CreateTable(create) => {
            let at_columns = create.columns.iter().flat_map(|column| &column.constraints);
            found.extend(
                at_columns
                    .chain(&create.constraints)
                    .map(|def| (&create.name, def)),
            );
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                match action {
                    AlterAction::AddConstraint(def) if !cx.work_of(alter, action).1.scan => {
                        found.push((&alter.name, def));
                    }
                    AlterAction::AddColumn(add) => found.extend(
                        add.column
                            .constraints
                            .iter()
                            .filter(|def| !column::constraint_work(def, &add.column).scan)
                            .map(|def| (&alter.name, def)),
                    ),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    found
        .into_iter()
        .filter_map(|(table, def)| match &def.kind {
            ConstraintKind::ForeignKey(key) => Some((table, def, &**key)),
            _ => None,
        })
        .collect()
}
