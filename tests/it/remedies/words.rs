//! SQL that stands in the words of a help text.

use lockgate::sql::parse_text;

/// Words that SQL begins with.
const VERBS: &[&str] = &[
    "ALTER", "CREATE", "DROP", "SELECT", "UPDATE", "DELETE", "INSERT", "SET", "RESET", "VACUUM",
    "ANALYZE", "REINDEX", "REFRESH", "COMMENT", "GRANT", "REVOKE", "TRUNCATE", "REASSIGN",
];

/// The complete statements of three words or more in a help's words: they belong into steps.
pub(super) fn complete_in_words(help: &str) -> Vec<String> {
    let words = help.lines().next().unwrap_or_default();
    let mut found = Vec::new();
    for (at, _) in words.match_indices(|c: char| c.is_ascii_uppercase()) {
        let begins =
            at == 0 || !words[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let rest = &words[at..];
        let verb = rest
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        if !begins
            || !VERBS.contains(&verb)
            || rest.contains('…')
                && !rest.split(',').next().unwrap().is_empty()
                && rest.split([',', ';', ':']).next().unwrap().contains('…')
        {
            continue;
        }
        let ends = [
            ",", ";", ":", "`", " (", ")", " then", " in ", " before", " behind", " and ",
            " first", " to ", " as ",
        ];
        let mut cuts: Vec<usize> = ends
            .iter()
            .flat_map(|end| rest.match_indices(end).map(|(at, _)| at))
            .collect();
        cuts.push(rest.len());
        cuts.sort_unstable();
        let complete = cuts.into_iter().map(|cut| rest[..cut].trim()).find(|sql| {
            sql.split_whitespace().count() >= 3 && {
                let parsed = parse_text(sql);
                parsed.errors.is_empty() && parsed.statements.len() == 1
            }
        });
        found.extend(complete.map(str::to_owned));
    }
    found
}

/// Rules whose words hold a complete statement that is not tried here, with the reason. The list may only get shorter.
pub(super) const IN_WORDS: &[(&str, &str)] = &[
    (
        "column-dropped",
        "what a release before has to do; the finding stays",
    ),
    ("column-not-deprecated", "a comment to be completed"),
    ("column-type-narrowed", "a question to ask of production"),
    (
        "column-type-rewrite",
        "one of two ways, by what the times mean",
    ),
    ("down-not-inverse", "the rest of a down script"),
    ("set-local-outside-transaction", "one of two ways"),
    (
        "table-dropped",
        "what a release before has to do; the finding stays",
    ),
];
