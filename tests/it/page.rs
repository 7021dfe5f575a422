//! The pages `rules/*.md` as data: sections, fences with their attributes, examples.

use super::example::Example;

/// The sections of a page, in their order.
const SECTIONS: [&str; 4] = ["Why", "Instead", "Exceptions", "References"];

/// Whether an example shows the hazard or the way around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// The page's rule reports it.
    Bad,
    /// No rule reports anything.
    Good,
}

/// Several fences in a row with `file=…`, or a single one.
#[derive(Debug, Clone)]
pub(crate) struct PageExample {
    /// What it shows.
    pub(crate) shows: Shows,
    /// Files and settings.
    pub(crate) example: Example,
    /// The section it stands in.
    pub(crate) section: String,
    /// Line of its first fence, from 1.
    pub(crate) line: usize,
    /// Index of the line behind its last fence.
    pub(crate) end: usize,
    /// Lines of the output fence behind it, as indices, with their text.
    pub(crate) output: Option<(std::ops::Range<usize>, String)>,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// All lines of the file.
    pub(crate) lines: Vec<String>,
    /// Its examples in order.
    pub(crate) examples: Vec<PageExample>,
    /// What is wrong with its form, each with a line.
    pub(crate) problems: Vec<String>,
}

/// A fenced block.
#[derive(Debug)]
struct Fence {
    /// Lines of the block with its two fences, as indices.
    lines: std::ops::Range<usize>,
    info: String,
    section: String,
}

/// Reads a page.
pub(crate) fn read(text: &str) -> Page {
    let mut page = Page {
        lines: text.split('\n').map(str::to_owned).collect(),
        examples: Vec::new(),
        problems: Vec::new(),
    };
    if page.lines.last().is_some_and(String::is_empty) {
        page.lines.pop();
    } else {
        page.problems
            .push("the last line has no line end".to_owned());
    }
    let body = page
        .lines
        .iter()
        .skip(1)
        .position(|line| line == "---")
        .map_or(0, |at| at + 2);
    let fences = structure(&mut page, body);
    examples(&mut page, &fences);
    page
}

/// Checks title, summary and sections; gives the fences.
fn structure(page: &mut Page, body: usize) -> Vec<Fence> {
    let mut fences: Vec<Fence> = Vec::new();
    let mut problems = Vec::new();
    let mut problem = |line: usize, text: &str| problems.push(format!("line {}: {text}", line + 1));
    let mut sections: Vec<String> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let line = |at: usize| page.lines.get(at).map_or("", String::as_str);
    if !line(body).starts_with("# ") {
        problem(body, "the body does not begin with `# title`");
    }
    if !line(body + 1).is_empty() || !line(body + 2).ends_with('.') || !line(body + 3).is_empty() {
        problem(
            body + 2,
            "below the title stands one sentence with a full stop, between blank lines",
        );
    }
    if line(body + 4) != "## Why" {
        problem(body + 4, "behind the summary comes `## Why`");
    }
    for (at, text) in page.lines.iter().enumerate().skip(body + 1) {
        if let Some((start, info)) = open.take() {
            if text == "```" {
                let section = sections.last().cloned().unwrap_or_default();
                fences.push(Fence {
                    lines: start..at + 1,
                    info,
                    section,
                });
            } else {
                open = Some((start, info));
            }
            continue;
        }
        if let Some(info) = text.strip_prefix("```") {
            open = Some((at, info.to_owned()));
        } else if let Some(title) = text.strip_prefix("## ") {
            sections.push(title.to_owned());
        } else if text.starts_with('#') {
            problem(
                at,
                "a page has one `# title` and `## sections`, nothing else",
            );
        } else if text.trim_end() != text {
            problem(at, "blanks at the end of the line");
        } else if text.is_empty() && line(at - 1).is_empty() {
            problem(at, "two blank lines in a row");
        }
    }
    if let Some((start, _)) = open {
        problem(start, "this fence is never closed");
    }
    let expected: Vec<&str> = SECTIONS
        .into_iter()
        .filter(|name| sections.iter().any(|s| s == name))
        .collect();
    if sections != expected {
        problem(
            body,
            &format!("the sections are {sections:?}; in order, of {SECTIONS:?}"),
        );
    }
    if !sections.iter().any(|name| name == "Instead") {
        problem(body, "there is no `## Instead`");
    }
    page.problems.extend(problems);
    fences
}

