//! From nodes to settings, key by key.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Problem;
use super::policies::policies;
use crate::diagnostic::Level;
use crate::layout;
use crate::rule::{Rule, RuleOption};
use crate::rules::RULES;
use crate::settings::{
    Environment, NEWEST_POSTGRES, OLDEST_POSTGRES, OptionValue, Override, Root, RuleSettings,
    Setting, Settings, Strictness, milliseconds,
};
use crate::source::{Source, Span};
use crate::suggest::{closest, one_of};
use crate::yaml::{Key, Node, Value};

pub(super) type Entries<'a> = &'a [(Key, Node)];
pub(super) type Result<T> = std::result::Result<T, Problem>;

/// What a configuration can say.
const KEYS: [&str; 13] = [
    "postgres",
    "environment",
    "migrations",
    "after",
    "rules",
    "overrides",
    "runner",
    "require_reason",
    "strictness",
    "stats",
    "approvals",
    "policies",
    "sources",
];

/// Reads a configuration's text.
pub fn parse(source: &Source) -> Result<Settings> {
    parse_with(source, RULES)
}

/// The same, with the rules that there are.
pub(super) fn parse_with(source: &Source, rules: &[Rule]) -> Result<Settings> {
    let file = Node::read(source)?;
    let mut settings = Settings::default();
    for (key, value) in map(&file, "the configuration")? {
        match key.name.as_str() {
            "postgres" => settings.postgres = postgres(value)?,
            "environment" => settings.environment = environment(value)?,
            "migrations" => settings.roots = roots(value)?,
            "after" => settings.after = optional_text(value, "`after`")?,
            "rules" => settings.rules = rule_map(value, rules)?,
            "overrides" => settings.overrides = overrides(value, rules)?,
            "runner" => runner(value, &mut settings)?,
            "require_reason" => settings.require_reason = boolean(value, "`require_reason`")?,
            "strictness" => settings.strictness = strictness(value)?,
            "policies" => settings.policies = policies(value)?,
            "stats" => stats(value, &mut settings)?,
            "sources" => settings.sources = Some(globs(value)?),
            "approvals" => {
                settings.approvals_file = optional_text(value, "`approvals`")?.map(Into::into);
            }
            _ => return Err(unknown_key(key, &KEYS)),
        }
    }
    Ok(settings)
}

fn postgres(node: &Node) -> Result<u32> {
    let text = text(node, "`postgres`")?;
    match text.parse() {
        Ok(major) if (OLDEST_POSTGRES..=NEWEST_POSTGRES).contains(&major) => Ok(major),
        _ => Err(Problem::new(
            node.span,
            format!("`{text}` is not a major version of PostgreSQL that can be checked"),
        )
        .help(format!(
            "name one from {OLDEST_POSTGRES} to {NEWEST_POSTGRES}, without a minor version"
        ))),
    }
}

fn environment(node: &Node) -> Result<Environment> {
    let words = Environment::ALL.map(Environment::as_str);
    let index = word(node, "environment", &words)?;
    Ok(Environment::ALL[index])
}

fn strictness(node: &Node) -> Result<Strictness> {
    let all = [Strictness::Default, Strictness::Strict, Strictness::Audit];
    let index = word(node, "strictness", &["default", "strict", "audit"])?;
    Ok(all[index])
}

fn roots(node: &Node) -> Result<Vec<Root>> {
    match &node.value {
        Value::List(items) => items.iter().map(root).collect(),
        _ => Ok(vec![root(node)?]),
    }
}

fn root(node: &Node) -> Result<Root> {
    let mut root = Root {
        path: String::new(),
        layout: None,
        options: BTreeMap::new(),
    };
    if let Value::Map(entries) = &node.value {
        for (key, value) in entries {
            match key.name.as_str() {
                "path" => root.path = path(value)?,
                "layout" => root.layout = layout_name(value)?,
                "options" => {
                    for (key, value) in map(value, "`options`")? {
                        let value = text(value, &format!("`{}`", key.name))?;
                        root.options.insert(key.name.clone(), value.to_owned());
                    }
                }
                _ => return Err(unknown_key(key, &["path", "layout", "options"])),
            }
        }
        if root.path.is_empty() {
            let at = entries.first().map_or(node.span, |(key, _)| key.span);
            return Err(Problem::new(at, "a directory of migrations has no `path`")
                .help("add `path: db/migrations`, relative to this file"));
        }
    } else {
        root.path = path(node)?;
    }
    Ok(root)
}

