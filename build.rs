//! Turns the contracts `rules/*.md` into the constant rule table that `src/rules.rs` includes.
//!
//! Offline, and strict: an unknown key, a missing part or a wrong word in a page's front matter fails the build with
//! the page's name. What a page says beyond its front matter is checked by the tests (`tests/it/pages.rs`, `tidy.rs`).

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the pages and writes the table"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

/// The front matter of a rule page. `rules/README.md` explains every key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
struct FrontMatter {
    level: Level,
    #[serde(default)]
    levels: BTreeMap<String, Level>,
    category: Category,
    checks: Checks,
    #[serde(default)]
    moments: Vec<When>,
    #[serde(default)]
    direction: Direction,
    #[serde(default)]
    down: Option<Level>,
    #[serde(default)]
    on: On,
    #[serde(default)]
    strictness: Strictness,
    since: String,
    #[serde(default)]
    postgres: Option<String>,
    #[serde(default)]
    locks: Option<BTreeMap<String, String>>,
    #[serde(default)]
    size: Option<Scale>,
    #[serde(default)]
    subsumes: Vec<String>,
    #[serde(default)]
    once: bool,
    #[serde(default)]
    last_resort: bool,
    #[serde(default)]
    fix: FixKind,
    #[serde(default)]
    options: Vec<RuleOption>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    checklist: Vec<String>,
    #[serde(default)]
    hazards: Vec<String>,
}

macro_rules! words {
    ($name:ident { $($variant:ident),+ }) => {
        #[derive(Deserialize, Debug, Clone, Copy, Default, PartialEq)]
        #[serde(rename_all = "kebab-case")]
        enum $name { #[default] $($variant),+ }
    };
}
words!(Level {
    Error,
    Warning,
    Info,
    Off
});
words!(Category {
    Availability,
    DataLoss,
    Compatibility,
    Correctness,
    Reversibility,
    Transaction,
    Schema,
    Layout,
    Security,
    Live
});
words!(Checks {
    Statement,
    Migration,
    History,
    Probe
});
words!(When { Pre, Watch, Post });
words!(Direction { Up, Down, Any });
words!(On { Existing, Any });
words!(Strictness {
    Default,
    Strict,
    Audit
});
words!(Scale {
    None,
    Work,
    Rows,
    Lock
});
words!(FixKind { None, Safe, Unsafe });

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleOption {
    name: String,
    r#type: String,
    default: String,
    text: String,
}

const ENVIRONMENTS: [&str; 5] = ["local", "ci", "dev", "staging", "production"];
const LOCKS: [&str; 8] = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/live/probes");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("rules"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    pages.retain(|page| {
        page.extension().is_some_and(|e| e == "md")
            && page.file_stem().is_some_and(|s| s != "README")
    });
    pages.sort();
    let mut table = String::from("/// All rules, sorted by id.\npub static RULES: &[Rule] = &[\n");
    let ids: Vec<&str> = pages
        .iter()
        .filter_map(|page| page.file_stem()?.to_str())
        .collect();
    for page in &pages {
        let entry =
            rule(&root, page, &ids).map_err(|error| format!("{}: {error}", page.display()))?;
        table.push_str(&entry);
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("rules.rs"), table)?;
    Ok(())
}

