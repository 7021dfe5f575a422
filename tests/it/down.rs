//! `down-not-inverse` and `down-fails` against servers: scripts run there and back, and what the catalog then holds is
//! compared with what it held before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use lockgate::diagnostic::{Certainty, Diagnostic};
use lockgate::schema::compare::{Difference, How, differences};
use lockgate::schema::{Relation, Schema};
use lockgate::settings::Settings;
use lockgate::statement::{ObjectKind, QualifiedName};
use lockgate::testing;
use lockgate::testing::replay::{SEPARATOR, statements};
use postgres::Client;

use super::case;
use super::example::root;
use super::replay::generate::Generator;
use super::replay::{Run, catalog_lines, ends, fixtures, oldest};
use super::servers;

/// The catalog's lines, with those for what a foreign key does.
fn moment(client: &mut Client) -> Vec<String> {
    let mut lines = catalog_lines(client);
    let rows = client
        .query(
            "SELECT concat('action ', n.nspname, '.', c.relname, '.', k.conname, ' | ', k.confdeltype, k.confupdtype, \
                    k.condeferrable)
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg_temp_%'
               AND k.contype IN ('f', 'u', 'p') AND NOT (k.contype = 'f' AND k.conparentid <> 0)",
            &[],
        )
        .unwrap();
    lines.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    lines
}

/// What the catalog holds of each object, without what is not compared: `column public.t.a` to the rest of the line.
fn objects(lines: &[String]) -> BTreeMap<String, String> {
    let mut objects: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |key: String, value: String| {
        let entry = objects.entry(key).or_default();
        let _ = write!(entry, "{value};");
    };
    for line in lines {
        let mut fields: Vec<&str> = line.split(SEPARATOR).collect();
        let key = fields.remove(0);
        let (kind, name) = key.split_once(' ').unwrap_or((key, ""));
        if name.starts_with("pg_temp.") {
            continue;
        }
        match kind {
            // The last field is the comment.
            "table" => put(key.to_owned(), fields[..fields.len() - 1].join(SEPARATOR)),
            "column" => {
                // Between table and column stands the position: `.01 `.
                let at = name
                    .match_indices(' ')
                    .map(|(at, _)| at)
                    .find(|at| {
                        let head = &name[..*at];
                        head.len() > 3
                            && head.as_bytes()[at - 3] == b'.'
                            && head[at - 2..].bytes().all(|b| b.is_ascii_digit())
                    })
                    .unwrap();
                let (table, column) = (&name[..at - 3], &name[at + 1..]);
                let rest = fields[..fields.len() - 1].join(SEPARATOR);
                put(format!("column {table}.{column}"), rest);
            }
            // Whether it is valid does not count.
            "constraint" => {
                fields.remove(2);
                put(key.to_owned(), fields.join(SEPARATOR));
            }
            "index" => {
                let (constraint, parent) = (fields[6], fields[7]);
                if constraint.is_empty() && parent.is_empty() {
                    put(key.to_owned(), fields[..5].join(SEPARATOR));
                }
            }
            "action" => put(format!("constraint {name}"), fields.join(SEPARATOR)),
            "partition" => put(format!("table {name}"), fields.join(SEPARATOR)),
            "inherits" => {
                let (child, parent) = name.split_once(' ').unwrap();
                put(format!("table {child}"), format!("inherits {parent}"));
            }
            // That of a column comes and goes with it; its type is not compared.
            "sequence" if fields[0].is_empty() => put(key.to_owned(), String::new()),
            "sequence" => {}
            "enum" | "domain" | "composite" | "type" => {
                put(format!("type {name}"), fields.join(SEPARATOR));
            }
            "view" => put(key.to_owned(), format!("{} {}", fields[0], fields[2])),
            // A copy comes and goes with the trigger of the partitioned table.
            "trigger" if name.starts_with("copy ") => {}
            "function" | "trigger" | "policy" => put(key.to_owned(), String::new()),
            // Not compared: rules of tables and extended statistics.
            "rule" | "statistics" => {}
            other => panic!("{other}: how is it compared?"),
        }
    }
    objects
}

