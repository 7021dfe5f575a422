//! One sample report, and a few extreme ones, through every format.

use lockgate::diagnostic::{
    Certainty, Diagnostic, Edit, FileError, Fix, Label, Level, NewFile, NotAnalysed, Safety,
};
use lockgate::effect::{Effect, LockMode, RelationKind, Work};
use lockgate::report::{Counts, Format, ProjectSummary, Report, Style, json, render};
use lockgate::settings::Settings;
use lockgate::source::{Beside, Location, Source, SourceId, Span};
use lockgate::statement::QualifiedName;

const FORMATS: [Format; 4] = [Format::Text, Format::Short, Format::Json, Format::Github];

/// The place of the first `needle` in a source.
fn find(sources: &[Source], source: usize, needle: &str) -> Location {
    let start = sources[source].text.find(needle).expect("needle");
    Location {
        source: SourceId(u32::try_from(source).expect("small")),
        span: Span::new(start, start + needle.len()),
    }
}

fn finding(rule: &'static str, level: Level, primary: Location, message: &str) -> Diagnostic {
    Diagnostic {
        rule,
        level,
        certainty: Certainty::Certain,
        message: message.to_owned(),
        primary,
        labels: Vec::new(),
        help: None,
        steps: Vec::new(),
        fix: None,
        effects: Vec::new(),
        object: None,
        estimate: None,
        migration: None,
        direction: None,
        fingerprint: "0123456789abcdef".to_owned(),
        subject: None,
    }
}

fn report(sources: Vec<Source>, diagnostics: Vec<Diagnostic>) -> Report {
    Report {
        counts: Counts {
            files: sources.len(),
            migrations: sources.len(),
            statements: 7,
            ..Counts::default()
        },
        sources,
        diagnostics,
        not_analysed: Vec::new(),
        errors: Vec::new(),
        databases: Vec::new(),
        notes: Vec::new(),
        projects: vec![ProjectSummary {
            root: "db/migrations".to_owned(),
            layout: "golang-migrate",
            reason: "`0001_users.up.sql` has a `.down.sql` beside it".to_owned(),
            migrations: 2,
        }],
        settings: Settings::default(),
    }
}

fn sources(texts: &[(&str, &str)]) -> Vec<Source> {
    texts
        .iter()
        .zip(0..)
        .map(|((path, text), id)| Source::new(SourceId(id), *path, *text))
        .collect()
}

/// Everything that a report can hold, in a shape a reader might really meet.
fn sample() -> Report {
    let sources = sources(&[
        (
            "db/migrations/0001_users.up.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY, bio text);\n",
        ),
        (
            "db/migrations/0002_index.up.sql",
            "-- Größe: 多字节\r\nCREATE INDEX users_bio_idx\r\n    ON users (bio);\r\n\
             UPDATE users SET bio = 'ä' || bio;\r\n",
        ),
        ("db/migrations/0003_empty.up.sql", ""),
        (
            "db/migrations/0004_odd.up.sql",
            "SELECT '\u{1b}[31mred\u{7}' FROM users;\rDO $$ BEGIN EXECUTE q; END $$;\n",
        ),
    ]);
    let statement = find(
        &sources,
        1,
        "CREATE INDEX users_bio_idx\r\n    ON users (bio)",
    );
    let index = Diagnostic {
        labels: vec![Label {
            location: find(&sources, 0, "users"),
            text: "table created here".to_owned(),
        }],
        help: Some(
            "build it beside the traffic, in a migration of its own:\n\
             CREATE INDEX CONCURRENTLY users_bio_idx\n    ON users (bio);"
                .to_owned(),
        ),
        fix: Some(Fix {
            title: "build the index CONCURRENTLY".to_owned(),
            safety: Safety::Unsafe,
            edits: vec![Edit {
                location: find(&sources, 1, "INDEX"),
                text: "INDEX CONCURRENTLY".to_owned(),
            }],
            new_files: vec![NewFile {
                name: Beside::Own("0005_rest.up.sql"),
                text: String::new(),
            }],
        }),
        effects: vec![Effect {
            relation: QualifiedName::new("public", "users"),
            kind: RelationKind::Table,
            lock: LockMode::Share,
            work: Work::INDEX_BUILD,
            certainty: Certainty::Certain,
        }],
        migration: Some("0002".to_owned()),
        direction: Some("up"),
        subject: Some(statement.span),
        ..finding(
            "index-not-concurrent",
            Level::Error,
            statement,
            "building `users_bio_idx` takes a SHARE lock on `users`, which blocks writes",
        )
    };
    let update = find(&sources, 1, "UPDATE users SET bio = 'ä' || bio");
    let unbatched = Diagnostic {
        certainty: Certainty::Possible,
        labels: vec![Label {
            location: find(&sources, 1, "bio = 'ä' || bio"),
            text: "every row is rewritten".to_owned(),
        }],
        help: Some("update a few thousand rows at a time".to_owned()),
        ..finding(
            "unbatched-data-change",
            Level::Warning,
            update,
            "one statement changes all rows of `users`",
        )
    };
    let empty = Location {
        source: SourceId(2),
        span: Span::new(0, 0),
    };
    let odd = find(&sources, 3, "\u{1b}[31mred\u{7}");
    let not_analysed = vec![NotAnalysed {
        location: find(&sources, 3, "EXECUTE q"),
        reason: "dynamic SQL in EXECUTE".to_owned(),
    }];
    let diagnostics = vec![
        index,
        unbatched,
        finding("empty-migration", Level::Info, empty, "the file is empty"),
        finding(
            "odd-text",
            Level::Info,
            odd,
            "a message with \u{1b}[2J and\na line end",
        ),
    ];
    let mut report = report(sources, diagnostics);
    report.not_analysed = not_analysed;
    report.errors = vec![FileError {
        path: "db/migrations/0005_latin1.up.sql".to_owned(),
        message: "not UTF-8 at byte 311; convert the file".to_owned(),
    }];
    report.counts.suppressed = 1;
    report
}