/// The name of a layout.
fn layout_name(node: &Node) -> Result<Option<String>> {
    let name = optional_text(node, "`layout`")?;
    if let Some(name) = &name
        && layout::by_name(name).is_none()
    {
        let names: Vec<&str> = layout::ALL.iter().map(|layout| layout.name).collect();
        let help = match closest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be {}", one_of(&names)),
        };
        return Err(Problem::new(node.span, format!("there is no layout `{name}`")).help(help));
    }
    Ok(name)
}

/// A path, with `/` and without a `/` at its end.
fn path(node: &Node) -> Result<String> {
    let path = text(node, "a path")?.replace('\\', "/");
    match path.trim_end_matches('/') {
        "" => Err(Problem::new(node.span, "a path is empty")
            .help("name a directory relative to this file; `.` is its own directory")),
        path => Ok(path.to_owned()),
    }
}

fn runner(node: &Node, settings: &mut Settings) -> Result<()> {
    for (key, value) in map(node, "`runner`")? {
        let timeout = match key.name.as_str() {
            "lock_timeout" => &mut settings.lock_timeout,
            "statement_timeout" => &mut settings.statement_timeout,
            _ => return Err(unknown_key(key, &["lock_timeout", "statement_timeout"])),
        };
        *timeout = Some(duration(value, &key.name)?);
    }
    Ok(())
}

/// The file of the production snapshot, alone or with the borders between sizes.
fn stats(node: &Node, settings: &mut Settings) -> Result<()> {
    let Value::Map(entries) = &node.value else {
        settings.stats_file = optional_text(node, "`stats`")?.map(Into::into);
        return Ok(());
    };
    let sizing = &mut settings.sizing;
    for (key, value) in entries {
        let border = match key.name.as_str() {
            "file" => {
                settings.stats_file = Some(text(value, "`file`")?.into());
                continue;
            }
            "small" => &mut sizing.small,
            "medium" => &mut sizing.medium,
            "large" => &mut sizing.large,
            "huge" => &mut sizing.huge,
            "busy" => &mut sizing.busy,
            _ => {
                let known = ["file", "small", "medium", "large", "huge", "busy"];
                return Err(unknown_key(key, &known));
            }
        };
        let written = text(value, &format!("`{}`", key.name))?;
        *border = written.replace('_', "").parse().map_err(|_| {
            Problem::new(
                value.span,
                format!("`{}` is a whole number, not `{written}`", key.name),
            )
            .help("sizes count rows; `busy` counts rows written per second")
        })?;
    }
    let borders = [sizing.small, sizing.medium, sizing.large, sizing.huge];
    if !borders.is_sorted() {
        return Err(Problem::new(
            first_place(node),
            "the sizes do not grow from `small` over `medium` and `large` to `huge`",
        )
        .help(format!(
            "here they are {borders:?}; those left out keep their defaults"
        )));
    }
    Ok(())
}

fn overrides(node: &Node, rules: &[Rule]) -> Result<Vec<Override>> {
    list(node, "`overrides`")?
        .iter()
        .map(|item| {
            let mut paths = None;
            let mut set = BTreeMap::new();
            for (key, value) in map(item, "an override")? {
                match key.name.as_str() {
                    "paths" => paths = Some(globs(value)?),
                    "rules" => set = rule_map(value, rules)?,
                    _ => return Err(unknown_key(key, &["paths", "rules"])),
                }
            }
            let paths = paths.ok_or_else(|| {
                Problem::new(first_place(item), "an override has no `paths`")
                    .help("add `paths: [\"legacy/**\"]`, relative to this file")
            })?;
            Ok(Override { paths, rules: set })
        })
        .collect()
}

fn globs(node: &Node) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    let one = std::slice::from_ref(node);
    let items = match &node.value {
        Value::List(items) => items,
        _ => one,
    };
    for item in items {
        let pattern = text(item, "a path pattern")?;
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| {
                let reason = error.kind();
                Problem::new(
                    item.span,
                    format!("`{pattern}` is not a path pattern: {reason}"),
                )
                .help("`*` stands for a part of a name, `**` for any directories")
            })?;
        set.add(glob);
    }
    set.build()
        .map_err(|error| Problem::new(node.span, format!("these path patterns: {error}")))
}

fn rule_map(node: &Node, rules: &[Rule]) -> Result<BTreeMap<String, RuleSettings>> {
    map(node, "`rules`")?
        .iter()
        .map(|(key, value)| {
            let rule = rules
                .iter()
                .find(|rule| rule.id == key.name)
                .ok_or_else(|| unknown_rule(key, rules))?;
            Ok((key.name.clone(), rule_settings(value, rule)?))
        })
        .collect()
}

