//! Figures from outside, with their moments: an error rate, a latency, the load of the machine, the size of a backup.

use serde::Deserialize;

use crate::snapshot::seconds_since_epoch;

/// A number and when it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// The number; none where only the moment is said.
    pub value: Option<f64>,
    /// Seconds since 1970.
    pub at: f64,
}

#[derive(Deserialize)]
struct Json {
    value: Option<f64>,
    at: Moment,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Json),
    More(Vec<Json>),
}

/// Reads figures, oldest first: on each line `0.4 2026-11-20T14:00:00Z`, `0.4 1795183200` or a moment alone; or one
/// object `{"value": 0.4, "at": "2026-11-20T14:00:00Z"}`, or a list of them. None if that is not what the text holds.
#[must_use]
pub fn figures(text: &str) -> Option<Vec<Figure>> {
    let text = text.trim();
    let mut figures = Vec::new();
    if text.starts_with(['{', '[']) {
        let list = match serde_json::from_str(text).ok()? {
            OneOrMore::One(json) => vec![json],
            OneOrMore::More(list) => list,
        };
        for json in list {
            let at = match json.at {
                Moment::Seconds(seconds) => seconds,
                Moment::Text(text) => moment(&text)?,
            };
            figures.push(Figure {
                value: json.value,
                at,
            });
        }
    } else {
        for line in text.split(['\n', '\r']).map(str::trim) {
            if line.is_empty() {
                continue;
            }
            figures.push(match line.split_once(char::is_whitespace) {
                Some((value, at)) => Figure {
                    value: Some(value.parse().ok()?),
                    at: moment(at.trim())?,
                },
                None => Figure {
                    value: None,
                    at: moment(line)?,
                },
            });
        }
    }
    let finite = |figure: &Figure| figure.at.is_finite() && figure.value.is_none_or(f64::is_finite);
    if figures.is_empty() || !figures.iter().all(finite) {
        return None;
    }
    figures.sort_by(|a, b| a.at.total_cmp(&b.at));
    Some(figures)
}

/// The numbers of a metric with their moments, oldest first, or why the newest does not count: it is none, or older than
/// `oldest` seconds at the moment `now`.
///
/// # Errors
/// Why it is not known.
pub fn readings(text: &str, now: f64, oldest: f64) -> Result<Vec<(f64, f64)>, String> {
    let numbers: Option<Vec<(f64, f64)>> = figures(text).and_then(|figures| {
        let numbers = figures.iter();
        numbers
            .map(|figure| Some((figure.value?, figure.at)))
            .collect()
    });
    let numbers = numbers.ok_or_else(|| {
        "not known: it is not a number with a moment, like `0.4 2026-11-20T14:00:00Z`".to_owned()
    })?;
    let age = now - numbers.last().map_or(f64::NEG_INFINITY, |(_, at)| *at);
    if age > oldest {
        return Err(format!("not known: the number is {age:.0} s old"));
    }
    if age < -oldest {
        return Err(format!(
            "not known: the number is of a moment {:.0} s from now",
            -age
        ));
    }
    Ok(numbers)
}

#[expect(clippy::cast_precision_loss, reason = "no moment is that late")]
fn moment(text: &str) -> Option<f64> {
    match seconds_since_epoch(text) {
        Some(seconds) => Some(seconds as f64),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_their_moments_are_read() {
        // 2026-11-20T14:00:00Z
        let then = 1_795_183_200.0;
        for text in [
            "0.4 2026-11-20T14:00:00Z",
            " 0.4\t1795183200\n",
            r#"{"value": 0.4, "at": 1795183200}"#,
            r#"{"value": 0.4, "at": "2026-11-20T15:00:00+01:00"}"#,
        ] {
            assert_eq!(readings(text, then, 60.0), Ok(vec![(0.4, then)]), "{text}");
            assert_eq!(
                readings(text, then + 61.0, 60.0),
                Err("not known: the number is 61 s old".to_owned())
            );
        }
        for text in [
            "",
            "0.4",
            "x 1795183200",
            "NaN 1795183200",
            "0.4 soon",
            "{}",
            "[]",
            "{\"value\": 1}",
            "1795183200",
            "0.4 1795183200\nx",
        ] {
            assert!(readings(text, then, 60.0).is_err(), "{text}");
        }
        assert!(readings("1 2026-11-20T16:00:00Z", then, 60.0).is_err());
    }

    #[test]
    fn several_are_a_course_of_time_and_a_moment_may_stand_alone() {
        let lines = "2 20\r\n1 10\n\n3 30";
        let list = r#"[{"value": 3, "at": 30}, {"value": 1, "at": 10}, {"value": 2, "at": 20}]"#;
        for text in [lines, list] {
            assert_eq!(
                readings(text, 30.0, 5.0),
                Ok(vec![(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)])
            );
        }
        let alone = Figure {
            value: None,
            at: 10.0,
        };
        assert_eq!(figures("1970-01-01T00:00:10Z"), Some(vec![alone]));
        assert_eq!(figures(r#"{"at": 10}"#), Some(vec![alone]));
    }
}
