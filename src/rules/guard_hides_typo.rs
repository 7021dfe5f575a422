//! See `rules/guard-hides-typo.md`.

use crate::rule::{Cx, Finding};
use crate::schema::{Relation, Schema};
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    let relations = matches!(
        drop.object,
        ObjectKind::Table
            | ObjectKind::Index
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
    );
    if !drop.if_exists || !relations || !statement.placeholders.is_empty() {
        return;
    }
    let mut found = Vec::new();
    for name in &drop.names {
        let schema = cx.before();
        let key = schema.resolve(name);
        // Known, dropped before, or about to be made: no typo.
        let made = cx.after_migration().relation_at(&key);
        if schema.relation_at(&key).is_some()
            || made.is_some_and(|relation| !matches!(relation, Relation::Dropped(_)))
        {
            continue;
        }
        if let Some(meant) = meant(schema, &key, drop.object) {
            found.push((name, meant));
        }
    }
    for (name, meant) in found {
        let finding = finding(name, &meant);
        cx.report(finding);
    }
}

fn finding(name: &Name, meant: &QualifiedName) -> Finding {
    let meant = meant.short();
    Finding::new(
        name.span,
        format!(
            "no migration makes `{name}`, so IF EXISTS lets this do nothing; there is `{meant}`"
        ),
    )
    .help(format!("name `{meant}`, or remove the statement"))
}

/// A relation of that kind that exists and whose name is one slip away.
fn meant(schema: &Schema, key: &QualifiedName, object: ObjectKind) -> Option<QualifiedName> {
    schema
        .relations()
        .filter(|(other, relation)| other.schema == key.schema && is(relation, object))
        .map(|(other, _)| other)
        .find(|other| is_slip(&key.name, &other.name))
        .cloned()
}

fn is(relation: &Relation, object: ObjectKind) -> bool {
    match relation {
        Relation::Table(table) => table.known && object == ObjectKind::Table,
        Relation::Index(_) => object == ObjectKind::Index,
        Relation::View(_) => matches!(object, ObjectKind::View | ObjectKind::MaterializedView),
        Relation::Sequence(_) => object == ObjectKind::Sequence,
        Relation::Dropped(_) => false,
    }
}

/// One letter off, two exchanged, or another case; not another number (`_1`, `_2`), and no short word.
fn is_slip(written: &str, known: &str) -> bool {
    if written.eq_ignore_ascii_case(known) {
        return true;
    }
    let letters = |name: &str| {
        name.chars()
            .filter(|c| !c.is_ascii_digit())
            .collect::<String>()
    };
    written.len().min(known.len()) >= 6
        && letters(written) != letters(known)
        && strsim::damerau_levenshtein(written, known) == 1
}
