//! Change types of XML, YAML and JSON changelogs, lowered to the SQL that Liquibase sends to PostgreSQL, and the way
//! back that Liquibase makes by itself.
//!
//! Read off the tool's output (`update-sql`, `future-rollback-sql`); `tests/it/tools` compares the two again. What a
//! changelog asks for and Liquibase leaves out on PostgreSQL (`checkConstraint`) is left out here as well.

use super::column::{self, Column};
use super::data;
use super::document::Element;
use super::text::{Sql, Text};
use super::types::Type;

/// What a change does.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Its statements.
    pub(super) up: Vec<Sql>,
    /// Those of the way back that Liquibase knows by itself; none if it knows none.
    pub(super) down: Option<Vec<Sql>>,
}

impl Change {
    pub(super) fn one_way(up: Vec<Sql>) -> Self {
        Self { up, down: None }
    }

    pub(super) fn both(up: Vec<Sql>, down: Vec<Sql>) -> Self {
        Self {
            up,
            down: Some(down),
        }
    }
}

/// Why a change has no SQL here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It lacks an attribute.
    Lacks(&'static str),
    /// It is no change that is known here.
    Type,
}

/// An attribute that a change must have.
pub(super) fn need<'e>(change: &'e Element, name: &'static str) -> Result<&'e Text, Unknown> {
    change.get(name).ok_or(Unknown::Lacks(name))
}

/// A table as a change names it.
#[derive(Clone, Copy)]
pub(super) struct Table<'e> {
    pub(super) schema: Option<&'e Text>,
    pub(super) name: &'e Text,
}

impl<'e> Table<'e> {
    pub(super) fn of(
        change: &'e Element,
        schema: &str,
        name: &'static str,
    ) -> Result<Self, Unknown> {
        Ok(Self {
            schema: change.get(schema),
            name: need(change, name)?,
        })
    }

    /// `ALTER TABLE <table>` and a blank.
    pub(super) fn alter(&self, change: &Element) -> Sql {
        Sql::new(change.head)
            .add("ALTER TABLE ")
            .qualified(self.schema, self.name)
            .add(" ")
    }

    pub(super) fn drop_constraint(&self, change: &Element, name: &Text) -> Sql {
        self.alter(change).add("DROP CONSTRAINT ").name(name)
    }

    pub(super) fn alter_column(&self, change: &Element, column: &Text) -> Sql {
        self.alter(change)
            .add("ALTER COLUMN ")
            .name(column)
            .add(" ")
    }
}

