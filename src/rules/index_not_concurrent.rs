//! See `rules/index-not-concurrent.md`.

use std::sync::Arc;

use crate::diagnostic::{Place, Step};
use crate::rule::{Cx, Finding};
use crate::schema::{Table, TableKind};
use crate::statement::{CreateIndex, Kind, Name, Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let builds = cx
        .effects()
        .list
        .iter()
        .any(|effect| effect.work.index_build);
    if create.concurrently || !builds {
        return;
    }
    let table = &create.table;
    let partitioned = cx
        .before()
        .table(table)
        .is_some_and(|table| table.kind == TableKind::Partitioned);
    let index = create
        .name
        .as_ref()
        .map_or_else(|| "the index".to_owned(), |name| format!("`{name}`"));
    let mut wanted = statement.clone();
    if let Kind::CreateIndex(create) = &mut wanted.kind {
        create.concurrently = true;
    }
    let words = ["CREATE", "UNIQUE?", "INDEX"];
    let (help, fix, steps) = if partitioned {
        let help = format!(
            "CONCURRENTLY is refused on a partitioned table: create the index ON ONLY {table}, build one CONCURRENTLY on each \
             partition, then ALTER INDEX … ATTACH PARTITION"
        );
        (help, None, per_partition(cx, create))
    } else {
        let help = match cx.way_out_for(&wanted) {
            Some(way_out) => {
                format!("build it CONCURRENTLY, which no transaction may surround: {way_out}")
            }
            None => "build it CONCURRENTLY".to_owned(),
        };
        let text = cx.with_behind(statement, &words, " CONCURRENTLY");
        let steps = text.map_or_else(Vec::new, |text| cx.remedy([(Place::Instead, text)]));
        (help, cx.concurrently(statement, &wanted, &words), steps)
    };
    let on = if partitioned {
        format!("`{table}` and its partitions")
    } else {
        format!("`{table}`")
    };
    let effects = cx.effects().list.clone();
    cx.report(
        Finding::new(
            statement.span,
            format!("building {index} holds a SHARE lock on {on}: writes wait until it is built"),
        )
        .on(table)
        .help(help)
        .steps(steps)
        .fix_if(fix)
        .effects(effects),
    );
}

/// The index on ONLY a partitioned table, one on each of its partitions, and all of them put together.
pub(super) fn per_partition(cx: &Cx<'_>, create: &CreateIndex) -> Vec<Step> {
    let children: Vec<_> = cx.before().children(&cx.resolve(&create.table)).collect();
    let (Some(parent), Some(parts)) = (only_parent(create), parts(create, &children)) else {
        return Vec::new();
    };
    cx.remedy(std::iter::once((Place::Instead, parent)).chain(parts))
}

/// The index on ONLY the partitioned table.
fn only_parent(create: &CreateIndex) -> Option<String> {
    let (table, name) = (&create.table, create.name.as_ref()?);
    let (unique, method, columns) = definition(create);
    Some(format!(
        "CREATE {unique}INDEX {name} ON ONLY {table}{method} ({columns});"
    ))
}

/// `UNIQUE`, the method where it is not the usual one, and the columns.
fn definition(create: &CreateIndex) -> (&'static str, String, String) {
    let columns: Vec<String> = create
        .elements
        .iter()
        .filter_map(|element| element.column.as_ref().map(ToString::to_string))
        .collect();
    let unique = if create.unique { "UNIQUE " } else { "" };
    let method = if &*create.method == "btree" {
        String::new()
    } else {
        format!(" USING {}", create.method)
    };
    (unique, method, columns.join(", "))
}

/// Indexes of partitions, each in a migration of its own, and all of them attached to the partitioned one. None for one
/// whose definition is more than a list of columns, and for partitions that have partitions.
pub(super) fn parts(
    create: &CreateIndex,
    children: &[&Arc<Table>],
) -> Option<Vec<(Place, String)>> {
    let table = &create.table;
    let plain = create.predicate.is_none()
        && create.include.is_empty()
        && !create.nulls_not_distinct
        && create.elements.iter().all(|element| {
            element.column.is_some()
                && element.opclass.is_none()
                && element.collation.is_none()
                && element.default_order
        });
    let leaves = children
        .iter()
        .all(|child| child.kind == TableKind::Ordinary);
    let (Some(name), true) = (&create.name, plain && leaves && !children.is_empty()) else {
        return None;
    };
    let (unique, method, columns) = definition(create);
    let part = |child: &str| quoted(&format!("{child}_{}", name.text));
    let mut steps = Vec::new();
    let mut attach = Vec::new();
    for child in children {
        let own = part(&child.name.name);
        let on = child.name.short();
        let on = Name::new(
            on.split_once('.').map(|(schema, _)| schema),
            &child.name.name,
            table.span,
        );
        steps.push((
            Place::Later,
            format!("CREATE {unique}INDEX CONCURRENTLY {own} ON {on}{method} ({columns});"),
        ));
        let (index, own) = (in_schema(table, &name.to_string()), in_schema(&on, &own));
        attach.push(format!("ALTER INDEX {index} ATTACH PARTITION {own};"));
    }
    steps.push((Place::Later, attach.join("\n")));
    Some(steps)
}

/// A name in the schema that a table is written with.
fn in_schema(table: &Name, name: &str) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{name}", quoted(schema)),
        None => name.to_owned(),
    }
}
