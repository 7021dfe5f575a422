//! What a help text offers as SQL does what it says.
//!
//! Every finding of every bad example and every case is asked for its steps. Each step is SQL that PostgreSQL's parser
//! takes. Those that are complete are put where they say they belong, in as many files: then the finding is gone, no
//! other one has come, and servers of the oldest and the newest major run them on the world, behind what stands before
//! them.

mod place;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use lockgate::diagnostic::{Diagnostic, Level, Place, Step};
use lockgate::report::Report;
use lockgate::rule::Rule;
use lockgate::settings::Strictness;
use lockgate::sql::parse_text;
use postgres::Client;
use rayon::prelude::*;

use self::place::Remedy;
use self::words::{IN_WORDS, complete_in_words};
use super::example::{Example, page_path, root, rules};
use super::page::Shows;
use super::{case, page, servers};

/// The oldest and the newest.
const MAJORS: [u32; 2] = [13, 18];

/// Rules about a set of files that a further migration of this test's making may meet.
const OF_FILES: &[&str] = &[
    "missing-down",
    "empty-down",
    "version-gap",
    "unpadded-version",
    "missing-description",
    "misnamed-migration",
    "down-not-inverse",
    "down-fails",
    "future-version",
    "not-rerunnable",
    // Counts migrations.
    "constraint-left-unvalidated",
    "orphan-down",
];

/// Rules about settings of the tool, which no SQL changes.
const OF_TOOLS: &[&str] = &["concurrently-under-runner-lock"];

/// Rules that speak of the first of several: behind it the next one shows.
const OF_THE_FIRST: &[&str] = &["ddl-and-data-change"];

/// Rules that say the same thing of whatever changes a table, where the example sets no timeouts.
const OF_TIMEOUTS: &[&str] = &["missing-lock-timeout", "missing-statement-timeout"];

/// Rules whose remedies have a part that only people can complete, and what that is.
const SKETCHES: &[(&str, &str)] = &[
    ("not-null-without-default", "the value of old rows"),
    ("set-not-null-unproven", "the value of rows that have none"),
    ("table-without-row-security", "who may see which rows"),
];

/// An example with where it stands.
struct Subject {
    name: String,
    rule: &'static Rule,
    example: Example,
}

/// All bad examples and all cases of a rule.
fn subjects(rule: &'static Rule) -> Vec<Subject> {
    let page = page::read(&fs::read_to_string(page_path(rule)).unwrap());
    let bad = page.examples.into_iter().filter(|e| e.shows == Shows::Bad);
    let bad = bad.map(|bad| (format!("rules/{}.md:{}", rule.id, bad.line), bad.example));
    let path = format!("fixtures/rules/{}.sql", rule.id);
    let (cases, _) = case::read(&fs::read_to_string(root().join(&path)).unwrap());
    let cases = cases.into_iter().map(|case| {
        (
            format!("{path}:{}: {}", case.line, case.title),
            case.example,
        )
    });
    bad.chain(cases)
        .map(|(name, example)| Subject {
            name,
            rule,
            example,
        })
        .collect()
}

/// What came of all remedies.
#[derive(Default)]
struct Outcome {
    wrong: Vec<String>,
    /// Steps, complete ones and sketches, by rule.
    complete: BTreeMap<&'static str, usize>,
    sketches: BTreeMap<&'static str, usize>,
    /// Remedies that were put in place, and that ran on a server.
    placed: usize,
    ran: usize,
    /// Complete statements in the words of help texts.
    in_words: BTreeMap<&'static str, BTreeSet<String>>,
    /// Those that could not be tried, by reason.
    left_out: BTreeMap<&'static str, usize>,
}

impl Outcome {
    fn and(mut self, other: Self) -> Self {
        self.wrong.extend(other.wrong);
        for (mine, others) in [
            (&mut self.complete, other.complete),
            (&mut self.sketches, other.sketches),
            (&mut self.left_out, other.left_out),
        ] {
            for (key, number) in others {
                *mine.entry(key).or_default() += number;
            }
        }
        for (rule, found) in other.in_words {
            self.in_words.entry(rule).or_default().extend(found);
        }
        self.placed += other.placed;
        self.ran += other.ran;
        self
    }
}

