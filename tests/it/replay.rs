//! The replayed schema against the truth: whole histories run on real servers, and what the catalog then holds is
//! compared with what the model holds, object by object.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lockgate::probe::drift::{self, Difference, TableRow};
use lockgate::schema::Schema;
use lockgate::statement::{Kind, Statement};
use lockgate::testing::replay::{self, SEPARATOR, UNKNOWN};
use postgres::Client;
use postgres::types::{ToSql, Type};

use crate::servers;

#[path = "replay/generate.rs"]
pub(crate) mod generate;

/// The oldest and the newest major at hand.
pub(crate) fn ends() -> Vec<u32> {
    let majors = servers::majors();
    let mut ends: Vec<u32> = majors
        .first()
        .into_iter()
        .chain(majors.last())
        .copied()
        .collect();
    ends.dedup();
    ends
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn fixtures() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("fixtures/replay"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "sql"))
        .collect();
    files.sort();
    files
}

/// The value of a `-- from: 15` line at the beginning of a history: the oldest major that takes it.
pub(crate) fn oldest(sql: &str) -> u32 {
    sql.lines()
        .take_while(|line| line.starts_with("--"))
        .find_map(|line| line.strip_prefix("-- from:"))
        .map_or(13, |major| major.trim().parse().unwrap())
}

/// A history runs statement by statement on a server and in the model. Statements that the server refuses are left
/// out of both.
pub(crate) struct Run {
    client: Client,
    pub(crate) schema: Schema,
    refused: Vec<String>,
    number: u32,
}

impl Run {
    pub(crate) fn new(client: Client, major: u32) -> Self {
        Self {
            client,
            schema: Schema::on(major),
            refused: Vec::new(),
            number: 0,
        }
    }

    fn text(&mut self, sql: &str) {
        for statement in replay::statements(sql) {
            self.statement(&statement);
        }
    }

    pub(crate) fn statement(&mut self, statement: &Statement) -> bool {
        self.number += 1;
        match self.client.batch_execute(&statement.source.sql) {
            Ok(()) => {
                replay::apply(&mut self.schema, statement, self.number);
                true
            }
            Err(error) => {
                let message = error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |error| error.message().to_owned());
                self.refused
                    .push(format!("{message}: {}", statement.source.sql));
                false
            }
        }
    }
}

/// The schema of temporary objects is numbered by session.
fn without_session(mut text: String) -> String {
    const NUMBERED: &str = "pg_temp_";
    while let Some(at) = text.find(NUMBERED) {
        let digits = text[at + NUMBERED.len()..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len() - at - NUMBERED.len());
        text.replace_range(at..at + NUMBERED.len() + digits, "pg_temp");
    }
    text
}

