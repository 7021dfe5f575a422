//! The `DECLARE` section.

use super::Role;
use super::reader::Reader;

impl Reader<'_> {
    /// Reads declarations from `at` to the `BEGIN` behind them, which is given back. Only cursors hold SQL.
    pub(super) fn declarations(&mut self, mut at: usize) -> usize {
        while at < self.tokens.len() && !self.is_word(at, "begin") {
            if self.is_word(at, "declare") || self.is_mark(at, ";") {
                at += 1;
                continue;
            }
            if self.is_mark(at, "<<") {
                at = self.label(at);
                continue;
            }
            let end = self.find(at, &["begin"]);
            if !self.is_mark(end, ";") {
                self.problem(self.span(at, end), "`;` expected behind a declaration");
            }
            self.cursor(at, end);
            at = end;
        }
        at
    }

    /// `name [[NO] SCROLL] CURSOR [(…)] FOR query`, if that is what stands between these tokens.
    fn cursor(&mut self, from: usize, to: usize) {
        let mut at = from + 1;
        for word in ["no", "scroll"] {
            if self.is_word(at, word) {
                at += 1;
            }
        }
        if !self.is_word(at, "cursor") {
            return;
        }
        let query = self.find(at + 1, &["for", "is", "begin"]);
        if query < to {
            self.query(query + 1, &["begin"], Role::Cursor);
        }
    }
}
