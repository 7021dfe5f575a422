//! What a command is asked to look at: the arguments that all commands on migrations share.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Failure;
use crate::approval::{self, Approvals};
use crate::config;
use crate::discover::{self, Changed, Discovered, StdinInput, discover};
use crate::settings::{Environment, NEWEST_POSTGRES, OLDEST_POSTGRES, Settings};
use crate::snapshot::{self, Snapshot};
use crate::source::{Problem, Source, SourceId};
use crate::suggest::one_of;

#[derive(Debug, Args)]
pub(super) struct Target {
    /// Files and directories; `-` is standard input; without any, the project around the current directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Major version of the server: 13 to 18
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32)
        .range(i64::from(OLDEST_POSTGRES)..=i64::from(NEWEST_POSTGRES)))]
    postgres: Option<u32>,

    /// Where the migrations will run
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    env: Option<Environment>,

    /// Last version that is already applied: later migrations are checked
    #[arg(long, value_name = "VERSION")]
    after: Option<String>,

    /// Snapshot of production (`lockgate live snapshot`): levels and estimates follow the sizes of tables
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,

    /// Branch that this one will be merged into: what has changed since they parted is checked
    #[arg(long, value_name = "GITREF", conflicts_with = "staged")]
    base: Option<String>,

    /// Check what is staged in Git, as it is staged
    #[arg(long)]
    staged: bool,

    /// Configuration file; found upward from the first path if not named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The file that standard input stands for
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
}

fn environment(word: &str) -> Result<Environment, String> {
    let words = Environment::ALL.map(Environment::as_str);
    let found = Environment::ALL
        .into_iter()
        .find(|environment| environment.as_str() == word);
    found.ok_or_else(|| format!("it can be {}", one_of(&words)))
}

/// The arguments together with the configuration and what is on standard input.
#[derive(Debug)]
pub(super) struct Request {
    /// The directory that the program was started in.
    cwd: PathBuf,
    /// Files and directories as given.
    paths: Vec<PathBuf>,
    /// What standard input holds, and the file that it stands for.
    stdin: Option<StdinInput>,
    /// What Git is asked about.
    changed: Option<Changed>,
    /// The configuration's settings with those of the command line over them.
    pub(super) settings: Settings,
}

impl Request {
    /// The same, with texts that stand for what is on disk.
    pub(super) fn discover_over(
        &self,
        settings: &Settings,
        texts: &BTreeMap<PathBuf, Arc<str>>,
    ) -> Result<Discovered, Failure> {
        let request = discover::Request {
            cwd: &self.cwd,
            paths: &self.paths,
            settings,
            stdin: self.stdin.clone(),
            changed: self.changed.as_ref(),
        };
        Ok(discover::discover_over(&request, texts)?)
    }

    /// The file of a path as shown.
    pub(super) fn file(&self, shown: &str) -> PathBuf {
        let mut file = PathBuf::new();
        for part in self.cwd.join(shown).components() {
            match part {
                Component::ParentDir => {
                    file.pop();
                }
                Component::CurDir => {}
                part => file.push(part),
            }
        }
        file
    }

    /// Files and directories that may be written: those that were named, else the project.
    pub(super) fn writable(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() {
            let root = self.settings.root.clone();
            return vec![root.unwrap_or_else(|| self.cwd.clone())];
        }
        self.paths.iter().map(|path| self.cwd.join(path)).collect()
    }

    /// Why fixing would be a guess, if it would.
    pub(super) fn cannot_fix(&self) -> Option<(&'static str, &'static str)> {
        if self.stdin.is_some() {
            return Some((
                "standard input cannot be fixed",
                "name a file instead of `-`",
            ));
        }
        (self.paths.is_empty() && self.settings.after.is_none()).then_some((
            "nothing says which migrations are applied already, and those must not change",
            "name the files or directories to fix, or the last version that is applied with --after",
        ))
    }

    /// True if a project or a directory is asked about. Single files may be no migrations (an editor or a hook hands over
    /// whatever was saved), and nothing may be staged.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line knows what is there"
    )]
    pub(super) fn expects_migrations(&self) -> bool {
        let is_directory = |path: &PathBuf| self.cwd.join(path).is_dir();
        self.changed.is_none() && self.paths.iter().all(is_directory)
    }

    /// Finds and reads the migrations.
    pub(super) fn discover(self, settings: &Settings) -> Result<Discovered, Failure> {
        Ok(discover(&discover::Request {
            cwd: &self.cwd,
            paths: &self.paths,
            settings,
            stdin: self.stdin,
            changed: self.changed.as_ref(),
        })?)
    }
}

