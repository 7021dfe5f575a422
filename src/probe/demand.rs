//! What pending constraints demand of rows that are there already.

use super::{Plan, Unknown};
use crate::effect::volatility;
use crate::replay::Step;
use crate::source::{Location, Span};
use crate::sql::lex::Lexer;
use crate::statement::{
    AlterAction, ColumnChange, ConstraintDef, ConstraintKind, Expr, ExprKind, ForeignKey, Ident,
    Kind, Name, QualifiedName, Volatility,
};

/// One demand, with a query for rows that do not meet it.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The table whose rows are meant.
    pub table: QualifiedName,
    /// Tables that the query reads besides.
    others: Vec<QualifiedName>,
    /// What they would break: `NOT NULL of `note``.
    pub what: String,
    /// Returns a row if one breaks it.
    pub query: String,
    /// The statement that demands it.
    pub place: Location,
}

impl Demand {
    /// Takes the locks of the query without waiting for them.
    #[must_use]
    pub fn before(&self) -> String {
        let tables: Vec<String> = std::iter::once(&self.table)
            .chain(&self.others)
            .map(full)
            .collect();
        // The system's own names first: nobody's function takes the place of one of them.
        format!(
            "SET LOCAL search_path = pg_catalog, {}; LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT",
            quoted(&self.table.schema),
            tables.join(", ")
        )
    }
}

impl Plan<'_> {
    /// What pending statements demand of rows, and what could not be understood.
    #[must_use]
    pub fn demands(&self) -> (Vec<Demand>, Vec<Unknown>) {
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for (step, place) in self.steps() {
            let mut add = |demand: Result<Option<Demand>, Unknown>| match demand {
                Ok(demand) => found.extend(demand),
                Err(reason) => unknown.push(reason),
            };
            match &step.statement.kind {
                Kind::CreateIndex(create) if create.unique => {
                    let columns: Option<Vec<&Ident>> = create
                        .elements
                        .iter()
                        .map(|element| element.column.as_ref())
                        .collect();
                    if let (Some(columns), None, false) =
                        (columns, &create.predicate, create.nulls_not_distinct)
                    {
                        let table = step.before.resolve(&create.table);
                        add(Ok(Some(unique(table, &columns, place))));
                    }
                }
                Kind::AlterTable(alter) => {
                    for action in &alter.actions {
                        self.action(step, &alter.name, action, place, &mut add);
                    }
                }
                _ => {}
            }
        }
        (found, unknown)
    }

    fn action(
        &self,
        step: &Step<'_>,
        table: &Name,
        action: &AlterAction,
        place: Location,
        add: &mut dyn FnMut(Result<Option<Demand>, Unknown>),
    ) {
        let name = step.before.resolve(table);
        match action {
            AlterAction::AlterColumn(alter) if matches!(alter.change, ColumnChange::SetNotNull) => {
                add(Ok(Some(not_null(name, &alter.column, place))));
            }
            AlterAction::AddConstraint(def) if !def.not_enforced => {
                add(self.constraint(step, name, def, place));
            }
            AlterAction::ValidateConstraint(constraint) => {
                let known = step.before.table(table);
                let def = known.and_then(|table| table.constraint(&constraint.text));
                // One that the same plan added was asked about there.
                if let Some(constraint) = def
                    && let source = constraint.created.location.source
                    && !self.steps().any(|(_, place)| place.source == source)
                {
                    let def = &constraint.def;
                    let text = self.text(constraint.created.location.source, def.span);
                    add(check_or(step, name, def, text, place));
                }
            }
            _ => {}
        }
    }

    fn constraint(
        &self,
        step: &Step<'_>,
        table: QualifiedName,
        def: &ConstraintDef,
        place: Location,
    ) -> Result<Option<Demand>, Unknown> {
        check_or(step, table, def, self.text(place.source, def.span), place)
    }

    /// The text of a file; none in a file that is not SQL.
    fn text(&self, source: crate::source::SourceId, span: Span) -> Option<&str> {
        let source = self.sources.get(source.0 as usize)?;
        (!source.path.ends_with(".py")).then(|| source.slice(span))
    }
}

fn check_or(
    step: &Step<'_>,
    table: QualifiedName,
    def: &ConstraintDef,
    text: Option<&str>,
    place: Location,
) -> Result<Option<Demand>, Unknown> {
    Ok(match &def.kind {
        ConstraintKind::NotNull(column) => Some(not_null(table, column, place)),
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            let columns: Vec<&Ident> = key.columns.iter().collect();
            (!columns.is_empty()).then(|| unique(table, &columns, place))
        }
        ConstraintKind::ForeignKey(key) => orphans(step, table, key, place),
        ConstraintKind::Exclude { .. } => None,
        ConstraintKind::Check(checked) => {
            let Some(expression) = text.and_then(parenthesised) else {
                return Err(Unknown::new(
                    format!(
                        "whether rows of `{}` break a CHECK that is about to be added is not known: its text is not in a SQL file",
                        table.short()
                    ),
                    "ask by hand",
                ));
            };
            let query = format!(
                "SELECT 1 AS one FROM {} WHERE NOT ({expression}) LIMIT 1",
                full(&table)
            );
            let what = format!("CHECK ({})", one_line(expression));
            if let Some(reason) = not_to_be_run(checked) {
                return Err(Unknown::new(
                    format!(
                        "whether rows of `{}` break {what} is not known: {reason}",
                        table.short()
                    ),
                    format!("ask by hand: {query}"),
                ));
            }
            Some(Demand {
                what,
                others: Vec::new(),
                query,
                table,
                place,
            })
        }
    })
}

