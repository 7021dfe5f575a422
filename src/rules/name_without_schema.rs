//! See `rules/name-without-schema.md`.

use crate::policy::new_names;
use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Persistence, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let temporary = match &statement.kind {
        Kind::CreateTable(create) => create.persistence == Persistence::Temporary,
        Kind::CreateTableAs(create) => create.persistence == Persistence::Temporary,
        Kind::CreateSequence(create) => create.persistence == Persistence::Temporary,
        Kind::CreateView(create) => create.persistence == Persistence::Temporary,
        _ => false,
    };
    if temporary {
        return;
    }
    for (kind, _, whole) in new_names(statement) {
        let Some(whole) = whole.filter(|whole| whole.schema.is_none()) else {
            continue;
        };
        let schema = cx.before().creation_name(&whole, false).schema;
        let finding = Finding::new(
            whole.span,
            format!(
                "the {} `{whole}` goes into the first schema of the search_path, here `{schema}`",
                kind.as_str()
            ),
        )
        .help(format!("write {schema}.{whole}"));
        cx.report(finding);
    }
}
