//! See `rules/attach-builds-index.md`.

use super::constraint_builds_index::all_proven;
use crate::diagnostic::{Place, Step};
use crate::effect;
use crate::rule::{Cx, Finding};
use crate::schema::Index;
use crate::statement::{ConstraintKind, Ident, Name, Statement, quoted};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (to, partition, _) in statement.attached_partitions() {
        let (parent, child) = (cx.resolve(to), cx.resolve(partition));
        let Some(table) = cx.before().table_at(&child).filter(|table| table.known) else {
            continue;
        };
        if cx.is_foreign(partition) || cx.effects().fails.is_some() {
            continue;
        }
        let missing = effect::index::missing_on_attach(cx.before(), &parent, table);
        let Some(first) = missing.first() else {
            continue;
        };
        let names = wording::names(missing.iter().map(|index| index.name.short()));
        let help = match (&first.constraint, missing.len()) {
            (Some(_), _) => format!(
                "give `{partition}` the constraint before, from an index that is built CONCURRENTLY"
            ),
            (None, 1) => {
                format!("build one like it CONCURRENTLY on `{partition}` before the attach")
            }
            _ => format!("build those CONCURRENTLY on `{partition}` before the attach"),
        };
        let made: Option<Vec<_>> = missing
            .iter()
            .map(|index| built_before(cx, index, partition))
            .collect();
        let steps: Vec<Step> =
            made.map_or_else(Vec::new, |made| cx.remedy(made.into_iter().flatten()));
        let effects = cx.effects().list.clone();
        cx.report(
            Finding::new(
                statement.span,
                format!(
                    "attaching `{partition}` builds its part of {names} under an ACCESS EXCLUSIVE lock on it: its reads and writes wait"
                ),
            )
            .on(partition)
            .help(help)
            .steps(steps)
            .effects(effects),
        );
    }
}

/// The partition's part of an index, built before, with the constraint that it belongs to. None for one whose definition
/// is more than a list of columns.
fn built_before(cx: &Cx<'_>, index: &Index, partition: &Name) -> Option<Vec<(Place, String)>> {
    let columns: Option<Vec<Ident>> = index
        .elements
        .iter()
        .map(|element| {
            let plain = element.opclass.is_none()
                && element.collation.is_none()
                && element.operator.is_none()
                && element.default_order;
            element.column.clone().filter(|_| plain)
        })
        .collect();
    let columns = columns.filter(|_| index.predicate.is_none() && index.include.is_empty())?;
    let list: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let name = quoted(&format!("{}_{}", partition.name, index.name.name));
    let unique = if index.unique { "UNIQUE " } else { "" };
    let nulls = if index.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    let method = if &*index.method == "btree" {
        String::new()
    } else {
        format!(" USING {}", index.method)
    };
    let mut steps = vec![(
        Place::Earlier,
        format!("CREATE {unique}INDEX CONCURRENTLY {name} ON {partition}{method} ({list}){nulls};"),
    )];
    if let Some(constraint) = &index.constraint {
        let known = cx.before().table_at(&index.table)?;
        let def = &known.constraint(constraint)?.def;
        // A primary key makes its columns NOT NULL, which has to be proven before.
        let fits = match def.kind {
            ConstraintKind::PrimaryKey(_) => all_proven(cx, partition, &columns),
            ConstraintKind::Unique(_) => true,
            _ => false,
        };
        if !fits || def.deferrable {
            return None;
        }
        let kind = def.kind.words();
        steps.push((
            Place::Earlier,
            format!("ALTER TABLE {partition} ADD CONSTRAINT {name} {kind} USING INDEX {name};"),
        ));
    }
    Some(steps)
}
