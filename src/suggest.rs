//! "Did you mean": the known word that a mistyped one is closest to.

/// The candidate closest to a word, if one is close enough to be meant.
#[must_use]
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    // A third of the letters may be wrong, and one always; a whole part left out or added (`drop-index`,
    // `index-dropped`) is judged by the likeness of the words.
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace('_', "-");
            let edits = strsim::damerau_levenshtein(&word, &plain);
            (edits, strsim::jaro_winkler(&word, &plain), candidate)
        })
        .filter(|(edits, likeness, _)| *edits <= allowed || *likeness > 0.88)
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(_, _, candidate)| candidate)
}

/// Words as a list for people: `a`, `b` or `c`, each in backticks.
#[must_use]
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_could_be_meant_are_suggested() {
        let rules = [
            "index-not-concurrent",
            "drop-column",
            "drop-table",
            "missing-down",
        ];
        for (word, expected) in [
            ("drop-colum", Some("drop-column")),
            ("drop_column", Some("drop-column")),
            ("index-not-concurently", Some("index-not-concurrent")),
            ("mising-down", Some("missing-down")),
            ("select", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, rules), expected, "{word}");
        }
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
