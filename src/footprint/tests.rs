//! Each shape of a transaction, as data: scripts in, locks with the statements they cover out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::layout::Wraps;
use crate::layout::{self, Direction, Found, Migration, Send, Unit};
use crate::replay::{Replay, replay};
use crate::settings::Settings;
use crate::source::{Fragment, SourceId, Span, SpanMap};

/// Tables that exist before.
const WORLD: &str =
    "create table a (id int, x int); create table b (id int); create table c (id int);";

/// A migration whose units are cut at `|`; a unit that begins with `autocommit:` is outside of the tool's transaction.
fn migration(text: &str, source: u32, send: Send, wraps: Wraps) -> Migration {
    let (mut statements, mut units) = (Vec::new(), Vec::new());
    for part in text.split('|') {
        let (part, wraps) = match part.trim().strip_prefix("autocommit:") {
            Some(part) => (part, Wraps::Nothing),
            None => (part, wraps),
        };
        let parsed = crate::sql::parse(&Fragment {
            sql: part.into(),
            map: SpanMap::copied(0, part.len()),
        });
        assert!(parsed.errors.is_empty(), "{part}: {:?}", parsed.errors);
        let first = statements.len();
        statements.extend(parsed.statements);
        units.push(Unit {
            statements: first..statements.len(),
            send,
            wraps,
        });
    }
    Migration {
        version: source.to_string(),
        description: String::new(),
        direction: Direction::Up,
        source: SourceId(source),
        span: Span::default(),
        statements,
        units,
        pair: None,
        pending: source > 0,
        emptiness: None,
        merges: false,
        incomplete: false,
    }
}

fn history(scripts: &[&str], send: Send, wraps: Wraps) -> History {
    let world = migration(WORLD, 0, Send::PerStatement, Wraps::Nothing);
    let scripts = scripts
        .iter()
        .zip(1..)
        .map(|(text, source)| migration(text, source, send, wraps));
    History {
        found: Found {
            root: String::new(),
            directories: Vec::new(),
            reason: String::new(),
            settings: BTreeMap::new(),
            ..Found::bare(layout::plain())
        },
        migrations: std::iter::once(world).chain(scripts).collect(),
        problems: Vec::new(),
    }
}

/// One change behind what is applied.
fn one_change() -> Settings {
    Settings {
        after: Some("0".to_owned()),
        ..Settings::default()
    }
}

/// `a AE 1-3` for a lock that covers the first three statements of the scripts; transactions apart by `/`, how each
/// ends in front.
fn drawn(replay: &Replay<'_>) -> String {
    let world = replay.ranges[0].end;
    let transactions = replay
        .footprints
        .iter()
        .filter(|footprint| footprint.steps.start >= world)
        .filter(|footprint| !footprint.holds.is_empty());
    let mut out = String::new();
    for footprint in transactions {
        let end = match footprint.end {
            End::Statement => "statement",
            End::Commit(_) => "commit",
            End::Rollback(_) => "rollback",
            End::Prepared(_) => "prepared",
            End::Tool => "tool",
            End::Run => "run",
            End::Message => "message",
            End::Open => "open",
        };
        write!(out, "{}{end}", if out.is_empty() { "" } else { " / " }).expect("a string");
        for hold in &footprint.holds {
            let letters: String = hold
                .lock
                .as_str()
                .split(' ')
                .filter_map(|word| word.chars().next())
                .collect();
            let release = match hold.release {
                Release::End => "",
                Release::Savepoint(_) => "s",
                Release::Block(_) => "b",
            };
            let fresh = if hold.fresh { "(new) " } else { "" };
            write!(
                out,
                " {fresh}{} {letters} {}-{}{release}",
                hold.relation.name,
                hold.since - world + 1,
                hold.until - world,
            )
            .expect("a string");
        }
    }
    out
}

