//! See `rules/validate-in-same-transaction.md`.

use crate::diagnostic::Place;
use crate::effect::LockMode;
use crate::layout::Wraps;
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::session::TransactionKind;
use crate::statement::{AlterAction, Ident, Kind, Name, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (table, name) in statement.validated_constraints() {
        let key = cx.resolve(table);
        let known = cx
            .before()
            .table_at(&key)
            .and_then(|table| table.constraint(&name.text));
        // Nothing is read then.
        if known.is_some_and(|constraint| constraint.valid) {
            continue;
        }
        if let Some(lock) = lock_of_the_command(cx, statement) {
            let finding = finding(table, name, lock, "the same ALTER TABLE takes")
                .help(help(cx))
                .effects(cx.effects().list.clone());
            cx.report(finding);
            continue;
        }
        let Some((earlier, lock)) = strongest_before(cx, &key) else {
            continue;
        };
        let label = if adds(earlier.statement, name) {
            format!("`{name}` added here, under a lock that is kept until the transaction ends")
        } else {
            format!("{} lock on `{table}` taken here", lock.as_str())
        };
        let finding = finding(table, name, lock, "the transaction still holds")
            .help(help(cx))
            .steps(apart(cx, statement, table, name))
            .label(cx.location_of(earlier), label)
            .effects(cx.effects().list.clone());
        cx.report(finding);
    }
}

fn finding(table: &Name, name: &Ident, lock: LockMode, who: &str) -> Finding {
    let waits = if lock.blocks_reads() {
        "reads and writes wait"
    } else {
        "writes wait"
    };
    Finding::new(
        name.span,
        format!(
            "validating `{name}` reads every row of `{table}` under the {} lock that {who}: {waits}",
            lock.as_str()
        ),
    )
    .on(table)
}

/// The same statement in a transaction of its own.
fn apart(
    cx: &Cx<'_>,
    statement: &Statement,
    table: &Name,
    name: &Ident,
) -> Vec<crate::diagnostic::Step> {
    let alone = matches!(&statement.kind, Kind::AlterTable(alter) if alter.actions.len() == 1);
    if !alone || cx.runner().wraps == Wraps::Run {
        return Vec::new();
    }
    let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
    cx.remedy([(Place::Own, validate)])
}

fn help(cx: &Cx<'_>) -> String {
    match cx.moment().transaction.kind {
        TransactionKind::None => "make it a statement of its own".to_owned(),
        TransactionKind::Explicit => "move it behind the COMMIT".to_owned(),
        // The next migration may be in the same transaction.
        TransactionKind::Runner if cx.runner().wraps == Wraps::Run => {
            format!("it needs a transaction of its own; {}", cx.runner().way_out)
        }
        TransactionKind::Runner | TransactionKind::Implicit => {
            "move it to the next migration".to_owned()
        }
    }
}

/// The lock of the other sub-commands, if it stops writes: all of the command runs under its strongest one.
fn lock_of_the_command(cx: &Cx<'_>, statement: &Statement) -> Option<LockMode> {
    let Kind::AlterTable(alter) = &statement.kind else {
        return None;
    };
    alter
        .actions
        .iter()
        .filter(|action| !matches!(action, AlterAction::ValidateConstraint(_)))
        .map(|action| cx.work_of(alter, action).0)
        .max()
        .filter(|lock| lock.blocks_writes())
}

/// The earlier statement of the transaction that took the strongest lock on the table, if that stops writes; of two
/// with the same lock the first one.
fn strongest_before<'a>(cx: &Cx<'a>, table: &QualifiedName) -> Option<(&'a Step<'a>, LockMode)> {
    let mut strongest: Option<(&Step<'_>, LockMode)> = None;
    for step in cx.earlier_in_transaction() {
        let Some(effect) = step.effects.on(table) else {
            continue;
        };
        if effect.lock.blocks_writes() && strongest.is_none_or(|(_, lock)| effect.lock > lock) {
            strongest = Some((step, effect.lock));
        }
    }
    strongest
}

/// True if the statement adds a constraint of that name.
fn adds(statement: &Statement, name: &Ident) -> bool {
    statement
        .added_constraints()
        .any(|(_, def)| def.name.as_ref() == Some(name))
}
