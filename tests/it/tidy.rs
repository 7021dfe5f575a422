//! The shape of the repository: what belongs together is there, what is said everywhere is said in one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::diagnostic::Diagnostic;
use lockgate::rule::{Check, FixKind, Rule};
use lockgate::rules::RULES;
use lockgate::settings::Strictness;
use rayon::prelude::*;

use super::example::{Example, blesses, page_path, root};
use super::{case, page};

/// A longer file holds two topics.
const LONGEST_FILE: usize = 800;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Files below a directory with one of the endings, by path, sorted.
fn files(directory: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root().join(directory))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            endings
                .iter()
                .any(|ending| path.extension().is_some_and(|e| e == *ending))
        })
        .collect();
    files.sort();
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn assert_nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn is_probe(rule: &Rule) -> bool {
    matches!(rule.check, Check::Probe(_))
}

/// Page, code and cases of a rule have its name, and nothing else lies there. A probe has SQL and tests for cases.
#[test]
fn every_rule_is_three_files() {
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    let with_cases: BTreeSet<String> = RULES
        .iter()
        .filter(|rule| !is_probe(rule))
        .map(|rule| rule.id.to_owned())
        .collect();
    let named = |directory: &str, ending: &str| -> BTreeSet<String> {
        files(directory, &[ending])
            .iter()
            .filter_map(|path| path.file_stem()?.to_str())
            .map(|stem| stem.replace('_', "-"))
            .filter(|stem| stem != "README")
            .collect()
    };
    // A rule whose code needs several files has them below its own.
    let code = named("src/rules", "rs");
    let mut wrong: Vec<String> = ids
        .iter()
        .filter(|id| !code.contains(*id))
        .map(|id| format!("{id} has no code"))
        .collect();
    for (directory, ending, ids) in [
        ("rules", "md", &ids),
        ("fixtures/rules", "sql", &with_cases),
    ] {
        let found = named(directory, ending);
        wrong.extend(
            found
                .symmetric_difference(ids)
                .map(|id| format!("{directory}: {id}")),
        );
    }
    wrong.extend(
        ids.iter()
            .filter(|id| {
                !id.split('-')
                    .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
            })
            .map(|id| format!("{id} is not kebab-case")),
    );
    assert_nothing(&wrong);
}

/// The SQL of probes belongs to one, says the same in all variants and leaves alone what waits for locks; every probe
/// has a test on a server.
#[test]
fn probes_are_complete() {
    /// Functions that lock the relation they are asked about (measured: they wait behind ACCESS EXCLUSIVE).
    const LOCKING: &[&str] = &[
        "pg_relation_size",
        "pg_table_size",
        "pg_indexes_size",
        "pg_total_relation_size",
        "pg_get_viewdef",
        "pg_get_ruledef",
        "pg_get_expr",
    ];
    let tests: String = files("tests/it/live", &["rs"])
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut wrong = Vec::new();
    let probes: Vec<&Rule> = RULES.iter().filter(|rule| is_probe(rule)).collect();
    for rule in &probes {
        if !tests.contains(&format!("\"{}\"", rule.id)) {
            wrong.push(format!("tests/it/live does not name \"{}\"", rule.id));
        }
        if !rule.body().contains("\n## Why\n") || !rule.body().contains("\n## Instead\n") {
            wrong.push(format!("{}: the page lacks Why or Instead", rule.id));
        }
    }
    for path in files("src/live/probes", &["sql"]) {
        let name = shown(&path);
        let stem = path.file_name().and_then(|name| name.to_str()).unwrap();
        let id = stem.split('.').next().unwrap_or_default();
        if !probes.iter().any(|rule| rule.id == id) {
            wrong.push(format!("{name} belongs to no probe"));
        }
        let sql = fs::read_to_string(&path).unwrap();
        // One that leaves out what somebody keeps locked does not wait.
        let guarded = sql.contains("l.mode = 'AccessExclusiveLock'");
        for function in LOCKING {
            if sql.contains(function) && !guarded {
                wrong.push(format!("{name} calls {function}, which waits for locks"));
            }
        }
        if !sql.contains("LIMIT ") && !sql.contains("-- one row") {
            wrong.push(format!(
                "{name} has no LIMIT; say `-- one row` if it needs none"
            ));
        }
        if stem.contains(".pg") && !sql.starts_with("-- ") {
            wrong.push(format!("{name}: its first line does not say what changed"));
        }
    }
    assert_nothing(&wrong);
}

