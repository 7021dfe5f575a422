//! Lists of names, lengths of time and sizes in sentences.

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

/// A length of time in seconds as people say it: `350 ms`, `12 s`, `3 min`, `5 h`, `2 days`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    for (unit, size, least) in [
        ("days", 86_400.0, 2.0),
        ("h", 3_600.0, 2.0),
        ("min", 60.0, 2.0),
        ("s", 1.0, 1.0),
    ] {
        let number = seconds / size;
        if number >= least {
            return format!("{number:.0} {unit}");
        }
    }
    format!("{:.0} ms", seconds * 1_000.0)
}

/// A large number: `950`, `12,000`, `3.4 million`.
pub(crate) fn number(count: f64) -> String {
    if count >= 1e9 {
        format!("{:.1} billion", count / 1e9)
    } else if count >= 1e6 {
        format!("{:.1} million", count / 1e6)
    } else if count >= 1e4 {
        format!("{:.0},000", count / 1e3)
    } else {
        format!("{count:.0}")
    }
}

/// A number of bytes as PostgreSQL's `pg_size_pretty` shows it: `8192 bytes`, `24 MB`, `3 GB`.
pub(crate) fn bytes(count: f64) -> String {
    let mut size = count;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if size < 10_240.0 {
            return format!("{size:.0} {unit}");
        }
        size /= 1_024.0;
    }
    format!("{size:.0} TB")
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
    fn times_and_sizes_are_short() {
        for (seconds, expected) in [
            (0.0, "0 ms"),
            (0.35, "350 ms"),
            (1.2, "1 s"),
            (90.0, "90 s"),
            (130.0, "2 min"),
            (7_300.0, "2 h"),
            (260_000.0, "3 days"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        for (count, expected) in [
            (8_192.0, "8192 bytes"),
            (25_165_824.0, "24 MB"),
            (3.3e13, "30 TB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
