//! Two databases, two snapshots, or one of each: what differs.

use serde_json::Value;

use super::catalog::Object;
use super::params::Target;
use super::session::Session;
use super::snapshot::taken;
use super::trouble::Trouble;
use crate::analyze;
use crate::discover::Discovered;
use crate::probe::drift::{self, Difference, Objects, Part, TableRow};
use crate::probe::{Ask as _, RefusedKind, whole_schema};
use crate::settings::{NEWEST_POSTGRES, OLDEST_POSTGRES, Settings};
use crate::snapshot::Snapshot;
use crate::snapshot::compare::{self, NumberChange, ObjectChange, Side as Where, StatementChange};
use crate::sql;
use crate::statement::Kind;

const DRIFT: &str = include_str!("probes/schema-drift.sql");
/// How much more a plan may cost without being mentioned.
const COST: f64 = 2.0;

/// One of the two.
#[derive(Debug)]
pub enum Side {
    /// A database.
    Database(Box<Target>),
    /// A snapshot with the name of its file.
    Snapshot(String, Box<Snapshot>),
    /// Migrations.
    Files(Box<Files>),
}

/// The migrations of a directory.
#[derive(Debug)]
pub struct Files {
    /// The directory as it was named.
    pub name: String,
    /// What was found in it.
    pub discovered: Discovered,
    /// How they are read.
    pub settings: Settings,
}

/// What differs between two sides.
#[derive(Debug)]
pub struct Compared {
    /// How the two are called.
    pub names: [String; 2],
    /// Objects of the schema.
    pub objects: Vec<ObjectPair>,
    /// Numbers of rows.
    pub rows: Vec<NumberChange>,
    /// Tables that are larger on the second side.
    pub grown: Vec<NumberChange>,
    /// Statements, those first that became slowest.
    pub statements: Vec<StatementChange>,
    /// Settings: name and both values.
    pub settings: Vec<(String, String, String)>,
    /// Plans of the queries that were named.
    pub plans: Vec<PlanChange>,
    /// What was not compared, and why.
    pub notes: Vec<String>,
}

/// An object that differs, with its definitions where a database was asked for them.
#[derive(Debug)]
pub struct ObjectPair {
    /// The object.
    pub change: ObjectChange,
    /// On the first side.
    pub first: Option<String>,
    /// On the second side.
    pub second: Option<String>,
}

/// A query whose plan is worse on the second side.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanChange {
    /// Number of the query in its file, from 1.
    pub number: usize,
    /// How it is worse.
    pub why: String,
    /// Estimated costs.
    pub costs: (f64, f64),
}

struct Read {
    name: String,
    snapshot: Snapshot,
    objects: Vec<Object>,
    session: Option<Session>,
}

fn read(side: Side, notes: &mut Vec<String>) -> Result<Read, Trouble> {
    match side {
        Side::Snapshot(name, snapshot) => Ok(Read {
            name,
            snapshot: *snapshot,
            objects: Vec::new(),
            session: None,
        }),
        Side::Files(_) => Err(Trouble::new(
            "migrations are compared with a database alone: what a snapshot holds of definitions are hashes",
            "name a database on the other side",
        )),
        Side::Database(target) => {
            let mut session = Session::open(&target)?;
            let taken = taken(&mut session, false)?;
            let name = target.label();
            notes.extend(taken.notes.iter().map(|note| format!("{name}: {note}")));
            Ok(Read {
                name,
                snapshot: taken.snapshot,
                objects: taken.objects,
                session: Some(session),
            })
        }
    }
}

/// Compares two sides. `queries` is the text of a file whose plans are compared; they are explained and never run.
///
/// # Errors
/// A database cannot be asked, or the queries are none.
pub fn run(first: Side, second: Side, queries: Option<&str>) -> Result<Compared, Trouble> {
    let (first, second) = match (first, second) {
        (Side::Files(files), Side::Database(target)) => {
            return with_files(*files, &target, true, queries);
        }
        (Side::Database(target), Side::Files(files)) => {
            return with_files(*files, &target, false, queries);
        }
        sides => sides,
    };
    let mut notes = Vec::new();
    let mut left = read(first, &mut notes)?;
    let mut right = read(second, &mut notes)?;
    for side in [&left, &right] {
        if side.snapshot.objects.is_empty() {
            notes.push(format!(
                "{}: it does not say what the schema consists of, so that is not compared",
                side.name
            ));
        }
    }
    let major = |side: &Read| side.snapshot.server_version_num.map(|num| num / 10_000);
    let other_major = major(&left) != major(&right);
    if other_major {
        notes.push(
            "definitions of views are not compared: the majors of the servers print them in other words"
                .to_owned(),
        );
    }
    let mut objects = compare::objects(&left.snapshot, &right.snapshot);
    objects.retain(|one| {
        let printed = matches!(one.kind.as_str(), "view" | "materialized view");
        !(other_major && printed && one.side == Where::Both)
    });
    let objects = objects
        .into_iter()
        .map(|change| ObjectPair {
            first: definition(&left.objects, &change),
            second: definition(&right.objects, &change),
            change,
        })
        .collect();
    let settings = left.snapshot.settings.iter().filter_map(|(name, value)| {
        let other = right.snapshot.settings.get(name)?;
        (value != other).then(|| (name.clone(), value.clone(), other.clone()))
    });
    Ok(Compared {
        objects,
        rows: compare::rows(&left.snapshot, &right.snapshot),
        grown: compare::grown(&left.snapshot, &right.snapshot),
        statements: compare::statements(&left.snapshot, &right.snapshot),
        settings: settings.collect(),
        plans: match queries {
            Some(text) => plans(&mut left, &mut right, text, &mut notes)?,
            None => Vec::new(),
        },
        names: [left.name, right.name],
        notes,
    })
}

