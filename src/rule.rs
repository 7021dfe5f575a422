//! What a rule is, and what it is given to work with.

use std::collections::BTreeMap;

use crate::diagnostic::{Certainty, Fix, Label, Level};
use crate::effect::Effect;
use crate::layout::{History, Migration, Problem};
use crate::probe::Probe;
use crate::settings::{Environment, OptionValue, Strictness, milliseconds};
use crate::source::{Location, Span};
use crate::statement::{Name, Statement};

pub use crate::context::{Cx, bare_words};

/// A rule: the contract of `rules/<id>.md` with its `check` function.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case name; never changes.
    pub id: &'static str,
    /// A noun phrase naming the hazard.
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Default level in production; none means off.
    pub level: Option<Level>,
    /// Default level in each environment, in the order of [`Environment::ALL`].
    pub levels: [Option<Level>; 5],
    /// What it is about.
    pub category: Category,
    /// The scripts it looks at.
    pub direction: For,
    /// The highest default level in down scripts, if it is another one there: they seldom run.
    pub down: Option<Level>,
    /// Whether it speaks about tables that are new in the same change.
    pub on: On,
    /// The lowest setting at which it speaks.
    pub strictness: Strictness,
    /// Version of Lockgate that brought it.
    pub since: &'static str,
    /// Majors of PostgreSQL it applies to, both included.
    pub postgres: (u32, u32),
    /// Locks that the page's first bad example takes, as (relation, mode); verified on servers.
    pub locks: &'static [(&'static str, &'static str)],
    /// The page claims those to be all strong locks (an empty list is a claim too).
    pub claims_locks: bool,
    /// What the size and activity of a table mean to its findings.
    pub size: Scale,
    /// Rules whose findings on the same statement and object say the same thing less well: they are left out.
    pub subsumes: &'static [&'static str],
    /// It says its thing once for each file.
    pub once: bool,
    /// It speaks only where no other finding about the same work is left.
    pub last_resort: bool,
    /// Whether it offers fixes.
    pub fix: FixKind,
    /// Its options.
    pub options: &'static [RuleOption],
    /// Names of the same rule in other tools, as `tool:name`.
    pub aliases: &'static [&'static str],
    /// Ids of the checklist items it answers.
    pub checklist: &'static [&'static str],
    /// Rows of the hazard catalogue it covers.
    pub hazards: &'static [&'static str],
    /// The whole page with its front matter.
    pub page: &'static str,
    /// The code.
    pub check: Check,
}

impl Rule {
    /// Default level in an environment; none means off.
    #[must_use]
    pub fn level_in(&self, environment: Environment) -> Option<Level> {
        let index = Environment::ALL.iter().position(|e| *e == environment)?;
        self.levels[index]
    }

    /// True for the rule's name in another tool, with the tool (`squawk:ban-drop-column`) or without, and for a name
    /// it had before.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.aliases.iter().any(|alias| {
            *alias == name
                || alias
                    .split_once(':')
                    .is_some_and(|(_, plain)| plain == name)
        })
    }

    /// The page without its front matter.
    #[must_use]
    pub fn body(&self) -> &'static str {
        self.page
            .splitn(3, "---\n")
            .nth(2)
            .unwrap_or("")
            .trim_start()
    }
}

/// The address of a rule's page, where the package says where it lives.
#[must_use]
pub fn page_url(id: &str) -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    let version = env!("CARGO_PKG_VERSION");
    (!repository.is_empty()).then(|| format!("{repository}/blob/v{version}/rules/{id}.md"))
}

/// An option of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// Its name in the configuration.
    pub name: &'static str,
    /// `duration`, `int`, `bool`, `text`, `list`.
    pub kind: &'static str,
    /// Its default, as written in a configuration.
    pub default: &'static str,
    /// One line about it.
    pub text: &'static str,
}

/// The options of a rule: what the configuration says, else their defaults.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) values: &'a BTreeMap<String, OptionValue>,
}

impl Options<'_> {
    /// A duration in milliseconds.
    #[must_use]
    pub fn duration(&self, name: &str) -> u64 {
        let text = match self.values.get(name) {
            Some(OptionValue::Text(text)) => text.clone(),
            Some(OptionValue::Int(number)) => number.to_string(),
            _ => self.default_of(name).to_owned(),
        };
        milliseconds(&text).unwrap_or_default()
    }

    /// A duration in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no length of time is that long")]
    pub fn seconds(&self, name: &str) -> f64 {
        self.duration(name) as f64 / 1_000.0
    }

    /// A number.
    #[must_use]
    pub fn int(&self, name: &str) -> i64 {
        match self.values.get(name) {
            Some(OptionValue::Int(number)) => *number,
            _ => self.default_of(name).parse().unwrap_or_default(),
        }
    }

    /// A yes or no.
    #[must_use]
    pub fn bool(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(OptionValue::Bool(value)) => *value,
            _ => self.default_of(name) == "true",
        }
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(OptionValue::Text(text)) => text.clone(),
            Some(OptionValue::Int(number)) => number.to_string(),
            _ => self.default_of(name).to_owned(),
        }
    }

    /// A list of texts; its default is written with commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = match self.values.get(name) {
            Some(OptionValue::List(list)) => return list.clone(),
            Some(OptionValue::Text(text)) => text.as_str(),
            _ => self.default_of(name),
        };
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn default_of(&self, name: &str) -> &'static str {
        self.rule
            .options
            .iter()
            .find(|option| option.name == name)
            .map_or("", |option| option.default)
    }
}

