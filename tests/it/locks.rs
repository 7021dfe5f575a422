//! What the pages claim about locks is what PostgreSQL does, on every supported major.
//!
//! The first bad example of each page with `locks:` runs on the example world, statement by statement. What a statement
//! holds is read from `pg_locks` before its transaction is rolled back. A statement that fails, or that refuses to run in a
//! transaction, lets nothing be read: it is run against sessions that hold one lock each, and what it was given and what it
//! waits for is read instead. The outcome is compared with the page and with the model (`src/effect`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use lockgate::effect::LockMode;
use lockgate::rule::Rule;
use lockgate::testing::Ran;
use postgres::Client;

use super::example::{page_path, rules};
use super::page::{Shows, read};
use super::servers::{self, Database};

/// How long one statement may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Weaker locks stop nothing but other maintenance and `ACCESS EXCLUSIVE`; the model does not follow all of them.
const WEAKEST_COMPARED: LockMode = LockMode::ShareUpdateExclusive;

/// A claim has to name every table locked in this mode or a stronger one.
const WEAKEST_CLAIMED: LockMode = LockMode::Share;

/// Statements that would change the server that all tests share. None of them locks a table.
const NOT_RUN: &[&str] = &[
    "ALTER SYSTEM",
    "CREATE DATABASE",
    "DROP DATABASE",
    "CREATE TABLESPACE",
    "DROP TABLESPACE",
];

/// Statements about transactions, which the measuring has of its own.
const CONTROL: &[&str] = &[
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
];

/// Strongest mode for each relation, by name.
type Locks = BTreeMap<String, LockMode>;

#[test]
fn locks_are_those_that_servers_take() {
    let rules: Vec<&Rule> = rules()
        .into_iter()
        .filter(|rule| rule.claims_locks)
        .collect();
    let majors: Vec<_> = servers::majors()
        .into_iter()
        .map(|major| {
            let rules = rules.clone();
            let judge_all = move || {
                let mut pristine = Stage::new(major, &[]);
                rules
                    .into_iter()
                    .flat_map(|rule| judge(rule, major, &mut pristine))
                    .collect()
            };
            (major, thread::spawn(judge_all))
        })
        .collect();
    // What is the same on several majors is said once.
    let mut wrong: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (major, thread) in majors {
        let of_major: Vec<String> = thread.join().unwrap();
        for text in of_major {
            wrong.entry(text).or_default().push(major);
        }
    }
    let mut text = String::new();
    for (problem, majors) in wrong {
        let _ = write!(text, "PostgreSQL {majors:?}: {problem}");
    }
    assert!(text.is_empty(), "\n{text}");
}

/// The ways of measuring, on statements whose locks are known.
#[test]
fn measuring_finds_what_is_known() {
    let Some(major) = servers::majors().pop() else {
        return;
    };
    for (sql, expected) in [
        (
            "CREATE INDEX CONCURRENTLY i ON orders (note)",
            "orders=SHARE UPDATE EXCLUSIVE",
        ),
        (
            "DROP INDEX CONCURRENTLY idx_orders_status",
            "idx_orders_status=SHARE UPDATE EXCLUSIVE, orders=SHARE UPDATE EXCLUSIVE",
        ),
        ("VACUUM coupons", "coupons=SHARE UPDATE EXCLUSIVE"),
        ("VACUUM FULL coupons", "coupons=ACCESS EXCLUSIVE"),
        (
            "ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY",
            "events=SHARE UPDATE EXCLUSIVE, events_2025=ACCESS EXCLUSIVE",
        ),
        (
            "REINDEX TABLE CONCURRENTLY events",
            "events=SHARE UPDATE EXCLUSIVE, events_2025=SHARE, events_2026=SHARE",
        ),
        (
            "ALTER TABLE orders ADD COLUMN x text NOT NULL",
            "orders=ACCESS EXCLUSIVE",
        ),
        (
            "ALTER TABLE orders ADD FOREIGN KEY (coupon_id) REFERENCES users (name)",
            "orders=SHARE ROW EXCLUSIVE, users=SHARE ROW EXCLUSIVE",
        ),
        ("CREATE INDEX ON orders (note)", "orders=SHARE"),
        ("SELECT nothing FROM users", "users=ACCESS SHARE"),
    ] {
        let measured = measure(major, &[], sql).unwrap();
        let found: Vec<String> = measured
            .locks
            .iter()
            .map(|(name, mode)| format!("{name}={}", mode.as_str()))
            .collect();
        assert_eq!(found.join(", "), expected, "{sql}");
    }
}

