//! See `rules/constraint-left-unvalidated.md`.

use crate::layout::Direction;
use crate::rule::{Cx, Finding};
use crate::statement::{AlterAction, ConstraintDef, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, action) in statement.alter_actions() {
        if let AlterAction::AddConstraint(def) = action
            && def.not_valid
            && !def.not_enforced
        {
            report(cx, statement, table, def);
        }
    }
}

fn report(cx: &mut Cx<'_>, statement: &Statement, table: &Name, def: &ConstraintDef) {
    let Some(name) = cx.added_name(table, def) else {
        return;
    };
    let location = cx.location(statement.span);
    let table_name = cx.resolve(table);
    let stays = cx
        .at_the_end()
        .table_at(&table_name)
        .and_then(|table| table.constraint(&name.text))
        .is_some_and(|constraint| !constraint.valid && constraint.created.location == location);
    if !stays {
        return;
    }
    let here = cx.step().migration;
    let later = cx.history().migrations.iter().skip(here + 1);
    let later = later
        .filter(|migration| migration.direction == Direction::Up)
        .count();
    let patience = usize::try_from(cx.int_option("migrations")).unwrap_or(usize::MAX);
    // Once validated it may be in doubt again, by a statement that only some databases run.
    let validated = cx.later_steps().any(|step| {
        let mut names = step.statement.validated_constraints();
        names.any(|(_, validated)| *validated == name)
    });
    if later < patience || validated {
        return;
    }
    let finding = Finding::new(
        def.span,
        format!("`{name}` of `{table}` is still not validated {later} migrations later: old rows may break it"),
    )
    .help(format!(
        "in a new migration: ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
    ));
    cx.report(finding);
}
