//! A rule's page on a terminal, or as Markdown in a pipe; the list of rules.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};
use serde::Serialize;

use crate::report::Style;
use crate::rule::{Check, FixKind, Rule};
use crate::settings::{Environment, Strictness};

/// Columns that a paragraph on a terminal fills.
const WIDTH: usize = 88;

const TITLE: Ansi = Ansi::new().bold();
const DIM: Ansi = Ansi::new().dimmed();
const CODE: Ansi = AnsiColor::Cyan.on_default();
const BAD: Ansi = AnsiColor::Yellow.on_default();
const GOOD: Ansi = AnsiColor::Green.on_default();

/// Writes the page of a rule.
pub fn page(rule: &Rule, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let body = rule.body();
    let (title, rest) = body.split_once('\n').unwrap_or((body, ""));
    let facts = facts(rule);
    if !style.color {
        return write!(out, "{title}\n\n{facts}\n{rest}");
    }
    let title = title.trim_start_matches(['#', ' ']);
    writeln!(out, "{TITLE}{title}{TITLE:#}\n{DIM}{facts}{DIM:#}")?;
    for block in blocks(rest) {
        writeln!(out)?;
        write_block(&block, style, out)?;
    }
    Ok(())
}

/// One line about the rule: id, level, category, versions.
fn facts(rule: &Rule) -> String {
    let level = rule.level.map_or("off", |level| level.as_str());
    let mut facts = format!("{}: {level}, {}", rule.id, rule.category.as_str());
    match rule.strictness {
        Strictness::Default => {}
        Strictness::Strict => facts.push_str(", with --strict"),
        Strictness::Audit => facts.push_str(", with strictness audit"),
    }
    let (oldest, newest) = rule.postgres;
    // Writing to a string cannot fail.
    let _ = if oldest == newest {
        write!(facts, ", PostgreSQL {oldest}")
    } else {
        write!(facts, ", PostgreSQL {oldest} to {newest}")
    };
    facts
}

/// A part of a page.
#[derive(Debug, PartialEq)]
enum Block<'a> {
    Heading(&'a str),
    Fence {
        info: &'a str,
        lines: Vec<&'a str>,
    },
    Item(String),
    Paragraph(String),
    /// A line kept as it is (tables).
    Line(&'a str),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.split('\n');
    // The text of a paragraph or list item that may go on.
    let mut open = false;
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some(info) = line.strip_prefix("```") {
            let fence = lines.by_ref().take_while(|line| !line.starts_with("```"));
            blocks.push(Block::Fence {
                info: info.trim(),
                lines: fence.collect(),
            });
            open = false;
        } else if trimmed.is_empty() {
            open = false;
        } else if line.starts_with('#') {
            blocks.push(Block::Heading(line.trim_start_matches('#').trim()));
            open = false;
        } else if line.starts_with('|') {
            blocks.push(Block::Line(line));
            open = false;
        } else if let Some(item) = trimmed.strip_prefix("- ").or(trimmed.strip_prefix("* ")) {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else if let (true, Some(Block::Paragraph(text) | Block::Item(text))) =
            (open, blocks.last_mut())
        {
            text.push(' ');
            text.push_str(trimmed);
        } else {
            blocks.push(Block::Paragraph(trimmed.to_owned()));
            open = true;
        }
    }
    blocks
}

fn write_block(block: &Block<'_>, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match block {
        Block::Heading(text) => writeln!(out, "{TITLE}{text}{TITLE:#}"),
        Block::Line(line) => writeln!(out, "{line}"),
        Block::Paragraph(text) => writeln!(out, "{}", wrapped(text, "", style)),
        Block::Item(text) => writeln!(out, "- {}", wrapped(text, "  ", style)),
        Block::Fence { info, lines } => {
            let words = || info.split_whitespace();
            let color = if words().any(|word| word == "bad") {
                BAD
            } else if words().any(|word| word == "good") {
                GOOD
            } else {
                DIM
            };
            for line in lines {
                if line.is_empty() {
                    writeln!(out)?;
                } else {
                    writeln!(out, "    {color}{line}{color:#}")?;
                }
            }
            Ok(())
        }
    }
}

