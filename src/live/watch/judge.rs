//! What has changed from one sample to the next.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Sample;
use crate::probe::{Gates, Severity, gate};

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
    gates: Gates,
    /// How each stood at the last sample.
    known: BTreeMap<(String, String), Severity>,
    /// Commits, rollbacks and deadlocks of the first sample.
    first: Option<(u64, u64, u64)>,
    /// The worst so far.
    pub worst: Severity,
}

impl Judge {
    /// With limits, and the values to compare metrics with.
    #[must_use]
    pub fn new(gates: Gates) -> Self {
        Self {
            gates,
            ..Self::default()
        }
    }

    /// Judges a sample and the metrics of the same moment; returns what has changed since the last one.
    pub fn judge(
        &mut self,
        sample: &Sample,
        metrics: &[(String, Result<f64, String>)],
    ) -> Vec<Notice> {
        let mut seen: BTreeMap<(String, String), (Severity, Option<f64>, String)> = BTreeMap::new();
        for (name, subject, value) in self.measured(sample) {
            let severity = self.gates.severity(&name, &subject, value, sample.at);
            let words = gate::words(&name, value);
            seen.insert((name, subject), (severity, Some(value), words));
        }
        for (name, value) in metrics {
            let key = (name.clone(), String::new());
            let judged = match value {
                Ok(value) => {
                    let (severity, words) = self.gates.metric(name, *value, sample.at);
                    (severity, Some(*value), words)
                }
                Err(why) => {
                    self.gates.forget(name, "");
                    (Severity::Unknown, None, why.clone())
                }
            };
            seen.insert(key, judged);
        }
        let mut notices = Vec::new();
        for ((name, subject), severity) in std::mem::take(&mut self.known) {
            let gone = !seen.contains_key(&(name.clone(), subject.clone()));
            if gone {
                self.gates.forget(&name, &subject);
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
    use crate::probe::{Limits, limit_from};

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
    fn limits_are_used() {
        let (name, mine) = limit_from("replication-lag=1,2,3").unwrap();
        let mut judge = Judge::new(Gates::new(Limits::from([(name, mine)]), BTreeMap::new()));
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
