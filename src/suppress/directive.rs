//! The text of one suppression comment.

use crate::markers::{self, Marker, Misread};
use crate::rule::Rule;
use crate::suggest::closest;

/// What a comment says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    /// The instruction as it stands.
    pub(super) text: &'a str,
    /// Whose comment it is.
    pub(super) tool: Tool,
    /// It is about the whole file.
    pub(super) whole_file: bool,
    /// Names of rules, in the tool's words.
    pub(super) rules: Vec<&'a str>,
    /// Why; empty if it does not say.
    pub(super) reason: &'a str,
    /// The last day on which it holds.
    pub(super) until: Option<&'a str>,
    /// It allows nothing and says something about the migration.
    pub(super) marker: Option<Marker>,
    /// What is not understood.
    pub(super) misread: Vec<Misread<'a>>,
}

/// Whose comment it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Lockgate,
    Squawk,
    Eugene,
}

impl Tool {
    fn prefix(self) -> &'static str {
        match self {
            Self::Lockgate => "",
            Self::Squawk => "squawk:",
            Self::Eugene => "eugene:",
        }
    }

    /// The rules that the tool's name stands for: the rule of that name, or those that have it as an alias.
    pub(super) fn rules(self, name: &str, rules: &'static [Rule]) -> Vec<&'static str> {
        let alias = format!("{}{name}", self.prefix());
        rules
            .iter()
            .filter(|rule| {
                (self == Self::Lockgate && rule.id == name)
                    || rule.aliases.contains(&alias.as_str())
            })
            .map(|rule| rule.id)
            .collect()
    }

    /// All rules that the tool has too.
    pub(super) fn all_rules(self, rules: &'static [Rule]) -> Vec<&'static str> {
        rules
            .iter()
            .filter(|rule| {
                rule.aliases
                    .iter()
                    .any(|alias| alias.starts_with(self.prefix()))
            })
            .map(|rule| rule.id)
            .collect()
    }
}

/// Reads the instructions in a comment: at most one on each of its lines.
pub(super) fn read(comment: &str) -> impl Iterator<Item = Directive<'_>> {
    comment.split(['\n', '\r']).filter_map(read_line)
}

fn read_line(line: &str) -> Option<Directive<'_>> {
    let text = line
        .trim_start_matches(['-', '*', '#', '!', ' ', '\t'])
        .trim_end();
    if let Some(rest) = after_word(text, "squawk-ignore-file") {
        return Some(foreign(Tool::Squawk, true, text, rest));
    }
    if let Some(rest) = after_word(text, "squawk-ignore") {
        return Some(foreign(Tool::Squawk, false, text, rest));
    }
    if let Some(rest) = after_word(text, "eugene:") {
        let rest = after_word(rest.trim_start(), "ignore")?;
        return Some(foreign(Tool::Eugene, false, text, rest));
    }
    let rest = after_word(text, "lockgate")?.trim_start();
    match rest.strip_prefix(':') {
        Some(rest) => Some(ours(text, rest.trim_start())),
        // Prose may begin with our name; only what looks like an instruction is one.
        None if rest.starts_with("allow") => Some(ours(text, rest)),
        None => None,
    }
}

/// What follows a word at the beginning of a text, whatever its case.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    let ends = word.ends_with(':')
        || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

fn empty(text: &str, tool: Tool, whole_file: bool) -> Directive<'_> {
    Directive {
        text,
        tool,
        whole_file,
        rules: Vec::new(),
        reason: "",
        until: None,
        marker: None,
        misread: Vec::new(),
    }
}

/// A comment of another tool: what is not understood in it is that tool's business.
fn foreign<'a>(tool: Tool, whole_file: bool, text: &'a str, rest: &'a str) -> Directive<'a> {
    let rules = rest.split_once("--").map_or(rest, |(rules, _)| rules);
    Directive {
        rules: rules
            .split([',', ' ', '\t'])
            .map(|name| name.trim_matches(':'))
            .filter(|name| !name.is_empty())
            .collect(),
        ..empty(text, tool, whole_file)
    }
}

