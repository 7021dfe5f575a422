//! What the rules answer: the items of five checklists and the hazards of 32 catalogues, each with its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lockgate::rule::Rule;
use lockgate::rules::RULES;

use super::example::root;

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

/// An item of a checklist.
struct Item {
    id: String,
    /// `kind:name` of what answers it beside the rules that name it.
    codes: Vec<String>,
    /// What it asks.
    text: String,
}

struct Checklist {
    /// What a kind of answer is.
    kinds: BTreeMap<String, String>,
    /// How a system that an item names is treated.
    systems: BTreeMap<String, String>,
    items: Vec<Item>,
}

fn checklist() -> Checklist {
    let mut list = Checklist {
        kinds: BTreeMap::new(),
        systems: BTreeMap::new(),
        items: Vec::new(),
    };
    for line in text("fixtures/checklist.txt").split('\n') {
        let pair = |line: &str| {
            let (name, rest) = line.split_once('\t').expect("a tab");
            (name.to_owned(), rest.to_owned())
        };
        if let Some(line) = line.strip_prefix("= ") {
            list.kinds.extend([pair(line)]);
        } else if let Some(line) = line.strip_prefix("~ ") {
            list.systems.extend([pair(line)]);
        } else if !line.is_empty() && !line.starts_with('#') {
            let mut parts = line.splitn(3, '\t');
            let mut next = || parts.next().expect("three parts").to_owned();
            list.items.push(Item {
                id: next(),
                codes: next().split(' ').map(str::to_owned).collect(),
                text: next(),
            });
        }
    }
    list
}

/// A hazard: number, name, the level that was proposed, and why no rule answers it.
fn hazards() -> Vec<[String; 4]> {
    text("fixtures/hazards.txt")
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<String> = line.split('\t').map(str::to_owned).collect();
            parts.try_into().expect("four parts")
        })
        .collect()
}

/// The rules that name something on their page.
fn answering(
    named: impl Fn(&Rule) -> &'static [&'static str],
) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut rules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in RULES {
        for name in named(rule) {
            rules.entry(name).or_default().push(rule.id);
        }
    }
    rules
}

fn links(rules: &[&str]) -> String {
    let links: Vec<String> = rules.iter().map(|id| format!("[{id}]({id}.md)")).collect();
    links.join(", ")
}

/// Tables for `rules/README.md`.
pub(crate) fn tables() -> String {
    let (checklists, open_items) = checklists();
    let (hazards, open_hazards) = hazard_table();
    format!("{checklists}\n{hazards}")
        .replace("@items@", &open_items.to_string())
        .replace("@hazards@", &open_hazards.to_string())
}

fn checklists() -> (String, usize) {
    let list = checklist();
    let rules = answering(|rule| rule.checklist);
    let mut open = 0;
    let mut rows = String::new();
    for item in &list.items {
        let mut answers: Vec<String> = Vec::new();
        if let Some(rules) = rules.get(item.id.as_str()) {
            answers.push(links(rules));
        }
        let mut planned = false;
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for code in &item.codes {
            let (kind, name) = code.split_once(':').expect("kind:name");
            match kind {
                "rule" | "probe" if !answers.is_empty() && rules.contains_key(item.id.as_str()) => {
                }
                "rule" | "probe" => {
                    planned = true;
                    answers.push(format!("{kind} `{name}`: not built yet"));
                }
                "sys" => answers.push(list.systems[name].clone()),
                _ => kinds.entry(kind).or_default().push(name),
            }
        }
        answers.extend(
            kinds
                .iter()
                .map(|(kind, names)| format!("{} ({})", list.kinds[*kind], names.join(", "))),
        );
        open += usize::from(planned);
        let _ = writeln!(
            rows,
            "| {} | {} | {} |",
            item.id,
            item.text.replace('|', "\\|"),
            answers.join("; ")
        );
    }
    let head = format!(
        "## The checklists\n\nThe {} items of five checklists that people go through by hand, each with what answers it. \
         @items@ of them wait for a rule or a probe.\n\n| item | what it asks | answer |\n|---|---|---|\n",
        list.items.len()
    );
    (head + &rows, open)
}

fn hazard_table() -> (String, usize) {
    let rules = answering(|rule| rule.hazards);
    let all = hazards();
    let mut open = 0;
    let mut rows = String::new();
    for [number, name, level, reason] in &all {
        let answer = match (rules.get(number.as_str()), reason.as_str()) {
            (Some(rules), "") => links(rules),
            (Some(rules), reason) => format!("{}; {reason}", links(rules)),
            (None, "") => {
                open += 1;
                "not built yet".to_owned()
            }
            (None, reason) => reason.to_owned(),
        };
        let _ = writeln!(rows, "| {number} | {name} | {level} | {answer} |");
    }
    let head = format!(
        "## The hazards\n\n{} hazards that 32 catalogues of rules know, with the level proposed for each (E, W, I, opt-in, off), and the \
         rule that answers it or why none does. @hazards@ wait for a rule.\n\n| hazard | name | level | answer |\n|---|---|---|---|\n",
        all.len()
    );
    (head + &rows, open)
}

#[test]
fn rules_answer_items_that_exist() {
    let list = checklist();
    let known: BTreeSet<&str> = list.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(known.len(), 586);
    let all = hazards();
    let numbers: BTreeSet<&str> = all.iter().map(|[number, ..]| number.as_str()).collect();
    assert_eq!(numbers.len(), 340);
    let mut wrong = Vec::new();
    for rule in RULES {
        let items = rule.checklist.iter().filter(|item| !known.contains(*item));
        let hazards = rule.hazards.iter().filter(|item| !numbers.contains(*item));
        wrong.extend(
            items
                .chain(hazards)
                .map(|item| format!("{}: there is no item {item}", rule.id)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// An item without any answer would be one that was lost.
#[test]
fn every_item_has_an_answer() {
    let list = checklist();
    for item in &list.items {
        assert!(!item.codes.is_empty(), "{} has no answer", item.id);
        for code in &item.codes {
            let (kind, name) = code.split_once(':').expect("kind:name");
            let known = match kind {
                "rule" | "probe" => true,
                "sys" => list.systems.contains_key(name),
                _ => list.kinds.contains_key(kind),
            };
            assert!(known, "{}: nobody knows the answer {code}", item.id);
        }
    }
}