#[test]
fn titles_name_a_hazard_and_summaries_are_sentences() {
    let mut wrong = Vec::new();
    for rule in RULES {
        let mut problem = |text: &str| wrong.push(format!("{}: {text}", rule.id));
        let commands = [
            "Avoid", "Use", "Do", "Don't", "Prefer", "Require", "Ban", "Never", "Always",
            "Disallow", "Check",
        ];
        if rule
            .title
            .split(' ')
            .next()
            .is_some_and(|word| commands.contains(&word))
        {
            problem("the title names the hazard, it does not command");
        }
        if !rule.title.starts_with(|c: char| c.is_uppercase())
            || rule.title.ends_with(['.', '!', '?', ':'])
        {
            problem("the title begins with a capital letter and ends without a mark");
        }
        if rule.title.chars().count() > 70 {
            problem("the title is longer than 70 characters");
        }
        if !rule
            .summary
            .starts_with(|c: char| c.is_uppercase() || c == '`')
        {
            problem("the summary begins with a capital letter or a name");
        }
        if rule.summary.contains(". ") || !rule.summary.ends_with('.') {
            problem("the summary is one sentence");
        }
        if rule.since.split('.').count() != 3 {
            problem("`since` is not a version");
        }
    }
    let mut titles: Vec<&str> = RULES.iter().map(|rule| rule.title).collect();
    titles.sort_unstable();
    let count = titles.len();
    titles.dedup();
    if titles.len() != count {
        wrong.push("two rules have one title".to_owned());
    }
    assert_nothing(&wrong);
}

/// A rule of another tool may be several of ours; a name that was once ours is one rule.
#[test]
fn aliases_are_names() {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut wrong = Vec::new();
    for rule in RULES {
        let mut own = rule.aliases.to_vec();
        own.sort_unstable();
        own.dedup();
        if own.len() != rule.aliases.len() {
            wrong.push(format!("{} has an alias twice", rule.id));
        }
        for alias in own {
            let is_foreign = alias.split_once(':').is_some_and(|(tool, name)| {
                !name.is_empty()
                    && tool
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b"-_".contains(&b))
            });
            if is_foreign {
                continue;
            }
            if let Some(other) = owners.insert(alias, rule.id) {
                wrong.push(format!("{alias} was {other} and {}", rule.id));
            }
            if RULES.iter().any(|rule| rule.id == alias) {
                wrong.push(format!("{alias} is an alias and a rule"));
            }
        }
    }
    assert_nothing(&wrong);
}

/// Words that a message may begin with although they are not in capitals throughout.
const NAMES: &[&str] = &[
    "PostgreSQL",
    "Alembic",
    "Flyway",
    "Lockgate",
    "MySQL",
    "SQLite",
    "Python",
];

/// What is wrong with the wording of a finding.
pub(crate) fn wording(found: &Diagnostic) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut line = |what: &str, text: &str, is_sentence: bool| {
        let mut problem =
            |problem: &str| wrong.push(format!("{}: {what} {problem}: {text:?}", found.rule));
        if text.trim() != text || text.is_empty() {
            problem("is empty or has blanks at an end");
        }
        if text
            .split('\n')
            .any(|line| line.trim_start().contains("  "))
        {
            problem("has two blanks in a row");
        }
        if text.matches('`').count() % 2 == 1 {
            problem("has a backtick without its counterpart");
        }
        if !is_sentence {
            return;
        }
        if text.contains('\n') {
            problem("has several lines");
        }
        if text.ends_with(['.', '!', ':', ';', ',']) {
            problem("ends with a mark");
        }
        let word = text.split([' ', ',', ':']).next().unwrap_or_default();
        let keyword = word
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if word.starts_with(|c: char| c.is_uppercase())
            && !keyword
            && !NAMES.contains(&word.trim_end_matches("'s"))
        {
            problem("begins with a capital letter");
        }
    };
    line("the message", &found.message, true);
    for label in &found.labels {
        line("a label", &label.text, true);
    }
    if let Some(help) = &found.help {
        line("the help", help, false);
        if help.ends_with('.') && !help.ends_with("..") {
            wrong.push(format!(
                "{}: the help ends with a full stop: {help:?}",
                found.rule
            ));
        }
    }
    wrong
}

