//! See `rules/column-renamed.md`.

use crate::diagnostic::{Place, Step};
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Schema};
use crate::statement::{Ident, Kind, ObjectKind, QualifiedName, Rename, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Rename(rename) = &statement.kind else {
        return;
    };
    let (ObjectKind::Column, Some(old)) = (rename.object, &rename.part) else {
        return;
    };
    let Rename { relation, to, .. } = &**rename;
    let key = cx.resolve(relation);
    let gone = matches!(cx.before().relation_at(&key), Some(Relation::Dropped(_)));
    if (rename.if_exists && gone)
        || cx.is_made_here(relation)
        || cx.is_new_column(relation, &old.text)
        || names(cx.after_transaction(), &key, &old.text)
        || frees_name(cx, &key, to)
    {
        return;
    }
    let effects = cx.effects().list.clone();
    let steps = beside(cx, rename, old);
    let help = if matches!(cx.before().relation_at(&key), Some(Relation::View(_))) {
        format!("let the view have both columns until no code names {old}")
    } else {
        format!(
            "add {to}, let a trigger keep the two in step, fill old rows in batches, let the application use {to}, and drop {old} \
             in a later release"
        )
    };
    cx.report(
        Finding::new(
            old.span,
            format!(
                "renaming `{old}` of `{relation}` to `{to}` makes deployed code that still names `{old}` fail"
            ),
        )
        .on(relation)
        .help(help)
        .steps(steps)
        .effects(effects),
    );
}

/// A column of the new name beside the old one, each of which follows the other.
fn beside(cx: &Cx<'_>, rename: &Rename, old: &Ident) -> Vec<Step> {
    // What follows may count on the new name alone.
    let key = cx.resolve(&rename.relation);
    if cx.after_migration().table_at(&key).is_none() {
        return Vec::new();
    }
    let Rename {
        relation: table,
        to,
        ..
    } = rename;
    let Some(known) = cx
        .before()
        .table(table)
        .and_then(|known| known.column(&old.text))
    else {
        return Vec::new();
    };
    let Some(ty) = known.ty.as_ref().filter(|ty| {
        known.generated.is_none() && known.identity.is_none() && !ty.is("json") && !ty.is("xml")
    }) else {
        return Vec::new();
    };
    let body = format!(
        "IF TG_OP = 'INSERT' THEN\n        NEW.{to} := coalesce(NEW.{to}, NEW.{old});\n    \
         ELSIF NEW.{to} IS NOT DISTINCT FROM OLD.{to} THEN\n        NEW.{to} := NEW.{old};\n    END IF;\n    \
         NEW.{old} := NEW.{to};"
    );
    let trigger = cx.trigger_on(table, &format!("{}_{}", table.name, to.text), &body);
    let mut steps = vec![(
        Place::Instead,
        format!("ALTER TABLE {table} ADD COLUMN {to} {ty};\n{trigger}"),
    )];
    let missing = format!("{to} IS NULL AND {old} IS NOT NULL");
    let fill = cx.in_batches(table, &format!("{to} = {old}"), &missing);
    steps.extend(fill.map(|fill| (Place::Later, fill)));
    cx.remedy(steps)
}

/// True if a table or view of that name has a column of that name. A view whose columns are not known may have it.
fn names(schema: &Schema, relation: &QualifiedName, column: &str) -> bool {
    match schema.relation_at(relation) {
        Some(Relation::Table(table)) => table.column(column).is_some(),
        Some(Relation::View(view)) => {
            view.columns.is_empty() || view.columns.iter().any(|name| &**name == column)
        }
        _ => false,
    }
}

/// True if a statement before renamed the column that had the new name, or dropped it: the second half of a swap.
fn frees_name(cx: &Cx<'_>, relation: &QualifiedName, to: &Ident) -> bool {
    cx.earlier_in_migration().iter().any(|step| {
        let renamed = match &step.statement.kind {
            Kind::Rename(earlier) => {
                earlier.part.as_ref() == Some(to)
                    && step.before.resolve(&earlier.relation) == *relation
            }
            _ => false,
        };
        renamed
            || step
                .statement
                .dropped_columns()
                .any(|(table, column)| column == to && step.before.resolve(table) == *relation)
    })
}
