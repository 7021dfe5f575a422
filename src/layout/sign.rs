//! Signs by which tools are told apart: what stands in the files of a directory, and what the package around it needs.

use std::collections::BTreeMap;

use super::{Files, path, text};

/// So many files of a directory are looked into to tell whose it is.
const SAMPLE: usize = 8;

/// The names of the SQL files of each directory, both sorted.
pub(super) fn by_directory(files: &dyn Files) -> BTreeMap<&str, Vec<&str>> {
    let mut directories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files.paths().iter().filter(|path| path::is_sql(path)) {
        directories
            .entry(path::parent(path))
            .or_default()
            .push(path::file_name(path));
    }
    directories
}

/// Directories in which half or more of the first SQL files hold a tool's mark, each with the first of them.
pub(super) fn marked(files: &dyn Files, is_marked: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (directory, names) in by_directory(files) {
        let sample = &names[..names.len().min(SAMPLE)];
        let marked: Vec<&&str> = sample
            .iter()
            .filter(|name| {
                files
                    .text(&path::join(directory, name))
                    .is_some_and(|text| is_marked(&text))
            })
            .collect();
        if let Some(first) = marked.first()
            && 2 * marked.len() >= sample.len()
        {
            all.push((directory.to_owned(), (**first).to_owned()));
        }
    }
    all
}

/// The path of a file of that name in the directory or above it, the nearest one.
pub(super) fn nearest(files: &dyn Files, directory: &str, name: &str) -> Option<String> {
    let mut at = directory;
    loop {
        let path = path::join(at, name);
        if exists(files, &path) {
            return Some(path);
        }
        if at.is_empty() {
            return None;
        }
        at = path::parent(at);
    }
}

/// True if there is a file of that path.
pub(super) fn exists(files: &dyn Files, path: &str) -> bool {
    files
        .paths()
        .binary_search_by(|other| other.as_str().cmp(path))
        .is_ok()
}

/// True if a Rust package at or above the directory needs a crate; of a workspace, any of its packages.
pub(super) fn needs_crate(files: &dyn Files, directory: &str, name: &str) -> bool {
    let Some(manifest) = nearest(files, directory, "Cargo.toml") else {
        return false;
    };
    let text = files.text(&manifest).unwrap_or_default();
    if names_crate(&text, name) {
        return true;
    }
    let home = path::parent(&manifest);
    if text.contains("[workspace") {
        return path::below(files.paths(), home)
            .filter(|path| path::file_name(path) == "Cargo.toml")
            .any(|path| {
                files
                    .text(path)
                    .is_some_and(|text| names_crate(&text, name))
            });
    }
    !home.is_empty() && needs_crate(files, path::parent(home), name)
}

/// True if a `Cargo.toml` names a crate among its dependencies.
fn names_crate(text: &str, name: &str) -> bool {
    text::lines(text).any(|(_, line)| {
        let line = line.trim();
        let section = line.starts_with('[') && line.ends_with(']');
        if section {
            return line
                .trim_matches(['[', ']'])
                .rsplit_once("dependencies.")
                .is_some_and(|(_, crate_name)| crate_name.trim_matches('"') == name);
        }
        line.strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    })
}

/// True if a `package.json` at or above the directory names a package.
pub(super) fn needs_package(files: &dyn Files, directory: &str, name: &str) -> bool {
    let Some(manifest) = nearest(files, directory, "package.json") else {
        return false;
    };
    let home = path::parent(&manifest);
    let quoted = format!("\"{name}\"");
    files
        .text(&manifest)
        .is_some_and(|text| text.contains(&quoted))
        || (!home.is_empty() && needs_package(files, path::parent(home), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_found_among_the_dependencies() {
        let cases = [
            ("[dependencies]\nsqlx = \"0.8\"\n", true),
            ("[dependencies]\nsqlx.workspace = true\n", true),
            ("[dependencies.sqlx]\nversion = \"0.8\"\n", true),
            ("[workspace.dependencies.\"sqlx\"]\n", true),
            ("[dependencies]\nsqlx-cli = \"0.8\"\n", false),
            ("[package]\ndescription = \"uses sqlx = no\"\n", false),
        ];
        for (text, expected) in cases {
            assert_eq!(names_crate(text, "sqlx"), expected, "{text}");
        }
    }
}
