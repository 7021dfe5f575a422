//! The pipeline: parse in parallel, replay in order, ask the rules in parallel, suppress, sort.
//!
//! A pure function of the files that were read and the settings: no clock, no environment, no file system.

mod comments;
mod database;
mod digest;
mod fingerprint;
mod locks;
mod parse;
mod problems;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::context::Cx;
use crate::diagnostic::{Certainty, Diagnostic, Level, NotAnalysed};
use crate::discover::{Discovered, Project};
use crate::layout::{
    self, Arrangement, Found, History, Layout, Migration, Problem, ProblemKind, Script, Unit,
};
use crate::markers::Markers;
use crate::replay::{Replay, replay};
use crate::report::{Counts, ProjectSummary, Report};
use crate::rule::{Check, For, Rule};
use crate::rules::RULES;
use crate::settings::{OptionValue, RuleSettings, Settings};
use crate::source::{Location, Source, SourceId, Span};
use crate::suppress;

pub(crate) use self::fingerprint::fingerprints;

pub use self::database::{Parsed, ParsedProject, is_on, level_of, options, parsed};
pub use self::locks::locks;

/// Analyses what was discovered.
#[must_use]
pub fn run(discovered: Discovered, settings: Settings) -> Report {
    let Discovered {
        sources,
        projects,
        errors,
        mut not_analysed,
        code,
        ..
    } = discovered;
    // Models and other sources of the application are looked into and no migrations.
    let mut others: Vec<SourceId> = projects
        .iter()
        .flat_map(|project| project.found.model_files.iter().map(|(_, id)| *id))
        .chain(code.iter().copied())
        .collect();
    others.sort_unstable();
    others.dedup();
    let mut counts = Counts {
        files: sources.len() - others.len(),
        ..Counts::default()
    };
    let mut summaries = Vec::new();
    let mut diagnostics = Vec::new();
    for project in projects {
        let outcome = analyse_project(project, &sources, &code, &settings);
        counts.migrations += outcome.summary.migrations;
        counts.statements += outcome.statements;
        counts.suppressed += outcome.suppressed;
        counts.below_strictness += outcome.below_strictness;
        summaries.push(outcome.summary);
        diagnostics.extend(outcome.diagnostics);
        not_analysed.extend(outcome.not_analysed);
    }
    let path = |source: SourceId| &sources[source.0 as usize].path;
    diagnostics.sort_by(|a: &Diagnostic, b: &Diagnostic| {
        (path(a.primary.source), a.primary.span, a.rule, &a.message).cmp(&(
            path(b.primary.source),
            b.primary.span,
            b.rule,
            &b.message,
        ))
    });
    diagnostics
        .dedup_by(|a, b| a.rule == b.rule && a.primary == b.primary && a.message == b.message);
    sort_places(&mut not_analysed, &sources);
    fingerprints(&mut diagnostics, &sources);
    Report {
        sources,
        diagnostics,
        not_analysed,
        errors,
        projects: summaries,
        databases: Vec::new(),
        notes: Vec::new(),
        counts,
        settings,
    }
}

fn sort_places(places: &mut Vec<NotAnalysed>, sources: &[Source]) {
    let path = |source: SourceId| &sources[source.0 as usize].path;
    places.sort_by(|a, b| {
        (path(a.location.source), a.location.span, &a.reason).cmp(&(
            path(b.location.source),
            b.location.span,
            &b.reason,
        ))
    });
    places.dedup();
}

/// What one project contributes.
struct Outcome {
    diagnostics: Vec<Diagnostic>,
    not_analysed: Vec<NotAnalysed>,
    summary: ProjectSummary,
    statements: usize,
    suppressed: usize,
    below_strictness: usize,
}