fn rendered(report: &Report, format: Format) -> String {
    rendered_in(report, format, Style::default())
}

fn rendered_in(report: &Report, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    render(report, format, style, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_sample_in_every_format() {
    let report = sample();
    insta::assert_snapshot!("text", rendered(&report, Format::Text));
    insta::assert_snapshot!("short", rendered(&report, Format::Short));
    insta::assert_snapshot!("github", rendered(&report, Format::Github));
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let json = rendered(&report, Format::Json).replace(&version, "\"version\": \"[version]\"");
    insta::assert_snapshot!("json", json);
}

#[test]
fn colours_are_only_paint() {
    let report = sample();
    let style = Style {
        color: true,
        links: false,
    };
    let painted = rendered_in(&report, Format::Text, style);
    assert!(painted.contains("\u{1b}["));
    let stripped = anstream::adapter::strip_str(&painted).to_string();
    assert_eq!(stripped, rendered(&report, Format::Text));
}

#[test]
fn a_report_without_findings_says_what_was_checked() {
    let mut clean = report(
        sources(&[("a.sql", "SELECT 1;"), ("b.sql", "")]),
        Vec::new(),
    );
    let checked = "checked 2 migrations (golang-migrate in db/migrations): nothing to report";
    assert_eq!(rendered(&clean, Format::Text), format!("{checked}\n"));
    clean.counts.suppressed = 2;
    clean.counts.below_strictness = 1;
    let rest = "; 2 suppressed; 1 more with --strict";
    assert_eq!(rendered(&clean, Format::Text), format!("{checked}{rest}\n"));
    clean.projects.clear();
    clean.counts = Counts::default();
    assert_eq!(rendered(&clean, Format::Text), "no migrations found\n");
}

#[test]
fn many_places_that_were_not_analysed_are_counted() {
    let text = "DO 1;".repeat(9);
    let mut report = report(sources(&[("a.sql", &text)]), Vec::new());
    report.not_analysed = (0..9)
        .map(|n| NotAnalysed {
            location: Location {
                source: SourceId(0),
                span: Span::new(n * 5, n * 5 + 5),
            },
            reason: "DO block".to_owned(),
        })
        .collect();
    let text = rendered(&report, Format::Text);
    assert!(
        text.contains("  a.sql:1:11: DO block\n  a.sql: and 6 places\n"),
        "{text}"
    );
    assert!(text.ends_with("; 9 places not analysed\n"), "{text}");
    let short = rendered(&report, Format::Short);
    assert_eq!(
        short.matches(": not analysed: DO block").count(),
        9,
        "short cuts nothing"
    );
}

#[test]
fn json_is_what_its_schema_says() {
    let schema: serde_json::Value = serde_json::from_str(json::SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for report in [sample(), report(Vec::new(), Vec::new())] {
        let document: serde_json::Value =
            serde_json::from_str(&rendered(&report, Format::Json)).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        // The schema allows further fields for readers' sake; what we write today it names, every field of it.
        assert_eq!(
            unnamed(&document, &schema, &schema, ""),
            Vec::<String>::new()
        );
    }
    let mut wrong: serde_json::Value =
        serde_json::from_str(&rendered(&sample(), Format::Json)).expect("JSON");
    wrong["findings"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong));
}

/// Fields of a document that its schema does not name.
fn unnamed(
    value: &serde_json::Value,
    schema: &serde_json::Value,
    root: &serde_json::Value,
    path: &str,
) -> Vec<String> {
    use serde_json::Value;
    let schema = match schema.get("anyOf") {
        Some(choices) => &choices[0],
        None => schema,
    };
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(&reference[1..]).expect("a definition"),
        None => schema,
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match schema["properties"].get(key) {
                Some(field) => unnamed(value, field, root, &format!("{path}/{key}")),
                None => vec![format!("{path}/{key}")],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| unnamed(item, &schema["items"], root, path))
            .collect(),
        _ => Vec::new(),
    }
}

/// A workflow command as a runner reads it: name, properties, message.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

/// Reads a line of a log the way a runner does.
fn command(line: &str) -> Option<Command> {
    let unescape = |text: &str| {
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%")
    };
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), unescape(value)))
        .collect();
    Some(Command {
        name: name.to_owned(),
        properties,
        message: unescape(message),
    })
}