/// Lowers one change.
pub(super) fn lower(change: &Element) -> Result<Change, Unknown> {
    Ok(match change.name.as_str() {
        "createTable" => create_table(change)?,
        "addColumn" => add_column(change)?,
        "dropColumn" => drop_column(change)?,
        "modifyDataType" => modify_data_type(change)?,
        "createIndex" => create_index(change)?,
        "dropIndex" => {
            let sql = Sql::new(change.head)
                .add("DROP INDEX ")
                .qualified(change.get("schemaName"), need(change, "indexName")?);
            Change::one_way(vec![sql])
        }
        "addForeignKeyConstraint" => add_foreign_key(change)?,
        "dropForeignKeyConstraint" => {
            let table = Table::of(change, "baseTableSchemaName", "baseTableName")?;
            let name = need(change, "constraintName")?;
            Change::one_way(vec![table.drop_constraint(change, name)])
        }
        "addNotNullConstraint" => add_not_null(change)?,
        "dropNotNullConstraint" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let column = need(change, "columnName")?;
            Change::both(
                vec![table.alter_column(change, column).add("DROP NOT NULL")],
                vec![table.alter_column(change, column).add("SET NOT NULL")],
            )
        }
        "addUniqueConstraint" => add_key(change, "UNIQUE")?,
        "addPrimaryKey" => add_key(change, "PRIMARY KEY")?,
        "dropUniqueConstraint" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let name = need(change, "constraintName")?;
            Change::one_way(vec![table.drop_constraint(change, name)])
        }
        "dropPrimaryKey" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            Change::one_way(vec![drop_primary_key(change, table)])
        }
        "renameColumn" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let (old, new) = (
                need(change, "oldColumnName")?,
                need(change, "newColumnName")?,
            );
            let rename = |old, new| {
                let sql = table.alter(change).add("RENAME COLUMN ").name(old);
                sql.add(" TO ").name(new)
            };
            Change::both(vec![rename(old, new)], vec![rename(new, old)])
        }
        "renameTable" => rename(change, "TABLE", "oldTableName", "newTableName")?,
        // As Liquibase has it.
        "renameView" => rename(change, "TABLE", "oldViewName", "newViewName")?,
        "renameSequence" => rename(change, "SEQUENCE", "oldSequenceName", "newSequenceName")?,
        "dropTable" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let cascade = if change.is_on("cascadeConstraints") {
                " CASCADE"
            } else {
                ""
            };
            let sql = drop(change, "TABLE ", table.schema, table.name).add(cascade);
            Change::one_way(vec![sql])
        }
        "dropView" => {
            let name = need(change, "viewName")?;
            let exists = if change.is_on("ifExists") {
                "VIEW IF EXISTS "
            } else {
                "VIEW "
            };
            Change::one_way(vec![drop(change, exists, change.get("schemaName"), name)])
        }
        "dropProcedure" => {
            let name = need(change, "procedureName")?;
            let sql = drop(change, "PROCEDURE ", change.get("schemaName"), name);
            Change::one_way(vec![sql])
        }
        "createSequence" => {
            let name = need(change, "sequenceName")?;
            let schema = change.get("schemaName");
            let sql = Sql::new(change.head)
                .add("CREATE SEQUENCE IF NOT EXISTS ")
                .qualified(schema, name);
            Change::both(
                vec![sequence_options(change, sql, true)],
                vec![drop_sequence(change, schema, name)],
            )
        }
        "alterSequence" => {
            let sql = Sql::new(change.head)
                .add("ALTER SEQUENCE ")
                .qualified(change.get("schemaName"), need(change, "sequenceName")?);
            Change::one_way(vec![sequence_options(change, sql, false)])
        }
        "dropSequence" => {
            let name = need(change, "sequenceName")?;
            let sql = drop_sequence(change, change.get("schemaName"), name);
            Change::one_way(vec![sql])
        }
        "insert" => data::insert(change)?,
        "update" => data::update(change)?,
        "delete" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let sql = Sql::new(change.head)
                .add("DELETE FROM ")
                .qualified(table.schema, table.name);
            Change::one_way(vec![data::filter(change, sql)])
        }
        "addDefaultValue" => add_default(change)?,
        "dropDefaultValue" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let sql = table.alter_column(change, need(change, "columnName")?);
            Change::one_way(vec![sql.add("DROP DEFAULT")])
        }
        "addLookupTable" => data::add_lookup_table(change)?,
        "mergeColumns" => data::merge_columns(change)?,
        "setTableRemarks" | "setColumnRemarks" => {
            let table = Table::of(change, "schemaName", "tableName")?;
            let remarks = change.given("remarks").ok_or(Unknown::Lacks("remarks"))?;
            Change::one_way(vec![if change.name == "setTableRemarks" {
                comment(change, "TABLE", table, None, remarks)
            } else {
                let column = need(change, "columnName")?;
                comment(change, "COLUMN", table, Some(column), remarks)
            }])
        }
        "addAutoIncrement" => add_auto_increment(change)?,
        // They send nothing.
        "tagDatabase" | "empty" | "output" => Change::both(Vec::new(), Vec::new()),
        _ => return Err(Unknown::Type),
    })
}

pub(super) fn drop(change: &Element, what: &str, schema: Option<&Text>, name: &Text) -> Sql {
    Sql::new(change.head)
        .add("DROP ")
        .add(what)
        .qualified(schema, name)
}

fn drop_sequence(change: &Element, schema: Option<&Text>, name: &Text) -> Sql {
    drop(change, "SEQUENCE ", schema, name).add(" CASCADE")
}

fn comment(
    change: &Element,
    what: &str,
    table: Table<'_>,
    column: Option<&Text>,
    remarks: &Text,
) -> Sql {
    let mut sql = Sql::new(change.head)
        .add("COMMENT ON ")
        .add(what)
        .add(" ")
        .qualified(table.schema, table.name);
    if let Some(column) = column {
        sql = sql.add(".").name(column);
    }
    sql.add(" IS ").literal(remarks)
}