/// Everything that is ever said about an example.
#[test]
fn messages_follow_the_convention() {
    let examples = |rule: &Rule| -> Vec<Example> {
        if is_probe(rule) {
            return Vec::new();
        }
        let page = page::read(&fs::read_to_string(page_path(rule)).unwrap());
        let (cases, _) = case::read(&text(&format!("fixtures/rules/{}.sql", rule.id)));
        page.examples
            .into_iter()
            .map(|example| example.example)
            .chain(cases.into_iter().map(|case| case.example))
            .collect()
    };
    let wrong: BTreeSet<String> = RULES
        .par_iter()
        .flat_map_iter(|rule| {
            examples(rule)
                .into_iter()
                .filter_map(|example| example.check(rule, Some(Strictness::Audit)).ok())
                .flat_map(|report| report.diagnostics)
                .flat_map(|found| wording(&found))
        })
        .collect();
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert_nothing(&wrong);
}

/// What a module of the library may name of the others: layers point one way. `mod tests` may name everything.
const LAYERS: &[(&str, &str)] = &[
    ("source", ""),
    ("suggest", ""),
    ("wording", ""),
    ("usage", "source"),
    ("statement", "source"),
    ("diagnostic", "source statement effect estimate"),
    ("snapshot", "source suggest"),
    ("policy", "statement"),
    ("approval", "source snapshot yaml"),
    ("settings", "approval diagnostic snapshot policy"),
    (
        "estimate",
        "statement diagnostic settings schema effect snapshot",
    ),
    ("schema", "source statement diagnostic"),
    ("effect", "source statement schema diagnostic wording"),
    ("sql", "source statement"),
    ("yaml", "source"),
    ("python", "source statement"),
    ("layout", "source statement python sql yaml"),
    ("markers", "source layout suggest"),
    ("session", "source statement layout settings"),
    (
        "footprint",
        "source statement layout diagnostic schema effect session replay",
    ),
    (
        "replay",
        "source statement sql layout diagnostic settings schema effect session footprint",
    ),
    (
        "risk",
        "source statement diagnostic schema effect replay markers wording",
    ),
    (
        "rule",
        "source statement layout diagnostic settings effect context estimate probe",
    ),
    (
        "context",
        "sql source statement layout diagnostic settings schema effect session replay footprint rule suppress estimate markers",
    ),
    (
        "rules",
        "policy approval suggest usage python source statement layout diagnostic settings schema effect session replay rule suppress markers risk wording estimate probe sql snapshot",
    ),
    (
        "suppress",
        "source diagnostic settings rule rules suggest markers",
    ),
    (
        "probe",
        "source statement layout diagnostic settings schema effect session replay rule wording sql snapshot",
    ),
    (
        "live",
        "source statement diagnostic settings layout discover replay report rule rules probe analyze suggest snapshot sql session",
    ),
    ("discover", "source diagnostic settings layout"),
    (
        "locks",
        "snapshot source statement layout diagnostic settings schema effect session replay footprint estimate",
    ),
    (
        "report",
        "source statement layout diagnostic settings effect session rule rules footprint locks wording estimate",
    ),
    ("fix", "source diagnostic report"),
    ("explain", "settings report rule rules effect"),
    (
        "config",
        "policy source diagnostic settings layout rule rules suggest yaml",
    ),
    (
        "analyze",
        "source statement sql python layout diagnostic settings schema effect session replay footprint rule context \
         rules suppress markers discover report locks",
    ),
];

/// The border: it may name everything.
const BORDER: &[&str] = &["cli", "main", "lib", "testing"];