fn unknown_rule(key: &Key, rules: &[Rule]) -> Problem {
    let name = &key.name;
    let problem = Problem::new(key.span, format!("`{name}` is not a rule"));
    let ours: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.is_called(name))
        .map(|rule| rule.id)
        .collect();
    if !ours.is_empty() {
        return problem.help(format!("here it is called {}", one_of(&ours)));
    }
    match closest(name, rules.iter().map(|rule| rule.id)) {
        Some(id) => problem.help(format!("did you mean `{id}`?")),
        None => problem.help("`lockgate rules` lists them all"),
    }
}

fn rule_settings(node: &Node, rule: &Rule) -> Result<RuleSettings> {
    let mut settings = RuleSettings::default();
    let Value::Map(entries) = &node.value else {
        settings.level = Some(level(node)?);
        return Ok(settings);
    };
    for (key, value) in entries {
        if key.name == "level" {
            settings.level = Some(level(value)?);
            continue;
        }
        let Some(option) = rule.options.iter().find(|option| option.name == key.name) else {
            let mut known = vec!["level"];
            known.extend(rule.options.iter().map(|option| option.name));
            let message = format!("`{}` is not an option of `{}`", key.name, rule.id);
            let help = meant(&key.name, &known);
            return Err(Problem::new(key.span, message).help(help));
        };
        let value = option_value(value, option)?;
        settings.options.insert(key.name.clone(), value);
    }
    Ok(settings)
}

fn level(node: &Node) -> Result<Setting> {
    const WORDS: [&str; 4] = ["error", "warning", "info", "off"];
    let index = word(node, "level", &WORDS)?;
    Ok(Level::from_name(WORDS[index]))
}

fn option_value(node: &Node, option: &RuleOption) -> Result<OptionValue> {
    let name = option.name;
    let quoted = format!("`{name}`");
    match option.kind {
        "duration" => {
            duration(node, name)?;
            Ok(OptionValue::Text(text(node, &quoted)?.to_owned()))
        }
        "int" => {
            let written = text(node, &quoted)?;
            let number = written.replace('_', "").parse();
            number.map(OptionValue::Int).map_err(|_| {
                Problem::new(
                    node.span,
                    format!("`{name}` is a whole number, not `{written}`"),
                )
                .help(format!("its default is {}", option.default))
            })
        }
        "bool" => Ok(OptionValue::Bool(boolean(node, &quoted)?)),
        "list" => list(node, &quoted)?
            .iter()
            .map(|item| text(item, &quoted).map(ToOwned::to_owned))
            .collect::<Result<_>>()
            .map(OptionValue::List),
        _ => Ok(OptionValue::Text(text(node, &quoted)?.to_owned())),
    }
}

fn duration(node: &Node, name: &str) -> Result<u64> {
    let written = text(node, &format!("`{name}`"))?;
    milliseconds(written).ok_or_else(|| {
        Problem::new(
            node.span,
            format!("`{name}` is a length of time, not `{written}`"),
        )
        .help("write a number with its unit: `500ms`, `5s`, `2min`, `1h`")
    })
}

pub(super) fn boolean(node: &Node, what: &str) -> Result<bool> {
    match text(node, what)? {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Problem::new(
            node.span,
            format!("{what} is `true` or `false`, not `{other}`"),
        )),
    }
}

/// Index of the word that a value is.
pub(super) fn word(node: &Node, what: &str, words: &[&str]) -> Result<usize> {
    let written = text(node, &format!("the {what}"))?;
    let found = words.iter().position(|word| *word == written);
    found.ok_or_else(|| {
        let help = meant(written, words);
        let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        Problem::new(node.span, format!("`{written}` is not {article} {what}")).help(help)
    })
}

fn meant(written: &str, words: &[&str]) -> String {
    match closest(written, words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("it can be {}", one_of(words)),
    }
}

pub(super) fn unknown_key(key: &Key, known: &[&str]) -> Problem {
    let help = match closest(&key.name, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("known here: {}", one_of(known).replace(" or ", " and ")),
    };
    Problem::new(key.span, format!("`{}` is not known here", key.name)).help(help)
}

pub(super) fn text<'a>(node: &'a Node, what: &str) -> Result<&'a str> {
    match &node.value {
        Value::Scalar(text) => Ok(text),
        _ => Err(expected(node, what, "a single value")),
    }
}

pub(super) fn optional_text(node: &Node, what: &str) -> Result<Option<String>> {
    match &node.value {
        Value::Null => Ok(None),
        _ => text(node, what).map(|text| Some(text.to_owned())),
    }
}

pub(super) fn list<'a>(node: &'a Node, what: &str) -> Result<&'a [Node]> {
    match &node.value {
        Value::List(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => Err(expected(node, what, "a list")),
    }
}

