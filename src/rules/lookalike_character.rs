//! See `rules/lookalike-character.md`.

use crate::rule::{Cx, Finding, bare_words};
use crate::source::Span;
use crate::statement::Statement;

/// The characters, what they are, and what is meant.
const LOOKALIKES: &[(char, &str, &str)] = &[
    ('\u{2018}', "a typographic quote", "`'`"),
    ('\u{2019}', "a typographic quote", "`'`"),
    ('\u{201c}', "a typographic quote", "`\"`"),
    ('\u{201d}', "a typographic quote", "`\"`"),
    ('\u{a0}', "a no-break space", "a blank"),
    ('\u{202f}', "a narrow no-break space", "a blank"),
    ('\u{2007}', "a figure space", "a blank"),
    ('\u{200b}', "a zero-width space", "nothing"),
    ('\u{feff}', "a byte order mark", "nothing"),
    ('\u{2013}', "a dash", "`-`"),
    ('\u{2014}', "a dash", "`-`"),
];

pub(super) fn check(cx: &mut Cx<'_>, statement: &Statement) {
    if cx.step().is_nested() {
        return;
    }
    let text = &*statement.source.sql;
    if text.is_ascii() {
        return;
    }
    let found = bare_words(statement).into_iter().find_map(|(place, word)| {
        LOOKALIKES.iter().find_map(|(character, what, meant)| {
            let at = place.start as usize + word.find(*character)?;
            let span = Span::new(at, at + character.len_utf8());
            Some((span, *character, *what, *meant))
        })
    });
    let Some((span, character, what, meant)) = found else {
        return;
    };
    let code = u32::from(character);
    cx.report(
        Finding::new(
            statement.source.map.to_file(span),
            format!(
                "{what} (U+{code:04X}) stands here, and PostgreSQL takes it for a letter of a name"
            ),
        )
        .help(format!("put {meant} there")),
    );
}
