//! Applies the fixes of a report: texts in, texts out.
//!
//! Fixes that overlap are not applied at once; the caller checks the new texts and comes back until nothing is left to
//! do (`cli/fix.rs`).

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Edit, Fix, Level, NewFile, Safety};
use crate::report::Report;
use crate::source::{SourceId, Span};

/// The texts after one round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Files that change, with their new texts.
    pub texts: BTreeMap<SourceId, String>,
    /// Number of fixes applied to each of them.
    pub fixes: BTreeMap<SourceId, usize>,
    /// Files that come into being beside them, by path, with their texts.
    pub new_files: BTreeMap<String, (SourceId, String)>,
}

/// Applies as many fixes as go together. A fix that touches the text of another waits for the next round; one that
/// would have to change another file than that of its finding, or to create one that is there, is left to people.
#[must_use]
pub fn round(
    report: &Report,
    unsafe_too: bool,
    wanted: impl Fn(SourceId) -> bool,
    is_free: impl Fn(&str) -> bool,
) -> Round {
    let mut edits: BTreeMap<SourceId, Vec<&Edit>> = BTreeMap::new();
    let mut round = Round::default();
    for diagnostic in &report.diagnostics {
        let source = diagnostic.primary.source;
        let Some(fix) = applicable(diagnostic, unsafe_too).filter(|_| wanted(source)) else {
            continue;
        };
        let beside = |file: &NewFile| file.name.path(&report.source(source).path);
        let is_taken = |file: &NewFile| {
            let path = beside(file);
            let made = round.new_files.get(&path);
            made.map_or(!is_free(&path), |(_, text)| *text != file.text)
        };
        if fix.new_files.iter().any(is_taken) {
            continue;
        }
        let (fix, new_files) = (&fix.edits, &fix.new_files);
        let taken = edits.entry(source).or_default();
        let in_the_way = |edit: &Edit| {
            taken.iter().any(|other| {
                let same = *other == edit;
                !same && overlap(other.location.span, edit.location.span)
            })
        };
        if fix.iter().any(in_the_way) {
            continue;
        }
        let new: Vec<&Edit> = fix.iter().filter(|edit| !taken.contains(edit)).collect();
        taken.extend(new);
        for file in new_files {
            let entry = (source, file.text.clone());
            round.new_files.insert(beside(file), entry);
        }
        *round.fixes.entry(source).or_default() += 1;
    }
    for (source, edits) in edits {
        if let Some(text) = apply(&report.source(source).text, edits) {
            round.texts.insert(source, text);
        } else {
            round.fixes.remove(&source);
            round.new_files.retain(|_, (of, _)| *of != source);
        }
    }
    round
}

/// A finding's fix, if it can be applied by itself.
fn applicable(diagnostic: &Diagnostic, unsafe_too: bool) -> Option<&Fix> {
    let fix = diagnostic.fix.as_ref()?;
    let own = |edit: &Edit| edit.location.source == diagnostic.primary.source;
    let fits = (unsafe_too || fix.safety == Safety::Safe)
        && !fix.edits.is_empty()
        && fix.edits.iter().all(own);
    fits.then_some(fix)
}

/// True for two edits whose order would matter.
fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end || a.start == b.start
}

/// The text with edits made; none if they do not fit it.
fn apply(text: &str, mut edits: Vec<&Edit>) -> Option<String> {
    edits.sort_by_key(|edit| edit.location);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let range = edit.location.span.range();
        out.push_str(text.get(at..range.start)?);
        text.get(range.clone())?;
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// Rules that a file has errors of, and its texts that were not understood: what a fix must not add to.
#[must_use]
pub fn trouble(report: &Report, path: &str) -> BTreeMap<&'static str, usize> {
    let mut trouble = BTreeMap::new();
    let here = |source: SourceId| report.source(source).path == path;
    let errors = report
        .diagnostics
        .iter()
        .filter(|found| found.level == Level::Error && here(found.primary.source));
    for error in errors {
        *trouble.entry(error.rule).or_default() += 1;
    }
    let unread = report
        .not_analysed
        .iter()
        .filter(|place| here(place.location.source));
    trouble.insert("", unread.count());
    trouble
}

/// True if there is more trouble behind than before, of any kind.
#[must_use]
pub fn is_worse(
    before: &BTreeMap<&'static str, usize>,
    behind: &BTreeMap<&'static str, usize>,
) -> bool {
    behind
        .iter()
        .any(|(rule, number)| before.get(rule).copied().unwrap_or_default() < *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Location;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            location: Location {
                source: SourceId(0),
                span: Span::new(start, end),
            },
            text: text.to_owned(),
        }
    }

    #[test]
    fn edits_are_made_where_they_fit() {
        for (edits, expected) in [
            (vec![edit(4, 5, "C"), edit(0, 1, "A")], Some("Aé C")),
            (vec![edit(1, 1, "x")], Some("axé c")),
            (vec![edit(2, 2, "x")], None),
            (vec![edit(9, 9, "x")], None),
            (vec![edit(0, 3, ""), edit(1, 4, "")], None),
        ] {
            let text = apply("aé c", edits.iter().collect());
            assert_eq!(text.as_deref(), expected);
        }
    }

    #[test]
    fn places_overlap_where_the_order_would_matter() {
        let span = Span::new;
        for (a, b, expected) in [
            (span(0, 2), span(2, 4), false),
            (span(0, 3), span(2, 4), true),
            (span(1, 1), span(1, 1), true),
            (span(1, 1), span(0, 3), true),
            (span(3, 3), span(0, 3), false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a:?} {b:?}");
            assert_eq!(overlap(b, a), expected, "{b:?} {a:?}");
        }
    }
}
