//! Formatted SQL: `--liquibase formatted sql`, then `--changeset author:id attribute:value …` lines with SQL below them.
//!
//! Tried with version 4.28: words are known in any case, blanks may stand around them, and a line with one dash or with
//! words that come near stops the tool. What stands before the first changeset is not run. Comments are not sent.

use super::changeset::{Dbms, Head, Skipped, goes_on, is_for_others, one_line};
use super::plan::Plan;
use super::property::Property;
use super::split::{self, Cut};
use super::text::{Sql, Text};
use super::{misspelt, torn};
use crate::layout::{Direction, File, Piece, Problem, ProblemKind, Reading, Wraps, text};
use crate::source::Span;

/// True if the first line of a file that holds anything is Liquibase's.
pub(super) fn is_formatted(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    text::lines(text)
        .map(|(_, line)| line.trim())
        .find(|line| !line.is_empty())
        .and_then(|line| line.strip_prefix("--"))
        .and_then(|line| strip_word(line.trim_start(), "liquibase"))
        .is_some_and(|rest| strip_word(rest.trim_start(), "formatted").is_some())
}

/// A text without the word that it begins with, in any case.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let start = text.get(..word.len())?;
    start
        .eq_ignore_ascii_case(word)
        .then(|| &text[word.len()..])
}

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
enum Line<'t> {
    Changeset(&'t str),
    Property(&'t str),
    Rollback(&'t str),
    Preconditions(&'t str),
    IgnoreLines(&'t str),
    Comment(&'t str),
    /// A word that Liquibase knows, written in a way that it refuses.
    Refused,
    Other,
}

fn line(line: &str) -> Line<'_> {
    let bare = line.trim_start();
    let dashes = bare.len() - bare.trim_start_matches('-').len();
    if dashes == 0 || dashes > 2 {
        return Line::Other;
    }
    let rest = bare[dashes..].trim_start();
    let follows = |word: &str| strip_word(rest, word).filter(|rest| !rest.starts_with(is_part));
    if dashes == 1 {
        let known = [
            "changeset",
            "rollback",
            "property",
            "comment",
            "preconditions",
            "ignoreLines",
        ];
        let is_known = known.iter().any(|word| follows(word).is_some());
        return if is_known { Line::Refused } else { Line::Other };
    }
    if let Some(rest) = strip_word(rest, "changeset") {
        return if rest.starts_with(char::is_whitespace) && rest.contains(':') {
            Line::Changeset(rest)
        } else {
            Line::Refused
        };
    }
    if let Some(rest) = follows("property") {
        return Line::Property(rest);
    }
    if let Some(rest) = follows("rollback") {
        return Line::Rollback(rest);
    }
    if let Some(rest) = follows("preconditions") {
        return Line::Preconditions(rest);
    }
    if let Some(rest) = follows("ignoreLines") {
        return Line::IgnoreLines(rest.trim_start_matches(':').trim());
    }
    if let Some(rest) = follows("comment").or_else(|| follows("comments")) {
        return Line::Comment(rest.trim_start_matches(':').trim());
    }
    Line::Other
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The value of `name:value` on a line, without quotes; of several the last one.
fn attribute<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let raw = raw_attribute(line, name)?;
    match raw.strip_prefix('"') {
        Some(_) => raw.split('"').nth(1),
        None => Some(raw.split_whitespace().next().unwrap_or_default()),
    }
}

/// All that stands behind `name:`.
fn raw_attribute<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let lower = line.to_ascii_lowercase();
    let needle = format!("{}:", name.to_ascii_lowercase());
    let mut found = None;
    for (at, _) in lower.match_indices(&needle) {
        if !lower[..at].ends_with(is_part) {
            found = line.get(at + needle.len()..);
        }
    }
    found
}

/// The definitions of parameters in a file.
pub(super) fn properties(text: &str) -> Vec<Property> {
    let mut all = Vec::new();
    for (_, own) in text::lines(text) {
        let Line::Property(rest) = line(own) else {
            continue;
        };
        let dbms = raw_attribute(rest, "dbms").and_then(|rest| rest.split_whitespace().next());
        let word = |name| raw_attribute(rest, name).and_then(|rest| rest.split_whitespace().next());
        if let (Some(name), Some(value)) = (word("name"), word("value"))
            && Dbms::of(dbms).is_ours()
        {
            all.push(Property {
                name: name.to_owned(),
                value: value.to_owned(),
                is_global: attribute(rest, "global").is_none_or(|value| value != "false"),
            });
        }
    }
    all
}

/// Number of changesets in a file.
pub(super) fn count(text: &str) -> usize {
    text::lines(text)
        .filter(|(_, own)| matches!(line(own), Line::Changeset(_)))
        .count()
}

/// The author and id of a changeset line, and what stands behind them. Either may be in quotes.
fn identity(rest: &str) -> Option<(&str, &str, &str)> {
    let rest = rest.trim_start();
    let (author, rest) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((author, rest)) => (author, rest.trim_start().strip_prefix(':')?),
        None => rest.split_once(':')?,
    };
    let rest = rest.trim_start();
    let (id, rest) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some(parts) => parts,
        None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
    };
    (!author.is_empty() && !id.is_empty()).then_some((author.trim(), id, rest))
}

/// A changeset's line and the place of what stands below it.
struct Block<'t> {
    span: Span,
    rest: &'t str,
    body: Span,
}

