//! See `rules/table-renamed.md`.

use crate::diagnostic::{Level, Place};
use crate::effect::dependents;
use crate::rule::{Cx, Finding};
use crate::schema::Relation;
use crate::session::TransactionKind;
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, Rename, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Some(rename) = statement.renamed_relation() else {
        return;
    };
    let old = cx.resolve(&rename.relation);
    let before = cx.before().relation_at(&old);
    // ALTER TABLE takes the name of an index or a sequence as well; queries name neither.
    let object = match (before, rename.object) {
        (Some(Relation::Index(_) | Relation::Sequence(_)), _) => return,
        (Some(Relation::View(view)), _) if view.materialized => "materialized view ",
        (Some(Relation::View(_)), _) | (None, ObjectKind::View) => "view ",
        (None, ObjectKind::MaterializedView) => "materialized view ",
        _ => "",
    };
    if rename.if_exists && matches!(before, Some(Relation::Dropped(_))) {
        return;
    }
    let stays = exists(cx, &old);
    if stays {
        left_behind(cx, rename, &old);
    }
    if stays || frees_name(cx, rename, &old) || cx.is_made_here(&rename.relation) {
        return;
    }
    let partition = cx
        .before()
        .table_at(&old)
        .is_some_and(|table| table.partition.is_some());
    let Rename { relation, to, .. } = rename;
    let new = Name::new(relation.schema.as_deref(), &to.text, to.span);
    let effects = cx.effects().list.clone();
    let view = format!("CREATE VIEW {relation} AS SELECT * FROM {new};");
    // Something that comes later may take the name.
    let free = !matches!(
        cx.at_the_end().relation_at(&old),
        Some(Relation::Table(_) | Relation::View(_) | Relation::Index(_) | Relation::Sequence(_))
    );
    let steps = match cx.moment().transaction.kind {
        _ if !free => Vec::new(),
        TransactionKind::None => {
            let text = &statement.source.sql;
            cx.remedy([(Place::Instead, format!("BEGIN;\n{text};\n{view}\nCOMMIT;"))])
        }
        _ => cx.remedy([(Place::Behind, view)]),
    };
    let mut finding = Finding::new(
        relation.span,
        format!(
            "renaming {object}`{relation}` to `{to}` makes deployed code that still names `{relation}` fail"
        ),
    )
    .on(relation)
    .help(if object == "materialized view " {
        "in the same transaction let a view take the old name; drop it once no code names it"
    } else {
        "in the same transaction let a view take the old name, which takes INSERT, UPDATE and DELETE as well; drop it once no code names it"
    })
    .steps(steps)
    .effects(effects);
    if partition {
        // Queries name the partitioned table, as a rule.
        finding = finding.level(Level::Warning);
    }
    cx.report(finding);
}

/// True if other sessions find a table or view of that name as soon as the transaction ends.
fn exists(cx: &Cx<'_>, name: &QualifiedName) -> bool {
    matches!(
        cx.after_transaction().relation_at(name),
        Some(Relation::Table(_) | Relation::View(_))
    )
}

/// Another table takes the name: what depends on the old one goes on depending on it.
fn left_behind(cx: &mut Cx<'_>, rename: &Rename, old: &QualifiedName) {
    let now = QualifiedName::new(&old.schema, &rename.to.text);
    let after = cx.after_transaction();
    let is_swap = matches!(after.relation_at(old), Some(Relation::Table(_)))
        && after.table_at(&now).is_some()
        && !cx.is_made_here(&rename.relation);
    if !is_swap {
        return;
    }
    let found = dependents::of_table(after, &now, std::slice::from_ref(old));
    if found.blocking.is_empty() {
        return;
    }
    let stay = dependents::list(&found.blocking);
    let Rename { relation, to, .. } = rename;
    let finding = Finding::new(
        relation.span,
        format!("another table takes the name `{relation}`, but {stay} still belongs to `{to}`"),
    )
    .on(relation)
    .help(format!(
        "in the same transaction let them refer to the new `{relation}`: a foreign key is added as NOT VALID and validated \
         later, a view is replaced"
    ))
    .effects(cx.effects().list.clone());
    cx.report(finding);
}

/// True if the new name was taken until a statement before gave it up: the second half of a swap.
fn frees_name(cx: &Cx<'_>, rename: &Rename, old: &QualifiedName) -> bool {
    let new = QualifiedName::new(&old.schema, &rename.to.text);
    cx.earlier_in_migration()
        .iter()
        .any(|step| match &step.statement.kind {
            Kind::Rename(earlier) => {
                earlier.part.is_none() && step.before.resolve(&earlier.relation) == new
            }
            Kind::Drop(drop) => drop
                .names
                .iter()
                .any(|name| step.before.resolve(name) == new),
            _ => false,
        })
}