/// Everything that is wrong with the claim of a page on a major. Leaves the pristine stage as it was.
fn judge(rule: &Rule, major: u32, pristine: &mut Stage) -> Vec<String> {
    if major < rule.postgres.0 || rule.postgres.1 < major {
        return Vec::new();
    }
    let page = read(&fs::read_to_string(page_path(rule)).unwrap());
    let Some(first) = page
        .examples
        .iter()
        .find(|example| example.shows == Shows::Bad)
    else {
        return Vec::new();
    };
    if first.example.postgres.is_some_and(|only| only != major) {
        return Vec::new();
    }
    let statements = first.example.effects(major);
    let (locks, mut wrong) =
        together(pristine, &statements).unwrap_or_else(|| one_by_one(major, pristine, &statements));
    wrong.push_str(&against_claim(
        rule,
        &locks,
        &relations(&mut pristine.worker),
    ));
    if wrong.is_empty() {
        Vec::new()
    } else {
        vec![format!("rules/{}.md\n{wrong}", rule.id)]
    }
}

/// Measures the statements of an example in one transaction; none if they cannot all run in one.
fn together(stage: &mut Stage, statements: &[Ran]) -> Option<(Locks, String)> {
    if statements
        .iter()
        .any(|ran| begins(&ran.sql, CONTROL) || begins(&ran.sql, NOT_RUN))
    {
        return None;
    }
    let tables = relations(&mut stage.worker);
    let mut wrong = String::new();
    let mut model = Locks::new();
    let mut held = Seen::default();
    let mut failed = false;
    stage.worker.batch_execute("BEGIN").unwrap();
    for ran in statements {
        failed |= stage.worker.simple_query(&ran.sql).is_err();
        if failed {
            break;
        }
        held = stage.locks(&tables);
        for (name, _, mode) in &ran.locks {
            raise(&mut model, name, *mode);
        }
        let text = against_model(&model, &held.modes, &tables);
        if !text.is_empty() && wrong.is_empty() {
            let _ = write!(wrong, "  {}\n{text}", one_line(&ran.sql));
        }
        if let Some(expected) = ran.fails {
            let sql = one_line(&ran.sql);
            let _ = writeln!(
                wrong,
                "  {sql}\n  the model says that it fails with {expected}; it does not"
            );
        }
    }
    stage.worker.batch_execute("ROLLBACK; RESET ALL").unwrap();
    (!failed).then_some((held.modes, wrong))
}

/// Measures each statement of an example for itself, behind those before it.
fn one_by_one(major: u32, pristine: &mut Stage, statements: &[Ran]) -> (Locks, String) {
    let existing = relations(&mut pristine.worker);
    let mut all = Locks::new();
    let mut wrong = String::new();
    let mut done: Vec<String> = Vec::new();
    for ran in statements {
        let measured = match measure(major, &done, &ran.sql) {
            Ok(measured) => measured,
            Err(problem) => {
                let _ = writeln!(wrong, "  {}\n  {problem}", one_line(&ran.sql));
                break;
            }
        };
        for (name, mode) in &measured.locks {
            if existing.iter().any(|table| table.name == *name) {
                raise(&mut all, name, *mode);
            }
        }
        let mut model = Locks::new();
        for (name, _, mode) in &ran.locks {
            raise(&mut model, name, *mode);
        }
        let text = against_model(&model, &measured.locks, &measured.relations);
        if !text.is_empty() {
            let _ = write!(wrong, "  {}\n{text}", one_line(&ran.sql));
        }
        done.push(ran.sql.clone());
    }
    (all, wrong)
}

fn raise(locks: &mut Locks, name: &str, mode: LockMode) {
    let strongest = locks.entry(name.to_owned()).or_insert(mode);
    *strongest = mode.max(*strongest);
}

fn against_claim(rule: &Rule, measured: &Locks, relations: &[Relation]) -> String {
    let mut text = String::new();
    let claims: BTreeMap<&str, &str> = rule.locks.iter().copied().collect();
    for (table, claimed) in &claims {
        let found = measured.get(*table).map_or("nothing", |mode| mode.as_str());
        if found != *claimed {
            let _ = writeln!(text, "  claims {claimed} on `{table}`; it takes {found}");
        }
    }
    for (table, mode) in measured {
        let counts = relations
            .iter()
            .any(|relation| relation.name == *table && relation.is_table());
        if counts && *mode >= WEAKEST_CLAIMED && !claims.contains_key(table.as_str()) {
            let _ = writeln!(
                text,
                "  takes {} on `{table}`, which is not claimed",
                mode.as_str()
            );
        }
    }
    text
}

impl Relation {
    /// A table, partitioned table, foreign table or materialized view.
    fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p" | "f" | "m")
    }
}

