//! The edge cases of the rules (`fixtures/rules/*.sql`): each finding of the rule is marked, and nothing else is found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use lockgate::diagnostic::{Certainty, Diagnostic, Edit, Step};
use lockgate::report::Report;
use lockgate::rule::{FixKind, Rule};
use lockgate::source::Source;
use rayon::prelude::*;

use super::case::{Case, Mark, read};
use super::example::{is_python, root, rules};

/// Fewer cases do not show where a rule ends.
const FEWEST: usize = 5;

#[test]
fn cases_hold() {
    let failures: Vec<String> = rules()
        .par_iter()
        .map(|rule| judge(rule))
        .filter(|text| !text.is_empty())
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Everything that is wrong with the cases of a rule, as text.
fn judge(rule: &Rule) -> String {
    let name = format!("fixtures/rules/{}.sql", rule.id);
    let Ok(text) = fs::read_to_string(root().join(&name)) else {
        return format!("{name} is missing\n");
    };
    let (cases, problems) = read(&text);
    let mut out = String::new();
    for problem in problems {
        let _ = writeln!(out, "{name}: {problem}");
    }
    if cases.len() < FEWEST {
        let _ = writeln!(out, "{name}: {} cases; a rule needs {FEWEST}", cases.len());
    }
    if cases.iter().all(|case| case.marks.is_empty()) {
        let _ = writeln!(out, "{name}: no case is reported");
    }
    if cases.iter().all(|case| !case.marks.is_empty()) {
        let _ = writeln!(out, "{name}: no case is silent");
    }
    if (rule.fix == FixKind::None) == cases.iter().any(|case| case.fixed.is_some()) {
        let _ = writeln!(
            out,
            "{name}: `-- fixed:` belongs to rules that have fixes, and they need one"
        );
    }
    for case in &cases {
        let wrong = match case.example.check(rule, None) {
            Ok(report) => {
                let wrong = compare(case, rule, &report);
                if wrong.is_empty() {
                    fixes(case, rule, &report)
                } else {
                    wrong
                }
            }
            Err(problem) => format!("  {problem}\n"),
        };
        if !wrong.is_empty() {
            let _ = writeln!(out, "{name}:{}: {}\n{wrong}", case.line, case.title);
        }
    }
    out
}

/// The findings of the rule against the marks.
fn compare(case: &Case, rule: &Rule, report: &Report) -> String {
    let mut open: Vec<&Mark> = case.marks.iter().collect();
    let mut unexpected = Vec::new();
    for found in report
        .diagnostics
        .iter()
        .filter(|found| found.rule == rule.id)
    {
        match open.iter().position(|mark| is(mark, found, report)) {
            Some(at) => {
                open.remove(at);
            }
            None => unexpected.push(found),
        }
    }
    let mut out = String::new();
    for mark in open {
        let end = mark
            .end
            .map_or_else(|| "…".to_owned(), |end| end.to_string());
        let Mark {
            file,
            line,
            column,
            message,
            ..
        } = mark;
        let _ = writeln!(out, "  missing: {file}:{line}:{column}-{end}: {message}");
        if let Some(help) = &mark.help {
            let _ = writeln!(out, "           help: {help}");
        }
    }
    for found in unexpected {
        let _ = write!(out, "{}", show(found, report));
    }
    for entry in &report.not_analysed {
        if !out.is_empty() {
            let source = report.source(entry.location.source);
            let line = source.position(entry.location.span.start).line;
            let _ = writeln!(
                out,
                "  not analysed: {}:{line}: {}",
                source.path, entry.reason
            );
        }
    }
    out
}

fn is(mark: &Mark, found: &Diagnostic, report: &Report) -> bool {
    let source = report.source(found.primary.source);
    let (line, column, end) = place(source, found);
    let mut message = mark.message.as_str();
    if let Some(rest) = message.strip_prefix(&format!("{}: ", found.level.as_str())) {
        message = rest;
    }
    if let Some(rest) = message.strip_prefix(&format!("{}: ", found.certainty.as_str())) {
        message = rest;
    }
    source.path == mark.file
        && line == mark.line
        && column == mark.column
        && mark.end.is_none_or(|marked| marked == end)
        && found.message.starts_with(message)
        && mark.help.as_ref().is_none_or(|help| {
            let words = found.help.as_ref();
            let step = |step: &Step| step.one_line().is_some_and(|sql| sql.starts_with(help));
            words.is_some_and(|found| found.starts_with(help)) || found.steps.iter().any(step)
        })
}

/// Line, column and the column behind the end: of the line, for a span of several lines.
fn place(source: &Source, found: &Diagnostic) -> (u32, u32, u32) {
    let start = source.position(found.primary.span.start);
    let end = source.position(found.primary.span.end);
    let last = if end.line == start.line {
        end.column
    } else {
        let rest = &source.text[found.primary.span.range()];
        let first = rest.split(['\n', '\r']).next().unwrap_or(rest);
        start.column + u32::try_from(first.trim_end().chars().count()).unwrap_or(u32::MAX)
    };
    (start.line, start.column, last)
}

/// A finding as a line with carets below it, to be copied into the case.
fn show(found: &Diagnostic, report: &Report) -> String {
    let source = report.source(found.primary.source);
    let (line, column, end) = place(source, found);
    let certainty = match found.certainty {
        Certainty::Certain => String::new(),
        other => format!("{}: ", other.as_str()),
    };
    let starts = source.line_starts();
    let start = starts[line as usize - 1] as usize;
    let text = source.text[start..]
        .split(['\n', '\r'])
        .next()
        .unwrap_or_default();
    let indent = " ".repeat(column as usize - 1);
    let comment = if is_python(&source.path) { "#" } else { "--" };
    let carets = "^".repeat((end.max(column + 1) - column) as usize);
    let marks = if column as usize > comment.len() {
        format!("{comment}{}{carets}", &indent[comment.len()..])
    } else {
        format!("{indent}{comment} ^^^")
    };
    let mut out = format!("  unexpected: {}:{line}:{column}-{end}\n", source.path);
    let _ = writeln!(out, "{text}\n{marks} {certainty}{}", found.message);
    if let Some(help) = &found.help {
        let _ = writeln!(
            out,
            "{comment} help: {}",
            help.split('\n').next().unwrap_or_default()
        );
    }
    out
}

/// Applies the fixes of the rule: the files must be those of `-- fixed:`, parse, and be silent.
fn fixes(case: &Case, rule: &Rule, report: &Report) -> String {
    let mut files: BTreeMap<String, String> = case.example.files.iter().cloned().collect();
    let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    let mut without = 0;
    let mut any = false;
    for found in report
        .diagnostics
        .iter()
        .filter(|found| found.rule == rule.id)
    {
        for edit in found.fix.iter().flat_map(|fix| &fix.edits) {
            let path = report.source(edit.location.source).path.clone();
            edits.entry(path).or_default().push(edit.clone());
        }
        for file in found.fix.iter().flat_map(|fix| &fix.new_files) {
            let path = file.name.path(&report.source(found.primary.source).path);
            files.insert(path, file.text.clone());
        }
        any |= found.fix.is_some();
        without += usize::from(found.fix.is_none());
    }
    if !any && case.fixed.is_none() {
        return String::new();
    }
    for (path, edits) in edits {
        let text = files.entry(path).or_default();
        match apply(text, edits) {
            Ok(new) => *text = new,
            Err(problem) => return format!("  {problem}\n"),
        }
    }
    let mut out = String::new();
    // Without `-- fixed:` the text is not compared; it has to pass all the same.
    let expected: BTreeMap<String, String> = match &case.fixed {
        Some(fixed) => fixed.iter().cloned().collect(),
        None => files.clone(),
    };
    for path in expected
        .keys()
        .chain(files.keys().filter(|path| !expected.contains_key(*path)))
    {
        let text = |files: &BTreeMap<String, String>| files.get(path).cloned().unwrap_or_default();
        let (expected, found) = (text(&expected), text(&files));
        let untouched = case
            .example
            .files
            .iter()
            .any(|(old, text)| old == path && *text == found);
        if expected != found && !(expected.is_empty() && untouched) {
            let diff = similar::TextDiff::from_lines(&expected, &found);
            let _ = writeln!(out, "  fixed {path} differs:\n{}", diff.unified_diff());
        }
    }
    let mut after = case.example.clone();
    after.files = files.into_iter().collect();
    match after.check(rule, None) {
        Ok(report) => {
            let left: Vec<&Diagnostic> = report
                .diagnostics
                .iter()
                .filter(|found| found.rule == rule.id)
                .collect();
            // What has no fix stays.
            if left.len() > without {
                for found in left {
                    let _ = write!(out, "  after the fixes:\n{}", show(found, &report));
                }
            }
            for entry in &report.not_analysed {
                let _ = writeln!(out, "  after the fixes, not analysed: {}", entry.reason);
            }
        }
        Err(problem) => {
            let _ = writeln!(out, "  {problem}");
        }
    }
    out
}

/// The text with the edits made; they must not overlap. Two fixes may want the same edit.
fn apply(text: &str, mut edits: Vec<Edit>) -> Result<String, String> {
    edits.sort_by(|a, b| (a.location, &a.text).cmp(&(b.location, &b.text)));
    edits.dedup();
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        let range = edit.location.span.range();
        let before = text
            .get(at..range.start)
            .ok_or("edits overlap or cut a character")?;
        out.push_str(before);
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(
        text.get(at..)
            .ok_or("an edit ends behind the file or in a character")?,
    );
    Ok(out)
}

#[test]
fn edits_are_applied_in_order() {
    use lockgate::source::{Location, SourceId, Span};
    let edit = |start, end, text: &str| Edit {
        location: Location {
            source: SourceId(0),
            span: Span::new(start, end),
        },
        text: text.to_owned(),
    };
    let edits = vec![
        edit(6, 7, "C"),
        edit(0, 1, "A"),
        edit(2, 2, "x"),
        edit(0, 1, "A"),
    ];
    assert_eq!(
        apply("a é b c", edits),
        Err("edits overlap or cut a character".to_owned()).or(Ok("A xé bCc".to_owned()))
    );
    assert!(apply("abc", vec![edit(0, 2, ""), edit(1, 3, "")]).is_err());
    assert!(apply("abc", vec![edit(2, 9, "")]).is_err());
}
