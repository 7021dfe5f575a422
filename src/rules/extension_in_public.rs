//! See `rules/extension-in-public.md`.

use crate::rule::{Cx, Finding, bare_words};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::CreateExtension(name) = &statement.kind else {
        return;
    };
    let placed = bare_words(statement)
        .iter()
        .position(|(_, word)| word.eq_ignore_ascii_case("schema"))
        .map(|at| bare_words(statement).get(at + 1).map(|(_, word)| *word));
    // A procedural language is in pg_catalog whatever is written.
    let language = name.text.starts_with("pl");
    let elsewhere = match placed {
        Some(Some(schema)) => !schema.eq_ignore_ascii_case("public"),
        Some(None) => true,
        None => false,
    };
    if elsewhere || language {
        return;
    }
    let finding = Finding::new(
        statement.span,
        format!("the objects of `{name}` go into the schema of the tables"),
    )
    .help(format!("CREATE EXTENSION {name} SCHEMA extensions"));
    cx.report(finding);
}
