//! See `rules/model-schema-mismatch.md`.

mod types;

use crate::diagnostic::Certainty;
use crate::layout::History;
use crate::python::models::{Model, ModelColumn};
use crate::rule::{Cx, Finding};
use crate::schema::{Column, Relation, Schema, Table};
use crate::settings::Strictness;
use crate::source::{Location, SourceId, Span};
use crate::sql;
use crate::statement::{Kind, Name, ObjectKind, QualifiedName, TypeName};
use types::{Gap, gap};

pub(super) fn check(cx: &mut Cx<'_>, history: &History) {
    let models = &history.found.models;
    let schema = cx.at_the_end();
    let tables: Vec<Seen<'_>> = models.iter().map(|model| seen(schema, model)).collect();
    let known = tables
        .iter()
        .filter(|seen| !matches!(seen, Seen::Nothing))
        .count();
    // Models of which most have no table here belong to another database, or the tables are made in another way.
    if known * 2 < models.len() {
        return;
    }
    for (model, seen) in models.iter().zip(tables) {
        match seen {
            Seen::Table(table) => columns(cx, history, model, table),
            Seen::Dropped(name, at) => {
                let Some(place) = place(history, &model.file, model.span) else {
                    continue;
                };
                let text = format!(
                    "the model's table `{}` is dropped by a migration",
                    name.short()
                );
                let finding = Finding::at(place, text)
                    .label(at, "dropped here")
                    .help("remove the model, or keep the table");
                cx.report(finding);
            }
            Seen::Nothing if is_read(history) => {
                let Some(place) = place(history, &model.file, model.span) else {
                    continue;
                };
                let text = format!("no migration makes the model's table `{}`", name_of(model));
                cx.report(Finding::at(place, text).help(
                    "let `alembic revision --autogenerate` write the migration, or remove the model",
                ));
            }
            Seen::Nothing | Seen::Unclear => {}
        }
    }
}

/// What the history has of a model's table.
enum Seen<'a> {
    Table(&'a Table),
    /// The last statement that dropped it.
    Dropped(QualifiedName, Location),
    /// A view, or a table of which not everything is known.
    Unclear,
    Nothing,
}

fn seen<'a>(schema: &'a Schema, model: &Model) -> Seen<'a> {
    let name = Name::new(model.schema.as_deref(), kept(&model.table), Span::default());
    let key = schema.resolve(&name);
    let at = schema.relation_at(&key);
    // The metadata may have a schema that no class repeats.
    let (key, relation) = match at {
        Some(relation) => (key, relation),
        None if model.schema.is_none() => {
            let mut same = schema
                .relations()
                .filter(|(other, _)| *other.name == *kept(&model.table));
            match (same.next(), same.next()) {
                (Some((key, relation)), None) => (key.clone(), relation),
                (Some(_), Some(_)) => return Seen::Unclear,
                (None, _) => return Seen::Nothing,
            }
        }
        None => return Seen::Nothing,
    };
    match relation {
        Relation::Table(table) if table.known && schema.doubt(&key).is_none() => Seen::Table(table),
        Relation::Dropped(origin) if schema.doubt(&key).is_none() => {
            Seen::Dropped(key, origin.location)
        }
        _ => Seen::Unclear,
    }
}

/// True if everything in the forward migrations is understood.
fn is_read(history: &History) -> bool {
    let mut forward = history
        .migrations
        .iter()
        .filter(|migration| migration.direction.is_forward());
    forward.all(|migration| !migration.incomplete)
}

fn name_of(model: &Model) -> String {
    match &model.schema {
        Some(schema) => format!("{schema}.{}", model.table),
        None => model.table.clone(),
    }
}

fn place(history: &History, file: &str, span: Span) -> Option<Location> {
    let files = &history.found.model_files;
    let found = files.iter().find(|(known, _)| known == file);
    found.map(|(_, source): &(String, SourceId)| Location {
        source: *source,
        span,
    })
}

fn columns(cx: &mut Cx<'_>, history: &History, model: &Model, table: &Table) {
    let types = types_of(model);
    for (index, column) in model.columns.iter().enumerate() {
        let Some(place) = place(history, &column.file, column.span) else {
            continue;
        };
        let Some(made) = table.column(kept(&column.name)) else {
            missing(cx, history, table, column, place);
            continue;
        };
        if let Some(ty) = types.get(index) {
            typed(cx, table, made, ty, place);
        }
        nullability(cx, table, column, made, place);
    }
}

/// What PostgreSQL keeps of a name: the first 63 bytes.
fn kept(name: &str) -> &str {
    &name[..name.floor_char_boundary(63)]
}

