//! The pipeline of `lockgate locks`: parse, replay, and no rules.

use super::{history, sort_places};
use crate::diagnostic::NotAnalysed;
use crate::discover::Discovered;
use crate::layout::{Arrangement, Migration, ProblemKind};
use crate::locks::{self, LocksReport};
use crate::replay::replay;
use crate::settings::Settings;
use crate::source::SourceId;

/// What the pending migrations lock; no rule is asked.
///
/// Forward migrations, and with `down` those that go back too; where only files that go back are wanted, these.
#[must_use]
pub fn locks(discovered: Discovered, settings: &Settings, down: bool) -> LocksReport {
    let Discovered {
        sources,
        projects,
        errors,
        mut not_analysed,
        ..
    } = discovered;
    let mut migrations = Vec::new();
    for project in projects {
        let is_wanted = |source: SourceId| {
            let wanted = project.wanted.as_ref();
            wanted.is_none_or(|wanted| wanted.contains(&source))
        };
        let arrangement = Arrangement {
            scripts: match project.dialect {
                Some(_) => Vec::new(),
                None => project.scripts,
            },
            problems: project.problems,
        };
        let (history, places) = history(
            project.found,
            arrangement,
            project.wanted.as_deref(),
            settings,
        );
        not_analysed.extend(places);
        // Nobody knows what such a text locks.
        let unreadable = history
            .problems
            .iter()
            .filter(|problem| matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Dialect));
        not_analysed.extend(unreadable.map(|problem| NotAnalysed {
            location: problem.location,
            reason: problem.message.clone(),
        }));
        not_analysed.retain(|place| is_wanted(place.location.source));
        let forward = |migration: &Migration| migration.pending && migration.direction.is_forward();
        let down = down || !history.migrations.iter().any(forward);
        let replayed = replay(&history, settings);
        migrations.extend(locks::migrations(&replayed, settings, |migration| {
            migration.pending && (down || migration.direction.is_forward())
        }));
    }
    sort_places(&mut not_analysed, &sources);
    LocksReport {
        sources,
        migrations,
        not_analysed,
        errors,
        postgres: settings.postgres,
    }
}
