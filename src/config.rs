//! `lockgate.yaml`: found, read, checked and turned into [`Settings`].
//!
//! Everything that is wrong points at its line. The file is first read into a tree of nodes with their places
//! (`yaml.rs`), so that every message and every suggestion is ours.

mod policies;
mod read;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::rule::Rule;
use crate::rules::RULES;
use crate::settings::Settings;
pub use crate::source::Problem;
use crate::source::{Source, SourceId, Span};
pub use read::parse;

/// Name of the configuration file.
pub const FILE_NAME: &str = "lockgate.yaml";

/// The JSON Schema of the configuration; [`schema`] adds the rules.
pub const SCHEMA: &str = include_str!("config/schema.json");

/// The JSON Schema of the configuration with every rule and its options, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let rules: serde_json::Map<String, serde_json::Value> = RULES
        .iter()
        .map(|rule| (rule.id.to_owned(), rule_schema(rule)))
        .collect();
    schema["$defs"]["rules"]["properties"] = rules.into();
    schema["$defs"]["rules"]["additionalProperties"] = false.into();
    schema
}

fn rule_schema(rule: &Rule) -> serde_json::Value {
    let mut properties = serde_json::Map::new();
    properties.insert("level".to_owned(), json!({ "$ref": "#/$defs/level" }));
    for option in rule.options {
        let mut value = match option.kind {
            "duration" => json!({ "$ref": "#/$defs/duration" }),
            "int" => json!({ "type": "integer" }),
            "bool" => json!({ "type": "boolean" }),
            "list" => json!({ "type": "array", "items": { "type": ["string", "number"] } }),
            _ => json!({ "type": ["string", "number", "boolean"] }),
        };
        value["description"] = format!("{} (default: {})", option.text, option.default).into();
        properties.insert(option.name.to_owned(), value);
    }
    json!({
        "description": rule.summary,
        "anyOf": [
            { "$ref": "#/$defs/level" },
            { "type": "object", "properties": properties, "additionalProperties": false },
        ],
    })
}

/// A configuration that was found and understood.
#[derive(Debug)]
pub struct Loaded {
    /// What it says; everything it leaves out has its default. The root is the file's directory.
    pub settings: Settings,
    /// The file.
    pub path: PathBuf,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration cannot be read: {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Something in it is not understood.
    #[error("{message}")]
    Invalid {
        /// One line.
        message: String,
        /// What to do instead, if that is known.
        help: Option<String>,
        /// Where in the file.
        span: Span,
        /// The file.
        source_file: Box<Source>,
    },
}

/// Finds the configuration for a path: in its directory or the nearest one above that has one.
///
/// `start` is a file or directory; it is made absolute first, so that `.` has directories above it.
#[expect(
    clippy::disallowed_methods,
    reason = "the configuration is the one file that is not a migration"
)]
pub fn find(start: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    start
        .ancestors()
        .map(|directory| directory.join(FILE_NAME))
        .find(|file| file.is_file())
}

/// Finds and reads the configuration for a path; none if there is none.
pub fn load(start: &Path) -> Result<Option<Loaded>, ConfigError> {
    find(start).map(|path| load_file(&path)).transpose()
}

/// Reads a file that somebody has named. An error says why it cannot be had, in words.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads what somebody names and is not a migration"
)]
pub fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

/// Reads a configuration.
pub fn load_file(path: &Path) -> Result<Loaded, ConfigError> {
    let shown = shown(path);
    let unreadable = |reason: String| ConfigError::Unreadable {
        path: shown.clone(),
        reason,
    };
    let text = read_text(path).map_err(unreadable)?;
    let source = Source::new(SourceId(0), shown.clone(), text);
    let mut settings = parse(&source).map_err(|problem| ConfigError::in_file(problem, source))?;
    let absolute = std::path::absolute(path).map_err(|error| unreadable(error.to_string()))?;
    settings.root = absolute.parent().map(Path::to_owned);
    Ok(Loaded {
        settings,
        path: path.to_owned(),
    })
}

/// A path as a person at the keyboard knows it: from the current directory on, with `/`.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::path::absolute(".").unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(path);
    path.display().to_string().replace('\\', "/")
}

impl ConfigError {
    /// What is not understood, with the file it is in.
    fn in_file(problem: Problem, source: Source) -> Self {
        Self::Invalid {
            message: problem.message,
            help: problem.help,
            span: problem.span,
            source_file: Box::new(source),
        }
    }
}
