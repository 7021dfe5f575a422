//! What a migration says about itself in comments: `-- lockgate: phase expand`, `-- lockgate: irreversible: <reason>`.
//!
//! A marker is about the whole migration, its up and its down script alike, wherever in them it stands. In a file with
//! several migrations it belongs to the one that it stands in; above the first one it belongs to all of them.

use std::collections::BTreeMap;

use crate::layout::{History, Migration};
use crate::source::{Location, SourceId};
use crate::suggest::closest;

/// Characters of a reason that somebody can judge.
pub const REASON: usize = 20;

/// A step of a change that is made in several releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Adds what the new code needs; code that is deployed does not notice.
    Expand,
    /// Moves data and code over: fills, validates, synchronises.
    Transition,
    /// Takes away what only the old code needed.
    Contract,
}

impl Phase {
    /// All of them in the order in which they are deployed.
    pub const ALL: [Self; 3] = [Self::Expand, Self::Transition, Self::Contract];

    /// The word in comments and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Transition => "transition",
            Self::Contract => "contract",
        }
    }
}

/// How much can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Risk {
    Low,
    Medium,
    High,
}

impl Risk {
    /// All of them, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word in comments and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Something declared, with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared<T> {
    /// What.
    pub value: T,
    /// The instruction in the comment.
    pub location: Location,
}

/// Rules that a comment allows, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Their names as written.
    pub rules: Vec<Box<str>>,
    /// The reason; never empty.
    pub reason: Box<str>,
}

/// What the comments of a migration and of the script that goes the other way declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markers {
    /// The step of a larger change that it is.
    pub phase: Option<Declared<Phase>>,
    /// How much can go wrong, in its author's judgement.
    pub risk: Option<Declared<Risk>>,
    /// Why there is no way back.
    pub irreversible: Vec<Declared<Box<str>>>,
    /// Why data or objects are destroyed, or where that was decided.
    pub destructive: Vec<Declared<Box<str>>>,
    /// Which data is lost, on the way there or back.
    pub data_loss: Vec<Declared<Box<str>>>,
    /// Who has agreed.
    pub approved_by: Vec<Declared<Box<str>>>,
    /// How it is checked that the data is right afterwards: a query or where it stands.
    pub verify: Vec<Declared<Box<str>>>,
    /// The tables that it is about, as written: `orders`, `sales.orders`.
    pub tables: Vec<Declared<Box<str>>>,
    /// Findings that comments allow for a reason.
    pub allowed: Vec<Declared<Allowed>>,
}

impl Markers {
    /// True if one of the reasons is long enough to be judged.
    #[must_use]
    pub fn explains(reasons: &[Declared<Box<str>>]) -> bool {
        reasons
            .iter()
            .any(|reason| reason.value.chars().count() >= REASON)
    }

    /// True if the migration says why there is no way back.
    #[must_use]
    pub fn is_irreversible(&self) -> bool {
        Self::explains(&self.irreversible)
    }

    /// True if a comment allows one of the rules and says why.
    #[must_use]
    pub fn allows(&self, rules: &[&str]) -> bool {
        self.allowed.iter().any(|allowed| {
            allowed
                .value
                .rules
                .iter()
                .any(|rule| rules.contains(&&**rule))
        })
    }

    fn put(&mut self, marker: &Declaration, found: &mut Vec<Contradiction>) {
        let location = marker.location;
        let text = |value: &str| Declared {
            value: Box::from(value),
            location,
        };
        match &marker.value {
            Marker::Phase(phase) => {
                let declared = Declared {
                    value: *phase,
                    location,
                };
                let earlier = *self.phase.get_or_insert(declared);
                if earlier.value != *phase {
                    let words = (earlier.value.as_str(), phase.as_str());
                    found.push(contradiction("phase", words, location));
                }
            }
            Marker::Risk(risk) => {
                let declared = Declared {
                    value: *risk,
                    location,
                };
                let earlier = *self.risk.get_or_insert(declared);
                if earlier.value != *risk {
                    let words = (earlier.value.as_str(), risk.as_str());
                    found.push(contradiction("risk", words, location));
                }
            }
            Marker::Irreversible(reason) => self.irreversible.push(text(reason)),
            Marker::Destructive(reason) => self.destructive.push(text(reason)),
            Marker::DataLoss(reason) => self.data_loss.push(text(reason)),
            Marker::ApprovedBy(people) => self.approved_by.extend(listed(people).map(text)),
            Marker::Tables(tables) => self.tables.extend(listed(tables).map(text)),
            Marker::Verify(what) => self.verify.push(text(what)),
            Marker::Allowed { rules, reason } => self.allowed.push(Declared {
                value: Allowed {
                    rules: rules.iter().map(|rule| Box::from(&**rule)).collect(),
                    reason: Box::from(&**reason),
                },
                location,
            }),
        }
    }
}