/// What all migrations of a directory make, and what a database holds.
fn with_files(
    files: Files,
    target: &Target,
    files_first: bool,
    queries: Option<&str>,
) -> Result<Compared, Trouble> {
    if queries.is_some() {
        return Err(Trouble::new(
            "plans are made by databases, and one of the sides is a directory of migrations",
            "name two databases, or leave out --queries",
        ));
    }
    let mut session = Session::open(target)?;
    let mut notes = std::mem::take(&mut session.notes);
    let postgres = session
        .server
        .major()
        .clamp(OLDEST_POSTGRES, NEWEST_POSTGRES);
    let settings = Settings {
        postgres,
        ..files.settings
    };
    let (report, parsed) = analyze::parsed(files.discovered, settings.clone());
    notes.extend(report.notes);
    for error in &report.errors {
        notes.push(format!("{}: {}", error.path, error.message));
    }
    let mut made = Objects::default();
    for replay in &parsed.replays(&settings) {
        if let Some(schema) = whole_schema(replay) {
            made.add(drift::made(schema));
        }
    }
    if made.all.is_empty() {
        return Err(Trouble::new(
            format!("no migration of {} makes a table", files.name),
            "name the directory of the migrations, or the project around it",
        ));
    }
    let schemas = serde_json::json!(drift::schemas(&made)).to_string();
    let rows = session.ask(None, DRIFT, Some(&schemas));
    let rows: Vec<TableRow> = rows
        .map_err(|refused| refused.message)
        .and_then(|rows| serde_json::from_str(&rows).map_err(|error| error.to_string()))
        .map_err(|message| {
            Trouble::new(
                format!("the database did not answer: {message}"),
                "is the server up, and is nobody holding a lock? ask again",
            )
        })?;
    let there = drift::there(rows);
    let mut names = [files.name, target.label()];
    let mut objects = Vec::new();
    let mut unclear = 0_usize;
    for difference in drift::differences(&made, &there) {
        let (key, side, first, second) = match difference {
            Difference::Missing(key, _) => (key, Where::First, None, None),
            Difference::Extra((table, Part::Table, _)) if drift::is_of_a_tool(&table.name) => {
                continue;
            }
            Difference::Extra(key) => (key, Where::Second, None, None),
            Difference::Fact {
                key,
                what,
                made,
                there,
                ..
            } => {
                let (made, there) = (format!("{what}: {made}"), format!("{what}: {there}"));
                (key, Where::Both, Some(made), Some(there))
            }
            Difference::Unknown(..) => {
                unclear += 1;
                continue;
            }
        };
        let (first, second, side) = match side {
            _ if files_first => (first, second, side),
            Where::First => (second, first, Where::Second),
            Where::Second => (second, first, Where::First),
            side => (second, first, side),
        };
        objects.push(ObjectPair {
            change: ObjectChange {
                kind: key.1.as_str().to_owned(),
                name: drift::full_name(&key),
                side,
            },
            first,
            second,
        });
    }
    if unclear > 0 {
        notes.push(format!(
            "{unclear} facts are not compared: the files do not tell them, or in other words than the server"
        ));
    }
    notes.push(
        "tables, columns, constraints and indexes are compared; other objects are not".to_owned(),
    );
    if !files_first {
        names.reverse();
    }
    Ok(Compared {
        names,
        objects,
        rows: Vec::new(),
        grown: Vec::new(),
        statements: Vec::new(),
        settings: Vec::new(),
        plans: Vec::new(),
        notes,
    })
}

fn definition(objects: &[Object], change: &ObjectChange) -> Option<String> {
    objects
        .iter()
        .find(|object| object.kind == change.kind && object.name == change.name)
        .and_then(|object| object.definition.clone())
}