/// What the catalog holds, in the form of `schema_lines`.
pub(crate) fn catalog_lines(client: &mut Client) -> Vec<String> {
    client.batch_execute("SET search_path = ''").unwrap();
    let sql = include_str!("replay/catalog.sql");
    let mut lines = Vec::new();
    for part in sql.split(";\n").filter(|part| !part.trim().is_empty()) {
        let rows = client
            .query(part, &[])
            .unwrap_or_else(|error| panic!("{error:?} in {part}"));
        for row in rows {
            let fields: Vec<String> = (0..row.len())
                .map(|column| {
                    let text: Option<String> = row.get(column);
                    let text = without_session(text.unwrap_or_default());
                    match row.columns()[column].name() {
                        _ if text.is_empty() => text,
                        "expr" => replay::normal_expression(&text),
                        "exprs" => {
                            // A list, one expression per line of a unit separator.
                            let parts: Vec<String> = text
                                .split('\u{1f}')
                                .map(replay::normal_expression)
                                .collect();
                            parts.join(",")
                        }
                        "generated" => {
                            let (kind, expr) = text.split_once(' ').unwrap();
                            format!("{kind} {}", replay::normal_expression(expr))
                        }
                        "type" => replay::normal_type(&text),
                        "types" => {
                            let (name, types) = text.split_once('\u{1f}').unwrap();
                            let types: Vec<String> = types
                                .split('\u{1f}')
                                .filter(|text| !text.is_empty())
                                .map(replay::normal_type)
                                .collect();
                            format!("{name}({})", types.join(","))
                        }
                        "attributes" => {
                            let parts: Vec<String> = text
                                .split('\u{1f}')
                                .map(|part| {
                                    let (name, ty) = part.split_once(' ').unwrap();
                                    format!("{name} {}", replay::normal_type(ty))
                                })
                                .collect();
                            parts.join(",")
                        }
                        "checks" => {
                            let mut parts: Vec<String> = text
                                .split('\u{1f}')
                                .map(|part| {
                                    let mut words = part.splitn(3, ' ');
                                    format!(
                                        "{} {} {}",
                                        words.next().unwrap(),
                                        words.next().unwrap(),
                                        replay::normal_expression(words.next().unwrap())
                                    )
                                })
                                .collect();
                            parts.sort();
                            parts.join(" and ")
                        }
                        "bound" => {
                            if text == "DEFAULT" {
                                "default".to_owned()
                            } else {
                                replay::normal_bound(&text)
                            }
                        }
                        _ => text,
                    }
                    .replace('\n', " ")
                })
                .collect();
            lines.push(fields.join(SEPARATOR));
        }
    }
    lines.sort();
    lines
}

/// The differences between the two, one per line: `-` what the catalog has, `+` what the model has.
fn differences(catalog: &[String], model: &[String]) -> Vec<String> {
    let by_key = |lines: &[String]| -> BTreeMap<String, Vec<String>> {
        lines
            .iter()
            .map(|line| {
                let mut fields = line.split(SEPARATOR).map(ToOwned::to_owned);
                let key = fields.next().unwrap_or_default();
                (key, fields.collect())
            })
            .collect()
    };
    let (truth, told) = (by_key(catalog), by_key(model));
    let mut found = Vec::new();
    for (key, fields) in &truth {
        match told.get(key) {
            None => found.push(format!("- {key}{SEPARATOR}{}", fields.join(SEPARATOR))),
            Some(own) => {
                let same = own.len() == fields.len()
                    && own
                        .iter()
                        .zip(fields)
                        .all(|(own, field)| own == UNKNOWN || own == field);
                if !same {
                    found.push(format!("- {key}{SEPARATOR}{}", fields.join(SEPARATOR)));
                    found.push(format!("+ {key}{SEPARATOR}{}", own.join(SEPARATOR)));
                }
            }
        }
    }
    for (key, own) in &told {
        if !truth.contains_key(key) {
            found.push(format!("+ {key}{SEPARATOR}{}", own.join(SEPARATOR)));
        }
    }
    found
}

/// Compares at the end of a run; the message names the history.
fn compare(run: &Run, catalog: &mut Client) -> Vec<String> {
    let model = replay::schema_lines(&run.schema);
    let mut found = differences(&catalog_lines(catalog), &model);
    found.extend(drifts(run, catalog));
    found
}

/// What live mode would call a drift: nothing, for the database is what the statements made.
fn drifts(run: &Run, client: &mut Client) -> Vec<String> {
    const SQL: &str = include_str!("../../src/live/probes/schema-drift.sql");
    let made = drift::made(&run.schema);
    let schemas = serde_json::json!(drift::schemas(&made)).to_string();
    client
        .batch_execute("SET search_path = pg_catalog")
        .unwrap();
    let query = format!("SELECT coalesce(json_agg(q), '[]')::text FROM ({SQL}) q");
    let types = [(&schemas as &(dyn ToSql + Sync), Type::TEXT)];
    let rows = client.query_typed(&query, &types).unwrap();
    let rows: Vec<TableRow> = serde_json::from_str(rows[0].get(0)).unwrap();
    let there = drift::there(rows);
    let differences = drift::differences(&made, &there);
    let wrong = differences
        .iter()
        .filter(|one| !matches!(one, Difference::Unknown(..)));
    wrong.map(|one| format!("drift: {one:?}")).collect()
}

