//! See `rules/undeclared-table.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Name, ObjectKind, Persistence, QualifiedName, Statement};
use crate::suggest::closest;
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let declared = &cx.markers().tables;
    let Some(first) = declared.first() else {
        return;
    };
    for table in changed(cx, statement) {
        let full = cx.resolve(&table);
        let is_declared = |name: &QualifiedName| {
            declared
                .iter()
                .any(|one| is_name_of(&one.value, &name.schema, &name.name))
        };
        if is_temporary(cx, &table)
            || is_declared(&full)
            || earlier_name(cx, &full).is_some_and(|old| is_declared(&old))
        {
            continue;
        }
        let name = full.short();
        let listed: Vec<&str> = declared.iter().map(|one| &*one.value).collect();
        let help = match closest(&table.name, listed.iter().copied()) {
            Some(near) => format!("is `{near}` in the comment meant to be `{name}`?"),
            None => format!(
                "leave it out, or declare it: `-- lockgate: tables {}, {name}`",
                listed.join(", ")
            ),
        };
        cx.report(
            Finding::new(
                table.span,
                format!(
                    "`{name}` is changed, and the migration is declared to be about {}",
                    wording::names(listed)
                ),
            )
            .on(&table)
            .label(first.location, "declared here")
            .help(help),
        );
    }
}

/// The tables whose definition or rows a statement changes. A table that a foreign key only references is not one.
fn changed(cx: &Cx<'_>, statement: &Statement) -> Vec<Name> {
    let of_index = |index: &Name| cx.table_of_index(index).into_iter().collect::<Vec<_>>();
    let of = |object: ObjectKind, name: &Name| match object {
        ObjectKind::Table | ObjectKind::ForeignTable => vec![name.clone()],
        ObjectKind::Index => of_index(name),
        _ => Vec::new(),
    };
    match &statement.kind {
        Kind::CreateTable(create) if create.persistence != Persistence::Temporary => {
            vec![create.name.clone()]
        }
        Kind::CreateTableAs(create)
            if !create.materialized && create.persistence != Persistence::Temporary =>
        {
            vec![create.name.clone()]
        }
        Kind::AlterTable(alter) => of(alter.object, &alter.name),
        Kind::Rename(rename) => of(rename.relation_kind, &rename.relation),
        Kind::SetSchema(set) => of(set.object, &set.name),
        Kind::Drop(drop) => match &drop.on {
            Some(table) => vec![table.clone()],
            None => drop
                .names
                .iter()
                .flat_map(|name| of(drop.object, name))
                .collect(),
        },
        Kind::CreateIndex(create) => vec![create.table.clone()],
        Kind::CreateTrigger(create) => vec![create.table.clone()],
        Kind::CreateRule(create) => vec![create.table.clone()],
        Kind::CreateStatistics(create) => vec![create.table.clone()],
        Kind::Policy(_, table) => vec![table.clone()],
        Kind::Truncate { tables, .. } => tables.iter().map(|table| table.name.clone()).collect(),
        Kind::Insert(insert) => vec![insert.table.clone()],
        Kind::Change(change) | Kind::Merge(change) => vec![change.table.name.clone()],
        Kind::Copy {
            table: Some(table),
            from: true,
        } => vec![table.clone()],
        _ => Vec::new(),
    }
}

fn is_temporary(cx: &Cx<'_>, table: &Name) -> bool {
    let known = cx.before().table(table);
    table.schema.as_deref() == Some("pg_temp") || known.is_some_and(|table| table.is_temporary())
}

/// The name that a table had before the migration renamed it.
fn earlier_name(cx: &Cx<'_>, table: &QualifiedName) -> Option<QualifiedName> {
    cx.earlier_in_migration().iter().rev().find_map(|step| {
        let Kind::Rename(rename) = &step.statement.kind else {
            return None;
        };
        let old = step.before.resolve(&rename.relation);
        (rename.part.is_none() && rename.to.text == table.name && old.schema == table.schema)
            .then_some(old)
    })
}

/// True if a name in a comment is that of a table: `orders`, `sales.orders`, `"Orders"`.
fn is_name_of(written: &str, schema: &str, name: &str) -> bool {
    let is = |part: &str, known: &str| match part
        .strip_prefix('"')
        .and_then(|part| part.strip_suffix('"'))
    {
        Some(exact) => exact == known,
        None => part.eq_ignore_ascii_case(known),
    };
    match written.split_once('.') {
        Some((before, behind)) => is(before.trim(), schema) && is(behind.trim(), name),
        None => is(written, name),
    }
}

#[cfg(test)]
mod tests {
    use super::is_name_of;

    #[test]
    fn declared_names_are_those_of_tables() {
        for (written, schema, name, expected) in [
            ("orders", "public", "orders", true),
            ("Orders", "sales", "orders", true),
            ("sales.orders", "sales", "orders", true),
            ("sales.orders", "public", "orders", false),
            ("\"Orders\"", "public", "Orders", true),
            ("\"Orders\"", "public", "orders", false),
            ("order", "public", "orders", false),
        ] {
            assert_eq!(is_name_of(written, schema, name), expected, "{written}");
        }
    }
}
