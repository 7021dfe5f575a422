//! When a number is a warning, a reason to pause, or a reason to give up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Sample;
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
pub(super) const DEFAULTS: &[(&str, &str, Limit)] = &[
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
            (
                numbers,
                std::time::Duration::from_millis(lasting).as_secs_f64(),
            )
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

/// Something that reached another severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Now.
    pub severity: Severity,
    /// What is measured.
    pub name: String,
    /// Of whom: a process, a table, a standby.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The number; none if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// In words.
    pub message: String,
}

/// Remembers what it has seen.
#[derive(Debug, Default)]
pub struct Judge {
    limits: Limits,
    /// The first value of a metric, or what somebody gave.
    baselines: BTreeMap<String, f64>,
    /// Since when a number has been at or above its limit of giving up.
    since: BTreeMap<(String, String), f64>,
    /// How each stood at the last sample.
    known: BTreeMap<(String, String), Severity>,
    /// Commits, rollbacks and deadlocks of the first sample.
    first: Option<(u64, u64, u64)>,
    /// The worst so far.
    pub worst: Severity,
}

impl Judge {
    /// With limits that replace the usual ones, and the values to compare metrics with.
    #[must_use]
    pub fn new(limits: Limits, baselines: BTreeMap<String, f64>) -> Self {
        Self {
            limits,
            baselines,
            ..Self::default()
        }
    }