/// Reads the changesets of a file.
pub(super) fn read(file: &File<'_>, plan: &Plan) -> Reading {
    let text = &file.source.text;
    let mut reading = Reading::default();
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (start, own) in text::lines(text) {
        let span = Span::new(start, start + own.trim_end().len());
        match line(own) {
            Line::Changeset(rest) => {
                if let Some(last) = blocks.last_mut() {
                    last.body.end = span.start;
                }
                let end = (start + own.len()).min(text.len());
                let below = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
                blocks.push(Block {
                    span,
                    rest,
                    body: Span::new(below, text.len()),
                });
            }
            Line::Refused => reading.problems.push(file.problem_at(
                span,
                ProblemKind::Syntax,
                "Liquibase refuses this file: this line is close to one that it knows".to_owned(),
                Some("write `--changeset author:id`, `--rollback SQL`, `--property name:x value:y`, … with two dashes".to_owned()),
            )),
            _ => {}
        }
    }
    lead(file, &blocks, &mut reading);
    for (index, block) in blocks.iter().enumerate() {
        let Some((author, id, rest)) = identity(block.rest) else {
            reading.problems.push(refused(file, block.span));
            continue;
        };
        match skipped(rest) {
            Some(Skipped::Meant) => continue,
            Some(Skipped::Misspelt(name)) => {
                reading.problems.push(misspelt(file, block.span, &name));
                continue;
            }
            None => {}
        }
        let is_on = |name: &str| {
            attribute(rest, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let is_off = |name: &str| {
            attribute(rest, name).is_some_and(|value| value.eq_ignore_ascii_case("false"))
        };
        let again = is_on("runOnChange") || is_on("runAlways");
        let head = Head {
            id: id.to_owned(),
            author: author.to_owned(),
            path: attribute(rest, "logicalFilePath")
                .unwrap_or(file.path)
                .to_owned(),
            place: plan.place(file.path, index),
            direction: if again {
                Direction::Repeatable
            } else {
                Direction::Up
            },
            wraps: is_off("runInTransaction").then_some(Wraps::Nothing),
            conditional: false,
            comment: String::new(),
            contexts: ["context", "contextFilter", "labels"]
                .iter()
                .filter_map(|name| attribute(rest, name))
                .collect::<Vec<_>>()
                .join(" "),
            span: block.span,
        };
        changeset(file, plan, head, rest, block.body, &mut reading);
    }
    reading
}

fn refused(file: &File<'_>, span: Span) -> Problem {
    file.problem_at(
        span,
        ProblemKind::Syntax,
        "Liquibase refuses this file: the line names no author and id".to_owned(),
        Some("write `--changeset author:id`".to_owned()),
    )
}

/// SQL before the first changeset, which never runs.
fn lead(file: &File<'_>, blocks: &[Block<'_>], reading: &mut Reading) {
    let end = blocks
        .first()
        .map_or(file.source.text.len(), |first| first.span.start as usize);
    let part = Span::new(0, end);
    let before = file.source.slice(part).trim_start_matches('\u{feff}');
    if text::blank(before).is_none() {
        // Comments stand first; the statement is what is dropped.
        let statement =
            crate::sql::split::split(before, &crate::sql::split::SplitOptions::default());
        let offset = file.source.slice(part).len() - before.len();
        let span = statement
            .segments
            .first()
            .map_or(Span::default(), |segment| {
                Span::new(
                    offset + segment.span.start as usize,
                    offset + segment.span.end as usize,
                )
            });
        reading.problems.push(file.problem_at(
            text::first_line(file.source, span),
            ProblemKind::Ignored,
            "Liquibase never runs this: it stands before the first `--changeset`".to_owned(),
            Some("write `--changeset author:id` above it".to_owned()),
        ));
    }
}

fn skipped(rest: &str) -> Option<Skipped> {
    if attribute(rest, "ignore").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Some(Skipped::Meant);
    }
    let contexts = attribute(rest, "context").or_else(|| attribute(rest, "contextFilter"));
    if contexts.is_some_and(is_for_others) {
        return Some(Skipped::Meant);
    }
    let dbms = raw_attribute(rest, "dbms").and_then(|rest| rest.split_whitespace().next());
    let dbms = Dbms::of(dbms);
    (!dbms.is_ours()).then(|| {
        dbms.misspelt()
            .map_or(Skipped::Meant, |name| Skipped::Misspelt(name.to_owned()))
    })
}

