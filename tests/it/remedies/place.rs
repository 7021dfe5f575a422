//! A remedy put where it says that it belongs: files in, files out.

use std::collections::BTreeMap;

use lockgate::diagnostic::{Place, Step};

/// Layouts whose order is not that of the names: a further migration is also a line elsewhere.
const LISTED: &[&str] = &["drizzle", "sqitch", "liquibase"];

/// A finding's statement and the steps that it offers.
pub(super) struct Remedy<'a> {
    pub(super) layout: &'a str,
    /// Path and text of all files.
    pub(super) files: &'a [(String, String)],
    /// The file of the statement.
    pub(super) path: &'a str,
    /// Where the statement stands in it.
    pub(super) range: std::ops::Range<usize>,
    /// Without sketches, and without those that only look.
    pub(super) steps: Vec<&'a Step>,
}

impl Remedy<'_> {
    /// The files behind the remedy; none if this layout's further migrations cannot be written here.
    pub(super) fn files(&self) -> Option<Vec<(String, String)>> {
        let (_, text) = self.files.iter().find(|(path, _)| path == self.path)?;
        let text = self.in_place(text);
        let further: Vec<&Step> = self
            .steps
            .iter()
            .copied()
            .filter(|s| s.place.is_own())
            .collect();
        let by_hand = self.steps.iter().any(|step| step.place == Place::ByHand);
        let mut files: BTreeMap<String, String> = self.files.iter().cloned().collect();
        files.insert(self.path.to_owned(), text.clone());
        if further.is_empty() && !by_hand {
            return Some(files.into_iter().collect());
        }
        if by_hand || LISTED.contains(&self.layout) {
            return None;
        }
        if self.layout == "alembic" {
            return self.revisions(files, &further);
        }
        // Room between the versions.
        let mut files: BTreeMap<String, String> = files
            .into_iter()
            .map(|(path, text)| (numbered(&path, "00", false), text))
            .collect();
        if is_empty(&text) {
            files.remove(&numbered(self.path, "00", false));
        }
        for (number, step) in further.into_iter().enumerate() {
            let earlier = step.place == Place::Earlier;
            let behind = if earlier {
                format!("9{number}")
            } else {
                format!("0{}", number + 1)
            };
            let path = numbered(self.path, &behind, earlier);
            if let Some(file) = &step.beside {
                files.insert(file.name.path(&path), file.text.clone());
            }
            files.insert(path, whole(self.layout, step));
        }
        Some(files.into_iter().collect())
    }

    /// The file's text with the steps that stand in it.
    fn in_place(&self, text: &str) -> String {
        let of = |place| {
            let steps = self.steps.iter().filter(move |step| step.place == place);
            steps.map(|step| step.text.trim_end()).collect::<Vec<_>>()
        };
        let mut range = self.range.clone();
        if self.layout == "alembic" {
            range = whole_call(text, range);
        }
        let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let indent: String = text[line..].chars().take_while(|c| *c == ' ').collect();
        let rest = &text[range.end..];
        if let Some(at) = rest.find(';').filter(|at| rest[..*at].trim().is_empty()) {
            range.end += at + 1;
        }
        let goes = self.steps.iter().any(|step| step.place.replaces());
        let python = self.layout == "alembic";
        let mut parts = of(Place::Before);
        if goes {
            parts.extend(of(Place::Instead));
        } else {
            parts.push(&text[range.clone()]);
        }
        parts.extend(of(Place::Behind));
        if parts.is_empty() && python {
            parts.push("pass");
        }
        let new = parts.join("\n");
        let new = if python {
            // What stands between triple quotes may be indented as well: it is SQL.
            new.replace('\n', &format!("\n{indent}"))
        } else {
            new
        };
        format!("{}{new}{}", &text[..range.start], &text[range.end..])
    }

    /// Alembic's graph with further revisions before and behind the one of the file.
    fn revisions(
        &self,
        mut files: BTreeMap<String, String>,
        further: &[&Step],
    ) -> Option<Vec<(String, String)>> {
        let value = |text: &str, name: &str| -> Option<String> {
            let line = text.lines().find(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
            })?;
            Some(line.rsplit_once('=')?.1.trim().to_owned())
        };
        let own = files.get(self.path)?.clone();
        let (revision, parent) = (value(&own, "revision")?, value(&own, "down_revision")?);
        let directory = self.path.rsplit_once('/').map_or("", |(at, _)| at);
        let mut before = parent.clone();
        let mut behind = revision.clone();
        for (number, step) in further.iter().enumerate() {
            let name = format!("\"lg{number}\"");
            let last = if step.place == Place::Earlier {
                &mut before
            } else {
                &mut behind
            };
            let body = step.text.trim_end().replace('\n', "\n    ");
            let text = format!(
                "from alembic import op\n\nrevision = {name}\ndown_revision = {last}\n\n\ndef upgrade():\n    {body}\n\n\ndef downgrade():\n    pass\n"
            );
            *last = name;
            files.insert(
                format!("{directory}/lg{number}_step.py")
                    .trim_start_matches('/')
                    .to_owned(),
                text,
            );
        }
        for (path, text) in &mut files {
            if path == self.path {
                let (from, to) = (&parent, &before);
                if from != to {
                    let line = text
                        .lines()
                        .find(|line| line.starts_with("down_revision"))?;
                    let new = format!("down_revision = {to}");
                    *text = text.replacen(line, &new, 1);
                }
            } else if !path.contains("_step.py")
                && value(text, "down_revision").is_some_and(|of| of == revision)
            {
                let line = text
                    .lines()
                    .find(|line| line.starts_with("down_revision"))?
                    .to_owned();
                *text = text.replacen(&line, &format!("down_revision = {behind}"), 1);
            }
        }
        Some(files.into_iter().collect())
    }
}

