//! A changeset, whatever format it is written in: who it is, where it runs, and how.

use super::document::Element;
use crate::layout::{Direction, File, Piece, Script, Wraps, is_other_database, is_postgres};
use crate::source::Span;

/// The databases that something is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dbms<'a>(Option<&'a str>);

impl<'a> Dbms<'a> {
    /// The value of an attribute `dbms`.
    pub(super) fn of(value: Option<&'a str>) -> Self {
        Self(value.map(str::trim).filter(|value| !value.is_empty()))
    }

    fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.unwrap_or_default().split(',').map(str::trim)
    }

    /// True if it is for PostgreSQL: all are, `none` is not, `!name` takes one away.
    pub(super) fn is_ours(self) -> bool {
        if self.0.is_none() {
            return true;
        }
        let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        let (mut named, mut others) = (false, false);
        for name in self.names() {
            if is(name, "all") {
                return true;
            }
            match name.strip_prefix('!') {
                Some(name) if is(name, "postgresql") => return false,
                Some(_) => {}
                None if is(name, "postgresql") => named = true,
                None => others = true,
            }
        }
        named || !others
    }

    /// A name that means PostgreSQL and that Liquibase does not know.
    pub(super) fn misspelt(self) -> Option<&'a str> {
        const WRONG: [&str; 4] = ["postgres", "psql", "pgsql", "pg"];
        self.names().find(|name| {
            let bare = name.trim_matches(['"', '\'']);
            WRONG.iter().any(|wrong| bare.eq_ignore_ascii_case(wrong))
                || (bare.len() < name.len() && bare.eq_ignore_ascii_case("postgresql"))
        })
    }
}

/// Who a changeset is, and how it runs.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Its id.
    pub(super) id: String,
    /// Its author.
    pub(super) author: String,
    /// The file that it counts as a part of.
    pub(super) path: String,
    /// Its place among all changesets.
    pub(super) place: usize,
    /// Once, or again.
    pub(super) direction: Direction,
    /// In no transaction.
    pub(super) wraps: Option<Wraps>,
    /// Only if something else is so.
    pub(super) conditional: bool,
    /// What a person says about it.
    pub(super) comment: String,
    /// The contexts and labels that it belongs to, as written.
    pub(super) contexts: String,
    /// The place that stands for it.
    pub(super) span: Span,
}

/// What keeps a changeset from running.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// It is for another database, or says that it is to be ignored.
    Meant,
    /// It is for a database by a name that Liquibase does not know.
    Misspelt(String),
}

/// What stands in a changeset beside its changes.
const BESIDE: &[&str] = &[
    "validCheckSum",
    "preConditions",
    "comment",
    "rollback",
    "modifySql",
    "ext",
    "property",
];

/// True if an element of a changeset is a change.
pub(super) fn is_change(element: &Element) -> bool {
    !BESIDE.contains(&element.name.as_str())
}

