//! See `rules/table-dropped.md`.

use crate::diagnostic::{Certainty, Level};
use crate::effect::dependents;
use crate::rule::{Cx, Finding};
use crate::schema::{Presence, TableKind};
use crate::statement::{Drop, Kind, Name, ObjectKind, QualifiedName, Statement};
use crate::wording;

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    let Kind::Drop(drop) = &statement.kind else {
        return;
    };
    match drop.object {
        ObjectKind::Table | ObjectKind::ForeignTable => {
            let gone: Vec<QualifiedName> = drop.names.iter().map(|name| cx.resolve(name)).collect();
            for name in &drop.names {
                table(cx, drop, name, &gone);
            }
        }
        ObjectKind::Schema => {
            for name in &drop.names {
                schema(cx, drop, name);
            }
        }
        _ => {}
    }
}

fn table(cx: &mut Cx<'_>, drop: &Drop, name: &Name, gone: &[QualifiedName]) {
    let presence = cx.presence(name);
    let unknown = matches!(presence, Presence::Unknown);
    if cx.is_made_here(name) || (drop.if_exists && matches!(presence, Presence::Absent)) {
        return;
    }
    let known = cx.before().table(name);
    let foreign = cx.is_foreign(name) || drop.object == ObjectKind::ForeignTable;
    let parent = known.and_then(|table| table.partition.as_ref());
    let found = dependents::of_table(cx.before(), &cx.resolve(name), gone);
    let mut level = None;
    let message;
    let mut help;
    if !found.blocking.is_empty() && !drop.cascade {
        message = format!(
            "`{name}` cannot be dropped: {} (SQLSTATE 2BP01)",
            dependents::depend_on_it(&found.certain())
        );
        help = format!(
            "drop {} first, each in a migration of its own",
            dependents::list(&found.blocking)
        );
    } else {
        let loses = if foreign {
            format!(
                "dropping the foreign table `{name}` makes deployed code that still names it fail"
            )
        } else {
            format!("dropping `{name}` loses its rows, and deployed code that still names it fails")
        };
        let along = if found.along.is_empty() {
            String::new()
        } else {
            format!("; {}", dependents::go_with_it(&found.along))
        };
        let cascade = if found.blocking.is_empty() {
            String::new()
        } else {
            format!("; CASCADE drops {} too", dependents::list(&found.blocking))
        };
        message = format!("{loses}{along}{cascade}");
        help = match parent {
            Some(partition) if cx.postgres() >= 14 => format!(
                "ALTER TABLE {} DETACH PARTITION {name} CONCURRENTLY first, alone in its migration; keep a copy, and drop it in a \
                 later one",
                partition.parent.short()
            ),
            _ => "release code that does not name it first, keep a copy of the rows, and drop it in a later migration".to_owned(),
        };
        if !found.blocking.is_empty() {
            help = format!(
                "{help}; drop {} by name instead of by CASCADE",
                dependents::list(&found.blocking)
            );
        }
        if foreign {
            level = Some(Level::Warning);
        }
    }
    let mut finding = Finding::new(name.span, message)
        .on(name)
        .effects(cx.effects().list.clone());
    if unknown && drop.if_exists {
        // More often than not a way to begin from nothing.
        level = Some(Level::Info);
        finding = finding.certainty(Certainty::Possible);
        help.push_str(
            "; the migrations do not make it, and IF EXISTS does not tell whether it is there",
        );
    }
    if let Some(level) = level {
        finding = finding.level(level);
    }
    cx.report(finding.help(help));
}

fn schema(cx: &mut Cx<'_>, drop: &Drop, name: &Name) {
    let made_here = cx.earlier_in_migration().iter().any(
        |step| matches!(&step.statement.kind, Kind::CreateSchema { name: made, .. } if made.text == name.name),
    );
    let inside: Vec<String> = cx
        .before()
        .tables()
        .filter(|table| table.name.schema == name.name && table.kind != TableKind::Foreign)
        .map(|table| table.name.short())
        .collect();
    // Without CASCADE a schema that holds anything is refused, and an empty one is no loss.
    if made_here || (inside.is_empty() && !drop.cascade) {
        return;
    }
    let (message, help, certainty) = if !drop.cascade {
        (
            format!(
                "schema `{name}` cannot be dropped: {} {} in it (SQLSTATE 2BP01)",
                wording::names(&inside),
                if inside.len() == 1 { "is" } else { "are" }
            ),
            "drop its tables first, each in a migration of its own".to_owned(),
            Certainty::Certain,
        )
    } else if inside.is_empty() {
        (
            format!("dropping schema `{name}` with CASCADE loses every table in it"),
            "without CASCADE an empty schema is dropped and any other is refused".to_owned(),
            Certainty::Possible,
        )
    } else {
        (
            format!(
                "dropping schema `{name}` with CASCADE loses {} with all rows",
                wording::names(&inside)
            ),
            "drop its tables by name, each in a migration of its own, and the empty schema without CASCADE"
                .to_owned(),
            Certainty::Certain,
        )
    };
    let effects = cx.effects().list.clone();
    let mut finding = Finding::new(name.span, message)
        .certainty(certainty)
        .help(help)
        .effects(effects);
    if certainty == Certainty::Possible {
        finding = finding.level(Level::Warning);
    }
    cx.report(finding);
}