fn rename(
    change: &Element,
    what: &str,
    old: &'static str,
    new: &'static str,
) -> Result<Change, Unknown> {
    let (old, new) = (need(change, old)?, need(change, new)?);
    let schema = change.get("schemaName");
    let one = |from, to| {
        Sql::new(change.head)
            .add("ALTER ")
            .add(what)
            .add(" ")
            .qualified(schema, from)
            .add(" RENAME TO ")
            .name(to)
    };
    Ok(Change::both(vec![one(old, new)], vec![one(new, old)]))
}

fn create_table(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let columns: Vec<Column<'_>> = Column::all(change);
    let mut sql = Sql::new(change.head).add("CREATE ");
    if let Some(kind) = change.get("tableType") {
        sql = sql.text(kind).add(" ");
    }
    sql = sql.add("TABLE ");
    if change.is_on("ifNotExists") {
        sql = sql.add("IF NOT EXISTS ");
    }
    sql = sql.qualified(table.schema, table.name).add(" (");
    let mut parts: Vec<Sql> = columns
        .iter()
        .map(|column| column.definition(column.is_key() || column.is_not_null(), false))
        .collect();
    parts.extend(column::primary_key(change, table.name, &columns));
    parts.extend(columns.iter().filter_map(Column::inline_foreign_key));
    parts.extend(column::unique(change, &columns));
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sql = sql.add(", ");
        }
        sql = sql.sql(part);
    }
    sql = sql.add(")");
    if let Some(space) = change.get("tablespace") {
        sql = sql.add(" TABLESPACE ").name(space);
    }
    let mut up = vec![sql];
    up.extend(
        change
            .get("remarks")
            .map(|remarks| comment(change, "TABLE", table, None, remarks)),
    );
    up.extend(column_comments(change, table, &columns));
    let down = drop(change, "TABLE ", table.schema, table.name);
    Ok(Change::both(up, vec![down]))
}

fn column_comments(change: &Element, table: Table<'_>, columns: &[Column<'_>]) -> Vec<Sql> {
    let remarks = columns
        .iter()
        .filter_map(|column| Some((column.name, column.element.get("remarks")?)));
    remarks
        .map(|(name, remarks)| comment(change, "COLUMN", table, Some(name), remarks))
        .collect()
}

fn add_column(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let columns = Column::all(change);
    let mut up = Vec::new();
    for column in &columns {
        // A value is filled in first, so that there is no NULL when the constraint comes.
        let is_filled = column.value("value").is_some();
        let not_null = column.is_key() || (column.is_not_null() && !is_filled);
        let mut sql = table
            .alter(column.element)
            .add("ADD ")
            .sql(&column.definition(not_null, true));
        if column.is_key() {
            sql = sql.add(" PRIMARY KEY");
        }
        up.push(sql);
        if column.is_unique() {
            let sql = table.alter(column.element).add("ADD ");
            up.push(sql.sql(&column::unique_of(column)));
        }
        up.extend(
            column
                .foreign_key()
                .map(|key| table.alter(column.element).add("ADD ").sql(&key)),
        );
    }
    for column in &columns {
        if let Some(value) = column.value("value") {
            let sql = Sql::new(column.element.head)
                .add("UPDATE ")
                .qualified(table.schema, table.name);
            up.push(sql.add(" SET ").name(column.name).add(" = ").sql(&value));
        }
    }
    for column in &columns {
        if column.value("value").is_some() && column.is_not_null() && !column.is_key() {
            let sql = table.alter_column(column.element, column.name);
            up.push(sql.add("SET NOT NULL"));
        }
    }
    up.extend(column_comments(change, table, &columns));
    let defaults = columns
        .iter()
        .filter(|column| column.value("defaultValue").is_some())
        .map(|column| {
            let sql = table.alter_column(column.element, column.name);
            sql.add("DROP DEFAULT")
        });
    let mut down: Vec<Sql> = defaults.collect();
    down.extend(columns.iter().map(|column| {
        let sql = table.alter(column.element).add("DROP COLUMN ");
        sql.name(column.name)
    }));
    Ok(Change::both(up, down))
}

fn drop_column(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let mut names: Vec<&Text> = change.get("columnName").into_iter().collect();
    names.extend(change.all("column").filter_map(|column| column.get("name")));
    if names.is_empty() {
        return Err(Unknown::Lacks("columnName"));
    }
    let drop = |name| table.alter(change).add("DROP COLUMN ").name(name);
    Ok(Change::one_way(names.into_iter().map(drop).collect()))
}

