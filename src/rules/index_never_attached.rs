//! See `rules/index-never-attached.md`.

use crate::layout::Migration;
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, TableKind};
use crate::statement::{Kind, Name};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, _: &Migration) {
    for step in cx.steps() {
        let Kind::CreateIndex(create) = &step.statement.kind else {
            continue;
        };
        let (true, Some(name)) = (create.only, &create.name) else {
            continue;
        };
        let schema = cx.at_the_end();
        let table = step.before.resolve(&create.table);
        let name = Name::new(Some(&table.schema), &name.text, name.span);
        let Some(Relation::Index(index)) = schema.relation(&name) else {
            continue;
        };
        let partitioned = schema
            .table_at(&index.table)
            .is_some_and(|table| table.kind == TableKind::Partitioned);
        if index.valid || !partitioned || index.created.location != cx.location_of(step) {
            continue;
        }
        let missing: Vec<String> = schema
            .children(&index.table)
            .filter(|child| {
                !schema
                    .indexes_of(&child.name)
                    .any(|own| own.valid && own.parent.as_ref() == Some(&index.name))
            })
            .map(|child| child.name.short())
            .collect();
        let finding = Finding::new(
            step.statement.span,
            format!(
                "`{}` stays invalid: the migrations attach no index of {} to it",
                index.name.short(),
                wording::names(missing)
            ),
        )
        .certainty(step.certainty())
        .help(format!(
            "build one CONCURRENTLY on each of them, and ALTER INDEX {} ATTACH PARTITION it",
            index.name.short()
        ));
        cx.report(finding);
    }
}
