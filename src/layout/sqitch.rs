//! Sqitch: `sqitch.plan` with the scripts `deploy/<change>.sql`, `revert/<change>.sql` and `verify/<change>.sql`.
//!
//! Tried with the tool: the plan's lines are the order. psql runs each script, so statements are sent one by one, psql's
//! commands and variables may stand in it, and there is no transaction but the script's own `BEGIN` and `COMMIT`. A change
//! that is reworked stands in the plan twice; the scripts of the earlier one are called `<change>@<tag>.sql` after the
//! first tag behind it. Verify scripts change nothing and are not looked at.

use std::collections::BTreeMap;

use super::{
    Applied, Client, Direction, DownScripts, File, Files, Found, Late, Layout, Outside,
    ProblemKind, Reading, Runner, RunnerLock, Script, Send, Wraps, arrange_by_place, name, path,
    sign, text,
};
use crate::source::Span;

/// The tool.
pub(super) static LAYOUT: Layout = Layout {
    name: "sqitch",
    detect,
    open,
    files,
    read,
    arrange: |_, scripts| arrange_by_place(scripts),
    compare: None,
    applied: Applied {
        gone: Some("stops: it knows no such change any more"),
        late: |_, _| Late::Unknown,
        ..Applied::by("Sqitch")
    },
    client: Client::PSQL,
    runner: Runner {
        send: Send::PerStatement,
        wraps: Wraps::Nothing,
        session: crate::layout::Session::Each,
        leaves_transaction_for: None,
        sets_apart: None,
        splits_run: false,
        way_out: "put it in a change of its own whose deploy script has no `BEGIN` and no `COMMIT`",
        outside: Outside::Alone,
        opens: "",
        keeps: None,
        lock: RunnerLock::Harmless,
        mixing: None,
        down: DownScripts::Expected,
    },
};

/// The plan.
const PLAN: &str = "sqitch.plan";
/// The directories of the scripts; those of the last one are not looked at.
const SCRIPTS: [&str; 3] = ["deploy", "revert", "verify"];
/// The setting that names the directory of the scripts.
const TOP: &str = "top_dir";

fn detect(files: &dyn Files) -> Vec<Found> {
    files
        .paths()
        .iter()
        .filter(|path| path::file_name(path) == PLAN)
        .map(|plan| Found {
            reason: format!("it holds `{PLAN}`"),
            ..open(files, path::parent(plan), &BTreeMap::new())
        })
        .collect()
}

fn open(files: &dyn Files, root: &str, options: &BTreeMap<String, String>) -> Found {
    let mut found = Found::named(&LAYOUT, root, options);
    let config = files
        .text(&path::join(root, "sqitch.conf"))
        .unwrap_or_default();
    for (_, line) in text::lines(&config) {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim().trim_matches('"'));
        match key {
            "engine" if value != "pg" => {
                found
                    .settings
                    .entry("dialect".to_owned())
                    .or_insert_with(|| value.to_owned());
            }
            TOP if value != "." => {
                found
                    .settings
                    .entry(TOP.to_owned())
                    .or_insert_with(|| value.to_owned());
            }
            _ => {}
        }
    }
    // The plan stands in the root of many a project, and what else is there is not Sqitch's.
    let top = top(&found);
    found.directories = SCRIPTS
        .iter()
        .map(|directory| path::join(&top, directory))
        .collect();
    found
}

/// The directory that holds `deploy` and `revert`.
fn top(found: &Found) -> String {
    let top = found.settings.get(TOP).map_or("", String::as_str);
    path::resolve(&found.root, top).unwrap_or_else(|| found.root.clone())
}

fn files(found: &Found, files: &dyn Files) -> Vec<String> {
    let mut all: Vec<String> = found
        .directories
        .iter()
        .take(SCRIPTS.len() - 1)
        .flat_map(|directory| path::below(files.paths(), directory))
        .filter(|path| path::is_sql(path))
        .cloned()
        .collect();
    let plan = path::join(&found.root, PLAN);
    if sign::exists(files, &plan) {
        all.push(plan);
    }
    all
}