/// Words that only some files may hold.
const OWNERS: &[(&str, &[&str])] = &[
    ("pg_query", &["src/sql/tree"]),
    (
        "sql::tree",
        &[
            "src/sql",
            "src/testing.rs",
            "src/cli/check.rs",
            "src/main.rs",
        ],
    ),
    ("ruff_", &["src/python/syntax.rs"]),
    ("roxmltree", &["src/layout/liquibase/document.rs"]),
    ("miette", &["src/report/text.rs", "src/report/snippet.rs"]),
    ("tokio", &["src/live"]),
    ("postgres::", &["src/live"]),
    ("rustls", &["src/live/tls.rs", "src/live/session.rs"]),
    ("std::net", &["src/live"]),
    (
        "std::fs",
        &["src/discover", "src/config", "src/cli", "src/live/files.rs"],
    ),
    (
        "std::env",
        &["src/discover", "src/config", "src/cli", "src/main.rs"],
    ),
    ("std::time", &["src/cli", "src/live"]),
    ("unsafe ", &["src/sql/tree"]),
];

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    if path.ends_with("tests.rs") || path.ends_with("testing.rs") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    code.split('\n')
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split(" // ").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn layers_point_one_way() {
    let layers: BTreeMap<&str, &str> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in files("src", &["rs"]) {
        let name = shown(&path);
        let module = name["src/".len()..]
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let code = code(&path);
        for (word, owners) in OWNERS {
            if code.contains(word) && !owners.iter().any(|owner| name.starts_with(owner)) {
                wrong.push(format!(
                    "{name} names `{}`; only {} may",
                    word.trim(),
                    owners.join(", ")
                ));
            }
        }
        if BORDER.contains(&module.as_str()) {
            continue;
        }
        let Some(allowed) = layers.get(module.as_str()) else {
            wrong.push(format!(
                "{name}: `{module}` is in no layer: add it to LAYERS"
            ));
            continue;
        };
        let named: BTreeSet<&str> = code
            .split("crate::")
            .skip(1)
            .map(|rest| {
                rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
                    .next()
                    .unwrap_or_default()
            })
            .filter(|other| *other != module && !allowed.split(' ').any(|name| name == *other))
            .collect();
        wrong.extend(
            named
                .into_iter()
                .map(|other| format!("{name} names `crate::{other}`")),
        );
    }
    assert_nothing(&wrong);
}

#[test]
fn no_file_is_too_long() {
    let wrong: Vec<String> = ["src", "tests", "rules"]
        .iter()
        .flat_map(|directory| files(directory, &["rs", "md", "py"]))
        .chain([root().join("build.rs")])
        .filter_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            // Tables that are made are as long as what they list.
            let written = text.split(BEGIN).next().unwrap_or_default();
            let lines = written.matches('\n').count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", shown(&path)))
        })
        .collect();
    assert_nothing(&wrong);
}

/// The compiler says nothing about a file that no `mod` names.
#[test]
fn every_file_is_a_module() {
    let wrong: Vec<String> = files("src", &["rs"])
        .into_iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("main.rs"))
        .filter(|path| {
            let directory = path.parent().unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let parents = if directory.ends_with("src") {
                vec![directory.join("lib.rs"), directory.join("main.rs")]
            } else {
                vec![directory.with_extension("rs")]
            };
            !parents.iter().any(|parent| {
                let text = fs::read_to_string(parent).unwrap_or_default();
                text.lines()
                    .any(|line| line.trim().ends_with(&format!("mod {name};")))
            })
        })
        .map(|path| format!("{} is no module", shown(&path)))
        .collect();
    assert_nothing(&wrong);
}

#[test]
fn the_crate_documentation_is_a_map() {
    let lib = text("src/lib.rs");
    let docs: String = lib
        .split_inclusive('\n')
        .take_while(|line| line.starts_with("//!"))
        .collect();
    let mut wrong = Vec::new();
    for line in lib.split('\n') {
        if let Some(module) = line
            .strip_prefix("pub mod ")
            .and_then(|rest| rest.strip_suffix(';'))
            && module != "testing"
            && !docs.contains(&format!("[`{module}`]"))
        {
            wrong.push(format!(
                "the documentation of the crate does not name [`{module}`]"
            ));
        }
    }
    if !docs.contains("# Invariants") {
        wrong.push("the documentation of the crate has no invariants".to_owned());
    }
    assert_nothing(&wrong);
}

const BEGIN: &str = "<!-- begin generated: BLESS=1 cargo test --test it tidy -->";
const END: &str = "<!-- end generated -->";

