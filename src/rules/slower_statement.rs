use serde::Deserialize;

use crate::diagnostic::Level;
use crate::probe::{Judged, Probing, Unknown, excerpt};
use crate::snapshot::{Snapshot, StatementStats, compare};

const EXTENSION: &str = "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e \
    JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
const HEADER: &str = "SELECT d.datname AS database, \
    to_char(d.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS stats_reset \
    FROM pg_stat_database d WHERE d.datname = current_database()";

#[derive(Deserialize)]
struct Extension {
    schema: String,
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let Some(before) = probing.settings().stats.clone() else {
        return probing.not_asked();
    };
    if before.statements.is_empty() {
        return Err(Unknown::new(
            "the snapshot from before holds no statements",
            "take it again with `pg_stat_statements` installed",
        ));
    }
    let found: Vec<Extension> = probing.query(EXTENSION, None)?;
    let Some(Extension { schema }) = found.first() else {
        return Err(Unknown::new(
            "how long statements take is not known: `pg_stat_statements` is not installed in this database",
            "put it into shared_preload_libraries, and CREATE EXTENSION pg_stat_statements",
        ));
    };
    probing.sees_sessions()?;
    let ids: Vec<&str> = before
        .statements
        .iter()
        .map(|statement| statement.query_id.as_str())
        .collect();
    let statements: Vec<StatementStats> = probing.query(
        &format!(
            "SELECT s.queryid::text AS query_id, min(s.query) AS text, sum(s.calls)::int8 AS calls, \
             (sum(s.total_exec_time) / greatest(sum(s.calls), 1))::float8 AS mean_ms FROM {schema}.pg_stat_statements s \
             WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) \
             AND s.queryid::text IN (SELECT json_array_elements_text($1::json)) GROUP BY s.queryid"
        ),
        Some(&serde_json::Value::from(ids).to_string()),
    )?;
    let mut head: Vec<Snapshot> = probing.query(HEADER, None)?;
    let now = Snapshot {
        statements,
        ..head.pop().unwrap_or_default()
    };
    let (warning, error) = (
        probing.options().int("warning") as f64,
        probing.options().int("error") as f64,
    );
    for slower in compare::statements(&before, &now) {
        let percent = slower.percent();
        if percent < warning {
            continue;
        }
        let mut finding = probing
            .finding(format!(
                "a statement takes {:.2} ms instead of {:.2} ms ({percent:.0} % longer, in {} runs): {}",
                slower.second_ms,
                slower.first_ms,
                slower.calls,
                excerpt(slower.text.as_deref().unwrap_or_default())
            ))
            .help("compare its plans, ANALYZE its tables, look for an index that is missing");
        if percent >= error {
            finding = finding.level(Level::Error);
        }
        probing.report(finding);
    }
    Ok(())
}
