//! Trees of files as projects have them, and what is found in them.
//!
//! `fixtures/layouts/<tool>/<case>/` is a project; `expected.txt` in it says which histories are found and why, their
//! scripts in order, and every problem. A file `request.txt` names paths (`path: db/1.sql`) and configured directories
//! (`root: db layout=plain key=value`). `BLESS=1` writes what is found.

#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate::discover::{Discovered, Project, Request, discover};
use lockgate::layout::{Emptiness, File, Files, Problem, Script, pairs};
use lockgate::settings::{Root, Settings};
use lockgate::source::{Location, Source, SourceId};

#[test]
fn trees_are_read_as_their_tools_read_them() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts");
    let mut failures = String::new();
    let mut count = 0;
    for tool in directories(&home) {
        for case in directories(&tool) {
            count += 1;
            let found = render(&discover_case(&case));
            let file = case.join("expected.txt");
            if std::env::var_os("BLESS").is_some() {
                fs::write(&file, &found).expect("fixtures can be written");
            }
            let expected = fs::read_to_string(&file).unwrap_or_default();
            if expected != found {
                let name = case.strip_prefix(&home).unwrap_or(&case).display();
                let diff = similar::TextDiff::from_lines(&expected, &found);
                writeln!(failures, "{name}:\n{}", diff.unified_diff())
                    .expect("a String takes everything");
            }
        }
    }
    assert!(count > 15, "only {count} cases were found");
    assert!(
        failures.is_empty(),
        "{failures}\nBLESS=1 rewrites what is expected"
    );
}

/// One file and nothing else.
struct Alone {
    paths: Vec<String>,
    text: Arc<str>,
}

impl Files for Alone {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<Arc<str>> {
        (path == self.paths[0]).then(|| Arc::clone(&self.text))
    }
}

/// Every layout reads every fixture, cut anywhere, without a panic, and speaks about places in it.
#[test]
fn cut_files_are_read_by_every_layout() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts");
    let mut count = 0;
    for entry in walkdir::WalkDir::new(&home).sort_by_file_name() {
        let entry = entry.expect("fixtures can be read");
        if !entry.file_type().is_file() || entry.file_name() == "expected.txt" {
            continue;
        }
        let Ok(text) = fs::read_to_string(entry.path()) else {
            continue;
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let ends = (0..=text.len()).filter(|end| end % 17 == 0 || *end == text.len());
        for end in ends.filter(|end| text.is_char_boundary(*end)) {
            let files = Alone {
                paths: vec![name.clone()],
                text: Arc::from(&text[..end]),
            };
            let source = Source::new(SourceId(0), name.clone(), Arc::clone(&files.text));
            for layout in lockgate::layout::ALL {
                count += 1;
                (layout.detect)(&files);
                let found = (layout.open)(&files, "", &BTreeMap::new());
                let file = File {
                    path: &name,
                    source: &source,
                    files: &files,
                };
                let reading = (layout.read)(&found, &file);
                let problems = reading.problems.iter().map(|problem| problem.location.span);
                let scripts = reading.scripts.iter().map(|script| script.span);
                for span in problems.chain(scripts) {
                    assert!(
                        source.text.get(span.range()).is_some(),
                        "{} cut at {end}: {} speaks about {span:?}",
                        entry.path().display(),
                        layout.name
                    );
                }
                (layout.arrange)(&found, reading.scripts);
            }
        }
    }
    assert!(count > 10_000, "only {count} readings");
}

