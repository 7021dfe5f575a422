//! See `rules/enum-label-unordered.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Kind, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::AlterEnum(alter) = &statement.kind else {
        return;
    };
    if alter.old_label.is_some() || alter.neighbour.is_some() {
        return;
    }
    let label = alter.new_label.text.replace('\'', "''");
    cx.report(
        Finding::new(
            statement.span,
            format!(
                "'{label}' comes behind all other labels of `{}`, for good",
                alter.name
            ),
        )
        .help("write BEFORE or AFTER and the label next to which it belongs"),
    );
}