/// Puts fences together to examples.
fn examples(page: &mut Page, fences: &[Fence]) {
    for fence in fences {
        let at = fence.lines.start;
        let mut words = fence.info.split_whitespace();
        let language = words.next().unwrap_or_default();
        if language == "text" {
            // Output of the example directly before it; anything else is just text.
            if let Some(last) = page.examples.last_mut()
                && last.output.is_none()
                && only_blank(&page.lines[last.end..at])
            {
                let text = page.lines[at + 1..fence.lines.end - 1].join("\n");
                last.output = Some((fence.lines.clone(), text));
            }
            continue;
        }
        if !matches!(language, "sql" | "python") {
            if words.next().is_some() {
                page.problems.push(format!(
                    "line {}: only `sql` and `python` have attributes",
                    at + 1
                ));
            }
            continue;
        }
        let shows = match words.next() {
            Some("bad") => Shows::Bad,
            Some("good") => Shows::Good,
            _ => {
                page.problems.push(format!(
                    "line {}: say whether it is `bad` or `good`",
                    at + 1
                ));
                continue;
            }
        };
        let mut example = Example::default();
        let mut file = None;
        let mut settings = 0;
        let mut branch = None;
        for word in words {
            if matches!(word, "base" | "theirs") {
                branch = Some(word);
                continue;
            }
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            if key == "file" {
                file = Some(value.to_owned());
                continue;
            }
            settings += usize::from(key != "layout");
            if let Err(problem) = example.set(key, value) {
                page.problems.push(format!("line {}: {problem}", at + 1));
            }
        }
        let text = page.lines[at + 1..fence.lines.end - 1].join("\n") + "\n";
        let path = file.clone().unwrap_or_else(|| example.default_path());
        // Another file of the same history.
        if file.is_some()
            && settings == 0
            && let Some(last) = page.examples.last_mut()
            && last.shows == shows
            && last.output.is_none()
            && of(&mut last.example, branch)
                .iter()
                .all(|(other, _)| *other != path)
            && only_blank(&page.lines[last.end..at])
        {
            of(&mut last.example, branch).push((path, text));
            last.end = fence.lines.end;
            continue;
        }
        of(&mut example, branch).push((path, text));
        page.examples.push(PageExample {
            shows,
            example,
            section: fence.section.clone(),
            line: at + 1,
            end: fence.lines.end,
            output: None,
        });
    }
}

/// The files of an example that a fence belongs to.
fn of<'e>(example: &'e mut Example, branch: Option<&str>) -> &'e mut Vec<(String, String)> {
    match branch {
        Some("base") => &mut example.base,
        Some(_) => &mut example.theirs,
        None => &mut example.files,
    }
}

fn only_blank(lines: &[String]) -> bool {
    lines.iter().all(String::is_empty)
}

#[test]
fn pages_are_read() {
    let text = "---\nlevel: error\n---\n# Title\n\nSummary.\n\n## Why\n\nText.\n\n\
        ```sql bad layout=flyway file=V1__a.sql\nSELECT 1;\n```\n\n```sql bad layout=flyway file=V2__b.sql\nSELECT 2;\n```\n\n\
        ```text\nout\n```\n\n## Instead\n\n```sql good pg=14\nSELECT 3;\n```\n";
    let page = read(text);
    assert_eq!(page.problems, Vec::<String>::new());
    let [bad, good] = page.examples.as_slice() else {
        panic!("{:?}", page.examples);
    };
    assert_eq!(
        bad.example.files[1],
        ("V2__b.sql".to_owned(), "SELECT 2;\n".to_owned())
    );
    assert_eq!(bad.output, Some((19..22, "out".to_owned())));
    assert_eq!((bad.line, bad.end, bad.section.as_str()), (12, 18, "Why"));
    assert_eq!((good.shows, good.example.postgres), (Shows::Good, Some(14)));

    let broken = "---\n---\n# Title\n\nNo stop\n\n## Instead\n\n## Why\n\n```sql\nx\n```\n```python bad pg=12\n";
    let problems = read(broken).problems.join("\n");
    for part in [
        "line 5: below the title",
        "line 7: behind the summary",
        "line 14: this fence is never closed",
        "line 3: the sections are",
        "line 11: say whether",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
}
