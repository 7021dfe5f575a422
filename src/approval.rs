//! Sign-offs: who has agreed to a destructive migration, in which role, when, and to which text of it.
//!
//! They live in a file of the repository that the configuration names. One is bound to a hash of the migration, so that
//! an edit voids it.

use crate::snapshot::seconds_since_epoch;
pub use crate::source::Problem;
use crate::source::{Source, Span};
use crate::yaml::{Key, Node, Value};

/// The JSON Schema of the file.
pub const SCHEMA: &str = include_str!("approval/schema.json");

/// Entries that a file may have.
const MOST: usize = 10_000;
/// Characters that a name may have.
const LONGEST: usize = 200;
/// Hexadecimal digits of a hash.
const DIGITS: usize = 32;

/// One sign-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The migration's version, or its name where it has no version.
    pub migration: String,
    /// The hash that the migration had.
    pub hash: String,
    /// The role in which it was given: `backend_lead`.
    pub role: String,
    /// Who gave it.
    pub by: String,
    /// The day, counted from 1970-01-01 in UTC.
    pub day: i64,
}

/// The sign-offs of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    /// The file as shown.
    pub file: String,
    /// In the order written.
    pub list: Vec<Approval>,
}

type Result<T> = std::result::Result<T, Problem>;

/// What an entry says.
const KEYS: [&str; 5] = ["migration", "hash", "role", "by", "at"];

/// Reads a file of sign-offs. An empty one holds none.
///
/// # Errors
/// If it is no YAML, or an entry is not complete.
pub fn parse(source: &Source) -> Result<Approvals> {
    let mut approvals = Approvals {
        file: source.path.clone(),
        list: Vec::new(),
    };
    let file = Node::read(source).map_err(|error| Problem::new(error.span, error.message))?;
    for (key, value) in map(&file, "the file of sign-offs")? {
        if key.name != "approvals" {
            let problem = Problem::new(key.span, format!("`{}` is not known here", key.name));
            return Err(problem.help("the file holds a list called `approvals`"));
        }
        let items: &[Node] = match &value.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => {
                let message = format!("`approvals` is a list, not {}", value.kind());
                return Err(Problem::new(value.span, message));
            }
        };
        if items.len() > MOST {
            let message = format!("there are more than {MOST} sign-offs");
            return Err(Problem::new(key.span, message)
                .help("take out those of migrations that ran long ago"));
        }
        for item in items {
            approvals.list.push(approval(item)?);
        }
    }
    Ok(approvals)
}

fn approval(node: &Node) -> Result<Approval> {
    let entries = map(node, "a sign-off")?;
    if let Some((key, _)) = entries
        .iter()
        .find(|(key, _)| !KEYS.contains(&key.name.as_str()))
    {
        let problem = Problem::new(key.span, format!("`{}` is not known here", key.name));
        return Err(problem.help(format!("a sign-off has `{}`", KEYS.join("`, `"))));
    }
    let at = entries.first().map_or(node.span, |(key, _)| key.span);
    let text = |name: &str| -> Result<(String, Span)> {
        let found = entries.iter().find(|(key, _)| key.name == name);
        let Some((_, value)) = found else {
            let problem = Problem::new(at, format!("a sign-off has no `{name}`"));
            return Err(problem.help(format!("it needs `{}`", KEYS.join("`, `"))));
        };
        match &value.value {
            Value::Scalar(text) if text.trim().is_empty() => {
                Err(Problem::new(value.span, format!("`{name}` is empty")))
            }
            Value::Scalar(text) if text.chars().count() > LONGEST => Err(Problem::new(
                value.span,
                format!("`{name}` has more than {LONGEST} characters"),
            )),
            Value::Scalar(text) => Ok((text.trim().to_owned(), value.span)),
            _ => Err(Problem::new(
                value.span,
                format!("`{name}` is a single value, not {}", value.kind()),
            )),
        }
    };
    let (hash, place) = text("hash")?;
    let hash = hash.to_ascii_lowercase();
    if hash.len() != DIGITS || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("`{hash}` is not the hash of a migration");
        return Err(Problem::new(place, message).help(format!(
            "`lockgate check` prints it with `destructive-unapproved`: {DIGITS} hexadecimal digits"
        )));
    }
    let (at, place) = text("at")?;
    let day = day_of(&at).ok_or_else(|| {
        Problem::new(place, format!("`{at}` is not a date"))
            .help("write `2026-11-20`, or `2026-11-20T14:00:00Z`")
    })?;
    Ok(Approval {
        migration: text("migration")?.0,
        hash,
        role: text("role")?.0,
        by: text("by")?.0,
        day,
    })
}

fn map<'a>(node: &'a Node, what: &str) -> Result<&'a [(Key, Node)]> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        Value::Null => Ok(&[]),
        _ => Err(Problem::new(
            node.span,
            format!("{what} is a map, not {}", node.kind()),
        )),
    }
}

/// The day of a date (`2026-11-20`) or a moment (`2026-11-20T14:00:00+01:00`), counted from 1970-01-01 in UTC.
#[must_use]
pub fn day_of(text: &str) -> Option<i64> {
    let seconds = if text.len() == 10 {
        seconds_since_epoch(&format!("{text}T00:00:00Z"))
    } else {
        seconds_since_epoch(text)
    };
    Some(seconds?.div_euclid(86_400))
}