#[test]
fn remedies_are_silent_and_run() {
    let outcome = rules()
        .par_iter()
        .map(|rule| judge(rule))
        .reduce(Outcome::default, Outcome::and);
    if std::env::var_os("TOLD").is_some() {
        eprintln!(
            "complete {:?}\nsketches {:?}\nplaced {} ran {} left out {:?}",
            outcome.complete, outcome.sketches, outcome.placed, outcome.ran, outcome.left_out
        );
    }
    assert!(
        outcome.wrong.is_empty(),
        "{}\n{} remedies are wrong",
        outcome.wrong.join("\n"),
        outcome.wrong.len()
    );
    let all = std::env::var_os("RULE").is_none();
    let sketched: Vec<&str> = outcome.sketches.keys().copied().collect();
    let listed: Vec<&str> = SKETCHES.iter().map(|(rule, _)| *rule).collect();
    assert!(
        !all || sketched == listed,
        "rules with sketches: {sketched:?}"
    );
    let unlisted: Vec<_> = outcome
        .in_words
        .iter()
        .filter(|(rule, _)| !IN_WORDS.iter().any(|(listed, _)| listed == *rule))
        .collect();
    let listed = IN_WORDS.iter().map(|(rule, _)| *rule);
    let gone: Vec<&str> = listed
        .filter(|rule| all && !outcome.in_words.contains_key(rule))
        .collect();
    assert!(gone.is_empty(), "no longer in words: {gone:?}");
    assert!(
        unlisted.is_empty(),
        "complete SQL in words, not in steps: {unlisted:#?}"
    );
}

/// Tools whose scripts are SQL, with the path of one and what stands around its statements.
const TOOLS: &[(&str, &str, &str, &str)] = &[
    ("plain", "1_a.sql", "", ""),
    ("golang-migrate", "000001_a.up.sql", "", ""),
    ("flyway", "V1__a.sql", "", ""),
    ("goose", "00001_a.sql", "-- +goose Up\n", "-- +goose Down\n"),
    ("dbmate", "1_a.sql", "-- migrate:up\n", "-- migrate:down\n"),
    (
        "sql-migrate",
        "1_a.sql",
        "-- +migrate Up\n",
        "-- +migrate Down\n",
    ),
    ("sqlx", "1_a.sql", "", ""),
    ("tern", "1_a.sql", "", ""),
    ("atlas", "1_a.sql", "", ""),
    ("diesel", "1_a/up.sql", "", ""),
    ("prisma", "1_a/migration.sql", "", ""),
    ("supabase", "1_a.sql", "", ""),
    ("refinery", "V1__a.sql", "", ""),
    (
        "node-pg-migrate",
        "1_a.sql",
        "-- Up Migration\n",
        "-- Down Migration\n",
    ),
];