/// What stands between commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

/// A declaration that an earlier one of the same migration contradicts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) location: Location,
    pub(crate) message: String,
}

fn contradiction(what: &str, words: (&str, &str), location: Location) -> Contradiction {
    Contradiction {
        location,
        message: format!(
            "this migration declares {what} `{}` and {what} `{}`",
            words.0, words.1
        ),
    }
}

/// One declaration of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    Phase(Phase),
    Risk(Risk),
    Irreversible(String),
    Destructive(String),
    DataLoss(String),
    ApprovedBy(String),
    Tables(String),
    Verify(String),
    Allowed { rules: Vec<String>, reason: String },
}

/// A declaration with its place.
pub(crate) type Declaration = Declared<Marker>;

/// A word that is not understood, with what to say about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misread<'a> {
    pub(crate) text: &'a str,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The words that begin a marker.
pub(crate) const WORDS: [&str; 8] = [
    "phase",
    "risk",
    "irreversible",
    "destructive",
    "data-loss",
    "approved-by",
    "tables",
    "verify",
];

/// Reads an instruction, without the `lockgate:` before it: `phase expand`, `irreversible: <reason>`. None if it does
/// not begin with the word of a marker.
pub(crate) fn read(text: &str) -> Option<Result<Marker, Misread<'_>>> {
    let end = text
        .find(|c: char| c.is_whitespace() || c == ':')
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let word = *WORDS.iter().find(|known| **known == word)?;
    let value = rest.trim_start().trim_start_matches(':').trim();
    Some(match word {
        "phase" => choice(text, word, value, Phase::ALL, Phase::as_str).map(Marker::Phase),
        "risk" => choice(text, word, value, Risk::ALL, Risk::as_str).map(Marker::Risk),
        _ if value.is_empty() => Err(Misread {
            text,
            message: match word {
                "approved-by" => "`approved-by` names nobody".to_owned(),
                "tables" => "`tables` names no table".to_owned(),
                "verify" => "`verify` names no query".to_owned(),
                _ => format!("`{word}` gives no reason"),
            },
            help: match word {
                "approved-by" => "the form is `lockgate: approved-by: <who>, <who>`".to_owned(),
                "tables" => "the form is `lockgate: tables <table>, <table>`".to_owned(),
                "verify" => {
                    "the form is `lockgate: verify: <query, or where it stands>`".to_owned()
                }
                _ => format!("the form is `lockgate: {word}: <reason>`"),
            },
        }),
        "irreversible" => Ok(Marker::Irreversible(value.to_owned())),
        "destructive" => Ok(Marker::Destructive(value.to_owned())),
        "data-loss" => Ok(Marker::DataLoss(value.to_owned())),
        "approved-by" => Ok(Marker::ApprovedBy(value.to_owned())),
        "tables" => Ok(Marker::Tables(value.to_owned())),
        _ => Ok(Marker::Verify(value.to_owned())),
    })
}

/// One of a few words. What stands behind it is a remark.
fn choice<'a, T: Copy>(
    text: &'a str,
    word: &str,
    value: &'a str,
    all: [T; 3],
    name: fn(T) -> &'static str,
) -> Result<T, Misread<'a>> {
    let end = value
        .find(|c: char| c.is_whitespace() || c == ',')
        .unwrap_or(value.len());
    let given = &value[..end];
    if let Some(found) = all
        .into_iter()
        .find(|one| name(*one).eq_ignore_ascii_case(given))
    {
        return Ok(found);
    }
    let names = all.map(name);
    let form = format!(
        "the form is `lockgate: {word} {}`, or `{}` or `{}`",
        names[0], names[1], names[2]
    );
    Err(if given.is_empty() {
        Misread {
            text,
            message: format!("`{word}` does not say which"),
            help: form,
        }
    } else {
        Misread {
            text: given,
            message: format!("`{given}` is not a {word}"),
            help: closest(given, names).map_or(form, |name| format!("did you mean `{name}`?")),
        }
    })
}

