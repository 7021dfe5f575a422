//! `explain`, `rules`, `schema` and `generate`: what the program knows about itself.

use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};

use super::Failure;
use crate::report::{self, Style, json, locks};
use crate::rule::Rule;
use crate::rules::{RULES, by_id};
use crate::suggest::{closest, one_of};
use crate::{approval, config, explain, snapshot};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lockgate explain index-not-concurrent")]
pub(super) struct ExplainArgs {
    /// Name of the rule, here or in another tool (`squawk:ban-drop-column`)
    rule: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lockgate rules --format json")]
pub(super) struct RulesArgs {
    /// How to list them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lockgate schema config > lockgate.schema.json")]
pub(super) struct SchemaArgs {
    /// What to describe
    of: SchemaOf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaOf {
    /// `lockgate.yaml`
    Config,
    /// The output of `lockgate check --format json`
    Json,
    /// The output of `lockgate locks --format json`
    Locks,
    /// The file of sign-offs that `approvals` in the configuration names
    Approvals,
    /// The snapshot of a database that `--stats` reads
    Snapshot,
    /// A line of the output of `lockgate live watch --format json`
    Watch,
    /// The output of `lockgate live compare --format json`
    Comparison,
}

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    #[command(subcommand)]
    what: Generated,
}

#[derive(Debug, Subcommand)]
enum Generated {
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The man page, in roff
    Man,
}

pub(super) fn explain(
    args: &ExplainArgs,
    style: Style,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let rule = find(&args.rule)?;
    Ok(explain::page(rule, style, out)?)
}

/// The rule of a name, ours or another tool's.
fn find(name: &str) -> Result<&'static Rule, Failure> {
    if let Some(rule) = by_id(name) {
        return Ok(rule);
    }
    let called: Vec<&'static Rule> = RULES.iter().filter(|rule| rule.is_called(name)).collect();
    match called[..] {
        [rule] => Ok(rule),
        [] => Err(unknown(name)),
        _ => {
            let ids: Vec<&str> = called.iter().map(|rule| rule.id).collect();
            Err(Failure::Usage {
                message: format!("`{name}` is several rules here"),
                help: format!("ask for {}", one_of(&ids)),
            })
        }
    }
}

fn unknown(name: &str) -> Failure {
    Failure::Usage {
        message: format!("`{name}` is not a rule"),
        help: match closest(name, RULES.iter().map(|rule| rule.id)) {
            Some(id) => format!("did you mean `{id}`?"),
            None => "`lockgate rules` lists them all".to_owned(),
        },
    }
}

pub(super) fn rules(args: &RulesArgs, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match args.format {
        ListFormat::Text => explain::list(RULES, style, out),
        ListFormat::Json => explain::list_json(RULES, out),
    }
}

pub(super) fn schema(args: &SchemaArgs, out: &mut dyn Write) -> io::Result<()> {
    match args.of {
        SchemaOf::Json => out.write_all(json::SCHEMA.as_bytes()),
        SchemaOf::Locks => out.write_all(locks::json::SCHEMA.as_bytes()),
        SchemaOf::Approvals => out.write_all(approval::SCHEMA.as_bytes()),
        SchemaOf::Snapshot => out.write_all(snapshot::SCHEMA.as_bytes()),
        SchemaOf::Watch => out.write_all(report::WATCH_SCHEMA.as_bytes()),
        SchemaOf::Comparison => out.write_all(report::COMPARISON_SCHEMA.as_bytes()),
        SchemaOf::Config => {
            serde_json::to_writer_pretty(&mut *out, &config::schema())?;
            writeln!(out)
        }
    }
}

pub(super) fn generate(
    args: &GenerateArgs,
    mut command: clap::Command,
    out: &mut dyn Write,
) -> io::Result<()> {
    match args.what {
        Generated::Completions { shell } => {
            // Written to memory first: the generator panics where a pipe is closed.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "lockgate", &mut script);
            out.write_all(&script)
        }
        Generated::Man => clap_mangen::Man::new(command).render(&mut &mut *out),
    }
}