/// The common hazards, with the rule that reports each.
const COMMON: &[(&str, &str)] = &[
    (
        "index-not-concurrent",
        "CREATE INDEX orders_note_idx ON orders (note);",
    ),
    ("index-drop-not-concurrent", "DROP INDEX idx_orders_status;"),
    (
        "reindex-not-concurrent",
        "REINDEX INDEX idx_orders_user_id;",
    ),
    (
        "foreign-key-validating",
        "ALTER TABLE orders ADD FOREIGN KEY (coupon_id) REFERENCES coupons (id);",
    ),
    (
        "check-validating",
        "ALTER TABLE orders ADD CHECK (total > 0);",
    ),
    (
        "constraint-builds-index",
        "ALTER TABLE coupons ADD UNIQUE (code, expires_on);",
    ),
    (
        "set-not-null-unproven",
        "ALTER TABLE orders ALTER COLUMN coupon_id SET NOT NULL;",
    ),
    (
        "column-type-rewrite",
        "ALTER TABLE orders ALTER COLUMN coupon_id TYPE bigint;",
    ),
    (
        "volatile-default",
        "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    ),
    (
        "added-column-rewrites-table",
        "ALTER TABLE coupons ADD COLUMN position bigserial;",
    ),
    (
        "not-null-without-default",
        "ALTER TABLE orders ADD COLUMN currency text NOT NULL;",
    ),
    (
        "column-renamed",
        "ALTER TABLE users RENAME COLUMN phone TO phone_number;",
    ),
    ("table-renamed", "ALTER TABLE orders RENAME TO purchases;"),
    ("change-without-where", "UPDATE coupons SET discount = 5;"),
    (
        "unbatched-change",
        "UPDATE orders SET note = btrim(note) WHERE note LIKE ' %';",
    ),
    (
        "detach-not-concurrent",
        "ALTER TABLE events DETACH PARTITION events_2025;",
    ),
    ("partition-drop-locks-parent", "DROP TABLE events_2025;"),
    (
        "partition-of-locks-parent",
        "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01 00:00+00') TO ('2028-01-01 00:00+00');",
    ),
];

#[test]
fn every_tool_gets_a_way_that_it_can_go() {
    let mut wrong = Vec::new();
    for (layout, path, before, behind) in TOOLS {
        for (id, sql) in COMMON {
            let rule = lockgate::rules::by_id(id).unwrap();
            let mut example = Example::default();
            example.set("layout", layout).unwrap();
            example.files = vec![((*path).to_owned(), format!("{before}{sql}\n{behind}"))];
            let report = example.check(rule, None).unwrap();
            let Some(found) = report.diagnostics.iter().find(|d| d.rule == *id) else {
                wrong.push(format!("{layout}: {id} is not reported"));
                continue;
            };
            if found.steps.is_empty() {
                wrong.push(format!("{layout}: {id} offers nothing"));
                continue;
            }
            let subject = Subject {
                name: format!("{layout}: {sql}"),
                rule,
                example: example.clone(),
            };
            let at = Try {
                subject: &subject,
                example: &example,
                report: &report,
                found,
                major: 18,
            };
            wrong.extend(at.parses());
            match at.in_place() {
                Ok(after) => {
                    let problems = at.is_silent(&after);
                    if !problems.is_empty() {
                        wrong.push(format!(
                            "{}: {problems:?}\n{:#?}",
                            subject.name, after.files
                        ));
                    }
                }
                // Its last word: by hand, before the deployment.
                Err(_) if found.steps.iter().any(|step| step.place == Place::ByHand) => {}
                Err(why) => wrong.push(format!("{}: {why}", subject.name)),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} are wrong",
        wrong.join("\n"),
        wrong.len()
    );
}

fn judge(rule: &'static Rule) -> Outcome {
    let mut outcome = Outcome::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut stages: BTreeMap<u32, servers::Database> = BTreeMap::new();
    for subject in subjects(rule) {
        let majors: Vec<u32> = match subject.example.postgres {
            Some(major) => vec![major],
            None => {
                let range = rule.postgres;
                let of = MAJORS.map(|major| major.clamp(range.0, range.1));
                BTreeSet::from(of).into_iter().collect()
            }
        };
        for major in majors {
            let mut example = subject.example.clone();
            example.postgres = Some(major);
            let Ok(report) = example.check(rule, None) else {
                continue;
            };
            for found in &report.diagnostics {
                // What others report is looked at once, on their own pages.
                if found.rule != rule.id {
                    continue;
                }
                let words = complete_in_words(found.help.as_deref().unwrap_or_default());
                if !words.is_empty() {
                    outcome
                        .in_words
                        .entry(found.rule)
                        .or_default()
                        .extend(words);
                }
                if found.steps.is_empty() {
                    continue;
                }
                let key = format!(
                    "{major} {:?} {:?} {:?}",
                    example.files, found.steps, found.subject
                );
                if seen.insert(key) {
                    let at = Try {
                        subject: &subject,
                        example: &example,
                        report: &report,
                        found,
                        major,
                    };
                    at.judge(&mut outcome, &mut stages);
                }
            }
        }
    }
    outcome
}

/// One finding with its remedy.
struct Try<'a> {
    subject: &'a Subject,
    example: &'a Example,
    report: &'a Report,
    found: &'a Diagnostic,
    major: u32,
}

impl Try<'_> {
    fn judge(&self, outcome: &mut Outcome, stages: &mut BTreeMap<u32, servers::Database>) {
        let id = self.found.rule;
        for step in &self.found.steps {
            let count = if step.sketch {
                &mut outcome.sketches
            } else {
                &mut outcome.complete
            };
            *count.entry(id).or_default() += 1;
        }
        let mut wrong = self.parses();
        match self.in_place() {
            Err(why) => *outcome.left_out.entry(why).or_default() += 1,
            Ok(after) => {
                outcome.placed += 1;
                wrong.extend(self.is_silent(&after));
                match self.runs(&after, stages) {
                    Ok(()) => outcome.ran += 1,
                    Err(Ok(why)) => *outcome.left_out.entry(why).or_default() += 1,
                    Err(Err(text)) => wrong.push(text),
                }
                if !wrong.is_empty() {
                    for (path, text) in &after.files {
                        wrong.push(format!("  -- file: {path}\n{text}"));
                    }
                }
            }
        }
        if !wrong.is_empty() {
            let mut text = format!(
                "{} [{}] PostgreSQL {}\n  {}",
                self.subject.name, id, self.major, self.found.message
            );
            for line in wrong {
                let _ = write!(text, "\n  {line}");
            }
            outcome.wrong.push(text);
        }
    }

    /// What PostgreSQL's parser does not take, and what is called a sketch and is none.
    fn parses(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for step in &self.found.steps {
            let parsed = parse_text(&step.sql);
            for error in &parsed.errors {
                wrong.push(format!("does not parse: {}: {}", error.message, step.sql));
            }
            if step.sketch != step.sql.contains('…') {
                wrong.push(format!("a sketch, or not: {}", step.sql));
            }
            if parsed.statements.is_empty() {
                wrong.push(format!("no statement: {}", step.sql));
            }
        }
        wrong
    }

    /// The example with the remedy in place.
    fn in_place(&self) -> Result<Example, &'static str> {
        if !self.example.base.is_empty() || !self.example.theirs.is_empty() {
            return Err("two branches");
        }
        let steps: Vec<&Step> = self.found.steps.iter().filter(|s| is_done(s)).collect();
        if steps.is_empty() {
            return Err("only sketches");
        }
        let source = self.report.source(self.found.primary.source);
        let span = self.found.subject.unwrap_or(self.found.primary.span);
        let remedy = Remedy {
            layout: &self.example.layout,
            files: &self.example.files,
            path: &source.path,
            range: span.range(),
            steps,
        };
        let files = remedy
            .files()
            .ok_or("a layout with a list of its own, or by hand")?;
        let mut after = self.example.clone();
        after.files = files;
        Ok(after)
    }

    /// The findings that are left or have come.
    fn is_silent(&self, after: &Example) -> Vec<String> {
        let mut wrong = Vec::new();
        let report = after.check(self.subject.rule, None).unwrap();
        let own = |report: &Report| {
            let own = report.diagnostics.iter();
            own.filter(|found| found.rule == self.found.rule).count()
        };
        let (before_count, after_count) = (own(self.report), own(&report));
        if after_count >= before_count && !OF_THE_FIRST.contains(&self.found.rule) {
            wrong.push(format!(
                "is still reported: {after_count} findings of its rule"
            ));
        }
        let (before, after) = (alarms(self.report), alarms(&report));
        for ((rule, message), number) in after {
            let ignored = OF_FILES.contains(&rule)
                || OF_TOOLS.contains(&rule)
                // It counts its migrations one by one, and this test leaves room between them.
                || (rule == "broken-revision-graph" && self.example.layout == "tern")
                || (OF_THE_FIRST.contains(&rule)
                    && rule == self.found.rule
                    && message != self.found.message)
                || (OF_TIMEOUTS.contains(&rule) && !self.example.has_timeouts());
            // What goes with a column or a table is said of it, until it is gone before.
            let known: usize = before
                .iter()
                .filter(|((other, said), _)| *other == rule && said.starts_with(&message))
                .map(|(_, number)| number)
                .sum();
            if number > known && !ignored {
                wrong.push(format!("new: {rule}: {message}"));
            }
        }
        wrong
    }

    /// Runs the history up to the last step.
    fn runs(
        &self,
        after: &Example,
        stages: &mut BTreeMap<u32, servers::Database>,
    ) -> Result<(), Result<&'static str, String>> {
        if !servers::majors().contains(&self.major) {
            return Err(Ok("no server"));
        }
        let wanted: Vec<String> = self
            .found
            .steps
            .iter()
            .filter(|step| is_done(step))
            .flat_map(|step| parse_text(&step.sql).statements)
            .map(|statement| plain(&statement.source.sql))
            .collect();
        let all = after.effects(self.major);
        let all: Vec<String> = all
            .into_iter()
            .filter(|r| r.forward)
            .map(|r| r.sql)
            .collect();
        let Some(last) = all.iter().rposition(|sql| wanted.contains(&plain(sql))) else {
            return Err(Err("its SQL is not among what runs".to_owned()));
        };
        let all = &all[..=last];
        if all.iter().any(|sql| is_for_the_whole_server(sql)) {
            return Err(Ok("it concerns the whole server"));
        }
        let world = self.example.has_world();
        if all.iter().all(|sql| goes_back(sql)) && world {
            let stage = stages
                .entry(self.major)
                .or_insert_with(|| servers::world(self.major));
            let mut client = stage.connect();
            client.batch_execute("BEGIN").unwrap();
            let result = run(&mut client, all, &wanted, true);
            drop(client);
            if result.is_ok() {
                return Ok(());
            }
        }
        let database = if world {
            servers::world(self.major)
        } else {
            servers::fresh_database(self.major)
        };
        match run(&mut database.connect(), all, &wanted, false) {
            // Rows are what a sketch leaves to people.
            Err(Err(text))
                if self.found.steps.iter().any(|step| step.sketch)
                    && ["(23502)", "(23514)"]
                        .iter()
                        .any(|state| text.contains(state)) =>
            {
                Err(Ok("a sketch fills the rows before"))
            }
            Err(Err(text)) if self.fails_anyway(&text) => {
                Err(Ok("the world lacks what it is about"))
            }
            result => result,
        }
    }

    /// True if the example itself fails in the same way: its objects or rows are not those of the world.
    fn fails_anyway(&self, text: &str) -> bool {
        let state = |text: &str| {
            let state = text.split(['(', ')']).nth(1).unwrap_or("");
            // No such schema, or no such table in it.
            state.replace("3F000", "42P01")
        };
        let all = self.example.effects(self.major);
        let all: Vec<String> = all
            .into_iter()
            .filter(|r| r.forward)
            .map(|r| r.sql)
            .collect();
        if all.iter().any(|sql| is_for_the_whole_server(sql)) {
            return false;
        }
        let database = servers::world(self.major);
        let mut client = database.connect();
        all.iter().any(|sql| {
            let failed = run(&mut client, std::slice::from_ref(sql), &[plain(sql)], false);
            matches!(failed, Err(Err(own)) if state(&own) == state(text))
        })
    }
}