/// The objects that are not the same, without the parts of a table that is there on one side only.
fn changed(before: &[String], after: &[String]) -> BTreeSet<String> {
    let (before, after) = (objects(before), objects(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let one_sided: BTreeSet<&str> = keys
        .iter()
        .filter_map(|key| key.strip_prefix("table "))
        .filter(|name| {
            let key = format!("table {name}");
            before.contains_key(&key) != after.contains_key(&key)
        })
        .collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .filter(|key| {
            let (kind, name) = key.split_once(' ').unwrap();
            let owner = name.rsplit_once('.').map_or("", |(owner, _)| owner);
            !matches!(kind, "column" | "constraint" | "trigger" | "policy")
                || !one_sided.contains(owner)
        })
        .cloned()
        .collect()
}

fn plain(name: &QualifiedName) -> String {
    format!("{}.{}", name.schema, name.name)
}

/// The same names for what the model finds: two for something under two names.
fn keys(difference: &Difference) -> Vec<String> {
    let own = key(difference);
    let mut keys = Vec::new();
    if let How::Name(other) = &difference.how {
        let (head, _) = own.rsplit_once('.').unwrap();
        keys.push(format!("{head}.{other}"));
    }
    keys.push(own);
    keys
}

fn key(difference: &Difference) -> String {
    let name = plain(&difference.name);
    let part = difference.part.as_deref().unwrap_or_default();
    match difference.kind {
        ObjectKind::Column => format!("column {name}.{part}"),
        ObjectKind::Constraint => format!("constraint {name}.{part}"),
        ObjectKind::Trigger => format!("trigger {name}.{part}"),
        ObjectKind::Policy => format!("policy {name}.{part}"),
        ObjectKind::Table | ObjectKind::ForeignTable => format!("table {name}"),
        ObjectKind::View | ObjectKind::MaterializedView => format!("view {name}"),
        ObjectKind::Type | ObjectKind::Domain => format!("type {name}"),
        ObjectKind::Function | ObjectKind::Procedure => format!("function {name}"),
        other => format!("{} {name}", other.as_str()),
    }
}

/// True for a part of a table that has parents: what it inherits is compared there. Also for what is not known, and for
/// an index that belongs to another one.
fn is_inherited(key: &str, schemas: [&Schema; 2]) -> bool {
    let (kind, name) = key.split_once(' ').unwrap();
    let mut relations = schemas.iter().flat_map(|schema| schema.relations());
    if matches!(kind, "table" | "index") {
        return relations.any(|(own, relation)| {
            plain(own) == name
                && match relation {
                    Relation::Table(table) => !table.known,
                    Relation::Index(index) => index.parent.is_some() || index.constraint.is_some(),
                    _ => false,
                }
        });
    }
    if !matches!(kind, "column" | "constraint") {
        return false;
    }
    let owner = name.rsplit_once('.').map_or("", |(owner, _)| owner);
    relations.any(|(name, relation)| match relation {
        Relation::Table(table) => {
            plain(name) == owner
                && (!table.known || table.partition.is_some() || !table.inherits.is_empty())
        }
        _ => false,
    })
}

/// Compares two moments of one history: what differs in the catalog, and what the model says.
fn judge(
    catalogs: [&[String]; 2],
    schemas: [&Schema; 2],
    label: &str,
    failures: &mut Vec<String>,
) -> usize {
    let without_arguments = |key: String| -> String {
        key.split_once('(')
            .filter(|_| key.starts_with("function "))
            .map_or(key.clone(), |(name, _)| name.to_owned())
    };
    let truth: BTreeSet<String> = changed(catalogs[0], catalogs[1])
        .into_iter()
        .map(without_arguments)
        .filter(|key| !is_inherited(key, schemas))
        .collect();
    let found = differences(schemas[0], schemas[1]);
    let told: BTreeSet<String> = found
        .iter()
        .flat_map(keys)
        .filter(|key| !is_inherited(key, schemas))
        .collect();
    let sure: BTreeSet<String> = found
        .iter()
        .filter(|difference| difference.certain)
        .flat_map(keys)
        .filter(|key| !is_inherited(key, schemas))
        .collect();
    let missed: Vec<&String> = truth.difference(&told).collect();
    let invented: Vec<&String> = sure.difference(&truth).collect();
    if !missed.is_empty() || !invented.is_empty() {
        failures.push(format!(
            "{label}:\n  not found: {missed:?}\n  invented: {invented:?}"
        ));
    }
    truth.len()
}

fn report(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} are wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn schemas_differ_where_catalogs_do() {
    let (mut failures, mut seen) = (Vec::new(), 0);
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let sql = fs::read_to_string(&path).unwrap();
        for major in ends().into_iter().filter(|major| *major >= oldest(&sql)) {
            let database = servers::fresh_database(major);
            let mut run = Run::new(database.connect(), major);
            let all = statements(&sql);
            let mut moments = Vec::new();
            for (at, statement) in all.iter().enumerate() {
                run.statement(statement);
                if at % 12 == 11 || at + 1 == all.len() {
                    let catalog = moment(&mut database.connect());
                    moments.push((catalog, run.schema.clone()));
                }
            }
            for pair in moments.windows(2) {
                let catalogs = [pair[0].0.as_slice(), pair[1].0.as_slice()];
                let schemas = [&pair[0].1, &pair[1].1];
                seen += judge(
                    catalogs,
                    schemas,
                    &format!("{name} on {major}"),
                    &mut failures,
                );
            }
        }
    }
    assert!(seen > 50 || ends().is_empty(), "only {seen} objects differ");
    report(&failures);
}

/// How many generated histories run; a failure names its seed.
const GENERATED: u64 = 12;

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let first = number("LOCKGATE_SEED").unwrap_or(1);
    first..first + number("LOCKGATE_SEEDS").unwrap_or(GENERATED)
}