fn analyse_project(
    project: Project,
    sources: &[Source],
    code: &[SourceId],
    settings: &Settings,
) -> Outcome {
    let Project {
        found,
        root,
        scripts,
        problems,
        wanted,
        settled,
        dialect,
    } = project;
    let mut summary = ProjectSummary {
        root,
        layout: found.layout.name,
        reason: found.reason.clone(),
        migrations: scripts.len(),
    };
    // Migrations of another database are named once and not judged.
    let (scripts, problems) = match dialect {
        Some(_) => {
            let dialect = problems
                .into_iter()
                .filter(|problem| problem.kind == ProblemKind::Dialect);
            (Vec::new(), dialect.collect())
        }
        None => (scripts, problems),
    };
    let (history, not_analysed) = history(
        found,
        Arrangement { scripts, problems },
        (wanted.as_deref(), &settled),
        settings,
    );
    summary.migrations = history.migrations.len();
    let statements = history
        .migrations
        .iter()
        .map(|migration| migration.statements.len())
        .sum();
    let replayed = replay(&history, settings);
    let comments = comments::of(&history, sources);
    let (markers, contradictions) = comments::markers(&history, &comments, sources);
    let digests = match settings.approvals {
        Some(_) => digest::of_all(&history, sources),
        None => Vec::new(),
    };
    let checker = Checker {
        settings,
        replay: &replayed,
        sources,
        markers: &markers,
        digests: &digests,
        code,
    };
    let mut found = checker.run(&[], |rule| !asks_about_comments(rule));
    let below_strictness = found.below_strictness;

    problems::one_per_problem(&mut found.diagnostics);
    let mut suppressed = 0;
    let mut comment_problems: Vec<suppress::Problem> = contradictions;
    let mut by_source =
        comments::suppressions(&history, &not_analysed, &comments, sources, settings);
    found.diagnostics.retain(|diagnostic| {
        let silenced = by_source
            .get_mut(&diagnostic.primary.source)
            .is_some_and(|comments| comments.silences(diagnostic));
        suppressed += usize::from(silenced);
        !silenced
    });
    problems::without_needless_last_resorts(&mut found.diagnostics);
    for (source, comments) in by_source {
        if wanted
            .as_ref()
            .is_some_and(|wanted| !wanted.contains(&source))
        {
            continue;
        }
        let path = &sources[source.0 as usize].path;
        let asked = |id: &str| {
            RULES.iter().find(|rule| rule.id == id).is_some_and(|rule| {
                rule.strictness <= settings.strictness
                    && !matches!(rule.check, Check::Probe(_))
                    && checker.level(rule, path).is_some()
            })
        };
        comment_problems.extend(comments.problems(&asked));
    }
    let mut diagnostics = found.diagnostics;
    diagnostics.extend(
        checker
            .run(&comment_problems, asks_about_comments)
            .diagnostics,
    );
    if let Some(wanted) = &wanted {
        diagnostics.retain(|diagnostic| {
            wanted.contains(&diagnostic.primary.source) || is_about_files_gone(diagnostic)
        });
    }
    diagnostics.retain(|diagnostic| {
        !is_settled(&settled, diagnostic.primary) || is_about_files_gone(diagnostic)
    });
    let not_analysed = not_analysed
        .into_iter()
        .filter(|place| !is_settled(&settled, place.location))
        .filter(|place| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.contains(&place.location.source))
        })
        .collect();
    let not_analysed = if layout::is_code(history.found.layout) {
        once(not_analysed)
    } else {
        not_analysed
    };
    Outcome {
        diagnostics,
        not_analysed,
        summary,
        statements,
        suppressed,
        below_strictness,
    }
}

/// Programs are not analysed for one reason, file after file: it is said once.
fn once(places: Vec<NotAnalysed>) -> Vec<NotAnalysed> {
    let mut first: BTreeMap<String, (NotAnalysed, BTreeSet<SourceId>)> = BTreeMap::new();
    for place in places {
        let source = place.location.source;
        let (_, files) = first
            .entry(place.reason.clone())
            .or_insert_with(|| (place, BTreeSet::new()));
        files.insert(source);
    }
    first
        .into_values()
        .map(|(mut place, files)| {
            match files.len() - 1 {
                0 => {}
                1 => place.reason.push_str(" (this file and 1 more)"),
                more => place.reason = format!("{} (this file and {more} more)", place.reason),
            }
            place
        })
        .collect()
}

