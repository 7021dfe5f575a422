//! See `rules/destructive-undocumented.md`.

use crate::layout::Migration;
use crate::markers::Markers;
use crate::risk::{self, Loss};
use crate::rule::{Cx, Finding};
use crate::wording;

/// Rules about the same statements: to allow one of them with a reason is to say why.
const TOLD: [&str; 5] = [
    "table-dropped",
    "column-dropped",
    "table-truncated",
    "change-without-where",
    "column-type-narrowed",
];

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let markers = cx.markers();
    let documented = !markers.destructive.is_empty()
        || Markers::explains(&markers.data_loss)
        || markers.is_irreversible()
        || markers.allows(&TOLD);
    if documented || !migration.direction.is_forward() {
        return;
    }
    let losses: Vec<Loss> = cx.steps().iter().flat_map(risk::stakes).collect();
    let Some(first) = losses.first() else { return };
    let what = wording::all(losses.iter().map(|loss| loss.what.clone()).collect());
    cx.report(
        Finding::new(
            first.span,
            format!("the migration destroys {what} and does not say why"),
        )
        .help("say why, or where that was decided: `-- lockgate: destructive: <reason, or path of the decision>`"),
    );
}
