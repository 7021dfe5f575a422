//! See `rules/grants-lost.md`.

use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let (name, function) = match &statement.kind {
        Kind::CreateView(create) => (&create.name, false),
        Kind::CreateTable(create) => (&create.name, false),
        Kind::CreateTableAs(create) => (&create.name, false),
        Kind::CreateFunction(create) => (&create.name, true),
        _ => return,
    };
    let key = cx.before().creation_name(name, false);
    let earlier = cx.earlier_in_migration();
    let Some(dropped) = earlier.iter().position(|step| drops(step, &key, function)) else {
        return;
    };
    let granted_again = cx
        .later_in_migration()
        .iter()
        .any(|step| grants(step, &key, function));
    if granted_again {
        return;
    }
    let first = cx.replay.ranges[cx.step().migration].start;
    let before = &cx.replay.steps[..first + dropped];
    if before
        .iter()
        .any(|step| step.statement.tag == "ALTER DEFAULT PRIVILEGES")
    {
        return;
    }
    // What an earlier DROP took away does not count.
    let begin = before
        .iter()
        .rposition(|step| drops(step, &key, function))
        .map_or(0, |index| index + 1);
    let Some(grant) = before[begin..]
        .iter()
        .find(|step| grants(step, &key, function))
    else {
        return;
    };
    let place = cx.location_of(grant);
    cx.report(
        Finding::new(
            name.span,
            format!("`{name}` is dropped and made again: the privileges that were granted on it are gone"),
        )
        .label(place, "granted here")
        .help("grant them again behind it, in the same transaction")
        .effects(cx.effects().list.clone()),
    );
}

fn drops(step: &Step<'_>, key: &QualifiedName, function: bool) -> bool {
    let Kind::Drop(drop) = &step.statement.kind else {
        return false;
    };
    let kind = match drop.object {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => function,
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => !function,
        _ => return false,
    };
    kind && drop.names.iter().any(|name| is(step, name, key, function))
}

fn grants(step: &Step<'_>, key: &QualifiedName, function: bool) -> bool {
    let Kind::Grant {
        grant: true,
        object,
        names,
        all_in_schema,
        ..
    } = &step.statement.kind
    else {
        return false;
    };
    let routine = matches!(
        object,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine
    );
    let relation = matches!(object, ObjectKind::Table | ObjectKind::View);
    if (function && !routine) || (!function && !relation) {
        return false;
    }
    names.iter().any(|name| {
        if *all_in_schema {
            name.name == key.schema
        } else {
            is(step, name, key, function)
        }
    })
}

fn is(step: &Step<'_>, name: &Name, key: &QualifiedName, function: bool) -> bool {
    if name.name != key.name {
        return false;
    }
    if function {
        name.schema
            .as_ref()
            .is_none_or(|schema| *schema == key.schema)
    } else {
        step.before.resolve(name) == *key
    }
}
