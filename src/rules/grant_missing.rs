//! See `rules/grant-missing.md`.

use std::collections::BTreeSet;

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Persistence, QualifiedName, Statement};

/// With fewer siblings there is no habit to speak of.
const FEWEST: usize = 3;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateTable(create) = &statement.kind else {
        return;
    };
    let name = cx.after().resolve(&create.name);
    let end = cx.at_the_end();
    let stays = end.table_at(&name).is_some_and(|table| {
        table.persistence == Persistence::Permanent && table.partition.is_none()
    });
    if !stays {
        return;
    }
    let Some(granted) = granted(cx, &name.schema) else {
        return;
    };
    let siblings: Vec<_> = cx
        .before()
        .tables()
        .filter(|table| table.name.schema == name.schema && table.known)
        .filter(|table| table.partition.is_none() && end.table_at(&table.name).is_some())
        .map(|table| &table.name)
        .collect();
    let all = siblings.iter().all(|sibling| granted.contains(*sibling));
    if siblings.len() < FEWEST || !all || granted.contains(&name) {
        return;
    }
    let table = &create.name;
    let finding = Finding::new(
        table.span,
        format!(
            "`{table}` gets no grant, as all {} tables made before it in `{}` did",
            siblings.len(),
            name.schema
        ),
    )
    .help(format!(
        "GRANT … ON {table} TO the roles that use its siblings"
    ));
    cx.report(finding);
}

/// The tables that grants of the history name. None if it sets default privileges, grants on all tables of the schema
/// or does so in a way that cannot be read: then it does not show what a table has.
fn granted(cx: &Cx<'_>, schema: &str) -> Option<BTreeSet<QualifiedName>> {
    let mut granted = BTreeSet::new();
    for step in cx.all_steps() {
        match &step.statement.kind {
            Kind::Grant {
                grant: true,
                names,
                all_in_schema,
                ..
            } => {
                if *all_in_schema && names.iter().any(|name| *name.name == *schema) {
                    return None;
                }
                granted.extend(names.iter().map(|name| step.before.resolve(name)));
            }
            Kind::Do if !step.statement.dynamic.is_empty() => return None,
            _ if step.statement.tag == "ALTER DEFAULT PRIVILEGES" => return None,
            _ => {}
        }
    }
    Some(granted)
}