/// One entry of the table.
fn rule(root: &Path, page: &Path, ids: &[&str]) -> Result<String, Box<dyn Error>> {
    let id = page
        .file_stem()
        .and_then(|stem| stem.to_str())
        .ok_or("the file name is not UTF-8")?;
    let text = fs::read_to_string(page)?;
    let rest = text
        .strip_prefix("---\n")
        .ok_or("the page does not begin with front matter")?;
    let (front, body) = rest
        .split_once("\n---\n")
        .ok_or("the front matter has no end")?;
    let front: FrontMatter = serde_yaml::from_str(front).map_err(|error| error.to_string())?;
    let mut lines = body.trim_start().split('\n');
    let title = lines
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .ok_or("no `# title` behind the front matter")?;
    let summary = lines
        .find(|line| !line.trim().is_empty())
        .ok_or("no summary sentence below the title")?;
    let (oldest, newest) = versions(front.postgres.as_deref())?;

    let mut levels = Vec::new();
    for environment in front.levels.keys() {
        if !ENVIRONMENTS.contains(&environment.as_str()) {
            return Err(format!("`levels` names an unknown environment `{environment}`").into());
        }
    }
    for environment in ENVIRONMENTS {
        levels.push(level(
            front
                .levels
                .get(environment)
                .copied()
                .unwrap_or(front.level),
        ));
    }
    if let Some(unknown) = front
        .subsumes
        .iter()
        .find(|other| *other == id || !ids.contains(&other.as_str()))
    {
        return Err(format!("`subsumes` names `{unknown}`, which is no other rule").into());
    }
    let mut locks = Vec::new();
    for (relation, mode) in front.locks.iter().flatten() {
        if !LOCKS.contains(&mode.as_str()) {
            return Err(format!("`locks` names an unknown lock mode `{mode}`").into());
        }
        locks.push((relation, mode));
    }
    let options: Vec<String> = front
        .options
        .iter()
        .map(|option| {
            format!(
                "RuleOption {{ name: {:?}, kind: {:?}, default: {:?}, text: {:?} }}",
                option.name, option.r#type, option.default, option.text
            )
        })
        .collect();

    let mut entry = String::new();
    writeln!(entry, "    Rule {{")?;
    writeln!(
        entry,
        "        id: {id:?}, title: {title:?}, summary: {summary:?},"
    )?;
    writeln!(
        entry,
        "        level: {}, levels: [{}],",
        level(front.level),
        levels.join(", ")
    )?;
    writeln!(
        entry,
        "        category: Category::{:?}, direction: For::{:?}, down: {},",
        front.category,
        front.direction,
        front.down.map_or("None".to_owned(), level)
    )?;
    writeln!(
        entry,
        "        on: On::{:?}, strictness: Strictness::{:?},",
        front.on, front.strictness
    )?;
    writeln!(
        entry,
        "        since: {:?}, postgres: ({oldest}, {newest}),",
        front.since
    )?;
    writeln!(
        entry,
        "        locks: &{locks:?}, claims_locks: {},",
        front.locks.is_some()
    )?;
    writeln!(
        entry,
        "        size: Scale::{:?}, subsumes: &{:?}, once: {}, last_resort: {},",
        // Findings of availability that show work under a lock are about that work.
        front.size.unwrap_or(match front.category {
            Category::Availability => Scale::Work,
            _ => Scale::None,
        }),
        front.subsumes,
        front.once,
        front.last_resort,
    )?;
    writeln!(
        entry,
        "        fix: FixKind::{:?}, options: &[{}],",
        front.fix,
        options.join(", ")
    )?;
    writeln!(
        entry,
        "        aliases: &{:?}, checklist: &{:?},",
        front.aliases, front.checklist
    )?;
    writeln!(
        entry,
        "        hazards: &{:?}, page: include_str!({:?}),",
        front.hazards,
        page.to_str().ok_or("the path is not UTF-8")?
    )?;
    let module = id.replace('-', "_");
    if (front.checks == Checks::Probe) == front.moments.is_empty() {
        return Err("`moments` belongs to `checks: probe`, and to nothing else".into());
    }
    if front.checks == Checks::Probe {
        let moments: Vec<String> = front
            .moments
            .iter()
            .map(|when| format!("When::{when:?}"))
            .collect();
        let moments = moments.join(", ");
        let sql = probe_sql(root, id)?;
        writeln!(
            entry,
            "        check: Check::Probe(Probe {{ moments: &[{moments}], sql: &[{sql}], judge: {module}::check }}),"
        )?;
    } else {
        writeln!(
            entry,
            "        check: Check::{:?}({module}::check),",
            front.checks
        )?;
    }
    writeln!(entry, "    }},")?;
    Ok(entry)
}

/// The SQL of a probe: `<id>.sql` for all majors, `<id>.pg17.sql` from 17 on. None for one that asks in its own way.
fn probe_sql(root: &Path, id: &str) -> Result<String, Box<dyn Error>> {
    let directory = root.join("src/live/probes");
    let mut variants: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("the name of a probe's SQL is not UTF-8")?;
        let Some(rest) = name.strip_prefix(id).and_then(|r| r.strip_suffix("sql")) else {
            continue;
        };
        match rest.strip_prefix(".pg").and_then(|r| r.strip_suffix('.')) {
            Some(major) => variants.push((major.parse()?, path)),
            None if rest == "." => variants.push((0, path)),
            // The SQL of a probe whose id goes on.
            None => {}
        }
    }
    variants.sort();
    let mut table = String::new();
    for (major, path) in variants {
        let path = path.to_str().ok_or("the path is not UTF-8")?;
        write!(table, "({major}, include_str!({path:?})), ")?;
    }
    Ok(table)
}

fn level(level: Level) -> String {
    match level {
        Level::Off => "None".to_owned(),
        level => format!("Some(Level::{level:?})"),
    }
}

/// `14-18`, `18`, `14-` as a range of majors.
fn versions(text: Option<&str>) -> Result<(u32, u32), Box<dyn Error>> {
    let Some(text) = text else {
        return Ok((13, 18));
    };
    let (oldest, newest) = text.split_once('-').unwrap_or((text, text));
    let newest = if newest.is_empty() {
        18
    } else {
        newest.parse()?
    };
    Ok((oldest.parse()?, newest))
}
