//! A schema as sorted lines of text, so that a test can compare it with a server's catalog.
//!
//! A line is a list of fields, its key first. A field that is [`UNKNOWN`] is not told by the history.

use std::path::Path;

use crate::discover::{Request, discover};
use crate::layout::Direction;
use crate::probe::drift::type_text;
use crate::schema::{Column, Constraint, Index, Origin, Schema, Table, TableKind, TypeKind, View};
use crate::settings::Settings;
use crate::source::{Fragment, Location, SourceId, SpanMap};
use crate::statement::normal::expression;
use crate::statement::{
    ConstraintKind, Element, Ident, Identity, Kind, Persistence, QualifiedName, Statement,
    Volatility,
};

/// A field about which the model makes no statement.
pub const UNKNOWN: &str = "?";

/// What the fields of a line are separated by.
pub const SEPARATOR: &str = " | ";

/// Statements of a text.
#[must_use]
pub fn statements(sql: &str) -> Vec<Statement> {
    crate::sql::parse(&Fragment {
        sql: sql.into(),
        map: SpanMap::copied(0, sql.len()),
    })
    .statements
}

/// Replays one statement with those that run inside it.
pub fn apply(schema: &mut Schema, statement: &Statement, number: u32) {
    let origin = Origin {
        location: Location {
            source: SourceId(0),
            span: statement.span,
        },
        batch: number,
        statement: number,
    };
    schema.apply(statement, origin);
    for nested in statement.nested.iter().filter(|nested| nested.runs) {
        apply(schema, &nested.statement, number);
    }
}

/// Statements of the forward migrations of the project in a directory, in the order they run; none if there is no
/// project, or several.
#[must_use]
pub fn forward_statements(directory: &Path) -> Option<Vec<Statement>> {
    let settings = Settings::default();
    let paths = [directory.to_path_buf()];
    let discovered = discover(&Request {
        cwd: directory,
        paths: &paths,
        settings: &settings,
        stdin: None,
        changed: None,
    })
    .expect("Git is not asked");
    let [project] = discovered.projects.as_slice() else {
        return None;
    };
    let mut statements = Vec::new();
    for script in &project.scripts {
        if !script.direction.is_forward() || script.direction == Direction::Baseline {
            continue;
        }
        for piece in &script.pieces {
            let parsed = crate::sql::parse(&piece.fragment);
            statements.extend(parsed.statements.into_iter().map(|mut statement| {
                statement.conditional |= piece.conditional;
                statement
            }));
        }
    }
    Some(statements)
}

/// What depends on each column, as `table.column: kind name`.
#[must_use]
pub fn dependent_lines(schema: &Schema) -> Vec<String> {
    let mut lines = Vec::new();
    for table in schema.tables() {
        for column in &table.columns {
            for dependent in schema.dependents_of_column(&table.name, &column.name) {
                lines.push(format!(
                    "{}.{}: {} {}",
                    table.name.name,
                    column.name,
                    dependent.kind.as_str(),
                    dependent.name
                ));
            }
        }
    }
    lines
}

/// Names of the relations that are in doubt.
#[must_use]
pub fn doubted(schema: &Schema) -> Vec<String> {
    schema
        .relations()
        .filter(|(name, _)| schema.doubt(name).is_some())
        .map(|(name, _)| name.short())
        .collect()
}

/// An expression written in SQL, without what PostgreSQL adds or rewrites when it prints one: casts, parentheses,
/// qualifiers, `IN` and `BETWEEN`.
#[must_use]
pub fn normal_expression(sql: &str) -> String {
    match statements(&format!("SELECT {sql}")).as_slice() {
        [
            Statement {
                kind: Kind::Select(query),
                ..
            },
        ] => query
            .targets
            .first()
            .map_or_else(|| sql.to_owned(), expression),
        _ => sql.to_owned(),
    }
}

pub use crate::probe::drift::normal_type;

/// A partition bound without the spelling of its values.
#[must_use]
pub fn normal_bound(bound: &str) -> String {
    let bound = bound.to_ascii_lowercase();
    let bound = bound.strip_prefix("for values").unwrap_or(&bound);
    // A sub-partitioned partition goes on after its bound.
    let end = bound.find("partition by").unwrap_or(bound.len());
    bound[..end]
        .replace("00:00:00+00", "")
        .replace("00:00+00", "")
        .replace("00:00:00", "")
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\'')
        .collect()
}

