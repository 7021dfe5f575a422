//! What a layout says about order and transactions is what the real tool does.
//!
//! Each probe is a tree of migrations that insert into the table `ran`. The tool runs it on a real server; what is found
//! there afterwards must be what the layout's scripts, with the transactions that [`session::moments`] gives them,
//! predict.

mod crates;
mod debian;
mod liquibase;
mod node;
mod programs;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lockgate::discover::{Project, Request, discover};
use lockgate::layout::{Direction, Runner, Script, Unit, Wraps, settle_run, units};
use lockgate::session::{self, TransactionKind};
use lockgate::settings::Settings;
use lockgate::sql;
use lockgate::statement::{Kind, Statement};

use crates::{DIESEL, REFINERY, SQLX};
use debian::{SQITCH, SQL_MIGRATE};
use liquibase::LIQUIBASE;
use node::{DBMATE, DRIZZLE, NODE_PG_MIGRATE, PRISMA, SUPABASE};
use programs::{DJANGO, KNEX, NODE_PG_MIGRATE_JS, RAILS, SEQUELIZE, TYPEORM};

use crate::servers::{Database, fresh_database, majors};

/// A tool that can be run here.
struct Tool {
    layout: &'static str,
    /// Runs everything that is pending in the project; none if the tool is not installed.
    run: fn(project: &Path, database: &Database) -> Option<Output>,
    /// The probes: what is tried, and the files.
    probes: &'static [Probe],
    /// Trees at which the tool stops, with a part of the message that says so.
    refuses: &'static [Probe],
}

/// A title or message, and files with their texts.
type Probe = (&'static str, &'static [(&'static str, &'static str)]);

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What a run leaves behind: rows in the order in which they were inserted, indexes that are valid, and if it failed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    rows: Vec<String>,
    indexes: BTreeSet<String>,
    failed: bool,
}

fn observed(database: &Database, output: &Output) -> Left {
    let mut client = database.connect();
    let rows = client
        .query(
            "SELECT name FROM ran ORDER BY xmin::text::bigint, ctid",
            &[],
        )
        .unwrap();
    let indexes = client
        .query(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'ran'::regclass AND indisvalid",
            &[],
        )
        .unwrap();
    Left {
        rows: rows.iter().map(|row| row.get(0)).collect(),
        indexes: indexes.iter().map(|row| row.get(0)).collect(),
        failed: !output.status.success(),
    }
}

/// The one history in a project.
fn discovered(tool: &Tool, project: &Path) -> Project {
    let settings = Settings {
        root: Some(project.to_owned()),
        ..Settings::default()
    };
    let found = discover(&Request {
        cwd: project,
        paths: &[],
        settings: &settings,
        stdin: None,
        changed: None,
    })
    .expect("Git is not asked");
    let mut projects = found.projects;
    assert_eq!(projects.len(), 1, "{projects:?}");
    let history = projects.remove(0);
    assert_eq!(history.found.layout.name, tool.layout);
    history
}

/// What the layout and the session say will be left behind.
fn predicted(tool: &Tool, project: &Path) -> Left {
    let history = discovered(tool, project);
    let runner = &history.found.layout.runner;
    let forward = history.scripts.iter();
    let mut scripts: Vec<(Vec<Statement>, Vec<Unit>)> = forward
        .filter(|script| script.direction == Direction::Up)
        .map(|script| parsed(script, runner))
        .collect();
    let mut units: Vec<&mut Vec<Unit>> = scripts.iter_mut().map(|(_, units)| units).collect();
    settle_run(runner, &mut units);
    let mut effects: Vec<(Effect, (usize, u32))> = Vec::new();
    let mut left = Left::default();
    // One transaction around the run is the same one in each script, until one leaves it.
    let mut run = usize::MAX;
    'run: for (number, (statements, units)) in scripts.iter().enumerate() {
        let moments = session::moments(statements, units, session::Defaults::default());
        let is_run = units.iter().any(|unit| unit.wraps == Wraps::Run);
        if !is_run {
            run -= 1;
        }
        for (statement, moment) in statements.iter().zip(moments) {
            let key = match moment.transaction.kind {
                TransactionKind::Runner if is_run => (run, 0),
                _ => (number, moment.transaction.number),
            };
            let effect = Effect::of(statement);
            let refused = matches!(effect, Effect::Index(_)) && moment.refusal().is_some();
            if refused || effect == Effect::Failure {
                effects.retain(|(_, other)| *other != key);
                left.failed = true;
                break 'run;
            }
            effects.push((effect, key));
        }
    }
    for (effect, _) in effects {
        match effect {
            Effect::Row(name) => left.rows.push(name),
            Effect::Index(name) => {
                left.indexes.insert(name);
            }
            Effect::Failure | Effect::Nothing => {}
        }
    }
    left
}

/// What a statement of a probe does.
#[derive(Debug, PartialEq, Eq)]
enum Effect {
    Row(String),
    Index(String),
    Failure,
    Nothing,
}

impl Effect {
    fn of(statement: &Statement) -> Self {
        let sql = &statement.source.sql;
        if sql.contains("1/0") {
            return Self::Failure;
        }
        if sql.contains("INSERT INTO ran") {
            return Self::Row(sql.split('\'').nth(1).unwrap().to_owned());
        }
        match &statement.kind {
            Kind::CreateIndex(index) if index.concurrently => {
                Self::Index(index.name.as_ref().unwrap().text.to_string())
            }
            _ => Self::Nothing,
        }
    }
}

