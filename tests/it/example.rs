//! One example: files of a change on the world of `fixtures/world.sql`, and the settings it is checked with.
//!
//! Pages write the settings as attributes of a fence (`layout=flyway`), cases as comments (`-- layout: flyway`). The
//! names and values are the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use globset::GlobSet;
use lockgate::approval::{self, Approval, Approvals};
use lockgate::config;
use lockgate::diagnostic::Level;
use lockgate::layout;
use lockgate::policy::Policy;
use lockgate::report::Report;
use lockgate::rule::{Check, Rule};
use lockgate::settings::{Environment, OptionValue, Settings, Strictness};
use lockgate::snapshot;
use lockgate::source::{Source, SourceId};
use lockgate::testing::{self, Other, Ran};

/// The day on which every example is checked.
const TODAY: &str = "2026-06-01";

/// The world that every example runs in, unless it says `world: none`.
static WORLD: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(root().join("fixtures/world.sql")).unwrap());

/// The root of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// True if the run is to write what it finds instead of comparing.
pub(crate) fn blesses() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The rules on files to look at: all, or the one that `RULE` names. Probes ask a server: `live.rs` tests them.
pub(crate) fn rules() -> Vec<&'static Rule> {
    let wanted = std::env::var("RULE").unwrap_or_default();
    let rules: Vec<&Rule> = lockgate::rules::RULES
        .iter()
        .filter(|rule| !matches!(rule.check, Check::Probe(_)))
        .filter(|rule| wanted.is_empty() || rule.id == wanted)
        .collect();
    assert!(!rules.is_empty(), "there is no rule `{wanted}`");
    rules
}

/// The page of a rule.
pub(crate) fn page_path(rule: &Rule) -> PathBuf {
    root().join("rules").join(format!("{}.md", rule.id))
}

/// True for a file of Python by its name.
pub(crate) fn is_python(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "py")
}

/// Files with the settings they are checked with.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Layout's name.
    pub(crate) layout: String,
    /// Path and text, in the order written.
    pub(crate) files: Vec<(String, String)>,
    /// Target major, if the example asks for one.
    pub(crate) postgres: Option<u32>,
    environment: Environment,
    timeouts: bool,
    require_reason: bool,
    strictness: Option<Strictness>,
    after: Option<String>,
    options: Vec<(String, String)>,
    world: bool,
    stats: Vec<snapshot::Relation>,
    /// Files of the branch that these are merged into, from the time when the branches parted; none: nothing is merged.
    pub(crate) base: Vec<(String, String)>,
    /// What that branch has got since.
    pub(crate) theirs: Vec<(String, String)>,
    policies: Vec<Policy>,
    /// Patterns of the application's sources.
    sources: Option<GlobSet>,
    /// Entries of the file of sign-offs; none: there is no such file.
    approvals: Option<Vec<Approval>>,
}

/// `orders 12000000 rows`, `orders 12000000 rows 500 writes/s`: what the snapshot says about a table of rows of 200 bytes.
fn stats(text: &str) -> Option<snapshot::Relation> {
    let words: Vec<&str> = text.split([' ', ':']).collect();
    let (name, rows, writes) = match words[..] {
        [name, rows, "rows"] => (name, rows, None),
        [name, rows, "rows", writes, "writes/s"] => (name, rows, Some(writes)),
        _ => return None,
    };
    let rows: u64 = rows.parse().ok()?;
    let writes: Option<u64> = writes.map(str::parse).transpose().ok()?;
    Some(snapshot::Relation {
        schema: "public".to_owned(),
        name: name.to_owned(),
        rows: Some(rows),
        bytes: Some(rows * 200),
        // The counters of ten seconds.
        activity: writes.map(|writes| snapshot::Activity {
            updated: writes * 10,
            ..snapshot::Activity::default()
        }),
        ..snapshot::Relation::default()
    })
}

