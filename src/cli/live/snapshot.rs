//! `lockgate live snapshot`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::super::{Failure, Outcome, note, write_file};
use super::outside::invariants_in;
use super::{Connecting, unreachable};
use crate::live::snapshot::take;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(flatten)]
    connecting: Connecting,

    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// With the texts of statements, as far as no constant is left in them
    #[arg(long)]
    query_texts: bool,

    /// A file of SELECTs: what those return that must stay the same is noted, for `live post --invariants`
    #[arg(long, value_name = "FILE")]
    invariants: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let target = args.connecting.target()?;
    let invariants = match &args.invariants {
        None => Vec::new(),
        Some(file) => invariants_in(file)?,
    };
    let taken = take(&target, args.query_texts, &invariants)
        .map_err(|trouble| unreachable(&target, trouble))?;
    for text in &taken.notes {
        note(&format!("note: {text}"));
    }
    let json = taken
        .snapshot
        .to_json()
        .map_err(|error| Failure::Unreadable {
            message: format!("the server's numbers are none: {error}"),
        })?;
    match &args.output {
        None => out.write_all(json.as_bytes())?,
        Some(path) => write_file(path, |out| out.write_all(json.as_bytes()))?,
    }
    Ok(Outcome::Clean)
}
