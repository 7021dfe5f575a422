//! The little that is read of tools' configuration files: flat keys and their values.
//!
//! These readers never fail: a line that they do not understand is left out, as the tool that owns the file will
//! complain about it. Lists become one text, joined by commas.

use super::text::lines;

/// A key with its section (`section.key`, or `key` in none) and its value.
pub(super) type Key = (String, String);

/// `key=value` lines as Java properties have them: `#` and `!` open comments, `\` continues a line.
pub(super) fn properties(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut whole = String::new();
    for (_, line) in lines(text) {
        let line = line.trim_start();
        if whole.is_empty() && (line.starts_with('#') || line.starts_with('!')) {
            continue;
        }
        if let Some(begin) = line.strip_suffix('\\') {
            whole.push_str(begin);
            continue;
        }
        whole.push_str(line);
        if let Some((key, value)) = whole.split_once(['=', ':']) {
            keys.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        whole.clear();
    }
    keys
}

/// Sections of an INI file as Python's `configparser` reads them; a value goes on in indented lines.
pub(super) fn ini(text: &str) -> Vec<(String, Vec<Key>)> {
    let mut sections: Vec<(String, Vec<Key>)> = Vec::new();
    for (_, line) in lines(text) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with(';') {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            sections.push((name.to_owned(), Vec::new()));
            continue;
        }
        let Some((_, keys)) = sections.last_mut() else {
            continue;
        };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = keys.last_mut() {
                value.push('\n');
                value.push_str(trimmed);
            }
        } else if let Some((key, value)) = line.split_once(['=', ':']) {
            keys.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sections
}

/// Keys of a TOML file, with their section in front: strings, numbers, booleans and lists of strings.
pub(super) fn toml(text: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut section = String::new();
    let mut open_list = false;
    for (_, line) in lines(text) {
        let line = without_comment(line).trim();
        if open_list {
            open_list = !line.contains(']');
            if let Some((_, value)) = keys.last_mut() {
                append_items(value, line);
            }
        } else if line.starts_with('[') {
            section = line.trim_matches(['[', ']', ' ']).replace('"', "");
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().trim_matches('"');
            let key = if section.is_empty() {
                key.to_owned()
            } else {
                format!("{section}.{key}")
            };
            let value = value.trim();
            if let Some(items) = value.strip_prefix('[') {
                open_list = !items.contains(']');
                let mut list = String::new();
                append_items(&mut list, items);
                keys.push((key, list));
            } else {
                keys.push((key, unquoted(value).to_owned()));
            }
        }
    }
    keys
}

/// Keys of a YAML file with all their parents in front (`spring.flyway.locations`); block and flow lists of scalars.
pub(super) fn yaml(text: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut parents: Vec<(usize, String)> = Vec::new();
    for (_, line) in lines(text) {
        let line = without_comment(line);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed == "---" {
            if trimmed == "---" {
                parents.clear();
            }
            continue;
        }
        if let Some(item) = trimmed.strip_prefix("- ") {
            if let Some((_, value)) = keys.last_mut() {
                append_items(value, item);
            }
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let Some((key, value)) = trimmed
            .split_once(": ")
            .or_else(|| Some((trimmed.strip_suffix(':')?, "")))
        else {
            continue;
        };
        parents.retain(|(depth, _)| *depth < indent);
        parents.push((indent, unquoted(key.trim()).to_owned()));
        let path: Vec<&str> = parents.iter().map(|(_, part)| part.as_str()).collect();
        let path = path.join(".");
        let value = value.trim();
        let value = match value.strip_prefix('[') {
            Some(items) => {
                let mut list = String::new();
                append_items(&mut list, items);
                list
            }
            None => unquoted(value).to_owned(),
        };
        keys.push((path, value));
    }
    keys
}

fn append_items(list: &mut String, items: &str) {
    for item in items.trim_end_matches(']').split(',') {
        let item = unquoted(item.trim().trim_end_matches(']').trim());
        if !item.is_empty() {
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(item);
        }
    }
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

/// The line without the comment that a `#` outside of quotes opens.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if at == 0 || line[..at].ends_with([' ', '\t']) => return &line[..at],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(keys: &[Key]) -> Vec<String> {
        keys.iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect()
    }

    #[test]
    fn properties_have_comments_and_continued_lines() {
        let text = "# c\n! c\r\nflyway.url = jdbc:x://h\nflyway.locations=a,\\\n  b\nnothing\n";
        assert_eq!(
            shown(&properties(text)),
            ["flyway.url=jdbc:x://h", "flyway.locations=a,b"]
        );
    }

    #[test]
    fn ini_values_go_on_in_indented_lines() {
        let text = "x = 1\n[alembic]\n; c\nscript_location = %(here)s/db\nversion_locations = a\n  b\n[tenant]\nscript_location: t\n";
        let sections: Vec<_> = ini(text)
            .into_iter()
            .map(|(name, keys)| (name, shown(&keys)))
            .collect();
        assert_eq!(
            sections,
            [
                (
                    "alembic".to_owned(),
                    vec![
                        "script_location=%(here)s/db".to_owned(),
                        "version_locations=a\nb".to_owned()
                    ]
                ),
                ("tenant".to_owned(), vec!["script_location=t".to_owned()]),
            ]
        );
    }

    #[test]
    fn toml_sections_and_lists() {
        let text = "a = 1\n[flyway]\nlocations = [\n  \"filesystem:a\", # one\n  'filesystem:b',\n]\nmixed = true # yes\n[environments.\"default\"]\nurl = \"jdbc:x#y\"\nz = [\"p\", \"q\"]\n";
        assert_eq!(
            shown(&toml(text)),
            [
                "a=1",
                "flyway.locations=filesystem:a,filesystem:b",
                "flyway.mixed=true",
                "environments.default.url=jdbc:x#y",
                "environments.default.z=p,q"
            ]
        );
    }

    #[test]
    fn yaml_keys_carry_their_parents() {
        let text = "spring:\n  datasource:\n    url: \"jdbc:x://h\" # c\n  flyway:\n    locations:\n      - classpath:a\n      - classpath:b\n    placeholders: {}\n    group: true\nother: [a, 'b']\n";
        assert_eq!(
            shown(&yaml(text)),
            [
                "spring=",
                "spring.datasource=",
                "spring.datasource.url=jdbc:x://h",
                "spring.flyway=",
                "spring.flyway.locations=classpath:a,classpath:b",
                "spring.flyway.placeholders={}",
                "spring.flyway.group=true",
                "other=a,b"
            ]
        );
    }
}