#[test]
fn random_schemas_differ_where_catalogs_do() {
    let mut failures = Vec::new();
    for seed in seeds() {
        for major in ends() {
            let database = servers::fresh_database(major);
            let mut run = Run::new(database.connect(), major);
            let mut generator = Generator::new(seed, major);
            let mut last: Option<(Vec<String>, Schema)> = None;
            let (mut taken, mut attempts): (Vec<String>, usize) = (Vec::new(), 0);
            while taken.len() < 60 && attempts < 500 {
                attempts += 1;
                let sql = generator.statement(&run.schema);
                let mut ran = false;
                for statement in statements(&sql) {
                    ran |= run.statement(&statement);
                }
                if !ran {
                    continue;
                }
                taken.push(sql);
                if taken.len().is_multiple_of(6) {
                    let catalog = moment(&mut database.connect());
                    let moment = (catalog, run.schema.clone());
                    if let Some(last) = &last {
                        let tail = taken[taken.len() - 6..].join(";\n    ");
                        let label = format!("seed {seed} on {major}, after\n    {tail}");
                        let catalogs = [last.0.as_slice(), moment.0.as_slice()];
                        judge(catalogs, [&last.1, &moment.1], &label, &mut failures);
                    }
                    last = Some(moment);
                }
            }
        }
    }
    report(&failures);
}

/// What became of an up script, its down script, and the up script again.
struct Outcome {
    /// SQLSTATE of the down script's error.
    down: Option<String>,
    /// Objects that differ.
    changed: BTreeSet<String>,
    /// SQLSTATE of the error of the second run.
    again: Option<String>,
}

fn run(client: &mut Client, sql: &str) -> Option<String> {
    for statement in statements(sql) {
        if let Err(error) = client.batch_execute(&statement.source.sql) {
            return Some(
                error
                    .code()
                    .map_or("?".to_owned(), |code| code.code().to_owned()),
            );
        }
    }
    None
}

/// A server with the example world, and what its catalog holds.
struct World {
    major: u32,
    client: Client,
    before: Vec<String>,
    /// Dropped when it is done with.
    _database: servers::Database,
}

fn worlds() -> Vec<World> {
    let world = |major| {
        let database = servers::world(major);
        let mut client = database.connect();
        World {
            major,
            before: moment(&mut client),
            client,
            _database: database,
        }
    };
    ends().into_iter().map(world).collect()
}

impl World {
    /// Runs an up script, its down script and the up script again, and takes all of it back; none if the up script
    /// fails.
    fn outcome(&mut self, up: &str, down: &str) -> Option<Outcome> {
        let begin = "BEGIN; SET LOCAL search_path = public";
        self.client.batch_execute(begin).unwrap();
        let outcome = self.inside(up, down);
        self.client.batch_execute("ROLLBACK").unwrap();
        outcome
    }

    fn inside(&mut self, up: &str, down: &str) -> Option<Outcome> {
        let client = &mut self.client;
        if let Some(error) = run(client, up) {
            eprintln!("{error} for {up}");
            return None;
        }
        let mut outcome = Outcome {
            down: run(client, down),
            changed: BTreeSet::new(),
            again: None,
        };
        if outcome.down.is_none() {
            outcome.changed = changed(&self.before, &moment(client));
            client
                .batch_execute("SET LOCAL search_path = public")
                .unwrap();
            outcome.again = run(client, up);
        }
        Some(outcome)
    }
}

