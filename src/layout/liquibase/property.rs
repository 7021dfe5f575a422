//! Parameters of changelogs: `${name}`.
//!
//! Tried with the tool: the first definition of a name wins, wherever it stands, and one with `global="false"` counts
//! in its own file only. A definition may use others. What nobody defines is left in the text as it is written.

use std::ops::Range;

use super::changeset::Dbms;
use super::document::Element;

/// A parameter is filled in inside of a parameter so many times.
const MAX_DEPTH: usize = 8;
/// Values longer than this are left as they are: each may double what it stands in.
const MAX_LENGTH: usize = 1 << 16;

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// It counts in other files as well.
    pub(super) is_global: bool,
}

impl Property {
    /// The definition that an element makes; none if it is for another database, or names a file.
    pub(super) fn of(element: &Element) -> Option<Self> {
        if !Dbms::of(element.value("dbms")).is_ours() {
            return None;
        }
        Some(Self {
            name: element.value("name")?.to_owned(),
            value: element.given("value")?.value.clone(),
            is_global: !element.is_off("global"),
        })
    }
}

/// The definitions that count in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Properties<'a> {
    /// Those of the file itself.
    pub(super) local: &'a [Property],
    /// Those of all files.
    pub(super) global: &'a [Property],
}

impl Properties<'_> {
    /// The value of a name, with the parameters in it filled in.
    fn value(&self, name: &str, depth: usize) -> Option<String> {
        let mut all = self.global.iter().chain(self.local);
        let value = &all.find(|property| property.name == name)?.value;
        if depth >= MAX_DEPTH || !value.contains("${") {
            return Some(value.clone());
        }
        let mut filled = String::new();
        for part in parts(value, |inner| self.value(inner, depth + 1)) {
            match part {
                Ok(range) => filled.push_str(value.get(range).unwrap_or_default()),
                Err(inner) => filled.push_str(&inner),
            }
            if filled.len() > MAX_LENGTH {
                return Some(value.clone());
            }
        }
        Some(filled)
    }

    /// A text taken apart: ranges that stay, and values that stand for parameters.
    pub(super) fn parts(&self, text: &str) -> Vec<Result<Range<usize>, String>> {
        parts(text, |name| self.value(name, 0))
    }
}

fn parts(text: &str, value: impl Fn(&str) -> Option<String>) -> Vec<Result<Range<usize>, String>> {
    let mut all = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(open) = text[at..].find("${").map(|open| at + open) {
        let Some(close) = text[open..].find('}').map(|close| open + close) else {
            break;
        };
        at = close + 1;
        if let Some(value) = value(text[open + 2..close].trim()) {
            all.push(Ok(start..open));
            all.push(Err(value));
            start = at;
        } else {
            // An opening inside of this one may be one that is known.
            at = open + 2;
        }
    }
    all.push(Ok(start..text.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(name: &str, value: &str) -> Property {
        Property {
            name: name.to_owned(),
            value: value.to_owned(),
            is_global: true,
        }
    }

    #[test]
    fn the_first_definition_wins_and_unknown_names_stay() {
        let global = [
            property("a", "first"),
            property("a", "second"),
            property("b", "x-${a}"),
            property("loop", "${loop}"),
        ];
        let local = [property("c", "own")];
        let properties = Properties {
            local: &local,
            global: &global,
        };
        let filled = |text: &str| -> String {
            properties
                .parts(text)
                .into_iter()
                .map(|part| part.map_or_else(|value| value, |range| text[range].to_owned()))
                .collect()
        };
        for (text, expected) in [
            ("${a} ${b} ${c}", "first x-first own"),
            ("${nope} ${: esc} ${", "${nope} ${: esc} ${"),
            ("${ a }", "first"),
            ("${x ${a}", "${x first"),
            ("${loop}", "${loop}"),
            ("", ""),
        ] {
            assert_eq!(filled(text), expected);
        }
    }
}
