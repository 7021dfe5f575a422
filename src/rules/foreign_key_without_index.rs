//! See `rules/foreign-key-without-index.md`.

use crate::diagnostic::Place;
use crate::rule::{Cx, Finding};
use crate::statement::{
    AlterAction, ConstraintDef, ConstraintKind, ForeignKey, Ident, Kind, Name, Statement,
};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateTable(create) => {
            for column in &create.columns {
                for def in &column.constraints {
                    report(cx, &create.name, def, std::slice::from_ref(&column.name));
                }
            }
            for def in &create.constraints {
                report(cx, &create.name, def, &[]);
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                match action {
                    AlterAction::AddConstraint(def) => report(cx, &alter.name, def, &[]),
                    AlterAction::AddColumn(add) => {
                        for def in &add.column.constraints {
                            let columns = std::slice::from_ref(&add.column.name);
                            report(cx, &alter.name, def, columns);
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, def: &ConstraintDef, at_column: &[Ident]) {
    let ConstraintKind::ForeignKey(key) = &def.kind else {
        return;
    };
    let ForeignKey { columns, .. } = &**key;
    let columns = if columns.is_empty() {
        at_column
    } else {
        columns
    };
    let texts: Vec<&str> = columns.iter().map(|column| &*column.text).collect();
    let end = cx.at_the_end();
    let after = cx.after();
    let name = after.resolve(table);
    // Renamed, dropped, or not made by the history: what indexes it has then is not known.
    let Some(known) = end.table_at(&name).filter(|table| table.known) else {
        return;
    };
    let stays = known.constraints.iter().any(|constraint| {
        matches!(&constraint.def.kind, ConstraintKind::ForeignKey(other)
            if other.columns.iter().map(|column| &*column.text).eq(texts.iter().copied()))
    });
    if !stays
        || known.is_temporary()
        || end
            .indexes_of(&name)
            .any(|index| index.valid && index.serves(&texts))
    {
        return;
    }
    let parent = &key.table;
    let list: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let fresh = after.is_fresh(&name);
    let concurrently = if fresh { "" } else { " CONCURRENTLY" };
    cx.report(
        Finding::new(
            def.span,
            format!(
                "no index of `{table}` begins with {}: each row deleted from `{parent}` makes PostgreSQL read all of `{table}`",
                wording::names(&texts)
            ),
        )
        .help("build one")
        .steps(cx.remedy([(Place::Behind, format!("CREATE INDEX{concurrently} ON {table} ({list})"))])),
    );
}