/// The model has to name every table and whatever is locked without its table being closed to everybody; what it says
/// of indexes, sequences and views besides has to be right.
fn against_model(model: &Locks, measured: &Locks, tables: &[Relation]) -> String {
    let mut text = String::new();
    let closed = |oid: Option<u32>| {
        let table = tables.iter().find(|table| Some(table.oid) == oid);
        table.and_then(|table| model.get(&table.name)) == Some(&LockMode::AccessExclusive)
    };
    for relation in tables {
        let name = &relation.name;
        let (found, expected) = (measured.get(name), model.get(name));
        if expected.is_none() && closed(relation.index_of) {
            continue;
        }
        let counts =
            |mode: Option<&LockMode>| mode.copied().filter(|mode| *mode >= WEAKEST_COMPARED);
        if counts(found) != counts(expected) {
            let word = |mode: Option<&LockMode>| mode.map_or("nothing", |mode| mode.as_str());
            let (expected, found) = (word(expected), word(found));
            let _ = writeln!(
                text,
                "  the model says {expected} on `{name}`; it takes {found}"
            );
        }
    }
    text
}

/// True for a statement that begins with one of those words.
fn begins(sql: &str, words: &[&str]) -> bool {
    let line = one_line(sql).to_ascii_uppercase();
    words.iter().any(|word| line.starts_with(word))
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What was measured for one statement.
#[derive(Debug)]
struct Measured {
    /// Locks on relations that existed before it.
    locks: Locks,
    /// Those relations.
    relations: Vec<Relation>,
}

/// A relation that can be locked.
#[derive(Debug, Clone)]
struct Relation {
    oid: u32,
    name: String,
    /// `pg_class.relkind`.
    kind: String,
    /// The table, for an index.
    index_of: Option<u32>,
}

fn relations(client: &mut Client) -> Vec<Relation> {
    let rows = client
        .query(
            "SELECT c.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, c.relkind::text, i.indrelid
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
             WHERE c.relkind IN ('r', 'p', 'm', 'f', 'i', 'I', 'S', 'v') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
             ORDER BY 2",
            &[],
        )
        .unwrap();
    rows.iter()
        .map(|row| Relation {
            oid: row.get(0),
            name: row.get(1),
            kind: row.get(2),
            index_of: row.get(3),
        })
        .collect()
}

/// Measures one statement behind others.
fn measure(major: u32, before: &[String], sql: &str) -> Result<Measured, String> {
    let mut stage = Stage::new(major, before);
    let mut measured = Measured {
        locks: Locks::new(),
        relations: relations(&mut stage.worker),
    };
    if begins(sql, NOT_RUN) || begins(sql, CONTROL) {
        return Ok(measured);
    }
    let tables = measured.relations.clone();
    stage.worker.batch_execute("BEGIN").unwrap();
    let outcome = stage.worker.simple_query(sql);
    let held = stage.locks(&tables);
    stage.worker.batch_execute("ROLLBACK").unwrap();
    let Err(error) = outcome else {
        measured.locks = held.modes;
        return Ok(measured);
    };
    // An error releases the locks of the transaction, so what it took has to be found in another way.
    let Some(error) = error.as_db_error() else {
        return Err(format!("the connection broke: {error}"));
    };
    let refused = error.code().code() == "25001";
    let mut probe = |held: &[(&Relation, LockMode)]| {
        if refused {
            // What the last round did stays, so this one needs a world of its own.
            stage = Stage::new(major, before);
        }
        let seen = stage.probe(sql, held, &tables)?;
        for (name, mode) in &seen.modes {
            raise(&mut measured.locks, name, *mode);
        }
        Ok::<Seen, String>(seen)
    };
    // Which tables: all of them are held, then all but the one that it waited for, until it waits for none.
    let mut held: Vec<(&Relation, LockMode)> = tables
        .iter()
        .map(|table| (table, LockMode::AccessExclusive))
        .collect();
    let mut locked = Vec::new();
    loop {
        let seen = probe(&held)?;
        let Some(at) = held
            .iter()
            .position(|(table, _)| Some(table.oid) == seen.waits_for)
        else {
            break;
        };
        let (table, _) = held.remove(at);
        locked.extend(seen.modes.get(&table.name).map(|mode| (table, *mode)));
    }
    // How strongly: held in the strongest mode beside which the mode seen last can be had, it waits for a stronger one.
    for (table, mut wanted) in locked {
        while let Some(beside) = LockMode::ALL
            .into_iter()
            .rev()
            .find(|mode| !mode.conflicts_with(wanted))
        {
            let stronger = probe(&[(table, beside)])?.modes.get(&table.name).copied();
            match stronger.filter(|mode| *mode > wanted) {
                Some(mode) => wanted = mode,
                None => break,
            }
        }
    }
    Ok(measured)
}

/// Sessions around one statement.
struct Stage {
    worker: Client,
    observer: Client,
    blocker: Client,
    pid: i32,
    _database: Database,
}

/// Locks that a session has or waits for.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    modes: Locks,
    /// The relation whose lock it waits for; of another wait there is only `waits`.
    waits_for: Option<u32>,
    waits: Option<String>,
}

