use serde::Deserialize;

use crate::probe::{Gone, How, Judged, Probing, Unknown, excerpt, uses};
use crate::sql;
use crate::wording::duration;

#[derive(Deserialize)]
struct Extension {
    schema: String,
}

#[derive(Deserialize)]
struct Text {
    query: String,
    calls: i64,
}

#[derive(Deserialize)]
struct Info {
    /// Entries that had to be thrown out.
    dealloc: i64,
    /// Seconds since the statistics began.
    window: f64,
}

const EXTENSION: &str = "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e \
    JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let mut gone = probing.plan().gone();
    gone.retain(|gone| gone.how != How::Retyped);
    if gone.is_empty() {
        return Ok(());
    }
    let found: Vec<Extension> = probing.query(EXTENSION, None)?;
    let Some(Extension { schema }) = found.first() else {
        return Err(Unknown::new(
            "which queries run is not known: `pg_stat_statements` is not installed in this database",
            "put it into shared_preload_libraries, and CREATE EXTENSION pg_stat_statements",
        ));
    };
    probing.sees_sessions()?;
    let words: Vec<&str> = gone.iter().map(|gone| &*gone.relation.name).collect();
    let parameter = serde_json::Value::from(words).to_string();
    let texts: Vec<Text> = probing.query(
        &format!(
            "SELECT s.query, sum(s.calls)::int8 AS calls FROM {schema}.pg_stat_statements s \
             WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) \
             AND EXISTS (SELECT FROM json_array_elements_text($1::json) w WHERE strpos(lower(s.query), lower(w)) > 0) \
             GROUP BY s.query ORDER BY calls DESC LIMIT 20000"
        ),
        Some(&parameter),
    )?;
    let parsed: Vec<_> = texts
        .iter()
        .map(|text| (text, sql::parse_text(&text.query).statements))
        .collect();
    let mut any = false;
    for gone in &gone {
        let users: Vec<&Text> = parsed
            .iter()
            .filter(|(_, statements)| {
                statements
                    .iter()
                    .any(|statement| uses(statement, &gone.relation, gone.column.as_deref()))
            })
            .map(|(text, _)| *text)
            .collect();
        any |= !users.is_empty();
        report(probing, gone, &users);
    }
    if any {
        return Ok(());
    }
    is_enough(probing, schema)
}

/// One finding for what goes away: its most frequent query in the message.
fn report(probing: &mut Probing<'_>, gone: &Gone, users: &[&Text]) {
    let Some(first) = users.first() else { return };
    let name = gone.name();
    let more = match users.len() - 1 {
        0 => String::new(),
        1 => " and 1 more query".to_owned(),
        more => format!(" and {more} more queries"),
    };
    let finding = probing
        .finding(format!(
            "queries use `{name}`: {}, {} times{more}",
            excerpt(&first.query),
            first.calls
        ))
        .help("deploy code that does without it first, then look again after SELECT pg_stat_statements_reset()")
        .label(gone.place, format!("{} `{name}`", gone.how.verb()));
    probing.report(finding);
}

/// Unknown if the statistics do not reach far enough to prove that nobody uses something.
fn is_enough(probing: &mut Probing<'_>, schema: &str) -> Judged {
    if probing.server().major() < 14 {
        return Err(Unknown::new(
            "no query uses what goes away, and PostgreSQL 13 does not tell how far back its statistics reach",
            "reset them with pg_stat_statements_reset() and look again after some days",
        ));
    }
    let info: Vec<Info> = probing.query(
        &format!(
            "SELECT dealloc, extract(epoch FROM clock_timestamp() - stats_reset)::float8 AS window \
             FROM {schema}.pg_stat_statements_info"
        ),
        None,
    )?;
    let needed = probing.options().seconds("window");
    match info.first() {
        Some(info) if info.dealloc > 0 => Err(Unknown::new(
            "no query uses what goes away, and some had to be thrown out of the statistics",
            "raise `pg_stat_statements.max`, reset them and look again after some days",
        )),
        Some(info) if info.window < needed => Err(Unknown::new(
            format!(
                "no query uses what goes away, and the statistics reach only {} back",
                duration(info.window)
            ),
            "look again when they reach over some days",
        )),
        _ => Ok(()),
    }
}
