//! One finding for one problem: statements that several rules could speak about, under all rules.
//!
//! The cases are `fixtures/conflicts.sql`, in the form of the rules' cases. What follows the carets is the id of the rule
//! that speaks there, alone; several ids with `|` between them where rules share the duty by what they know. A line that
//! is not marked must be silent: choreographies of several steps that are right are left in peace.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use lockgate::settings::Strictness;

use super::case::read;
use super::example::root;

#[test]
fn a_problem_is_reported_once() {
    let text = fs::read_to_string(root().join("fixtures/conflicts.sql")).unwrap();
    let (cases, problems) = read(&text);
    assert_eq!(problems, Vec::<String>::new());
    let mut wrong = String::new();
    for case in &cases {
        let rule = &lockgate::rules::RULES[0];
        let report = case.example.check(rule, Some(Strictness::Default)).unwrap();
        let mut found: BTreeMap<(String, u32), Vec<&str>> = BTreeMap::new();
        for diagnostic in &report.diagnostics {
            let source = report.source(diagnostic.primary.source);
            // Findings are counted by the statement they are about.
            let start = diagnostic
                .subject
                .map_or(diagnostic.primary.span.start, |subject| subject.start);
            let line = source.position(start).line;
            let at = found.entry((source.path.clone(), line)).or_default();
            at.push(diagnostic.rule);
        }
        for mark in &case.marks {
            let at = found.remove(&(mark.file.clone(), mark.line));
            let at = at.unwrap_or_default();
            let one = match at[..] {
                [one] => mark.message.split('|').any(|id| id.trim() == one),
                _ => false,
            };
            if !one {
                let _ = writeln!(
                    wrong,
                    "{} ({}:{}): {} expected, {at:?} found",
                    case.title, mark.file, mark.line, mark.message
                );
            }
        }
        for ((file, line), rules) in found {
            let _ = writeln!(wrong, "{} ({file}:{line}): {rules:?}", case.title);
        }
    }
    assert!(cases.len() > 15 && wrong.is_empty(), "\n{wrong}");
}
