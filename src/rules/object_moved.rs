//! See `rules/object-moved.md`.

use crate::diagnostic::{Certainty, Place};
use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Schema};
use crate::session::TransactionKind;
use crate::statement::{Kind, ObjectKind, SetSchema, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::SetSchema(set) = &statement.kind else {
        return;
    };
    if cx.before().search_path().contains(&set.schema.text) || cx.effects().fails.is_some() {
        return;
    }
    let Some(certainty) = concerns(cx, set) else {
        return;
    };
    let SetSchema { name, schema, .. } = set;
    let kind = set.object.as_str();
    let (help, steps) = match set.object {
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
            let view = format!(
                "CREATE VIEW {} AS SELECT * FROM {schema}.{}",
                cx.resolve(name),
                crate::statement::quoted(&name.name)
            );
            (
                "in the same transaction let a view take its place; drop it once no code names it"
                    .to_owned(),
                match cx.moment().transaction.kind {
                    TransactionKind::None => {
                        let text = &statement.source.sql;
                        let both = format!("BEGIN;\n{text};\n{view};\nCOMMIT;");
                        cx.remedy([(Place::Instead, both)])
                    }
                    _ => cx.remedy([(Place::Behind, view)]),
                },
            )
        }
        _ => (
            format!("make one in {schema} beside it, and drop this one once no code names it"),
            Vec::new(),
        ),
    };
    cx.report(
        Finding::new(
            name.span,
            format!("moving {kind} `{name}` to schema `{schema}` makes deployed code that looks for it where it was fail"),
        )
        .certainty(certainty)
        .help(help)
        .steps(steps)
        .effects(cx.effects().list.clone()),
    );
}

/// How sure it is that deployed code may name the object; none if it cannot, or still finds it.
fn concerns(cx: &Cx<'_>, set: &SetSchema) -> Option<Certainty> {
    let (before, after) = (cx.before(), cx.after_migration());
    let name = &set.name;
    let schema = name.schema.as_deref();
    let old = |made: u32| (made != before.batch()).then_some(Certainty::Certain);
    match set.object {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let Some(function) = before.functions_named(schema, &name.name).first() else {
                return Some(Certainty::Possible);
            };
            let stays = !after.functions_named(schema, &name.name).is_empty();
            old(function.created.batch).filter(|_| !stays && !function.is_for_triggers())
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let Some(ty) = before.type_named(schema, &name.name) else {
                return Some(Certainty::Possible);
            };
            let stays = after
                .type_named(Some(&ty.name.schema), &name.name)
                .is_some();
            old(ty.created.batch).filter(|_| !stays)
        }
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
            let key = cx.resolve(name);
            if exists(after, &key) {
                return None;
            }
            match before.relation_at(&key) {
                Some(Relation::Table(_)) if cx.is_made_here(name) => None,
                Some(Relation::Table(table)) if !table.known => Some(Certainty::Possible),
                Some(Relation::Table(_)) => Some(Certainty::Certain),
                Some(Relation::View(view)) => old(view.created.batch),
                Some(_) => None,
                None => (!set.if_exists).then_some(Certainty::Possible),
            }
        }
        _ => None,
    }
}

fn exists(schema: &Schema, key: &crate::statement::QualifiedName) -> bool {
    matches!(
        schema.relation_at(key),
        Some(Relation::Table(_) | Relation::View(_))
    )
}