impl Head {
    /// The head of a changeset in XML, YAML or JSON.
    pub(super) fn of(element: &Element, root: &Element, path: &str, place: usize) -> Self {
        let value = |name: &str| element.value(name).unwrap_or_default().to_owned();
        let path = element
            .value("logicalFilePath")
            .or_else(|| root.value("logicalFilePath"))
            .unwrap_or(path);
        let again = element.is_on("runOnChange") || element.is_on("runAlways");
        let comment = element
            .child("comment")
            .and_then(|comment| comment.text.as_ref());
        Self {
            id: value("id"),
            author: value("author"),
            path: path.to_owned(),
            place,
            direction: if again {
                Direction::Repeatable
            } else {
                Direction::Up
            },
            wraps: element.is_off("runInTransaction").then_some(Wraps::Nothing),
            conditional: element.child("preConditions").is_some_and(may_skip),
            comment: comment
                .or_else(|| element.get("comment"))
                .map_or(String::new(), |comment| one_line(&comment.value)),
            contexts: [contexts(element), element.value("labels")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            span: element.head,
        }
    }

    /// What keeps a changeset in XML, YAML or JSON from running on PostgreSQL.
    pub(super) fn skipped(element: &Element) -> Option<Skipped> {
        if element.is_on("ignore") || contexts(element).is_some_and(is_for_others) {
            return Some(Skipped::Meant);
        }
        let conditions = element.child("preConditions").into_iter();
        let others = conditions
            .flat_map(|conditions| conditions.all("dbms"))
            .map(|dbms| dbms.value("type"));
        for dbms in [element.value("dbms")].into_iter().chain(others) {
            let dbms = Dbms::of(dbms);
            if !dbms.is_ours() {
                let misspelt = dbms.misspelt();
                return Some(
                    misspelt.map_or(Skipped::Meant, |name| Skipped::Misspelt(name.to_owned())),
                );
            }
        }
        None
    }

    /// The script of it in one direction.
    pub(super) fn script(&self, file: &File<'_>, direction: Direction, span: Span) -> Script {
        let mut script = Script::of_part(file, direction, span);
        script.version = format!("{}:{}", self.author, self.id);
        // The same changeset may stand twice for two contexts, of which one is asked for.
        script.key = [&self.path, &self.id, &self.author, &self.contexts]
            .map(String::as_str)
            .join("::");
        script.description.clone_from(&self.comment);
        script.place = Some(self.place);
        script.span = span;
        script.pieces = Vec::new();
        script.emptiness = None;
        script
    }

    /// A piece of it.
    pub(super) fn piece(&self, fragment: crate::source::Fragment) -> Piece {
        Piece {
            fragment,
            send: None,
            wraps: self.wraps,
            conditional: self.conditional,
        }
    }
}

/// The contexts of a changeset.
fn contexts(element: &Element) -> Option<&str> {
    element
        .value("context")
        .or_else(|| element.value("contextFilter"))
}

/// True for contexts that name other databases and not PostgreSQL. Without contexts on the command line such a
/// changeset runs on PostgreSQL as well; who names them so does not mean that.
pub(super) fn is_for_others(contexts: &str) -> bool {
    let words = contexts.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!'));
    let words: Vec<&str> = words.filter(|word| !word.starts_with('!')).collect();
    let is_negated =
        contexts.contains('!') || words.iter().any(|word| word.eq_ignore_ascii_case("not"));
    !is_negated
        && words.iter().any(|word| is_other_database(word))
        && !words.iter().any(|word| is_postgres(word))
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True for preconditions that leave a changeset out when they fail, and go on.
fn may_skip(conditions: &Element) -> bool {
    ["onFail", "onError"]
        .iter()
        .filter_map(|name| conditions.value(name))
        .any(goes_on)
}

/// True for what to do about a failed precondition that lets the others run.
pub(super) fn goes_on(action: &str) -> bool {
    action.eq_ignore_ascii_case("MARK_RAN") || action.eq_ignore_ascii_case("CONTINUE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_may_name_another_database() {
        for (contexts, expected) in [
            ("mysql", true),
            ("tenant_db and mysql", true),
            ("h2,oracle", true),
            ("mysql or postgresql", false),
            ("!mysql", false),
            ("not mysql", false),
            ("dev", false),
            ("", false),
        ] {
            assert_eq!(is_for_others(contexts), expected, "{contexts}");
        }
    }

    #[test]
    fn databases_are_named_as_liquibase_names_them() {
        for (value, ours, misspelt) in [
            (None, true, None),
            (Some(""), true, None),
            (Some("postgresql"), true, None),
            (Some("mysql, PostgreSQL"), true, None),
            (Some("mysql"), false, None),
            (Some("!mysql,!oracle"), true, None),
            (Some("!postgresql"), false, None),
            (Some("all"), true, None),
            (Some("none"), false, None),
            (Some("postgres"), false, Some("postgres")),
            (Some("\"postgresql\""), false, Some("\"postgresql\"")),
        ] {
            let dbms = Dbms::of(value);
            assert_eq!(dbms.is_ours(), ours, "{value:?}");
            assert_eq!(dbms.misspelt(), misspelt, "{value:?}");
        }
    }
}
