//! Lists of names in sentences.

use std::fmt::Display;

/// Names in backticks: `a`, `b` and `c`. From the fifth one on they are counted.
pub(crate) fn names<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 4;
    let mut words: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if words.len() > SHOWN + 1 {
        let more = words.len() - SHOWN;
        words.truncate(SHOWN);
        words.push(format!("{more} more"));
    }
    all(words)
}

/// Phrases: a, b and c.
pub(crate) fn all(mut words: Vec<String>) -> String {
    let Some(last) = words.pop() else {
        return String::new();
    };
    if words.is_empty() {
        last
    } else {
        format!("{} and {last}", words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_sentences_do() {
        for (given, expected) in [
            (vec![], ""),
            (vec!["a"], "`a`"),
            (vec!["a", "b"], "`a` and `b`"),
            (vec!["a", "b", "c", "d", "e"], "`a`, `b`, `c`, `d` and `e`"),
            (
                vec!["a", "b", "c", "d", "e", "f"],
                "`a`, `b`, `c`, `d` and 2 more",
            ),
        ] {
            assert_eq!(names(given), expected);
        }
    }
}
