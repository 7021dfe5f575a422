//! See `rules/unnamed-constraint.md`.

use crate::diagnostic::{Certainty, Safety};
use crate::rule::{Cx, Finding};
use crate::schema::Presence;
use crate::statement::{ConstraintDef, ConstraintKind, Name, Statement};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if statement.created_table().is_some() && !cx.bool_option("create_table") {
        return;
    }
    for (table, def) in statement.written_constraints() {
        report(cx, table, def);
    }
}

fn report(cx: &mut Cx<'_>, table: &Name, def: &ConstraintDef) {
    let from_index = match &def.kind {
        // The index gives its name.
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => key.using_index.is_some(),
        ConstraintKind::NotNull(_) => true,
        _ => false,
    };
    if def.name.is_some() || from_index {
        return;
    }
    let kind = def.kind.words();
    let Some(name) = cx.added_name(table, def) else {
        return;
    };
    // Names that the history does not show may be taken.
    let certainty = match cx.presence(table) {
        Presence::Unknown if !matches!(def.kind, ConstraintKind::PrimaryKey(_)) => {
            Certainty::Possible
        }
        _ => Certainty::Certain,
    };
    let plain = name.to_string();
    let title = "write the name that PostgreSQL would choose";
    // Quotes could end the string of another language that the SQL stands in.
    let fix = (certainty == Certainty::Certain && !plain.contains('"'))
        .then(|| {
            let text = format!("CONSTRAINT {plain} ");
            cx.fix_at(def.span.start, &text, title, Safety::Safe)
        })
        .flatten();
    cx.report(
        Finding::new(
            def.span,
            format!(
                "this {kind} constraint has no name: PostgreSQL chooses one, `{name}` unless that is taken"
            ),
        )
        .certainty(certainty)
        .fix_if(fix)
        .help(format!("write CONSTRAINT {name} before {kind}")),
    );
}
