//! Live mode on real servers: each probe where its situation is, and where all is well.
//!
//! Every question is put as superuser and as a role that is only a member of `pg_monitor`, on the oldest and the newest
//! major that there is; both roles must say the same unless a test says otherwise.

mod after;
mod certificates;
mod faults;
mod handed;
mod large;
mod many;
mod objects;
mod poolers;
mod replication;
mod servers;
mod sessions;
mod shown;
mod snapshots;
mod standby;
mod state;
mod watching;

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, LazyLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lockgate::diagnostic::{Certainty, Diagnostic};
use lockgate::probe::{Outside, When};
use lockgate::report::{Answer, Report};
use lockgate::settings::{OptionValue, Settings};
use lockgate::snapshot::Snapshot;
use lockgate::testing;
use postgres::Client;

use super::example::root;
use super::servers::{self as test_servers, Database};
use super::tidy::wording;
pub(crate) use shown::showing;

static WORLD: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(root().join("fixtures/world.sql")).unwrap());

/// The oldest and the newest major.
pub(crate) fn ends() -> Vec<u32> {
    let majors = test_servers::majors();
    let ends: BTreeSet<u32> = majors
        .first()
        .into_iter()
        .chain(majors.last())
        .copied()
        .collect();
    ends.into_iter().collect()
}

/// A question about a database.
#[derive(Clone)]
pub(crate) struct Question<'a> {
    pub(crate) probe: &'static str,
    pub(crate) when: When,
    pub(crate) layout: &'static str,
    pub(crate) files: Vec<(&'static str, &'a str)>,
    pub(crate) options: Vec<(&'static str, OptionValue)>,
    /// The snapshot from before.
    pub(crate) before: Option<Snapshot>,
    /// What the user hands over.
    pub(crate) outside: Outside,
    /// The major that the files are checked for, unless it is the newest.
    pub(crate) postgres: Option<u32>,
}

