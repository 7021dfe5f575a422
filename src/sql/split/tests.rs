use super::*;
use crate::sql::lex::{Lexer, is_blank, passes};

fn cut(text: &str) -> Split {
    split(text, &SplitOptions::default())
}

/// Segments as `kind text`, from the file as it is.
fn pieces(text: &str) -> Vec<String> {
    let split = cut(text);
    check_cover(text, &split);
    split
        .segments
        .iter()
        .map(|segment| {
            let kind = match &segment.kind {
                SegmentKind::Statement => "S".to_owned(),
                SegmentKind::PsqlCommand { name } => format!("P({name})"),
                SegmentKind::CopyData => "C".to_owned(),
                SegmentKind::ForeignCommand { name } => format!("F({name})"),
                SegmentKind::Template => "T".to_owned(),
                SegmentKind::Unterminated { what } => format!("U({what:?})"),
            };
            format!("{kind} {}", &text[segment.span.range()])
        })
        .collect()
}

/// Segments are in order, apart, and leave out only blanks, comments, `;` and the mark at the start of a file.
fn check_cover(text: &str, split: &Split) {
    let mut at = 0;
    let gap_is_empty = |from: usize, to: usize| {
        let gap = text[from..to].trim_start_matches('\u{feff}');
        let only_trivia = Lexer::new(gap)
            .all(|token| token.is_comment() && token.terminated || token.is_mark(gap, ";"));
        assert!(
            only_trivia,
            "{text:?} leaves out {gap:?}: {:?}",
            split.segments
        );
    };
    for segment in &split.segments {
        let (span, full) = (segment.span, segment.full);
        assert!(
            full.contains(span) && span.start == full.start,
            "{text:?} {segment:?}"
        );
        assert!(
            full.start as usize >= at,
            "{text:?}: overlap at {segment:?}"
        );
        assert!(!span.is_empty(), "{text:?} {segment:?}");
        gap_is_empty(at, full.start as usize);
        at = full.end as usize;
    }
    gap_is_empty(at, text.len());
    if let Some(masked) = &split.masked {
        assert_eq!(masked.len(), text.len());
    }
    let mut last = 0;
    for placeholder in &split.placeholders {
        assert_eq!(&text[placeholder.span.range()], placeholder.text);
        assert!(placeholder.span.start >= last);
        last = placeholder.span.end;
    }
}

