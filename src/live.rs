//! Asks databases: connects read-only, runs the probes, hands their findings to the same reports as all others.
//!
//! # How it works
//!
//! [`run`] takes the files that were discovered, and [`Target`]s. Each database is asked by one thread of a small pool:
//! connect (`live/session.rs`), read the migration tool's own table (which migrations are pending), then each probe in turn
//! ([`crate::probe`] says how one is added). A probe's answer is one of three: all is well, findings, or *unknown* with
//! what would settle it; or it was not asked, because what it needs was not given. A database that cannot be asked is an
//! error of the report, with what to try; the others go on.
//!
//! # What holds for every connection
//!
//! - It cannot write: `default_transaction_read_only` is on, and each question is a `READ ONLY` transaction of its own.
//! - It cannot wait: `lock_timeout` 100 ms, `statement_timeout` 5 s, and a deadline of its own for a server that is silent.
//! - It needs `pg_monitor` at most.
//! - Names of objects are looked up in `pg_catalog` alone.
//! - Behind PgBouncer, which refuses settings at the start of a connection, each transaction makes its own.
//!
//! This is the only part of the program that opens connections (feature `live`).

mod catalog;
mod checksum;
pub mod compare;
mod conninfo;
mod files;
mod params;
mod session;
pub mod snapshot;
mod state;
mod tls;
mod trouble;
pub mod watch;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

pub use self::params::{Surroundings, Target};
use self::session::Session;
pub use self::trouble::Trouble;
use crate::analyze::{self, Parsed, ParsedProject};
use crate::diagnostic::{Certainty, Diagnostic, FileError, Level};
use crate::discover::Discovered;
use crate::layout::Direction;
use crate::probe::{Ask as _, Outside, Plan, Planned, Probe, Probing, ToolState, When};
use crate::replay::Replay;
use crate::report::{Answer, Answered, DatabaseSummary, Pending, Report};
use crate::rule::{Check, Rule};
use crate::rules::RULES;
use crate::settings::{NEWEST_POSTGRES, OLDEST_POSTGRES, Settings};
use crate::source::{Location, Source, SourceId, Span};

/// Number of majors that are known.
const MAJORS: usize = (NEWEST_POSTGRES - OLDEST_POSTGRES + 1) as usize;

/// What is asked of which databases.
#[derive(Debug)]
pub struct Request {
    /// The moment.
    pub when: When,
    /// The databases, in the order in which they are shown.
    pub targets: Vec<Target>,
    /// How many of them are asked at a time.
    pub jobs: NonZero<usize>,
    /// Files were named: they are what is pending, where no table of a tool says more.
    pub files_named: bool,
    /// What the user handed over beside the databases.
    pub outside: Outside,
}

/// The probes of a moment, sorted by id.
pub fn probes(when: When) -> impl Iterator<Item = (&'static Rule, Probe)> {
    RULES.iter().filter_map(move |rule| match rule.check {
        Check::Probe(probe) if probe.moments.contains(&when) => Some((rule, probe)),
        _ => None,
    })
}

/// Asks the databases.
#[must_use]
pub fn run(discovered: Discovered, settings: Settings, request: &Request) -> Report {
    let (mut report, mut parsed) = analyze::parsed(discovered, settings);
    parsed.chosen |= request.files_named;
    let replays: [OnceLock<Vec<Replay<'_>>>; MAJORS] = [const { OnceLock::new() }; MAJORS];
    let databases: Vec<SourceId> = request
        .targets
        .iter()
        .map(|target| {
            // More databases than a number of 32 bits counts cannot be named on a command line.
            let id = SourceId(u32::try_from(report.sources.len()).unwrap_or(u32::MAX));
            report
                .sources
                .push(Source::new(id, target.label(), String::new()));
            id
        })
        .collect();
    let asked = Asked {
        request,
        settings: &report.settings,
        replays: &replays,
        parsed: &parsed,
        sources: &report.sources,
    };
    let examined = in_pool(request.jobs, request.targets.len(), |index| {
        asked.examine(&request.targets[index], databases[index])
    });
    let mut summaries = Vec::new();
    let mut diagnostics = Vec::new();
    let mut errors = Vec::new();
    for ((examined, target), source) in examined.into_iter().zip(&request.targets).zip(databases) {
        report.notes.extend(examined.notes);
        diagnostics.extend(examined.found);
        summaries.push(examined.summary.unwrap_or_else(|| DatabaseSummary {
            source,
            server: None,
            role: String::new(),
            pending: 0,
            pending_migrations: Vec::new(),
            answers: Vec::new(),
        }));
        errors.extend(examined.broken.map(|trouble| FileError {
            path: target.label(),
            message: trouble.to_string(),
        }));
    }
    report.databases = summaries;
    report.errors.extend(errors);
    report.diagnostics = diagnostics;
    analyze::fingerprints(&mut report.diagnostics, &report.sources);
    report
}

/// Runs one statement as a probe would, for the proof that it cannot change anything.
#[doc(hidden)]
pub fn try_statement(target: &Target, statement: &str) -> Result<(), String> {
    let mut session = Session::open(target).map_err(|trouble| trouble.to_string())?;
    session
        .ask(Some(statement), "SELECT 1 AS one", None)
        .map(drop)
        .map_err(|refused| refused.message)
}

/// Calls a function for each number below `count`, in a pool of threads; the results are in order.
fn in_pool<T: Send>(
    jobs: NonZero<usize>,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(count) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    let result = work(index);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
    });
    let mut done = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What one database said.
