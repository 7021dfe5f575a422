//! What a help text says to do, as SQL with the place of each part.

use std::fmt::Write as _;

use super::NewFile;
use crate::source::Beside;

/// Where the SQL of a step belongs, seen from the statement that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// It takes the place of the statement.
    Instead,
    /// Directly before the statement, which stays.
    Before,
    /// Directly behind the statement, which stays.
    Behind,
    /// It takes the place of the statement, in a migration of its own.
    Own,
    /// In a migration of its own before this one.
    Earlier,
    /// In a migration of its own behind this one.
    Later,
    /// By hand, as the tool cannot run it.
    ByHand,
    /// By hand, to find something out: it changes nothing.
    Look,
}

impl Place {
    /// The word used in machine formats.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instead => "instead",
            Self::Before => "before",
            Self::Behind => "behind",
            Self::Own => "own-migration",
            Self::Earlier => "earlier-migration",
            Self::Later => "later-migration",
            Self::ByHand => "by-hand",
            Self::Look => "look",
        }
    }

    /// The place in words.
    fn words(self) -> &'static str {
        match self {
            Self::Instead => "in its place",
            Self::Before => "before it",
            Self::Behind => "behind it",
            Self::Own => "in its place, in a migration of its own",
            Self::Earlier => "in an earlier migration",
            Self::Later => "in a later migration",
            Self::ByHand => "by hand",
            Self::Look => "on production",
        }
    }

    /// True if the statement that the finding is about goes.
    #[must_use]
    pub fn replaces(self) -> bool {
        matches!(self, Self::Instead | Self::Own | Self::ByHand)
    }

    /// True if it is a migration of its own.
    #[must_use]
    pub fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Earlier | Self::Later)
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it belongs.
    pub place: Place,
    /// It has to run outside of a transaction.
    pub outside: bool,
    /// Complete statements, each on lines of its own and with its `;`. A sketch has `…` where only people know what
    /// belongs there.
    pub sql: String,
    /// The same as the tool wants it written: with the lines that take it out of the transaction, or in Python.
    pub text: String,
    /// A file that has to stand beside that of the step.
    pub beside: Option<NewFile>,
    /// It is to be completed.
    pub sketch: bool,
}

impl Step {
    /// What stands above it: `in a later migration, outside of a transaction`.
    #[must_use]
    pub fn heading(&self) -> String {
        let outside = if self.outside {
            ", outside of a transaction"
        } else {
            ""
        };
        let sketch = if self.sketch {
            " (to be completed)"
        } else {
            ""
        };
        format!("{}{outside}{sketch}", self.place.words())
    }

    /// Its SQL on one line, if no statement of it is written on several.
    #[must_use]
    pub fn one_line(&self) -> Option<String> {
        let lines: Vec<&str> = self.sql.split('\n').collect();
        let whole = lines.iter().all(|line| line.ends_with(';'));
        whole.then(|| lines.join(" "))
    }
}

/// Help in words with the steps below it.
#[must_use]
pub fn with_steps(help: &str, steps: &[Step]) -> String {
    let mut out = help.to_owned();
    for step in steps {
        // Writing to a string cannot fail.
        let _ = write!(out, "\n{}:", step.heading());
        for line in step.text.trim_end().split('\n') {
            let _ = write!(out, "\n    {line}");
        }
        if let Some(file) = &step.beside {
            let name = match file.name {
                Beside::Behind(behind) => format!("<its name>{behind}"),
                Beside::Own(name) => name.to_owned(),
            };
            let _ = write!(out, "\nand beside it `{name}`: {}", file.text.trim_end());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(place: Place, sql: &str) -> Step {
        Step {
            place,
            outside: false,
            sql: sql.to_owned(),
            text: sql.to_owned(),
            beside: None,
            sketch: false,
        }
    }

    #[test]
    fn steps_stand_below_the_words() {
        let mut own = step(Place::Own, "REINDEX INDEX CONCURRENTLY i;");
        own.outside = true;
        own.beside = Some(NewFile {
            name: Beside::Behind(".conf"),
            text: "executeInTransaction=false\n".to_owned(),
        });
        let steps = [own, step(Place::Later, "SELECT 1;\nSELECT 2;")];
        assert_eq!(
            with_steps("do it", &steps),
            "do it\n\
             in its place, in a migration of its own, outside of a transaction:\n    \
             REINDEX INDEX CONCURRENTLY i;\n\
             and beside it `<its name>.conf`: executeInTransaction=false\n\
             in a later migration:\n    SELECT 1;\n    SELECT 2;"
        );
        assert_eq!(steps[1].one_line().as_deref(), Some("SELECT 1; SELECT 2;"));
        assert_eq!(step(Place::Before, "DO $$\n;\n$$;").one_line(), None);
    }
}