/// What the two rules say.
fn verdict(major: u32, up: &str, down: &str) -> Vec<Diagnostic> {
    let world = fs::read_to_string(root().join("fixtures/world.sql")).unwrap();
    let settings = Settings {
        postgres: major,
        ..Settings::default()
    };
    let files = [("1_a.up.sql", up), ("1_a.down.sql", down)];
    testing::check("golang-migrate", &files, Some(&world), settings)
        .diagnostics
        .into_iter()
        .filter(|found| found.rule == "down-not-inverse" || found.rule == "down-fails")
        .collect()
}

/// What is wrong with a verdict.
fn mistakes(world: &mut World, up: &str, down: &str) -> Vec<String> {
    let Some(outcome) = world.outcome(up, down) else {
        return Vec::new();
    };
    let found = verdict(world.major, up, down);
    let of = |rule: &str| found.iter().find(|found| found.rule == rule);
    let mut wrong = Vec::new();
    match (&outcome.down, of("down-fails")) {
        // What a view names is not looked up.
        (Some(code), None) if code == "42703" && down.contains("CREATE VIEW") => {}
        (Some(code), None) => wrong.push(format!("the way back fails with {code}: not said")),
        (Some(code), Some(said)) if !said.message.contains(code.as_str()) => {
            wrong.push(format!("the way back fails with {code}: {}", said.message));
        }
        (None, Some(said)) => wrong.push(format!("the way back works: {}", said.message)),
        _ => {}
    }
    if outcome.down.is_some() {
        return wrong;
    }
    match (outcome.changed.is_empty(), of("down-not-inverse")) {
        (true, Some(said)) if said.certainty == Certainty::Certain => {
            wrong.push(format!("nothing differs: {}", said.message));
        }
        (false, None) => wrong.push(format!("not said: {:?}", outcome.changed)),
        (false, Some(said)) => {
            let fails = said.message.contains("the next run of the up script fails");
            match &outcome.again {
                // From 18 on NOT NULL constraints have names, which are not kept: a constraint that is gone may be one.
                Some(code) if code == "42704" && world.major >= 18 => {}
                Some(code) if fails && !said.message.contains(code.as_str()) => {
                    wrong.push(format!("again {code}: {}", said.message));
                }
                None if fails => wrong.push(format!("it runs again: {}", said.message)),
                _ => {}
            }
            // The SQL in the help leads back where it says all that differs.
            let sql = said
                .help
                .as_deref()
                .and_then(|help| help.strip_prefix("add to the down script: "));
            let all = !said.message.contains("is missing")
                && !said.message.contains("in another way")
                && !said.message.contains("another default")
                && !said.message.contains("no default")
                && !said.message.contains(" more")
                && !said.message.contains("value `");
            if let (Some(sql), true) = (sql, all) {
                let sql = sql.split(" (run both").next().unwrap_or(sql);
                let mended = format!("{down}\n{sql}");
                match world.outcome(up, &mended) {
                    Some(again) if again.down.is_none() && again.changed.is_empty() => {}
                    Some(again) => wrong.push(format!(
                        "`{sql}` does not mend it: {:?} {:?}",
                        again.down, again.changed
                    )),
                    None => {}
                }
            }
        }
        _ => {}
    }
    wrong
}

#[test]
fn cases_of_the_rules_are_what_servers_do() {
    let mut worlds = worlds();
    let mut failures = Vec::new();
    let mut seen = 0;
    for rule in ["down-not-inverse", "down-fails"] {
        let text = fs::read_to_string(root().join(format!("fixtures/rules/{rule}.sql"))).unwrap();
        let (cases, _) = case::read(&text);
        for case in cases {
            let files = &case.example.files;
            let [(up_name, up), (down_name, down)] = files.as_slice() else {
                continue;
            };
            // What the rules leave open, or what is not in the example world.
            let open = up.contains("lockgate: irreversible")
                || up.contains("elsewhere")
                || up.contains("CREATE SCHEMA")
                || down.contains("DO $$");
            if !up_name.ends_with(".up.sql") || !down_name.ends_with(".down.sql") || open {
                continue;
            }
            for world in &mut worlds {
                seen += 1;
                for wrong in mistakes(world, up, down) {
                    failures.push(format!("{} on {}: {wrong}", case.title, world.major));
                }
            }
        }
    }
    assert!(seen > 20 || ends().is_empty(), "only {seen} cases ran");
    report(&failures);
}