/// A rule's function; its signature is its scope.
#[derive(Clone, Copy)]
pub enum Check {
    /// Asked about each statement that runs.
    Statement(fn(&mut Cx<'_>, &Statement)),
    /// Asked about each migration.
    Migration(fn(&mut Cx<'_>, &Migration)),
    /// Asked once about the whole history.
    History(fn(&mut Cx<'_>, &History)),
    /// Asked about a database.
    Probe(Probe),
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Statement(_) => "Statement",
            Self::Migration(_) => "Migration",
            Self::History(_) => "History",
            Self::Probe(_) => "Probe",
        })
    }
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Category {
    Availability,
    DataLoss,
    Compatibility,
    Correctness,
    Reversibility,
    Transaction,
    Schema,
    Layout,
    Security,
    Live,
}

impl Category {
    /// The word used in pages and outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::DataLoss => "data-loss",
            Self::Compatibility => "compatibility",
            Self::Correctness => "correctness",
            Self::Reversibility => "reversibility",
            Self::Transaction => "transaction",
            Self::Schema => "schema",
            Self::Layout => "layout",
            Self::Security => "security",
            Self::Live => "live",
        }
    }
}

/// The scripts that a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Forward migrations.
    Up,
    /// Down scripts.
    Down,
    /// Both.
    Any,
}

/// Whether a rule speaks about tables that are new in the same change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Only tables that may hold rows and be in use.
    Existing,
    /// All tables.
    Any,
}

/// What the size and activity of a table in production mean to a rule's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Nothing.
    None,
    /// They are about work that others wait for: the longer, the worse.
    Work,
    /// They are about rows that are changed: the more, the worse.
    Rows,
    /// They are about waiting for a lock: the busier the table, the worse.
    Lock,
}

/// Whether a rule offers fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FixKind {
    None,
    Safe,
    Unsafe,
}

/// What a rule says: the part of a [`crate::diagnostic::Diagnostic`] that the rule decides.
#[derive(Debug)]
pub struct Finding {
    pub(crate) span: Span,
    pub(crate) source: Option<Location>,
    pub(crate) message: String,
    pub(crate) table: Option<Name>,
    pub(crate) certainty: Certainty,
    pub(crate) level: Option<Level>,
    pub(crate) labels: Vec<Label>,
    pub(crate) help: Option<String>,
    pub(crate) fix: Option<Fix>,
    pub(crate) effects: Vec<Effect>,
}

impl Finding {
    /// A finding at a place of the file being checked.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            source: None,
            message: message.into(),
            table: None,
            certainty: Certainty::Certain,
            level: None,
            labels: Vec::new(),
            help: None,
            fix: None,
            effects: Vec::new(),
        }
    }

    /// A finding at a place of any file.
    #[must_use]
    pub fn at(location: Location, message: impl Into<String>) -> Self {
        Self {
            source: Some(location),
            ..Self::new(location.span, message)
        }
    }

    /// A finding that the layout made.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let finding = Self {
            help: problem.help.clone(),
            ..Self::at(problem.location, problem.message.clone())
        };
        problem
            .labels
            .iter()
            .fold(finding, |finding, (location, text)| {
                finding.label(*location, text.clone())
            })
    }

    /// The table it is about: dropped if the table is new in the same change and the rule is about existing ones.
    #[must_use]
    pub fn on(mut self, table: &Name) -> Self {
        self.table = Some(table.clone());
        self
    }

    /// The next action.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another place that explains it.
    #[must_use]
    pub fn label(mut self, location: Location, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            location,
            text: text.into(),
        });
        self
    }

    /// How sure it is; certain unless said.
    #[must_use]
    pub fn certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// Another level than the rule's default; the configuration still wins.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// What the statement locks and does.
    #[must_use]
    pub fn effects(mut self, effects: impl IntoIterator<Item = Effect>) -> Self {
        self.effects.extend(effects);
        self
    }

    /// A change that removes it, where there is one.
    #[must_use]
    pub fn fix_if(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix.or(self.fix);
        self
    }

    /// A change that removes it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}
