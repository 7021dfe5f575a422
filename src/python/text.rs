//! Text that remembers where its bytes stand in the file.

use crate::source::{Fragment, Span, SpanMap};

/// A string with the runs of it that were copied byte for byte from the file.
///
/// Equality compares the text alone: where a name was written does not change what it names.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_field_names, reason = "the text of a text")]
pub struct Text {
    text: String,
    runs: Vec<Run>,
    /// True for names that went through `op.f`: naming conventions leave them alone.
    final_name: bool,
    /// The answer of `quoted_name(x, quote)` if one was given.
    quote: Option<bool>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    at: usize,
    file: usize,
    len: usize,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }
}

impl Text {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True without characters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends text that stands nowhere in the file.
    pub fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends text that stands in the file from `file` on.
    pub fn push_copied(&mut self, text: &str, file: usize) {
        let at = self.text.len();
        self.text.push_str(text);
        if text.is_empty() {
            return;
        }
        if let Some(last) = self.runs.last_mut()
            && last.at + last.len == at
            && last.file + last.len == file
        {
            last.len += text.len();
            return;
        }
        self.runs.push(Run {
            at,
            file,
            len: text.len(),
        });
    }

    /// Appends other text with its runs.
    pub fn push(&mut self, other: &Self) {
        let base = self.text.len();
        self.text.push_str(&other.text);
        for run in &other.runs {
            self.runs.push(Run {
                at: base + run.at,
                ..*run
            });
        }
    }

    /// The part between two byte offsets, with its runs. Offsets must be character borders; others give an empty text.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let Some(part) = self.text.get(start..end) else {
            return Self::default();
        };
        let runs = self
            .runs
            .iter()
            .filter_map(|run| {
                let from = run.at.max(start);
                let to = (run.at + run.len).min(end);
                (from < to).then(|| Run {
                    at: from - start,
                    file: run.file + (from - run.at),
                    len: to - from,
                })
            })
            .collect();
        Self {
            text: part.to_owned(),
            runs,
            final_name: self.final_name,
            quote: self.quote,
        }
    }

    /// The text without characters of `set` (white space if `None`) at its ends.
    #[must_use]
    pub fn trim(&self, set: Option<&str>, start: bool, end: bool) -> Self {
        let strip = |c: char| set.map_or(c.is_whitespace(), |set| set.contains(c));
        let all = self.text.as_str();
        let from = if start {
            all.len() - all.trim_start_matches(strip).len()
        } else {
            0
        };
        let to = if end {
            all.trim_end_matches(strip).len()
        } else {
            all.len()
        };
        self.slice(from, to.max(from))
    }

    /// Every occurrence of `from` replaced.
    #[must_use]
    pub fn replace(&self, from: &str, to: &Self) -> Self {
        if from.is_empty() {
            return self.clone();
        }
        let mut out = Self::default();
        let mut at = 0;
        while let Some(found) = self.text[at..].find(from) {
            out.push(&self.slice(at, at + found));
            out.push(to);
            at += found + from.len();
        }
        out.push(&self.slice(at, self.text.len()));
        out
    }

    /// The pieces between occurrences of `by`.
    #[must_use]
    pub fn split(&self, by: &str) -> Vec<Self> {
        if by.is_empty() {
            return vec![self.clone()];
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(found) = self.text[at..].find(by) {
            parts.push(self.slice(at, at + found));
            at += found + by.len();
        }
        parts.push(self.slice(at, self.text.len()));
        parts
    }

    /// What `textwrap.dedent` makes of it: the white space that all lines share is removed, blank lines become empty.
    #[must_use]
    pub fn dedent(&self) -> Self {
        let lines = self.split("\n");
        let mut margin: Option<&str> = None;
        for line in &lines {
            let body = line.text.trim_start_matches([' ', '\t']);
            if body.is_empty() {
                continue;
            }
            let indent = &line.text[..line.text.len() - body.len()];
            margin = Some(margin.map_or(indent, |known| {
                let common = known
                    .bytes()
                    .zip(indent.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                &known[..common]
            }));
        }
        let margin = margin.map_or(0, str::len);
        let mut out = Self::default();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                // The line break itself stands in the file too.
                let at = lines[..index]
                    .iter()
                    .map(|line| line.text.len() + 1)
                    .sum::<usize>()
                    - 1;
                out.push(&self.slice(at, at + 1));
            }
            if !line.text.trim_matches([' ', '\t']).is_empty() {
                out.push(&line.slice(margin, line.text.len()));
            }
        }
        out
    }

    /// The same name, marked as final for naming conventions (`op.f`).
    #[must_use]
    pub fn into_final(mut self) -> Self {
        self.final_name = true;
        self
    }

    /// The same name with an explicit choice of quoting (`quoted_name`).
    #[must_use]
    pub fn with_quote(mut self, quote: Option<bool>) -> Self {
        self.quote = quote;
        self
    }

    /// True for names that went through `op.f`.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.final_name
    }

    /// The explicit choice of quoting, if there is one.
    #[must_use]
    pub fn quote(&self) -> Option<bool> {
        self.quote
    }

    /// As SQL with its map; what stands nowhere in the file points at `whole`.
    #[must_use]
    pub fn into_fragment(self, whole: Span) -> Fragment {
        let mut map = SpanMap::generated(whole);
        for run in &self.runs {
            map.push_run(run.at, run.file, run.len);
        }
        Fragment {
            sql: self.text.into(),
            map,
        }
    }

    /// The place of the text if all of it was copied from one place of the file.
    #[must_use]
    pub fn file_span(&self) -> Option<Span> {
        match self.runs.as_slice() {
            [run] if run.at == 0 && run.len == self.text.len() => {
                Some(Span::new(run.file, run.file + run.len))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dedent_keeps_the_way_back() {
        let mut text = Text::default();
        text.push_copied("\n  select 1\n\n    , 2\n  ", 10);
        let dedented = text.dedent();
        assert_eq!(dedented.as_str(), "\nselect 1\n\n  , 2\n");
        let fragment = dedented.into_fragment(Span::new(0, 99));
        assert_eq!(fragment.map.to_file(Span::new(1, 7)), Span::new(13, 19));
        assert_eq!(fragment.map.to_file(Span::new(12, 13)), Span::new(26, 27));
    }

    #[test]
    fn cutting_and_joining_keep_the_way_back() {
        let mut text = Text::default();
        text.push_copied("  ab, ", 5);
        let trimmed = text.trim(None, true, true).trim(Some(","), true, true);
        assert_eq!(trimmed.as_str(), "ab");
        assert_eq!(trimmed.file_span(), Some(Span::new(7, 9)));
        let mut template = Text::from("x{}y");
        template = template.replace("{}", &trimmed);
        assert_eq!(template.as_str(), "xaby");
        let fragment = template.into_fragment(Span::new(0, 1));
        assert_eq!(fragment.map.to_file(Span::new(1, 3)), Span::new(7, 9));
        assert_eq!(fragment.map.to_file(Span::new(0, 3)), Span::new(0, 1));
    }
}
