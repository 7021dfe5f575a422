//! File names as Flyway takes them apart.

use std::collections::BTreeMap;

use crate::layout::name::{digits, dotted};

/// Callbacks that run around or within `migrate`.
const MIGRATE_EVENTS: &[&str] = &[
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "beforeRepeatables",
    "afterEachMigrate",
    "afterEachMigrateStatement",
    "afterEachMigrateError",
    "afterEachMigrateStatementError",
    "afterMigrate",
    "afterMigrateApplied",
    "afterMigrateError",
    "afterVersioned",
    "beforeConnect",
    "afterConnect",
];
/// Commands whose callbacks do not run when a database is migrated.
const OTHER_COMMANDS: &[&str] = &[
    "Clean",
    "Info",
    "Validate",
    "Baseline",
    "Repair",
    "Undo",
    "EachUndo",
    "EachUndoStatement",
];

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Versioned,
    Repeatable,
    Undo,
    Baseline,
    /// Runs at an event: one of `migrate`, or one of another command.
    Callback {
        migrate: bool,
    },
}

/// The parts of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) sort: Sort,
    pub(super) prefix: &'a str,
    pub(super) version: &'a str,
    pub(super) description: String,
}

/// Why a file is left out, and what it should be called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misnamed {
    pub(super) why: String,
    pub(super) help: String,
}

/// The configured parts of names.
#[derive(Debug)]
pub(super) struct Naming {
    prefixes: [(Sort, String); 4],
    separator: String,
    suffixes: Vec<String>,
}

impl Naming {
    /// The naming of a project with these settings.
    pub(super) fn of(settings: &BTreeMap<String, String>) -> Self {
        let get =
            |key: &str, default: &str| settings.get(key).map_or(default, String::as_str).to_owned();
        let suffixes: Vec<String> = get("sqlMigrationSuffixes", ".sql")
            .split(',')
            .map(|suffix| suffix.trim().to_owned())
            .filter(|suffix| !suffix.is_empty())
            .collect();
        Self {
            prefixes: [
                (Sort::Versioned, get("sqlMigrationPrefix", "V")),
                (Sort::Repeatable, get("repeatableSqlMigrationPrefix", "R")),
                (Sort::Undo, get("undoSqlMigrationPrefix", "U")),
                (Sort::Baseline, get("baselineMigrationPrefix", "B")),
            ],
            separator: get("sqlMigrationSeparator", "__"),
            suffixes,
        }
    }

    /// The name without its suffix, which may be in any case; none if it has none of the suffixes.
    pub(super) fn without_suffix<'a>(&self, file: &'a str) -> Option<&'a str> {
        self.suffixes.iter().find_map(|suffix| {
            let at = file.len().checked_sub(suffix.len())?;
            let (stem, end) = (file.get(..at)?, file.get(at..)?);
            end.eq_ignore_ascii_case(suffix).then_some(stem)
        })
    }

    /// Takes a name apart.
    pub(super) fn parse<'a>(&self, file: &'a str) -> Result<Name<'a>, Misnamed> {
        let stem = self.without_suffix(file).unwrap_or(file);
        let Some((sort, prefix)) = self.prefix(stem) else {
            return Err(self.misnamed(
                file,
                stem,
                "its name begins with no prefix that Flyway knows".to_owned(),
            ));
        };
        let rest = &stem[prefix.len()..];
        let (version, description) = match rest.split_once(self.separator.as_str()) {
            Some(parts) if !self.separator.is_empty() => parts,
            _ => (rest, ""),
        };
        let why = match sort {
            Sort::Repeatable | Sort::Callback { .. } if !version.is_empty() => Some(format!(
                "`{version}` stands between the prefix `{prefix}` and the separator `{}`",
                self.separator
            )),
            Sort::Repeatable | Sort::Callback { .. } => None,
            _ if version.is_empty() => Some("it has no version".to_owned()),
            _ if dotted(version).is_none() && !rest.contains(&self.separator) => Some(format!(
                "the separator `{}` is missing behind the version",
                self.separator
            )),
            _ if dotted(version).is_none() => Some(format!(
                "`{version}` is no version: it must be numbers between dots or underscores"
            )),
            _ => None,
        };
        match why {
            Some(why) => Err(self.misnamed(file, stem, why)),
            None => Ok(Name {
                sort,
                prefix,
                version,
                description: description.replace('_', " "),
            }),
        }
    }

    /// The longest prefix that fits, callbacks included.
    fn prefix<'a>(&self, stem: &'a str) -> Option<(Sort, &'a str)> {
        let own = self
            .prefixes
            .iter()
            .filter(|(_, prefix)| !prefix.is_empty() && stem.starts_with(prefix.as_str()))
            .map(|(sort, prefix)| (*sort, &stem[..prefix.len()]));
        own.chain(event(stem, &self.separator))
            .max_by_key(|(_, prefix)| prefix.len())
    }

    /// A name that Flyway would run, made from what the file is called.
    fn misnamed(&self, file: &str, stem: &str, why: String) -> Misnamed {
        let (_, versioned) = &self.prefixes[0];
        let (_, repeatable) = &self.prefixes[1];
        let after = |prefix: &str| {
            let begin = stem.get(..prefix.len())?;
            begin
                .eq_ignore_ascii_case(prefix)
                .then(|| &stem[prefix.len()..])
        };
        let suffix = &file[stem.len()..];
        let numbered = after(versioned)
            .or_else(|| after(repeatable))
            .unwrap_or(stem);
        let version: &str = {
            let end = numbered
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(numbered.len());
            numbered[..end].trim_end_matches('.')
        };
        let description = |rest: &str| {
            rest.trim_start_matches(['_', '-', '.', ' '])
                .replace(self.separator.as_str(), "_")
                .replace([' ', '-'], "_")
        };
        let name = if !digits(version).is_empty() {
            let description = description(&numbered[version.len()..]);
            format!(
                "{versioned}{version}{}{description}{suffix}",
                self.separator
            )
        } else if let Some(rest) = after(repeatable).filter(|rest| rest.starts_with(['_', '-'])) {
            format!(
                "{repeatable}{}{}{suffix}",
                self.separator,
                description(rest)
            )
        } else {
            let example = format!(
                "{versioned}<version>{}<description>{suffix}",
                self.separator
            );
            return Misnamed {
                why,
                help: format!("name it `{example}`, or move it out of the migrations"),
            };
        };
        Misnamed {
            why,
            help: format!("rename it to `{name}`"),
        }
    }
}