#[test]
fn cases() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        (" ;; -- x\n /* y */ ;", &[]),
        (
            "-- a\nselect 1 -- b\n ; select 2 -- c",
            &["S select 1", "S select 2"],
        ),
        (
            "select ';' ; select $$;$$; select \";\";",
            &["S select ';'", "S select $$;$$", "S select \";\""],
        ),
        ("select a[1;2]; x", &["S select a[1;2]", "S x"]),
        ("select 1); select 2;", &["S select 1)", "S select 2"]),
        ("SELEC 2; select 1", &["S SELEC 2", "S select 1"]),
        (
            "create table t (a int;\ncreate table u (a int);",
            &["S create table t (a int", "S create table u (a int)"],
        ),
        (
            "select (1; 2); select 3;",
            &["S select (1; 2)", "S select 3"],
        ),
        (
            "create rule r as on insert to t do (\ninsert into a values (1);\ninsert into b values (1));\nselect 1",
            &[
                "S create rule r as on insert to t do (\ninsert into a values (1);\ninsert into b values (1))",
                "S select 1",
            ],
        ),
        (
            "create rule r as on insert to t do (\nselect 1;\ncreate table t()",
            &[
                "S create rule r as on insert to t do (\nselect 1",
                "S create table t()",
            ],
        ),
        // psql
        (
            "\\restrict abc\nselect 1;\n\\unrestrict abc\n",
            &[
                "P(restrict) \\restrict abc",
                "S select 1",
                "P(unrestrict) \\unrestrict abc",
            ],
        ),
        (
            "\\set x 'a;b' \\\\ select 1;",
            &["P(set) \\set x 'a;b' \\\\", "S select 1"],
        ),
        (
            "select 'x' \\gexec\nselect 2;",
            &["S select 'x'", "P(gexec) \\gexec", "S select 2"],
        ),
        (
            "select 1\\; select 2;",
            &["S select 1", "P(;) \\;", "S select 2"],
        ),
        (
            "create table t (\n\\if :x\n a int\n\\endif\n);",
            &["S create table t (\n\\if :x\n a int\n\\endif\n)"],
        ),
        (
            "select 1\n\\echo it's\n",
            &["S select 1", "P(echo) \\echo it's"],
        ),
        (
            "\\copy t from stdin\n1\tit's\n\\.\nselect 1;",
            &[
                "P(copy) \\copy t from stdin",
                "C 1\tit's\n\\.",
                "S select 1",
            ],
        ),
        // COPY
        (
            "COPY public.t (a) FROM stdin;\n1\tit's\n\\N\t;\n\\.\n\nselect 1;",
            &[
                "S COPY public.t (a) FROM stdin",
                "C 1\tit's\n\\N\t;\n\\.",
                "S select 1",
            ],
        ),
        (
            "copy t from stdin with (format csv);\r\n1,2\r\n\\.\r\nselect 1",
            &[
                "S copy t from stdin with (format csv)",
                "C 1,2\r\n\\.",
                "S select 1",
            ],
        ),
        (
            "copy t from stdin;\n1\t2\n",
            &["S copy t from stdin", "C 1\t2"],
        ),
        (
            "copy t from stdin;\nselect 1;",
            &["S copy t from stdin", "S select 1"],
        ),
        (
            "copy t to stdout; select 1",
            &["S copy t to stdout", "S select 1"],
        ),
        // other databases
        (
            "create table a (b int)\nGO\ncreate table c (d int)\nGO 5\n",
            &[
                "S create table a (b int)",
                "F(GO) GO",
                "S create table c (d int)",
                "F(GO) GO 5",
            ],
        ),
        ("select\ngo\nfrom t;", &["S select\ngo\nfrom t"]),
        (
            "DELIMITER //\ncreate procedure p() begin select 1; end//\nDELIMITER ;\nselect 2;",
            &[
                "F(DELIMITER) DELIMITER //",
                "S create procedure p() begin select 1; end",
                "F(DELIMITER) DELIMITER ;",
                "S select 2",
            ],
        ),
        (
            "DELIMITER $$\na; b\nDELIMITER ;\nselect 2;",
            &[
                "F(DELIMITER) DELIMITER $$",
                "S a; b",
                "F(DELIMITER) DELIMITER ;",
                "S select 2",
            ],
        ),
        (
            "copy t from 'f'\nDELIMITER ',';",
            &["S copy t from 'f'\nDELIMITER ','"],
        ),
        // never closed
        (
            "insert into t values ('a);\nCREATE TABLE u ();\nselect 'b';",
            &[
                "U(String) insert into t values ('a);",
                "S CREATE TABLE u ()",
                "S select 'b'",
            ],
        ),
        (
            "select 1;\nselect 'a",
            &["S select 1", "U(String) select 'a"],
        ),
        (
            "select \"a;\nselect 1;",
            &["U(QuotedIdentifier) select \"a;", "S select 1"],
        ),
        (
            "do $$ begin\n a;\nend;\nselect 1;",
            &["U(DollarQuote) do $$ begin\n a;\nend;", "S select 1"],
        ),
        (
            "create function f() as $$\n a;\nend;\n\ncreate function g() as $$\n b;\n$$ language x;\nselect 1;",
            &[
                "U(DollarQuote) create function f() as $$\n a;\nend;",
                "S create function g() as $$\n b;\n$$ language x",
                "S select 1",
            ],
        ),
        ("/* a;\nselect 1;", &["U(BlockComment) /* a;", "S select 1"]),
        (
            "/* select;\nselect 2;\n*/ select 'x",
            &["U(String) select 'x"],
        ),
        (
            "create function f() returns int begin atomic select 1;\n select 2;\ncreate table t();",
            &[
                "U(BeginAtomic) create function f() returns int begin atomic select 1;\n select 2;",
                "S create table t()",
            ],
        ),
        // templating
        (
            "{% if x %}\nselect 1;\n{% endif %}",
            &["T {% if x %}", "S select 1", "T {% endif %}"],
        ),
        (
            "${all};select 1 {# x #}",
            &["T ${all}", "S select 1", "T {# x #}"],
        ),
        // odd characters
        (
            "\u{feff}select 1;\u{feff}select 2;",
            &["S select 1", "S \u{feff}select 2"],
        ),
        (
            "select\u{a0}1; select \0;",
            &["S select\u{a0}1", "S select \0"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(pieces(text), *expected, "{text:?}");
    }
}