#[derive(Default)]
struct Examined {
    /// None if it could not be asked to the end.
    summary: Option<DatabaseSummary>,
    found: Vec<Diagnostic>,
    notes: Vec<String>,
    /// Why it could not be asked.
    broken: Option<Trouble>,
}

/// Everything that is the same for all databases.
struct Asked<'a> {
    request: &'a Request,
    settings: &'a Settings,
    /// The files as each major would run them, by major, made when first asked for.
    replays: &'a [OnceLock<Vec<Replay<'a>>>; MAJORS],
    parsed: &'a Parsed,
    sources: &'a [Source],
}

impl<'a> Asked<'a> {
    fn examine(&self, target: &Target, database: SourceId) -> Examined {
        let mut session = match Session::open(target) {
            Ok(session) => session,
            Err(trouble) => {
                return Examined {
                    broken: Some(trouble),
                    ..Examined::default()
                };
            }
        };
        let plan = self.plan(&mut session);
        if let Some(lost) = &session.lost {
            return Examined {
                broken: Some(Trouble::new(
                    format!("the connection was lost: {}", lost.message),
                    "is the server up? ask again",
                )),
                notes: session.notes,
                ..Examined::default()
            };
        }
        let mut summary = DatabaseSummary {
            source: database,
            server: Some(format!("PostgreSQL {}", session.server.version())),
            role: session.server.user.clone(),
            pending: plan.pending(),
            pending_migrations: plan
                .pending_migrations()
                .map(|migration| Pending {
                    path: self.sources[migration.source.0 as usize].path.clone(),
                    version: migration.version.clone(),
                })
                .collect(),
            answers: Vec::new(),
        };
        let mut found = Vec::new();
        for (rule, probe) in probes(self.request.when) {
            if !analyze::is_on(rule, self.settings)
                || !(rule.postgres.0..=rule.postgres.1.max(newest(rule)))
                    .contains(&session.server.major())
            {
                continue;
            }
            let (diagnostics, answer) = self.judge(rule, probe, &mut session, &plan, database);
            if let Some(lost) = &session.lost {
                let broken = Trouble::new(
                    format!(
                        "the connection was lost when it was asked for `{}`: {}",
                        rule.id, lost.message
                    ),
                    "is the server up? ask again",
                );
                return Examined {
                    broken: Some(broken),
                    notes: session.notes,
                    ..Examined::default()
                };
            }
            found.extend(diagnostics);
            summary.answers.push(Answered {
                probe: rule.id,
                answer,
            });
        }
        found.sort_by(|a: &Diagnostic, b: &Diagnostic| {
            (b.level, a.rule, &a.message).cmp(&(a.level, b.rule, &b.message))
        });
        Examined {
            summary: Some(summary),
            found,
            notes: session.notes,
            broken: None,
        }
    }