/// Steps with the way back, and another one that does not lead back; `#` is a number.
const STEPS: &[(&str, &str, &str)] = &[
    (
        "ALTER TABLE coupons ADD COLUMN c# text",
        "ALTER TABLE coupons DROP COLUMN c#",
        "ALTER TABLE coupons RENAME COLUMN c# TO d#",
    ),
    (
        "CREATE TABLE t# (id bigint PRIMARY KEY, a serial)",
        "DROP TABLE t#",
        "DROP TABLE IF EXISTS t",
    ),
    (
        "CREATE TYPE e# AS ENUM ('a', 'b'); ALTER TABLE coupons ADD COLUMN e# e#",
        "ALTER TABLE coupons DROP COLUMN e#; DROP TYPE e#",
        "DROP TYPE e#; ALTER TABLE coupons DROP COLUMN e#",
    ),
    (
        "CREATE INDEX i# ON orders (note)",
        "DROP INDEX i#",
        "ALTER INDEX i# RENAME TO j#",
    ),
    (
        "DROP INDEX idx_orders_status",
        "CREATE INDEX idx_orders_status ON orders (status)",
        "CREATE INDEX idx_orders_status ON orders (status) WHERE total > 1",
    ),
    (
        "DROP INDEX idx_coupons_code",
        "CREATE UNIQUE INDEX idx_coupons_code ON coupons (code)",
        "CREATE INDEX idx_coupons_code ON coupons (code)",
    ),
    (
        "ALTER TABLE products ALTER COLUMN weight_grams SET DEFAULT 1",
        "ALTER TABLE products ALTER COLUMN weight_grams DROP DEFAULT",
        "ALTER TABLE products ALTER COLUMN weight_grams SET DEFAULT 2",
    ),
    (
        "ALTER TABLE coupons ALTER COLUMN expires_on SET DEFAULT now()",
        "ALTER TABLE coupons ALTER COLUMN expires_on SET DEFAULT NULL",
        "ALTER TABLE coupons ALTER COLUMN expires_on SET DEFAULT current_date",
    ),
    (
        "ALTER TABLE products ALTER COLUMN weight_grams TYPE bigint",
        "ALTER TABLE products ALTER COLUMN weight_grams TYPE integer",
        "ALTER TABLE products ALTER COLUMN weight_grams TYPE numeric(10)",
    ),
    (
        "ALTER TABLE users ALTER COLUMN phone SET NOT NULL",
        "ALTER TABLE users ALTER COLUMN phone DROP NOT NULL",
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL",
    ),
    (
        "ALTER TABLE users RENAME COLUMN age TO years#",
        "ALTER TABLE users RENAME COLUMN years# TO age",
        "ALTER TABLE users RENAME COLUMN years# TO years",
    ),
    (
        "ALTER TABLE events RENAME TO events#",
        "ALTER TABLE events# RENAME TO events",
        "ALTER TABLE events# RENAME TO event",
    ),
    (
        "ALTER TABLE order_lines DROP CONSTRAINT order_lines_product_id_fkey",
        "ALTER TABLE order_lines ADD FOREIGN KEY (product_id) REFERENCES products",
        "ALTER TABLE order_lines ADD CONSTRAINT k# FOREIGN KEY (product_id) REFERENCES products",
    ),
    (
        "ALTER TABLE order_lines ADD CONSTRAINT k# CHECK (quantity > 0)",
        "ALTER TABLE order_lines DROP CONSTRAINT k#",
        "ALTER TABLE order_lines RENAME CONSTRAINT k# TO l#",
    ),
    (
        "ALTER TABLE users ADD CONSTRAINT k# UNIQUE (phone)",
        "ALTER TABLE users DROP CONSTRAINT k#",
        "DROP INDEX k#",
    ),
    (
        "CREATE VIEW v# AS SELECT id FROM users",
        "DROP VIEW v#",
        "CREATE OR REPLACE VIEW v# AS SELECT id, email FROM users",
    ),
    (
        "DROP VIEW active_users",
        "CREATE VIEW active_users AS SELECT id, email, name, age FROM users WHERE deleted_at IS NULL",
        "CREATE VIEW active_users AS SELECT id, email, name FROM users WHERE deleted_at IS NULL",
    ),
    (
        "CREATE SEQUENCE s#",
        "DROP SEQUENCE s#",
        "ALTER SEQUENCE s# RENAME TO r#",
    ),
    (
        "CREATE FUNCTION f#(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f#",
        "DROP FUNCTION f#; CREATE FUNCTION f#(a bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    (
        "CREATE TRIGGER g# BEFORE UPDATE ON coupons FOR EACH ROW EXECUTE FUNCTION trim_note()",
        "DROP TRIGGER g# ON coupons",
        "DROP TRIGGER g# ON orders",
    ),
    (
        "ALTER TABLE users DROP COLUMN legacy_flag",
        "ALTER TABLE users ADD COLUMN legacy_flag boolean",
        "ALTER TABLE users ADD COLUMN legacy_flag boolean DEFAULT false",
    ),
    (
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p# ON users USING (true)",
        "DROP POLICY p# ON users; ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "DROP POLICY p# ON users",
    ),
    (
        "ALTER TYPE order_status RENAME VALUE 'new' TO 'fresh#'",
        "ALTER TYPE order_status RENAME VALUE 'fresh#' TO 'new'",
        "ALTER TYPE order_status RENAME VALUE 'fresh' TO 'new'",
    ),
    (
        "CREATE DOMAIN d# AS text CHECK (VALUE <> '')",
        "DROP DOMAIN d#",
        "ALTER DOMAIN d# SET NOT NULL",
    ),
    (
        "CREATE TABLE events_# PARTITION OF events FOR VALUES FROM ('2027-01-01 00:00+00') TO ('2028-01-01 00:00+00')",
        "DROP TABLE events_#",
        "ALTER TABLE events DETACH PARTITION events_#",
    ),
    (
        "ALTER TABLE events DETACH PARTITION events_2026",
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00')",
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2028-01-01 00:00+00')",
    ),
    (
        "ALTER TABLE users ADD COLUMN g# integer GENERATED ALWAYS AS (age * 2) STORED",
        "ALTER TABLE users DROP COLUMN g#",
        "ALTER TABLE users ALTER COLUMN g# DROP EXPRESSION",
    ),
    (
        "CREATE MATERIALIZED VIEW m# AS SELECT id FROM coupons",
        "DROP MATERIALIZED VIEW m#",
        "DROP VIEW m#",
    ),
    (
        "ALTER TABLE users ALTER COLUMN id SET GENERATED ALWAYS",
        "ALTER TABLE users ALTER COLUMN id SET GENERATED BY DEFAULT",
        "ALTER TABLE users ALTER COLUMN id DROP IDENTITY",
    ),
    (
        "INSERT INTO coupons (id, code, discount) VALUES (1000 + #, 'NEW#', 1)",
        "DELETE FROM coupons WHERE id = 1000 + #",
        "SELECT 1",
    ),
];

