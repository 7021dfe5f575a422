//! Which rows a data change touches, as far as its text and the schema tell.

use crate::schema::{Schema, Table};
use crate::statement::{
    Change, ChangeVerb, Expr, ExprKind, InsertRows, Kind, Name, Query, Statement,
};

/// How many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every row of the table: no condition, or one that is always true.
    Every,
    /// The rows of a condition that no key bounds.
    Many {
        /// A column is compared with constants: the rows may be few, which the files do not tell.
        selective: bool,
    },
    /// A batch, the rows of some keys, rows written in the statement, or those of a new table.
    Few,
}

/// A statement, or a part of one, that changes rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct DataChange<'a> {
    /// What it is, in SQL's words: `UPDATE`, `INSERT … SELECT`.
    pub what: &'static str,
    /// What it does; none for `COPY` and `CREATE TABLE AS`.
    pub verb: Option<ChangeVerb>,
    /// The table.
    pub table: &'a Name,
    /// Its rows.
    pub reach: Reach,
    /// The `UPDATE`, `DELETE` or `MERGE`.
    pub change: Option<&'a Change>,
    /// It stands in a `WITH` of the statement.
    pub inner: bool,
}

/// All data changes of a statement, the statement itself first.
#[must_use]
pub fn data_changes<'a>(statement: &'a Statement, schema: &Schema) -> Vec<DataChange<'a>> {
    let outer = |what, verb, table, reach, change| DataChange {
        what,
        verb,
        table,
        reach,
        change,
        inner: false,
    };
    let (first, query) = match &statement.kind {
        Kind::Change(change) | Kind::Merge(change) => (
            Some(outer(
                word(change.verb),
                Some(change.verb),
                &change.table.name,
                of_change(change, &change.query, schema),
                Some(&**change),
            )),
            &change.query,
        ),
        Kind::Insert(insert) => (
            (insert.rows == InsertRows::Query).then(|| {
                outer(
                    word(ChangeVerb::Insert),
                    Some(ChangeVerb::Insert),
                    &insert.table,
                    of_query(&insert.query, schema),
                    None,
                )
            }),
            &insert.query,
        ),
        Kind::CreateTableAs(create) => (
            create.with_data.then(|| {
                let reach = of_query(&create.query, schema);
                outer(statement.tag, None, &create.name, reach, None)
            }),
            &create.query,
        ),
        Kind::Copy {
            table: Some(table),
            from: true,
        } => {
            let reach = Reach::Many { selective: true };
            return vec![outer("COPY", None, table, reach, None)];
        }
        Kind::Select(query) => (None, &**query),
        _ => return Vec::new(),
    };
    let inner = query
        .changes
        .iter()
        .filter(|change| change.verb != ChangeVerb::Insert)
        .map(|change| DataChange {
            what: word(change.verb),
            verb: Some(change.verb),
            table: &change.table.name,
            reach: of_change(change, query, schema),
            change: Some(change),
            inner: true,
        });
    first.into_iter().chain(inner).collect()
}

fn word(verb: ChangeVerb) -> &'static str {
    match verb {
        ChangeVerb::Insert => "INSERT … SELECT",
        ChangeVerb::Update => "UPDATE",
        ChangeVerb::Delete => "DELETE",
        ChangeVerb::Merge => "MERGE",
    }
}

/// Rows of an `UPDATE`, `DELETE` or `MERGE`. `around` is what the whole statement reads.
fn of_change(change: &Change, around: &Query, schema: &Schema) -> Reach {
    let batch = around.limited_source;
    let key = schema.resolve(&change.table.name);
    if schema.is_fresh(&key) || is_system_catalog(&change.table.name) {
        return Reach::Few;
    }
    let scope = Scope {
        table: schema
            .table_at(&key)
            .map(|table| &**table)
            .filter(|table| table.known),
        schema,
        lone: around.reads.is_empty(),
    };
    if change.verb == ChangeVerb::Merge {
        return if batch || around.reads.is_empty() {
            Reach::Few
        } else {
            Reach::Many { selective: false }
        };
    }
    let Some(condition) = &change.condition else {
        return Reach::Every;
    };
    if scope.is_always_true(condition) {
        Reach::Every
    } else if batch || scope.bounds(condition) {
        Reach::Few
    } else {
        let selective = scope.compares_with_constants(condition);
        Reach::Many { selective }
    }
}