    /// What is about to run on a database.
    fn plan(&self, session: &mut Session) -> Plan<'a> {
        let major = session.server.major();
        let major = major.clamp(OLDEST_POSTGRES, NEWEST_POSTGRES);
        let index = (major - OLDEST_POSTGRES) as usize;
        let replays: &'a [Replay<'a>] = self.replays[index].get_or_init(|| {
            self.parsed.replays(&Settings {
                postgres: major,
                ..self.settings.clone()
            })
        });
        let user = session.server.user.clone();
        let projects = self.parsed.projects.iter().zip(replays);
        let projects = projects
            .map(|(project, replay)| {
                let state = if self.parsed.given {
                    ToolState::Given
                } else {
                    let found = &project.history.found;
                    state::read(found.layout, &found.settings, &user, session)
                };
                self.planned(project, replay, state)
            })
            .collect();
        Plan {
            projects,
            sources: self.sources,
        }
    }

    /// Which migrations of a project are pending.
    fn planned(
        &self,
        project: &ParsedProject,
        replay: &'a Replay<'a>,
        state: ToolState,
    ) -> Planned<'a> {
        let layout = project.history.found.layout;
        let applied = match &state {
            ToolState::Known(table) => Some(state::applied(
                layout,
                &project.scripts,
                self.sources,
                table,
            )),
            ToolState::Fresh => Some(vec![false; project.scripts.len()]),
            ToolState::Unknown(_) | ToolState::Given => None,
        };
        let pending = project
            .history
            .migrations
            .iter()
            .enumerate()
            .map(|(index, migration)| {
                let wanted = project
                    .wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&migration.source));
                let open = match &applied {
                    Some(applied) => !applied[index],
                    None => self.parsed.chosen && migration.pending,
                };
                let forward =
                    migration.direction.is_forward() && migration.direction != Direction::Baseline;
                wanted && open && forward
            })
            .collect();
        let state = match state {
            ToolState::Known(mut table) => {
                let (missing, changed) =
                    state::differences(layout, &project.scripts, self.sources, &table);
                table.missing = missing;
                table.changed = changed
                    .into_iter()
                    .map(|(index, version)| (project.scripts[index].location(), version))
                    .collect();
                ToolState::Known(table)
            }
            // Somebody named the files, and no table could say more.
            ToolState::Unknown(_) if self.parsed.chosen && !state::has_table(layout) => {
                ToolState::Given
            }
            other => other,
        };
        Planned {
            replay,
            pending,
            state,
        }
    }

    /// Asks one probe. A panic in it becomes a finding that names it.
    fn judge(
        &self,
        rule: &'static Rule,
        probe: Probe,
        session: &mut Session,
        plan: &Plan<'_>,
        database: SourceId,
    ) -> (Vec<Diagnostic>, Answer) {
        let options = analyze::options(rule, self.settings);
        let server = session.server.clone();
        let mut probing = Probing {
            rule,
            probe,
            settings: self.settings,
            options: &options,
            server: &server,
            plan,
            when: self.request.when,
            asker: session,
            database,
            outside: &self.request.outside,
            pause: |milliseconds| std::thread::sleep(Duration::from_millis(milliseconds)),
            found: Vec::new(),
            unknown: Vec::new(),
            not_asked: false,
        };
        let judged = catch_unwind(AssertUnwindSafe(|| (probe.judge)(&mut probing)));
        match judged {
            Ok(Ok(())) => {}
            Ok(Err(unknown)) => probing.unknown(unknown),
            Err(_) => {
                let broken = analyze::failed(
                    rule,
                    Location {
                        source: database,
                        span: Span::default(),
                    },
                );
                return (vec![broken], Answer::Unknown);
            }
        }
        let not_asked = probing.not_asked;
        let (mut found, unknown) = probing.into_diagnostics();
        for diagnostic in &mut found {
            if diagnostic.certainty != Certainty::Unknown {
                let default = Some(diagnostic.level);
                // A level that the configuration gives wins over the threshold's own.
                diagnostic.level =
                    analyze::level_of(rule, self.settings, default).unwrap_or(Level::Info);
            }
        }
        let answer = match (
            found.iter().any(|d| d.certainty != Certainty::Unknown),
            unknown,
        ) {
            (true, _) => Answer::Finding,
            (false, true) => Answer::Unknown,
            (false, false) if not_asked => Answer::NotAsked,
            (false, false) => Answer::Ok,
        };
        (found, answer)
    }
}

/// The newest major that a probe is for: one for the newest known server is asked on newer ones too.
fn newest(rule: &Rule) -> u32 {
    if rule.postgres.1 == NEWEST_POSTGRES {
        u32::MAX
    } else {
        rule.postgres.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_are_asked_at_a_time() {
        for (jobs, count) in [(1, 5), (3, 40), (50, 20), (4, 0)] {
            let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let jobs = NonZero::new(jobs).expect("not zero");
            let done = in_pool(jobs, count, |index| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                // The first ones are the last ones to be done.
                std::thread::sleep(std::time::Duration::from_millis(5 - index.min(4) as u64));
                running.fetch_sub(1, Ordering::SeqCst);
                index
            });
            assert_eq!(done, (0..count).collect::<Vec<_>>());
            assert!(most.into_inner() <= jobs.get());
        }
    }
}
