//! What a migration tool's own table says: which migrations ran, and what is wrong with them.
//!
//! What dbmate, node-pg-migrate, Drizzle, sql-migrate, Sqitch, Liquibase, Alembic, sqlx, refinery and Diesel write is what
//! they wrote into real databases (`tests/it/tools/state.rs` runs them). The tables of golang-migrate, goose, tern, Atlas,
//! Flyway, Prisma and Supabase are known from their sources and documentation alone. Of checksums, those of Liquibase and
//! Sqitch are not known, and Alembic, dbmate, node-pg-migrate, sql-migrate and Diesel keep none.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::checksum;
use crate::layout::{self, Direction, Layout, Script};
use crate::probe::{Applied, Ask, Refused, RefusedKind, Standing, ToolState, Unknown};
use crate::source::Source;
use crate::statement::QualifiedName;

type Row = Map<String, Value>;

/// A tool's table.
struct Table {
    layout: &'static str,
    /// The schema that the tool always puts it in; none for whatever is first in the search path.
    schema: Option<&'static str>,
    name: &'static str,
    /// The setting that gives it another name.
    setting: Option<&'static str>,
    /// A column that tells it from tables of other tools with the same name.
    column: &'static str,
    /// The order in which migrations ran.
    order: &'static str,
    read: fn(&Row) -> Option<Standing>,
    /// A table with a row while somebody migrates, and its columns: taken, by whom.
    lock: Option<(&'static str, &'static str, &'static str)>,
}

const fn table(
    layout: &'static str,
    name: &'static str,
    column: &'static str,
    read: fn(&Row) -> Option<Standing>,
) -> Table {
    Table {
        layout,
        schema: None,
        name,
        setting: None,
        column,
        order: "1",
        read,
        lock: None,
    }
}

static TABLES: &[Table] = &[
    table("golang-migrate", "schema_migrations", "dirty", |row| {
        let dirty = row.get("dirty").and_then(Value::as_bool) == Some(true);
        Some(Standing {
            version: text(row, "version")?,
            ok: !dirty,
            trouble: dirty
                .then(|| "dirty: it failed half way, and the tool refuses to go on".to_owned()),
            ..Standing::default()
        })
    }),
    table("dbmate", "schema_migrations", "version", |row| {
        ran(row, "version")
    }),
    Table {
        schema: Some("supabase_migrations"),
        ..table("supabase", "schema_migrations", "version", |row| {
            ran(row, "version")
        })
    },
    Table {
        setting: Some("table"),
        order: "installed_rank",
        ..table("flyway", "flyway_schema_history", "installed_rank", |row| {
            let ok = row.get("success").and_then(Value::as_bool) == Some(true);
            if text(row, "type").is_some_and(|kind| kind.starts_with("UNDO") || kind == "DELETE") {
                return None;
            }
            Some(Standing {
                version: text(row, "version").or_else(|| text(row, "script"))?,
                ok,
                trouble: (!ok).then(|| "failed".to_owned()),
                checksum: text(row, "checksum"),
                ..Standing::default()
            })
        })
    },
    table("alembic", "alembic_version", "version_num", |row| {
        ran(row, "version_num")
    }),
    Table {
        order: "started_at",
        ..table("prisma", "_prisma_migrations", "migration_name", |row| {
            if text(row, "rolled_back_at").is_some() {
                return None;
            }
            let ok = text(row, "finished_at").is_some();
            Some(Standing {
                version: text(row, "migration_name")?,
                ok,
                trouble: (!ok).then(|| {
                    "started and never finished, and `prisma migrate deploy` refuses to go on"
                        .to_owned()
                }),
                checksum: text(row, "checksum"),
                ..Standing::default()
            })
        })
    },
    Table {
        order: "id",
        ..table("goose", "goose_db_version", "is_applied", |row| {
            Some(Standing {
                version: text(row, "version_id")?,
                ok: row.get("is_applied").and_then(Value::as_bool) == Some(true),
                ..Standing::default()
            })
        })
    },
    Table {
        order: "version",
        ..table("sqlx", "_sqlx_migrations", "success", |row| {
            let ok = row.get("success").and_then(Value::as_bool) == Some(true);
            Some(Standing {
                version: text(row, "version")?,
                ok,
                trouble: (!ok).then(|| "dirty: it failed half way".to_owned()),
                checksum: text(row, "checksum"),
                ..Standing::default()
            })
        })
    },
    table("diesel", "__diesel_schema_migrations", "version", |row| {
        ran(row, "version")
    }),
    Table {
        order: "version",
        ..table("refinery", "refinery_schema_history", "version", |row| {
            Some(Standing {
                checksum: text(row, "checksum"),
                ..ran(row, "version")?
            })
        })
    },
    Table {
        schema: Some("atlas_schema_revisions"),
        order: "version",
        ..table("atlas", "atlas_schema_revisions", "applied", |row| {
            let number = |column| row.get(column).and_then(Value::as_i64).unwrap_or_default();
            let (applied, total) = (number("applied"), number("total"));
            let error = text(row, "error").filter(|error| !error.is_empty());
            let ok = applied >= total && error.is_none();
            Some(Standing {
                version: text(row, "version")?,
                ok,
                trouble: (!ok).then(|| format!("{applied} of {total} statements applied")),
                ..Standing::default()
            })
        })
    },
    Table {
        schema: Some("sqitch"),
        order: "committed_at",
        ..table("sqitch", "changes", "change", |row| ran(row, "change"))
    },
    Table {
        schema: Some("drizzle"),
        order: "id",
        ..table("drizzle", "__drizzle_migrations", "hash", |row| {
            Some(Standing {
                checksum: text(row, "hash"),
                moment: row.get("created_at").and_then(Value::as_i64),
                ..ran(row, "hash")?
            })
        })
    },
    table("node-pg-migrate", "pgmigrations", "name", |row| {
        ran(row, "name")
    }),
    table("sql-migrate", "gorp_migrations", "id", |row| ran(row, "id")),
    table("tern", "schema_version", "version", |row| {
        ran(row, "version")
    }),
    Table {
        order: "orderexecuted",
        lock: Some(("databasechangeloglock", "locked", "lockedby")),
        ..table("liquibase", "databasechangelog", "orderexecuted", |row| {
            let ok = text(row, "exectype").as_deref() != Some("FAILED");
            Some(Standing {
                version: format!("{}:{}", text(row, "author")?, text(row, "id")?),
                ok,
                trouble: (!ok).then(|| "failed".to_owned()),
                ..Standing::default()
            })
        })
    },
];

fn text(row: &Row, column: &str) -> Option<String> {
    match row.get(column)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn ran(row: &Row, column: &str) -> Option<Standing> {
    Some(Standing {
        version: text(row, column)?,
        ok: true,
        ..Standing::default()
    })
}

#[derive(Deserialize)]
struct Place {
    schema: String,
    readable: bool,
}

#[derive(Deserialize)]
struct Data {
    row: Row,
}

const FIND: &str = "\
SELECT n.nspname::text AS schema, has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN json_to_record($1::json) AS t(schema text, name text, \"column\" text)
     ON c.relname = t.name AND (t.schema IS NULL OR n.nspname = t.schema)
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = t.\"column\" AND NOT a.attisdropped)
ORDER BY n.nspname <> 'public', n.nspname
LIMIT 10";

/// True if the tool keeps a table that is known here.
pub(super) fn has_table(layout: &Layout) -> bool {
    TABLES.iter().any(|table| table.layout == layout.name)
}

/// Reads the table of a tool. What is not known is said in the answer; the only error is a connection that is gone.
pub(super) fn read(
    layout: &Layout,
    settings: &BTreeMap<String, String>,
    user: &str,
    asker: &mut dyn Ask,
) -> ToolState {
    let Some(table) = TABLES.iter().find(|table| table.layout == layout.name) else {
        return ToolState::Unknown(Unknown::new(
            format!(
                "the layout `{}` keeps no table of what was applied",
                layout.name
            ),
            "name the last applied migration with --after, or the pending files themselves",
        ));
    };
    match try_read(table, settings, user, asker) {
        Ok(state) => state,
        Err(refused) => ToolState::Unknown(Unknown {
            reason: format!(
                "which migrations are applied cannot be read from `{}`: {}",
                table.name, refused.message
            ),
            help: Some("name the last applied migration with --after".to_owned()),
        }),
    }
}

fn try_read(
    table: &Table,
    settings: &BTreeMap<String, String>,
    user: &str,
    asker: &mut dyn Ask,
) -> Result<ToolState, Refused> {
    let name = table
        .setting
        .and_then(|setting| settings.get(setting))
        .map_or(table.name, String::as_str);
    let wanted = json!({"schema": table.schema, "name": name, "column": table.column});
    let places: Vec<Place> = rows(&asker.ask(None, FIND, Some(&wanted.to_string()))?)?;
    let Some(place) = places.first() else {
        return Ok(ToolState::Fresh);
    };
    let shown = QualifiedName::new(&place.schema, name);
    if !place.readable {
        let schema = crate::statement::quoted(&place.schema);
        return Ok(ToolState::Unknown(Unknown::new(
            format!("the role `{user}` may not read `{shown}`, so what is pending is not known"),
            format!("GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT ON {shown} TO {user}"),
        )));
    }
    let full = full(&place.schema, name);
    let query = format!(
        "SELECT to_jsonb(t) AS row FROM {full} t ORDER BY {} LIMIT 100000",
        table.order
    );
    let before = format!("LOCK TABLE {full} IN ACCESS SHARE MODE NOWAIT");
    let data: Vec<Data> = rows(&asker.ask(Some(&before), &query, None)?)?;
    let mut migrations: Vec<Standing> = data
        .iter()
        .filter_map(|data| (table.read)(&data.row))
        .collect();
    if table.layout == "goose" {
        migrations = last_of_each(migrations);
    }
    let locked = match table.lock {
        None => None,
        Some((lock, taken, by)) => {
            let full = self::full(&place.schema, lock);
            let query = format!("SELECT to_jsonb(t) AS row FROM {full} t WHERE {taken} LIMIT 1");
            // A tool that never ran has no lock table.
            let data = asker.ask(None, &query, None).unwrap_or_default();
            let data: Vec<Data> = rows(&data).unwrap_or_default();
            data.first()
                .map(|data| text(&data.row, by).unwrap_or_else(|| "somebody".to_owned()))
        }
    };
    Ok(ToolState::Known(Applied {
        table: shown.to_string(),
        migrations,
        locked,
        ..Applied::default()
    }))
}

/// A name that is quoted whatever it is.
fn full(schema: &str, name: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{}.{}", quoted(schema), quoted(name))
}

fn rows<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, Refused> {
    serde_json::from_str(text).map_err(|error| Refused {
        kind: RefusedKind::Other,
        message: format!("its rows are not the expected ones: {error}"),
    })
}

/// goose keeps a row for each way up and down; the last one counts, and version 0 is none.
fn last_of_each(rows: Vec<Standing>) -> Vec<Standing> {
    let mut last: Vec<Standing> = Vec::new();
    for row in rows.into_iter().filter(|row| row.version != "0") {
        last.retain(|other| other.version != row.version);
        if row.ok {
            last.push(row);
        }
    }
    last
}

/// Which scripts have run, by what the table says.
pub(super) fn applied(
    layout: &Layout,
    scripts: &[Script],
    sources: &[Source],
    state: &Applied,
) -> Vec<bool> {
    // One row, or one for each head: it stands for everything before it.
    if ["golang-migrate", "tern", "alembic"].contains(&layout.name) {
        let mut all = vec![false; scripts.len()];
        for row in &state.migrations {
            for (all, one) in all
                .iter_mut()
                .zip(layout::applied(layout, scripts, &row.version).unwrap_or_default())
            {
                *all |= one;
            }
        }
        return all;
    }
    if layout.name == "sqitch" {
        // A change that was reworked stands in the plan several times: as often as it is in the table it ran.
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &state.migrations {
            *left.entry(row.version.as_str()).or_default() += 1;
        }
        let ran = |script: &Script| {
            let count = left.get_mut(change_of(script));
            script.direction != Direction::Down
                && count.is_some_and(|count| {
                    let any = *count > 0;
                    *count = count.saturating_sub(1);
                    any
                })
        };
        return scripts.iter().map(ran).collect();
    }
    scripts
        .iter()
        .map(|script| {
            if let Some(moment) = journal_moment(layout, script, sources) {
                // Drizzle looks at nothing but the newest moment in its table.
                let newest = state.migrations.iter().filter_map(|row| row.moment).max();
                return newest.is_some_and(|newest| newest >= moment);
            }
            state.migrations.iter().any(|row| {
                row.ok
                    && is_of(layout, script, sources, row)
                    // A script without a version runs again whenever it changed.
                    && (script.direction != Direction::Repeatable
                        || checksum::of(layout, script, sources)
                            .is_none_or(|sum| row.checksum.as_deref() == Some(&sum)))
            })
        })
        .collect()
}

/// Whether a row is about a script.
pub(super) fn is_of(layout: &Layout, script: &Script, sources: &[Source], row: &Standing) -> bool {
    let version = row.version.as_str();
    let file = script.path.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let directory = script.path.rsplit('/').nth(1).unwrap_or_default();
    if layout.name == "drizzle" {
        let moment = journal_moment(layout, script, sources);
        return moment.is_some() && moment == row.moment
            || checksum::of(layout, script, sources).is_some_and(|sum| sum == version);
    }
    let same = |other: &str| !other.is_empty() && other == version;
    if same(&script.version) || same(&script.key) || same(file) || same(stem) || same(directory) {
        return true;
    }
    if layout.name == "sqitch" {
        return same(change_of(script));
    }
    // `001` and `1`; only where both are versions.
    let numeric = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    numeric(version)
        && numeric(&script.version)
        && layout
            .compare
            .is_some_and(|compare| compare(&script.version, version) == Ordering::Equal)
        && ["flyway", "goose", "refinery", "sqlx", "diesel"].contains(&layout.name)
}

/// The name of a change of Sqitch, without the tag behind it if it was reworked.
fn change_of(script: &Script) -> &str {
    let version = script.version.as_str();
    version.split_once('@').map_or(version, |(name, _)| name)
}

/// The moment that Drizzle's journal gives a script.
fn journal_moment(layout: &Layout, script: &Script, sources: &[Source]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Journal {
        entries: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        tag: String,
        when: i64,
    }
    if layout.name != "drizzle" {
        return None;
    }
    let path = &sources[script.source.0 as usize].path;
    let (directory, file) = path.rsplit_once('/').unwrap_or((".", path));
    let tag = file.strip_suffix(".sql")?;
    let journal = sources.iter().find(|source| {
        let directory_of = source.path.strip_suffix("meta/_journal.json");
        directory_of
            .is_some_and(|of| of.trim_end_matches('/') == directory.trim_start_matches("./"))
    })?;
    let journal: Journal = serde_json::from_str(&journal.text).ok()?;
    journal
        .entries
        .into_iter()
        .find(|entry| entry.tag == tag)
        .map(|entry| entry.when)
}

/// Rows of migrations whose file is gone, and files that changed since they ran.
pub(super) fn differences(
    layout: &Layout,
    scripts: &[Script],
    sources: &[Source],
    state: &Applied,
) -> (Vec<String>, Vec<(usize, String)>) {
    let mut missing = Vec::new();
    let mut changed = Vec::new();
    for row in &state.migrations {
        let script = scripts.iter().enumerate().find(|(_, script)| {
            script.direction != Direction::Down && is_of(layout, script, sources, row)
        });
        match script {
            None => missing.push(row.version.clone()),
            Some((index, script)) if script.direction == Direction::Up && row.ok => {
                if let (Some(then), Some(now)) =
                    (&row.checksum, checksum::of(layout, script, sources))
                    && *then != now
                {
                    // Drizzle's table knows migrations by their hashes alone.
                    let version = if layout.name == "drizzle" {
                        &script.version
                    } else {
                        &row.version
                    };
                    changed.push((index, version.clone()));
                }
            }
            Some(_) => {}
        }
    }
    (missing, changed)
}