/// Parses the scripts of a project. `wanted` are the files that findings are wanted for, and the parts of them that they
/// are not wanted for.
pub(crate) fn history(
    found: Found,
    arrangement: Arrangement,
    wanted: (Option<&[SourceId]>, &[Location]),
    settings: &Settings,
) -> (History, Vec<NotAnalysed>) {
    let Arrangement {
        scripts,
        mut problems,
    } = arrangement;
    let parsed: Vec<(Migration, Vec<NotAnalysed>, Vec<Problem>)> = scripts
        .par_iter()
        .with_min_len(8)
        .map(|script| parse::migration(script, &found))
        .collect();
    let mut migrations = Vec::with_capacity(parsed.len());
    let mut not_analysed = Vec::new();
    for (migration, places, errors) in parsed {
        migrations.push(migration);
        not_analysed.extend(places);
        problems.extend(errors);
    }
    for (migration, pair) in migrations.iter_mut().zip(layout::pairs(&scripts)) {
        migration.pair = pair;
    }
    mark_pending(&mut migrations, &scripts, found.layout, wanted, settings);
    let pending = migrations
        .iter_mut()
        .filter(|migration| migration.pending && migration.direction == layout::Direction::Up);
    let mut units: Vec<&mut Vec<Unit>> = pending.map(|migration| &mut migration.units).collect();
    layout::settle_run(&found.layout.runner, &mut units);
    (
        History {
            found,
            migrations,
            problems,
        },
        not_analysed,
    )
}

/// Marks the migrations that findings are wanted for.
fn mark_pending(
    migrations: &mut [Migration],
    scripts: &[Script],
    layout: &Layout,
    (wanted, settled): (Option<&[SourceId]>, &[Location]),
    settings: &Settings,
) {
    // A version that the layout cannot place leaves everything pending.
    let applied = settings
        .after
        .as_ref()
        .and_then(|after| layout::applied(layout, scripts, after));
    if let Some(applied) = applied {
        for (migration, applied) in migrations.iter_mut().zip(applied) {
            if !migration.version.is_empty() {
                migration.pending = !applied;
            }
        }
        // A down script belongs to its up script.
        for index in 0..migrations.len() {
            if let (false, Some(up)) = (
                migrations[index].direction.is_forward(),
                migrations[index].pair,
            ) {
                migrations[index].pending = migrations[up].pending;
            }
        }
    }
    if let Some(wanted) = wanted {
        for migration in migrations {
            migration.pending &=
                wanted.contains(&migration.source) && !is_settled(settled, migration.location());
        }
    }
}

/// True if a place lies in one of those parts, which are sorted.
fn is_settled(settled: &[Location], place: Location) -> bool {
    let index = settled
        .partition_point(|part| (part.source, part.span.start) <= (place.source, place.span.start));
    let part = index.checked_sub(1).map(|index| settled[index]);
    part.is_some_and(|part| part.source == place.source && place.span.start < part.span.end)
}

/// Rules on suppression comments run last: they need to know what the others found.
fn asks_about_comments(rule: &Rule) -> bool {
    rule.id.ends_with("-suppression")
}

/// A file that is gone is reported in one that nothing else may be wanted for.
fn is_about_files_gone(diagnostic: &Diagnostic) -> bool {
    diagnostic.rule == "edited-applied-migration"
}

/// Findings of one run of the rules.
#[derive(Default)]
struct Findings {
    diagnostics: Vec<Diagnostic>,
    below_strictness: usize,
}

struct Checker<'a> {
    settings: &'a Settings,
    replay: &'a Replay<'a>,
    sources: &'a [Source],
    /// By migration.
    markers: &'a [Markers],
    /// By migration; empty where no sign-offs are asked for.
    digests: &'a [String],
    /// The sources of the application.
    code: &'a [SourceId],
}

