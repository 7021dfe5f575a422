//! See `rules/table-truncated.md`.

use crate::effect::dependents;
use crate::rule::{Cx, Finding};
use crate::schema::Schema;
use crate::statement::{Kind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Truncate { tables, cascade } = &statement.kind else {
        return;
    };
    let emptied: Vec<QualifiedName> = tables.iter().map(|table| cx.resolve(&table.name)).collect();
    for table in tables {
        let name = &table.name;
        if cx.is_made_here(name) {
            continue;
        }
        let key = cx.resolve(name);
        let blocking = dependents::of_truncate(cx.before(), &key, &emptied);
        let (message, help) = if !blocking.is_empty() && !cascade {
            let verb = if blocking.len() == 1 {
                "references"
            } else {
                "reference"
            };
            (
                format!(
                    "TRUNCATE of `{name}` fails: {} {verb} it (SQLSTATE 0A000), even if no row does",
                    dependents::list(&blocking)
                ),
                "name the referencing tables in the same TRUNCATE if they are to be emptied too; otherwise DELETE in batches"
                    .to_owned(),
            )
        } else {
            let others = reached(cx.before(), &key, &emptied);
            let also = if others.is_empty() || !cascade {
                String::new()
            } else {
                format!(
                    "; CASCADE empties {} too",
                    wording::names(others.iter().map(QualifiedName::short))
                )
            };
            (
                format!(
                    "TRUNCATE removes every row of `{name}` under an ACCESS EXCLUSIVE lock: reads and writes wait, and find nothing then{also}"
                ),
                if *cascade {
                    "name every table that is to be emptied instead of CASCADE; if rows are wanted back, copy them before".to_owned()
                } else {
                    "DELETE the rows that have to go in batches, outside of the migration; if all have to, copy them before".to_owned()
                },
            )
        };
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(name.span, message)
                .on(name)
                .help(help)
                .effects(effects),
        );
    }
}

/// Tables that CASCADE empties beyond those named, sorted by name.
fn reached(schema: &Schema, table: &QualifiedName, named: &[QualifiedName]) -> Vec<QualifiedName> {
    let mut seen = vec![table.clone()];
    let mut at = 0;
    while let Some(next) = seen.get(at).cloned() {
        at += 1;
        for dependent in dependents::of_truncate(schema, &next, &[]) {
            if let Some(other) = dependent.of.filter(|other| !seen.contains(other)) {
                seen.push(other);
            }
        }
    }
    seen.retain(|name| !named.contains(name));
    seen.sort();
    seen
}
