//! See `rules/schema-renamed.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, ObjectKind, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Rename(rename) = &statement.kind else {
        return;
    };
    if rename.object != ObjectKind::Schema {
        return;
    }
    let old = &rename.relation.name;
    let made_here = cx.earlier_in_migration().iter().any(
        |step| matches!(&step.statement.kind, Kind::CreateSchema { name, .. } if name.text == *old),
    );
    if made_here {
        return;
    }
    let inside: Vec<String> = cx
        .before()
        .tables()
        .filter(|table| table.name.schema == *old)
        .map(|table| table.name.short())
        .collect();
    let objects = if inside.is_empty() {
        "anything in it".to_owned()
    } else {
        wording::names(inside)
    };
    let to = &rename.to;
    cx.report(
        Finding::new(
            rename.relation.span,
            format!("renaming schema `{}` to `{to}` makes deployed code that names {objects} fail", rename.relation),
        )
        .help(format!("make {to} with a view for each table, and move the tables when no code names the old schema"))
        .effects(cx.effects().list.clone()),
    );
}
