//! Changes that write rows: `insert`, `update`, `delete`, and those that make new ones out of old.

use super::change::{Change, Table, Unknown, drop, need};
use super::column::{self, Column};
use super::document::Element;
use super::text::{Sql, Text};
use super::types::Type;

pub(super) fn insert(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let columns = Column::all(change);
    let names: Vec<Text> = columns.iter().map(|column| column.name.clone()).collect();
    let mut sql = Sql::new(change.head)
        .add("INSERT INTO ")
        .qualified(table.schema, table.name)
        .add(" (")
        .names(&names)
        .add(") VALUES (");
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            sql = sql.add(", ");
        }
        sql = match column.value("value") {
            Some(value) => sql.sql(&value),
            None => sql.add("NULL"),
        };
    }
    Ok(Change::one_way(vec![sql.add(")")]))
}

pub(super) fn update(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let mut sql = Sql::new(change.head)
        .add("UPDATE ")
        .qualified(table.schema, table.name)
        .add(" SET ");
    for (index, column) in Column::all(change).iter().enumerate() {
        if index > 0 {
            sql = sql.add(", ");
        }
        sql = sql.name(column.name).add(" = ");
        sql = match column.value("value") {
            Some(value) => sql.sql(&value),
            None => sql.add("NULL"),
        };
    }
    Ok(Change::one_way(vec![filter(change, sql)]))
}

/// Adds the condition of an `update` or `delete`, with the parameters `:name` and `:value` filled in.
pub(super) fn filter(change: &Element, mut sql: Sql) -> Sql {
    let Some(condition) = change
        .child("where")
        .and_then(|child| child.text.as_ref())
        .or_else(|| change.get("where"))
        .map(Text::trimmed)
        .filter(|condition| !condition.value.is_empty())
    else {
        return sql;
    };
    let params: Vec<&Element> = change
        .child("whereParams")
        .map(|params| params.all("param").collect())
        .unwrap_or_default();
    let (mut names, mut values) = (params.iter(), params.iter());
    sql = sql.add(" WHERE ");
    let mut start = 0;
    while let Some(at) = condition.value[start..].find(':').map(|at| start + at) {
        let rest = &condition.value[at..];
        let (filled, length) = if rest.starts_with(":name") {
            let name = names.next().and_then(|param| param.get("name"));
            (name.map(|name| Sql::new(change.head).name(name)), 5)
        } else if rest.starts_with(":value") {
            let value = values
                .next()
                .map(|param| column::value_of(param, "value", None));
            (value.flatten(), 6)
        } else {
            (None, 1)
        };
        match filled {
            Some(filled) => sql = sql.copy(&condition, start..at).sql(&filled),
            None => sql = sql.copy(&condition, start..at + length),
        }
        start = at + length;
    }
    let end = condition.value.len();
    sql.copy(&condition, start..end)
}

pub(super) fn add_lookup_table(change: &Element) -> Result<Change, Unknown> {
    let old = Table::of(change, "existingTableSchemaName", "existingTableName")?;
    let new = Table::of(change, "newTableSchemaName", "newTableName")?;
    let old_column = need(change, "existingColumnName")?;
    let new_column = need(change, "newColumnName")?;
    let name = match change.get("constraintName") {
        Some(name) => Sql::new(change.head).name(name),
        None => Sql::new(change.head)
            .add(&format!("fk_{}_{}", old.name.value, new.name.value).to_ascii_lowercase()),
    };
    let create = Sql::new(change.head)
        .add("CREATE TABLE ")
        .qualified(new.schema, new.name)
        .add(" AS SELECT DISTINCT ")
        .name(old_column)
        .add(" AS ")
        .name(new_column)
        .add(" FROM ")
        .qualified(old.schema, old.name)
        .add(" WHERE ")
        .name(old_column)
        .add(" IS NOT NULL");
    let not_null = new.alter_column(change, new_column).add("SET NOT NULL");
    let key = new.alter(change).add("ADD PRIMARY KEY (").name(new_column);
    let foreign = old
        .alter(change)
        .add("ADD CONSTRAINT ")
        .sql(&name)
        .add(" FOREIGN KEY (")
        .name(old_column)
        .add(") REFERENCES ")
        .qualified(new.schema, new.name)
        .add(" (")
        .name(new_column)
        .add(")");
    let down = vec![
        old.alter(change).add("DROP CONSTRAINT ").sql(&name),
        drop(change, "TABLE ", new.schema, new.name),
    ];
    Ok(Change::both(
        vec![create, not_null, key.add(")"), foreign],
        down,
    ))
}

pub(super) fn merge_columns(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let (first, second) = (need(change, "column1Name")?, need(change, "column2Name")?);
    let whole = need(change, "finalColumnName")?;
    let written = need(change, "finalColumnType")?;
    let add = table
        .alter(change)
        .add("ADD ")
        .name(whole)
        .add(" ")
        .ty(written, &Type::of(&written.value));
    let mut fill = Sql::new(change.head)
        .add("UPDATE ")
        .qualified(table.schema, table.name)
        .add(" SET ")
        .name(whole)
        .add(" = ")
        .name(first)
        .add(" || ");
    fill = match change.given("joinString") {
        Some(join) => fill.literal(join),
        None => fill.add("''"),
    };
    fill = fill.add(" || ").name(second);
    let drop = |name| table.alter(change).add("DROP COLUMN ").name(name);
    Ok(Change::one_way(vec![add, fill, drop(first), drop(second)]))
}
