//! The part of the pipeline that live mode uses: files are parsed and replayed, and probes are judged by the same settings.

use std::collections::BTreeMap;

use super::{history, level_by, options_by, sort_places};
use crate::diagnostic::Level;
use crate::discover::Discovered;
use crate::layout::{Arrangement, History, Script};
use crate::replay::{Replay, replay};
use crate::report::{Counts, ProjectSummary, Report};
use crate::rule::Rule;
use crate::settings::{OptionValue, Settings};
use crate::source::SourceId;

/// The histories of a run that asks databases instead of rules.
#[derive(Debug)]
pub struct Parsed {
    /// Project by project.
    pub projects: Vec<ParsedProject>,
    /// Somebody said what is pending: with a path, or with the last applied version.
    pub chosen: bool,
    /// The last applied version was given.
    pub given: bool,
}

/// One project.
#[derive(Debug)]
pub struct ParsedProject {
    /// Its migrations.
    pub history: History,
    /// The scripts that they were made from, in the same order.
    pub scripts: Vec<Script>,
    /// The files that somebody named; none for all.
    pub wanted: Option<Vec<SourceId>>,
}

impl Parsed {
    /// Walks through all histories.
    #[must_use]
    pub fn replays(&self, settings: &Settings) -> Vec<Replay<'_>> {
        self.projects
            .iter()
            .map(|project| replay(&project.history, settings))
            .collect()
    }
}

/// Parses what was discovered, without judging it: the report has no findings yet.
#[must_use]
pub fn parsed(discovered: Discovered, settings: Settings) -> (Report, Parsed) {
    let Discovered {
        sources,
        projects,
        errors,
        mut not_analysed,
        ..
    } = discovered;
    let mut counts = Counts {
        files: sources.len(),
        ..Counts::default()
    };
    let given = settings.after.is_some();
    let mut chosen = given;
    let mut summaries = Vec::new();
    let mut parsed = Vec::new();
    for project in projects.into_iter().filter(|p| p.dialect.is_none()) {
        chosen |= project.wanted.is_some();
        let arrangement = Arrangement {
            scripts: project.scripts,
            problems: project.problems,
        };
        let scripts = arrangement.scripts.clone();
        let wanted = project.wanted.as_deref();
        let (history, places) = history(project.found, arrangement, wanted, &settings);
        not_analysed.extend(places);
        counts.migrations += history.migrations.len();
        counts.statements += history
            .migrations
            .iter()
            .map(|migration| migration.statements.len())
            .sum::<usize>();
        summaries.push(ProjectSummary {
            root: project.root,
            layout: history.found.layout.name,
            reason: history.found.reason.clone(),
            migrations: history.migrations.len(),
        });
        parsed.push(ParsedProject {
            history,
            scripts,
            wanted: project.wanted,
        });
    }
    sort_places(&mut not_analysed, &sources);
    let report = Report {
        sources,
        diagnostics: Vec::new(),
        not_analysed,
        errors,
        projects: summaries,
        databases: Vec::new(),
        notes: Vec::new(),
        counts,
        settings,
    };
    let projects = parsed;
    (
        report,
        Parsed {
            projects,
            chosen,
            given,
        },
    )
}

/// The level of a probe's finding: what the configuration says, else `default`.
#[must_use]
pub fn level_of(rule: &Rule, settings: &Settings, default: Option<Level>) -> Option<Level> {
    level_by(rule, settings, std::iter::once(&settings.rules), default)
}

/// Whether a probe is to be asked.
#[must_use]
pub fn is_on(rule: &Rule, settings: &Settings) -> bool {
    rule.strictness <= settings.strictness
        && level_of(rule, settings, rule.level_in(settings.environment)).is_some()
}

/// The options of a probe.
#[must_use]
pub fn options(rule: &Rule, settings: &Settings) -> BTreeMap<String, OptionValue> {
    options_by(rule, std::iter::once(&settings.rules))
}