/// How the way back of a changeset is written.
#[derive(Default)]
struct Back {
    /// Its SQL.
    sql: Option<Sql>,
    /// Where it begins.
    span: Option<Span>,
    /// There is nothing to do.
    is_empty: bool,
    /// Another changeset is run again.
    runs: Option<String>,
}

impl Back {
    fn add(&mut self, file: &File<'_>, span: Span, sql: Span) {
        self.span.get_or_insert(span);
        let words = file.source.slice(sql).trim();
        let is = |word: &str| strip_word(words, word).is_some();
        if self.sql.is_none() && (is("empty") || is("not required")) {
            self.is_empty = true;
        } else if let Some(id) = attribute(words, "changesetId") {
            self.runs = Some(id.to_owned());
        } else {
            let own = self.sql.take().unwrap_or_else(|| Sql::new(span));
            let text = Text::copied(&file.source.text, sql);
            self.sql = Some(own.text(&text).add("\n"));
        }
    }
}

fn changeset(
    file: &File<'_>,
    plan: &Plan,
    mut head: Head,
    rest: &str,
    body: Span,
    reading: &mut Reading,
) {
    let base = body.start as usize;
    let mut back = Back::default();
    let mut gone: Vec<std::ops::Range<usize>> = Vec::new();
    // Lines that are not read: how many more, or up to the line that says so.
    let mut ignored: Option<usize> = None;
    let mut is_in_block = false;
    for (offset, own) in text::lines(file.source.slice(body)) {
        let span = Span::new(base + offset, base + offset + own.trim_end().len());
        if let Some(count) = ignored {
            gone.push(offset..offset + own.len());
            let ends =
                matches!(line(own), Line::IgnoreLines(rest) if rest.eq_ignore_ascii_case("end"));
            ignored = if ends || count == 1 {
                None
            } else {
                Some(count.saturating_sub(1))
            };
            continue;
        }
        if is_in_block {
            let (sql, ends) = match own.find("*/") {
                Some(end) => (&own[..end], true),
                None => (own, false),
            };
            back.add(
                file,
                span,
                Span::new(base + offset, base + offset + sql.len()),
            );
            is_in_block = !ends;
            continue;
        }
        match line(own) {
            Line::Rollback(rest) => {
                let start = base + offset + (own.len() - rest.len());
                back.add(file, span, Span::new(start, base + offset + own.len()));
            }
            Line::Preconditions(rest) => {
                let actions = ["onFail", "onError"];
                let mut actions = actions.iter().filter_map(|name| attribute(rest, name));
                head.conditional = actions.any(goes_on);
            }
            Line::IgnoreLines(rest) => {
                ignored = match rest.parse() {
                    Ok(0) => None,
                    Ok(count) => Some(count),
                    Err(_) if rest.eq_ignore_ascii_case("start") => Some(usize::MAX),
                    Err(_) => None,
                };
            }
            Line::Comment(words) if head.comment.is_empty() => head.comment = one_line(words),
            // It is said once what is wrong with it.
            Line::Refused => gone.push(offset..offset + own.len()),
            _ if is_rollback_block(own) => {
                is_in_block = true;
                back.span.get_or_insert(span);
            }
            _ => {}
        }
    }
    let whole = Text::copied(&file.source.text, body);
    let text = plan.fill_in(file.path, &split::without(&whole, &gone));
    let flag = |name: &str| attribute(rest, name).map(|value| value.eq_ignore_ascii_case("true"));
    let delimiter =
        |name: &str| raw_attribute(rest, name).and_then(|rest| rest.split_whitespace().next());
    let mut script = head.script(file, head.direction, head.span);
    let how = Cut::of(flag("splitStatements"), delimiter("endDelimiter"));
    let (parts, cuts) = split::cut(&text, &how);
    script.emptiness = text::blank(&text.value);
    let help = "write `splitStatements:false` behind `--changeset` and keep one statement in it, or `endDelimiter:` with something that does not stand in it";
    reading
        .problems
        .extend(cuts.iter().map(|cut| torn(file, cut, help)));
    for part in parts {
        script.pieces.push(Piece {
            send: part.send,
            ..head.piece(part.sql.into_fragment())
        });
    }
    reading.scripts.push(script);
    let Some(span) = back.span else { return };
    let mut script = head.script(file, Direction::Down, span);
    if let Some(id) = &back.runs {
        let reason = format!("the way back is to run changeset `{id}` again");
        script.not_analysed.push((span, reason));
    }
    let has_sql = back.sql.is_some();
    if let Some(sql) = back.sql {
        let text = plan.fill_in(file.path, &sql.into_text());
        let how = Cut::of(
            flag("rollbackSplitStatements"),
            delimiter("rollbackEndDelimiter"),
        );
        let (parts, cuts) = split::cut(&text, &how);
        let help = "write `rollbackSplitStatements:false` behind `--changeset`";
        reading
            .problems
            .extend(cuts.iter().map(|cut| torn(file, cut, help)));
        script.emptiness = text::blank(&text.value);
        for part in parts {
            script.pieces.push(Piece {
                send: part.send,
                ..head.piece(part.sql.into_fragment())
            });
        }
    }
    // A bare `--rollback` says nothing, and Liquibase takes it for none.
    if has_sql || back.is_empty || back.runs.is_some() {
        reading.scripts.push(script);
    }
}