/// Runs statements one by one; those that are wanted must not fail.
fn run(
    client: &mut Client,
    all: &[String],
    wanted: &[String],
    savepoints: bool,
) -> Result<(), Result<&'static str, String>> {
    client
        .batch_execute("SET statement_timeout = '20s'; SET lock_timeout = '5s'")
        .unwrap();
    for sql in all {
        if savepoints {
            client.batch_execute("SAVEPOINT here").unwrap();
        }
        let Err(error) = client.batch_execute(sql) else {
            continue;
        };
        if wanted.contains(&plain(sql)) {
            let state = error.code().map_or("", |code| code.code());
            if state == "25P02" {
                return Err(Ok("a statement before it fails"));
            }
            let said = error
                .as_db_error()
                .map_or_else(|| error.to_string(), |error| error.message().to_owned());
            return Err(Err(format!("fails on the server ({state}): {said}: {sql}")));
        }
        if savepoints {
            client.batch_execute("ROLLBACK TO here").unwrap();
        }
    }
    Ok(())
}

/// How often each rule says what, from level warning on, in the default strictness.
fn alarms(report: &Report) -> BTreeMap<(&'static str, String), usize> {
    let mut all = BTreeMap::new();
    for found in &report.diagnostics {
        let is_default = lockgate::rules::by_id(found.rule)
            .is_none_or(|rule| rule.strictness == Strictness::Default);
        if is_default && found.level >= Level::Warning {
            let key = (found.rule, found.message.clone());
            *all.entry(key).or_default() += 1;
        }
    }
    all
}

