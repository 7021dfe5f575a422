//! The command line: what can be asked, where answers go, and how the program ends.
//!
//! Results go to standard output, everything else to standard error. Exit status: 0 clean, 1 findings at or above
//! `--fail-on`, 2 the run failed. A reader that closes the pipe early has seen enough: that is 0.

mod check;
mod docs;
mod fix;
#[cfg(feature = "live")]
mod live;
mod locks;
mod target;

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::ConfigError;
use crate::diagnostic::Level;
use crate::discover::GitError;
use crate::report::Style;
use crate::report::text::{Notice, write_notice};
use crate::source::{Source, Span};

/// Says what your PostgreSQL migrations will lock, rewrite, break or lose, before they run.
#[derive(Debug, Parser)]
#[command(name = "lockgate", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours; `auto` also heeds `NO_COLOR`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

const EXAMPLES: &str = "\
Examples:
  lockgate check                         check the project around the current directory
  lockgate check db/migrations           check one directory
  lockgate check --base origin/main      check what a branch changes
  lockgate locks --after 0041            what will be locked, and for how long
  lockgate live pre                      is now a safe moment to run them?
  lockgate explain index-not-concurrent  read about a rule

Exit status: 0 clean, 1 findings, 2 the run failed.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check migrations
    Check(check::Args),
    /// Show what migrations lock, for how long, and whom that stops
    Locks(locks::Args),
    /// Ask a live database: is now a safe moment?
    #[cfg(feature = "live")]
    Live(live::Args),
    /// Show the page of a rule: why it matters and what to do instead
    Explain(docs::ExplainArgs),
    /// List the rules
    Rules(docs::RulesArgs),
    /// Print a JSON Schema: of the configuration or of a JSON output
    Schema(docs::SchemaArgs),
    /// Print shell completions or the man page
    #[command(hide = true)]
    Generate(docs::GenerateArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Why a run failed: the text for a person, with what to try.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("{message}")]
    Usage { message: String, help: String },
    #[error("{message}")]
    Unreadable { message: String },
    #[error("{message}")]
    Invalid {
        message: String,
        help: Option<String>,
        span: Span,
        source_file: Box<Source>,
    },
    #[error("{path}: cannot be written: {error}")]
    Output { path: String, error: io::Error },
    #[error("the output cannot be written: {0}")]
    Stdout(#[from] io::Error),
    #[error("the SQL parser that was built in is not the expected one: {0}")]
    Parser(String),
}

/// How a run that did not fail ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
    /// Some files could not be read, or there was nothing to check.
    Incomplete,
}

/// Runs a command line and says how the process ends. Never returns for `--help` and for arguments that are wrong.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = Cli::command().get_matches_from(arguments);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let choice = match cli.color {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto => AutoStream::choice(&io::stdout()),
    };
    let style = Style {
        color: choice != ColorChoice::Never,
        links: choice != ColorChoice::Never && io::stdout().is_terminal(),
    };
    let mut out = BufWriter::new(AutoStream::new(io::stdout().lock(), choice));
    let result = dispatch(&cli.command, &matches, style, &mut out)
        .and_then(|outcome| Ok(out.flush().map(|()| outcome)?));
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(2),
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            complain(&failure, cli.color);
            ExitCode::from(2)
        }
    }
}

fn dispatch(
    command: &Command,
    matches: &ArgMatches,
    style: Style,
    out: &mut dyn Write,
) -> Result<Outcome, Failure> {
    match command {
        Command::Check(args) => {
            let pairs = matches.subcommand_matches("check").map(check::pairs);
            return check::run(args, &pairs.unwrap_or_default(), style, out);
        }
        Command::Locks(args) => return locks::run(args, style, out),
        #[cfg(feature = "live")]
        Command::Live(args) => return live::run(args, style, out),
        Command::Explain(args) => docs::explain(args, style, out)?,
        Command::Rules(args) => docs::rules(args, style, out)?,
        Command::Schema(args) => docs::schema(args, out)?,
        Command::Generate(args) => docs::generate(args, Cli::command(), out)?,
    }
    Ok(Outcome::Clean)
}

/// Writes a report to a file, without colours.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line says where a report is written"
)]
fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut text = Vec::new();
    write(&mut text)?;
    std::fs::write(path, text).map_err(|error| Failure::Output {
        path: path.display().to_string(),
        error,
    })
}

/// Says something on standard error that is no result.
fn note(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says on standard error why the run failed, with the renderer of findings.
fn complain(failure: &Failure, color: Color) {
    let choice = match color {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto => AutoStream::choice(&io::stderr()),
    };
    let style = Style {
        color: choice != ColorChoice::Never,
        links: false,
    };
    let mut notice = Notice {
        level: Level::Error,
        id: None,
        message: failure.to_string(),
        place: None,
        labels: Vec::new(),
        around: None,
        notes: Vec::new(),
        help: None,
    };
    match failure {
        Failure::Config(ConfigError::Invalid {
            help,
            span,
            source_file,
            ..
        })
        | Failure::Invalid {
            help,
            span,
            source_file,
            ..
        } => {
            notice.place = Some((source_file, *span));
            notice.help = help.as_deref();
        }
        Failure::Git(error) => notice.help = Some(&error.help),
        Failure::Usage { help, .. } => notice.help = Some(help),
        _ => {}
    }
    let mut err = AutoStream::new(io::stderr().lock(), choice);
    // Nobody is left to tell if standard error is closed.
    let _ = write_notice(&notice, style, &mut err);
}