/// A file that is not understood.
fn invalid(problem: Problem, source: Source) -> Failure {
    Failure::Invalid {
        message: problem.message,
        help: problem.help,
        span: problem.span,
        source_file: Box::new(source),
    }
}

/// Reads a snapshot.
pub(super) fn snapshot_in(path: &Path) -> Result<Snapshot, Failure> {
    let shown = config::shown(path);
    let unreadable = |reason: String| Failure::Unreadable {
        message: format!("the snapshot cannot be read: {shown}: {reason}"),
    };
    let text = config::read_text(path).map_err(unreadable)?;
    let source = Source::new(SourceId(0), shown.clone(), text);
    snapshot::parse(&source).map_err(|problem| invalid(problem, source))
}

/// The largest file of sign-offs that is read, in bytes.
const MOST_APPROVALS: u64 = 4 << 20;

/// Reads the sign-offs that the configuration names.
#[expect(
    clippy::disallowed_methods,
    reason = "the configuration names the file, and the command line hands over what is in it"
)]
fn approvals_in(path: &Path) -> Result<Approvals, Failure> {
    let shown = config::shown(path);
    let unreadable = |reason: String| Failure::Unreadable {
        message: format!("the sign-offs cannot be read: {shown}: {reason}"),
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if size.len() > MOST_APPROVALS {
        return Err(unreadable("the file has more than 4 MiB".to_owned()));
    }
    let text = config::read_text(path).map_err(unreadable)?;
    let source = Source::new(SourceId(0), shown.clone(), text);
    approval::parse(&source).map_err(|problem| invalid(problem, source))
}

impl Target {
    /// True if a file was named, rather than a directory to look for migrations in.
    #[cfg(feature = "live")]
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line knows what its paths are"
    )]
    pub(super) fn names_files(&self) -> bool {
        self.paths.iter().any(|path| !path.is_dir())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the command line knows where it was started, and what is there"
    )]
    /// Reads the configuration and standard input.
    pub(super) fn request(&self) -> Result<Request, Failure> {
        let cwd = std::env::current_dir()?;
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        for path in &self.paths {
            // It may hold a password.
            if path.to_str().is_some_and(|text| text.contains("://")) {
                return Err(Failure::Usage {
                    message: "a URL is no file or directory of migrations".to_owned(),
                    help: "`lockgate live` takes a database with --database-url".to_owned(),
                });
            }
            if !is_stdin(path) && !path.exists() {
                return Err(Failure::Usage {
                    message: format!("`{}` does not exist", path.display()),
                    help: "name a file or directory of migrations".to_owned(),
                });
            }
        }
        let stdin = if self.paths.iter().any(|path| is_stdin(path)) {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            Some(StdinInput {
                bytes,
                filename: self.stdin_filename.clone(),
            })
        } else {
            None
        };
        let start = self.paths.iter().find(|path| !is_stdin(path));
        let start = start.or(self.stdin_filename.as_ref()).unwrap_or(&cwd);
        let loaded = match &self.config {
            Some(path) => Some(config::load_file(path)?),
            None => config::load(start)?,
        };
        let mut settings = loaded.map_or_else(Settings::default, |loaded| loaded.settings);
        settings.cwd = Some(cwd.clone());
        settings.postgres = self.postgres.unwrap_or(settings.postgres);
        settings.environment = self.env.unwrap_or(settings.environment);
        settings.after = self.after.clone().or(settings.after);
        let configured = settings
            .stats_file
            .as_ref()
            .map(|file| match &settings.root {
                Some(root) => root.join(file),
                None => file.clone(),
            });
        if let Some(file) = self.stats.as_ref().or(configured.as_ref()) {
            settings.stats = Some(Arc::new(snapshot_in(file)?));
        }
        if let Some(file) = &settings.approvals_file {
            let file = match &settings.root {
                Some(root) => root.join(file),
                None => file.clone(),
            };
            settings.approvals = Some(Arc::new(approvals_in(&file)?));
        }
        let changed = if self.staged {
            let index = std::env::var_os("GIT_INDEX_FILE").map(|index| cwd.join(index));
            Some(Changed::Staged { index })
        } else {
            self.base.clone().map(Changed::Since)
        };
        Ok(Request {
            changed,
            cwd,
            paths: self.paths.clone(),
            stdin,
            settings,
        })
    }
}