/// The markers of each migration of a history, and declarations that contradict each other.
pub(crate) fn of_history(
    history: &History,
    declared: &BTreeMap<SourceId, Vec<Declaration>>,
) -> (Vec<Markers>, Vec<Contradiction>) {
    let migrations = &history.migrations;
    let mut all = vec![Markers::default(); migrations.len()];
    let mut problems = Vec::new();
    if declared.is_empty() {
        return (all, problems);
    }
    let mut by_source: BTreeMap<SourceId, Vec<usize>> = BTreeMap::new();
    for (index, migration) in migrations.iter().enumerate() {
        if declared.contains_key(&migration.source) {
            by_source.entry(migration.source).or_default().push(index);
        }
    }
    // What each migration's own text says, then that of its other script.
    let mut own: Vec<Vec<&Declaration>> = vec![Vec::new(); migrations.len()];
    for (source, inside) in &by_source {
        for declaration in &declared[source] {
            for &index in belongs_to(declaration, inside, migrations) {
                own[index].push(declaration);
            }
        }
    }
    for (index, migration) in migrations.iter().enumerate() {
        let mut twice = Vec::new();
        let (mine, other) = (&own[index], migration.pair.map(|pair| &own[pair]));
        for declaration in mine {
            all[index].put(declaration, &mut twice);
        }
        for declaration in other.into_iter().flatten() {
            if !mine.iter().any(|own| own.location == declaration.location) {
                all[index].put(declaration, &mut twice);
            }
        }
        // Both scripts say the same of each other.
        if migration.direction.is_forward() || migration.pair.is_none() {
            problems.extend(twice);
        }
    }
    problems.sort_by_key(|problem| problem.location);
    problems.dedup();
    (all, problems)
}

/// The migrations of its file that a declaration is about.
fn belongs_to<'a>(
    declaration: &Declaration,
    inside: &'a [usize],
    migrations: &[Migration],
) -> &'a [usize] {
    let at = declaration.location.span.start;
    let nearest = inside
        .iter()
        .enumerate()
        .filter(|(_, index)| migrations[**index].span.start <= at)
        .max_by_key(|(_, index)| migrations[**index].span.start);
    match nearest {
        Some((place, _)) if inside.len() > 1 => &inside[place..=place],
        _ => inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("phase expand", Some(Ok(Marker::Phase(Phase::Expand)))),
            (
                "phase: Contract -- after release 41",
                Some(Ok(Marker::Phase(Phase::Contract))),
            ),
            ("risk:high", Some(Ok(Marker::Risk(Risk::High)))),
            (
                "risk medium, see ADR 7",
                Some(Ok(Marker::Risk(Risk::Medium))),
            ),
            (
                "irreversible: the old values are gone",
                Some(Ok(Marker::Irreversible("the old values are gone".into()))),
            ),
            (
                "destructive docs/adr/12.md",
                Some(Ok(Marker::Destructive("docs/adr/12.md".into()))),
            ),
            ("data-loss : x", Some(Ok(Marker::DataLoss("x".into())))),
            (
                "approved-by: a, b",
                Some(Ok(Marker::ApprovedBy("a, b".into()))),
            ),
            (
                "tables orders, sales.users",
                Some(Ok(Marker::Tables("orders, sales.users".into()))),
            ),
            (
                "verify: SELECT 1",
                Some(Ok(Marker::Verify("SELECT 1".into()))),
            ),
            ("allow irreversible", None),
            ("phases expand", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_marker_lacks_is_said() {
        for (text, word, message, help) in [
            (
                "phase expnad",
                "expnad",
                "`expnad` is not a phase",
                "did you mean `expand`?",
            ),
            (
                "phase",
                "phase",
                "`phase` does not say which",
                "the form is `lockgate: phase expand`, or `transition` or `contract`",
            ),
            (
                "risk: none",
                "none",
                "`none` is not a risk",
                "the form is `lockgate: risk low`, or `medium` or `high`",
            ),
            (
                "irreversible:",
                "irreversible:",
                "`irreversible` gives no reason",
                "the form is `lockgate: irreversible: <reason>`",
            ),
            (
                "approved-by",
                "approved-by",
                "`approved-by` names nobody",
                "the form is `lockgate: approved-by: <who>, <who>`",
            ),
            (
                "tables:",
                "tables:",
                "`tables` names no table",
                "the form is `lockgate: tables <table>, <table>`",
            ),
        ] {
            let expected = Misread {
                text: word,
                message: message.to_owned(),
                help: help.to_owned(),
            };
            assert_eq!(read(text), Some(Err(expected)), "{text}");
        }
    }
}