/// Finds for each role a person of its own. `signed` are the people who have signed, by role. Gives the roles that are
/// left without one.
#[must_use]
pub fn open_roles(signed: &[Vec<&str>]) -> Vec<usize> {
    // Who holds each role; a person who is wanted elsewhere is asked to make room, as far as somebody else can.
    let mut holders: Vec<Option<&str>> = vec![None; signed.len()];
    let mut open = Vec::new();
    for role in 0..signed.len() {
        let mut asked = Vec::new();
        if !place(role, signed, &mut holders, &mut asked) {
            open.push(role);
        }
    }
    open
}

/// One round of the search for a matching. Each person is asked once, and each call asks one, so that calls nest as deep
/// as there are roles at most.
fn place<'a>(
    role: usize,
    signed: &[Vec<&'a str>],
    holders: &mut [Option<&'a str>],
    asked: &mut Vec<&'a str>,
) -> bool {
    for &person in &signed[role] {
        if asked.contains(&person) {
            continue;
        }
        asked.push(person);
        let held = holders.iter().position(|holder| *holder == Some(person));
        let free = held.is_none_or(|other| place(other, signed, holders, asked));
        if free {
            holders[role] = Some(person);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    fn read(text: &str) -> std::result::Result<Vec<Approval>, String> {
        let source = Source::new(SourceId(0), "approvals.yaml", text);
        match parse(&source) {
            Ok(approvals) => Ok(approvals.list),
            Err(problem) => Err(format!(
                "<{}> {}; {}",
                source.slice(problem.span),
                problem.message,
                problem.help.unwrap_or_default()
            )),
        }
    }

    const HASH: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn sign_offs_are_read() {
        let text = format!(
            "approvals:\n  - {{ migration: 0042, hash: {HASH}, role: backend_lead, by: ' Jane ', at: 2026-05-20 }}\n  \
             - migration: 0043\n    hash: \"{HASH}\"\n    role: product_owner\n    by: joe@example.org\n    at: 2026-05-20T23:30:00-02:00\n"
        );
        let list = read(&text).expect("valid");
        let found: Vec<(&str, &str, &str, i64)> = list
            .iter()
            .map(|one| {
                (
                    one.migration.as_str(),
                    one.role.as_str(),
                    one.by.as_str(),
                    one.day,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("0042", "backend_lead", "Jane", 20_593),
                ("0043", "product_owner", "joe@example.org", 20_594)
            ]
        );
        assert_eq!(list[0].hash, HASH.to_lowercase());
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(read("approvals:\n"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        let entry = |change: &str, to: &str| {
            let text = format!(
                "approvals: [{{ migration: '1', hash: {HASH}, role: r, by: b, at: 2026-05-20 }}]"
            );
            text.replace(change, to)
        };
        for (text, expected) in [
            (
                "- a".to_owned(),
                "<> the file of sign-offs is a map, not a list; ",
            ),
            (
                "signoffs: []".to_owned(),
                "<signoffs> `signoffs` is not known here; the file holds a list called `approvals`",
            ),
            (
                entry("role: r", "rôle: r"),
                "<rôle> `rôle` is not known here; a sign-off has `migration`, `hash`, `role`, `by`, `at`",
            ),
            (
                entry("role: r, ", ""),
                "<migration> a sign-off has no `role`; it needs `migration`, `hash`, `role`, `by`, `at`",
            ),
            (entry("by: b", "by: ' '"), "<' '> `by` is empty; "),
            (
                entry(HASH, "abc"),
                "<abc> `abc` is not the hash of a migration; `lockgate check` prints it with `destructive-unapproved`: 32 hexadecimal digits",
            ),
            (
                entry("2026-05-20", "2026-13-20"),
                "<2026-13-20> `2026-13-20` is not a date; write `2026-11-20`, or `2026-11-20T14:00:00Z`",
            ),
            (
                entry("2026-05-20", "yesterday"),
                "<yesterday> `yesterday` is not a date; write `2026-11-20`, or `2026-11-20T14:00:00Z`",
            ),
        ] {
            assert_eq!(read(&text), Err(expected.to_owned()), "{text}");
        }
        assert!(read(&format!("approvals: [{}]", "{},".repeat(MOST + 1))).is_err());
        assert!(read("approvals: [*a]").is_err());
        let deep = format!("approvals: {}", "[".repeat(100_000));
        assert!(read(&deep).is_err());
        let bombs =
            "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\napprovals: [*b,*b,*b]\n";
        assert!(read(bombs).is_err());
    }

    #[test]
    fn every_role_needs_a_person_of_its_own() {
        for (signed, expected) in [
            (vec![vec!["a"], vec!["b"]], vec![]),
            (vec![vec!["a"], vec!["a"]], vec![1]),
            (vec![vec!["a", "b"], vec!["a"]], vec![]),
            (vec![vec!["a", "b"], vec!["a"], vec!["b"]], vec![2]),
            (vec![vec![], vec!["a"]], vec![0]),
            // Three people cannot fill four roles.
            (
                vec![vec!["a", "b"], vec!["b", "c"], vec!["a"], vec!["b"]],
                vec![3],
            ),
        ] {
            assert_eq!(open_roles(&signed), expected, "{signed:?}");
        }
    }
}
