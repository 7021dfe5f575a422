//! Our reading of the parser's C tree against the parser's own protocol buffers, over all SQL of this repository.

use std::path::{Path, PathBuf};

use lockgate::source::{Fragment, SpanMap};
use lockgate::sql;
use lockgate::testing::agrees_with_protobuf;
use rayon::prelude::*;

use super::example::{is_python, root};
use super::{case, page};

/// Texts as they are sent: files, examples of pages, cases.
fn texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for path in files(&root().join("fixtures")) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let name = name(&path);
        if path.starts_with(root().join("fixtures/rules")) {
            let (cases, _) = case::read(&text);
            texts.extend(cases.into_iter().flat_map(|case| {
                let name = name.clone();
                case.example
                    .files
                    .into_iter()
                    .filter(|(path, _)| !is_python(path))
                    .map(move |(_, text)| (format!("{name}:{}", case.line), text))
            }));
        } else {
            texts.push((name, text));
        }
    }
    for path in files(&root().join("rules")) {
        let page = page::read(&std::fs::read_to_string(&path).unwrap());
        for example in page.examples {
            let at = format!("{}:{}", name(&path), example.line);
            let files = example.example.files.into_iter();
            texts.extend(
                files
                    .filter(|(path, _)| !is_python(path))
                    .map(|(_, text)| (at.clone(), text)),
            );
        }
    }
    texts
}

fn name(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Files of SQL and of pages below a directory, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(directory)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "sql" || e == "md")
                && !path.ends_with("README.md")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn all_sql_is_read_as_the_parser_means_it() {
    let texts = texts();
    assert!(texts.len() > 50, "only {} texts were found", texts.len());
    let wrong: Vec<String> = texts
        .par_iter()
        .flat_map_iter(|(name, text)| {
            // The whole text, which may hold what only psql or a migration tool understands, …
            let whole = [text.clone()];
            // … and the statements that we cut out of it.
            let fragment = Fragment {
                sql: text.as_str().into(),
                map: SpanMap::copied(0, text.len()),
            };
            let statements = sql::parse(&fragment)
                .statements
                .into_iter()
                .filter(|statement| statement.placeholders.is_empty())
                .map(|statement| text[statement.span.range()].to_owned())
                .collect::<Vec<_>>();
            whole
                .into_iter()
                .chain(statements)
                .filter_map(|sql| agrees_with_protobuf(&sql).err())
                .map(|problem| format!("{name}: {problem}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
