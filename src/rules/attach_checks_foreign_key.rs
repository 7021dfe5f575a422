//! See `rules/attach-checks-foreign-key.md`.

use crate::diagnostic::{Certainty, Place};
use crate::rule::{Cx, Finding};
use crate::schema::{Constraint, Table};
use crate::statement::table::ReferentialAction;
use crate::statement::{ConstraintKind, Ident, Name, QualifiedName, Statement, quoted};
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
        let keys_before: Option<Vec<_>> = missing
            .iter()
            .map(|key| validated_before(cx, child?, partition, key))
            .collect();
        let steps = keys_before.map_or_else(Vec::new, |keys| cx.remedy(keys.into_iter().flatten()));
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
                "before it add the foreign key to `{partition}` NOT VALID, and validate it in a transaction of its own"
            ))
            .steps(steps)
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

/// The partition's own foreign key with an index on its columns, added and validated before. None for one that is more
/// than columns and actions.
fn validated_before(
    cx: &Cx<'_>,
    child: &Table,
    partition: &Name,
    wanted: &Constraint,
) -> Option<Vec<(Place, String)>> {
    let ConstraintKind::ForeignKey(key) = &wanted.def.kind else {
        return None;
    };
    if key.sets_some || key.period || wanted.def.deferrable || wanted.def.not_enforced {
        return None;
    }
    let list = |columns: &[Ident]| {
        let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let to = wanted.references.as_ref()?.short();
    let referenced = if key.referenced.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(&key.referenced))
    };
    let action = |event: &str, action| match action {
        ReferentialAction::NoAction => String::new(),
        ReferentialAction::Restrict => format!(" ON {event} RESTRICT"),
        ReferentialAction::Cascade => format!(" ON {event} CASCADE"),
        ReferentialAction::SetNull => format!(" ON {event} SET NULL"),
        ReferentialAction::SetDefault => format!(" ON {event} SET DEFAULT"),
    };
    let name = quoted(&format!("{}_{}", partition.name, wanted.name));
    let (columns, delete, update) = (
        list(&key.columns),
        action("DELETE", key.on_delete),
        action("UPDATE", key.on_update),
    );
    let names = || key.columns.iter().map(|column| &*column.text);
    let has_index = cx.before().indexes_of(&child.name).any(|index| {
        index.predicate.is_none() && index.columns().take(names().count()).eq(names())
    });
    let index = (!has_index).then(|| {
        let sql = format!("CREATE INDEX CONCURRENTLY ON {partition} ({columns});");
        (Place::Earlier, sql)
    });
    let own = [
        (
            Place::Earlier,
            format!(
                "ALTER TABLE {partition} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {to}{referenced}{delete}{update} NOT VALID;"
            ),
        ),
        (
            Place::Earlier,
            format!("ALTER TABLE {partition} VALIDATE CONSTRAINT {name};"),
        ),
    ];
    Some(index.into_iter().chain(own).collect())
}