#[test]
fn verdicts_on_pairs_are_what_servers_do() {
    let mut worlds = worlds();
    let mut failures = Vec::new();
    let mut check = |up: &str, down: &str| {
        for world in &mut worlds {
            for wrong in mistakes(world, up, down) {
                let major = world.major;
                failures.push(format!("on {major}: {wrong}\n  up: {up}\n  down: {down}"));
            }
        }
    };
    // Each step alone, then several with mistakes at random.
    for (up, down, other) in STEPS {
        let numbered = |sql: &str| format!("{};", sql.replace('#', "1"));
        check(&numbered(up), &numbered(down));
        check(&numbered(up), &numbered(other));
    }
    for seed in seeds() {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % limit as u64).unwrap()
        };
        let (mut ups, mut downs) = (Vec::new(), Vec::new());
        for number in 0..2 + below(4) {
            let (up, down, other) = STEPS[below(STEPS.len())];
            let numbered = |sql: &str| format!("{};", sql.replace('#', &number.to_string()));
            ups.push(numbered(up));
            match below(10) {
                0 => {}
                1 => downs.push(numbered(other)),
                _ => downs.push(numbered(down)),
            }
        }
        if below(6) > 0 {
            downs.reverse();
        }
        if !downs.is_empty() {
            check(&ups.join("\n"), &downs.join("\n"));
        }
    }
    report(&failures);
}
