//! See `rules/forward-reference.md`.

use std::collections::BTreeMap;

use crate::diagnostic::Certainty;
use crate::layout::{Direction, History, Send};
use crate::replay::Step;
use crate::rule::{Cx, Finding};
use crate::schema::Presence;
use crate::statement::{Kind, QualifiedName, Statement};

pub(super) fn check(cx: &mut Cx<'_>, history: &History) {
    // Tables that a migration makes and nobody before it: were they there earlier, it would fail.
    let mut made: BTreeMap<QualifiedName, (usize, &Step<'_>)> = BTreeMap::new();
    let ordered = cx.runner().send != Send::Unknown;
    let versioned: Vec<usize> = (0..history.migrations.len())
        .filter(|index| {
            let migration = &history.migrations[*index];
            // A file without a number, such as one that holds the whole schema, is in no order with the others.
            migration.direction == Direction::Up
                && !migration.version.is_empty()
                && (ordered || migration.version.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    for index in versioned.iter().copied() {
        for step in cx.steps_of(index) {
            if let Some(key) = creates(step)
                && matches!(step.before.presence_at(&key), Presence::Unknown)
            {
                made.entry(key).or_insert((index, step));
            }
        }
    }
    for index in versioned {
        if !history.migrations[index].pending {
            continue;
        }
        // The run ends with the first one.
        let found = cx.steps_of(index).iter().find_map(|step| {
            if step.certainty() != Certainty::Certain || is_guarded(step.statement) {
                return None;
            }
            let names = step.effects.list.iter().map(|effect| &effect.relation);
            names
                .filter(|name| matches!(step.before.presence_at(name), Presence::Unknown))
                .find_map(|name| {
                    let (at, creation) = made.get(name)?;
                    // A table that refers to itself, and one that is made by the statement.
                    (*at > index && !std::ptr::eq(*creation, step))
                        .then_some((step, name, *at, *creation))
                })
        });
        let Some((step, name, at, creation)) = found else {
            continue;
        };
        let (table, later) = (name.short(), &history.migrations[at].version);
        let finding = Finding::at(
            cx.location_of(step),
            format!("`{table}` is not there yet: {later}, which runs later, creates it"),
        )
        .label(cx.location_of(creation), "created here")
        .help(format!("give this migration a version behind {later}"));
        cx.report(finding);
    }
}

/// The table that a step is certain to make, and would fail to make were it there.
fn creates(step: &Step<'_>) -> Option<QualifiedName> {
    let Kind::CreateTable(create) = &step.statement.kind else {
        return None;
    };
    let certain = step.certainty() == Certainty::Certain && !create.if_not_exists;
    let temporary = matches!(create.persistence, crate::statement::Persistence::Temporary);
    (certain && !temporary).then(|| step.before.creation_name(&create.name, false))
}

fn is_guarded(statement: &Statement) -> bool {
    match &statement.kind {
        Kind::Drop(drop) => drop.if_exists,
        Kind::AlterTable(alter) => alter.if_exists,
        Kind::CreateTable(create) => create.if_not_exists,
        _ => false,
    }
}