/// `allow <rule>[, <rule>] [until <date>] [-- <reason> [until <date>]]`, or a marker.
fn ours<'a>(text: &'a str, rest: &'a str) -> Directive<'a> {
    const FORM: &str = "the form is `lockgate: allow <rule>, <rule> -- <reason>`";
    let mut directive = empty(text, Tool::Lockgate, false);
    if let Some(marker) = markers::read(rest) {
        match marker {
            Ok(marker) => directive.marker = Some(marker),
            Err(misread) => directive.misread.push(misread),
        }
        return directive;
    }
    let mut misread = |text: &'a str, message: String, help: String| {
        directive.misread.push(Misread {
            text,
            message,
            help,
        });
    };
    let verb_end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    let (verb, rest) = rest.split_at(verb_end);
    match verb {
        "allow" => {}
        "allow-file" => directive.whole_file = true,
        _ => {
            let help = match closest(
                verb,
                ["allow", "allow-file"].into_iter().chain(markers::WORDS),
            ) {
                Some(word) => format!("did you mean `{word}`?"),
                None => FORM.to_owned(),
            };
            misread(
                verb,
                format!("`{verb}` is not an instruction of Lockgate"),
                help,
            );
            return directive;
        }
    }
    if !text.contains(':') {
        let message = "there is no colon behind `lockgate`".to_owned();
        misread(text, message, FORM.to_owned());
        return directive;
    }

    // The dashes stand alone: a rule's name may hold one, and never two.
    let (names, reason) = rest.split_once("--").unwrap_or((rest, ""));
    directive.reason = reason.trim();
    for item in names.split(',') {
        let mut words = item.split_whitespace();
        let Some(name) = words.next() else { continue };
        let next = words.next();
        if name == "until" {
            directive.until = next.filter(|date| is_date(date));
            if directive.until.is_none() {
                let date = next.unwrap_or(name);
                misread(date, format!("`{date}` is not a date"), DATE.to_owned());
            }
            continue;
        }
        directive.rules.push(name);
        match next {
            Some("until") => match words.next() {
                Some(date) if is_date(date) => directive.until = Some(date),
                date => {
                    let date = date.unwrap_or("until");
                    misread(date, format!("`{date}` is not a date"), DATE.to_owned());
                }
            },
            Some(word) => {
                let help = "names are separated by commas, and a reason begins with `--`";
                misread(
                    word,
                    format!("`{word}` is not understood here"),
                    help.to_owned(),
                );
            }
            None => {}
        }
    }
    if directive.rules.is_empty() && directive.misread.is_empty() {
        directive.misread.push(Misread {
            text,
            message: "this comment names no rule".to_owned(),
            help: FORM.to_owned(),
        });
    }
    // A reason may end with the date: "… until 2027-03-01".
    if let Some((reason, date)) = directive.reason.rsplit_once(char::is_whitespace)
        && let Some(reason) = reason.trim_end().strip_suffix("until")
        && date.starts_with(|c: char| c.is_ascii_digit())
    {
        if is_date(date) {
            directive.until = Some(date);
            directive.reason = reason.trim_end();
        } else if date.contains('-') {
            directive.misread.push(Misread {
                text: date,
                message: format!("`{date}` is not a date"),
                help: DATE.to_owned(),
            });
        }
    }
    directive
}

const DATE: &str = "a date is written `2027-03-01`";

/// A date of the form `2027-03-01`, which compares as text.
fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    text.len() == 10
        && text.as_bytes()[4] == b'-'
        && text.as_bytes()[7] == b'-'
        && number(0..4).is_some()
        && number(5..7).is_some_and(|month| (1..=12).contains(&month))
        && number(8..10).is_some_and(|day| (1..=31).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tool file? rules | reason | until | misread words`.
    fn shown(comment: &str) -> Vec<String> {
        read(comment)
            .map(|d| {
                let misread: Vec<&str> = d.misread.iter().map(|word| word.text).collect();
                format!(
                    "{:?}{} {} | {} | {} | {}",
                    d.tool,
                    if d.whole_file { " file" } else { "" },
                    d.rules.join("+"),
                    d.reason,
                    d.until.unwrap_or("-"),
                    misread.join("+")
                )
            })
            .collect()
    }

    #[test]
    fn instructions_are_read_as_people_write_them() {
        for (comment, expected) in [
            (
                " lockgate: allow drop-column",
                "Lockgate drop-column |  | - | ",
            ),
            (
                "lockgate:allow a,b , c -- it is empty",
                "Lockgate a+b+c | it is empty | - | ",
            ),
            (
                " Lockgate: allow-file a --why",
                "Lockgate file a | why | - | ",
            ),
            (
                " lockgate: allow a until 2027-03-01 -- why",
                "Lockgate a | why | 2027-03-01 | ",
            ),
            (
                " lockgate: allow a -- why until 2027-03-01",
                "Lockgate a | why | 2027-03-01 | ",
            ),
            (
                " lockgate: allow a -- kept until release 7",
                "Lockgate a | kept until release 7 | - | ",
            ),
            (
                " lockgate: allow a -- why until 2027-13-01",
                "Lockgate a | why until 2027-13-01 | - | 2027-13-01",
            ),
            (
                " lockgate: allow a until tomorrow",
                "Lockgate a |  | - | tomorrow",
            ),
            (" lockgate: allow a because", "Lockgate a |  | - | because"),
            (" lockgate: allow", "Lockgate  |  | - | lockgate: allow"),
            (" lockgate: ignore a", "Lockgate  |  | - | ignore"),
            (" lockgate: phase expand", "Lockgate  |  | - | "),
            (" lockgate: risk: huge", "Lockgate  |  | - | huge"),
            (
                " lockgate: irreversible:",
                "Lockgate  |  | - | irreversible:",
            ),
            (" lockgate allow a", "Lockgate  |  | - | lockgate allow a"),
            ("* text\n * lockgate: allow a\n", "Lockgate a |  | - | "),
            (
                " squawk-ignore ban-drop-column, b",
                "Squawk ban-drop-column+b |  | - | ",
            ),
            (" squawk-ignore a -- why", "Squawk a |  | - | "),
            (" squawk-ignore-file", "Squawk file  |  | - | "),
            (" eugene: ignore E1, W2", "Eugene E1+W2 |  | - | "),
            (" lockgate: allow ü, , a", "Lockgate ü+a |  | - | "),
        ] {
            assert_eq!(shown(comment), [expected], "{comment}");
        }
        for prose in [
            "",
            "lockgate",
            " lockgate found this",
            "lockgates: allow a",
            "squawk-ignored",
            "eugene: hm",
            "é",
        ] {
            assert_eq!(shown(prose), [""; 0], "{prose}");
        }
    }
}