fn check_text(name: &str, sql: &str, may_be_refused: bool, failures: &mut Vec<String>) {
    for major in ends().into_iter().filter(|major| *major >= oldest(sql)) {
        let database = servers::fresh_database(major);
        let mut run = Run::new(database.connect(), major);
        run.text(sql);
        if !may_be_refused && !run.refused.is_empty() {
            failures.push(format!(
                "{name} on {major}: refused:\n  {}",
                run.refused.join("\n  ")
            ));
        }
        let found = compare(&run, &mut database.connect());
        if !found.is_empty() {
            failures.push(format!("{name} on {major}:\n  {}", found.join("\n  ")));
        }
    }
}

fn report(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} histories differ (- catalog, + model):\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn histories_leave_what_the_catalog_holds() {
    let mut failures = Vec::new();
    let only = std::env::var("LOCKGATE_HISTORY").ok();
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let sql = fs::read_to_string(&path).unwrap();
        check_text(&name, &sql, false, &mut failures);
    }
    report(&failures);
}

#[test]
fn the_example_world_is_replayed() {
    let mut failures = Vec::new();
    let sql = fs::read_to_string(root().join("fixtures/world.sql")).unwrap();
    check_text("world.sql", &sql, false, &mut failures);
    report(&failures);
}

/// What the model says depends on a column, against `pg_depend`.
#[test]
fn dependents_of_columns_are_those_of_the_catalog() {
    let sql = fs::read_to_string(root().join("tests/it/replay/dependents.sql")).unwrap();
    let mut failures = Vec::new();
    for major in ends() {
        let database = servers::fresh_database(major);
        let mut run = Run::new(database.connect(), major);
        run.text(&sql);
        let refused: Vec<&String> = run
            .refused
            .iter()
            .filter(|text| major >= 15 || !text.contains("PUBLICATION"))
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        let mut catalog: Vec<String> = database
            .connect()
            .query(include_str!("replay/depend.sql"), &[])
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        let mut model: Vec<String> = replay::dependent_lines(&run.schema)
            .into_iter()
            // PostgreSQL knows nothing of what functions do.
            // A partition key is no object of its own there: the column cannot be dropped all the same.
            .filter(|line| !line.contains(" function ") && line != "p.k: partition key p")
            .collect();
        catalog.sort();
        model.sort();
        catalog.dedup();
        let missing = catalog.iter().filter(|line| !model.contains(line));
        let invented = model.iter().filter(|line| !catalog.contains(line));
        failures.extend(missing.map(|line| format!("- {line}")));
        failures.extend(invented.map(|line| format!("+ {line}")));
        let functions: Vec<String> = replay::dependent_lines(&run.schema)
            .into_iter()
            .filter(|line| line.contains(" function "))
            .collect();
        assert_eq!(
            functions,
            ["t.a: function touch_a", "t.c: function touch_a"],
            "functions by their bodies"
        );
    }
    report(&failures);
}