/// The call of Alembic that a place stands in or for.
fn whole_call(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let behind = (range.start + 3).min(text.len());
    let Some(start) = text.get(..behind).and_then(|before| before.rfind("op.")) else {
        return range;
    };
    let mut depth = 0;
    for (at, c) in text[start..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 && c == ')' && start + at + 1 >= range.end {
            return start..start + at + 1;
        }
    }
    range
}

/// True if nothing is left of a script but comments; what goes back does not count.
fn is_empty(text: &str) -> bool {
    let backwards = |line: &str| {
        let line = line.to_ascii_lowercase().replace(' ', "");
        [
            "--+goosedown",
            "--migrate:down",
            "--+migratedown",
            "----createabove",
        ]
        .iter()
        .any(|mark| line.starts_with(mark))
    };
    let up: Vec<&str> = text.lines().take_while(|line| !backwards(line)).collect();
    lockgate::sql::parse_text(&up.join("\n"))
        .statements
        .is_empty()
}

/// A path whose version goes on with further digits; the one before it on request.
fn numbered(path: &str, digits: &str, earlier: bool) -> String {
    let (directory, name) = path.rsplit_once('/').map_or(("", path), |(d, n)| (d, n));
    let has_number = |part: &str| {
        part.trim_start_matches(['V', 'U', 'B'])
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let number = |part: &str| -> String {
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let number: String = part[at..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let value: u64 = number.parse().unwrap_or(0);
        let value = if earlier {
            value.saturating_sub(1)
        } else {
            value
        };
        let width = number.len();
        format!(
            "{}{value:0width$}{digits}{}",
            &part[..at],
            &part[at + width..]
        )
    };
    let join = |directory: &str, name: &str| {
        if directory.is_empty() {
            name.to_owned()
        } else {
            format!("{directory}/{name}")
        }
    };
    if has_number(name) {
        return join(directory, &number(name));
    }
    let (above, last) = directory
        .rsplit_once('/')
        .map_or(("", directory), |(d, n)| (d, n));
    if has_number(last) {
        return join(&join(above, &number(last)), name);
    }
    if name.starts_with("R__") {
        return path.to_owned();
    }
    // Names without a number are in the order of the alphabet: what stands before them follows from that.
    let mark = if earlier { "!" } else { "" };
    let (stem, extension) = name.split_once('.').unwrap_or((name, "sql"));
    join(directory, &format!("{stem}{mark}{digits}.{extension}"))
}

/// A step as a file of its own.
fn whole(layout: &str, step: &Step) -> String {
    let opens = |mark: &str| {
        if step.text.contains(mark) {
            String::new()
        } else {
            format!("{mark}\n")
        }
    };
    let text = step.text.trim_end();
    match layout {
        "goose" => format!("{}{text}\n-- +goose Down\n", opens("-- +goose Up")),
        "dbmate" => format!("{}{text}\n-- migrate:down\n", opens("-- migrate:up")),
        "sql-migrate" => format!("{}{text}\n-- +migrate Down\n", opens("-- +migrate Up")),
        "node-pg-migrate" => format!("-- Up Migration\n{text}\n-- Down Migration\n"),
        _ => format!("{text}\n"),
    }
}
