//! One finding for one problem: findings that share a root cause become one.
//!
//! Pages say what belongs together: `subsumes` (another rule's finding on the same statement and object says the same
//! thing less well), `once` (the first finding of a file stands for all), `last_resort` (it speaks only where nobody
//! else reports the same work). The first two hold whether or not a comment allows the finding that stays, since the
//! problem was looked at; the last one asks what is left after that.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Level};
use crate::rules::by_id;
use crate::source::{SourceId, Span};

/// The statement that a finding is about.
fn statement(diagnostic: &Diagnostic) -> Option<(SourceId, Span)> {
    Some((diagnostic.primary.source, diagnostic.subject?))
}

/// False if the two name different objects.
fn may_share_object(a: &Diagnostic, b: &Diagnostic) -> bool {
    match (&a.object, &b.object) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// Leaves out what another finding says better, and the repetitions in a file. What stays has the higher level of the
/// two.
pub(super) fn one_per_problem(diagnostics: &mut Vec<Diagnostic>) {
    leave_out_subsumed(diagnostics);
    keep_first_of_file(diagnostics, false);
}

/// Leaves out last resorts where somebody else reports the work.
pub(super) fn without_needless_last_resorts(diagnostics: &mut Vec<Diagnostic>) {
    let places = |wanted: &dyn Fn(&Diagnostic) -> bool| -> BTreeSet<(SourceId, Span)> {
        diagnostics
            .iter()
            .filter(|other| !is_last_resort(other) && wanted(other))
            .filter_map(statement)
            .collect()
    };
    let working = places(&shows_work);
    let wrong = places(&|other| other.level == Level::Error);
    diagnostics.retain(|diagnostic| {
        // One about work yields to others about work, one that says why a statement fails to every error on it.
        let others = if shows_work(diagnostic) {
            &working
        } else {
            &wrong
        };
        let reported = statement(diagnostic).is_some_and(|place| others.contains(&place));
        !(is_last_resort(diagnostic) && reported)
    });
    keep_first_of_file(diagnostics, true);
}

fn is_last_resort(diagnostic: &Diagnostic) -> bool {
    by_id(diagnostic.rule).is_some_and(|rule| rule.last_resort)
}

/// True for a finding about work that others wait for.
fn shows_work(diagnostic: &Diagnostic) -> bool {
    let mut effects = diagnostic.effects.iter();
    effects.any(|effect| !effect.work.is_none() && !effect.blocks().is_empty())
}

fn leave_out_subsumed(diagnostics: &mut Vec<Diagnostic>) {
    let mut by_statement: BTreeMap<(SourceId, Span), Vec<usize>> = BTreeMap::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if let Some(place) = statement(diagnostic) {
            by_statement.entry(place).or_default().push(index);
        }
    }
    let mut gone = BTreeSet::new();
    let mut raised = Vec::new();
    for group in by_statement.values().filter(|group| group.len() > 1) {
        for &winner in group {
            let Some(rule) = by_id(diagnostics[winner].rule) else {
                continue;
            };
            for &loser in group {
                let (kept, left) = (&diagnostics[winner], &diagnostics[loser]);
                if rule.subsumes.contains(&left.rule) && may_share_object(kept, left) {
                    gone.insert(loser);
                    raised.push((winner, left.level));
                }
            }
        }
    }
    for (winner, level) in raised {
        let kept = &mut diagnostics[winner];
        kept.level = kept.level.max(level);
    }
    let mut index = 0;
    diagnostics.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

/// Keeps the first finding of each rule that speaks once for a file; last resorts in a round of their own.
fn keep_first_of_file(diagnostics: &mut Vec<Diagnostic>, last_resorts: bool) {
    let once = |diagnostic: &Diagnostic| {
        by_id(diagnostic.rule).is_some_and(|rule| rule.once && rule.last_resort == last_resorts)
    };
    let mut first: BTreeMap<(SourceId, &'static str, Option<&'static str>), Span> = BTreeMap::new();
    let key = |diagnostic: &Diagnostic| {
        (
            diagnostic.primary.source,
            diagnostic.rule,
            diagnostic.direction,
        )
    };
    for diagnostic in diagnostics.iter().filter(|diagnostic| once(diagnostic)) {
        let span = diagnostic.primary.span;
        let known = first.entry(key(diagnostic)).or_insert(span);
        *known = span.min(*known);
    }
    let mut seen = BTreeSet::new();
    diagnostics.retain(|diagnostic| {
        !once(diagnostic)
            || (first.get(&key(diagnostic)) == Some(&diagnostic.primary.span)
                && seen.insert(key(diagnostic)))
    });
}