/// Masked text, `~` for a text that is not masked.
#[test]
fn masking() {
    let cases = [
        ("select 1", "~"),
        ("\u{feff}select 1", "   select 1"),
        (
            "select ${x}, {{ y }}, #{z}, %(a)s, @b@, $(c)",
            "select __x_, ___y___, __z_, __a_s, _b_, __c_",
        ),
        (
            "select :a, :'b', :\"c\", :{?d}, x::int, a[1:2], a[:n], a[b:c]",
            "select _a, '_b', \"_c\", true , x::int, a[1:2], a[:n], a[b:c]",
        ),
        (
            "select array[:a, :b], a[1 + :c]",
            "select array[_a, _b], a[1 + _c]",
        ),
        (
            "select * from ${s}.t_${e}_x where a=#{b}",
            "select * from __s_.t___e__x where a=__b_",
        ),
        ("select 'a ${x} :b {{ c }}', \"${x}\"", "~"),
        (
            "create table t (a varchar(${n}), b numeric(:p))",
            "create table t (a varchar(0001), b numeric(_p))",
        ),
        (
            "alter sequence s restart with ${n}",
            "alter sequence s restart with 0001",
        ),
        ("comment on table t is ${c}", "comment on table t is '_c'"),
        ("select <%= a %> from t", "select ____a___ from t"),
        ("<% if x %>\nselect 1", "          \nselect 1"),
        ("select a <% b and c %> d", "~"),
        ("{% if\n x %}select 1", "     \n     select 1"),
        ("select 1 \\gexec\nselect 2", "select 1 ;     \nselect 2"),
        ("\\set a b\nselect 1", "        \nselect 1"),
        (
            "copy t from stdin;\na\tb\n\\.\n",
            "copy t from stdin;\n   \n  \n",
        ),
        (
            "do $$ begin perform ${x}; a := b[1:n]; end $$",
            "do $$ begin perform __x_; a := b[1:n]; end $$",
        ),
        ("select {{ é }}", "select ___é___"),
        (
            "select * from \"{{ a \"b\" }}\".\"{{ c }}\"",
            "select * from \"___a__b____\".\"{{ c }}\"",
        ),
        (
            "do $$ begin perform \"{{ a \"b\" }}\".f(); end $$",
            "do $$ begin perform \"___a__b____\".f(); end $$",
        ),
        ("select \"{{ a\n\"b\" }}\"", "~"),
        ("select ${", "~"),
        ("select ${a\n}", "~"),
    ];
    for (text, expected) in cases {
        let split = cut(text);
        check_cover(text, &split);
        let masked = split.masked.as_deref().unwrap_or("~");
        assert_eq!(masked, expected, "{text:?}");
        if masked != "~" {
            for segment in &split.segments {
                let sql = &masked[segment.span.range()];
                assert!(pg_query::parse(sql, 0).is_ok(), "{sql:?}");
            }
        }
    }
}

#[test]
fn styles_can_be_left_out() {
    let styles = StyleSet::ALL.without(Style::Psql);
    let split = super::split("select :a, ${b}", &SplitOptions { styles });
    assert_eq!(split.masked.as_deref(), Some("select :a, __b_"));
    assert_eq!(split.placeholders[0].text, "${b}");
    let none = SplitOptions {
        styles: StyleSet::NONE,
    };
    assert_eq!(super::split("select :a, ${b}", &none).masked, None);
}