fn directories(home: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(home)
        .expect("fixtures are there")
        .map(|entry| entry.expect("fixtures can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    all
}

fn discover_case(case: &Path) -> Discovered {
    let request = fs::read_to_string(case.join("request.txt")).unwrap_or_default();
    let mut paths = Vec::new();
    let mut settings = Settings {
        root: Some(case.to_owned()),
        ..Settings::default()
    };
    for line in request.lines() {
        if let Some(path) = line.strip_prefix("path: ") {
            paths.push(PathBuf::from(path));
        } else if let Some(root) = line.strip_prefix("root: ") {
            let mut words = root.split(' ');
            let path = words.next().expect("a root has a path").to_owned();
            let mut options: BTreeMap<String, String> = words
                .map(|word| word.split_once('=').expect("an option is `key=value`"))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            settings.roots.push(Root {
                path,
                layout: options.remove("layout"),
                options,
            });
        }
    }
    discover(&Request {
        cwd: case,
        paths: &paths,
        settings: &settings,
        stdin: None,
        changed: None,
    })
    .expect("Git is not asked")
}

fn render(found: &Discovered) -> String {
    let mut out = String::new();
    for project in &found.projects {
        render_project(&mut out, found, project).expect("a String takes everything");
    }
    for error in &found.errors {
        writeln!(out, "cannot read {}: {}", error.path, error.message)
            .expect("a String takes everything");
    }
    for entry in &found.not_analysed {
        let place = place(found, entry.location);
        writeln!(out, "not analysed {place}: {}", entry.reason).expect("a String takes everything");
    }
    if found.ignored > 0 {
        writeln!(out, "ignored: {}", found.ignored).expect("a String takes everything");
    }
    out
}

fn render_project(out: &mut String, found: &Discovered, project: &Project) -> std::fmt::Result {
    writeln!(out, "{} in {}", project.found.layout.name, project.root)?;
    writeln!(out, "  because {}", project.found.reason)?;
    if project.found.directories != [project.found.root.clone()] {
        writeln!(
            out,
            "  directories: {}",
            project.found.directories.join(", ")
        )?;
    }
    for (key, value) in &project.found.settings {
        writeln!(out, "  {key} = {value}")?;
    }
    if let Some(dialect) = project.dialect {
        writeln!(out, "  for {dialect}, not judged")?;
    }
    let pairs = pairs(&project.scripts);
    for (script, pair) in project.scripts.iter().zip(pairs) {
        let is_wanted = project
            .wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&script.source));
        let source = &found.sources[script.source.0 as usize];
        writeln!(
            out,
            "  {} {} [{}] {} ({}){}{}",
            script.direction.as_str(),
            if script.version.is_empty() {
                "-"
            } else {
                &script.version
            },
            script.description,
            place(found, script.location()),
            runs(project, script),
            if pair.is_some() { "" } else { " no pair" },
            if is_wanted { "" } else { " replayed only" },
        )?;
        match &script.emptiness {
            None => {}
            Some(Emptiness::Blank(None)) => writeln!(out, "    blank")?,
            Some(Emptiness::Blank(Some(comment))) => writeln!(out, "    blank: {comment}")?,
            Some(Emptiness::Pass) => writeln!(out, "    pass")?,
            Some(Emptiness::Raises(text)) => writeln!(out, "    raises: {text}")?,
        }
        for (span, reason) in &script.not_analysed {
            let line = source.position(span.start).line;
            writeln!(out, "    not analysed line {line}: {reason}")?;
        }
    }
    for problem in &project.problems {
        render_problem(out, found, problem)?;
    }
    Ok(())
}

fn render_problem(out: &mut String, found: &Discovered, problem: &Problem) -> std::fmt::Result {
    writeln!(
        out,
        "  {:?} at {}: {}",
        problem.kind,
        place(found, problem.location),
        problem.message
    )?;
    if let Some(help) = &problem.help {
        writeln!(out, "    help: {help}")?;
    }
    for (location, text) in &problem.labels {
        writeln!(out, "    see {}: {text}", place(found, *location))?;
    }
    Ok(())
}

/// How the pieces of a script are sent and wrapped, equal neighbours together.
fn runs(project: &Project, script: &Script) -> String {
    let runner = project.found.layout.runner;
    let mut runs: Vec<(String, usize)> = Vec::new();
    for piece in &script.pieces {
        let send = piece.send.unwrap_or(runner.send);
        let wraps = piece.wraps.unwrap_or(runner.wraps);
        let maybe = if piece.conditional { "?" } else { "" };
        let run = format!("{send:?}/{wraps:?}{maybe}");
        match runs.last_mut() {
            Some((last, count)) if *last == run => *count += 1,
            _ => runs.push((run, 1)),
        }
    }
    if runs.is_empty() {
        return "nothing".to_owned();
    }
    let runs: Vec<String> = runs
        .into_iter()
        .map(|(run, count)| format!("{count} {run}"))
        .collect();
    runs.join(", ")
}

fn place(found: &Discovered, location: Location) -> String {
    let source = &found.sources[location.source.0 as usize];
    let position = source.position(location.span.start);
    format!("{}:{}:{}", source.path, position.line, position.column)
}
