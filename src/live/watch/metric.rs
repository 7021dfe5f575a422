//! Numbers from outside: an error rate, a latency, the load of the machine.

use serde::Deserialize;

use crate::snapshot::seconds_since_epoch;

/// A number and when it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The number.
    pub value: f64,
    /// Seconds since 1970.
    pub at: f64,
}

#[derive(Deserialize)]
struct Json {
    value: f64,
    at: Moment,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(f64),
    Text(String),
}

/// Reads `0.4 2026-11-20T14:00:00Z`, `0.4 1795183200` or `{"value": 0.4, "at": "2026-11-20T14:00:00Z"}`, and says why the
/// number does not count: it is none, or older than `oldest` seconds at the moment `now`.
///
/// # Errors
/// Why it is not known.
pub fn reading(text: &str, now: f64, oldest: f64) -> Result<f64, String> {
    let metric = parse(text).ok_or_else(|| {
        "not known: it is not a number with a moment, like `0.4 2026-11-20T14:00:00Z`".to_owned()
    })?;
    let age = now - metric.at;
    if age > oldest {
        return Err(format!("not known: the number is {age:.0} s old"));
    }
    if age < -oldest {
        return Err(format!(
            "not known: the number is of a moment {:.0} s from now",
            -age
        ));
    }
    Ok(metric.value)
}

fn parse(text: &str) -> Option<Metric> {
    let text = text.trim();
    let metric = if text.starts_with('{') {
        let json: Json = serde_json::from_str(text).ok()?;
        Metric {
            value: json.value,
            at: match json.at {
                Moment::Seconds(seconds) => seconds,
                Moment::Text(text) => moment(&text)?,
            },
        }
    } else {
        let (value, at) = text.split_once(char::is_whitespace)?;
        Metric {
            value: value.parse().ok()?,
            at: moment(at.trim())?,
        }
    };
    (metric.value.is_finite() && metric.at.is_finite()).then_some(metric)
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
        let now = 1_795_183_200.0;
        for text in [
            "0.4 2026-11-20T14:00:00Z",
            " 0.4\t1795183200\n",
            r#"{"value": 0.4, "at": 1795183200}"#,
            r#"{"value": 0.4, "at": "2026-11-20T15:00:00+01:00"}"#,
        ] {
            assert_eq!(reading(text, now, 60.0), Ok(0.4), "{text}");
            assert_eq!(
                reading(text, now + 61.0, 60.0),
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
            "{\"value\": 1}",
        ] {
            assert!(reading(text, now, 60.0).is_err(), "{text}");
        }
        assert!(reading("1 2026-11-20T16:00:00Z", now, 60.0).is_err());
    }
}
