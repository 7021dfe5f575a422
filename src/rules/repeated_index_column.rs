//! See `rules/repeated-index-column.md`.

use crate::diagnostic::Level;
use crate::rule::{Cx, Finding};
use crate::source::Span;
use crate::statement::{ConstraintDef, ConstraintKind, Ident, Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    match &statement.kind {
        Kind::CreateIndex(create) => {
            let keys = &create.elements;
            let twice = keys.iter().enumerate().find_map(|(at, element)| {
                let column = element.column.as_ref()?;
                let before = keys[..at].iter().any(|other| {
                    other.column.as_ref() == Some(column) && other.opclass == element.opclass
                });
                before.then_some(column)
            });
            if let Some(column) = twice {
                report(cx, statement.span, column, false);
            }
        }
        Kind::CreateTable(create) => {
            for def in &create.constraints {
                of_constraint(cx, def);
            }
        }
        Kind::AlterTable(_) => {
            for (_, def) in statement.added_constraints() {
                of_constraint(cx, def);
            }
        }
        _ => {}
    }
}

fn of_constraint(cx: &mut Cx<'_>, def: &ConstraintDef) {
    let (ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key)) = &def.kind else {
        return;
    };
    let columns = &key.columns;
    let twice = (0..columns.len()).find(|at| columns[..*at].contains(&columns[*at]));
    if let Some(at) = twice {
        report(cx, def.span, &columns[at], true);
    }
}

fn report(cx: &mut Cx<'_>, span: Span, column: &Ident, refused: bool) {
    let finding = if refused {
        Finding::new(
            span,
            format!("`{column}` stands twice in the key: it is refused with SQLSTATE 42701"),
        )
        .level(Level::Error)
    } else {
        Finding::new(
            span,
            format!(
                "`{column}` stands twice in the index: the second one finds and orders nothing"
            ),
        )
    };
    cx.report(finding.help(format!(
        "name the column that was meant in place of the second {column}"
    )));
}
