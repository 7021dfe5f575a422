//! Configurations, good and bad: each file of `fixtures/config` with what is said about it below.
//!
//! `good-*.yaml` must be understood, and the schema for editors must accept them; `bad-*.yaml` must be refused with
//! the text beside them in `bad-*.txt` (`BLESS=1` writes it), and by the schema too unless the file says that no
//! schema can see it.

use std::fs;
use std::path::{Path, PathBuf};

use lockgate::config;
use lockgate::diagnostic::Level;
use lockgate::settings::{Environment, Strictness};
use lockgate::source::{Source, SourceId};
use serde_json::Value;

fn fixtures(prefix: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".yaml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A file as an editor's YAML 1.2 reader sees it.
fn as_json(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).expect("text");
    // Levels are texts for editors; the reader used here follows YAML 1.1 and takes `off` for a boolean.
    let text = text.replace(": off", ": 'off'").replace(": yes", ": 'yes'");
    serde_yaml::from_str(&text).ok()
}

#[test]
fn good_configurations_are_accepted_by_parser_and_schema() {
    let schema = jsonschema::validator_for(&config::schema()).expect("a schema");
    for path in fixtures("good-") {
        let loaded = config::load_file(&path);
        assert!(loaded.is_ok(), "{}: {loaded:?}", path.display());
        let json = as_json(&path).expect("YAML");
        let errors: Vec<String> = schema.iter_errors(&json).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn bad_configurations_are_refused_with_place_and_advice() {
    let schema = jsonschema::validator_for(&config::schema()).expect("a schema");
    for path in fixtures("bad-") {
        let text = fs::read_to_string(&path).expect("text");
        let source = Source::new(SourceId(0), "lockgate.yaml", text.as_str());
        let problem = config::parse(&source).expect_err(&path.display().to_string());
        let at = source.position(problem.span.start);
        let said = format!(
            "{}:{} `{}`\n{}\n{}\n",
            at.line,
            at.column,
            source.slice(problem.span),
            problem.message,
            problem.help.unwrap_or_default()
        );
        let beside = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&beside, &said).expect("written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(said, expected, "{}", path.display());
        let beyond_schema = text.contains("# no schema can see this");
        if let Some(json) = as_json(&path) {
            assert_eq!(schema.is_valid(&json), beyond_schema, "{}", path.display());
        }
    }
}

#[test]
fn everything_that_can_be_said_reaches_the_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/good-all.yaml");
    let loaded = config::load_file(&path).expect("valid");
    assert_eq!(loaded.settings.root.as_deref(), path.parent());
    let settings = loaded.settings;
    assert_eq!(settings.postgres, 16);
    assert_eq!(settings.environment, Environment::Staging);
    assert_eq!(settings.strictness, Strictness::Strict);
    assert_eq!(settings.after.as_deref(), Some("0012"), "as it is written");
    assert!(settings.require_reason);
    assert_eq!(settings.lock_timeout, Some(5_000));
    assert_eq!(settings.statement_timeout, Some(120_000));
    let stats_file = settings.stats_file.as_deref();
    assert_eq!(stats_file, Some(Path::new("ops/production.json")));
    let approvals = settings.approvals_file.as_deref();
    assert_eq!(approvals, Some(Path::new("ops/approvals.yaml")));
    let sources = settings.sources.as_ref().expect("sources");
    assert!(sources.is_match("app/a/b.py") && !sources.is_match("app/a/b.rb"));
    let sizing = settings.sizing;
    let borders = [sizing.small, sizing.medium, sizing.large, sizing.huge];
    assert_eq!(borders, [10_000, 500_000, 5_000_000, 100_000_000]);
    assert_eq!(sizing.busy, 20);
    let roots: Vec<_> = settings
        .roots
        .iter()
        .map(|root| {
            (
                root.path.as_str(),
                root.layout.as_deref(),
                root.options.len(),
            )
        })
        .collect();
    let expected = [
        ("db/migrations", Some("golang-migrate"), 1),
        ("sql", None, 0),
    ];
    assert_eq!(roots, expected);
    assert_eq!(settings.rules["unused-suppression"].level, Some(None));
    assert_eq!(
        settings.rules["expired-suppression"].level,
        Some(Some(Level::Error))
    );
    let [legacy] = &settings.overrides[..] else {
        panic!("one override")
    };
    assert!(legacy.paths.is_match("legacy/a/b.sql") && !legacy.paths.is_match("db/legacy/a.sql"));
    assert!(legacy.paths.is_match("a.old.sql") && !legacy.paths.is_match("b/a.old.sql"));
    assert_eq!(
        legacy.rules["invalid-suppression"].level,
        Some(Some(Level::Info))
    );
}

#[test]
fn the_nearest_configuration_above_a_path_is_found() {
    let top = tempfile::tempdir().expect("a directory");
    let inner = top.path().join("app/db/migrations");
    fs::create_dir_all(&inner).expect("made");
    fs::write(top.path().join("lockgate.yaml"), "postgres: 14\n").expect("written");
    let postgres = |path: &Path| {
        let loaded = config::load(path).expect("valid").expect("found");
        (loaded.settings.postgres, loaded.settings.root)
    };
    assert_eq!(postgres(&inner), (14, Some(top.path().to_owned())));
    fs::write(top.path().join("app/lockgate.yaml"), "postgres: 15\n").expect("written");
    fs::write(inner.join("1.sql"), "").expect("written");
    assert_eq!(
        postgres(&inner.join("1.sql")),
        (15, Some(top.path().join("app")))
    );
    assert_eq!(postgres(top.path()).0, 14);
    fs::write(top.path().join("app/lockgate.yaml"), b"postgres: \xff").expect("written");
    let error = config::load(&inner).expect_err("not text").to_string();
    assert!(error.ends_with("not UTF-8 at byte 10"), "{error}");
}