/// True for PostgreSQL's own tables, which are small. PostgreSQL keeps the prefix for itself.
fn is_system_catalog(name: &Name) -> bool {
    match &name.schema {
        Some(schema) => matches!(&**schema, "pg_catalog" | "information_schema"),
        None => name.name.starts_with("pg_"),
    }
}

/// Rows that a query hands to an `INSERT` or a new table.
fn of_query(query: &Query, schema: &Schema) -> Reach {
    let existing: Vec<&Name> = query
        .reads
        .iter()
        .filter(|read| !schema.is_fresh(&schema.resolve(read)))
        .collect();
    // Rows that a change in WITH returns are as many as that change touches.
    if existing.is_empty() || query.has_limit || query.limited_source || !query.changes.is_empty() {
        return Reach::Few;
    }
    let Some(condition) = &query.condition else {
        return Reach::Many { selective: false };
    };
    let scope = |table: &Name| Scope {
        table: schema
            .table(table)
            .map(|table| &**table)
            .filter(|table| table.known),
        schema,
        lone: existing.len() == 1,
    };
    // Rows of several tables are few only if those of each are.
    if existing.iter().all(|table| scope(table).bounds(condition)) {
        return Reach::Few;
    }
    let selective = existing
        .iter()
        .any(|table| scope(table).compares_with_constants(condition));
    Reach::Many { selective }
}

/// What a condition is judged with.
struct Scope<'a> {
    /// The table, if its columns are known.
    table: Option<&'a Table>,
    schema: &'a Schema,
    /// No other relation is read: a name that is no column of the table is a variable or stands for a written row.
    lone: bool,
}

