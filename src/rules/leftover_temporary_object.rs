//! See `rules/leftover-temporary-object.md`.

use crate::layout::History;
use crate::rule::{Cx, Finding};
use crate::schema::{Origin, Relation};
use crate::source::Location;
use crate::statement::Kind;

/// Endings of names of what is not meant to stay.
const ENDINGS: [&str; 9] = [
    "_old", "_tmp", "_temp", "_backup", "_bak", "_new", "_shadow", "_ccnew", "_ccold",
];

pub(super) fn check(cx: &mut Cx<'_>, _: &History) {
    let least = usize::try_from(cx.int_option("migrations")).unwrap_or(0);
    let mut found: Vec<(Location, String, &'static str)> = Vec::new();
    for (name, relation) in cx.at_the_end().relations() {
        let (kind, origin, comment) = match relation {
            Relation::Table(table) if table.known && !table.is_temporary() => {
                ("table", table.created, table.comment.as_deref())
            }
            Relation::Index(index) => ("index", index.created, None),
            _ => continue,
        };
        if let Some(why) = temporary(&name.name, comment) {
            let since = last_rename(cx, &name.name).unwrap_or(origin.location);
            found.push((since, format!("{kind} `{}`", name.short()), why));
            continue;
        }
        let Relation::Table(table) = relation else {
            continue;
        };
        for column in table.columns.iter().filter(|column| column.added) {
            if let Some(why) = temporary(&column.name, column.comment.as_deref()) {
                let Origin { location, .. } = column.created;
                let since = last_rename(cx, &column.name).unwrap_or(location);
                let what = format!("column `{}.{}`", name.short(), column.name);
                found.push((since, what, why));
            }
        }
    }
    for (since, what, why) in found {
        let later = later_migrations(cx, since);
        if later >= least {
            let finding = Finding::at(
                since,
                format!("{what} is {why} and still there {later} migrations later"),
            )
            .help("drop it, or give it a name that says what it is for");
            cx.report(finding);
        }
    }
}

/// Why something is not meant to stay.
fn temporary(name: &str, comment: Option<&str>) -> Option<&'static str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if comment.is_some_and(|text| text.to_ascii_lowercase().contains("deprecated")) {
        Some("called deprecated by its comment")
    } else if ENDINGS.iter().any(|ending| stem.ends_with(ending)) {
        Some("temporary by its name")
    } else {
        None
    }
}

/// The last statement that gave something this name.
fn last_rename(cx: &Cx<'_>, name: &str) -> Option<Location> {
    forward(cx)
        .rev()
        .flat_map(|index| cx.steps_of(index).iter().rev())
        .find(
            |step| matches!(&step.statement.kind, Kind::Rename(rename) if *rename.to.text == *name),
        )
        .map(|step| cx.location_of(step))
}

fn forward<'a>(cx: &Cx<'a>) -> impl DoubleEndedIterator<Item = usize> + use<'a> {
    let migrations = &cx.history().migrations;
    (0..migrations.len()).filter(move |index| migrations[*index].direction.is_forward())
}

fn later_migrations(cx: &Cx<'_>, since: Location) -> usize {
    let migrations = &cx.history().migrations;
    let place = forward(cx).position(|index| migrations[index].source == since.source);
    place.map_or(0, |place| forward(cx).count() - place - 1)
}
