//! The session at each statement.

use super::*;

#[test]
fn durations_are_read_as_postgresql_reads_them() {
    for (text, expected) in [
        ("5s", Some(5_000)),
        ("500ms", Some(500)),
        ("2min", Some(120_000)),
        ("1h", Some(3_600_000)),
        ("3000", Some(3_000)),
        ("0", Some(0)),
        ("1.5s", Some(1_500)),
        (" 5 s ", Some(5_000)),
        ("soon", None),
        ("5 parsecs", None),
    ] {
        assert_eq!(milliseconds(text), expected, "{text}");
    }
}

/// A script's statements with what each unit is, cut at `|`.
fn script(text: &str, send: Send, wraps: Wraps) -> (Vec<Statement>, Vec<Unit>) {
    let (mut statements, mut units) = (Vec::new(), Vec::new());
    for part in text.split('|') {
        let first = statements.len();
        let (part, wraps) = match part.trim().strip_prefix("autocommit:") {
            Some(part) => (part, Wraps::Nothing),
            None => (part, wraps),
        };
        let parsed = crate::sql::parse_text(part);
        assert!(parsed.errors.is_empty(), "{part}");
        statements.extend(parsed.statements);
        units.push(Unit {
            statements: first..statements.len(),
            send,
            wraps,
        });
    }
    (statements, units)
}