impl Scope<'_> {
    fn is_always_true(&self, condition: &Expr) -> bool {
        match &condition.kind {
            ExprKind::Literal(crate::statement::Literal::Bool(value)) => *value,
            ExprKind::And(parts) => parts.iter().all(|part| self.is_always_true(part)),
            ExprKind::Or(parts) => parts.iter().any(|part| self.is_always_true(part)),
            ExprKind::Operator { name, args } => match (&**name, args.as_slice()) {
                ("=" | ">=" | "<=", [left, right]) => {
                    left.same(right)
                        && (matches!(left.kind, ExprKind::Literal(_)) || self.is_not_null(left))
                }
                ("<>", [left, right]) => match (&left.kind, &right.kind) {
                    (ExprKind::Literal(a), ExprKind::Literal(b)) => {
                        a != b && std::mem::discriminant(a) == std::mem::discriminant(b)
                    }
                    _ => false,
                },
                _ => false,
            },
            ExprKind::IsNotNull(inner) => self.is_not_null(inner),
            _ => false,
        }
    }

    fn is_not_null(&self, expr: &Expr) -> bool {
        expr.as_column().is_some_and(|name| {
            self.table
                .and_then(|table| table.column(name))
                .is_some_and(|column| column.not_null)
        })
    }

    /// True if a condition leaves the rows of some keys, of a range of keys, or of a batch.
    fn bounds(&self, condition: &Expr) -> bool {
        if let ExprKind::Or(parts) = &condition.kind {
            return !parts.is_empty() && parts.iter().all(|part| self.bounds(part));
        }
        let mut parts = Vec::new();
        conjuncts(condition, &mut parts);
        let mut pinned: Vec<&str> = Vec::new();
        let (mut above, mut below): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for part in parts {
            match &part.kind {
                ExprKind::Or(_) if self.bounds(part) => return true,
                ExprKind::Operator { name, args } => match (&**name, args.as_slice()) {
                    ("in" | "any" | "=", [_, value]) if is_batch(value) => return true,
                    ("=", [left, right]) => {
                        pinned.extend(self.compared(left, &[right]));
                        pinned.extend(self.compared(right, &[left]));
                    }
                    ("in" | "any", [column, values @ ..]) => {
                        pinned.extend(self.listed(column, values));
                    }
                    ("between", [column, low, high]) => {
                        let column = self.compared(column, &[low, high]);
                        above.extend(column);
                        below.extend(column);
                    }
                    (">" | ">=", [left, right]) => {
                        above.extend(self.compared(left, &[right]));
                        below.extend(self.compared(right, &[left]));
                    }
                    ("<" | "<=", [left, right]) => {
                        below.extend(self.compared(left, &[right]));
                        above.extend(self.compared(right, &[left]));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        self.holds_key(&pinned)
            || above
                .iter()
                .any(|column| below.contains(column) && self.leads_an_index(column))
    }

    /// The column, if one is compared with nothing but values that are the same for every row.
    fn compared<'e>(&self, column: &'e Expr, values: &[&Expr]) -> Option<&'e str> {
        let ExprKind::Column(parts) = &column.kind else {
            return None;
        };
        let name: &str = parts.last()?;
        let is_own = self.table.is_none_or(|table| table.column(name).is_some());
        let constant = |value: &Expr| {
            value.walk().all(|part| match &part.kind {
                ExprKind::Column(other) => self.lone && self.is_variable(other, parts),
                // One value.
                ExprKind::Subquery(_) => std::ptr::eq(part, value),
                _ => true,
            })
        };
        (is_own && values.iter().all(|value| constant(value))).then_some(name)
    }

    /// The same for a list of values, which is not what a query finds: that may be long.
    fn listed<'e>(&self, column: &'e Expr, values: &[Expr]) -> Option<&'e str> {
        let is_query = |value: &Expr| matches!(value.kind, ExprKind::Subquery(_));
        if values.iter().any(is_query) {
            return None;
        }
        let values: Vec<&Expr> = values.iter().collect();
        self.compared(column, &values)
    }

    /// True for a name that is no column of the table: a PL/pgSQL variable, a column of `VALUES`.
    fn is_variable(&self, name: &[Box<str>], beside: &[Box<str>]) -> bool {
        if let ([qualifier, _], [own, _]) = (name, beside)
            && qualifier == own
        {
            return false;
        }
        match (name, self.table) {
            ([name], Some(table)) => table.column(name).is_none(),
            ([qualifier, _], Some(table)) => **qualifier != *table.name.name,
            _ => true,
        }
    }

    /// True if the columns hold all of a unique key. Of an unknown table only usual names are taken for keys.
    fn holds_key(&self, columns: &[&str]) -> bool {
        const USUAL: [&str; 8] = [
            "id", "uuid", "key", "code", "slug", "email", "version", "name",
        ];
        let Some(table) = self.table else {
            return columns
                .iter()
                .any(|column| USUAL.contains(column) || column.ends_with("_id"));
        };
        self.schema
            .indexes_of(&table.name)
            .filter(|index| index.unique && index.predicate.is_none())
            .any(|index| {
                index.elements.iter().all(|element| {
                    element
                        .column
                        .as_ref()
                        .is_some_and(|column| columns.contains(&&*column.text))
                })
            })
    }

    /// True if a range of the column is a part of the table that an index finds, or a partition key.
    fn leads_an_index(&self, column: &str) -> bool {
        // The place of a row: a range of it is a range of blocks.
        let Some(table) = self.table else { return true };
        column == "ctid"
            || self
                .schema
                .indexes_of(&table.name)
                .any(|index| index.columns().next() == Some(column))
    }

    /// True if some part of the condition compares a column with constants for equality.
    fn compares_with_constants(&self, condition: &Expr) -> bool {
        let mut parts = Vec::new();
        conjuncts(condition, &mut parts);
        parts.into_iter().any(|part| match &part.kind {
            ExprKind::Operator { name, args } => match (&**name, args.as_slice()) {
                ("=", [left, right]) => {
                    self.compared(left, &[right]).is_some()
                        || self.compared(right, &[left]).is_some()
                }
                ("in" | "any", [column, values @ ..]) => self.listed(column, values).is_some(),
                _ => false,
            },
            _ => false,
        })
    }
}