#[test]
fn nothing_in_a_repository_can_inject_a_workflow_command() {
    let evil = "x%0A,line=99::stop\n::add-mask::a\r::error::b ##[add-path]/tmp";
    let text = format!("SELECT '{evil}';");
    let path = format!("::set-output name=a::{evil}.sql");
    let sources = sources(&[(&path, &text)]);
    let place = find(&sources, 0, "SELECT");
    let mut report = report(
        sources,
        vec![Diagnostic {
            help: Some(evil.to_owned()),
            labels: vec![Label {
                location: place,
                text: evil.to_owned(),
            }],
            ..finding("some-rule", Level::Error, place, evil)
        }],
    );
    report.not_analysed = vec![NotAnalysed {
        location: place,
        reason: evil.to_owned(),
    }];
    report.errors = vec![FileError {
        path,
        message: evil.to_owned(),
    }];
    let output = rendered(&report, Format::Github);
    assert!(!output.contains('\u{1b}') && !output.contains('\r') && !output.contains("##["));
    let commands: Vec<Command> = output.split('\n').filter_map(command).collect();
    let names: Vec<&str> = commands.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["error", "error", "group", "endgroup"], "{output}");
    let keys: Vec<&str> = commands[0]
        .properties
        .iter()
        .map(|(k, _)| k.as_str())
        .collect();
    assert_eq!(
        keys,
        ["file", "line", "endLine", "col", "endColumn", "title"]
    );
    assert_eq!(commands[0].properties[1].1, "1");
    assert!(
        commands[0].properties[0]
            .1
            .starts_with("::set-output name=a::x%0A,line=99::stop")
    );
    assert!(
        commands[0]
            .message
            .contains("\nhelp: x%0A,line=99::stop\n::add-mask::a")
    );
}

#[test]
fn extreme_files_are_shown_and_never_stop_a_run() {
    let million = "SELECT 'é', 1; ".repeat(70_000);
    let files = sources(&[
        ("one-line.sql", &million),
        ("empty.sql", ""),
        ("crs.sql", "\r\r\rSELECT\r1"),
        ("bom.sql", "\u{feff}SELECT 1;"),
        (
            "\u{1b}]0;title\u{7}.sql",
            "\tSELECT\t\u{1b}]8;;x\u{7}\u{202e} 1;\n",
        ),
    ]);
    let mut diagnostics = Vec::new();
    for (source, id) in files.iter().zip(0..) {
        let end = source.text.len();
        // Odd spans too: inside a character, behind the end, across everything.
        for (from, to) in [
            (0, end),
            (end, end),
            (end / 2, end),
            (end / 3, end / 2),
            (9_999_999, 9_999_999),
        ] {
            let primary = Location {
                source: SourceId(id),
                span: Span::new(from, to),
            };
            let label = |at: usize| Label {
                location: Location {
                    source: SourceId(id),
                    span: Span::new(at, at + 1),
                },
                text: "here".to_owned(),
            };
            diagnostics.push(Diagnostic {
                labels: vec![label(end / 4), label(0), label(end + 7)],
                subject: Some(Span::new(0, end)),
                ..finding("some-rule", Level::Warning, primary, "a \u{9b}message")
            });
        }
    }
    let report = report(files, diagnostics);
    for format in FORMATS {
        let output = rendered(&report, format);
        assert!(
            output.len() < 200_000,
            "{format:?} prints {} bytes",
            output.len()
        );
        if format != Format::Json {
            let steering = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!output.contains(steering), "{format:?}");
        }
    }
    let text = rendered(&report, Format::Text);
    assert!(
        text.contains("one-line.sql:1:525001"),
        "columns count characters past 65,535"
    );
    assert!(!text.contains("Failed to read"), "{text}");
}

#[test]
fn marks_inside_one_another_are_all_drawn() {
    let files = sources(&[(
        "a.sql",
        "ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int;",
    )]);
    let label = |needle: &str, text: &str| Label {
        location: find(&files, 0, needle),
        text: text.to_owned(),
    };
    let statement = "ALTER TABLE users ADD COLUMN a int, ADD COLUMN b int";
    let nested = vec![
        Diagnostic {
            labels: vec![label("users", "the table"), label("b int", "the column")],
            ..finding("a-rule", Level::Error, find(&files, 0, statement), "nested")
        },
        Diagnostic {
            labels: vec![label("ALTER TABLE", "the beginning")],
            ..finding(
                "a-rule",
                Level::Error,
                find(&files, 0, statement),
                "from one start",
            )
        },
        Diagnostic {
            labels: vec![label(statement, "this statement")],
            ..finding(
                "a-rule",
                Level::Error,
                find(&files, 0, statement),
                "the same",
            )
        },
    ];
    insta::assert_snapshot!("marks", rendered(&report(files, nested), Format::Text));
}
