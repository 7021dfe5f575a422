//! Moments as RFC 3339 writes them, without a clock.

/// Seconds since 1970-01-01 00:00 UTC of a moment such as `2026-11-20T14:00:00.5+01:00`; a space may stand for the `T`,
/// as PostgreSQL prints it, and minutes of the offset may be left out. Fractions are dropped.
#[must_use]
pub fn seconds_since_epoch(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits {
            digits.parse().ok()
        } else {
            None
        }
    };
    let mark = |at: usize, wanted: &[u8]| {
        text.as_bytes()
            .get(at)
            .is_some_and(|byte| wanted.contains(byte))
    };
    let in_form =
        mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":");
    if !in_form {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let possible = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !possible {
        return None;
    }
    let rest = text.get(19..)?;
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| {
        fraction.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let offset = offset(rest)?;
    Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

/// Seconds east of UTC: `Z`, `+01`, `+01:00`, `-0330`.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => {
            let (hours, minutes) = digits.split_at_checked(2)?;
            (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?)
        }
        _ => return None,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

/// Days since 1970-01-01 in the Gregorian calendar: whole years of 365 days, leap days, months counted from March so
/// that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 1 March of the year 0 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-02T00:00:01Z", Some(86_401)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-20T14:00:00Z", Some(1_795_183_200)),
            ("2026-11-20T15:00:00+01:00", Some(1_795_183_200)),
            ("2026-11-20 15:00:00.123456+01", Some(1_795_183_200)),
            ("2026-11-20T10:30:00-0330", Some(1_795_183_200)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-13-20T14:00:00Z", None),
            ("2026-11-20T14:00:00", None),
            ("2026-11-20", None),
            ("2026-11-2٠T14:00:00Z", None),
            ("2026-11-20T14:00:00+é", None),
            ("", None),
        ] {
            assert_eq!(seconds_since_epoch(text), expected, "{text}");
        }
    }
}