/// All objects of a schema, one per line, sorted.
#[must_use]
pub fn schema_lines(schema: &Schema) -> Vec<String> {
    let mut lines = Vec::new();
    // Of other tables only what statements said about them is known.
    for table in schema.tables().filter(|table| table.known) {
        table_lines(table, &mut lines);
    }
    for index in schema.indexes() {
        lines.push(index_line(index));
    }
    for sequence in schema.sequences() {
        let owner = sequence
            .owned_by
            .as_ref()
            .map(|(table, column)| format!("{}.{column}", plain(table)));
        lines.push(line(&[
            format!("sequence {}", plain(&sequence.name)),
            owner.unwrap_or_default(),
            sequence
                .ty
                .as_ref()
                .map_or_else(|| "int8".to_owned(), |ty| type_text(ty, None)),
        ]));
    }
    for view in schema.views() {
        lines.push(view_line(view));
    }
    for ty in schema.types() {
        let name = plain(&ty.name);
        lines.push(match &ty.kind {
            TypeKind::Enum(labels) => {
                let labels: Vec<&str> = labels.iter().map(|label| &*label.label).collect();
                line(&[format!("enum {name}"), labels.join(",")])
            }
            TypeKind::Domain(domain) => {
                let mut checks: Vec<String> = domain
                    .checks
                    .iter()
                    .map(|(name, expr, valid)| format!("{name} {valid} {}", expression(expr)))
                    .collect();
                checks.sort();
                line(&[
                    format!("domain {name}"),
                    type_text(&domain.base, domain.base_type.as_ref()),
                    domain.not_null.to_string(),
                    domain.default.as_ref().map(expression).unwrap_or_default(),
                    checks.join(" and "),
                ])
            }
            TypeKind::Composite(columns) => {
                let columns: Vec<String> = columns
                    .iter()
                    .map(|column| format!("{} {}", column.name, column_type(column)))
                    .collect();
                line(&[format!("composite {name}"), columns.join(",")])
            }
            TypeKind::Other => line(&[format!("type {name}")]),
        });
    }
    for (name, function) in schema.all_functions() {
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .zip(&function.argument_types)
            .map(|(ty, user)| type_text(ty, user.as_ref()))
            .collect();
        let volatility = match function.volatility {
            Volatility::Immutable => "i",
            Volatility::Stable => "s",
            Volatility::Volatile => "v",
        };
        lines.push(line(&[
            format!("function {}({})", plain(name), arguments.join(",")),
            volatility.to_owned(),
            function.language.to_string(),
        ]));
    }
    lines.sort();
    lines
}

fn table_lines(table: &Table, lines: &mut Vec<String>) {
    let name = plain(&table.name);
    let kind = match table.kind {
        TableKind::Ordinary => "r",
        TableKind::Partitioned => "p",
        TableKind::Foreign => "f",
    };
    let persistence = match table.persistence {
        Persistence::Permanent => "p",
        Persistence::Unlogged => "u",
        Persistence::Temporary => "t",
    };
    lines.push(line(&[
        format!("table {name}"),
        kind.to_owned(),
        persistence.to_owned(),
        table.row_security.to_string(),
        table.force_row_security.to_string(),
        table.comment.as_deref().unwrap_or_default().to_owned(),
    ]));
    for (position, column) in table.columns.iter().enumerate() {
        lines.push(column_line(&name, position + 1, column));
    }
    for constraint in &table.constraints {
        lines.push(constraint_line(&name, constraint));
    }
    if let Some(partition) = &table.partition {
        lines.push(line(&[
            format!("partition {name}"),
            plain(&partition.parent),
            partition.is_default.to_string(),
            if partition.is_default {
                "default".to_owned()
            } else {
                normal_bound(&partition.bound)
            },
        ]));
    }
    for parent in &table.inherits {
        lines.push(line(&[format!("inherits {name} {}", plain(parent))]));
    }
    for trigger in table.triggers.iter().filter(|trigger| !trigger.cloned) {
        let mut columns: Vec<&str> = trigger.columns.iter().map(|column| &**column).collect();
        columns.sort_unstable();
        lines.push(line(&[
            format!("trigger {name}.{}", trigger.name),
            plain(&trigger.function),
            columns.join(","),
            trigger.row.to_string(),
        ]));
    }
    for policy in &table.policies {
        lines.push(line(&[format!("policy {name}.{}", policy.name)]));
    }
    for rule in &table.rules {
        lines.push(line(&[format!("rule {name}.{}", rule.name)]));
    }
    for statistics in &table.statistics {
        let key = format!("statistics {}", plain(&statistics.name));
        lines.push(line(&[key, name.clone()]));
    }
    let clones = table.triggers.iter().filter(|trigger| trigger.cloned);
    for trigger in clones {
        lines.push(line(&[format!("trigger copy {name}.{}", trigger.name)]));
    }
}