impl Stage {
    /// A world in which the statements before have run, as far as they do.
    fn new(major: u32, before: &[String]) -> Self {
        let database = servers::world(major);
        let mut worker = database.connect();
        for sql in before {
            if worker.simple_query(sql).is_err() {
                let _ = worker.batch_execute("ROLLBACK");
            }
        }
        // Whatever transaction the file leaves open.
        worker
            .batch_execute("COMMIT; RESET lock_timeout; RESET statement_timeout")
            .unwrap();
        let row = worker.query_one("SELECT pg_backend_pid()", &[]).unwrap();
        Self {
            pid: row.get(0),
            observer: database.connect(),
            blocker: database.connect(),
            worker,
            _database: database,
        }
    }

    /// The locks of the worker.
    fn locks(&mut self, tables: &[Relation]) -> Seen {
        locks_of(&mut self.observer, self.pid, tables)
    }

    /// Runs the statement while another session holds locks, until it ends or waits.
    fn probe(
        &mut self,
        sql: &str,
        held: &[(&Relation, LockMode)],
        tables: &[Relation],
    ) -> Result<Seen, String> {
        self.blocker.batch_execute("BEGIN").unwrap();
        for hold in held
            .iter()
            .filter_map(|(table, mode)| holding(table, *mode))
        {
            self.blocker.batch_execute(&hold).map_err(|error| {
                let reason = error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), ToString::to_string);
                format!("{hold}: {reason}")
            })?;
        }
        let cancel = self.worker.cancel_token();
        let Self {
            worker,
            observer,
            pid,
            ..
        } = self;
        let seen = thread::scope(|scope| {
            let run = scope.spawn(move || worker.simple_query(sql).is_ok());
            let started = Instant::now();
            let mut last = Seen::default();
            while !run.is_finished() {
                let seen = locks_of(observer, *pid, tables);
                // The same wait twice: a single one may be for the observer itself.
                if (seen.waits.is_some() && seen.waits == last.waits)
                    || started.elapsed() > PATIENCE
                {
                    let _ = cancel.cancel_query(postgres::NoTls);
                    let _ = run.join();
                    return seen;
                }
                last = seen;
                thread::sleep(Duration::from_millis(2));
            }
            Seen::default()
        });
        self.blocker.batch_execute("ROLLBACK").unwrap();
        Ok(seen)
    }
}

/// The statement that takes a lock, where there is one.
fn holding(table: &Relation, mode: LockMode) -> Option<String> {
    let name = table
        .name
        .split('.')
        .map(|part| format!("\"{part}\""))
        .collect::<Vec<_>>()
        .join(".");
    if !table.is_table() {
        return None;
    }
    if table.kind != "m" {
        return Some(format!("LOCK TABLE ONLY {name} IN {} MODE", mode.as_str()));
    }
    // LOCK TABLE refuses materialized views.
    match mode {
        LockMode::AccessShare => Some(format!("SELECT FROM {name} LIMIT 0")),
        LockMode::ShareUpdateExclusive => Some(format!("ANALYZE {name}")),
        LockMode::AccessExclusive => Some(format!(
            "ALTER MATERIALIZED VIEW {name} OWNER TO CURRENT_USER"
        )),
        _ => None,
    }
}

fn locks_of(observer: &mut Client, pid: i32, tables: &[Relation]) -> Seen {
    let rows = observer
        .query(
            "SELECT relation, mode, granted, locktype || ' ' || coalesce(relation::text, virtualxid, transactionid::text, '')
             FROM pg_locks WHERE pid = $1
             AND (NOT granted OR locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            &[&pid],
        )
        .unwrap();
    let mut seen = Seen::default();
    for row in rows {
        let (relation, mode): (Option<u32>, &str) = (row.get(0), row.get(1));
        if !row.get::<_, bool>(2) {
            seen.waits_for = relation;
            seen.waits = Some(row.get(3));
        }
        let table = tables.iter().find(|table| Some(table.oid) == relation);
        let mode = LockMode::ALL
            .into_iter()
            .find(|known| known.pg_locks_name() == mode);
        if let (Some(table), Some(mode)) = (table, mode) {
            raise(&mut seen.modes, &table.name, mode);
        }
    }
    seen
}