/// Per statement: number and kind of its transaction.
fn transactions(text: &str, send: Send, wraps: Wraps) -> String {
    let (statements, units) = script(text, send, wraps);
    let moments = moments(&statements, &units, Defaults::default());
    let words = moments.iter().map(|moment| {
        let kind = &moment.transaction.kind.as_str()[..1];
        format!("{kind}{}", moment.transaction.number)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn transactions_are_those_that_the_server_sees() {
    use crate::layout::Send::{PerStatement, Pipeline, SimpleBatch, Unknown};
    use Wraps::{Nothing, Run, Script};
    // n: none, r: the runner's, i: implicit, e: explicit.
    for (text, send, wraps, expected) in [
        ("select 1; select 2", PerStatement, Nothing, "n1 n2"),
        ("select 1; select 2", Unknown, Nothing, "n1 n2"),
        ("select 1; select 2", PerStatement, Script, "r1 r1"),
        ("select 1", SimpleBatch, Nothing, "n1"),
        ("select 1; select 2", SimpleBatch, Nothing, "i1 i1"),
        ("select 1; select 2", Pipeline, Nothing, "i1 i1"),
        // BEGIN makes the implicit transaction an explicit one; behind COMMIT a new implicit one begins.
        (
            "select 1; begin; select 2; commit; select 3",
            SimpleBatch,
            Nothing,
            "i1 i1 e1 e1 i2",
        ),
        (
            "begin; select 2; commit; select 3",
            PerStatement,
            Nothing,
            "n1 e1 e1 n2",
        ),
        (
            "begin; select 2; rollback and chain; select 3",
            PerStatement,
            Nothing,
            "n1 e1 e1 e2",
        ),
        // BEGIN in the tool's transaction changes nothing, COMMIT ends it.
        (
            "begin; select 1; commit; select 2",
            PerStatement,
            Script,
            "r1 r1 r1 n2",
        ),
        // A tool that sends call by call does not notice that its transaction ended …
        (
            "select 1|commit|select 2|select 3",
            SimpleBatch,
            Run,
            "r1 r1 n2 n3",
        ),
        // … until it ends and begins one itself.
        (
            "select 1|commit|select 2|autocommit:select 3|select 4",
            SimpleBatch,
            Run,
            "r1 r1 n2 n3 r4",
        ),
        // A transaction stays open over messages.
        (
            "begin|select 1; select 2|commit|select 3",
            SimpleBatch,
            Nothing,
            "n1 e1 e1 e1 n2",
        ),
    ] {
        assert_eq!(transactions(text, send, wraps), expected, "{text}");
    }
}

#[test]
fn timeouts_hold_as_long_as_the_server_keeps_them() {
    use crate::layout::Send::{PerStatement, SimpleBatch};
    use Wraps::{Nothing, Run, Script};
    // Of lock_timeout and statement_timeout what the last statement sees; `-` is unset.
    for (text, send, wraps, expected) in [
        (
            "set lock_timeout = '2s'; select 1",
            PerStatement,
            Nothing,
            "2000 -",
        ),
        (
            "set lock_timeout to 0; select 1",
            PerStatement,
            Nothing,
            "0 -",
        ),
        (
            "set local lock_timeout = '2s'; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set local lock_timeout = '2s'; select 1",
            PerStatement,
            Script,
            "2000 -",
        ),
        // In one message of several statements SET LOCAL works without a BEGIN.
        (
            "set local lock_timeout = '2s'; select 1",
            SimpleBatch,
            Nothing,
            "2000 -",
        ),
        (
            "begin; set local lock_timeout = '2s'; commit; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "begin; set lock_timeout = '2s'; commit; select 1",
            PerStatement,
            Nothing,
            "2000 -",
        ),
        (
            "begin; set lock_timeout = '2s'; rollback; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set lock_timeout = '2s'; reset lock_timeout; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set lock_timeout = '2s'; reset all; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set lock_timeout = '2s'; discard all; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set lock_timeout = '2s'; set lock_timeout to default; select 1",
            PerStatement,
            Script,
            "- -",
        ),
        // SET LOCAL … TO DEFAULT hides the session's value until the transaction ends.
        (
            "set lock_timeout = '2s'; begin; set local lock_timeout to default; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "set lock_timeout = '2s'; begin; set local lock_timeout to default; commit; select 1",
            PerStatement,
            Nothing,
            "2000 -",
        ),
        (
            "select set_config('lock_timeout', '3s', false); select 1",
            PerStatement,
            Nothing,
            "3000 -",
        ),
        (
            "select set_config('lock_timeout', '3s', true); select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
        (
            "select set_config('lock_timeout', '3s', true); select 1",
            PerStatement,
            Script,
            "3000 -",
        ),
        (
            "set local lock_timeout = '2s'|select 1",
            SimpleBatch,
            Run,
            "2000 -",
        ),
        (
            "set local lock_timeout = '2s'|autocommit:select 1",
            SimpleBatch,
            Run,
            "- -",
        ),
        (
            "set lock_timeout = '2s'|autocommit:select 1",
            SimpleBatch,
            Run,
            "2000 -",
        ),
        (
            "set statement_timeout = '1min'; select 1",
            PerStatement,
            Nothing,
            "- 60000",
        ),
        (
            "set transaction_timeout = '1min'; select 1",
            PerStatement,
            Nothing,
            "- 60000",
        ),
        (
            "set statement_timeout = 0; set transaction_timeout = '1min'; select 1",
            PerStatement,
            Nothing,
            "- 60000",
        ),
        (
            "set statement_timeout = 0; select 1",
            PerStatement,
            Nothing,
            "- 0",
        ),
        (
            "do $$ begin set local lock_timeout = '2s'; end $$; select 1",
            PerStatement,
            Script,
            "2000 -",
        ),
        (
            "do $$ begin set local lock_timeout = '2s'; end $$; select 1",
            PerStatement,
            Nothing,
            "- -",
        ),
    ] {
        let (statements, units) = script(text, send, wraps);
        let moments = moments(&statements, &units, Defaults::default());
        let last = moments.last().expect("a statement");
        let show = |timeout: Option<Timeout>| {
            timeout.map_or("-".to_owned(), |t| t.milliseconds.to_string())
        };
        let shown = format!(
            "{} {}",
            show(last.lock_timeout),
            show(last.statement_timeout)
        );
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn a_session_keeps_what_was_set_for_the_next_script() {
    use Wraps::{Nothing, Run, Script};
    // What the first statement of the second script sees.
    for (first, second, wraps, expected) in [
        ("set lock_timeout = '2s'", "select 1", Script, Some(2_000)),
        ("set lock_timeout = '2s'", "select 1", Nothing, Some(2_000)),
        ("set local lock_timeout = '2s'", "select 1", Script, None),
        // One transaction around both.
        (
            "set local lock_timeout = '2s'",
            "select 1",
            Run,
            Some(2_000),
        ),
        (
            "set lock_timeout = '2s'; rollback",
            "select 1",
            Script,
            None,
        ),
        (
            "set lock_timeout = '2s'; reset all",
            "select 1",
            Script,
            None,
        ),
    ] {
        let (statements, units) = script(first, Send::PerStatement, wraps);
        let none = Defaults::default();
        let (_, carried) = moments_behind(&statements, &units, none, Carried::default());
        let (statements, units) = script(second, Send::PerStatement, wraps);
        let (moments, _) = moments_behind(&statements, &units, none, carried);
        let seen = moments[0].lock_timeout;
        assert_eq!(
            seen.map(|seen| seen.milliseconds),
            expected,
            "{first} {wraps:?}"
        );
        assert!(seen.is_none_or(|seen| seen.set_by.is_none()), "{first}");
    }
}

#[test]
fn a_default_holds_where_nothing_else_is_set() {
    let defaults = Defaults {
        lock_timeout: Some(4_000),
        statement_timeout: None,
    };
    let text = "select 1; set lock_timeout = 0; reset lock_timeout; set statement_timeout = '9s'";
    let (statements, units) = script(text, Send::PerStatement, Wraps::Script);
    let moments = moments(&statements, &units, defaults);
    let seen: Vec<_> = moments
        .iter()
        .map(|moment| {
            moment
                .lock_timeout
                .map(|t| (t.milliseconds, t.set_by.is_some()))
        })
        .collect();
    assert_eq!(
        seen,
        [
            Some((4_000, false)),
            Some((0, true)),
            Some((4_000, false)),
            Some((4_000, false))
        ]
    );
    let behind = defaults_behind(&statements, &units, defaults);
    assert_eq!(
        (behind.lock_timeout, behind.statement_timeout),
        (Some(4_000), Some(9_000))
    );
}
