//! The cases `fixtures/rules/*.sql` as data.
//!
//! `-- case: title` opens a case; settings of the example follow (`-- layout: flyway`), then its text. `-- file: name`
//! begins a file, `-- base: name` one of the branch that these are merged into, from the time when the branches parted, and
//! `-- theirs: name` one that it has got since. A comment of carets marks the place of a finding in the line above, followed by the beginning of its
//! message; carets that stand directly behind the comment's mark (`-- ^^^`), with the mark under the first character of the
//! line, say only that the finding begins there. `possible: `, `unknown: ` and a level (`warning: `) before the message are
//! compared too, and so is the beginning of the help in `-- help: …` below the carets. `-- fixed:` holds the files
//! after the fixes of the rule. Comments of Python begin with `#`.

use super::example::Example;

/// A case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    /// Its title.
    pub(crate) title: String,
    /// Line of the title in the fixture, from 1.
    pub(crate) line: usize,
    /// Files without marks, and settings.
    pub(crate) example: Example,
    /// What is marked.
    pub(crate) marks: Vec<Mark>,
    /// The files after the fixes.
    pub(crate) fixed: Option<Vec<(String, String)>>,
}

/// A place where a finding is expected. Lines and columns count from 1, columns in Unicode scalar values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Path of the file.
    pub(crate) file: String,
    /// Line in the text without marks.
    pub(crate) line: u32,
    /// First column.
    pub(crate) column: u32,
    /// Column behind the last one; none where only the beginning is marked.
    pub(crate) end: Option<u32>,
    /// What the message begins with, behind certainty and level.
    pub(crate) message: String,
    /// What the help begins with.
    pub(crate) help: Option<String>,
}

/// What the lines that come belong to.
#[derive(PartialEq, Eq)]
enum Part {
    Head,
    Text,
    Base,
    Theirs,
    Fixed,
}

/// Reads the cases of a fixture; the second list says what is wrong with its form.
pub(crate) fn read(text: &str) -> (Vec<Case>, Vec<String>) {
    let mut cases: Vec<Case> = Vec::new();
    let mut problems = Vec::new();
    let mut part = Part::Head;
    for (index, line) in text.split('\n').enumerate() {
        let mut problem = |text: String| problems.push(format!("line {}: {text}", index + 1));
        if let Some(title) = line.strip_prefix("-- case: ") {
            if let Some(last) = cases.last_mut() {
                finish(last);
            }
            if cases.iter().any(|case| case.title == title) {
                problem(format!("there are two cases called `{title}`"));
            }
            cases.push(Case {
                title: title.to_owned(),
                line: index + 1,
                ..Case::default()
            });
            part = Part::Head;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            if !line.is_empty() && !line.starts_with("--") {
                problem(
                    "before the first `-- case: title` stands something else than comments"
                        .to_owned(),
                );
            }
            continue;
        };
        if line == "-- fixed:" {
            case.fixed = Some(Vec::new());
            part = Part::Fixed;
            continue;
        }
        if let Some((next, name)) = opens(line, &part) {
            part = next;
            files(case, &part).push((name.to_owned(), String::new()));
            continue;
        }
        if part == Part::Head {
            match setting(line) {
                Some((key, value)) => {
                    if let Err(text) = case.example.set(key, value) {
                        problem(text);
                    }
                    continue;
                }
                None if line.is_empty() => continue,
                None => part = Part::Text,
            }
        }
        if part == Part::Text {
            match mark(case, line) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(text) => problem(text),
            }
        }
        let default = case.example.default_path();
        let files = files(case, &part);
        if files.is_empty() {
            if line.is_empty() {
                continue;
            }
            files.push((default, String::new()));
        }
        if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    if let Some(last) = cases.last_mut() {
        finish(last);
    }
    for case in &cases {
        if case.example.files.is_empty() {
            problems.push(format!("line {}: the case has no text", case.line));
        }
    }
    (cases, problems)
}

/// The part that a line opens a file of, and the file's name.
fn opens<'l>(line: &'l str, part: &Part) -> Option<(Part, &'l str)> {
    let (key, name) = line.strip_prefix("-- ")?.split_once(": ")?;
    let part = match key {
        "file" if *part == Part::Fixed => Part::Fixed,
        "file" => Part::Text,
        "base" => Part::Base,
        "theirs" => Part::Theirs,
        _ => return None,
    };
    Some((part, name))
}

fn files<'c>(case: &'c mut Case, part: &Part) -> &'c mut Vec<(String, String)> {
    match part {
        Part::Fixed => case.fixed.get_or_insert_default(),
        Part::Base => &mut case.example.base,
        Part::Theirs => &mut case.example.theirs,
        Part::Head | Part::Text => &mut case.example.files,
    }
}