/// The parts of a conjunction, of those inside it too.
fn conjuncts<'e>(condition: &'e Expr, parts: &mut Vec<&'e Expr>) {
    let mut stack = vec![condition];
    while let Some(next) = stack.pop() {
        match &next.kind {
            ExprKind::And(inner) => stack.extend(inner.iter().rev()),
            _ => parts.push(next),
        }
    }
}

/// A sub-query with a `LIMIT`, alone or in `ARRAY(…)`.
fn is_batch(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Subquery(query) => query.has_limit || query.limited_source,
        ExprKind::Array(parts) => matches!(parts.as_slice(), [part] if is_batch(part)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Origin;
    use crate::source::{Location, SourceId, Span};

    /// What the history before made.
    const WORLD: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, number text NOT NULL UNIQUE, \
         status text, placed_at timestamptz, total numeric, shop_id bigint, line int); \
         CREATE TABLE lines (order_id bigint, no int, price numeric, PRIMARY KEY (order_id, no)); \
         CREATE INDEX ON orders (placed_at); CREATE INDEX ON orders (status);";

    fn reach(sql: &str) -> Vec<(&'static str, Reach)> {
        let mut schema = Schema::default();
        for (number, statement) in crate::sql::parse_text(WORLD).statements.iter().enumerate() {
            let origin = Origin {
                location: Location {
                    source: SourceId(0),
                    span: Span::default(),
                },
                batch: 0,
                statement: u32::try_from(number).expect("few"),
            };
            schema.apply(statement, origin);
        }
        schema.begin_batch(1);
        let parsed = crate::sql::parse_text(sql);
        assert!(parsed.errors.is_empty(), "{sql}: {:?}", parsed.errors);
        let changes = data_changes(&parsed.statements[0], &schema);
        changes.iter().map(|c| (c.what, c.reach)).collect()
    }

    const MANY: Reach = Reach::Many { selective: false };
    const MAYBE: Reach = Reach::Many { selective: true };

    #[test]
    fn the_rows_of_a_condition() {
        for (condition, expected) in [
            ("", Reach::Every),
            ("WHERE true", Reach::Every),
            ("WHERE 1 = 1", Reach::Every),
            ("WHERE 'a' = 'a' AND true", Reach::Every),
            ("WHERE 1 <> 2", Reach::Every),
            ("WHERE status = 'new' OR true", Reach::Every),
            ("WHERE id = id", Reach::Every),
            ("WHERE id IS NOT NULL", Reach::Every),
            // NULL rows are left out.
            ("WHERE status = status", MANY),
            ("WHERE status IS NOT NULL", MANY),
            ("WHERE false", MANY),
            ("WHERE id = 5", Reach::Few),
            ("WHERE 5 = id", Reach::Few),
            ("WHERE orders.id = $1 AND status = 'new'", Reach::Few),
            ("WHERE id IN (1, 2, 3)", Reach::Few),
            ("WHERE id = ANY ('{1,2}'::bigint[])", Reach::Few),
            ("WHERE id <> ANY ('{1,2}'::bigint[])", MANY),
            ("WHERE number = 'A1'", Reach::Few),
            ("WHERE id = 1 OR number = 'A1'", Reach::Few),
            ("WHERE id = 1 OR status = 'new'", MANY),
            ("WHERE status = 'new' AND (id = 1 OR id = 2)", Reach::Few),
            ("WHERE id = (SELECT max(order_id) FROM lines)", Reach::Few),
            ("WHERE id IN (SELECT order_id FROM lines)", MANY),
            (
                "WHERE id IN (SELECT id FROM orders WHERE total IS NULL LIMIT 1000)",
                Reach::Few,
            ),
            ("WHERE id NOT IN (SELECT id FROM orders LIMIT 1000)", MANY),
            (
                "WHERE ctid = ANY (ARRAY(SELECT ctid FROM orders LIMIT 1000))",
                Reach::Few,
            ),
            (
                "WHERE EXISTS (SELECT 1 FROM lines WHERE order_id = orders.id LIMIT 1)",
                MANY,
            ),
            ("WHERE id BETWEEN 1 AND 1000", Reach::Few),
            ("WHERE id NOT BETWEEN 1 AND 1000", MANY),
            ("WHERE id > 0 AND id <= 1000", Reach::Few),
            ("WHERE id > last_id AND id <= last_id + 1000", Reach::Few),
            ("WHERE id > 0", MANY),
            ("WHERE id > 0 AND total < 5", MANY),
            (
                "WHERE placed_at >= '2025-01-01' AND placed_at < '2025-02-01'",
                Reach::Few,
            ),
            ("WHERE total BETWEEN 1 AND 2", MANY),
            ("WHERE status = 'new'", MAYBE),
            ("WHERE shop_id IN (1, 2) AND total > 5", MAYBE),
            ("WHERE total IS NULL", MANY),
            ("WHERE lower(number) = 'a1'", MANY),
            // A column of the table beside the key.
            ("WHERE id = line", MANY),
            ("WHERE id = v_id", Reach::Few),
        ] {
            let sql = format!("UPDATE orders SET total = 0 {condition}");
            assert_eq!(reach(&sql), [("UPDATE", expected)], "{condition}");
        }
    }

    #[test]
    fn sources_of_rows() {
        for (sql, expected) in [
            ("DELETE FROM orders", vec![("DELETE", Reach::Every)]),
            (
                "DELETE FROM lines WHERE order_id = 5",
                vec![("DELETE", MAYBE)],
            ),
            (
                "DELETE FROM lines WHERE order_id = 5 AND no = 1",
                vec![("DELETE", Reach::Few)],
            ),
            (
                "UPDATE orders o SET total = v.t FROM (VALUES (1, 2)) v (id, t) WHERE o.id = v.id",
                vec![("UPDATE", Reach::Few)],
            ),
            (
                "UPDATE orders o SET total = l.price FROM lines l WHERE o.id = l.order_id",
                vec![("UPDATE", MANY)],
            ),
            (
                "WITH batch AS (SELECT id FROM orders LIMIT 500 FOR UPDATE SKIP LOCKED) \
                 UPDATE orders o SET total = 0 FROM batch WHERE o.id = batch.id",
                vec![("UPDATE", Reach::Few)],
            ),
            (
                "WITH gone AS (DELETE FROM lines RETURNING *) INSERT INTO old SELECT * FROM gone",
                vec![("INSERT … SELECT", Reach::Few), ("DELETE", Reach::Every)],
            ),
            ("INSERT INTO lines VALUES (1, 1, 1)", vec![]),
            (
                "INSERT INTO lines SELECT 1, 1, 1",
                vec![("INSERT … SELECT", Reach::Few)],
            ),
            (
                "INSERT INTO lines SELECT id, 1, total FROM orders",
                vec![("INSERT … SELECT", MANY)],
            ),
            (
                "INSERT INTO lines SELECT id, 1, total FROM orders LIMIT 10",
                vec![("INSERT … SELECT", Reach::Few)],
            ),
            (
                "INSERT INTO lines SELECT id, 1, total FROM orders WHERE number = 'A1'",
                vec![("INSERT … SELECT", Reach::Few)],
            ),
            ("SELECT * FROM orders", vec![]),
            ("COPY orders FROM STDIN", vec![("COPY", MAYBE)]),
            ("COPY orders TO STDOUT", vec![]),
            (
                "CREATE TABLE x AS SELECT * FROM orders",
                vec![("CREATE TABLE AS", MANY)],
            ),
            (
                "CREATE TABLE x AS SELECT * FROM orders WITH NO DATA",
                vec![],
            ),
            // Of a table that the history does not make, usual names are taken for keys.
            (
                "DELETE FROM elsewhere WHERE id = 5",
                vec![("DELETE", Reach::Few)],
            ),
            (
                "DELETE FROM elsewhere WHERE status = 'new'",
                vec![("DELETE", MAYBE)],
            ),
            (
                "MERGE INTO orders USING lines ON id = order_id WHEN MATCHED THEN DELETE",
                vec![("MERGE", MANY)],
            ),
        ] {
            assert_eq!(reach(sql), expected, "{sql}");
        }
    }
}
