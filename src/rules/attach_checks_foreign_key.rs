//! See `rules/attach-checks-foreign-key.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::schema::{Constraint, Table};
use crate::statement::{ConstraintKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (to, partition, _) in statement.attached_partitions() {
        let schema = cx.before();
        let Some(parent) = schema.table(to) else {
            continue;
        };
        let child = schema.table(partition).filter(|child| child.known);
        let missing: Vec<&Constraint> = parent
            .constraints
            .iter()
            .filter(|key| key.references.is_some() && !child.is_some_and(|child| has(child, key)))
            .collect();
        if missing.is_empty() || cx.effects().fails.is_some() {
            continue;
        }
        let mut referenced: Vec<&QualifiedName> = missing
            .iter()
            .filter_map(|key| key.references.as_ref())
            .collect();
        referenced.sort();
        referenced.dedup();
        let certainty = if child.is_some() {
            Certainty::Certain
        } else {
            Certainty::Possible
        };
        let keys = wording::names(missing.iter().map(|key| &key.name));
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                statement.span,
                format!(
                    "attaching `{partition}` makes {keys} on it and checks every row: reads and writes of it wait, and writes to {}",
                    wording::names(referenced.iter().map(|table| table.short()))
                ),
            )
            .on(partition)
            .certainty(certainty)
            .help(format!(
                "before it add the foreign key to {partition} NOT VALID, and VALIDATE it in a transaction of its own"
            ))
            .effects(effects),
        );
    }
}

/// True if the table has that foreign key already, and valid.
fn has(child: &Table, wanted: &Constraint) -> bool {
    child.constraints.iter().any(|own| {
        own.valid
            && own.references == wanted.references
            && match (&own.def.kind, &wanted.def.kind) {
                (ConstraintKind::ForeignKey(own), ConstraintKind::ForeignKey(wanted)) => {
                    own.columns == wanted.columns
                        && own.referenced == wanted.referenced
                        && own.on_delete == wanted.on_delete
                        && own.on_update == wanted.on_update
                }
                _ => false,
            }
    })
}
