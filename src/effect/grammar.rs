//! What a major's parser does not know: refused before anything is looked up or locked.

use super::Failure;
use crate::statement::{
    AlterAction, ColumnChange, ColumnDef, ConstraintDef, ConstraintKind, Kind, Statement,
};

/// A feature of the grammar that a statement uses, and the first major that has it.
type Needs = (u32, &'static str);

/// Why a major's parser refuses a statement, if it does.
pub(super) fn refused(statement: &Statement, postgres: u32) -> Option<Failure> {
    let (since, what) = needs(statement)
        .into_iter()
        .find(|(since, _)| postgres < *since)?;
    Some(Failure {
        sqlstate: "42601",
        reason: format!("{what} needs PostgreSQL {since}"),
    })
}

fn needs(statement: &Statement) -> Vec<Needs> {
    let mut needs = Vec::new();
    match &statement.kind {
        Kind::CreateTable(create) => {
            for def in &create.columns {
                column(def, &mut needs);
            }
            for def in &create.constraints {
                constraint(def, &mut needs);
            }
        }
        Kind::AlterTable(alter) => {
            for sub_command in &alter.actions {
                action(sub_command, &mut needs);
            }
        }
        Kind::CreateIndex(create) if create.nulls_not_distinct => {
            needs.push((15, "NULLS NOT DISTINCT"));
        }
        Kind::CreateTrigger(create) if create.or_replace => {
            needs.push((14, "CREATE OR REPLACE TRIGGER"));
        }
        Kind::CreateFunction(create) if create.atomic => needs.push((14, "BEGIN ATOMIC")),
        Kind::Merge(_) => needs.push((15, "MERGE")),
        Kind::Reindex(reindex) => {
            for option in &reindex.options {
                match &**option {
                    "concurrently" => needs.push((14, "REINDEX (CONCURRENTLY)")),
                    "tablespace" => needs.push((14, "REINDEX (TABLESPACE)")),
                    _ => {}
                }
            }
        }
        Kind::Vacuum { options, .. } => {
            for option in options {
                match &**option {
                    "process_toast" => needs.push((14, "VACUUM (PROCESS_TOAST)")),
                    "process_main" => needs.push((16, "VACUUM (PROCESS_MAIN)")),
                    "skip_database_stats" => needs.push((16, "VACUUM (SKIP_DATABASE_STATS)")),
                    "only_database_stats" => needs.push((16, "VACUUM (ONLY_DATABASE_STATS)")),
                    "buffer_usage_limit" => needs.push((16, "BUFFER_USAGE_LIMIT")),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    needs
}

fn action(action: &AlterAction, needs: &mut Vec<Needs>) {
    match action {
        AlterAction::AddColumn(add) => column(&add.column, needs),
        AlterAction::AddConstraint(def) => constraint(def, needs),
        AlterAction::AlterConstraint {
            enforced,
            not_enforced,
            inheritability,
            ..
        } => {
            if *enforced || *not_enforced {
                needs.push((18, "ALTER CONSTRAINT … ENFORCED"));
            }
            if *inheritability {
                needs.push((18, "ALTER CONSTRAINT … INHERIT"));
            }
        }
        AlterAction::AlterColumn(change) => match &change.change {
            ColumnChange::SetExpression(_) => needs.push((17, "SET EXPRESSION")),
            ColumnChange::Compression => needs.push((14, "SET COMPRESSION")),
            _ => {}
        },
        AlterAction::DetachPartition {
            concurrently,
            finalize,
            ..
        } if *concurrently || *finalize => needs.push((14, "DETACH PARTITION … CONCURRENTLY")),
        AlterAction::SetAccessMethod(method) => {
            needs.push((15, "SET ACCESS METHOD"));
            if method.is_none() {
                needs.push((17, "SET ACCESS METHOD DEFAULT"));
            }
        }
        _ => {}
    }
}

fn column(column: &ColumnDef, needs: &mut Vec<Needs>) {
    if column
        .generated
        .as_ref()
        .is_some_and(|generated| !generated.stored)
    {
        needs.push((18, "a virtual generated column"));
    }
    if column.compression {
        needs.push((14, "COMPRESSION"));
    }
    if column.storage {
        needs.push((16, "STORAGE in a column definition"));
    }
    for def in &column.constraints {
        constraint(def, needs);
    }
}

fn constraint(def: &ConstraintDef, needs: &mut Vec<Needs>) {
    if def.not_enforced {
        needs.push((18, "NOT ENFORCED"));
    }
    match &def.kind {
        ConstraintKind::NotNull(_) => needs.push((18, "NOT NULL as a table constraint")),
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
            if key.nulls_not_distinct {
                needs.push((15, "NULLS NOT DISTINCT"));
            }
            if key.without_overlaps {
                needs.push((18, "WITHOUT OVERLAPS"));
            }
        }
        ConstraintKind::ForeignKey(key) => {
            if key.sets_some {
                needs.push((15, "ON DELETE SET … for some of the columns"));
            }
            if key.period {
                needs.push((18, "PERIOD"));
            }
        }
        _ => {}
    }
}