/// True for a step that can be followed as it stands.
fn is_done(step: &Step) -> bool {
    !step.sketch && step.place != Place::Look
}

fn plain(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words.join(" ")
}

fn upper(sql: &str) -> String {
    plain(sql).to_ascii_uppercase()
}

fn is_for_the_whole_server(sql: &str) -> bool {
    let sql = upper(sql);
    [
        "ROLE",
        "USER",
        "DATABASE",
        "TABLESPACE",
        "SYSTEM",
        "SUBSCRIPTION",
    ]
    .iter()
    .any(|what| {
        ["CREATE", "ALTER", "DROP"]
            .iter()
            .any(|verb| sql.starts_with(&format!("{verb} {what} ")))
    }) || sql.starts_with("COPY ")
        || sql.contains("PG_SLEEP")
        || sql.starts_with("DROP OWNED")
        || sql.starts_with("REASSIGN")
}

/// True for a statement whose effect a transaction can take back.
fn goes_back(sql: &str) -> bool {
    let sql = upper(sql);
    ![
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "END",
        "ABORT",
        "VACUUM",
        "PREPARE",
        "ALTER TYPE",
        "SAVEPOINT",
        "RELEASE",
    ]
    .iter()
    .any(|verb| sql.starts_with(verb))
        && !sql.contains("CONCURRENTLY")
        && !sql.contains("COMMIT;")
}
