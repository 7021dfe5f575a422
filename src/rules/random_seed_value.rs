//! See `rules/random-seed-value.md`.

use crate::rule::{Cx, Finding};
use crate::statement::{Expr, ExprKind, Kind, Statement};

/// Functions whose value is another one each time.
const RANDOM: [&str; 8] = [
    "random",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "gen_random_bytes",
    "gen_salt",
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Insert(insert) = &statement.kind else {
        return;
    };
    let found = insert
        .first_row
        .iter()
        .flat_map(Expr::walk)
        .find_map(|part| match &part.kind {
            ExprKind::Call { name, .. } if RANDOM.contains(&&**name) => Some(format!("{name}()")),
            ExprKind::ValueFunction(name) if name.ends_with("user") || name.ends_with("role") => {
                Some((*name).to_owned())
            }
            _ => None,
        });
    let Some(found) = found else { return };
    let finding = Finding::new(
        statement.span,
        format!(
            "`{found}` gives this row of `{}` another value in every database",
            insert.table
        ),
    )
    .on(&insert.table)
    .help("write the value down");
    cx.report(finding);
}