#[test]
fn locks_are_held_until_the_transaction_ends() {
    use Send::{PerStatement, Pipeline, SimpleBatch, Unknown};
    use Wraps::{Nothing, Run, Script};
    const TWO: &str = "alter table a add y int; alter table b add y int";
    for (scripts, send, wraps, expected) in [
        // How the tool sends and wraps.
        (
            &[TWO][..],
            PerStatement,
            Nothing,
            "statement a AE 1-1 / statement b AE 2-2",
        ),
        (
            &[TWO],
            Unknown,
            Nothing,
            "statement a AE 1-1 / statement b AE 2-2",
        ),
        (&[TWO], PerStatement, Script, "tool a AE 1-2 b AE 2-2"),
        (&[TWO], SimpleBatch, Script, "tool a AE 1-2 b AE 2-2"),
        (&[TWO], SimpleBatch, Nothing, "message a AE 1-2 b AE 2-2"),
        (&[TWO], Pipeline, Nothing, "message a AE 1-2 b AE 2-2"),
        (
            &["alter table a add y int"],
            SimpleBatch,
            Nothing,
            "statement a AE 1-1",
        ),
        // Several scripts: a transaction each, or one for the run.
        (
            &["alter table a add y int", "alter table b add y int"],
            PerStatement,
            Script,
            "tool a AE 1-1 / tool b AE 2-2",
        ),
        (
            &["alter table a add y int", "alter table b add y int"],
            PerStatement,
            Run,
            "run a AE 1-2 b AE 2-2",
        ),
        // Outside of the run's transaction: it is committed before, and another begins behind.
        (
            &[
                "alter table a add y int | autocommit: create index concurrently i on a (x)",
                "alter table b add y int; select 1",
            ],
            PerStatement,
            Run,
            "tool a AE 1-1 / statement a SUE 2-2 / run b AE 3-4",
        ),
        // COMMIT in the file ends the tool's transaction.
        (
            &["alter table a add y int; commit; alter table b add y int; select 1"],
            PerStatement,
            Script,
            "commit a AE 1-2 / statement b AE 3-3",
        ),
        (
            &["alter table a add y int; commit; alter table b add y int; select 1"],
            SimpleBatch,
            Nothing,
            "commit a AE 1-2 / message b AE 3-4",
        ),
        (
            &["alter table a add y int; commit", "alter table b add y int"],
            PerStatement,
            Run,
            "commit a AE 1-2 / run b AE 3-3",
        ),
        // BEGIN in the file.
        (
            &["begin; alter table a add y int; select 1; commit; alter table b add y int"],
            PerStatement,
            Nothing,
            "commit a AE 2-4 / statement b AE 5-5",
        ),
        (
            &["begin; alter table a add y int; select 1"],
            PerStatement,
            Nothing,
            "open a AE 2-3",
        ),
        (
            &["begin; alter table a add y int; rollback"],
            PerStatement,
            Nothing,
            "rollback a AE 2-3",
        ),
        (
            &["begin; alter table a add y int; prepare transaction 'p'"],
            PerStatement,
            Nothing,
            "prepared a AE 2-3",
        ),
        (
            &["begin; alter table a add y int; commit and chain; alter table b add y int; commit"],
            PerStatement,
            Nothing,
            "commit a AE 2-3 / commit b AE 4-5",
        ),
        // A message's statements before BEGIN are in the transaction, too.
        (
            &["alter table a add y int; begin; alter table b add y int; commit; select 1"],
            SimpleBatch,
            Nothing,
            "commit a AE 1-4 b AE 3-4",
        ),
        // Stronger modes are locks of their own; weaker ones are nothing new.
        (
            &["create index on a (x); alter table a add y int; create index on a (y); select 1"],
            PerStatement,
            Script,
            "tool a S 1-4 a AE 2-4",
        ),
        // Savepoints.
        (
            &[
                "alter table a add y int; savepoint s; alter table b add y int; rollback to s; \
                 alter table c add y int",
            ],
            PerStatement,
            Script,
            "tool a AE 1-5 b AE 3-4s c AE 5-5",
        ),
        (
            &[
                "savepoint s; alter table b add y int; release s; savepoint s; \
                 alter table c add y int; rollback to savepoint s; select 1",
            ],
            PerStatement,
            Script,
            "tool b AE 2-7 c AE 5-6s",
        ),
        (
            &[
                "savepoint s; alter table a add y int; savepoint t; alter table b add y int; \
                 rollback to s; alter table a add z int",
            ],
            PerStatement,
            Script,
            "tool a AE 2-5s b AE 4-5s a AE 6-6",
        ),
        // What the change itself made is locked, and nobody waits.
        (
            &["create table d (id int); alter table d add y int; alter table a add y int"],
            PerStatement,
            Script,
            "tool (new) d AE 2-3 a AE 3-3",
        ),
        // A block is one statement; in a transaction its locks stay.
        (
            &["do $$ begin alter table a add y int; alter table b add y int; end $$; select 1"],
            PerStatement,
            Nothing,
            "statement a AE 2-3 b AE 3-3",
        ),
        (
            &["do $$ begin alter table a add y int; end $$; alter table b add y int"],
            PerStatement,
            Script,
            "tool a AE 2-3 b AE 3-3",
        ),
    ] {
        let history = history(scripts, send, wraps);
        let replay = replay(&history, &one_change());
        assert_eq!(drawn(&replay), expected, "{scripts:?} {send:?} {wraps:?}");
    }
}

#[test]
fn migrations_that_are_deployed_one_by_one_share_no_transaction() {
    let scripts = ["alter table a add y int", "alter table b add y int"];
    let history = history(&scripts, Send::PerStatement, Wraps::Run);
    let replay = replay(&history, &Settings::default());
    assert_eq!(drawn(&replay), "run a AE 1-1 / run b AE 2-2");
}

/// What is held while the last statement runs: `a AE 1`, the number being that of the statement that took it.
fn held_at_the_end(text: &str) -> String {
    let history = history(&[text], Send::PerStatement, Wraps::Script);
    let replay = replay(&history, &one_change());
    let held = replay.held_locks(replay.steps.len() - 1);
    let words = held.iter().map(|held| {
        format!(
            "{} {} {}",
            held.relation,
            held.lock.pg_locks_name(),
            held.since.index + 1
        )
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_statement_knows_what_is_locked_while_it_runs() {
    for (text, expected) in [
        ("alter table a add y int", ""),
        (
            "alter table a add y int; update a set y = 1",
            "public.a AccessExclusiveLock 1",
        ),
        (
            "create index on a (x); alter table a add y int; select 1",
            "public.a AccessExclusiveLock 2",
        ),
        (
            "create index on b (id); alter table a add y int; select 1",
            "public.a AccessExclusiveLock 2, public.b ShareLock 1",
        ),
        ("alter table a add y int; commit; select 1", ""),
        (
            "savepoint s; alter table a add y int; rollback to s; select 1",
            "",
        ),
        (
            "create table d (id int); alter table d add y int; select 1",
            "",
        ),
        // Locks follow the table, not its name.
        (
            "alter table a rename to old; alter table b rename to a; select 1",
            "public.a AccessExclusiveLock 2, public.old AccessExclusiveLock 1",
        ),
        (
            "savepoint s; alter table a rename to old; rollback to s; select 1",
            "",
        ),
        (
            "lock table a; savepoint s; alter table a rename to old; rollback to s; select 1",
            "public.a AccessExclusiveLock 1",
        ),
        (
            "create schema s; alter table a set schema s; select 1",
            "s.a AccessExclusiveLock 2",
        ),
    ] {
        assert_eq!(held_at_the_end(text), expected, "{text}");
    }
}