#[test]
fn the_index_of_rules_is_current() {
    let path = root().join("rules/README.md");
    let old = fs::read_to_string(&path).unwrap();
    let (head, rest) = old
        .split_once(BEGIN)
        .expect("the mark where the generated part begins");
    let (_, tail) = rest
        .split_once(END)
        .expect("the mark where the generated part ends");
    let new = format!(
        "{head}{BEGIN}\n\n{}\n{}\n{END}{tail}",
        index(),
        super::coverage::tables()
    );
    if blesses() {
        fs::write(&path, &new).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(&old, &new);
    assert!(
        old == new,
        "BLESS=1 rewrites rules/README.md:\n{}",
        diff.unified_diff()
    );
}

/// All rules by category.
fn index() -> String {
    let mut out = format!("## All {} rules\n", RULES.len());
    let mut categories: BTreeMap<_, Vec<&Rule>> = BTreeMap::new();
    for rule in RULES {
        categories.entry(rule.category).or_default().push(rule);
    }
    for (category, rules) in categories {
        let _ = writeln!(out, "\n### {}\n", category.as_str());
        out.push_str(
            "| rule | level | what it finds | fix | PostgreSQL |\n|---|---|---|---|---|\n",
        );
        for rule in rules {
            let level = rule.level.map_or("off", |level| level.as_str());
            let level = match rule.strictness {
                Strictness::Default => level.to_owned(),
                Strictness::Strict => format!("{level} (strict)"),
                Strictness::Audit => format!("{level} (audit)"),
            };
            let fix = match rule.fix {
                FixKind::None => "",
                FixKind::Safe => "safe",
                FixKind::Unsafe => "unsafe",
            };
            let versions = match rule.postgres {
                (13, 18) => "all".to_owned(),
                (oldest, newest) if oldest == newest => oldest.to_string(),
                (oldest, newest) => format!("{oldest}–{newest}"),
            };
            let _ = writeln!(
                out,
                "| [{id}]({id}.md) | {level} | {} | {fix} | {versions} |",
                rule.summary.replace('|', "\\|"),
                id = rule.id,
            );
        }
    }
    out
}

/// A change to what a rule says names the rule; so does its first appearance.
#[test]
fn the_changelog_names_every_rule() {
    let path = root().join("CHANGELOG.md");
    let mut log = fs::read_to_string(&path).unwrap();
    let missing: Vec<&Rule> = RULES
        .iter()
        .filter(|rule| !log.contains(&format!("`{}`", rule.id)))
        .collect();
    if blesses() && !missing.is_empty() {
        let heading = "### Rules\n";
        let at = log.find(heading).expect("a section on rules") + heading.len();
        let lines = missing.iter().fold(String::new(), |mut lines, rule| {
            let _ = writeln!(lines, "- New: `{}`. {}", rule.id, rule.summary);
            lines
        });
        let rest = log.split_off(at);
        log = format!("{log}\n{lines}{}", rest.trim_start_matches('\n'));
        fs::write(&path, log).unwrap();
        return;
    }
    let missing: Vec<&str> = missing.iter().map(|rule| rule.id).collect();
    assert!(
        missing.is_empty(),
        "CHANGELOG.md does not name {missing:?}; BLESS=1 adds them"
    );
}

/// The commands of the README do what it says.
#[test]
fn the_readme_shows_what_happens() {
    let path = root().join("README.md");
    let old = fs::read_to_string(&path).unwrap();
    let mut new = String::new();
    let mut rest = old.as_str();
    let mut count = 0;
    while let Some(at) = rest.find("```sh\nlockgate ") {
        let command = at + "```sh\n".len();
        let end = command
            + rest[command..]
                .find("\n```\n")
                .expect("the fence is closed");
        let after = end + "\n```\n".len();
        new.push_str(&rest[..after]);
        let line = &rest[command..end];
        rest = &rest[after..];
        let Some(body) = rest.strip_prefix("\n```text\n") else {
            continue;
        };
        count += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
            .args(line.split(' ').skip(1))
            .args(["--color", "never"])
            .current_dir(root())
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let closed = if body.starts_with("```") {
            0
        } else {
            body.find("\n```").expect("the fence is closed") + 1
        };
        let _ = write!(new, "\n```text\n{}\n", abbreviated(shown.trim_end()));
        rest = &body[closed..];
    }
    new.push_str(rest);
    assert!(count > 0, "the README shows no command with its output");
    if blesses() {
        fs::write(&path, &new).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(&old, &new);
    assert!(
        old == new,
        "BLESS=1 rewrites the output in README.md:\n{}",
        diff.unified_diff()
    );
}

/// Long output as a README shows it: the first paragraphs and the last one.
fn abbreviated(output: &str) -> String {
    const MOST: usize = 30;
    let lines: Vec<&str> = output.split('\n').collect();
    let blank = |range: std::ops::Range<usize>| range.rev().find(|&at| lines[at].is_empty());
    match (blank(0..lines.len().min(MOST)), blank(0..lines.len())) {
        (Some(first), Some(last)) if lines.len() > MOST && first < last => {
            format!(
                "{}\n\n…\n{}",
                lines[..first].join("\n"),
                lines[last..].join("\n")
            )
        }
        _ => output.to_owned(),
    }
}
