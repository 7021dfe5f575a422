//! See `rules/down-not-inverse.md`.

use std::collections::BTreeSet;

use crate::diagnostic::{Certainty, Level};
use crate::layout::{Direction, Migration};
use crate::rule::{Cx, Finding};
use crate::schema::compare::{Difference, How, differences};
use crate::schema::{Origin, Relation, Schema};
use crate::statement::{AlterAction, Ident, Kind, ObjectKind, QualifiedName, Statement, quoted};
use crate::wording;

/// Differences that a message names.
const NAMED: usize = 4;

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    if migration.direction != Direction::Down {
        return;
    }
    let Some(pair) = migration.pair else { return };
    if cx.leads_back_with_others() {
        return;
    }
    let up = &cx.history().migrations[pair];
    let does_nothing = migration.statements.iter().all(Statement::changes_nothing);
    if does_nothing || is_dark(cx, pair) || is_dark_here(cx) || cx.markers().is_irreversible() {
        return;
    }
    let fails =
        |steps: &[crate::replay::Step<'_>]| steps.iter().any(|step| step.effects.fails.is_some());
    // What a script that breaks off leaves is another question.
    if fails(cx.steps()) || fails(cx.steps_of(pair)) {
        return;
    }
    let (before, after) = (cx.schema_before(pair), cx.after_migration());
    let mut found = differences(before, after);
    found.extend(lost(cx, pair, after));
    found.extend(schemas(cx, pair));
    let found = essential(found, up);
    if found.is_empty() {
        return;
    }
    let again = cx.first_refused(pair, after);
    let certain = found.iter().any(|difference| difference.certain);
    let mut phrases: Vec<String> = found.iter().take(NAMED).map(phrase).collect();
    if found.len() > NAMED {
        phrases.push(format!("{} more", found.len() - NAMED));
    }
    let mut message = format!(
        "the down script of {} does not lead back: {}",
        migration.version,
        wording::all(phrases)
    );
    if let Some((_, failure)) = &again {
        message = format!(
            "{message}; the next run of the up script fails because {} (SQLSTATE {})",
            failure.reason, failure.sqlstate
        );
    }
    let mends: Vec<String> = found.iter().take(NAMED).filter_map(mend).collect();
    let mut help = if mends.is_empty() {
        "undo everything that the up script does; if there is no way back, say why: `-- lockgate: irreversible: <reason>`"
            .to_owned()
    } else {
        format!("add to the down script: {}", mends.join(" "))
    };
    if !certain {
        help.push_str(" (run both scripts on a copy and compare)");
    }
    let lost_something = found
        .iter()
        .any(|difference| matches!(difference.how, How::Missing));
    let mut finding = Finding::new(migration.span, message).help(help);
    if again.is_none() && !lost_something {
        finding = finding.level(Level::Warning);
    }
    if !certain {
        finding = finding.certainty(Certainty::Possible);
    }
    let mut seen = BTreeSet::new();
    for difference in found.iter().take(NAMED) {
        let (Some(made), How::Leftover) = (difference.made, &difference.how) else {
            continue;
        };
        if made.location.source == up.source && seen.insert(made.location.span) {
            finding = finding.label(made.location, "made here");
        }
    }
    cx.report(finding);
}

/// True if a migration does things that are not followed.
fn is_dark(cx: &Cx<'_>, migration: usize) -> bool {
    cx.history().migrations[migration].incomplete || steps_are_dark(cx.steps_of(migration))
}

fn is_dark_here(cx: &Cx<'_>) -> bool {
    cx.migration().incomplete || steps_are_dark(cx.steps())
}

