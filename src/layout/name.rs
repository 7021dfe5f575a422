//! Versions in file names and how they compare.

use std::cmp::Ordering;

/// Compares names as a person orders them: runs of digits by their value, everything else by bytes.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(rest_a), digits(rest_b));
        if !digits_a.is_empty() && !digits_b.is_empty() {
            match number(digits_a, digits_b) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            (rest_a, rest_b) = (&rest_a[digits_a.len()..], &rest_b[digits_b.len()..]);
            continue;
        }
        let (mut chars_a, mut chars_b) = (rest_a.chars(), rest_b.chars());
        match (chars_a.next(), chars_b.next()) {
            // Equal but for leading zeros.
            (None, None) => return a.cmp(b),
            (x, y) if x == y => (rest_a, rest_b) = (chars_a.as_str(), chars_b.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// The digits that a text begins with.
pub(super) fn digits(text: &str) -> &str {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

/// A file name `<digits>_<title>.sql` taken apart; else what is wrong with it.
pub(super) fn numbered(file: &str) -> Result<(&str, &str), &'static str> {
    let version = digits(file);
    if version.is_empty() {
        return Err("it does not begin with a version number");
    }
    let Some(rest) = file[version.len()..].strip_prefix('_') else {
        return Err("no `_` stands behind its version number");
    };
    match rest.strip_suffix(".sql") {
        Some(title) => Ok((version, title)),
        None => Err("its name does not end in `.sql`"),
    }
}

/// A title as a person reads it.
pub(super) fn title(text: &str) -> String {
    text.replace(['_', '-'], " ").trim().to_owned()
}

/// Compares versions of tools that sort file names as text: what stands behind the version is a `_`, and it counts.
pub(super) fn as_file_names(a: &str, b: &str) -> Ordering {
    let with_separator = |version: &str| format!("{version}_");
    with_separator(a).cmp(&with_separator(b))
}

/// Compares names as JavaScript's `localeCompare` does in English: marks before digits before letters, and the case of
/// letters only where nothing else differs. Other than ASCII is compared by its code points.
pub(super) fn as_words(a: &str, b: &str) -> Ordering {
    // The order of the root collation of CLDR.
    const MARKS: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let weight = |c: char| match MARKS.find(c) {
        Some(place) => (0, u32::try_from(place).unwrap_or(u32::MAX)),
        None if c.is_ascii_digit() => (1, u32::from(c)),
        None => (2, u32::from(c.to_ascii_lowercase())),
    };
    // Small letters come first.
    let cases =
        |text: &str| -> Vec<bool> { text.chars().map(|c| c.is_ascii_uppercase()).collect() };
    a.chars()
        .map(weight)
        .cmp(b.chars().map(weight))
        .then_with(|| cases(a).cmp(&cases(b)))
        .then_with(|| a.cmp(b))
}

/// Compares two runs of digits of any length by value.
pub(super) fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A dotted version (`1.2`, `1_2`) in its one normal form: parts without leading zeros, joined by dots, without zero
/// parts at the end. None if it is no such version.
pub(super) fn dotted(text: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in text.split(['.', '_']) {
        if part.is_empty() || digits(part).len() != part.len() {
            return None;
        }
        let part = part.trim_start_matches('0');
        parts.push(if part.is_empty() { "0" } else { part });
    }
    while parts.len() > 1 && parts.last() == Some(&"0") {
        parts.pop();
    }
    Some(parts.join("."))
}

/// Compares dotted versions part by part, missing parts being zero.
pub(super) fn compare_dotted(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split(['.', '_']), b.split(['.', '_']));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => match number(x.unwrap_or("0"), y.unwrap_or("0")) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_counts_digits_as_numbers() {
        let mut names = ["10_b", "9_a", "010_a", "2", "a10", "a9", "é", "1.10", "1.9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["1.9", "1.10", "2", "9_a", "010_a", "10_b", "a9", "a10", "é"]
        );
        assert_eq!(natural("01", "1"), Ordering::Less, "a total order");
        assert_eq!(natural("", ""), Ordering::Equal);
    }

    #[test]
    fn names_as_words_compare_as_in_javascript() {
        // What `sort((a, b) => a.localeCompare(b))` makes of them in Node 20.
        let sorted = [
            "1_c", "1-b", "10_a", "2_B", "2_ba", "2a", "2A", "2b", "a", "a_", "A1", "b",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| as_words(a, b));
        assert_eq!(names, sorted);
    }

    #[test]
    fn names_as_text_put_10_before_2_and_before_1() {
        let mut versions = ["1", "2", "10", "020"];
        versions.sort_by(|a, b| as_file_names(a, b));
        assert_eq!(versions, ["020", "10", "1", "2"]);
    }

    #[test]
    fn numbered_names_are_taken_apart() {
        assert_eq!(numbered("001_add_users.sql"), Ok(("001", "add_users")));
        assert_eq!(numbered("1_.sql"), Ok(("1", "")));
        for name in ["a_b.sql", "1-a.sql", "1.sql", "1_a.SQL", "", "_é.sql"] {
            assert!(numbered(name).is_err(), "{name}");
        }
    }

    #[test]
    fn dotted_versions_have_one_normal_form() {
        let cases = [
            ("1", Some("1")),
            ("001", Some("1")),
            ("1.0", Some("1")),
            ("1_0_0", Some("1")),
            ("1.2.0.3", Some("1.2.0.3")),
            ("0", Some("0")),
            ("0.0", Some("0")),
            ("20240101120000", Some("20240101120000")),
            ("99999999999999999999999", Some("99999999999999999999999")),
            ("", None),
            ("1.", None),
            ("1..2", None),
            ("1_add", None),
            ("-1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(dotted(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dotted_versions_compare_by_parts() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            ("1", "1.0.0", Equal),
            ("1", "001", Equal),
            ("1.2", "1_2", Equal),
            ("1.9", "1.10", Less),
            ("2", "10", Less),
            ("1.0.1", "1", Greater),
            ("18446744073709551616", "18446744073709551615", Greater),
        ];
        for (a, b, expected) in cases {
            assert_eq!(compare_dotted(a, b), expected, "{a} {b}");
        }
    }
}