fn parsed(script: &Script, runner: &Runner) -> (Vec<Statement>, Vec<Unit>) {
    let (mut statements, mut ranges) = (Vec::new(), Vec::new());
    for piece in &script.pieces {
        let first = statements.len();
        let parsed = sql::parse(&piece.fragment);
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        statements.extend(parsed.statements);
        ranges.push(first..statements.len());
    }
    let units = units(runner, &script.pieces, &ranges, &statements);
    (statements, units)
}

/// Runs the probes of a tool; the differences between the model and the tool.
fn check(tool: &Tool) {
    let Some(major) = majors().pop() else { return };
    let mut differences: BTreeMap<&str, String> = BTreeMap::new();
    for (title, files) in tool.probes {
        let (project, database) = lay_out(files, major);
        let predicted = predicted(tool, project.path());
        let Some(output) = (tool.run)(project.path(), &database) else {
            return;
        };
        let observed = observed(&database, &output);
        if predicted != observed {
            let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
            differences.insert(
                title,
                format!(
                    "predicted {predicted:?}\n observed {observed:?}\n{}",
                    said.join("\n")
                ),
            );
        }
    }
    for (problem, files) in tool.refuses {
        let (project, database) = lay_out(files, major);
        let history = discovered(tool, project.path());
        let is_said = history
            .problems
            .iter()
            .any(|found| found.message.contains(problem));
        let Some(output) = (tool.run)(project.path(), &database) else {
            return;
        };
        if !is_said || output.status.success() {
            differences.insert(
                problem,
                format!("said: {:#?}\n the tool: {output:?}", history.problems),
            );
        }
    }
    assert!(differences.is_empty(), "{}: {differences:#?}", tool.layout);
}

/// A project of these files, and a database with the table of the probes.
fn lay_out(files: &[(&str, &str)], major: u32) -> (tempfile::TempDir, Database) {
    let project = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let database = fresh_database(major);
    database
        .connect()
        .batch_execute("CREATE TABLE ran (name text)")
        .unwrap();
    (project, database)
}

#[test]
fn dbmate_does_what_its_layout_says() {
    check(&DBMATE);
}

#[test]
fn node_pg_migrate_does_what_its_layout_says() {
    check(&NODE_PG_MIGRATE);
}

#[test]
fn drizzle_does_what_its_layout_says() {
    check(&DRIZZLE);
}

#[test]
fn prisma_does_what_its_layout_says() {
    check(&PRISMA);
}

#[test]
fn supabase_does_what_its_layout_says() {
    check(&SUPABASE);
}

#[test]
fn sql_migrate_does_what_its_layout_says() {
    check(&SQL_MIGRATE);
}

#[test]
fn sqlx_does_what_its_layout_says() {
    check(&SQLX);
}

#[test]
fn refinery_does_what_its_layout_says() {
    check(&REFINERY);
}

#[test]
fn diesel_does_what_its_layout_says() {
    check(&DIESEL);
}

#[test]
fn sqitch_does_what_its_layout_says() {
    check(&SQITCH);
}

#[test]
fn liquibase_does_what_its_layout_says() {
    check(&LIQUIBASE);
}

#[test]
fn knex_does_what_its_layout_says() {
    check(&KNEX);
}

#[test]
fn typeorm_does_what_its_layout_says() {
    check(&TYPEORM);
}

#[test]
fn sequelize_does_what_its_layout_says() {
    check(&SEQUELIZE);
}

#[test]
fn node_pg_migrate_in_javascript_does_what_its_layout_says() {
    check(&NODE_PG_MIGRATE_JS);
}

#[test]
fn rails_does_what_its_layout_says() {
    check(&RAILS);
}

#[test]
fn django_does_what_its_layout_says() {
    check(&DJANGO);
}

/// An entry that is older than an applied one never runs, and the tool says nothing.
#[test]
fn drizzle_leaves_out_what_is_older() {
    const OLD: &str = r#"{"idx":0,"when":5,"tag":"0000_a","breakpoints":true}"#;
    const NEW: &str = r#"{"idx":1,"when":3,"tag":"0001_b","breakpoints":true}"#;
    let Some(major) = majors().pop() else { return };
    let first = format!(r#"{{"entries":[{OLD}]}}"#);
    let files = [
        ("m/meta/_journal.json", first.as_str()),
        ("m/0000_a.sql", "INSERT INTO ran VALUES ('a');"),
    ];
    let (project, database) = lay_out(&files, major);
    let mut output = None;
    for journal in [first.clone(), format!(r#"{{"entries":[{OLD},{NEW}]}}"#)] {
        fs::write(project.path().join("m/meta/_journal.json"), journal).unwrap();
        output = (DRIZZLE.run)(project.path(), &database);
        fs::write(
            project.path().join("m/0001_b.sql"),
            "INSERT INTO ran VALUES ('b');",
        )
        .unwrap();
    }
    let Some(output) = output else { return };
    let expected = Left {
        rows: vec!["a".to_owned()],
        ..Left::default()
    };
    assert_eq!(observed(&database, &output), expected);
    let problems = discovered(&DRIZZLE, project.path()).problems;
    assert!(
        problems[0].message.contains("leaves `0001_b` out"),
        "{problems:?}"
    );
}
