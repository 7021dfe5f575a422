//! The pages of the rules are contracts: what they show is what happens.
//!
//! Every `bad` example is reported by its own rule, with the output that stands below it; every `good` one passes under
//! all rules. `BLESS=1` writes the output fences.

use std::fmt::Write as _;
use std::fs;

use lockgate::diagnostic::Diagnostic;
use lockgate::report::{Format, Report, Style, render};
use lockgate::rule::Rule;
use lockgate::settings::Strictness;
use rayon::prelude::*;

use super::example::{blesses, page_path, rules};
use super::page::{PageExample, Shows, read};

/// Rules whose page cannot show a bad example, with the reason.
const NOTHING_TO_SHOW: &[(&str, &str)] = &[];

#[test]
fn pages_are_true() {
    let failures: Vec<String> = rules()
        .par_iter()
        .map(|rule| judge(rule))
        .filter(|text| !text.is_empty())
        .collect();
    assert!(
        failures.is_empty(),
        "{}\n{} pages are wrong; BLESS=1 writes the output fences",
        failures.join("\n"),
        failures.len()
    );
}

#[test]
fn pages_that_show_nothing_have_a_reason_and_are_there() {
    for (id, reason) in NOTHING_TO_SHOW {
        assert!(
            lockgate::rules::by_id(id).is_some(),
            "there is no rule `{id}`"
        );
        assert!(!reason.is_empty(), "{id}");
    }
}

/// Everything that is wrong with a page, as text.
fn judge(rule: &Rule) -> String {
    let path = page_path(rule);
    let page = read(&fs::read_to_string(&path).unwrap());
    let mut wrong = page.problems.clone();
    let shows = |shows, section| {
        page.examples
            .iter()
            .any(|example| example.shows == shows && example.section == section)
    };
    let excused = NOTHING_TO_SHOW.iter().any(|(id, _)| *id == rule.id);
    if shows(Shows::Bad, "Why") == excused {
        wrong.push(if excused {
            "there is a bad example: take the rule out of NOTHING_TO_SHOW".to_owned()
        } else {
            "`## Why` shows no `sql bad` example".to_owned()
        });
    }
    if !shows(Shows::Good, "Instead") {
        wrong.push("`## Instead` shows no `sql good` example".to_owned());
    }
    let mut lines = page.lines.clone();
    // From the end, so that the indices of the examples before stay right.
    for example in page.examples.iter().rev() {
        let at = format!("example at line {}", example.line);
        match example.shows {
            Shows::Good => {
                wrong.extend(
                    good(rule, example)
                        .err()
                        .map(|text| format!("{at}: {text}")),
                );
            }
            Shows::Bad => match bad(rule, example) {
                Err(text) => wrong.push(format!("{at}: {text}")),
                Ok(output) => match &example.output {
                    Some((_, text)) if *text == output => {}
                    _ if blesses() => write_output(&mut lines, example, &output),
                    Some((_, text)) => {
                        let diff = similar::TextDiff::from_lines(text.as_str(), &output);
                        wrong.push(format!(
                            "{at} prints something else:\n{}",
                            diff.unified_diff()
                        ));
                    }
                    None => wrong.push(format!("{at} has no output below it:\n{output}")),
                },
            },
        }
    }
    if lines != page.lines {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let mut text = String::new();
    for problem in wrong {
        let _ = writeln!(text, "rules/{}.md: {problem}", rule.id);
    }
    text
}

fn write_output(lines: &mut Vec<String>, example: &PageExample, output: &str) {
    let mut fence = vec!["```text".to_owned()];
    fence.extend(output.split('\n').map(str::to_owned));
    fence.push("```".to_owned());
    if let Some((range, _)) = &example.output {
        lines.splice(range.clone(), fence);
    } else {
        fence.insert(0, String::new());
        lines.splice(example.end..example.end, fence);
    }
}

/// What the rule prints for a bad example.
fn bad(rule: &Rule, example: &PageExample) -> Result<String, String> {
    let report = example.example.check(rule, None)?;
    let all = short(&report);
    let own = only(report, |diagnostic| diagnostic.rule == rule.id);
    if own.diagnostics.is_empty() {
        return Err(format!("its rule does not report it; all there is:\n{all}"));
    }
    Ok(short(&own))
}

/// Fails with what is reported for a good example, by any rule at the default strictness and by its own at the rule's.
fn good(rule: &Rule, example: &PageExample) -> Result<(), String> {
    let all = example.example.check(rule, Some(Strictness::Default))?;
    let own = only(example.example.check(rule, None)?, |diagnostic| {
        diagnostic.rule == rule.id
    });
    for report in [all, own] {
        if !report.diagnostics.is_empty() || !report.not_analysed.is_empty() {
            return Err(format!("is not silent:\n{}", short(&report)));
        }
    }
    Ok(())
}

/// The report with some of its findings only.
fn only(mut report: Report, keep: impl Fn(&Diagnostic) -> bool) -> Report {
    report.diagnostics.retain(keep);
    report.not_analysed.clear();
    report
}

/// The short format without its last line, which counts what other rules found too.
fn short(report: &Report) -> String {
    let mut out = Vec::new();
    render(report, Format::Short, Style::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let (lines, _count) = text.trim_end().rsplit_once('\n').unwrap_or_default();
    lines.to_owned()
}