pub(super) fn map<'a>(node: &'a Node, what: &str) -> Result<Entries<'a>> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        Value::Null => Ok(&[]),
        _ => Err(expected(node, what, "a map")),
    }
}

fn expected(node: &Node, what: &str, wanted: &str) -> Problem {
    let kind = node.kind();
    Problem::new(first_place(node), format!("{what} is {wanted}, not {kind}"))
}

/// The place of a value, or of what is in it: a list or map has none of its own.
pub(super) fn first_place(node: &Node) -> Span {
    let first = match &node.value {
        Value::Map(entries) => entries.first().map(|(key, _)| key.span),
        Value::List(items) => items.first().map(|item| item.span),
        _ => None,
    };
    first.unwrap_or(node.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Category, Check, FixKind, For, On};
    use crate::source::SourceId;

    static RULES: [Rule; 1] = [Rule {
        id: "timeout-out-of-bounds",
        title: "",
        summary: "",
        level: None,
        levels: [None; 5],
        category: Category::Availability,
        direction: For::Any,
        down: None,
        on: On::Any,
        strictness: Strictness::Default,
        since: "0.1.0",
        postgres: (13, 18),
        locks: &[],
        claims_locks: false,
        size: crate::rule::Scale::None,
        subsumes: &[],
        once: false,
        last_resort: false,
        fix: FixKind::None,
        options: &[
            option("max", "duration"),
            option("rows", "int"),
            option("dry", "bool"),
            option("tables", "list"),
            option("schema", "text"),
        ],
        aliases: &["squawk:require-timeout-settings"],
        checklist: &[],
        hazards: &[],
        page: "",
        check: Check::History(|_, _| {}),
    }];

    const fn option(name: &'static str, kind: &'static str) -> RuleOption {
        RuleOption {
            name,
            kind,
            default: "1",
            text: "",
        }
    }

    /// The settings of the rule under test, or the message with the marked text and the help.
    fn check(yaml: &str) -> std::result::Result<RuleSettings, String> {
        let text = format!("rules:\n  timeout-out-of-bounds: {yaml}\n");
        let source = Source::new(SourceId(0), "lockgate.yaml", text);
        match parse_with(&source, &RULES) {
            Ok(settings) => Ok(settings.rules["timeout-out-of-bounds"].clone()),
            Err(problem) => {
                let marked = source.slice(problem.span);
                let help = problem.help.unwrap_or_default();
                Err(format!("<{marked}> {}; {help}", problem.message))
            }
        }
    }

    #[test]
    fn options_are_checked_against_what_the_rule_declares() {
        let settings = check(
            "{ level: off, max: 5s, rows: 1_000, dry: true, tables: [a, 0012], schema: 'no' }",
        );
        let settings = settings.expect("valid");
        assert_eq!(settings.level, Some(None));
        let options: Vec<&OptionValue> = settings.options.values().collect();
        let text = |text: &str| OptionValue::Text(text.to_owned());
        let tables = OptionValue::List(vec!["a".to_owned(), "0012".to_owned()]);
        let expected = [
            OptionValue::Bool(true),
            text("5s"),
            OptionValue::Int(1000),
            text("no"),
            tables,
        ];
        assert_eq!(options, expected.iter().collect::<Vec<_>>());

        for (yaml, expected) in [
            (
                "{ max: 5 seconds }",
                "<5 seconds> `max` is a length of time, not `5 seconds`; write a number with its unit: `500ms`, `5s`, `2min`, `1h`",
            ),
            (
                "{ rows: many }",
                "<many> `rows` is a whole number, not `many`; its default is 1",
            ),
            (
                "{ dry: yes }",
                "<yes> `dry` is `true` or `false`, not `yes`; ",
            ),
            (
                "{ tables: a }",
                "<a> `tables` is a list, not a single value; ",
            ),
            (
                "{ row: 1 }",
                "<row> `row` is not an option of `timeout-out-of-bounds`; did you mean `rows`?",
            ),
            (
                "warn",
                "<warn> `warn` is not a level; did you mean `warning`?",
            ),
        ] {
            assert_eq!(check(yaml), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_name_of_another_tool_is_answered_with_ours() {
        for name in [
            "require-timeout-settings",
            "\"squawk:require-timeout-settings\"",
        ] {
            let text = format!("rules: {{ {name}: off }}");
            let source = Source::new(SourceId(0), "lockgate.yaml", text);
            let problem = parse_with(&source, &RULES).expect_err("not ours");
            let help = problem.help.expect("help");
            assert_eq!(help, "here it is called `timeout-out-of-bounds`");
        }
    }
}