/// A statement that is not followed makes what it may touch uncertain, and nothing else.
#[test]
fn what_cannot_be_followed_is_in_doubt() {
    const WORLD: &str = "CREATE TABLE a (id integer PRIMARY KEY, x integer NOT NULL CHECK (x > 0));
        CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);
        CREATE TABLE c (id integer);
        CREATE INDEX b_a ON b (a);
        CREATE VIEW v AS SELECT id FROM a;
        CREATE VIEW w AS SELECT id FROM c;";
    let in_branch =
        |sql: &str| format!("DO $$ BEGIN IF now() > '2000-01-01' THEN {sql}; END IF; END $$");
    for (sql, doubted) in [
        (in_branch("DROP TABLE c"), "c"),
        (in_branch("DROP TABLE a CASCADE"), "a v"),
        (in_branch("DROP INDEX b_a"), "b_a"),
        (in_branch("DROP VIEW v"), "v"),
        (in_branch("ALTER TABLE a DROP COLUMN x"), "a"),
        (in_branch("ALTER TABLE a RENAME TO z"), "a"),
        (in_branch("CREATE TABLE c (id integer)"), ""),
        ("ALTER TABLE c FROBNICATE".to_owned(), "c"),
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE b; ' || current_setting('x'); END $$".to_owned(),
            "b",
        ),
        ("ALTER TABLE c ADD COLUMN y integer".to_owned(), ""),
    ] {
        let mut schema = Schema::on(18);
        for statement in replay::statements(WORLD)
            .iter()
            .chain(&replay::statements(&sql))
        {
            replay::apply(&mut schema, statement, 1);
        }
        assert_eq!(replay::doubted(&schema).join(" "), doubted, "{sql}");
    }
}

/// Statements of a project's forward migrations in the order they run.
fn project(path: &str) -> Vec<Statement> {
    replay::forward_statements(&root().join(path)).unwrap()
}

#[test]
fn example_projects_are_replayed() {
    let mut failures = Vec::new();
    for path in [
        "fixtures/projects/shop",
        "fixtures/projects/clean",
        "fixtures/projects/alembic-app",
    ] {
        let statements = project(path);
        assert!(statements.len() > 5, "{path} holds statements");
        for major in ends() {
            let database = servers::fresh_database(major);
            let mut run = Run::new(database.connect(), major);
            for statement in &statements {
                if matches!(statement.kind, Kind::Unparsed) {
                    continue;
                }
                run.statement(statement);
            }
            let found = compare(&run, &mut database.connect());
            if !found.is_empty() {
                failures.push(format!(
                    "{path} on {major}:\n  {}\nrefused:\n  {}",
                    found.join("\n  "),
                    run.refused.join("\n  ")
                ));
            }
        }
    }
    report(&failures);
}

/// How many generated histories run, and the first seed; a failure names its seed.
const GENERATED: u64 = 20;

#[test]
fn generated_histories_leave_what_the_catalog_holds() {
    let mut failures = Vec::new();
    let first: u64 = std::env::var("LOCKGATE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let count: u64 = std::env::var("LOCKGATE_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(GENERATED);
    for seed in first..first + count {
        for major in ends() {
            let database = servers::fresh_database(major);
            let mut run = Run::new(database.connect(), major);
            let mut catalog = database.connect();
            let mut generator = generate::Generator::new(seed, major);
            let mut taken: Vec<String> = Vec::new();
            let length = generator.length();
            let mut attempts = 0;
            while taken.len() < length && attempts < length * 8 {
                attempts += 1;
                let sql = generator.statement(&run.schema);
                for statement in replay::statements(&sql) {
                    if run.statement(&statement) {
                        taken.push(sql.clone());
                    }
                }
                // Once it is wrong everything after it is: stop at the first statement that makes a difference.
                if taken.len().is_multiple_of(25) || taken.len() == length {
                    let found = compare(&run, &mut catalog);
                    if !found.is_empty() {
                        let tail: Vec<String> = taken
                            .iter()
                            .rev()
                            .take(12)
                            .rev()
                            .map(|sql| format!("{sql};"))
                            .collect();
                        failures.push(format!(
                            "seed {seed} on {major} after {} statements:\n  {}\nlast statements:\n  {}",
                            taken.len(),
                            found.join("\n  "),
                            tail.join("\n  ")
                        ));
                        break;
                    }
                }
            }
            assert!(
                taken.len() * 2 > length || !failures.is_empty(),
                "seed {seed}: only {} of {length} statements succeed",
                taken.len()
            );
        }
    }
    report(&failures);
}