/// A change in the plan.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    /// Its name as the scripts have it: with the tag, if it was reworked later.
    script: String,
    line: Span,
}

/// The changes of a plan, in order.
fn changes(plan: &str) -> Vec<Change> {
    let mut changes: Vec<(&str, Span, usize)> = Vec::new();
    let mut tags: Vec<(&str, usize)> = Vec::new();
    for (start, line) in text::lines(plan) {
        let content = line.split('#').next().unwrap_or_default().trim();
        if content.is_empty() || content.starts_with('%') {
            continue;
        }
        if let Some(tag) = content.strip_prefix('@') {
            tags.push((
                tag.split_whitespace().next().unwrap_or_default(),
                changes.len(),
            ));
            continue;
        }
        // A change that the plan itself takes back.
        if content.starts_with('-') {
            continue;
        }
        let name = content
            .trim_start_matches('+')
            .split_whitespace()
            .next()
            .unwrap_or_default();
        changes.push((
            name,
            Span::new(start, start + line.trim_end().len()),
            changes.len(),
        ));
    }
    changes
        .iter()
        .map(|(name, line, index)| {
            let is_reworked = changes[index + 1..].iter().any(|(later, ..)| later == name);
            let tag = tags.iter().find(|(_, behind)| behind > index);
            let script = match tag {
                Some((tag, _)) if is_reworked => format!("{name}@{tag}"),
                _ => (*name).to_owned(),
            };
            Change {
                script,
                line: *line,
            }
        })
        .collect()
}

fn read(found: &Found, file: &File<'_>) -> Reading {
    let top = top(found);
    if file.name() == PLAN {
        return read_plan(&top, file);
    }
    let deploy = path::join(&top, "deploy");
    let (directory, direction) = if path::is_inside(file.path, &deploy) {
        (deploy, Direction::Up)
    } else {
        (path::join(&top, "revert"), Direction::Down)
    };
    let change = path::stem(file.path)
        .strip_prefix(&directory)
        .map_or("", |rest| rest.trim_start_matches('/'));
    let plan = file
        .files
        .text(&path::join(&found.root, PLAN))
        .unwrap_or_default();
    let Some(place) = changes(&plan)
        .iter()
        .position(|known| known.script == change)
    else {
        return Reading::problem(file.problem(
            ProblemKind::Misnamed,
            format!(
                "Sqitch never runs `{}`: the plan names no change `{change}`",
                file.name()
            ),
            Some("add changes with `sqitch add`, or move the file elsewhere".to_owned()),
        ));
    };
    let mut script = Script::of_file(file, direction);
    change.clone_into(&mut script.version);
    change.clone_into(&mut script.key);
    script.description = name::title(change);
    script.place = Some(place);
    Reading::script(script)
}

/// Changes without a deploy script.
fn read_plan(top: &str, file: &File<'_>) -> Reading {
    let mut reading = Reading::default();
    for change in changes(&file.source.text) {
        let script = path::join(
            &path::join(top, "deploy"),
            &format!("{}.sql", change.script),
        );
        if !sign::exists(file.files, &script) {
            reading.problems.push(file.problem_at(
                change.line,
                ProblemKind::Graph,
                format!(
                    "the plan names `{}`, and there is no `{script}`",
                    change.script
                ),
                Some("write the script, or take the line out of the plan".to_owned()),
            ));
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_its_scripts() {
        let plan = "%syntax-version=1.0.0\n%project=shop\n\nusers 2024-01-01T00:00:00Z A <a@b> # the users\n@v1 2024-01-02T00:00:00Z A <a@b>\norders [users !x] 2024-01-03T00:00:00Z A <a@b>\nusers [users@v1] 2024-01-04T00:00:00Z A <a@b>\n# a note\n";
        let scripts: Vec<String> = changes(plan)
            .into_iter()
            .map(|change| change.script)
            .collect();
        assert_eq!(scripts, ["users@v1", "orders", "users"]);
    }
}