impl Default for Example {
    fn default() -> Self {
        Self {
            layout: "plain".to_owned(),
            files: Vec::new(),
            postgres: None,
            environment: Environment::Production,
            timeouts: true,
            require_reason: false,
            strictness: None,
            after: None,
            options: Vec::new(),
            world: true,
            stats: Vec::new(),
            base: Vec::new(),
            theirs: Vec::new(),
            policies: Vec::new(),
            approvals: None,
            sources: None,
        }
    }
}

impl Example {
    /// Names that [`Example::set`] knows.
    pub(crate) const KEYS: [&str; 13] = [
        "layout",
        "pg",
        "env",
        "timeouts",
        "require_reason",
        "strictness",
        "after",
        "option",
        "world",
        "stats",
        "policy",
        "approval",
        "sources",
    ];

    /// One setting. The error says what is wrong with it.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let wrong = || Err(format!("`{key}` cannot be `{value}`"));
        match (key, value) {
            ("layout", name) if layout::by_name(name).is_some() => {
                name.clone_into(&mut self.layout);
            }
            ("pg", major) => match major.parse() {
                Ok(major @ 13..=18) => self.postgres = Some(major),
                _ => return wrong(),
            },
            ("env", name) => match Environment::ALL.into_iter().find(|e| e.as_str() == name) {
                Some(environment) => self.environment = environment,
                None => return wrong(),
            },
            ("timeouts", "none") => self.timeouts = false,
            ("require_reason", "" | "true") => self.require_reason = true,
            ("strictness", "default") => self.strictness = Some(Strictness::Default),
            ("strictness", "strict") => self.strictness = Some(Strictness::Strict),
            ("strictness", "audit") => self.strictness = Some(Strictness::Audit),
            ("after", version) => self.after = Some(version.to_owned()),
            ("option", pair) => match pair.split_once('=') {
                Some((name, value)) => {
                    self.options
                        .push((name.trim().to_owned(), value.trim().to_owned()));
                }
                None => return wrong(),
            },
            ("policy", text) => {
                let yaml = format!("policies: [{text}]");
                let source = Source::new(SourceId(0), "lockgate.yaml", yaml);
                match config::parse(&source) {
                    Ok(settings) => self.policies.extend(settings.policies),
                    Err(problem) => return Err(problem.message),
                }
            }
            ("sources", pattern) => {
                let yaml = format!("sources: \"{pattern}\"");
                let source = Source::new(SourceId(0), "lockgate.yaml", yaml);
                match config::parse(&source) {
                    Ok(settings) => self.sources = settings.sources,
                    Err(problem) => return Err(problem.message),
                }
            }
            ("approval", "none") => self.approvals = Some(Vec::new()),
            ("approval", text) => {
                let yaml = format!("approvals: [{text}]");
                let source = Source::new(SourceId(0), "approvals.yaml", yaml);
                match approval::parse(&source) {
                    Ok(read) => self.approvals.get_or_insert_default().extend(read.list),
                    Err(problem) => return Err(problem.message),
                }
            }
            ("stats", text) => match stats(text) {
                Some(relation) => self.stats.push(relation),
                None => return wrong(),
            },
            ("world", "none") => self.world = false,
            (key, _) if Self::KEYS.contains(&key) => return wrong(),
            _ => return Err(format!("`{key}` is not a setting of an example")),
        }
        Ok(())
    }

    /// The path of a file that is not named.
    pub(crate) fn default_path(&self) -> String {
        match self.layout.as_str() {
            "alembic" => "versions/example.py",
            "flyway" | "refinery" => "V1__example.sql",
            "goose" | "dbmate" | "sqlx" | "supabase" | "sql-migrate" | "tern" | "atlas"
            | "node-pg-migrate" => "1_example.sql",
            "diesel" => "1_example/up.sql",
            "prisma" | "drizzle" => "1_example/migration.sql",
            "golang-migrate" => "000001_example.up.sql",
            _ => "migration.sql",
        }
        .to_owned()
    }

    /// The major that the example is for: the one it names, else the newest one of the rule.
    pub(crate) fn major(&self, rule: &Rule) -> u32 {
        self.postgres.unwrap_or(rule.postgres.1)
    }

    /// Checks it with the settings that belong to a rule. The strictness is the rule's own unless one is given or the
    /// example has one.
    /// The error says which option is not one of the rule's.
    pub(crate) fn check(
        &self,
        rule: &Rule,
        strictness: Option<Strictness>,
    ) -> Result<Report, String> {
        let mut settings = Settings {
            strictness: strictness.or(self.strictness).unwrap_or(rule.strictness),
            ..self.settings(self.major(rule))
        };
        // A rule that is off by default is switched on for its own examples.
        if rule.level.is_none() {
            let of_rule = settings.rules.entry(rule.id.to_owned()).or_default();
            of_rule.level = Some(Some(Level::Warning));
        }
        for (name, value) in &self.options {
            let option = rule
                .options
                .iter()
                .find(|option| option.name == name)
                .ok_or_else(|| format!("`{}` has no option `{name}`", rule.id))?;
            let wrong = || format!("`{value}` is not of the type `{}`", option.kind);
            let value = match option.kind {
                "int" => OptionValue::Int(value.parse().map_err(|_| wrong())?),
                "bool" => OptionValue::Bool(value.parse().map_err(|_| wrong())?),
                "list" => {
                    OptionValue::List(value.split(',').map(|v| v.trim().to_owned()).collect())
                }
                _ => OptionValue::Text(value.clone()),
            };
            let of_rule = settings.rules.entry(rule.id.to_owned()).or_default();
            of_rule.options.insert(name.clone(), value);
        }
        let world = self.world.then_some(WORLD.as_str());
        if self.base.is_empty() && self.theirs.is_empty() {
            return Ok(testing::check(&self.layout, &self.files(), world, settings));
        }
        let other = Other {
            base: &borrowed(&self.base),
            theirs: &borrowed(&self.theirs),
        };
        let files = self.files();
        Ok(testing::check_branch(
            &self.layout,
            &files,
            other,
            world,
            settings,
        ))
    }

    /// Its statements, and what the model says about each.
    pub(crate) fn effects(&self, major: u32) -> Vec<Ran> {
        let world = self.world.then_some(WORLD.as_str());
        testing::effects(&self.layout, &self.files(), world, &self.settings(major))
    }

    /// True if the tool sets timeouts.
    pub(crate) fn has_timeouts(&self) -> bool {
        self.timeouts
    }

    /// True if the tables of the world are there.
    pub(crate) fn has_world(&self) -> bool {
        self.world
    }

    fn files(&self) -> Vec<(&str, &str)> {
        borrowed(&self.files)
    }

    fn settings(&self, postgres: u32) -> Settings {
        let mut settings = Settings {
            postgres,
            environment: self.environment,
            after: self.after.clone(),
            require_reason: self.require_reason,
            policies: self.policies.clone(),
            sources: self.sources.clone(),
            today: Some(TODAY.to_owned()),
            ..Settings::default()
        };
        if !self.stats.is_empty() {
            settings.stats = Some(Arc::new(snapshot::Snapshot {
                taken_at: Some("2026-06-01T00:00:10Z".to_owned()),
                stats_reset: Some("2026-06-01T00:00:00Z".to_owned()),
                relations: self.stats.clone(),
                ..snapshot::Snapshot::default()
            }));
        }
        settings.approvals = self.approvals.clone().map(|list| {
            Arc::new(Approvals {
                file: "approvals.yaml".to_owned(),
                list,
            })
        });
        if self.timeouts {
            settings.lock_timeout = Some(2_000);
            settings.statement_timeout = Some(30_000);
        }
        settings
    }
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    let files = files.iter();
    files
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}
