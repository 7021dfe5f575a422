//! What `--stats` and `--before` read, taken from a database.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::catalog::{self, Object};
use super::params::Target;
use super::session::Session;
use super::trouble::Trouble;
use crate::probe::{Ask as _, Expected, Invariant, Refused, RefusedKind};
use crate::snapshot::{Relation, Snapshot, StatementStats};
use crate::sql;
use crate::sql::lex::{Lexer, TokenKind};
use crate::statement::Kind;

const HEADER: &str = include_str!("queries/header.sql");
const RELATIONS: &str = include_str!("queries/relations.sql");
const EXTENSION: &str = "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e \
    JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
/// Statements that take the most time; the others do not matter.
const STATEMENTS: &str = "SELECT s.queryid::text AS query_id, min(s.query) AS text, sum(s.calls)::int8 AS calls, \
    (sum(s.total_exec_time) / greatest(sum(s.calls), 1))::float8 AS mean_ms FROM {schema}.pg_stat_statements s \
    WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND s.queryid IS NOT NULL \
    GROUP BY s.queryid ORDER BY sum(s.total_exec_time) DESC LIMIT 1000";

/// A snapshot with what was not to be had.
#[derive(Debug)]
pub struct Taken {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What is missing in it, and why.
    pub notes: Vec<String>,
    /// The definitions behind the hashes.
    pub(super) objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Extension {
    schema: String,
}

/// Takes a snapshot of a database.
///
/// # Errors
/// The database cannot be asked.
pub fn take(target: &Target, with_texts: bool, invariants: &[Invariant]) -> Result<Taken, Trouble> {
    let mut session = Session::open(target)?;
    let mut taken = taken(&mut session, with_texts)?;
    for invariant in invariants {
        let title = &invariant.title;
        if !matches!(invariant.expected, Expected::Same | Expected::NotLess) {
            continue;
        }
        let answer = session.ask(Some(Invariant::BEFORE), &invariant.sql(), None);
        match answer.and_then(|rows| read_rows(&rows)) {
            Ok(rows) => match Invariant::value(&rows) {
                Some(value) => {
                    taken.snapshot.invariants.insert(title.clone(), value);
                }
                None => taken.notes.push(format!(
                    "the query `{title}` is left out: it does not return one value"
                )),
            },
            Err(refused) => taken.notes.push(left_out(
                &format!("what the query `{title}` returns"),
                &refused,
            )?),
        }
    }
    Ok(taken)
}

pub(super) fn taken(session: &mut Session, with_texts: bool) -> Result<Taken, Trouble> {
    let mut notes = std::mem::take(&mut session.notes);
    let mut head: Vec<Snapshot> = rows(session, HEADER).map_err(|refused| fatal(&refused))?;
    let mut snapshot = head.pop().unwrap_or_default();
    match rows::<Relation>(session, RELATIONS) {
        Ok(relations) => snapshot.relations = relations,
        Err(refused) => notes.push(left_out("the sizes", &refused)?),
    }
    let objects = match catalog::read(session) {
        Ok(objects) => objects,
        Err(refused) => {
            notes.push(left_out("the definitions of objects", &refused)?);
            Vec::new()
        }
    };
    snapshot.objects = catalog::hashed(&objects);
    if !objects.is_empty() {
        snapshot.schema_fingerprint = catalog::fingerprint(&snapshot.objects);
    }
    match statements(session, with_texts) {
        Ok(Some(statements)) => snapshot.statements = statements,
        Ok(None) => notes.push(
            "the statistics of statements are left out: `pg_stat_statements` is not installed in this database"
                .to_owned(),
        ),
        Err(refused) => notes.push(left_out("the statistics of statements", &refused)?),
    }
    if !session.server.sees_sessions && !snapshot.statements.is_empty() {
        notes.push(format!(
            "statements of other roles are left out: GRANT pg_monitor TO {}",
            session.server.user
        ));
    }
    Ok(Taken {
        snapshot,
        notes,
        objects,
    })
}

fn statements(
    session: &mut Session,
    with_texts: bool,
) -> Result<Option<Vec<StatementStats>>, Refused> {
    let found: Vec<Extension> = rows(session, EXTENSION)?;
    let Some(Extension { schema }) = found.first() else {
        return Ok(None);
    };
    let mut statements: Vec<StatementStats> =
        rows(session, &STATEMENTS.replace("{schema}", schema))?;
    for statement in &mut statements {
        statement.text = statement
            .text
            .take()
            .filter(|text| with_texts && is_normalised(text));
    }
    Ok(Some(statements))
}

/// True for a query in which no constant is left. Those of utility statements stay, and passwords are among them.
fn is_normalised(text: &str) -> bool {
    let parsed = sql::parse_text(text);
    let reads_or_writes = !parsed.statements.is_empty()
        && parsed.statements.iter().all(|statement| {
            matches!(
                statement.kind,
                Kind::Select(_) | Kind::Insert(_) | Kind::Change(_) | Kind::Merge(_)
            )
        });
    reads_or_writes
        && Lexer::new(text).all(|token| {
            let constant = matches!(
                token.kind,
                TokenKind::String(_) | TokenKind::Dollar { .. } | TokenKind::Number
            );
            !constant && !token.is_comment()
        })
}

fn rows<T: DeserializeOwned>(session: &mut Session, query: &str) -> Result<Vec<T>, Refused> {
    read_rows(&session.ask(None, query, None)?)
}

fn read_rows<T: DeserializeOwned>(rows: &str) -> Result<Vec<T>, Refused> {
    serde_json::from_str(rows).map_err(|error| Refused {
        kind: RefusedKind::Other,
        message: format!("its answer is not the expected one: {error}"),
    })
}

/// A part that could not be had, as a note; a lost connection ends it all.
fn left_out(what: &str, refused: &Refused) -> Result<String, Trouble> {
    if refused.kind == RefusedKind::Lost {
        return Err(fatal(refused));
    }
    Ok(format!("left out: {what}: {}", refused.message))
}

fn fatal(refused: &Refused) -> Trouble {
    Trouble::new(
        format!("the database did not answer: {}", refused.message),
        "is the server up? ask again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_without_constants_leave_the_database() {
        for (text, expected) in [
            ("SELECT * FROM t WHERE a = $1", true),
            ("UPDATE t SET a = $1 WHERE id = $2", true),
            ("SELECT * FROM t WHERE a = 'secret'", false),
            ("SELECT a FROM t WHERE b = 4711", false),
            ("SELECT a FROM t /* user 4711 */", false),
            ("ALTER ROLE app PASSWORD 'secret'", false),
            ("SET x = y", false),
            ("not sql", false),
            ("", false),
        ] {
            assert_eq!(is_normalised(text), expected, "{text}");
        }
    }
}
