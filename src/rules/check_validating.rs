//! See `rules/check-validating.md`.

use super::foreign_key_validating::{at_table, validated_later};
use crate::diagnostic::Safety;
use crate::effect::column;
use crate::rule::{Cx, Finding};
use crate::schema::TableKind;
use crate::statement::{AlterAction, ConstraintDef, ConstraintKind, Kind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterTable(alter) = &statement.kind else {
        return;
    };
    for (number, action) in alter.actions.iter().enumerate() {
        let AlterAction::AddConstraint(def) = action else {
            continue;
        };
        let is_check = matches!(def.kind, ConstraintKind::Check(_));
        if !is_check || !cx.work_of(alter, action).1.scan {
            continue;
        }
        let table = &alter.name;
        let help = match cx.added_name(table, def) {
            Some(name) => format!("add it NOT VALID, and validate `{name}` in a later migration"),
            None => "add it NOT VALID, and VALIDATE it in a later migration".to_owned(),
        };
        let title = "add the CHECK as NOT VALID; a later migration has to validate it";
        let fix = cx.fix_at(def.span.end, " NOT VALID", title, Safety::Unsafe);
        let steps = validated_later(cx, table, def, cx.not_valid(statement, number));
        let finding = finding(cx, table, def).help(help).steps(steps).fix_if(fix);
        cx.report(finding);
    }
    for (table, add) in statement.added_columns() {
        let exists = cx
            .before()
            .table(table)
            .is_some_and(|table| table.column(&add.column.name.text).is_some());
        // A rewrite reads every row anyway, and is reported as such.
        let rewrites = column::add(&add.column, cx.before(), cx.postgres())
            .rewrite
            .is_some();
        if (add.if_not_exists && exists) || rewrites || only_believed(cx, table) {
            continue;
        }
        for def in &add.column.constraints {
            if matches!(def.kind, ConstraintKind::Check(_))
                && column::constraint_work(def, &add.column).scan
            {
                let help = format!(
                    "add `{}` without it, then the CHECK as a constraint of the table with NOT VALID, and VALIDATE it in a later migration",
                    add.column.name
                );
                let steps = at_table(cx, statement, table, add, def);
                let finding = finding(cx, table, def).help(help).steps(steps);
                cx.report(finding);
            }
        }
    }
}

/// Constraints of a foreign table are not checked.
fn only_believed(cx: &Cx<'_>, table: &Name) -> bool {
    cx.before()
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Foreign)
}

fn finding(cx: &Cx<'_>, table: &Name, def: &ConstraintDef) -> Finding {
    let subject = match &def.name {
        Some(name) => format!("CHECK `{name}`"),
        None => "a CHECK".to_owned(),
    };
    Finding::new(
        def.span,
        format!(
            "adding {subject} reads every row of `{table}` under an ACCESS EXCLUSIVE lock: reads and writes wait"
        ),
    )
    .on(table)
    .effects(cx.effects().list.clone())
}