/// Statements that PostgreSQL's parser accepts.
const ACCEPTED: &[&str] = &[
    "select 1",
    "select 'a;b', E'a\\';b', $$a;b$$, $x$a;$$b;$x$, \"a;b\", U&'d;\\0061', B'1', X'1f'",
    "select 'a'\n  'b;c'",
    "select 1 /* ; /* ; */ ; */ + 2 -- ;\n + 3",
    "create table t (a int, b text default ';', c numeric(10,2)[])",
    "create table \"é;ü\" (\"naïve\" text) -- ünï ;",
    "create function f() returns int language plpgsql as $$ begin return 1; end; $$",
    "create function f() returns int language plpgsql as $body$ begin execute $q$ select ';' $q$; return 1; end; $body$",
    "create or replace function f(a int) returns int begin atomic select 1; select case when a > 1 then 2 else 3 end; end",
    "create procedure p() begin atomic insert into t values (1); select 1 as end; select t.case from t; end",
    "create function f() returns int return case when true then 1 else 2 end",
    "create function f() returns text language sql as 'select 1; select 2'",
    "create rule r as on insert to t do instead (insert into a values (1); insert into b values (2))",
    "create rule r as on update to t do also (\nupdate a set b = 1;\nselect 1;\n)",
    "create rule r as on delete to t do nothing",
    "do $$ begin perform 1; end $$",
    "do language plpgsql $do$ declare x int := 1; begin null; end $do$",
    "begin",
    "commit",
    "end",
    "copy t from stdin",
    "copy t (a, b) to stdout with (format csv, delimiter ',')",
    "copy t from '/x' delimiter ',' csv",
    "insert into t values (1, 'a'), (2, 'b;')",
    "select a[1:2], b[:3], c[4:], d::int, e @> f, g <% h, i #>> '{a}', j ? 'k', $1 from t",
    "select case when a then 'x;' else (select ';') end",
    "alter table t add column c int not null default 0, add constraint x check (a > 0)",
    "select * from t where a = any(array[1,2]) and b !~* 'x' and c ->> 'd' = '}'",
    "create trigger tr before insert on t for each row execute function f()",
    "grant select on t to public",
    "comment on table t is 'it''s; here'",
    "select 2=-1, 2 - -1, 2*-1, @-3, - 1",
    "select 1.5e10, .5, 0x1F, 1_000",
    "with a as (select 1), b as (insert into t values (1) returning *) select * from a, b",
    "create view v as select 1 as \"go\"",
    "set search_path to a, b",
    "explain (analyze, buffers) select 1",
    "create schema s create table a (b int) create view c as select 1",
    "select\tE'\\\\', 'x\\'",
    "prepare p as select $1; execute p(1)",
    "select a$b$ from t$1",
    "select '{{1,2},{3,4}}'::int[], '${x}', ':y'",
    "create type e as enum ('a', 'b')",
    "alter type e add value 'c;'",
    "merge into t using u on t.a = u.a when matched then update set b = 1 when not matched then do nothing",
    "create policy p on t using (a = current_user)",
    "select 1 as atomic, 2 as begin",
    "create function atomic() returns int language sql as $$ select 1; $$",
];

fn parser_statements(text: &str) -> Option<Vec<(usize, usize)>> {
    let parsed = pg_query::parse(text, 0).ok()?;
    let statements = parsed.protobuf.stmts.iter().map(|statement| {
        let start = usize::try_from(statement.stmt_location).unwrap();
        let len = usize::try_from(statement.stmt_len).unwrap();
        (start, if len == 0 { text.len() } else { start + len })
    });
    Some(statements.collect())
}

/// Cuts are where the parser cuts; the parser's statements also hold the comments before the `;`.
fn agrees(text: &str) -> bool {
    let Some(expected) = parser_statements(text) else {
        return false;
    };
    let split = cut(text);
    check_cover(text, &split);
    let found: Vec<_> = split.segments.iter().map(|segment| segment.full).collect();
    assert_eq!(
        found.len(),
        expected.len(),
        "{text:?}: {found:?}, parser {expected:?}"
    );
    for (segment, (start, end)) in split.segments.iter().zip(expected) {
        assert_eq!(segment.kind, SegmentKind::Statement, "{text:?}");
        assert_eq!(segment.span.start as usize, start, "{text:?}");
        let rest = &text[segment.span.end as usize..end];
        assert!(
            Lexer::new(rest).all(|token| token.is_comment()),
            "{text:?}: {rest:?}"
        );
        let last = text[segment.span.range()].bytes().next_back();
        assert!(last.is_some_and(|byte| !is_blank(byte)), "{text:?}");
    }
    true
}

#[test]
fn cuts_where_the_parser_cuts() {
    for statement in ACCEPTED {
        assert!(agrees(statement), "{statement:?} does not parse");
    }
    let whole = ACCEPTED.join("\n;\n-- next ;\n");
    assert!(agrees(&whole));
    assert!(agrees(&whole.replace('\n', "\r\n")));
    assert!(agrees(&format!(
        ";; {} ;;",
        ACCEPTED
            .join("\n/* ; */ ;\n;\n")
            .replace("from stdin", "from 'x'")
    )));
}