impl Checker<'_> {
    /// Asks the chosen rules about everything that is pending.
    fn run(
        &self,
        suppressions: &[suppress::Problem],
        choose: impl Fn(&Rule) -> bool + Sync,
    ) -> Findings {
        let history = self.replay.history;
        let rules: Vec<&'static Rule> = RULES
            .iter()
            .filter(|rule| choose(rule))
            .filter(|rule| {
                rule.postgres.0 <= self.settings.postgres
                    && self.settings.postgres <= rule.postgres.1
            })
            .collect();
        let mut parts: Vec<Findings> = (0..history.migrations.len())
            .into_par_iter()
            .filter(|&index| history.migrations[index].pending)
            .map(|index| self.migration(index, &rules, suppressions))
            .collect();
        let path = history
            .migrations
            .first()
            .map_or("", |migration| self.path(migration.source));
        for &rule in &rules {
            if let Check::History(check) = rule.check {
                // Levels of history findings follow the file that they are in; whether to ask at all, the first one.
                let options = self.options(rule, path);
                let mut findings = Findings::default();
                self.ask(
                    rule,
                    None,
                    None,
                    &options,
                    suppressions,
                    &mut findings,
                    |cx| check(cx, history),
                );
                parts.push(findings);
            }
        }
        let mut all = Findings::default();
        for part in parts {
            all.diagnostics.extend(part.diagnostics);
            all.below_strictness += part.below_strictness;
        }
        all
    }

    fn path(&self, source: SourceId) -> &str {
        &self.sources[source.0 as usize].path
    }

    fn migration(
        &self,
        index: usize,
        rules: &[&'static Rule],
        suppressions: &[suppress::Problem],
    ) -> Findings {
        let migration = &self.replay.history.migrations[index];
        let path = self.path(migration.source);
        let mut findings = Findings::default();
        for &rule in rules {
            let wanted = match rule.direction {
                For::Any => true,
                For::Up => migration.direction.is_forward(),
                For::Down => !migration.direction.is_forward(),
            };
            if !wanted || self.level(rule, path).is_none() {
                continue;
            }
            let options = self.options(rule, path);
            match rule.check {
                Check::Migration(check) => {
                    self.ask(
                        rule,
                        Some(index),
                        None,
                        &options,
                        suppressions,
                        &mut findings,
                        |cx| check(cx, migration),
                    );
                }
                Check::Statement(check) => {
                    for step in self.replay.ranges[index].clone() {
                        let statement = self.replay.steps[step].statement;
                        self.ask(
                            rule,
                            Some(index),
                            Some(step),
                            &options,
                            suppressions,
                            &mut findings,
                            |cx| {
                                check(cx, statement);
                            },
                        );
                    }
                }
                Check::History(_) | Check::Probe(_) => {}
            }
        }
        findings
    }

    /// Calls one rule. A panic in it becomes a finding that names it.
    #[expect(
        clippy::too_many_arguments,
        reason = "everything one question is made of"
    )]
    fn ask(
        &self,
        rule: &'static Rule,
        migration: Option<usize>,
        step: Option<usize>,
        options: &BTreeMap<String, OptionValue>,
        suppressions: &[suppress::Problem],
        findings: &mut Findings,
        call: impl FnOnce(&mut Cx<'_>),
    ) {
        let mut cx = Cx {
            rule,
            settings: self.settings,
            replay: self.replay,
            migration,
            step,
            options,
            suppressions,
            markers: self.markers,
            digests: self.digests,
            sources: self.sources,
            code: self.code,
            found: Vec::new(),
        };
        if catch_unwind(AssertUnwindSafe(|| call(&mut cx))).is_err() {
            let location = match (step, migration) {
                (Some(step), _) => {
                    let step = &self.replay.steps[step];
                    let source = self.replay.history.migrations[step.migration].source;
                    Location {
                        source,
                        span: step.statement.span,
                    }
                }
                (None, Some(migration)) => self.replay.history.migrations[migration].location(),
                (None, None) => Location {
                    source: SourceId(0),
                    span: Span::default(),
                },
            };
            findings.diagnostics.push(failed(rule, location));
            return;
        }
        for mut diagnostic in cx.found {
            let path = self.path(diagnostic.primary.source);
            // Rules on the history are asked whatever their level is in a single file.
            let back = migration
                .is_some_and(|index| !self.replay.history.migrations[index].direction.is_forward());
            let highest = rule.down.filter(|_| back).unwrap_or(Level::Error);
            let default = rule
                .level_in(self.settings.environment)
                .map(|_| diagnostic.level.min(highest));
            let Some(level) = self.configured_level(rule, path, default) else {
                continue;
            };
            if self.settings.strictness < rule.strictness {
                findings.below_strictness += 1;
                continue;
            }
            diagnostic.level = level;
            findings.diagnostics.push(diagnostic);
        }
    }

    /// The level at which a rule reports in a file; none if it is off there.
    fn level(&self, rule: &Rule, path: &str) -> Option<Level> {
        self.configured_level(rule, path, rule.level_in(self.settings.environment))
    }

    /// The level a finding gets: what the configuration says, else `default`.
    fn configured_level(&self, rule: &Rule, path: &str, default: Option<Level>) -> Option<Level> {
        level_by(rule, self.settings, self.rule_settings(path), default)
    }

    fn options(&self, rule: &Rule, path: &str) -> BTreeMap<String, OptionValue> {
        options_by(rule, self.rule_settings(path))
    }

    /// The parts of the configuration that hold for a file, later ones winning.
    fn rule_settings<'s>(
        &'s self,
        path: &str,
    ) -> impl Iterator<Item = &'s BTreeMap<String, crate::settings::RuleSettings>> {
        let path = self.settings.path_in_root(path);
        let overrides: Vec<_> = self
            .settings
            .overrides
            .iter()
            .filter(|part| part.paths.is_match(&path))
            .map(|part| &part.rules)
            .collect();
        std::iter::once(&self.settings.rules).chain(overrides)
    }
}

