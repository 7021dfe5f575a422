//! What a command is asked to look at: the arguments that all commands on migrations share.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::config;
use crate::discover::{self, Discovered, StdinInput, discover};
use crate::settings::{Environment, NEWEST_POSTGRES, OLDEST_POSTGRES, Settings};
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
    /// The configuration's settings with those of the command line over them.
    pub(super) settings: Settings,
}

impl Request {
    /// Finds and reads the migrations.
    pub(super) fn discover(self, settings: &Settings) -> Discovered {
        discover(&discover::Request {
            cwd: &self.cwd,
            paths: &self.paths,
            settings,
            stdin: self.stdin,
        })
    }
}

impl Target {
    /// True if a file was named, rather than a directory to look for migrations in.
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
        Ok(Request {
            cwd,
            paths: self.paths.clone(),
            stdin,
            settings,
        })
    }
}
