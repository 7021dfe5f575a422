//! See `rules/object-dropped.md`.

use crate::diagnostic::Certainty;
use crate::rule::{Cx, Finding};
use crate::schema::{Function, Relation, Schema};
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, Statement, TypeName};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    if cx.effects().fails.is_some() {
        return;
    }
    for (position, name) in drop.names.iter().enumerate() {
        let signature = drop.signatures.get(position).and_then(Option::as_deref);
        let certainty = match drop.object {
            ObjectKind::View | ObjectKind::MaterializedView => view(cx, name),
            ObjectKind::Sequence => sequence(cx, name),
            ObjectKind::Type | ObjectKind::Domain => ty(cx, name),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                function(cx, name, signature)
            }
            _ => return,
        };
        let Some(certainty) = certainty else { continue };
        if certainty == Certainty::Possible && drop.if_exists {
            continue;
        }
        let kind = drop.object.as_str();
        let advice = match drop.object {
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                "keep it, next to a new one if need be"
            }
            _ => "keep it",
        };
        cx.report(
            Finding::new(
                name.span,
                format!("dropping {kind} `{name}` makes deployed code that still names it fail"),
            )
            .certainty(certainty)
            .help(format!(
                "{advice} until no code names it, and drop it in a later migration"
            ))
            .effects(cx.effects().list.clone()),
        );
    }
}

fn at_first<'a>(cx: &Cx<'a>) -> &'a Schema {
    cx.schema_before(cx.step().migration)
}

fn view(cx: &Cx<'_>, name: &Name) -> Option<Certainty> {
    let key = cx.resolve(name);
    if matches!(
        cx.after_migration().relation_at(&key),
        Some(Relation::View(_) | Relation::Table(_))
    ) {
        return None;
    }
    match at_first(cx).relation_at(&key) {
        Some(Relation::View(view)) => {
            (view.created.batch != cx.before().batch()).then_some(Certainty::Certain)
        }
        // A statement before made it, or gave it this name.
        _ if cx.before().relation_at(&key).is_some() => None,
        _ => Some(Certainty::Possible),
    }
}

/// A sequence that stands by itself: columns take the numbers of the others.
fn sequence(cx: &Cx<'_>, name: &Name) -> Option<Certainty> {
    let key = cx.resolve(name);
    let Some(Relation::Sequence(sequence)) = at_first(cx).relation_at(&key) else {
        return None;
    };
    let used = at_first(cx).tables().any(|table| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.sequence.as_ref() == Some(&key))
    });
    let stays = matches!(
        cx.after_migration().relation_at(&key),
        Some(Relation::Sequence(_))
    );
    // It goes with a table that is dropped or gets its numbers in another way: that says enough.
    let with_table = cx.steps().iter().any(
        |step| matches!(&step.statement.kind, Kind::Drop(drop) if drop.object == ObjectKind::Table),
    );
    if with_table {
        return None;
    }
    (sequence.owned_by.is_none()
        && sequence.created.batch != cx.before().batch()
        && !used
        && !stays)
        .then_some(Certainty::Certain)
}

/// A type that columns had whose tables stay: code that casts to it names it.
fn ty(cx: &Cx<'_>, name: &Name) -> Option<Certainty> {
    let after = cx.after_migration();
    let ty = at_first(cx).type_named(name.schema.as_deref(), &name.name)?;
    let stays = after
        .type_named(Some(&ty.name.schema), &ty.name.name)
        .is_some();
    if stays || ty.created.batch == cx.before().batch() {
        return None;
    }
    let had = at_first(cx).tables_of_type(&ty.name).any(|table| {
        let mut columns = table.columns.iter();
        columns.any(|column| {
            at_first(cx).is_of_type(column, &ty.name) && keeps(after, &table.name, &column.name)
        })
    });
    had.then_some(Certainty::Certain)
}

fn keeps(schema: &Schema, table: &QualifiedName, column: &str) -> bool {
    schema
        .table_at(table)
        .is_some_and(|table| table.column(column).is_some())
}

fn function(cx: &Cx<'_>, name: &Name, signature: Option<&[TypeName]>) -> Option<Certainty> {
    let named = |schema: &Schema| -> Vec<Function> {
        schema
            .functions_named(name.schema.as_deref(), &name.name)
            .to_vec()
    };
    let meant =
        |function: &&Function| signature.is_none_or(|signature| function.arguments == signature);
    let first = named(at_first(cx));
    let Some(old) = first.iter().find(meant) else {
        let known = !first.is_empty() || !named(cx.before()).is_empty();
        let made = !named(cx.after_migration()).is_empty();
        return (!known && !made).then_some(Certainty::Possible);
    };
    let stays = named(cx.after_migration()).iter().any(|function| {
        function.takes(&old.arguments) || function.arguments.len() == old.arguments.len()
    });
    (!stays && !old.is_for_triggers() && old.created.batch != cx.before().batch())
        .then_some(Certainty::Certain)
}