/// The event that a callback's file name begins with.
pub(super) fn event_of(file: &str) -> Option<&str> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    event(stem, "__").map(|(_, event)| event)
}

fn event<'a>(stem: &'a str, separator: &str) -> Option<(Sort, &'a str)> {
    let name = match stem.split_once(separator) {
        Some((name, _)) if !separator.is_empty() => name,
        _ => stem,
    };
    if MIGRATE_EVENTS.contains(&name) {
        return Some((Sort::Callback { migrate: true }, name));
    }
    let rest = name
        .strip_prefix("before")
        .or_else(|| name.strip_prefix("after"))?;
    let command = ["OperationFinish", "Error", "Applied"]
        .into_iter()
        .find_map(|end| rest.strip_suffix(end))
        .unwrap_or(rest);
    OTHER_COMMANDS
        .contains(&command)
        .then_some((Sort::Callback { migrate: false }, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(settings: &[(&str, &str)]) -> Naming {
        Naming::of(
            &settings
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn names_are_taken_apart_as_flyway_does() {
        let naming = naming(&[]);
        let cases = [
            ("V1__init.sql", Sort::Versioned, "1", "init"),
            ("V1.2_3__add_a__b.sql", Sort::Versioned, "1.2_3", "add a  b"),
            ("V1.sql", Sort::Versioned, "1", ""),
            ("V1_2.SQL", Sort::Versioned, "1_2", ""),
            ("U1__init.sql", Sort::Undo, "1", "init"),
            ("B3__state.sql", Sort::Baseline, "3", "state"),
            ("R__views.sql", Sort::Repeatable, "", "views"),
            (
                "beforeMigrate.sql",
                Sort::Callback { migrate: true },
                "",
                "",
            ),
            (
                "afterMigrate__grants.sql",
                Sort::Callback { migrate: true },
                "",
                "grants",
            ),
            ("afterClean.sql", Sort::Callback { migrate: false }, "", ""),
        ];
        for (file, sort, version, description) in cases {
            let name = naming.parse(file).unwrap();
            assert_eq!(
                (name.sort, name.version, name.description.as_str()),
                (sort, version, description),
                "{file}"
            );
        }
    }

    #[test]
    fn what_flyway_leaves_out_gets_a_name_that_it_runs() {
        let naming = naming(&[]);
        let cases = [
            ("V1_add.sql", "rename it to `V1__add.sql`"),
            ("v2__add.sql", "rename it to `V2__add.sql`"),
            ("V3-add-it.sql", "rename it to `V3__add_it.sql`"),
            ("R_views.sql", "rename it to `R__views.sql`"),
            ("4_add.sql", "rename it to `V4__add.sql`"),
            (
                "V__add.sql",
                "name it `V<version>__<description>.sql`, or move it out of the migrations",
            ),
            (
                "seed.sql",
                "name it `V<version>__<description>.sql`, or move it out of the migrations",
            ),
            ("R1__views.sql", "rename it to `V1__views.sql`"),
            (
                "Vé__x.sql",
                "name it `V<version>__<description>.sql`, or move it out of the migrations",
            ),
        ];
        for (file, help) in cases {
            assert_eq!(naming.parse(file).unwrap_err().help, help, "{file}");
            if let Some(name) = help.strip_prefix("rename it to `") {
                assert!(naming.parse(name.trim_end_matches('`')).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn the_longest_configured_prefix_wins() {
        let naming = naming(&[
            ("sqlMigrationPrefix", "M"),
            ("repeatableSqlMigrationPrefix", "MR"),
            ("sqlMigrationSeparator", "-"),
            ("sqlMigrationSuffixes", ".ddl, .pg.sql"),
        ]);
        assert_eq!(naming.parse("M1-a.ddl").unwrap().sort, Sort::Versioned);
        assert_eq!(naming.parse("MR-a.pg.sql").unwrap().sort, Sort::Repeatable);
        assert!(naming.without_suffix("M1-a.sql").is_none());
        assert!(naming.parse("V1__a.ddl").is_err());
    }
}