/// A small generator, so that random cases are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
fn random_statements_agree_with_the_parser() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let separators = [";", " ;\n", "; -- ;'\n", "\n/* ' */;\r\n", ";;"];
    for _ in 0..300 {
        let mut text = String::new();
        for _ in 0..=random.below(8) {
            text.push_str(ACCEPTED[random.below(ACCEPTED.len())]);
            text.push('\n');
            text.push_str(separators[random.below(separators.len())]);
        }
        assert!(agrees(&text), "{text:?}");
    }
}

#[test]
fn random_text_is_covered_and_agrees_where_it_parses() {
    const WORDS: &[&str] = &[
        "select",
        " ",
        "\n",
        ";",
        ";\n",
        "'",
        "\"",
        "$$",
        "$a$",
        "$",
        "(",
        ")",
        "[",
        "]",
        "/*",
        "*/",
        "--",
        "\\",
        "\\g",
        "\\.",
        "\n\\.\n",
        "copy t from stdin;\n",
        "E'",
        "{{",
        "}}",
        "{%",
        "%}",
        "${",
        "}",
        ":x",
        ":'x'",
        "@x@",
        "%(x)s",
        "\nGO\n",
        "go",
        "DELIMITER //\n",
        "//",
        "\nDELIMITER ;\n",
        "begin atomic",
        "end",
        "case",
        "create function f()",
        "create rule",
        "é",
        "\u{a0}",
        "\0",
        "\r\n",
        "1",
        "a",
        ",",
        "::",
        "<%",
        "%>",
        "#{",
        "\u{feff}",
        ";\ncreate table t();\n",
        ";\ncreate function g() ",
    ];
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let text: String = (0..=random.below(14))
            .map(|_| WORDS[random.below(WORDS.len())])
            .collect();
        check_cover(&text, &cut(&text));
        // Whole text that parses needs no splitter, but then it must agree; `\g` and the like never parse.
        // What follows COPY FROM stdin is rows, and GO on a line of its own a command, even where they would parse.
        if !["\0", "stdin;", "GO"]
            .iter()
            .any(|part| text.contains(part))
            && agrees(&text)
        {
            parsed += 1;
        }
    }
    assert!(parsed > 100, "{parsed}");
}

#[test]
fn hostile_text_is_read_a_few_times() {
    const SIZE: usize = 1 << 20;
    let numbered = |f: fn(usize) -> String| {
        let mut text = String::new();
        let mut n = 0;
        while text.len() < SIZE {
            text.push_str(&f(n));
            n += 1;
        }
        text
    };
    let same = |part: &str| part.repeat(SIZE / part.len());
    let texts = [
        same("'"),
        same("\""),
        same("("),
        same("\\"),
        same("\\a"),
        same("/*"),
        same("+"),
        same("$a$"),
        same("{{"),
        same("${"),
        same("<%"),
        same("@a"),
        same("$"),
        same(":"),
        same("E'\\'"),
        same("(;"),
        same("[;"),
        same(";\n("),
        same("copy t from stdin;\n"),
        same("GO\n"),
        same("{%"),
        same("%(a"),
        same("select ';\n"),
        same("select \";\n"),
        same("/*;\nselect "),
        same("select e'\\';\n"),
        same("create function f() begin atomic ;\n"),
        same("''''\n"),
        same("select ';\nselect \";\nselect $$;\n"),
        same("{{ x }} "),
        same("\\g "),
        same("-- x\n"),
        same("'a' -- x\n"),
        numbered(|n| format!("$a{n}$ ")),
        numbered(|n| format!("select $a{n}$;\n")),
        numbered(|n| format!("select $a{n}$;\ncreate function f() ")),
        numbered(|n| format!("DELIMITER a{n}\nx\n")),
        numbered(|n| format!("select '{n}';\nselect {{{{ x }}}} ';\n")),
    ];
    for text in &texts {
        let passes = passes(text.len(), || drop(cut(text)));
        assert!(passes <= 40, "{:?}… was read {passes} times", &text[..20]);
    }
}