/// A rule's settings in the parts of a configuration that hold at a place, later ones winning.
type Parts<'s> = &'s BTreeMap<String, RuleSettings>;

fn level_by<'s>(
    rule: &Rule,
    settings: &Settings,
    parts: impl Iterator<Item = Parts<'s>>,
    default: Option<Level>,
) -> Option<Level> {
    let chosen = settings.select.is_empty() || settings.select.iter().any(|id| id == rule.id);
    if !chosen || settings.ignore.iter().any(|id| id == rule.id) {
        return None;
    }
    let mut level = default;
    for rules in parts {
        if let Some(setting) = rules.get(rule.id).and_then(|settings| settings.level) {
            level = setting;
        }
    }
    level
}

fn options_by<'s>(
    rule: &Rule,
    parts: impl Iterator<Item = Parts<'s>>,
) -> BTreeMap<String, OptionValue> {
    let mut options = BTreeMap::new();
    for rules in parts {
        if let Some(settings) = rules.get(rule.id) {
            options.extend(settings.options.clone());
        }
    }
    options
}

/// The finding about a rule that panicked.
pub(crate) fn failed(rule: &'static Rule, location: Location) -> Diagnostic {
    Diagnostic {
        rule: rule.id,
        level: Level::Error,
        certainty: Certainty::Unknown,
        message: format!(
            "the rule `{}` failed here; this is a bug in Lockgate, please report it",
            rule.id
        ),
        primary: location,
        labels: Vec::new(),
        help: Some(format!("run with `--ignore {}` until it is fixed", rule.id)),
        steps: Vec::new(),
        fix: None,
        effects: Vec::new(),
        object: None,
        estimate: None,
        migration: None,
        direction: None,
        fingerprint: String::new(),
        subject: None,
    }
}