/// A paragraph in lines of [`WIDTH`] columns, its code and links painted.
fn wrapped(text: &str, indent: &str, style: Style) -> String {
    let mut out = String::new();
    let mut column = indent.len();
    for (index, word) in words(text).into_iter().enumerate() {
        let (painted, width) = inline(word, style);
        if index > 0 {
            if column + 1 + width > WIDTH {
                out.push('\n');
                out.push_str(indent);
                column = indent.len();
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(&painted);
        column += width;
    }
    out
}

/// The words of a text; code in backticks and links stay whole.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut in_code, mut in_link) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '`' => in_code = !in_code,
            '[' if !in_code => in_link = true,
            ']' if !in_code => in_link = false,
            ' ' if !in_code && !in_link => {
                words.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// A word as it is printed, and its width.
fn inline(word: &str, style: Style) -> (String, usize) {
    if let Some((before, text, url, after)) = link(word) {
        return if style.links {
            let linked =
                format!("{before}\x1b]8;;{url}\x1b\\{CODE}{text}{CODE:#}\x1b]8;;\x1b\\{after}");
            (linked, [before, text, after].map(width).iter().sum())
        } else {
            let shown = format!("{before}{text} <{url}>{after}");
            let width = width(&shown);
            (shown, width)
        };
    }
    let mut painted = String::new();
    let mut columns = 0;
    for (index, part) in word.split('`').enumerate() {
        columns += width(part);
        if index % 2 == 1 {
            let _ = write!(painted, "{CODE}{part}{CODE:#}");
        } else {
            painted.push_str(part);
        }
    }
    (painted, columns)
}

/// `before[text](url)after`.
fn link(word: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = word.split_once('[')?;
    let (text, rest) = rest.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    let printable = url.chars().all(|c| c.is_ascii_graphic());
    (printable && !before.contains('`')).then_some((before, text, url, after))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Writes the list of rules, by category.
pub fn list(rules: &[Rule], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let id_width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut sorted: Vec<&Rule> = rules.iter().collect();
    sorted.sort_by_key(|rule| (rule.category, rule.id));
    let (bold, dim) = if style.color {
        (TITLE, DIM)
    } else {
        (Ansi::new(), Ansi::new())
    };
    for (index, group) in sorted.chunk_by(|a, b| a.category == b.category).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{bold}{}{bold:#}", group[0].category.as_str())?;
        for rule in group {
            let level = rule.level.map_or("off", |level| level.as_str());
            writeln!(
                out,
                "  {:id_width$}  {dim}{level:7}{dim:#}  {}",
                rule.id, rule.title
            )?;
        }
    }
    Ok(())
}

/// Writes the probes of live mode: when they are asked, what about, and their thresholds.
pub fn probes(style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (bold, dim) = if style.color {
        (TITLE, DIM)
    } else {
        (Ansi::new(), Ansi::new())
    };
    for (index, rule) in crate::rules::RULES
        .iter()
        .filter(|rule| matches!(rule.check, Check::Probe(_)))
        .enumerate()
    {
        let Check::Probe(probe) = rule.check else {
            continue;
        };
        if index > 0 {
            writeln!(out)?;
        }
        let moments: Vec<&str> = probe.moments.iter().map(|when| when.as_str()).collect();
        let level = rule.level.map_or("off", |level| level.as_str());
        writeln!(
            out,
            "{bold}{}{bold:#}  {dim}{level}; {}{dim:#}",
            rule.id,
            moments.join(", ")
        )?;
        writeln!(out, "  {}", rule.summary)?;
        for option in rule.options {
            writeln!(
                out,
                "  {dim}{} = {}{dim:#}  {}",
                option.name, option.default, option.text
            )?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Listed {
    id: &'static str,
    title: &'static str,
    summary: &'static str,
    category: &'static str,
    level: &'static str,
    levels: Levels,
    checks: &'static str,
    strictness: &'static str,
    since: &'static str,
    postgres: [u32; 2],
    fix: Option<&'static str>,
    options: Vec<ListedOption>,
    aliases: &'static [&'static str],
    checklist: &'static [&'static str],
}

#[derive(Serialize)]
struct Levels {
    local: &'static str,
    ci: &'static str,
    dev: &'static str,
    staging: &'static str,
    production: &'static str,
}

#[derive(Serialize)]
struct ListedOption {
    name: &'static str,
    r#type: &'static str,
    default: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct List {
    schema_version: u32,
    rules: Vec<Listed>,
}

/// Writes the list of rules as JSON.
pub fn list_json(rules: &[Rule], out: &mut dyn Write) -> io::Result<()> {
    let list = List {
        schema_version: 1,
        rules: rules.iter().map(listed).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &list).map_err(io::Error::from)?;
    writeln!(out)
}

fn listed(rule: &Rule) -> Listed {
    let level = |environment| {
        rule.level_in(environment)
            .map_or("off", |level| level.as_str())
    };
    Listed {
        id: rule.id,
        title: rule.title,
        summary: rule.summary,
        category: rule.category.as_str(),
        level: rule.level.map_or("off", |level| level.as_str()),
        levels: Levels {
            local: level(Environment::Local),
            ci: level(Environment::Ci),
            dev: level(Environment::Dev),
            staging: level(Environment::Staging),
            production: level(Environment::Production),
        },
        checks: match rule.check {
            Check::Statement(_) => "statement",
            Check::Migration(_) => "migration",
            Check::History(_) => "history",
            Check::Probe(_) => "probe",
        },
        strictness: match rule.strictness {
            Strictness::Default => "default",
            Strictness::Strict => "strict",
            Strictness::Audit => "audit",
        },
        since: rule.since,
        postgres: [rule.postgres.0, rule.postgres.1],
        fix: match rule.fix {
            FixKind::None => None,
            FixKind::Safe => Some("safe"),
            FixKind::Unsafe => Some("unsafe"),
        },
        options: rule
            .options
            .iter()
            .map(|option| ListedOption {
                name: option.name,
                r#type: option.kind,
                default: option.default,
                text: option.text,
            })
            .collect(),
        aliases: rule.aliases,
        checklist: rule.checklist,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_into_blocks() {
        let text =
            "\nOne.\nTwo.\n\n## Why\n- a\n  b\n- c\n\n```sql bad\nX;\n\nY;\n```\n| t |\n```\nopen";
        let fence = |info, lines: &[&'static str]| Block::Fence {
            info,
            lines: lines.to_vec(),
        };
        assert_eq!(
            blocks(text),
            [
                Block::Paragraph("One. Two.".to_owned()),
                Block::Heading("Why"),
                Block::Item("a b".to_owned()),
                Block::Item("c".to_owned()),
                fence("sql bad", &["X;", "", "Y;"]),
                Block::Line("| t |"),
                fence("", &["open"]),
            ]
        );
    }

    #[test]
    fn paragraphs_are_wrapped_between_words_and_painted() {
        let style = Style {
            color: true,
            links: false,
        };
        let text = format!(
            "{} `a b` ([docs](https://x.y/z)).",
            "word ".repeat(16).trim()
        );
        let shown = anstream::adapter::strip_str(&wrapped(&text, "  ", style)).to_string();
        let lines: Vec<&str> = shown.split('\n').collect();
        assert_eq!(lines.len(), 2, "{shown}");
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{shown}");
        assert_eq!(lines[1], "  (docs <https://x.y/z>).");
        let links = Style {
            links: true,
            ..style
        };
        let linked = wrapped("[docs](https://x.y/z)", "", links);
        assert!(
            linked.starts_with("\x1b]8;;https://x.y/z\x1b\\"),
            "{linked:?}"
        );
    }
}