/// Blank lines before the next case or file are not part of the text.
fn finish(case: &mut Case) {
    for (_, text) in case
        .example
        .files
        .iter_mut()
        .chain(&mut case.example.base)
        .chain(&mut case.example.theirs)
        .chain(case.fixed.iter_mut().flatten())
    {
        let end = text.trim_end_matches('\n').len();
        text.truncate(end);
        if end > 0 {
            text.push('\n');
        }
    }
}

/// `-- layout: flyway`, for the names that are settings.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix("-- ")?.split_once(':')?;
    Example::KEYS.contains(&key).then(|| (key, value.trim()))
}

/// Reads a line of carets, or of help below one; false for any other line.
fn mark(case: &mut Case, line: &str) -> Result<bool, String> {
    let indent = line.len() - line.trim_start().len();
    let Some(rest) = line[indent..]
        .strip_prefix("--")
        .or_else(|| line[indent..].strip_prefix('#'))
    else {
        return Ok(false);
    };
    let comment = line.len() - rest.len() - indent;
    let Some((file, text)) = case.example.files.last() else {
        return Ok(false);
    };
    let number = text.matches('\n').count();
    if let Some(help) = rest.trim_start().strip_prefix("help: ")
        && let Some(last) = case.marks.last_mut()
        && last.help.is_none()
        && last.file == *file
        && last.line as usize == number
    {
        last.help = Some(help.trim_end().to_owned());
        return Ok(true);
    }
    let carets = rest.trim_start_matches(' ');
    let message = carets.trim_start_matches('^');
    let width = carets.len() - message.len();
    if width == 0 || !(message.is_empty() || message.starts_with(' ')) {
        return Ok(false);
    }
    let Some(above) = text
        .trim_end_matches('\n')
        .rsplit('\n')
        .next()
        .filter(|_| number > 0)
    else {
        return Err("there is no line above these carets".to_owned());
    };
    let column = line.len() - carets.len();
    let first = above.chars().take_while(|c| c.is_whitespace()).count();
    let only_begin = width == 3 && indent == first && column == indent + comment + 1;
    let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    let (column, end) = if only_begin {
        (count(indent), None)
    } else {
        (count(column), Some(count(column + width)))
    };
    case.marks.push(Mark {
        file: file.clone(),
        line: u32::try_from(number).unwrap_or(u32::MAX),
        column,
        end,
        message: message.trim().to_owned(),
        help: None,
    });
    Ok(true)
}

#[test]
fn cases_are_read() {
    let text = "-- A comment about all of them.\n\n-- case: one\n-- layout: flyway\n-- pg: 14\n\n\
        SELECT 'é', x;\n--          ^ an x\n-- ^^^ possible: all of it\n-- help: do not\n\n-- case: two\n\
        -- file: a.sql\nDO $$\n  x;\n  -- ^^^ at three\n--^ at three too\n-- not a mark ^^^\n-- file: b.sql\nb;\n\n-- fixed:\n-- file: b.sql\nc;\n\n";
    let (cases, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new());
    let [one, two] = cases.as_slice() else {
        panic!("{cases:?}");
    };
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let mark = |file: &str, line, column, end, message: &str, help: Option<&str>| Mark {
        file: file.to_owned(),
        line,
        column,
        end,
        message: message.to_owned(),
        help: help.map(str::to_owned),
    };
    assert_eq!((one.line, one.example.postgres), (3, Some(14)));
    assert_eq!(
        one.example.files,
        [file("V1__example.sql", "SELECT 'é', x;\n")]
    );
    assert_eq!(
        one.marks,
        [
            mark("V1__example.sql", 1, 13, Some(14), "an x", None),
            mark(
                "V1__example.sql",
                1,
                1,
                None,
                "possible: all of it",
                Some("do not")
            ),
        ]
    );
    assert_eq!(
        two.example.files,
        [
            file("a.sql", "DO $$\n  x;\n-- not a mark ^^^\n"),
            file("b.sql", "b;\n")
        ]
    );
    assert_eq!(
        two.marks,
        [
            mark("a.sql", 2, 3, None, "at three", None),
            mark("a.sql", 2, 3, Some(4), "at three too", None),
        ]
    );
    assert_eq!(two.fixed, Some(vec![file("b.sql", "c;\n")]));

    let (_, problems) = read("x\n-- case: a\n-- pg: 12\n-- ^^^ b\nx\n-- case: a\n");
    assert_eq!(
        problems,
        [
            "line 1: before the first `-- case: title` stands something else than comments",
            "line 3: `pg` cannot be `12`",
            "line 6: there are two cases called `a`",
            "line 6: the case has no text",
        ]
    );
}
