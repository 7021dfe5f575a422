//! From where on a number is a warning, a reason to pause, or a reason to give up.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::settings::milliseconds;

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// All is well.
    #[default]
    Ok,
    /// Nobody knows: a metric that is missing or too old.
    Unknown,
    /// Worth a look.
    Warning,
    /// Do not begin anything more.
    Pause,
    /// Give up.
    Abort,
}

impl Severity {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Pause => "pause",
            Self::Abort => "abort",
        }
    }
}

/// From where on a number counts; what is none never does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limit {
    /// From here on it is a warning.
    pub warning: Option<f64>,
    /// From here on it is a reason to pause.
    pub pause: Option<f64>,
    /// From here on it is a reason to give up, once it has lasted that many seconds.
    pub abort: Option<f64>,
    /// How long.
    pub lasting: f64,
}

/// Limits by the name of what is measured.
pub type Limits = BTreeMap<String, Limit>;

const fn limit(
    warning: Option<f64>,
    pause: Option<f64>,
    abort: Option<f64>,
    lasting: f64,
) -> Limit {
    Limit {
        warning,
        pause,
        abort,
        lasting,
    }
}

/// What is measured, its unit, and the limits unless somebody says otherwise. The last three come from outside: those of
/// `error-rate` and `p99` count against the first value, in points and as a percentage of it.
const DEFAULTS: &[(&str, &str, Limit)] = &[
    (
        "lock-wait",
        "s",
        limit(Some(0.1), Some(1.0), Some(10.0), 0.0),
    ),
    ("lock-share", "%", limit(Some(10.0), None, None, 0.0)),
    (
        "connections",
        "%",
        limit(Some(70.0), Some(85.0), Some(95.0), 0.0),
    ),
    (
        "replication-lag",
        "s",
        limit(Some(10.0), Some(60.0), Some(300.0), 0.0),
    ),
    ("dead-rows", "%", limit(Some(10.0), Some(20.0), None, 0.0)),
    ("deadlocks", "", limit(None, Some(1.0), None, 0.0)),
    (
        "rollbacks",
        " points",
        limit(Some(0.1), Some(1.0), None, 0.0),
    ),
    (
        "error-rate",
        " points",
        limit(Some(0.1), Some(1.0), Some(1.0), 300.0),
    ),
    (
        "p99",
        "%",
        limit(Some(120.0), Some(150.0), Some(200.0), 600.0),
    ),
    ("cpu", "%", limit(Some(80.0), None, Some(80.0), 300.0)),
];

/// Reads `NAME=WARNING,PAUSE,ABORT[/DURATION]`, where `-` stands for none.
///
/// # Errors
/// Why it is none.
pub fn limit_from(text: &str) -> Result<(String, Limit), String> {
    const FORM: &str = "a limit is written like `replication-lag=10,60,300` or `cpu=80,-,90/5min`";
    let (name, rest) = text.split_once('=').ok_or(FORM)?;
    let (numbers, lasting) = match rest.split_once('/') {
        Some((numbers, lasting)) => {
            let lasting = milliseconds(lasting).ok_or(FORM)?;
            #[expect(clippy::cast_precision_loss, reason = "no length of time is that long")]
            let seconds = lasting as f64 / 1_000.0;
            (numbers, seconds)
        }
        None => (rest, 0.0),
    };
    let mut parts = Vec::new();
    for part in numbers.split(',') {
        parts.push(match part.trim() {
            "-" => None,
            number => Some(
                number
                    .parse::<f64>()
                    .ok()
                    .filter(|number| number.is_finite())
                    .ok_or(FORM)?,
            ),
        });
    }
    let [warning, pause, abort] = parts[..] else {
        return Err(FORM.to_owned());
    };
    Ok((name.to_owned(), limit(warning, pause, abort, lasting)))
}

/// Limits, what numbers are compared with, and since when each one has been too high.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    limits: Limits,
    /// The first value of a metric, or what somebody gave.
    baselines: BTreeMap<String, f64>,
    /// Since when a number has been at or above its limit of giving up.
    since: BTreeMap<(String, String), f64>,
}

impl Gates {
    /// With limits that replace the usual ones, and the values to compare metrics with.
    #[must_use]
    pub fn new(limits: Limits, baselines: BTreeMap<String, f64>) -> Self {
        Self {
            limits,
            baselines,
            since: BTreeMap::new(),
        }
    }

