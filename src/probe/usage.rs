//! Whether a query uses a relation or a column.

use crate::statement::{
    Change, ChangeVerb, Expr, ExprKind, Insert, Kind, Name, QualifiedName, Query, Statement,
};

/// How deep expressions and queries are looked into.
const DEEPEST: usize = 64;

/// True if the statement uses the relation, or the column of it if one is named. A star uses every column; a column
/// without its table's name counts for every table of the query.
#[must_use]
pub fn uses(statement: &Statement, relation: &QualifiedName, column: Option<&str>) -> bool {
    let wanted = Wanted { relation, column };
    let direct = match &statement.kind {
        Kind::Select(query) => wanted.query(query, 0),
        Kind::Insert(insert) => wanted.insert(insert),
        Kind::Change(change) | Kind::Merge(change) => wanted.change(change, 0),
        Kind::CreateTableAs(create) => wanted.query(&create.query, 0),
        Kind::Copy {
            table: Some(table), ..
        } => wanted.is(table),
        _ => false,
    };
    direct
        || statement
            .nested
            .iter()
            .any(|nested| uses(&nested.statement, relation, column))
}

struct Wanted<'a> {
    relation: &'a QualifiedName,
    column: Option<&'a str>,
}

impl Wanted<'_> {
    /// True for the relation; a name without a schema may be any.
    fn is(&self, name: &Name) -> bool {
        *name.name == *self.relation.name
            && name
                .schema
                .as_ref()
                .is_none_or(|schema| **schema == *self.relation.schema)
    }

    fn query(&self, query: &Query, depth: usize) -> bool {
        let named = query
            .reads
            .iter()
            .chain(&query.locked)
            .any(|name| self.is(name));
        let here = named
            && self.column.is_none_or(|column| {
                query.mentions.iter().any(|mention| {
                    let fits = *mention.column == *column || *mention.column == *"*";
                    fits && mention.relation.as_ref().is_none_or(|alias| {
                        query.aliases.iter().all(|(known, _)| known != alias)
                            || query
                                .aliases
                                .iter()
                                .any(|(known, name)| known == alias && self.is(name))
                    })
                })
            });
        // What a change inside WITH sets is not kept: it may be the column.
        let sets = |change: &Change| {
            let writes = matches!(change.verb, ChangeVerb::Insert | ChangeVerb::Update);
            self.is(&change.table.name) && (writes || self.column.is_none())
        };
        here || query
            .changes
            .iter()
            .any(|change| sets(change) || depth < DEEPEST && self.change(change, depth + 1))
    }

    fn insert(&self, insert: &Insert) -> bool {
        let into = self.is(&insert.table)
            && self.column.is_none_or(|column| {
                insert.columns.is_empty() || insert.columns.iter().any(|name| *name.text == *column)
            });
        into || self.query(&insert.query, 0)
    }

    fn change(&self, change: &Change, depth: usize) -> bool {
        let Some(column) = self.column else {
            return self.is(&change.table.name) || self.query(&change.query, depth);
        };
        let own = self.is(&change.table.name);
        let assigned = change
            .assignments
            .iter()
            .any(|(name, _)| *name.text == *column);
        let expressions = change
            .assignments
            .iter()
            .map(|(_, value)| value)
            .chain(&change.condition);
        let mentioned = expressions
            .into_iter()
            .any(|expr| mentions(expr, column, 0))
            || change
                .query
                .mentions
                .iter()
                .any(|mention| *mention.column == *column || *mention.column == *"*");
        own && (assigned || mentioned) || self.query(&change.query, depth)
    }
}

/// True if the expression names the column.
fn mentions(expr: &Expr, column: &str, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match &expr.kind {
        ExprKind::Column(parts) => parts.last().is_some_and(|part| **part == *column),
        ExprKind::Subquery(query) => query.mentions.iter().any(|m| *m.column == *column),
        _ => expr
            .children()
            .into_iter()
            .any(|child| mentions(child, column, depth + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_text;

    #[test]
    fn queries_use_what_they_name() {
        let orders = QualifiedName::new("public", "orders");
        for (sql, expected) in [
            ("SELECT note FROM orders", true),
            (
                "SELECT o.note FROM orders o JOIN users u ON u.id = o.user_id",
                true,
            ),
            (
                "SELECT u.note FROM orders o JOIN users u ON u.id = o.user_id",
                false,
            ),
            ("SELECT * FROM orders WHERE id = $1", true),
            ("SELECT o.* FROM orders o", true),
            ("SELECT count(*) FROM orders", false),
            ("SELECT id FROM orders ORDER BY note", true),
            ("SELECT note FROM other.orders", false),
            ("SELECT note FROM users", false),
            (
                "SELECT 1 FROM users WHERE EXISTS (SELECT FROM orders WHERE note = $1)",
                true,
            ),
            ("UPDATE orders SET note = $1 WHERE id = $2", true),
            ("UPDATE orders SET total = $1 WHERE note = $2", true),
            ("UPDATE orders SET total = $1 WHERE id = $2", false),
            ("DELETE FROM orders WHERE note IS NULL", true),
            ("DELETE FROM orders WHERE id = $1 RETURNING note", true),
            ("INSERT INTO orders (id, note) VALUES ($1, $2)", true),
            ("INSERT INTO orders (id) VALUES ($1)", false),
            ("INSERT INTO orders VALUES ($1, $2)", true),
            (
                "WITH x AS (UPDATE orders SET note = $1 RETURNING id) SELECT id FROM x",
                true,
            ),
        ] {
            let parsed = parse_text(sql);
            let used = parsed
                .statements
                .iter()
                .any(|statement| uses(statement, &orders, Some("note")));
            assert_eq!(used, expected, "{sql}");
        }
    }
}