    /// The names that limits may have; a metric of any other name needs one.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        DEFAULTS.iter().map(|(name, ..)| *name).collect()
    }

    /// Judges a sample and the metrics of the same moment; returns what has changed since the last one.
    pub fn judge(
        &mut self,
        sample: &Sample,
        metrics: &[(String, Result<f64, String>)],
    ) -> Vec<Notice> {
        let mut seen: BTreeMap<(String, String), (Severity, Option<f64>, String)> = BTreeMap::new();
        for (name, subject, value) in self.measured(sample) {
            let severity = self.severity(&name, &subject, value, sample.at);
            let words = self.words(&name, value);
            seen.insert((name, subject), (severity, Some(value), words));
        }
        for (name, value) in metrics {
            let key = (name.clone(), String::new());
            let judged = match value {
                Ok(value) => {
                    let first = *self.baselines.entry(name.clone()).or_insert(*value);
                    let number = match name.as_str() {
                        "error-rate" => value - first,
                        "p99" if first > 0.0 => value / first * 100.0,
                        _ => *value,
                    };
                    let severity = self.severity(name, "", number, sample.at);
                    (
                        severity,
                        Some(*value),
                        format!("{value} ({})", self.words(name, number)),
                    )
                }
                Err(why) => {
                    self.since.remove(&key);
                    (Severity::Unknown, None, why.clone())
                }
            };
            seen.insert(key, judged);
        }
        let mut notices = Vec::new();
        for ((name, subject), severity) in std::mem::take(&mut self.known) {
            let gone = !seen.contains_key(&(name.clone(), subject.clone()));
            if gone {
                self.since.remove(&(name.clone(), subject.clone()));
                if severity > Severity::Ok {
                    notices.push(Notice {
                        severity: Severity::Ok,
                        message: format!("{}: over", title(&name, &subject)),
                        name,
                        subject,
                        value: None,
                    });
                }
            } else {
                self.known.insert((name, subject), severity);
            }
        }
        for ((name, subject), (severity, value, words)) in seen {
            self.worst = self.worst.max(severity);
            let before = self
                .known
                .insert((name.clone(), subject.clone()), severity)
                .unwrap_or_default();
            if before != severity {
                notices.push(Notice {
                    severity,
                    message: format!("{}: {words}", title(&name, &subject)),
                    name,
                    subject,
                    value,
                });
            }
        }
        notices.sort_by(|a, b| {
            (b.severity, &a.name, &a.subject).cmp(&(a.severity, &b.name, &b.subject))
        });
        notices
    }

    /// The worst that holds now.
    #[must_use]
    pub fn now(&self) -> Severity {
        self.known.values().copied().max().unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "counters are far below 2^52")]
    fn measured(&mut self, sample: &Sample) -> Vec<(String, String, f64)> {
        let mut list: Vec<(&str, String, f64)> = Vec::new();
        for one in &sample.blocked {
            list.push(("lock-wait", one.pid.to_string(), one.seconds));
        }
        let active: u64 = sample.waits.values().sum();
        // One of two sessions that waits for a moment is no crowd.
        if active >= 5 {
            let waiting = sample.waits.get("Lock").copied().unwrap_or_default();
            list.push(("lock-share", String::new(), share(waiting, active)));
        }
        if sample.usable > 0 {
            list.push((
                "connections",
                String::new(),
                share(sample.connections, sample.usable),
            ));
        }
        for replica in &sample.replicas {
            list.push(("replication-lag", replica.name.clone(), replica.seconds));
        }
        for table in &sample.dead {
            let all = table.dead + table.live;
            list.push(("dead-rows", table.table.clone(), share(table.dead, all)));
        }
        let now = (sample.commits, sample.rollbacks, sample.deadlocks);
        let first = *self.first.get_or_insert(now);
        let deadlocks = now.2.saturating_sub(first.2);
        list.push(("deadlocks", String::new(), deadlocks as f64));
        let commits = now.0.saturating_sub(first.0);
        let rollbacks = now.1.saturating_sub(first.1);
        if commits + rollbacks >= 100 {
            let usual = share(first.1, first.0 + first.1);
            let points = share(rollbacks, commits + rollbacks) - usual;
            list.push(("rollbacks", String::new(), points));
        }
        list.into_iter()
            .map(|(name, subject, value)| (name.to_owned(), subject, value))
            .collect()
    }

    fn limit(&self, name: &str) -> Limit {
        let usual = DEFAULTS.iter().find(|(known, ..)| *known == name);
        match (self.limits.get(name), usual) {
            (Some(limit), _) | (None, Some((_, _, limit))) => *limit,
            (None, None) => Limit::default(),
        }
    }

    fn severity(&mut self, name: &str, subject: &str, value: f64, at: f64) -> Severity {
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

    /// A number with its unit.
    fn words(&self, name: &str, value: f64) -> String {
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
}

fn title(name: &str, subject: &str) -> String {
    if subject.is_empty() {
        name.to_owned()
    } else {
        format!("{name} of {subject}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "counters are far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64 * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Blocked, Replica};
    use super::*;

    fn told(notices: &[Notice]) -> Vec<String> {
        notices
            .iter()
            .map(|notice| format!("{}: {}", notice.severity.as_str(), notice.message))
            .collect()
    }

    #[test]
    fn a_wait_is_told_when_it_changes_and_when_it_is_over() {
        let mut judge = Judge::default();
        let waits = |seconds: f64| Sample {
            blocked: vec![Blocked {
                pid: 7,
                seconds,
                ..Blocked::default()
            }],
            ..Sample::default()
        };
        for (seconds, expected) in [
            (0.05, None),
            (0.2, Some("warning: lock-wait of 7: 0.2s")),
            (0.5, None),
            (1.5, Some("pause: lock-wait of 7: 1.5s")),
            (12.0, Some("abort: lock-wait of 7: 12.0s")),
        ] {
            let told = told(&judge.judge(&waits(seconds), &[]));
            assert_eq!(told, expected.into_iter().collect::<Vec<_>>());
        }
        assert_eq!(judge.now(), Severity::Abort);
        let over = judge.judge(&Sample::default(), &[]);
        assert_eq!(told(&over), ["ok: lock-wait of 7: over"]);
        assert_eq!((judge.now(), judge.worst), (Severity::Ok, Severity::Abort));
    }

    #[test]
    fn what_must_last_is_an_abort_only_then() {
        let mut judge = Judge::default();
        let mut at = |at: f64, cpu: f64| {
            let sample = Sample {
                at,
                ..Sample::default()
            };
            judge.judge(&sample, &[("cpu".to_owned(), Ok(cpu))]);
            judge.now()
        };
        assert_eq!(at(0.0, 85.0), Severity::Warning);
        assert_eq!(at(200.0, 85.0), Severity::Warning);
        assert_eq!(at(250.0, 70.0), Severity::Ok);
        assert_eq!(at(300.0, 85.0), Severity::Warning);
        assert_eq!(at(599.0, 85.0), Severity::Warning);
        assert_eq!(at(600.0, 85.0), Severity::Abort);
    }

    #[test]
    fn rates_count_against_the_first_value_and_old_ones_not_at_all() {
        let mut judge = Judge::default();
        let mut now = |name: &str, value: Result<f64, String>| {
            judge.judge(&Sample::default(), &[(name.to_owned(), value)]);
            judge.known[&(name.to_owned(), String::new())]
        };
        assert_eq!(now("error-rate", Ok(2.0)), Severity::Ok);
        assert_eq!(now("error-rate", Ok(2.2)), Severity::Warning);
        assert_eq!(now("error-rate", Ok(3.5)), Severity::Pause);
        assert_eq!(now("error-rate", Err("old".into())), Severity::Unknown);
        assert_eq!(now("p99", Ok(80.0)), Severity::Ok);
        assert_eq!(now("p99", Ok(97.0)), Severity::Warning);
        assert_eq!(now("p99", Ok(121.0)), Severity::Pause);
        // Nobody said where it ends.
        assert_eq!(now("queue", Ok(1e9)), Severity::Ok);
    }

    #[test]
    fn counters_count_from_the_first_sample_on() {
        let mut judge = Judge::default();
        let sample = |commits, rollbacks, deadlocks| Sample {
            commits,
            rollbacks,
            deadlocks,
            ..Sample::default()
        };
        assert_eq!(judge.judge(&sample(99_000, 1_000, 5), &[]), []);
        let found = judge.judge(&sample(99_970, 1_030, 6), &[]);
        assert_eq!(
            told(&found),
            [
                "pause: deadlocks: 1",
                "pause: rollbacks: 2.0 points above the first value"
            ]
        );
    }

    #[test]
    fn limits_are_read_and_used() {
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
        let (name, mine) = limit_from("replication-lag=1,2,3").unwrap();
        let mut judge = Judge::new(Limits::from([(name, mine)]), BTreeMap::new());
        let sample = Sample {
            replicas: vec![Replica {
                name: "eu".to_owned(),
                seconds: 2.5,
            }],
            ..Sample::default()
        };
        let found = judge.judge(&sample, &[]);
        assert_eq!(told(&found), ["pause: replication-lag of eu: 2.5s"]);
    }
}
