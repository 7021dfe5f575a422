//! See `rules/down-loses-data.md`.

use crate::layout::Migration;
use crate::markers::Markers;
use crate::risk::{self, Loss};
use crate::rule::{Cx, Finding};
use crate::wording;

/// One finding for the whole script, at the first statement that loses something.
pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let markers = cx.markers();
    if migration.pair.is_none()
        || Markers::explains(&markers.data_loss)
        || markers.is_irreversible()
    {
        return;
    }
    let losses: Vec<Loss> = cx.steps().iter().flat_map(risk::losses).collect();
    let Some(first) = losses.first() else { return };
    let what = wording::all(losses.iter().map(|loss| loss.what.clone()).collect());
    cx.report(
        Finding::new(first.span, format!("going back loses {what}")).help(
            "say what is lost and whether that matters: `-- lockgate: data-loss: <reason>`, or keep a copy of it first",
        ),
    );
}