fn modify_data_type(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let column = need(change, "columnName")?;
    let written = need(change, "newDataType")?;
    let ty = Type::of(&written.value);
    let sql = table
        .alter_column(change, column)
        .add("TYPE ")
        .ty(written, &ty)
        .add(" USING (")
        .name(column)
        .add("::")
        .add(&ty.sql)
        .add(")");
    Ok(Change::one_way(vec![sql]))
}

fn create_index(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let name = need(change, "indexName")?;
    let drop = drop(change, "INDEX ", table.schema, name);
    // A key's own index: PostgreSQL has one, or Liquibase leaves it to it.
    let belongs = change.value("associatedWith").unwrap_or_default();
    if !belongs.is_empty() && belongs != "none" {
        return Ok(Change::both(Vec::new(), vec![drop]));
    }
    let unique = if change.is_on("unique") {
        "UNIQUE "
    } else {
        ""
    };
    let mut sql = Sql::new(change.head)
        .add("CREATE ")
        .add(unique)
        .add("INDEX ")
        .name(name)
        .add(" ON ")
        .qualified(table.schema, table.name)
        .add("(");
    for (index, column) in change.all("column").enumerate() {
        let name = need(column, "name")?;
        if index > 0 {
            sql = sql.add(", ");
        }
        let is_expression = column.is_on("computed") || name.value.contains('(');
        sql = if is_expression {
            sql.text(name)
        } else {
            sql.name(name)
        };
        if column.is_on("descending") {
            sql = sql.add(" DESC");
        }
    }
    sql = sql.add(")");
    if let Some(space) = change.get("tablespace") {
        sql = sql.add(" TABLESPACE ").name(space);
    }
    let mut up = vec![sql];
    if change.is_on("clustered") {
        let sql = Sql::new(change.head)
            .add("CLUSTER ")
            .qualified(table.schema, table.name);
        up.push(sql.add(" USING ").name(name));
    }
    Ok(Change::both(up, vec![drop]))
}

fn add_foreign_key(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "baseTableSchemaName", "baseTableName")?;
    let name = need(change, "constraintName")?;
    let target = Table::of(change, "referencedTableSchemaName", "referencedTableName")?;
    let mut sql = table
        .alter(change)
        .add("ADD CONSTRAINT ")
        .name(name)
        .add(" FOREIGN KEY (")
        .names(&need(change, "baseColumnNames")?.list())
        .add(") REFERENCES ")
        .qualified(target.schema, target.name)
        .add(" (")
        .names(&need(change, "referencedColumnNames")?.list())
        .add(")");
    // RESTRICT is what PostgreSQL's NO ACTION is taken for, and left out.
    let action = |attribute: &str| {
        change
            .get(attribute)
            .filter(|action| !action.value.eq_ignore_ascii_case("RESTRICT"))
    };
    if let Some(action) = action("onUpdate") {
        sql = sql.add(" ON UPDATE ").text(action);
    }
    if let Some(action) = action("onDelete") {
        sql = sql.add(" ON DELETE ").text(action);
    } else if change.is_on("deleteCascade") && change.get("onDelete").is_none() {
        sql = sql.add(" ON DELETE CASCADE");
    }
    sql = deferred(change, sql);
    if change.is_off("validate") {
        sql = sql.add(" NOT VALID");
    }
    let down = table.drop_constraint(change, name);
    Ok(Change::both(vec![sql], vec![down]))
}

/// Adds `DEFERRABLE` and `INITIALLY DEFERRED`.
pub(super) fn deferred(element: &Element, mut sql: Sql) -> Sql {
    if element.is_on("deferrable") {
        sql = sql.add(" DEFERRABLE");
    }
    if element.is_on("initiallyDeferred") {
        sql = sql.add(" INITIALLY DEFERRED");
    }
    sql
}

fn add_not_null(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let column = need(change, "columnName")?;
    let mut up = Vec::new();
    if let Some(value) = change
        .get("defaultNullValue")
        .filter(|value| !value.value.eq_ignore_ascii_case("NULL"))
    {
        let sql = Sql::new(change.head)
            .add("UPDATE ")
            .qualified(table.schema, table.name)
            .add(" SET ")
            .name(column)
            .add(" = ");
        let is_call = column::is_call(&value.value);
        let sql = if is_call {
            sql.text(value)
        } else {
            sql.literal(value)
        };
        up.push(sql.add(" WHERE ").name(column).add(" IS NULL"));
    }
    up.push(table.alter_column(change, column).add("SET NOT NULL"));
    let down = table.alter_column(change, column).add("DROP NOT NULL");
    Ok(Change::both(up, vec![down]))
}