/// A question that `lockgate live pre` puts with one probe, nothing pending.
pub(crate) fn pre(probe: &'static str) -> Question<'static> {
    Question {
        probe,
        when: When::Pre,
        layout: "plain",
        files: Vec::new(),
        options: Vec::new(),
        before: None,
        outside: Outside::default(),
        postgres: None,
    }
}

impl<'a> Question<'a> {
    /// With one pending migration.
    pub(crate) fn pending(self, sql: &'a str) -> Self {
        self.file("1.sql", sql)
    }

    /// With a pending migration of that name.
    pub(crate) fn file(mut self, name: &'static str, sql: &'a str) -> Self {
        self.files.push((name, sql));
        self
    }

    /// For migrations of that tool.
    pub(crate) fn layout(mut self, layout: &'static str) -> Self {
        self.layout = layout;
        self
    }

    /// With a threshold.
    pub(crate) fn option(mut self, name: &'static str, value: &str) -> Self {
        let value = match value.parse() {
            Ok(number) => OptionValue::Int(number),
            Err(_) => OptionValue::Text(value.to_owned()),
        };
        self.options.push((name, value));
        self
    }

    /// After this snapshot.
    pub(crate) fn before(mut self, snapshot: &Snapshot) -> Self {
        self.before = Some(snapshot.clone());
        self
    }

    /// With what a user hands over.
    pub(crate) fn handing(mut self, outside: Outside) -> Self {
        self.outside = outside;
        self
    }

    /// With files that are checked for this major.
    pub(crate) fn checked_for(mut self, major: u32) -> Self {
        self.postgres = Some(major);
        self
    }

    /// The report that a role gets.
    pub(crate) fn report(&self, database: &Database, role: &str) -> Report {
        self.report_at(&url(database, role))
    }

    pub(crate) fn report_at(&self, url: &str) -> Report {
        let mut settings = Settings {
            select: vec![self.probe.to_owned()],
            stats: self.before.clone().map(Arc::new),
            ..Settings::default()
        };
        let rule = settings.rules.entry(self.probe.to_owned()).or_default();
        for (name, value) in &self.options {
            rule.options.insert((*name).to_owned(), value.clone());
        }
        settings.postgres = self.postgres.unwrap_or(settings.postgres);
        let world = (!self.files.is_empty()).then_some(WORLD.as_str());
        let outside = self.outside.clone();
        testing::ask_with(
            self.when,
            url,
            self.layout,
            &self.files,
            world,
            settings,
            outside,
        )
    }

    /// What a role is told.
    pub(crate) fn told(&self, database: &Database, role: &str) -> Vec<String> {
        self.told_at(&url(database, role), role)
    }

    /// What a role is told when it asks there.
    pub(crate) fn told_at(&self, url: &str, role: &str) -> Vec<String> {
        let report = self.report_at(url);
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        let answers = &report.databases[0].answers;
        assert_eq!(answers.len(), 1, "{} was not asked", self.probe);
        shown::note(self.probe, role, answers[0].answer);
        for found in &report.diagnostics {
            assert_eq!(wording(found), [""; 0]);
        }
        report.diagnostics.iter().map(line).collect()
    }

    /// What both roles are told.
    #[track_caller]
    pub(crate) fn says(&self, database: &Database) -> Vec<String> {
        let told = self.told(database, "postgres");
        let seen = self.told(database, monitor(database));
        let timeless = |told: &[String]| told.iter().map(|line| without_numbers(line)).collect();
        let (a, b): (Vec<String>, Vec<String>) = (timeless(&told), timeless(&seen));
        assert_eq!(a, b, "pg_monitor sees something else");
        told
    }

    /// Both roles are told one thing that begins so.
    #[track_caller]
    pub(crate) fn finds(&self, database: &Database, expected: &str) {
        let told = self.says(database);
        assert!(
            told.len() == 1 && fits(&told[0], expected),
            "{}: expected {expected:?}, got {told:#?}",
            self.probe
        );
    }

    /// Both roles are told that all is well.
    #[track_caller]
    pub(crate) fn is_silent(&self, database: &Database) {
        assert_eq!(self.says(database), [""; 0], "{}", self.probe);
    }

    /// Nobody asks, and that is what the report says.
    #[track_caller]
    pub(crate) fn is_not_asked(&self, database: &Database) {
        let report = self.report(database, "postgres");
        assert!(report.diagnostics.is_empty(), "{}", self.probe);
        assert_eq!(
            report.databases[0].answers[0].answer,
            Answer::NotAsked,
            "{}",
            self.probe
        );
    }
}

/// Times pass between two questions.
fn without_numbers(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Whether a line holds the parts between `…`, in order, the first one at its beginning.
fn fits(line: &str, expected: &str) -> bool {
    let mut rest = line;
    expected.split('…').enumerate().all(|(index, part)| {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        index > 0 || at == 0
    })
}

/// `error: message`, `unknown: message (help)`.
fn line(found: &Diagnostic) -> String {
    if found.certainty == Certainty::Unknown {
        let help = found.help.as_deref().unwrap_or_default();
        return format!("unknown: {} ({help})", found.message);
    }
    format!("{}: {}", found.level.as_str(), found.message)
}

/// Every probe of `pre`, about migrations that give each of them something to ask.
pub(crate) fn all_probes(database: &Database) -> Report {
    all_probes_at(&database.url())
}

/// The same, asked there.
pub(crate) fn all_probes_at(url: &str) -> Report {
    const SQL: &str = "DROP INDEX CONCURRENTLY idx_orders_user_id; CREATE UNIQUE INDEX CONCURRENTLY n ON orders (note); \
        ALTER TABLE orders DROP COLUMN coupon_id; ALTER TABLE users ALTER COLUMN age TYPE bigint; \
        ALTER TABLE orders ALTER COLUMN note SET NOT NULL; DROP TABLE coupons;";
    let settings = Settings::default();
    let files = [("1.sql", SQL)];
    testing::ask(When::Pre, url, "plain", &files, Some(&WORLD), settings)
}

/// Where a database is, for a role.
pub(crate) fn url(database: &Database, role: &str) -> String {
    database.url().replace("postgres@", &format!("{role}@"))
}

/// A role that is a member of `pg_monitor` and nothing else.
pub(crate) fn monitor(database: &Database) -> &'static str {
    const MAKE: &str = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(4711); \
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') THEN \
        CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor; END IF; END $$";
    database.connect().batch_execute(MAKE).unwrap();
    "monitor"
}

/// A role without any right.
pub(crate) fn plain(database: &Database) -> &'static str {
    const MAKE: &str = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(4711); \
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plain') THEN \
        CREATE ROLE plain LOGIN; END IF; END $$";
    database.connect().batch_execute(MAKE).unwrap();
    "plain"
}

/// A session with a name.
pub(crate) fn session(database: &Database, name: &str, sql: &str) -> Client {
    let mut client = database.connect();
    client
        .batch_execute(&format!("SET application_name = '{name}'; {sql}"))
        .unwrap();
    client
}

/// Waits until a query returns `true`.
pub(crate) fn wait_for(client: &mut Client, query: &str) {
    let started = Instant::now();
    while !client.query_one(query, &[]).unwrap().get::<_, bool>(0) {
        assert!(started.elapsed() < Duration::from_secs(30), "{query}");
        sleep(Duration::from_millis(10));
    }
}