fn steps_are_dark(steps: &[crate::replay::Step<'_>]) -> bool {
    steps.iter().any(|step| {
        let statement = step.statement;
        let runs_code = match &statement.kind {
            // Functions of the project may change anything.
            Kind::Select(query) => query.calls.iter().any(|call| {
                !step
                    .before
                    .functions_named(call.schema.as_deref(), &call.name)
                    .is_empty()
            }),
            Kind::Call(_) | Kind::Unparsed => true,
            Kind::Do => gives_up(&statement.source.sql),
            Kind::Drop(drop) => {
                let routine = matches!(
                    drop.object,
                    ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine
                );
                // What an extension takes with it is not known, nor a routine that may go.
                drop.object == ObjectKind::Extension
                    || drop.object == ObjectKind::Other
                    || (routine && step.certainty() != Certainty::Certain)
            }
            _ => false,
        };
        runs_code || !statement.dynamic.is_empty() || !statement.placeholders.is_empty()
    })
}

/// True for a `DO` block that does nothing but raise an error: there is no way back, and the script says so.
fn gives_up(sql: &str) -> bool {
    let text = sql.to_ascii_lowercase();
    let has = |wanted: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .any(|word| word == wanted)
    };
    has("raise") && has("exception") && !has("if") && !has("case")
}

/// Leaves out what follows from another difference, and says which ones are not certain.
fn essential(found: Vec<Difference>, up: &Migration) -> Vec<Difference> {
    let one_sided =
        |difference: &Difference| matches!(difference.how, How::Missing | How::Leftover);
    let tables: BTreeSet<QualifiedName> = found
        .iter()
        .filter(|difference| one_sided(difference) && difference.part.is_none())
        .filter(|difference| {
            !matches!(
                difference.kind,
                ObjectKind::Index | ObjectKind::Type | ObjectKind::Domain | ObjectKind::Schema
            )
        })
        .map(|difference| difference.name.clone())
        .collect();
    let columns: BTreeSet<(QualifiedName, Box<str>)> = found
        .iter()
        .filter(|difference| one_sided(difference) && difference.kind == ObjectKind::Column)
        .filter_map(|difference| Some((difference.name.clone(), difference.part.clone()?)))
        .collect();
    let mut kept: Vec<Difference> = found
        .into_iter()
        .filter(|difference| {
            let of_table = difference
                .table
                .as_ref()
                .is_some_and(|table| *table != difference.name && tables.contains(table));
            let owner = difference.table.as_ref().unwrap_or(&difference.name);
            let of_column = matches!(difference.kind, ObjectKind::Index | ObjectKind::Constraint)
                && difference.columns.iter().any(|column| {
                    [owner, &difference.name]
                        .iter()
                        .any(|table| columns.contains(&((*table).clone(), column.clone())))
                });
            !of_table && !of_column
        })
        .map(|mut difference| {
            if let Some(made) = difference.made
                && is_guarded(up, made)
            {
                difference.certain = false;
            }
            difference
        })
        .collect();
    kept.sort_by_key(|difference| (!difference.certain, rank(difference.kind)));
    kept
}

/// True if the statement that made something may have found it there.
fn is_guarded(up: &Migration, made: Origin) -> bool {
    if made.location.source != up.source {
        return false;
    }
    let at = made.location.span;
    let mut statements = up.statements.iter().flat_map(|statement| {
        std::iter::once(statement).chain(statement.nested.iter().map(|nested| &nested.statement))
    });
    statements.any(|statement| {
        statement.span == at
            && (statement.conditional || match &statement.kind {
                Kind::CreateTable(create) => create.if_not_exists,
                Kind::CreateTableAs(create) => create.if_not_exists,
                Kind::CreateIndex(create) => create.if_not_exists,
                Kind::CreateSequence(create) => create.guarded,
                Kind::CreateView(create) => create.or_replace,
                Kind::CreateFunction(create) => create.or_replace,
                Kind::CreateTrigger(create) => create.or_replace,
                Kind::AlterEnum(alter) => alter.if_not_exists,
                Kind::AlterTable(alter) => alter.if_exists
                    || alter.actions.iter().any(
                        |action| matches!(action, AlterAction::AddColumn(add) if add.if_not_exists),
                    ),
                _ => false,
            })
    })
}