fn column_line(table: &str, position: usize, column: &Column) -> String {
    let default = match (&column.sequence, &column.default) {
        (Some(sequence), _) => format!("nextval('{sequence}')"),
        (None, Some(default)) => expression(default),
        (None, None) => String::new(),
    };
    let generated = column.generated.as_ref().map(|generated| {
        let letter = if generated.stored { "s" } else { "v" };
        format!("{letter} {}", expression(&generated.expr))
    });
    let identity = match column.identity {
        Some(Identity::Always) => "a",
        Some(Identity::ByDefault) => "d",
        None => "",
    };
    line(&[
        format!("column {table}.{position:02} {}", column.name),
        column_type(column),
        column.not_null.to_string(),
        default,
        generated.unwrap_or_default(),
        identity.to_owned(),
        column.collation.as_deref().unwrap_or_default().to_owned(),
        column.comment.as_deref().unwrap_or_default().to_owned(),
    ])
}

fn column_type(column: &Column) -> String {
    column.ty.as_ref().map_or_else(
        || UNKNOWN.to_owned(),
        |ty| type_text(ty, column.user_type.as_ref()),
    )
}

fn constraint_line(table: &str, constraint: &Constraint) -> String {
    let names = |columns: &[Ident]| {
        let names: Vec<&str> = columns.iter().map(|column| &*column.text).collect();
        names.join(",")
    };
    let (kind, columns, referenced, expr) = match &constraint.def.kind {
        ConstraintKind::NotNull(column) => {
            ("n", column.text.to_string(), String::new(), String::new())
        }
        ConstraintKind::Check(expr) => {
            let mut columns: Vec<&str> = expr.columns().collect();
            columns.sort_unstable();
            columns.dedup();
            ("c", columns.join(","), String::new(), expression(expr))
        }
        ConstraintKind::PrimaryKey(key) => ("p", names(&key.columns), String::new(), String::new()),
        ConstraintKind::Unique(key) => ("u", names(&key.columns), String::new(), String::new()),
        ConstraintKind::Exclude { elements, .. } => {
            ("x", elements_text(elements), String::new(), String::new())
        }
        ConstraintKind::ForeignKey(key) => (
            "f",
            names(&key.columns),
            names(&key.referenced),
            String::new(),
        ),
    };
    line(&[
        format!("constraint {table}.{}", constraint.name),
        kind.to_owned(),
        columns,
        constraint.valid.to_string(),
        constraint
            .references
            .as_ref()
            .map(plain)
            .unwrap_or_default(),
        referenced,
        expr,
    ])
}

fn index_line(index: &Index) -> String {
    line(&[
        format!("index {}", plain(&index.name)),
        plain(&index.table),
        index.unique.to_string(),
        elements_text(&index.elements),
        index
            .include
            .iter()
            .map(|column| &*column.text)
            .collect::<Vec<_>>()
            .join(","),
        index.predicate.as_ref().map(expression).unwrap_or_default(),
        index.valid.to_string(),
        index.constraint.as_deref().unwrap_or_default().to_owned(),
        index.parent.as_ref().map(plain).unwrap_or_default(),
    ])
}

fn view_line(view: &View) -> String {
    let mut reads: Vec<String> = view.reads.iter().map(plain).collect();
    reads.sort();
    reads.dedup();
    let columns: Vec<&str> = view.columns.iter().map(|column| &**column).collect();
    line(&[
        format!("view {}", plain(&view.name)),
        if view.materialized { "m" } else { "v" }.to_owned(),
        view.populated.to_string(),
        if columns.is_empty() {
            UNKNOWN.to_owned()
        } else {
            columns.join(",")
        },
        reads.join(","),
    ])
}

fn elements_text(elements: &[Element]) -> String {
    let parts: Vec<String> = elements
        .iter()
        .map(|element| match (&element.column, &element.expr) {
            (Some(column), _) => column.text.to_string(),
            (None, Some(expr)) => expression(expr),
            (None, None) => UNKNOWN.to_owned(),
        })
        .collect();
    parts.join(",")
}

fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| field.replace('\n', " "))
        .collect();
    fields.join(SEPARATOR)
}

/// A name without quotes.
fn plain(name: &QualifiedName) -> String {
    format!("{}.{}", name.schema, name.name)
}
