//! See `rules/future-version.md`.

use crate::layout::{Direction, Migration};
use crate::rule::{Cx, Finding};

pub(super) fn check(cx: &mut Cx<'_>, migration: &Migration) {
    let Some(today) = cx.settings().today.as_deref().and_then(days) else {
        return;
    };
    if migration.direction != Direction::Up
        || days(&migration.version).is_none_or(|day| day <= today + 1)
    {
        return;
    }
    let version = &migration.version;
    cx.report(
        Finding::new(
            migration.span,
            format!("the version {version} is a time in the future: what is written until then sorts before it"),
        )
        .help("number it with the time at which it is written, while nobody has applied it"),
    );
}

/// Days of a text that begins with a date, with dashes or without, counted so that neighbours differ by one; none if
/// it is no date.
fn days(text: &str) -> Option<i64> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .collect();
    if !matches!(digits.len(), 8 | 12 | 14 | 17)
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    if !(1990..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The civil calendar with years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day)
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn days_are_counted() {
        let day = |text: &str| days(text).unwrap();
        assert_eq!(day("20260301") - day("2026-02-28"), 1);
        assert_eq!(day("20240301") - day("20240228120000"), 2);
        assert_eq!(day("20270101") - day("20261231"), 1);
        for text in [
            "",
            "1",
            "20261301",
            "20260132",
            "0042",
            "1700000000",
            "abcdefgh",
            "99990101x",
        ] {
            assert_eq!(days(text), None, "{text}");
        }
    }
}
