use std::cell::Cell;

use super::*;

/// Tokens as `kind:text`, one letter for the kind.
fn lexed(text: &str) -> Vec<String> {
    Lexer::new(text)
        .map(|token| {
            let kind = match token.kind {
                TokenKind::Word => 'w',
                TokenKind::QuotedIdentifier => 'q',
                TokenKind::Number => 'n',
                TokenKind::Parameter => 'p',
                TokenKind::String(_) => 's',
                TokenKind::Dollar { .. } => 'd',
                TokenKind::Operator => 'o',
                TokenKind::Punctuation => ',',
                TokenKind::LineComment | TokenKind::BlockComment => 'c',
                TokenKind::Other => '?',
            };
            let open = if token.terminated { "" } else { "!" };
            format!("{kind}{open}:{}", token.text(text))
        })
        .collect()
}

#[test]
fn tokens() {
    let cases: &[(&str, &[&str])] = &[
        ("select a$b$, Ünï", &["w:select", "w:a$b$", ",:,", "w:Ünï"]),
        ("'it''s' \"a\"\"b\"", &["s:'it''s'", "q:\"a\"\"b\""]),
        (r"E'a\'b' 'a\' x", &[r"s:E'a\'b'", r"s:'a\'", "w:x"]),
        (
            "b'01' X'1F' n'x' U&'d\\0061' U&\"x\"",
            &["s:b'01'", "s:X'1F'", "s:n'x'", "s:U&'d\\0061'", "q:U&\"x\""],
        ),
        ("'a'\n 'b' 'c'", &["s:'a'\n 'b'", "s:'c'"]),
        ("e'a' -- note\n'\\''", &["s:e'a' -- note\n'\\''"]),
        (
            "$$a$b$$ $t$ $$ $t$ $1 $",
            &["d:$$a$b$$", "d:$t$ $$ $t$", "p:$1", "?:$"],
        ),
        (
            "1 1.5 .5 1. 1e5 1..10 0x1F 1_000 12ab",
            &[
                "n:1", "n:1.5", "n:.5", "n:1.", "n:1e5", "n:1", "o:..", "n:10", "n:0x1F",
                "n:1_000", "n:12ab",
            ],
        ),
        (
            "a::int b:=1 c[1:2]",
            &[
                "w:a", "o:::", "w:int", "w:b", "o::=", "n:1", "w:c", ",:[", "n:1", ",::", "n:2",
                ",:]",
            ],
        ),
        (
            "2=-1 a@-b x+/*c*/y z*--c\n-",
            &[
                "n:2", "o:=", "o:-", "n:1", "w:a", "o:@-", "w:b", "w:x", "o:+", "c:/*c*/", "w:y",
                "w:z", "o:*", "c:--c", "o:-",
            ],
        ),
        (
            "/* a /* b */ c */ d /*/ */ e",
            &["c:/* a /* b */ c */", "w:d", "c:/*/ */", "w:e"],
        ),
        ("a --x\r\nb", &["w:a", "c:--x", "w:b"]),
        ("'open", &["s!:'open"]),
        (r"E'open\", &[r"s!:E'open\"]),
        ("\"open", &["q!:\"open"]),
        ("$x$open$y$", &["d!:$x$open$y$"]),
        ("/* /* */", &["c!:/* /* */"]),
        ("\\d {x} \0", &["?:\\", "w:d", "?:{", "w:x", "?:}", "?:\0"]),
        ("\u{a0}x", &["w:\u{a0}x"]),
    ];
    for (text, expected) in cases {
        assert_eq!(lexed(text), *expected, "{text:?}");
    }
}

#[test]
fn bodies_and_tags() {
    for (text, body, tag) in [
        ("$t$ x $t$", " x ", Some("t")),
        ("$$x", "x", Some("")),
        ("E'a'", "a", None),
        ("U&\"a\"", "a", None),
        ("/*a*/", "a", None),
        ("/*a", "a", None),
        ("--a", "a", None),
        ("'a", "a", None),
    ] {
        let token = next_token(text, 0).unwrap();
        assert_eq!(&text[token.body(text).range()], body, "{text}");
        assert_eq!(token.dollar_tag(text), tag, "{text}");
    }
}

#[test]
fn values_and_the_runs_they_are_copied_from() {
    for (text, expected) in [
        ("'it''s'", Some("it's")),
        (r"'a\n'", Some(r"a\n")),
        (r"E'a\n\t\\\'\x41\101\u00e9\é'", Some("a\n\t\\'AAéé")),
        ("'a'\n'b'", Some("ab")),
        ("$q$a'b$q$", Some("a'b")),
        (r"U&'d\0061t\+000061'", Some("data")),
        (r"E'\xff'", None),
        ("B'1'", None),
        ("'open", None),
    ] {
        let token = next_token(text, 0).unwrap();
        let found = value(text, &token);
        assert_eq!(found.as_ref().map(|v| v.text.as_str()), expected, "{text}");
        for run in found.iter().flat_map(|v| &v.runs) {
            let value = &found.as_ref().unwrap().text;
            assert_eq!(
                value[run.at..run.at + run.len],
                text[run.from..run.from + run.len],
                "{text}"
            );
        }
    }
}

#[test]
fn comments_are_those_of_the_lexer() {
    for text in [
        "a -- one\n'--no' /* two */ \"--no\" $$ --no $$ E'\\'--no' x--three",
        "'--a'\n'--b' -- c",
        "a$b$ -- x\n$b$ /* y",
        "select 'open -- no",
        "-/* a */-- b",
    ] {
        let expected: Vec<_> = Lexer::new(text)
            .filter(Token::is_comment)
            .map(|token| (token.span, token.body(text)))
            .collect();
        let found: Vec<_> = comments(text, Bodies::Skip)
            .iter()
            .map(|comment| (comment.span, comment.body))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn comments_inside_of_bodies() {
    let text = "-- a\n$$ -- b\n '--no' $x$ /* c */ $x$ $$ -- d";
    let found: Vec<_> = comments(text, Bodies::Read)
        .iter()
        .map(|comment| text[comment.body.range()].trim())
        .collect();
    assert_eq!(found, ["a", "b", "c", "d"]);
}

thread_local! {
    /// Bytes that the lexer has read on this thread, counted again each time they are read again.
    static READ: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count_read(bytes: usize) {
    READ.set(READ.get() + bytes);
}

/// How often `work` reads each byte of a text of that length, on average. Linear work gives a small number whatever the
/// length; that can be asserted on any machine, unlike a time.
pub(in crate::sql) fn passes(length: usize, work: impl FnOnce()) -> usize {
    let before = READ.get();
    work();
    (READ.get() - before) / length.max(1)
}