fn missing(
    cx: &mut Cx<'_>,
    history: &History,
    table: &Table,
    column: &ModelColumn,
    place: Location,
) {
    // What PostgreSQL gives every table.
    if ["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid"].contains(&column.name.as_str()) {
        return;
    }
    let gone = gone(cx, &table.name, kept(&column.name));
    let (name, text) = (&column.name, table.name.short());
    let finding = match gone {
        Some((at, what)) => Finding::at(
            place,
            format!("the model has the column `{name}` of `{text}`, which a migration {what}"),
        )
        .label(at, format!("{what} here"))
        .help("follow in the model, and release it before the migration runs"),
        // Something that is not read may add it.
        None => Finding::at(
            place,
            format!("the model has the column `{name}`, and no migration adds it to `{text}`"),
        )
        .certainty(if is_read(history) {
            Certainty::Certain
        } else {
            Certainty::Possible
        })
        .label(table.created.location, format!("`{text}` is made here"))
        .help("let `alembic revision --autogenerate` write the migration, or take it out of the model"),
    };
    cx.report(finding);
}

/// The last statement that takes a column of that name away, and how.
fn gone(cx: &Cx<'_>, table: &QualifiedName, column: &str) -> Option<(Location, &'static str)> {
    let migrations = &cx.history().migrations;
    let forward = cx
        .all_steps()
        .iter()
        .rev()
        .filter(|step| migrations[step.migration].direction.is_forward());
    for step in forward {
        let is_table = |name: &Name| step.before.resolve(name) == *table;
        let dropped = step
            .statement
            .dropped_columns()
            .any(|(name, dropped)| is_table(name) && *dropped.text == *column);
        let renamed = match &step.statement.kind {
            Kind::Rename(rename) => {
                rename.object == ObjectKind::Column
                    && is_table(&rename.relation)
                    && rename
                        .part
                        .as_ref()
                        .is_some_and(|part| *part.text == *column)
            }
            _ => false,
        };
        if dropped || renamed {
            let what = if dropped { "drops" } else { "renames" };
            return Some((cx.location_of(step), what));
        }
    }
    None
}

/// The types of a model's columns as PostgreSQL reads them; an unknown one where the model does not tell.
fn types_of(model: &Model) -> Vec<TypeName> {
    let columns: Vec<String> = model
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let ty = column.ty.as_deref();
            format!("c{index} {}", ty.unwrap_or(crate::statement::ty::UNKNOWN))
        })
        .collect();
    let parsed = sql::parse_text(&format!("CREATE TABLE m ({})", columns.join(", ")));
    match parsed.statements.first().map(|statement| &statement.kind) {
        Some(Kind::CreateTable(create)) if create.columns.len() == model.columns.len() => create
            .columns
            .iter()
            .map(|column| {
                let unknown = || TypeName::builtin(crate::statement::ty::UNKNOWN);
                column.ty.clone().unwrap_or_else(unknown)
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn typed(cx: &mut Cx<'_>, table: &Table, column: &Column, model: &TypeName, place: Location) {
    let Some(made) = &column.ty else { return };
    let Some(gap) = gap(model, made, column.user_type.as_ref()) else {
        return;
    };
    if gap == Gap::Harmless && cx.settings().strictness < Strictness::Strict {
        return;
    }
    let (name, text) = (&column.name, table.name.short());
    cx.report(
        Finding::at(
            place,
            format!(
                "`{name}` of `{text}` is `{model}` in the model and `{made}` in the migrations"
            ),
        )
        .label(column.created.location, "the column is made here")
        .help("change the one that is wrong; a new type of the column is a migration"),
    );
}

fn nullability(
    cx: &mut Cx<'_>,
    table: &Table,
    column: &ModelColumn,
    made: &Column,
    place: Location,
) {
    let (name, text) = (&made.name, table.name.short());
    let given = made.default.is_some() || made.identity.is_some() || made.generated.is_some();
    let serial = made
        .ty
        .as_ref()
        .is_some_and(|ty| ty.serial_base().is_some());
    let finding = match column.nullable {
        Some(true) if made.not_null && !column.filled && !given && !serial => Finding::at(
            place,
            format!("`{name}` of `{text}` may be left out in the model, and the migrations have it NOT NULL without a default"),
        )
        .help("say `nullable=False` in the model, or drop NOT NULL"),
        Some(false) if !made.not_null && cx.settings().strictness >= Strictness::Strict => {
            Finding::at(
                place,
                format!("`{name}` of `{text}` is NOT NULL in the model and not in the migrations"),
            )
            .help("let a migration set NOT NULL, or say `nullable=True` in the model")
        }
        _ => return,
    };
    cx.report(finding.label(made.created.location, "the column is made here"));
}
