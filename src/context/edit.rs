//! Edits that rules put together for their fixes.
//!
//! An edit is offered only where the SQL stands in the file byte for byte: text that a tool or Python puts together is
//! not rewritten.

use super::Cx;
use crate::diagnostic::{Edit, Fix, NewFile, Safety};
use crate::layout::{Outside, Send};
use crate::replay::Step;
use crate::session::Refusal;
use crate::source::Span;
use crate::sql::lex::{Lexer, Token};
use crate::statement::Statement;

/// What else has to change so that a statement can leave the tool's transaction.
#[derive(Debug)]
pub struct Leave {
    /// Changes to the file.
    pub edits: Vec<Edit>,
    /// Files to create.
    pub new_files: Vec<NewFile>,
    /// Whether that may be done unread.
    pub safety: Safety,
}

impl Leave {
    fn by(edits: Vec<Edit>, new_files: Vec<NewFile>, safety: Safety) -> Self {
        Self {
            edits,
            new_files,
            safety,
        }
    }
}

impl Cx<'_> {
    /// Inserts text behind the last of some words, which follow one another in the statement (comments apart) from its
    /// beginning on. Of a word such as `UNIQUE?` it does not matter whether it is there.
    #[must_use]
    pub fn insert_behind(&self, statement: &Statement, words: &[&str], text: &str) -> Option<Edit> {
        let token = last_of(&statement.source.sql, words)?;
        let found = statement.source.map.to_file(token);
        let exact = found.len() == token.len();
        exact.then(|| self.insert(found.end, text))
    }

    /// Inserts text at an offset of the file.
    #[must_use]
    pub fn insert(&self, at: u32, text: &str) -> Edit {
        Edit {
            location: self.location(Span { start: at, end: at }),
            text: text.to_owned(),
        }
    }

    /// True if a step's statement stands in the file as it is sent, so that a place in it can be edited.
    #[must_use]
    pub fn is_written_as_sent(&self, step: &Step<'_>) -> bool {
        let fragment = &step.statement.source;
        let len = fragment.sql.len();
        let whole = fragment.map.to_file(Span::new(0, len));
        whole.len() == len && !step.is_nested() && self.layout().name != "alembic"
    }

    /// The fix that makes one edit in the current statement, if that stands in the file as it is sent.
    #[must_use]
    pub fn fix_at(&self, at: u32, text: &str, title: &str, safety: Safety) -> Option<Fix> {
        self.is_written_as_sent(self.step()).then(|| Fix {
            title: title.to_owned(),
            safety,
            edits: vec![self.insert(at, text)],
            new_files: Vec::new(),
        })
    }

    /// What else has to be changed so that a statement which refuses a transaction block runs in place of the current
    /// one; none if that takes a second script.
    #[must_use]
    pub fn leave_transaction(&self, wanted: &Statement) -> Option<Leave> {
        let (none, files) = (Vec::new(), Vec::new());
        if self.way_out_for(wanted).is_none() {
            return Some(Leave::by(none, files, Safety::Safe));
        }
        let migration = self.migration();
        if self.step().is_nested() || migration.statements.len() != 1 {
            return None;
        }
        match self.refusal() {
            // Nobody knows how a plain file is run.
            None if self.moment().message.send == Send::Unknown => {
                Some(Leave::by(none, files, Safety::Unsafe))
            }
            Some(Refusal::Runner) => {
                let runner = self.runner();
                if runner
                    .leaves_transaction_for
                    .is_some_and(|leaves| leaves(wanted))
                {
                    return Some(Leave::by(none, files, Safety::Safe));
                }
                match runner.outside {
                    Outside::Top(text) => {
                        Some(Leave::by(vec![self.insert(0, text)], files, Safety::Safe))
                    }
                    // The line that opens a section stands for its migration.
                    Outside::Mark(words) => {
                        let edit = self.insert(migration.span.end, words);
                        Some(Leave::by(vec![edit], files, Safety::Safe))
                    }
                    Outside::Beside(name, text) => {
                        let text = text.to_owned();
                        Some(Leave::by(none, vec![NewFile { name, text }], Safety::Safe))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The fix that writes a statement with CONCURRENTLY behind some of its words; none if more would have to change.
    #[must_use]
    pub fn concurrently(
        &self,
        statement: &Statement,
        wanted: &Statement,
        words: &[&str],
    ) -> Option<Fix> {
        let Leave {
            mut edits,
            new_files,
            safety,
        } = self.leave_transaction(wanted)?;
        edits.push(self.insert_behind(statement, words, " CONCURRENTLY")?);
        Some(Fix {
            title: format!("write {} with CONCURRENTLY", statement.tag),
            safety,
            edits,
            new_files,
        })
    }
}

/// The last of some words that a text begins with, comments apart.
pub(super) fn last_of(sql: &str, words: &[&str]) -> Option<Span> {
    let mut tokens = Lexer::new(sql)
        .filter(|token: &Token| !token.is_comment())
        .peekable();
    let mut last = None;
    for word in words {
        let (word, optional) = match word.strip_suffix('?') {
            Some(word) => (word, true),
            None => (*word, false),
        };
        match tokens.next_if(|token| token.is_word(sql, word)) {
            Some(token) => last = Some(token.span),
            None if optional => {}
            None => return None,
        }
    }
    last
}