/// What the up script drops without the history having made it, and the down script does not make again.
fn lost(cx: &Cx<'_>, up: usize, after: &Schema) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut push = |kind, name: QualifiedName, part: Option<&Ident>| {
        found.push(Difference {
            kind,
            name,
            part: part.map(|part| part.text.clone()),
            how: How::Missing,
            made: None,
            columns: Vec::new(),
            table: None,
            certain: true,
        });
    };
    let is_there = |name: &QualifiedName| {
        !matches!(after.relation_at(name), None | Some(Relation::Dropped(_)))
    };
    for step in cx.steps_of(up) {
        if step.certainty() != Certainty::Certain {
            continue;
        }
        match &step.statement.kind {
            Kind::Drop(drop) if !drop.if_exists => {
                let relation = matches!(
                    drop.object,
                    ObjectKind::Table
                        | ObjectKind::ForeignTable
                        | ObjectKind::View
                        | ObjectKind::MaterializedView
                        | ObjectKind::Sequence
                        | ObjectKind::Index
                );
                for name in drop.names.iter().filter(|_| relation) {
                    let key = step.before.resolve(name);
                    let unknown = match step.before.relation_at(&key) {
                        None => true,
                        Some(Relation::Table(table)) => !table.known,
                        _ => false,
                    };
                    // Before the migration it may have been mentioned, and is compared then.
                    let mentioned = cx.schema_before(up).relation_at(&key).is_some();
                    if unknown && !mentioned && !is_there(&key) && after.doubt(&key).is_none() {
                        push(drop.object, key, None);
                    }
                }
            }
            Kind::AlterTable(alter) => {
                let key = step.before.resolve(&alter.name);
                for action in &alter.actions {
                    let AlterAction::DropColumn {
                        column, if_exists, ..
                    } = action
                    else {
                        continue;
                    };
                    let known = step.before.table_at(&key);
                    let unknown = known.is_none_or(|table| {
                        !table.known
                            && table
                                .column(&column.text)
                                .is_none_or(|column| !column.added)
                    });
                    let gone = after
                        .table_at(&key)
                        .is_some_and(|table| table.column(&column.text).is_none());
                    if unknown && !if_exists && gone && after.doubt(&key).is_none() {
                        push(ObjectKind::Column, key.clone(), Some(column));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Schemas that the up script makes and neither script drops.
fn schemas(cx: &Cx<'_>, up: usize) -> Vec<Difference> {
    let dropped = |steps: &[crate::replay::Step<'_>], name: &Ident| {
        steps.iter().any(|step| {
            matches!(&step.statement.kind, Kind::Drop(drop)
                if drop.object == ObjectKind::Schema
                    && drop.names.iter().any(|dropped| dropped.name == name.text))
                || matches!(&step.statement.kind, Kind::Rename(rename) if rename.object == ObjectKind::Schema)
        })
    };
    cx.steps_of(up)
        .iter()
        .filter_map(|step| match &step.statement.kind {
            Kind::CreateSchema {
                name,
                if_not_exists: false,
            } if step.certainty() == Certainty::Certain => Some((step, name)),
            _ => None,
        })
        .filter(|(_, name)| !dropped(cx.steps_of(up), name) && !dropped(cx.steps(), name))
        .map(|(step, name)| Difference {
            kind: ObjectKind::Schema,
            name: QualifiedName::new("public", &name.text),
            part: None,
            how: How::Leftover,
            made: Some(Origin {
                location: cx.location_of(step),
                batch: 0,
                statement: 0,
            }),
            columns: Vec::new(),
            table: None,
            certain: true,
        })
        .collect()
}

/// The order in which objects can be dropped, and in which they are named.
fn rank(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Trigger | ObjectKind::Policy => 0,
        ObjectKind::View | ObjectKind::MaterializedView => 1,
        ObjectKind::Index => 2,
        ObjectKind::Constraint => 3,
        ObjectKind::Column => 4,
        ObjectKind::Table | ObjectKind::ForeignTable => 5,
        ObjectKind::Sequence => 6,
        ObjectKind::Function | ObjectKind::Procedure => 7,
        ObjectKind::Schema => 9,
        _ => 8,
    }
}

/// The object as a sentence names it.
fn subject(difference: &Difference) -> String {
    let name = difference.name.short();
    let kind = difference.kind.as_str();
    match (&difference.part, difference.kind) {
        (Some(part), ObjectKind::Function | ObjectKind::Procedure) => {
            format!("{kind} `{name}({part})`")
        }
        (Some(label), ObjectKind::Type) => format!("value `{label}` of type `{name}`"),
        (Some(part), _) => format!("{kind} `{}` of `{name}`", quoted(part)),
        (None, _) => format!("{kind} `{name}`"),
    }
}

fn phrase(difference: &Difference) -> String {
    let subject = subject(difference);
    match &difference.how {
        How::Missing => format!("{subject} is missing"),
        How::Leftover => format!("{subject} is left over"),
        How::Type(before, after) => format!("{subject} is {after} instead of {before}"),
        How::NotNull(true) => format!("{subject} is NOT NULL and was not"),
        How::NotNull(false) => format!("{subject} is not NOT NULL any more"),
        How::Default {
            before: true,
            after: false,
        } => format!("{subject} has no default any more"),
        How::Default {
            before: false,
            after: true,
        } => format!("{subject} has a default and had none"),
        How::Default { .. } => format!("{subject} has another default"),
        How::RowSecurity { force, on } => format!(
            "row level security of {subject} is {}{}",
            if *on { "" } else { "not " },
            if *force { "forced" } else { "enabled" }
        ),
        How::Name(name) => format!("{subject} is called `{}`", quoted(name)),
        How::Definition => format!("{subject} is defined in another way"),
    }
}

/// SQL that removes the difference, where it can be told.
fn mend(difference: &Difference) -> Option<String> {
    let name = difference.name.short();
    let part = difference.part.as_ref().map(|part| quoted(part));
    let sql = match (&difference.how, difference.kind, part) {
        (How::Leftover, ObjectKind::Column, Some(part)) => {
            format!("ALTER TABLE {name} DROP COLUMN {part};")
        }
        (How::Leftover, ObjectKind::Constraint, Some(part)) => {
            format!("ALTER TABLE {name} DROP CONSTRAINT {part};")
        }
        (How::Leftover, ObjectKind::Trigger, Some(part)) => {
            format!("DROP TRIGGER {part} ON {name};")
        }
        (How::Leftover, ObjectKind::Policy, Some(part)) => format!("DROP POLICY {part} ON {name};"),
        (How::Leftover, ObjectKind::Function, _) => format!(
            "DROP FUNCTION {name}({});",
            difference.part.as_deref().unwrap_or_default()
        ),
        (How::Leftover, ObjectKind::Procedure, _) => format!(
            "DROP PROCEDURE {name}({});",
            difference.part.as_deref().unwrap_or_default()
        ),
        (How::Leftover, ObjectKind::Schema, _) => {
            format!("DROP SCHEMA {};", quoted(&difference.name.name))
        }
        (How::Leftover, kind, None) => {
            format!("DROP {} {name};", kind.as_str().to_ascii_uppercase())
        }
        (How::Name(now), ObjectKind::Index, _) => {
            let now = QualifiedName::new(&difference.name.schema, now);
            format!(
                "ALTER INDEX {} RENAME TO {};",
                now.short(),
                quoted(&difference.name.name)
            )
        }
        (How::Name(now), _, Some(part)) => {
            let now = quoted(now);
            format!("ALTER TABLE {name} RENAME CONSTRAINT {now} TO {part};")
        }
        (How::Type(before, _), _, Some(part)) => {
            format!("ALTER TABLE {name} ALTER COLUMN {part} TYPE {before};")
        }
        (How::NotNull(true), _, Some(part)) => {
            format!("ALTER TABLE {name} ALTER COLUMN {part} DROP NOT NULL;")
        }
        (How::NotNull(false), _, Some(part)) => {
            format!("ALTER TABLE {name} ALTER COLUMN {part} SET NOT NULL;")
        }
        (How::Default { before: false, .. }, _, Some(part)) => {
            format!("ALTER TABLE {name} ALTER COLUMN {part} DROP DEFAULT;")
        }
        (How::RowSecurity { force, on }, _, None) => {
            let verb = match (force, on) {
                (false, true) => "DISABLE",
                (false, false) => "ENABLE",
                (true, true) => "NO FORCE",
                (true, false) => "FORCE",
            };
            format!("ALTER TABLE {name} {verb} ROW LEVEL SECURITY;")
        }
        _ => return None,
    };
    Some(sql)
}