    /// The names that limits may have; a metric of any other name needs one.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        DEFAULTS.iter().map(|(name, ..)| *name).collect()
    }

    /// True if nothing says with what a metric is to be compared, and it says nothing without that.
    #[must_use]
    pub fn lacks_baseline(&self, name: &str) -> bool {
        is_relative(name) && !self.baselines.contains_key(name)
    }

    /// How bad a metric is at a moment (seconds), with the number in words. The first value of one that counts against
    /// another becomes that one.
    pub fn metric(&mut self, name: &str, value: f64, at: f64) -> (Severity, String) {
        let first = *self.baselines.entry(name.to_owned()).or_insert(value);
        let number = match name {
            "error-rate" => value - first,
            "p99" if first > 0.0 => value / first * 100.0,
            _ => value,
        };
        let severity = self.severity(name, "", number, at);
        (severity, format!("{value} ({})", words(name, number)))
    }

    /// How bad a number is at a moment (seconds).
    pub fn severity(&mut self, name: &str, subject: &str, value: f64, at: f64) -> Severity {
        let limit = self.limit(name);
        let over = |bound: Option<f64>| bound.is_some_and(|bound| value >= bound);
        let key = (name.to_owned(), subject.to_owned());
        if over(limit.abort) {
            let since = *self.since.entry(key).or_insert(at);
            if at - since >= limit.lasting {
                return Severity::Abort;
            }
        } else {
            self.since.remove(&key);
        }
        if over(limit.pause) {
            Severity::Pause
        } else if over(limit.warning) {
            Severity::Warning
        } else {
            Severity::Ok
        }
    }

    /// A number that is not known any more has not lasted.
    pub fn forget(&mut self, name: &str, subject: &str) {
        self.since.remove(&(name.to_owned(), subject.to_owned()));
    }

    fn limit(&self, name: &str) -> Limit {
        let usual = DEFAULTS.iter().find(|(known, ..)| *known == name);
        match (self.limits.get(name), usual) {
            (Some(limit), _) | (None, Some((_, _, limit))) => *limit,
            (None, None) => Limit::default(),
        }
    }
}

/// Limits of these count against an earlier value.
fn is_relative(name: &str) -> bool {
    matches!(name, "error-rate" | "p99")
}

/// A number with its unit.
pub(crate) fn words(name: &str, value: f64) -> String {
    let unit = DEFAULTS
        .iter()
        .find(|(known, ..)| *known == name)
        .map_or("", |(_, unit, _)| *unit);
    let of = match name {
        "p99" => " of the first value",
        "error-rate" | "rollbacks" => " above the first value",
        _ => "",
    };
    match name {
        "deadlocks" => format!("{value:.0}"),
        _ => format!("{value:.1}{unit}{of}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        assert_eq!(
            limit_from("cpu=80,-,90/5min"),
            Ok(("cpu".to_owned(), limit(Some(80.0), None, Some(90.0), 300.0)))
        );
        for text in [
            "cpu",
            "cpu=80",
            "cpu=1,2,x",
            "cpu=1,2,3/soon",
            "cpu=1,2,3,4",
            "cpu=NaN,1,1",
        ] {
            assert!(limit_from(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_must_last_is_an_abort_only_then() {
        let mut gates = Gates::default();
        let mut at = |at: f64, cpu: f64| gates.metric("cpu", cpu, at).0;
        assert_eq!(at(0.0, 85.0), Severity::Warning);
        assert_eq!(at(200.0, 85.0), Severity::Warning);
        assert_eq!(at(250.0, 70.0), Severity::Ok);
        assert_eq!(at(300.0, 85.0), Severity::Warning);
        assert_eq!(at(599.0, 85.0), Severity::Warning);
        assert_eq!(at(600.0, 85.0), Severity::Abort);
    }

    #[test]
    fn rates_count_against_the_first_value() {
        let mut gates = Gates::default();
        assert!(gates.lacks_baseline("error-rate") && !gates.lacks_baseline("cpu"));
        let mut now = |name: &str, value: f64| gates.metric(name, value, 0.0).0;
        assert_eq!(now("error-rate", 2.0), Severity::Ok);
        assert_eq!(now("error-rate", 2.2), Severity::Warning);
        assert_eq!(now("error-rate", 3.5), Severity::Pause);
        assert_eq!(now("p99", 80.0), Severity::Ok);
        assert_eq!(now("p99", 97.0), Severity::Warning);
        assert_eq!(now("p99", 121.0), Severity::Pause);
        // Nobody said where it ends.
        assert_eq!(now("queue", 1e9), Severity::Ok);
    }
}