/// True for the line that opens `/* liquibase rollback`.
fn is_rollback_block(line: &str) -> bool {
    line.trim()
        .strip_prefix("/*")
        .and_then(|rest| strip_word(rest.trim_start(), "liquibase"))
        .and_then(|rest| strip_word(rest.trim_start(), "rollback"))
        .is_some_and(|rest| rest.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_in_any_case_and_with_blanks() {
        for (text, expected) in [
            ("--changeset a:1", Line::Changeset(" a:1")),
            (" --  ChangeSet a:1 x:y", Line::Changeset(" a:1 x:y")),
            ("-changeset a:1", Line::Refused),
            ("--changeset", Line::Refused),
            ("--changesets below", Line::Refused),
            ("---changeset a:1", Line::Other),
            ("-- rollback drop table a", Line::Rollback(" drop table a")),
            ("--rollbacks", Line::Other),
            ("- rollback x", Line::Refused),
            ("-rollback x", Line::Refused),
            ("--ignoreLines:2", Line::IgnoreLines("2")),
            ("--comment: hi", Line::Comment("hi")),
            ("- 1", Line::Other),
            ("-", Line::Other),
            ("select 1 --changeset a:1", Line::Other),
            ("", Line::Other),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }

    #[test]
    fn a_changeset_is_an_author_and_an_id() {
        for (rest, expected) in [
            (" a:1", Some(("a", "1", ""))),
            (" \"a b\":1 x:y", Some(("a b", "1", " x:y"))),
            (" a: 1 x", Some(("a", "1", " x"))),
            (" a:11a:b", Some(("a", "11a:b", ""))),
            (
                " raw includeAll me:12",
                Some(("raw includeAll me", "12", "")),
            ),
            (" a:\"x y\" z", Some(("a", "x y", " z"))),
            (" a:", None),
            (" :1", None),
        ] {
            assert_eq!(identity(rest), expected, "{rest}");
        }
    }

    #[test]
    fn attributes_are_found_anywhere_on_the_line() {
        let rest = " context:\"dev and !prod\" rollbackSplitStatements:false splitstatements:TRUE dbms:a,b endDelimiter:@@";
        assert_eq!(attribute(rest, "context"), Some("dev and !prod"));
        assert_eq!(attribute(rest, "splitStatements"), Some("TRUE"));
        assert_eq!(attribute(rest, "rollbackSplitStatements"), Some("false"));
        assert_eq!(attribute(rest, "endDelimiter"), Some("@@"));
        assert_eq!(attribute(rest, "labels"), None);
    }

    #[test]
    fn the_first_line_that_holds_anything_decides() {
        for (text, expected) in [
            ("--liquibase formatted sql\n", true),
            ("\u{feff}\n  -- Liquibase  FORMATTED SQL x\n", true),
            ("-- a\n--liquibase formatted sql", false),
            ("select 1", false),
            ("", false),
        ] {
            assert_eq!(is_formatted(text), expected, "{text}");
        }
    }
}
