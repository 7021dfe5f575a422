//! See `rules/irreversible-undocumented.md`.

use crate::layout::Migration;
use crate::markers::Markers;
use crate::risk::{self, Loss};
use crate::rule::{Cx, Finding};
use crate::statement::Statement;
use crate::wording;

/// The way back exists and cannot bring the data back. Where there is none at all, other rules speak.
pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(up) = migration.pair else { return };
    let markers = cx.markers();
    let explained = markers.is_irreversible()
        || Markers::explains(&markers.destructive)
        || Markers::explains(&markers.data_loss);
    if explained || migration.statements.iter().all(Statement::changes_nothing) {
        return;
    }
    let losses: Vec<Loss> = cx.steps_of(up).iter().flat_map(risk::losses).collect();
    let Some(first) = losses.first() else { return };
    let place = crate::source::Location {
        source: cx.history().migrations[up].source,
        span: first.span,
    };
    let what = wording::all(losses.iter().map(|loss| loss.what.clone()).collect());
    let version = &migration.version;
    cx.report(
        Finding::new(
            migration.span,
            format!("the down script of {version} does not bring back {what}"),
        )
        .label(place, "lost here")
        .help("say that there is no way back for the data: `-- lockgate: irreversible: <reason>`, with where a copy is"),
    );
}
