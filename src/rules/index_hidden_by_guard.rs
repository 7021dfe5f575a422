//! See `rules/index-hidden-by-guard.md`.

use crate::diagnostic::{Place, Step};
use crate::layout::Send;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::sql::lex::Lexer;
use crate::statement::{Ident, Kind, Name, ObjectKind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateIndex(create) = &statement.kind else {
        return;
    };
    let (true, true, Some(name)) = (create.concurrently, create.if_not_exists, &create.name) else {
        return;
    };
    let is_it = |other: &str| other == &*name.text;
    let mended = cx
        .earlier_in_migration()
        .iter()
        .any(|step| match &step.statement.kind {
            Kind::Drop(drop) => {
                drop.object == ObjectKind::Index && drop.names.iter().any(|name| is_it(&name.name))
            }
            _ => false,
        })
        || cx
            .later_in_migration()
            .iter()
            .any(|step| match &step.statement.kind {
                Kind::Reindex(reindex) => {
                    let target = reindex.name.as_ref();
                    target.is_some_and(|target| is_it(&target.name) || *target == create.table)
                }
                _ => false,
            });
    if mended {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!(
            "if a build of `{name}` failed before, IF NOT EXISTS finds its invalid remains and builds nothing"
        ),
    )
    .on(&create.table)
    .help("drop what may be left of it first, and leave IF NOT EXISTS out")
    .steps(dropped_first(cx, statement, &create.table, name));
    cx.report(finding);
}

/// Both in one script, as it is the one that is run again. A tool that sends a script in one message cannot run two
/// statements that refuse a transaction.
fn dropped_first(cx: &Cx<'_>, statement: &Statement, table: &Name, name: &Ident) -> Vec<Step> {
    let apart = matches!(cx.moment().message.send, Send::PerStatement | Send::Unknown);
    let bare = cx.rewritten(statement, |own| {
        let sql = &*own.source.sql;
        let tokens: Vec<_> = Lexer::new(sql).filter(|t| !t.is_comment()).collect();
        let guard = tokens.windows(3).find(|three| {
            three
                .iter()
                .zip(["if", "not", "exists"])
                .all(|(token, word)| token.is_word(sql, word))
        })?;
        let start = sql[..guard[0].span.start as usize].trim_end().len();
        let span = Span::new(start, guard[2].span.end as usize);
        Some(vec![(span, String::new())])
    });
    let (Some(bare), true, None) = (bare, apart, cx.refusal()) else {
        return Vec::new();
    };
    let index = Name::new(table.schema.as_deref(), &name.text, name.span);
    let bare = bare.trim_end_matches(';');
    cx.remedy([(
        Place::Instead,
        format!("DROP INDEX CONCURRENTLY IF EXISTS {index};\n{bare};"),
    )])
}
