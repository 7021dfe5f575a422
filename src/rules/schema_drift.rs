use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Level;
use crate::probe::drift::{self, Difference, Objects, Part, TableRow};
use crate::probe::{Judged, Probing, ToolState, Unknown, When};
use crate::source::Location;
use crate::statement::QualifiedName;
use crate::wording::names;

/// Several parts of one table that are missing, or are too many.
type Groups = BTreeMap<(QualifiedName, Part), (Vec<String>, Option<Location>)>;

pub(super) fn check(probing: &mut Probing<'_>) -> Judged {
    let mut made = Objects::default();
    let mut own_tables = BTreeSet::new();
    for planned in &probing.plan().projects {
        let applied = match &planned.state {
            ToolState::Known(applied) => applied,
            // Without the tool's own table nobody knows what the database should look like.
            ToolState::Fresh | ToolState::Given => return probing.not_asked(),
            ToolState::Unknown(unknown) => return Err(unknown.clone()),
        };
        let Some(schema) = planned.applied_schema() else {
            return Err(Unknown::new(
                "whether the database is as the migrations make it is not known: one that is not applied stands before one that is",
                "apply the missing ones, then ask again",
            ));
        };
        let table = applied.table.rsplit('.').next().unwrap_or_default();
        own_tables.insert(table.to_owned());
        made.add(drift::made(schema));
    }
    let schemas = drift::schemas(&made);
    if schemas.is_empty() {
        return probing.not_asked();
    }
    let rows: Vec<TableRow> = probing.rows_for(&schemas.into())?;
    let there = drift::there(rows);
    let (mut missing, mut extra) = (Groups::new(), Groups::new());
    let mut unclear: Vec<String> = Vec::new();
    for difference in drift::differences(&made, &there) {
        match difference {
            Difference::Missing((table, part, name), place) => {
                let group = missing.entry((table, part)).or_default();
                group.0.push(name);
                group.1 = group.1.or(place);
            }
            Difference::Extra((table, part, name)) => {
                let own = part == Part::Table
                    && (own_tables.contains(&*table.name) || drift::is_of_a_tool(&table.name));
                if !own {
                    extra.entry((table, part)).or_default().0.push(name);
                }
            }
            Difference::Fact {
                key,
                what,
                made,
                there,
                place,
            } => {
                // What was promised is asked for by a probe of its own.
                if probing.when() == When::Post && ["type", "nullability"].contains(&what) {
                    continue;
                }
                let name = shown(&key);
                let mut finding = probing
                    .finding(format!(
                        "{name} differs: its {what} is {}, and the applied migrations make it {}",
                        plain(&there),
                        plain(&made)
                    ))
                    .help("find out who changed it; a migration makes the difference good");
                if let Some(place) = place {
                    finding = finding.label(place, "made here");
                }
                probing.report(finding);
            }
            Difference::Unknown(key, what) => {
                unclear.push(format!("the {what} of {}", shown(&key)))
            }
        }
    }
    tell(probing, missing, extra);
    if !unclear.is_empty() {
        let number = unclear.len();
        unclear.truncate(3);
        let more = if number > 3 { " and more" } else { "" };
        probing.unknown(Unknown::new(
            format!(
                "whether {}{more} {} as the migrations make it is not known: the files do not tell, or in other words",
                unclear.join(", "),
                if number == 1 { "is" } else { "are" }
            ),
            "compare by hand: `lockgate live compare`",
        ));
    }
    Ok(())
}

fn tell(probing: &mut Probing<'_>, missing: Groups, extra: Groups) {
    for ((table, part), (list, place)) in missing {
        let promised = matches!(part, Part::Constraint | Part::Index);
        if probing.when() == When::Post && promised {
            continue;
        }
        let name = table.short();
        let (message, label) = match part {
            Part::Table => (
                format!("the table `{name}` that the applied migrations make is not there"),
                "made here",
            ),
            _ => (
                format!(
                    "`{name}` lacks {} that the applied migrations make: {}",
                    part.plural(),
                    names(list)
                ),
                "made here",
            ),
        };
        let help = match part {
            Part::Table => "find out who dropped it; a migration makes it anew",
            _ => "find out who dropped them; a migration makes them anew",
        };
        let mut finding = probing.finding(message).help(help);
        if let Some(place) = place {
            finding = finding.label(place, label);
        }
        probing.report(finding);
    }
    for ((table, part), (list, _)) in extra {
        let name = table.short();
        let finding = match part {
            Part::Table => probing
                .finding(format!("no migration makes the table `{name}`"))
                .help("write a migration that makes it, or drop it"),
            _ => probing
                .finding(format!(
                    "`{name}` has {} that no migration makes: {}",
                    part.plural(),
                    names(list)
                ))
                .help("write a migration that makes them (IF NOT EXISTS), or drop them"),
        };
        probing.report(match part {
            // Neither stands in the way of a migration.
            Part::Table | Part::Index => finding.level(Level::Info),
            Part::Column | Part::Constraint => finding,
        });
    }
}

/// An object in a message: `` `orders.note` ``.
fn shown((table, part, name): &drift::Key) -> String {
    let table = table.short();
    match part {
        Part::Table => format!("`{table}`"),
        Part::Column => format!("`{table}.{name}`"),
        Part::Constraint => format!("the constraint `{name}` of `{table}`"),
        Part::Index => format!("the index `{name}` of `{table}`"),
    }
}

/// A value without what would end quotes.
fn plain(text: &str) -> String {
    text.replace('`', "'")
}
