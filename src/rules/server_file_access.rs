//! See `rules/server-file-access.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Query, Statement};

/// Functions that work on files of the server.
const FUNCTIONS: [&str; 10] = [
    "lo_export",
    "lo_import",
    "pg_file_rename",
    "pg_file_unlink",
    "pg_file_write",
    "pg_ls_dir",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_stat_file",
    "pg_read_server_files",
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let what = match &statement.kind {
        Kind::Copy { from, .. } => copied(cx, statement, *from),
        Kind::Select(query) => called(query),
        Kind::Insert(insert) => called(&insert.query),
        Kind::Change(change) | Kind::Merge(change) => called(&change.query),
        Kind::CreateTableAs(create) => called(&create.query),
        _ => None,
    };
    let Some(what) = what else { return };
    let finding = Finding::new(statement.span, what)
        .help("send the data with the migration or from the client: INSERT, COPY … FROM STDIN");
    cx.report(finding);
}

fn copied(cx: &Cx<'_>, statement: &Statement, from: bool) -> Option<String> {
    let way = if from { "from" } else { "to" };
    let program = cx
        .strings(statement)
        .iter()
        .any(|string| string.word_before.eq_ignore_ascii_case("program"));
    let file = cx
        .strings(statement)
        .iter()
        .any(|string| string.word_before.eq_ignore_ascii_case(way));
    if program {
        Some("COPY runs a program on the server, as the account of the database".to_owned())
    } else if file {
        let verb = if from { "reads" } else { "writes" };
        Some(format!("COPY {verb} a file on the server"))
    } else {
        None
    }
}

fn called(query: &Query) -> Option<String> {
    let call = query.calls.iter().find(|call| {
        matches!(call.schema.as_deref(), None | Some("pg_catalog"))
            && FUNCTIONS.contains(&&*call.name)
    })?;
    Some(format!("`{}()` works on files of the server", call.name))
}
