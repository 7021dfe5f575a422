//! Comments of changelogs in XML and YAML, and of the SQL that stands in them.

use super::CommentText;
use crate::source::{Source, Span};

/// The comments of a file in XML, YAML or JSON. XML allows no `--` inside of a comment: ` - ` parts the reason there.
#[must_use]
pub fn comments(source: &Source) -> Vec<CommentText> {
    let text = &source.text;
    let mut all = Vec::new();
    let mut at = 0;
    if is(source, &["xml"]) {
        while let Some(open) = text[at..].find("<!--").map(|open| at + open) {
            let inside = open + "<!--".len();
            let end = text[inside..]
                .find("-->")
                .map_or(text.len(), |end| inside + end);
            at = (end + "-->".len()).min(text.len());
            all.push(CommentText {
                span: Span::new(open, at),
                text: text[inside..end].replace(" - ", " -- "),
            });
        }
    }
    let is_yaml = is(source, &["yaml", "yml"]);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.starts_with("--") && !bare.starts_with("-->") || (is_yaml && bare.starts_with('#'))
        {
            let lead = start + (line.len() - line.trim_start().len());
            all.push(CommentText {
                span: Span::new(lead, lead + bare.len()),
                text: bare.to_owned(),
            });
        }
        start += line.len();
    }
    all.sort_by_key(|comment| comment.span);
    all
}

/// True for a file that is read as a changelog in XML, YAML or JSON.
#[must_use]
pub fn is_markup(source: &Source) -> bool {
    is(source, &["xml", "yaml", "yml", "json"])
}

fn is(source: &Source, extensions: &[&str]) -> bool {
    source.path.rsplit_once('.').is_some_and(|(_, own)| {
        extensions
            .iter()
            .any(|extension| own.eq_ignore_ascii_case(extension))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    #[test]
    fn comments_of_each_language_are_found() {
        for (path, text, expected) in [
            ("a.xml", "<a><!-- x - y --><b/><!--z", vec![" x -- y ", "z"]),
            ("a.xml", "<sql>\n  -- x\nselect 1</sql>", vec!["-- x"]),
            ("a.yml", "a: 1\n  # x\nb: '#'", vec!["# x"]),
            ("a.yaml", "sql: |\n  -- x\n  select 1", vec!["-- x"]),
            ("a.json", "{}", vec![]),
        ] {
            let source = Source::new(SourceId(0), path, text);
            let found: Vec<String> = comments(&source)
                .into_iter()
                .map(|comment| comment.text)
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