fn add_key(change: &Element, kind: &str) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let name = change.get("constraintName");
    let mut sql = table.alter(change).add("ADD ");
    if let Some(name) = name {
        sql = sql.add("CONSTRAINT ").name(name).add(" ");
    }
    sql = sql
        .add(kind)
        .add(" (")
        .names(&need(change, "columnNames")?.list())
        .add(")");
    if let Some(space) = change.get("tablespace") {
        sql = sql.add(" USING INDEX TABLESPACE ").name(space);
    }
    if kind == "UNIQUE" {
        sql = deferred(change, sql);
    }
    let down = match name {
        Some(name) => table.drop_constraint(change, name),
        None if kind == "UNIQUE" => {
            // Liquibase drops a constraint `null` then: there is no way back.
            return Ok(Change::one_way(vec![sql]));
        }
        None => drop_primary_key(change, table),
    };
    Ok(Change::both(vec![sql], vec![down]))
}

/// Liquibase looks the name up in the catalog if it is not given; it is the one that PostgreSQL makes.
fn drop_primary_key(change: &Element, table: Table<'_>) -> Sql {
    match change.get("constraintName") {
        Some(name) => table.drop_constraint(change, name),
        None => table
            .alter(change)
            .add("DROP CONSTRAINT ")
            .sql(&column::key_name(change, table.name)),
    }
}

fn sequence_options(change: &Element, mut sql: Sql, is_new: bool) -> Sql {
    if let Some(ty) = change.get("dataType") {
        sql = sql.add(" AS ").text(ty);
    }
    let start = if is_new { "startValue" } else { "" };
    for (attribute, words) in [
        (start, " START WITH "),
        ("incrementBy", " INCREMENT BY "),
        ("minValue", " MINVALUE "),
        ("maxValue", " MAXVALUE "),
        ("cacheSize", " CACHE "),
    ] {
        // A cache of nothing is none.
        let value = change
            .get(attribute)
            .filter(|value| attribute != "cacheSize" || value.value.trim() != "0");
        if let Some(value) = value {
            sql = sql.add(words).text(value);
        }
    }
    if change.is_on("cycle") {
        sql = sql.add(" CYCLE");
    }
    sql
}

fn add_default(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let column = need(change, "columnName")?;
    let value =
        column::value_of(change, "defaultValue", None).ok_or(Unknown::Lacks("defaultValue"))?;
    let sql = table.alter_column(change, column);
    let mut up = vec![sql.add("SET DEFAULT ").sql(&value)];
    if let Some(sequence) = change.get("defaultValueSequenceNext") {
        let sql = Sql::new(change.head)
            .add("ALTER SEQUENCE ")
            .text(sequence)
            .add(" OWNED BY ");
        let sql = sql.qualified(table.schema, table.name);
        up.push(sql.add(".").name(column));
    }
    let down = table.alter_column(change, column).add("DROP DEFAULT");
    Ok(Change::both(up, vec![down]))
}

fn add_auto_increment(change: &Element) -> Result<Change, Unknown> {
    let table = Table::of(change, "schemaName", "tableName")?;
    let column = need(change, "columnName")?;
    let name = Text {
        value: format!("{}_{}_seq", table.name.value, column.value),
        map: crate::source::SpanMap::generated(column.span),
        span: column.span,
    };
    let mut create = Sql::new(change.head)
        .add("CREATE SEQUENCE IF NOT EXISTS ")
        .qualified(table.schema, &name);
    for (attribute, words) in [
        ("startWith", " START WITH "),
        ("incrementBy", " INCREMENT BY "),
    ] {
        if let Some(value) = change.get(attribute) {
            create = create.add(words).text(value);
        }
    }
    let sequence = Sql::new(change.head)
        .qualified(table.schema, &name)
        .into_text();
    let default = table
        .alter_column(change, column)
        .add("SET DEFAULT nextval(")
        .literal(&sequence)
        .add(")");
    let owned = Sql::new(change.head)
        .add("ALTER SEQUENCE ")
        .qualified(table.schema, &name)
        .add(" OWNED BY ")
        .qualified(table.schema, table.name)
        .add(".")
        .name(column);
    Ok(Change::one_way(vec![
        create,
        table.alter_column(change, column).add("SET NOT NULL"),
        default,
        owned,
    ]))
}
