//! What a migration puts at stake: what it destroys, what deployed code does not survive, and how much can go wrong.

use crate::diagnostic::Certainty;
use crate::effect::{LockMode, loss};
use crate::markers::Risk;
use crate::replay::Step;
use crate::schema::{Presence, Table, TableKind};
use crate::source::Span;
use crate::statement::{
    AlterAction, ChangeVerb, ColumnChange, InsertRows, Kind, Name, ObjectKind, QualifiedName,
};
use crate::wording;

/// What a statement means for code and data that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Neither notices.
    Neutral,
    /// Deployed code goes on: something is added or loosened.
    Compatible,
    /// Rows are changed.
    Data,
    /// Deployed code may fail: something is taken away, renamed or made stricter.
    Incompatible,
}

impl Class {
    /// The word in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Compatible => "compatible",
            Self::Data => "data",
            Self::Incompatible => "incompatible",
        }
    }
}

/// Data that a statement destroys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// In words: ``the rows of `t` ``.
    pub what: String,
    /// The table; none if it is a whole schema or database.
    pub table: Option<QualifiedName>,
    /// The column, if it is not the whole table.
    pub column: Option<Box<str>>,
    /// Where.
    pub span: Span,
}

/// The data that a statement is certain to destroy. What the same change made holds none.
#[must_use]
pub fn losses(step: &Step<'_>) -> Vec<Loss> {
    let mut found = Vec::new();
    if step.certainty() != Certainty::Certain {
        return found;
    }
    let mut push = |name: &Name, column: Option<&str>, what: String, span: Span| {
        found.push(Loss {
            what,
            table: Some(step.before.resolve(name)),
            column: column.map(Box::from),
            span,
        });
    };
    match &step.statement.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            for name in &drop.names {
                let absent =
                    drop.if_exists && !matches!(step.before.presence(name), Presence::Existing(_));
                if !is_made_here(step, name) && !absent {
                    push(name, None, format!("the rows of `{name}`"), name.span);
                }
            }
        }
        Kind::Drop(drop) if drop.object == ObjectKind::Schema && drop.cascade => {
            found.extend(drop.names.iter().filter_map(|name| of_schema(step, name)));
        }
        Kind::Other(_) if step.statement.tag == "DROP DATABASE" => found.push(Loss {
            what: "a whole database".to_owned(),
            table: None,
            column: None,
            span: step.statement.span,
        }),
        Kind::Truncate { tables, .. } => {
            for table in tables {
                if !is_made_here(step, &table.name) {
                    let what = format!("the rows of `{}`", table.name);
                    push(&table.name, None, what, table.name.span);
                }
            }
        }
        Kind::Change(change)
            if change.verb == ChangeVerb::Delete
                && change.condition.is_none()
                && !is_made_here(step, &change.table.name) =>
        {
            let name = &change.table.name;
            push(name, None, format!("the rows of `{name}`"), name.span);
        }
        Kind::AlterTable(alter) if !is_made_here(step, &alter.name) => {
            let name = &alter.name;
            let table = step.before.table(name);
            for action in &alter.actions {
                match action {
                    AlterAction::DropColumn {
                        column, if_exists, ..
                    } if holds_values(
                        step,
                        table.map(|table| &**table),
                        &column.text,
                        *if_exists,
                    ) =>
                    {
                        let what = format!("the values of `{column}` of `{name}`");
                        push(name, Some(&column.text), what, column.span);
                    }
                    AlterAction::AlterColumn(alter) => {
                        let ColumnChange::Type {
                            ty, using, span, ..
                        } = &alter.change
                        else {
                            continue;
                        };
                        let from = table
                            .and_then(|table| table.column(&alter.column.text))
                            .and_then(|column| column.ty.as_ref());
                        let Some(from) = from else { continue };
                        let lost = loss::of(&alter.column.text, from, ty, using.as_deref());
                        let is_lost = |loss: &loss::Loss| {
                            !matches!(loss, loss::Loss::TooLong(_) | loss::Loss::OutOfRange)
                        };
                        if lost.iter().any(is_lost) {
                            let column = &alter.column;
                            let what = format!("parts of the values of `{column}` of `{name}`");
                            push(name, Some(&column.text), what, *span);
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    found
}

/// What a statement destroys if it runs forward: [`losses`], and schemas with contents that no migration tells. IF EXISTS
/// of such a schema may be a way to begin from nothing.
#[must_use]
pub fn stakes(step: &Step<'_>) -> Vec<Loss> {
    let mut found = losses(step);
    if let Kind::Drop(drop) = &step.statement.kind
        && drop.object == ObjectKind::Schema
        && drop.cascade
        && !drop.if_exists
        && step.certainty() == Certainty::Certain
    {
        let is_inside = |schema: &str| {
            step.before
                .relations()
                .any(|(name, _)| &*name.schema == schema)
        };
        let unknown = drop.names.iter().filter(|name| !is_inside(&name.name));
        found.extend(unknown.map(|name| Loss {
            what: format!("all that is in schema `{name}`"),
            table: None,
            column: None,
            span: name.span,
        }));
    }
    found
}

/// The tables that go with a schema, but for those that the same change has made.
fn of_schema(step: &Step<'_>, name: &Name) -> Option<Loss> {
    let tables: Vec<String> = step
        .before
        .tables()
        .filter(|table| table.name.schema == name.name && table.kind != TableKind::Foreign)
        .filter(|table| !(table.known && table.created.batch == step.before.batch()))
        .map(|table| table.name.short())
        .collect();
    (!tables.is_empty()).then(|| Loss {
        what: format!("the rows of {}", wording::names(tables)),
        table: None,
        column: None,
        span: name.span,
    })
}

/// True if the same change made the table, or if it is temporary.
fn is_made_here(step: &Step<'_>, name: &Name) -> bool {
    name.schema.as_deref() == Some("pg_temp")
        || step.before.table(name).is_some_and(|table| {
            table.is_temporary()
                || table.kind == TableKind::Foreign
                || (table.known && table.created.batch == step.before.batch())
        })
}

fn holds_values(step: &Step<'_>, table: Option<&Table>, column: &str, if_exists: bool) -> bool {
    let known = table.and_then(|table| table.column(column));
    match known {
        Some(known) => {
            let new = known.added && known.created.batch == step.before.batch();
            !new && known.generated.is_none()
        }
        None => !if_exists,
    }
}

/// What a statement means for deployed code, by its form. What the same change made is used by nobody.
#[must_use]
pub fn class(step: &Step<'_>) -> Class {
    if !losses(step).is_empty() {
        return Class::Incompatible;
    }
    let existing = |name: &Name| !is_made_here(step, name);
    match &step.statement.kind {
        Kind::Drop(drop) => match drop.object {
            ObjectKind::Index | ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
                Class::Compatible
            }
            ObjectKind::Table | ObjectKind::ForeignTable
                if drop.if_exists || !drop.names.iter().any(existing) =>
            {
                Class::Neutral
            }
            _ => Class::Incompatible,
        },
        Kind::Rename(rename) => match rename.object {
            ObjectKind::Index | ObjectKind::Constraint | ObjectKind::Trigger => Class::Neutral,
            _ if existing(&rename.relation) => Class::Incompatible,
            _ => Class::Neutral,
        },
        Kind::SetSchema(set) if existing(&set.name) => Class::Incompatible,
        Kind::AlterTable(alter) => alter
            .actions
            .iter()
            .map(|action| of_action(step, &alter.name, action))
            .max()
            .filter(|_| existing(&alter.name))
            .unwrap_or(Class::Neutral),
        Kind::CreateTable(_)
        | Kind::CreateTableAs(_)
        | Kind::CreateIndex(_)
        | Kind::CreateView(_)
        | Kind::CreateSequence(_)
        | Kind::CreateType(_)
        | Kind::AlterEnum(_)
        | Kind::CreateDomain(_)
        | Kind::CreateFunction(_)
        | Kind::CreateTrigger(_)
        | Kind::CreateSchema { .. }
        | Kind::CreateExtension(_) => Class::Compatible,
        Kind::Change(_) | Kind::Merge(_) | Kind::Truncate { .. } => Class::Data,
        Kind::Insert(insert) if insert.rows == InsertRows::Query => Class::Data,
        Kind::Insert(_) | Kind::Copy { from: true, .. } => Class::Data,
        _ => Class::Neutral,
    }
}

fn of_action(step: &Step<'_>, table: &Name, action: &AlterAction) -> Class {
    let is_new = |column: &str| {
        step.before
            .table(table)
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.added && column.created.batch == step.before.batch())
    };
    match action {
        AlterAction::AddColumn(add) => {
            let column = &add.column;
            let filled = column.default.is_some()
                || column.identity.is_some()
                || column.generated.is_some()
                || column
                    .ty
                    .as_ref()
                    .is_some_and(|ty| ty.serial_base().is_some());
            if column.not_null && !filled {
                Class::Incompatible
            } else {
                Class::Compatible
            }
        }
        AlterAction::DropColumn { column, .. } if is_new(&column.text) => Class::Neutral,
        AlterAction::DropColumn { .. } => Class::Incompatible,
        AlterAction::AlterColumn(alter) if is_new(&alter.column.text) => Class::Compatible,
        AlterAction::AlterColumn(alter) => match &alter.change {
            ColumnChange::Type { .. } | ColumnChange::SetNotNull => Class::Incompatible,
            ColumnChange::DropNotNull | ColumnChange::SetDefault(_) => Class::Compatible,
            _ => Class::Neutral,
        },
        _ => Class::Neutral,
    }
}

/// How much can go wrong with a migration, and why.
///
/// High: data is destroyed, or a table in use is written anew while nobody can read it. Medium: deployed code may fail,
/// rows are changed, or work in proportion to a table's size is done under a lock that stops writes. Low: anything else.
#[must_use]
pub fn of(steps: &[Step<'_>]) -> (Risk, String) {
    let lost: Vec<String> = steps
        .iter()
        .flat_map(losses)
        .map(|loss| loss.what)
        .collect();
    if !lost.is_empty() {
        return (Risk::High, format!("it destroys {}", wording::all(lost)));
    }
    let heavy = |rewrite: bool| {
        steps.iter().find_map(|step| {
            let effect = step.effects.list.iter().find(|effect| {
                !step.before.is_fresh(&effect.relation)
                    && if rewrite {
                        effect.lock == LockMode::AccessExclusive && effect.work.rewrite
                    } else {
                        effect.lock.blocks_writes() && !effect.work.is_none()
                    }
            })?;
            Some(effect.relation.short())
        })
    };
    if let Some(table) = heavy(true) {
        let why = format!("it writes `{table}` anew while nobody can read it");
        return (Risk::High, why);
    }
    if steps.iter().any(|step| class(step) == Class::Incompatible) {
        return (Risk::Medium, "deployed code may fail".to_owned());
    }
    if let Some(table) = heavy(false) {
        let why = format!("it works through `{table}` while nobody can write it");
        return (Risk::Medium, why);
    }
    if steps.iter().any(|step| class(step) == Class::Data) {
        return (Risk::Medium, "it changes rows".to_owned());
    }
    (
        Risk::Low,
        "it destroys nothing and stops nobody for long".to_owned(),
    )
}
