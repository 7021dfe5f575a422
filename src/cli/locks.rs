//! `lockgate locks`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::target::Target;
use super::{Failure, Outcome};
use crate::analyze;
use crate::report::Style;
use crate::report::locks::{Format, TableStyle, render};
use crate::sql;

const EXAMPLES: &str = "\
Examples:
  lockgate locks
  lockgate locks db/migrations/0042_add_index.up.sql
  lockgate locks --after 20240101000000 --postgres 16
  lockgate locks --down --all
  lockgate locks --format json --output locks.json";

/// Columns where nothing says how many there are.
const WIDTH: usize = 100;
/// Fewer are not enough for a table.
const NARROWEST: usize = 60;

#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show scripts that go back, too
    #[arg(long)]
    down: bool,

    /// Show also statements and locks that stop nobody
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &Args, style: Style, out: &mut dyn Write) -> Result<Outcome, Failure> {
    sql::self_check().map_err(Failure::Parser)?;
    let request = args.target.request()?;
    let settings = request.settings.clone();
    let report = analyze::locks(request.discover(&settings)?, &settings, args.down);
    let colours = style;
    let style = |style, width| TableStyle {
        style,
        width,
        all: args.all,
    };
    match &args.output {
        None => render(&report, args.format, style(colours, width()), out)?,
        Some(path) => super::write_file(path, |out| {
            render(&report, args.format, style(Style::default(), WIDTH), out)
        })?,
    }
    Ok(if report.errors.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Incomplete
    })
}

/// Columns of the terminal; in a pipe what `COLUMNS` says.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line knows what it writes to"
)]
fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let terminal = || {
        std::io::stdout().is_terminal().then_some(())?;
        let (terminal_size::Width(width), _) = terminal_size::terminal_size()?;
        Some(usize::from(width))
    };
    terminal().or_else(columns).unwrap_or(WIDTH).max(NARROWEST)
}
