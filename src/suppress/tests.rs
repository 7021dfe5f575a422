use super::*;
use crate::diagnostic::{Certainty, Level};
use crate::rule::{Category, Check, FixKind, For, On};
use crate::settings::Strictness;
use crate::source::SourceId;

const fn rule(id: &'static str, aliases: &'static [&'static str]) -> Rule {
    Rule {
        id,
        title: "",
        summary: "",
        level: None,
        levels: [None; 5],
        category: Category::Correctness,
        direction: For::Any,
        down: None,
        on: On::Any,
        strictness: Strictness::Default,
        since: "0.1.0",
        postgres: (13, 18),
        locks: &[],
        claims_locks: false,
        size: crate::rule::Scale::None,
        subsumes: &[],
        once: false,
        last_resort: false,
        fix: FixKind::None,
        options: &[],
        aliases,
        checklist: &[],
        hazards: &[],
        page: "",
        check: Check::History(|_, _| {}),
    }
}

static RULES: [Rule; 3] = [
    rule(
        "drop-column",
        &["squawk:ban-drop-column", "eugene:E1", "column-dropped"],
    ),
    rule("drop-table", &["squawk:ban-drop-table"]),
    rule("missing-down", &[]),
];

/// Runs a small file. A statement is everything from a capital letter to `;`, a comment begins with `--` or stands in
/// `/* */`. Every statement has the findings `drop-column` and `drop-table`, the file `missing-down` on its first
/// line. The answer is what is left, as `rule@line`, and what is said about the comments, as `kind@line word: message`.
fn check(text: &str, settings: &Settings) -> (String, Vec<String>) {
    let source = Source::new(SourceId(0), "a.sql", text);
    let mut comments = Vec::new();
    let mut statements = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let len = if rest.starts_with("--") {
            let len = rest.find('\n').unwrap_or(rest.len());
            comments.push(CommentText {
                span: Span::new(at, at + len),
                text: rest[2..len].to_owned(),
            });
            len
        } else if rest.starts_with("/*") {
            let len = rest.find("*/").unwrap_or(rest.len() - 2) + 2;
            comments.push(CommentText {
                span: Span::new(at, at + len),
                text: rest[2..len - 2].to_owned(),
            });
            len
        } else if rest.starts_with(|c: char| c.is_ascii_uppercase()) {
            let len = rest.find(';').unwrap_or(rest.len());
            statements.push(Span::new(at, at + len));
            let inside = rest[..len].find("--");
            inside.unwrap_or(len)
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += len;
    }
    let mut all = vec![("missing-down", source.first_line(), None)];
    for span in &statements {
        all.push((
            "drop-column",
            Span {
                start: span.end - 1,
                ..*span
            },
            Some(*span),
        ));
        all.push(("drop-table", *span, Some(*span)));
    }

    let mut suppressions =
        Suppressions::read_with(&source, &comments, &statements, settings, &RULES);
    let mut left = Vec::new();
    for (rule, span, subject) in all {
        let diagnostic = Diagnostic {
            rule,
            level: Level::Error,
            certainty: Certainty::Certain,
            message: String::new(),
            primary: Location {
                source: source.id,
                span,
            },
            labels: Vec::new(),
            help: None,
            steps: Vec::new(),
            fix: None,
            effects: Vec::new(),
            object: None,
            estimate: None,
            migration: None,
            direction: None,
            fingerprint: String::new(),
            subject,
        };
        if !suppressions.silences(&diagnostic) {
            left.push(format!("{rule}@{}", source.position(span.start).line));
        }
    }
    let problems = suppressions
        .problems(&|_| true)
        .iter()
        .map(|problem| {
            let at = problem.location.span;
            let line = source.position(at.start).line;
            format!(
                "{:?}@{line} {}: {}",
                problem.kind,
                source.slice(at),
                problem.message
            )
        })
        .collect();
    (left.join(" "), problems)
}

#[test]
fn a_comment_covers_what_it_stands_above_beside_or_inside() {
    for (text, left) in [
        (
            "A;\n-- lockgate: allow drop-table\nB;",
            "missing-down@1 drop-column@1 drop-table@1 drop-column@3",
        ),
        (
            "A;\n-- lockgate: allow drop-table\n-- more\nB;",
            "missing-down@1 drop-column@1 drop-table@1 drop-column@4",
        ),
        (
            "A; -- lockgate: allow drop-table, drop-column\nB;",
            "missing-down@1 drop-column@2 drop-table@2",
        ),
        (
            "A\n  -- lockgate: allow drop-table\n  b;\nC;",
            "missing-down@1 drop-column@3 drop-column@4 drop-table@4",
        ),
        (
            "A\n  b\n; /* lockgate: allow drop-table */\nC;",
            "missing-down@1 drop-column@2 drop-table@1 drop-column@4 drop-table@4",
        ),
        (
            "A\n b; /* lockgate: allow drop-column */",
            "missing-down@1 drop-table@1",
        ),
        (
            "-- lockgate: allow-file drop-table, missing-down\nA;\n\nB;",
            "drop-column@2 drop-column@4",
        ),
        (
            "-- header\n-- lockgate: allow missing-down\n\nA;",
            "drop-column@4 drop-table@4",
        ),
        (
            "\r-- lockgate: allow drop-table\n\nA;",
            "missing-down@2 drop-column@4 drop-table@4",
        ),
        (
            "A;\n-- squawk-ignore ban-drop-table\nB;",
            "missing-down@1 drop-column@1 drop-table@1 drop-column@3",
        ),
        ("-- squawk-ignore-file\nA;", "missing-down@1"),
        (
            "-- squawk-ignore\nA;",
            "missing-down@1 drop-column@2 drop-table@2",
        ),
        ("-- eugene: ignore E1\nA;", "missing-down@1 drop-table@2"),
        (
            "-- lockgate: allow column-dropped\nA;",
            "missing-down@1 drop-table@2",
        ),
    ] {
        // What `missing-down` points at is the first line with anything on it.
        assert_eq!(check(text, &Settings::default()).0, left, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_comment_is_said_at_its_place() {
    for (text, problems) in [
        ("-- lockgate: allow drop-table\nA;", vec![]),
        (
            "-- lockgate: allow drop-table, missing-down\n-- x\n\nA;",
            vec!["Unused@1 drop-table: `drop-table` is not reported here"],
        ),
        (
            "A;\n-- lockgate: allow drop-table\n\nB;",
            vec![
                "Unused@2 drop-table: this comment covers no statement, so `drop-table` is not allowed",
            ],
        ),
        (
            "-- lockgate: allow drop-tabel\nA;",
            vec!["Invalid@1 drop-tabel: `drop-tabel` is not a rule"],
        ),
        (
            "-- lockgate: alow drop-table\nA;",
            vec!["Invalid@1 alow: `alow` is not an instruction of Lockgate"],
        ),
        ("-- squawk-ignore something-else\nA;", vec![]),
        (
            "-- lockgate: allow drop-table until 2026-11-19\nA;",
            vec![
                "Expired@1 2026-11-19: this comment allows nothing any more: 2026-11-19 has passed",
            ],
        ),
        ("-- lockgate: allow drop-table until 2026-11-20\nA;", vec![]),
    ] {
        let settings = Settings {
            today: Some("2026-11-20".to_owned()),
            ..Settings::default()
        };
        assert_eq!(check(text, &settings).1, problems, "{text}");
    }
}

#[test]
fn a_reason_can_be_demanded_of_our_own_comments() {
    let settings = Settings {
        require_reason: true,
        ..Settings::default()
    };
    let text = "-- lockgate: allow drop-table\nA;\n-- lockgate: allow drop-table -- old\nB;\n-- squawk-ignore ban-drop-table\nC;";
    let (left, problems) = check(text, &settings);
    assert!(!left.contains("drop-table"), "it still holds: {left}");
    let said = "Unexplained@1 lockgate: allow drop-table: this comment does not say why";
    assert_eq!(problems, [said]);
}

#[test]
fn rules_that_were_not_asked_make_no_comment_needless() {
    let source = Source::new(SourceId(0), "a.sql", "-- lockgate: allow drop-table\nA;");
    let comments = [CommentText {
        span: Span::new(0, 29),
        text: " lockgate: allow drop-table".to_owned(),
    }];
    let read = || {
        let settings = Settings::default();
        Suppressions::read_with(&source, &comments, &[Span::new(30, 31)], &settings, &RULES)
    };
    assert_eq!(read().problems(&|_| false), []);
    let [unused] = &read().problems(&|_| true)[..] else {
        panic!("one problem")
    };
    assert_eq!(unused.help, "remove it from the comment");
}

#[test]
fn places_that_fit_nothing_do_no_harm() {
    let source = Source::new(SourceId(0), "a.sql", "é");
    for (from, to) in [(0, 0), (1, 1), (0, 99), (50, 60)] {
        let comments = [CommentText {
            span: Span::new(from, to),
            text: "lockgate: allow drop-table".to_owned(),
        }];
        let settings = Settings::default();
        let statements = [Span::new(7, 9)];
        let read = Suppressions::read_with(&source, &comments, &statements, &settings, &RULES);
        assert_eq!(read.problems(&|_| true).len(), 1);
    }
}
