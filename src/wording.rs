//! Lists of names, and lengths of time, in sentences.

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

/// Milliseconds as people write them: `2s`, `500ms`, `5min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
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

    #[test]
    fn durations_have_the_largest_unit_that_fits() {
        for (milliseconds, expected) in [
            (0, "0"),
            (500, "500ms"),
            (1_500, "1500ms"),
            (2_000, "2s"),
            (90_000, "90s"),
            (300_000, "5min"),
            (7_200_000, "2h"),
        ] {
            assert_eq!(duration(milliseconds), expected);
        }
    }
}
