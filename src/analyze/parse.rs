//! From a script to a migration: its text as statements, and what is wrong with it.

use crate::diagnostic::NotAnalysed;
use crate::layout::{self, Found, Migration, Problem, ProblemKind, Script};
use crate::source::{Location, Span};
use crate::sql;
use crate::statement::{Kind, Statement};

/// Parses one script.
pub(super) fn migration(
    script: &Script,
    found: &Found,
) -> (Migration, Vec<NotAnalysed>, Vec<Problem>) {
    let runner = &found.layout.runner;
    let at = |span: Span| Location {
        source: script.source,
        span,
    };
    let mut statements = Vec::new();
    let mut ranges = Vec::new();
    let mut problems = Vec::new();
    let mut not_analysed: Vec<NotAnalysed> = script
        .not_analysed
        .iter()
        .map(|(span, reason)| NotAnalysed {
            location: at(*span),
            reason: reason.clone(),
        })
        .collect();
    for piece in &script.pieces {
        let parsed = sql::parse(&piece.fragment);
        not_analysed.extend(
            parsed
                .not_analysed
                .into_iter()
                .map(|(span, reason)| NotAnalysed {
                    location: at(span),
                    reason,
                }),
        );
        problems.extend(parsed.errors.into_iter().map(|error| Problem {
            kind: ProblemKind::Syntax,
            location: at(error.span),
            message: error.message,
            help: error.help,
            labels: Vec::new(),
        }));
        problems.extend(for_psql(&parsed.psql, found, at));
        let first = statements.len();
        statements.extend(parsed.statements.into_iter().map(|mut statement| {
            statement.conditional |= piece.conditional;
            statement
        }));
        ranges.push(first..statements.len());
    }
    let units = layout::units(runner, &script.pieces, &ranges, &statements);
    if let Some(leaves) = runner.leaves_transaction_for
        && layout::leaves_transaction(runner, &script.pieces, &statements)
    {
        problems.extend(mixed(&statements, found, leaves, at));
    }
    // Code that is not read may do the rest of what a program's SQL begins.
    let is_doubted =
        layout::is_code(found.layout) && script.pieces.iter().any(|piece| piece.conditional);
    let incomplete = is_doubted
        || !not_analysed.is_empty()
        || problems
            .iter()
            .any(|problem| !matches!(problem.kind, ProblemKind::Psql | ProblemKind::Mixed));
    let migration = Migration {
        version: script.version.clone(),
        description: script.description.clone(),
        direction: script.direction,
        source: script.source,
        span: script.span,
        statements,
        units,
        pair: None,
        pending: true,
        emptiness: script.emptiness.clone(),
        merges: script.parents.len() > 1,
        incomplete,
    };
    (migration, not_analysed, problems)
}

/// A script that the tool refuses, as it holds statements for inside and for outside of a transaction.
fn mixed(
    statements: &[Statement],
    found: &Found,
    leaves: fn(&Statement) -> bool,
    at: impl Fn(Span) -> Location,
) -> Option<Problem> {
    let setting = found.layout.runner.mixing?;
    if found.is_on(setting) {
        return None;
    }
    let first = |wanted: bool| {
        let mut all = statements.iter();
        all.find(|statement| {
            leaves(statement) == wanted && !matches!(statement.kind, Kind::Unparsed)
        })
    };
    let (outside, inside) = (first(true)?, first(false)?);
    let tool = found.layout.applied.tool;
    let settings_only = statements
        .iter()
        .all(|statement| leaves(statement) || statement.changes_nothing());
    Some(Problem {
        kind: ProblemKind::Mixed,
        location: at(inside.span),
        message: format!(
            "{tool} refuses this script: it leaves its transaction for the {} in it, and this {} could run in one",
            outside.tag, inside.tag,
        ),
        help: Some(if settings_only {
            format!("set `{setting}=true`, or give the setting to the role")
        } else {
            format!("give the {} a migration of its own", outside.tag)
        }),
        labels: vec![(
            at(outside.span),
            "runs outside of transactions only".to_owned(),
        )],
    })
}

/// What of a text only psql understands, where something else runs it.
fn for_psql(
    commands: &[(Span, Option<String>)],
    found: &Found,
    at: impl Fn(Span) -> Location,
) -> Vec<Problem> {
    let (client, tool) = (found.layout.client, found.layout.applied.tool);
    commands
        .iter()
        .filter(|(_, name)| match name {
            Some(_) => !client.psql,
            None => !client.copies,
        })
        .map(|(span, name)| Problem {
            kind: ProblemKind::Psql,
            location: at(*span),
            message: match name {
                Some(name) => format!("`\\{name}` is a command of psql, and {tool} sends it to PostgreSQL, which refuses it"),
                None => format!("rows behind COPY … FROM stdin can be sent by psql, and {tool} sends them as SQL, which PostgreSQL refuses"),
            },
            help: Some(match name.as_deref() {
                Some("restrict" | "unrestrict") => "remove the line, which pg_dump wrote for psql alone".to_owned(),
                Some(_) => "write in SQL what it does, or remove it".to_owned(),
                None => "write the rows as INSERT (pg_dump: `--inserts`)".to_owned(),
            }),
            labels: Vec::new(),
        })
        .collect()
}