fn plans(
    left: &mut Read,
    right: &mut Read,
    text: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<PlanChange>, Trouble> {
    let parsed = sql::parse_text(text);
    if let Some(error) = parsed.errors.first() {
        return Err(Trouble::new(
            format!("the queries cannot be read: {}", error.message),
            "name a file of SQL statements, each with its semicolon",
        ));
    }
    let (Some(first), Some(second)) = (&mut left.session, &mut right.session) else {
        return Err(Trouble::new(
            "plans are made by databases, and one of the sides is a snapshot",
            "name two databases, or leave out --queries",
        ));
    };
    let mut changes = Vec::new();
    for (index, statement) in parsed.statements.iter().enumerate() {
        let number = index + 1;
        let plannable = matches!(
            statement.kind,
            Kind::Select(_) | Kind::Insert(_) | Kind::Change(_) | Kind::Merge(_)
        );
        if !plannable {
            notes.push(format!("query {number} has no plan: it is no query"));
            continue;
        }
        let query = &text[statement.span.start as usize..statement.span.end as usize];
        let mut explained = |session: &mut Session, name: &str| match session.explain(query) {
            Ok(plan) => Ok(read_plan(&plan)),
            Err(refused) if refused.kind == RefusedKind::Lost => Err(Trouble::new(
                format!("{name}: the connection was lost: {}", refused.message),
                "is the server up? ask again",
            )),
            Err(refused) => {
                notes.push(format!(
                    "query {number} is not compared: {name}: {}",
                    refused.message
                ));
                Ok(None)
            }
        };
        let before = explained(first, &left.name)?;
        let after = explained(second, &right.name)?;
        if let (Some(before), Some(after)) = (before, after) {
            changes.extend(worse(&before, &after).map(|why| PlanChange {
                number,
                why,
                costs: (before.cost, after.cost),
            }));
        }
    }
    Ok(changes)
}

/// What matters of a plan.
#[derive(Debug, Default, PartialEq)]
struct Plan {
    cost: f64,
    /// Relations that are read in full.
    in_full: Vec<String>,
    /// Relations that are read through an index.
    by_index: Vec<String>,
}

fn read_plan(text: &str) -> Option<Plan> {
    let value: Value = serde_json::from_str(text).ok()?;
    let top = value.get(0)?.get("Plan")?;
    let mut plan = Plan {
        cost: top.get("Total Cost")?.as_f64()?,
        ..Plan::default()
    };
    let mut open = vec![top];
    while let Some(node) = open.pop() {
        let kind = node.get("Node Type").and_then(Value::as_str);
        let relation = node.get("Relation Name").and_then(Value::as_str);
        if let (Some(kind), Some(relation)) = (kind, relation) {
            if kind == "Seq Scan" {
                plan.in_full.push(relation.to_owned());
            } else if kind.contains("Index") || kind == "Bitmap Heap Scan" {
                plan.by_index.push(relation.to_owned());
            }
        }
        open.extend(
            node.get("Plans")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        );
    }
    Some(plan)
}

/// How the second plan is worse, if it is.
fn worse(before: &Plan, after: &Plan) -> Option<String> {
    let lost = after
        .in_full
        .iter()
        .find(|relation| before.by_index.contains(relation) && !before.in_full.contains(relation));
    match lost {
        Some(relation) => Some(format!(
            "`{relation}` is read in full instead of by an index"
        )),
        None if after.cost > before.cost * COST => Some(format!(
            "it costs {:.1} times as much",
            after.cost / before.cost
        )),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_index_and_a_doubled_cost_are_worse() {
        let plan = |node: &str, cost: f64| {
            let text = format!(
                r#"[{{"Plan": {{"Node Type": "Limit", "Total Cost": {cost}, "Plans": [{{"Node Type": "{node}", "Relation Name": "orders"}}]}}}}]"#
            );
            read_plan(&text).unwrap()
        };
        let by_index = plan("Index Scan", 10.0);
        assert_eq!(
            worse(&by_index, &plan("Seq Scan", 10.0)).as_deref(),
            Some("`orders` is read in full instead of by an index")
        );
        assert_eq!(
            worse(&by_index, &plan("Bitmap Heap Scan", 30.0)).as_deref(),
            Some("it costs 3.0 times as much")
        );
        assert_eq!(worse(&by_index, &plan("Index Only Scan", 20.0)), None);
        assert_eq!(
            worse(&plan("Seq Scan", 10.0), &plan("Seq Scan", 15.0)),
            None
        );
        assert_eq!(read_plan("[]"), None);
        assert_eq!(read_plan("no"), None);
    }
}
