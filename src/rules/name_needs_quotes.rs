//! See `rules/name-needs-quotes.md`.

use crate::policy::new_names;
use crate::rule::{Cx, Finding};
use crate::statement::{Statement, quoted};

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    for (kind, name, _) in new_names(statement) {
        let shown = quoted(&name.text);
        if shown == *name.text || name.text.is_empty() {
            continue;
        }
        let why = if name.text.chars().any(char::is_uppercase) {
            "has capitals"
        } else if name
            .text
            .bytes()
            .all(|b| b == b'_' || b.is_ascii_lowercase())
        {
            "is a reserved word"
        } else {
            "has characters that names without quotes cannot have"
        };
        let finding = Finding::new(
            name.span,
            format!(
                "the {} name {shown} {why}: it is found in double quotes only",
                kind.as_str()
            ),
        )
        .help("choose a name of lower-case letters, digits and underscores");
        cx.report(finding);
    }
}