/// Why an expression is not evaluated. It comes with a migration that nobody may have approved yet, and in a transaction
/// that only reads a function can still end sessions, read files or write over a connection of its own.
fn not_to_be_run(expression: &Expr) -> Option<String> {
    expression.walk().find_map(|part| match &part.kind {
        ExprKind::Call {
            schema: None, name, ..
        } if &**name == "nullif"
            || volatility::builtin(name).is_some_and(|class| class != Volatility::Volatile) =>
        {
            None
        }
        ExprKind::Call { name, .. } => Some(format!(
            "it calls `{name}()`, and only functions of PostgreSQL itself that are not volatile are run here"
        )),
        ExprKind::Subquery(_) => Some("it holds a query".to_owned()),
        ExprKind::Other(parts) if parts.is_empty() => {
            Some("it is not understood in full".to_owned())
        }
        _ => None,
    })
}

fn not_null(table: QualifiedName, column: &Ident, place: Location) -> Demand {
    let query = format!(
        "SELECT 1 AS one FROM {} WHERE {} IS NULL LIMIT 1",
        full(&table),
        quoted(&column.text)
    );
    Demand {
        what: format!("NOT NULL of `{}`", column.text),
        others: Vec::new(),
        query,
        table,
        place,
    }
}

fn unique(table: QualifiedName, columns: &[&Ident], place: Location) -> Demand {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.text)).collect();
    let present: Vec<String> = names
        .iter()
        .map(|name| format!("{name} IS NOT NULL"))
        .collect();
    let query = format!(
        "SELECT 1 AS one FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
        full(&table),
        present.join(" AND "),
        names.join(", ")
    );
    let shown: Vec<&str> = columns.iter().map(|column| &*column.text).collect();
    Demand {
        what: format!("UNIQUE ({})", shown.join(", ")),
        others: Vec::new(),
        query,
        table,
        place,
    }
}

fn orphans(
    step: &Step<'_>,
    table: QualifiedName,
    key: &ForeignKey,
    place: Location,
) -> Option<Demand> {
    let parent = step.before.resolve(&key.table);
    let referenced = step.before.referenced_columns(key);
    if referenced.len() != key.columns.len() || key.columns.is_empty() {
        return None;
    }
    let present: Vec<String> = key
        .columns
        .iter()
        .map(|column| format!("x.{} IS NOT NULL", quoted(&column.text)))
        .collect();
    let same: Vec<String> = key
        .columns
        .iter()
        .zip(&referenced)
        .map(|(own, other)| format!("x.{} = y.{}", quoted(&own.text), quoted(&other.text)))
        .collect();
    let query = format!(
        "SELECT 1 AS one FROM {} x WHERE {} AND NOT EXISTS (SELECT FROM {} y WHERE {}) LIMIT 1",
        full(&table),
        present.join(" AND "),
        full(&parent),
        same.join(" AND ")
    );
    let shown: Vec<&str> = key.columns.iter().map(|column| &*column.text).collect();
    Some(Demand {
        what: format!("FOREIGN KEY ({}) to `{}`", shown.join(", "), parent.short()),
        others: vec![parent],
        query,
        table,
        place,
    })
}

/// A name that is quoted whatever it is: the search path holds only the system's own names.
fn full(name: &QualifiedName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn quoted(name: &str) -> String {
    crate::statement::quoted(name)
}

fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('`', "'")
}

/// What stands between the first parenthesis and its counterpart.
fn parenthesised(text: &str) -> Option<&str> {
    let mut open = None;
    let mut depth = 0_usize;
    for token in Lexer::new(text) {
        if token.is_mark(text, "(") {
            depth += 1;
            open = open.or(Some(token.span.range().end));
        } else if token.is_mark(text, ")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return text.get(open?..token.span.range().start);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expression_of_a_check_is_between_its_parentheses() {
        for (text, expected) in [
            (
                "CONSTRAINT a CHECK (total > 0) NOT VALID",
                Some("total > 0"),
            ),
            (
                "CHECK (a IN (1, 2) AND b <> ')')",
                Some("a IN (1, 2) AND b <> ')'"),
            ),
            ("CHECK (/* ) */ a)", Some("/* ) */ a")),
            ("CHECK (a", None),
            ("a", None),
        ] {
            assert_eq!(parenthesised(text), expected, "{text}");
        }
    }
}
