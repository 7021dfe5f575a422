//! `policies`: what a team asks for, entry by entry.

use super::Problem;

use super::read::{
    Result, boolean, first_place, list, map, optional_text, text, unknown_key, word,
};
use crate::policy::{Forbidden, OBJECTS, Pattern, Policy};
use crate::yaml::{Node, Value};

/// What the first key of an entry can be.
const KINDS: [&str; 4] = ["names", "required_column", "forbid", "schemas"];

pub(super) fn policies(node: &Node) -> Result<Vec<Policy>> {
    list(node, "`policies`")?.iter().map(policy).collect()
}

fn policy(node: &Node) -> Result<Policy> {
    let entries = map(node, "a policy")?;
    let kind = entries
        .iter()
        .find(|(key, _)| KINDS.contains(&key.name.as_str()));
    let Some((kind, about)) = kind else {
        return Err(Problem::new(
            first_place(node),
            "a policy says neither `names`, `required_column`, `forbid` nor `schemas`",
        )
        .help("for instance `{ names: table, pattern: \"^[a-z_]+$\" }`"));
    };
    let known: &[&str] = match kind.name.as_str() {
        "required_column" => &["required_column", "type", "not_null", "tables", "message"],
        "schemas" => &["schemas"],
        "names" => &["names", "pattern", "message"],
        _ => &["forbid", "pattern", "message"],
    };
    let wrong = entries
        .iter()
        .find(|(key, _)| !known.contains(&key.name.as_str()));
    if let Some((key, _)) = wrong {
        return Err(unknown_key(key, known));
    }
    let entry = |name: &str| {
        let found = entries.iter().find(|(key, _)| key.name == name);
        found.map(|(_, value)| value)
    };
    let message = match entry("message") {
        Some(node) => optional_text(node, "`message`")?,
        None => None,
    };
    let needed = || {
        entry("pattern").map_or_else(
            || {
                let problem = Problem::new(kind.span, "this policy has no `pattern`");
                Err(problem.help("add a regular expression: `pattern: \"^[a-z_]+$\"`"))
            },
            pattern,
        )
    };
    match kind.name.as_str() {
        "names" => {
            let words = OBJECTS.map(|object| object.as_str());
            let object = OBJECTS[word(about, "object", &words)?];
            Ok(Policy::Names {
                object,
                pattern: needed()?,
                message,
            })
        }
        "forbid" => {
            let words = Forbidden::ALL.map(Forbidden::as_str);
            let what = Forbidden::ALL[word(about, "thing to forbid", &words)?];
            Ok(Policy::Forbid {
                what,
                pattern: needed()?,
                message,
            })
        }
        "schemas" => {
            let one = std::slice::from_ref(about);
            let items = match &about.value {
                Value::List(items) => items,
                _ => one,
            };
            let names = items.iter().map(|item| text(item, "a schema"));
            let names: Result<Vec<&str>> = names.collect();
            Ok(Policy::Schemas(
                names?.into_iter().map(str::to_owned).collect(),
            ))
        }
        _ => Ok(Policy::RequiredColumn {
            name: text(about, "`required_column`")?.to_owned(),
            ty: match entry("type") {
                Some(node) => optional_text(node, "`type`")?,
                None => None,
            },
            not_null: match entry("not_null") {
                Some(node) => boolean(node, "`not_null`")?,
                None => false,
            },
            tables: entry("tables").map(pattern).transpose()?,
            message,
        }),
    }
}

fn pattern(node: &Node) -> Result<Pattern> {
    let written = text(node, "a pattern")?;
    Pattern::new(written).map_err(|reason| {
        Problem::new(
            node.span,
            format!("`{written}` is not a regular expression: {reason}"),
        )
        .help("it is looked for anywhere in the name; `^` and `$` mean its ends")
    })
}
