use super::*;
use crate::sql::lex::passes;

/// Parts as `kind flags text`. Kinds: S statement, I with `INTO`, P `PERFORM`, R `RETURN QUERY`, L loop, C cursor; E before
/// them for `EXECUTE`; D dynamic, T transaction. Flags: c conditional, l looped, h handler, t trapped.
fn shown(body: &str) -> Vec<String> {
    let found = read(body);
    let role = |role: Role| match role {
        Role::Statement => "S",
        Role::Into => "I",
        Role::Perform => "P",
        Role::Return => "R",
        Role::Loop => "L",
        Role::Cursor => "C",
    };
    let mut last = 0;
    found
        .parts
        .iter()
        .map(|part| {
            assert!(part.span.start >= last, "parts are in order: {body}");
            last = part.span.start;
            let mut flags = String::new();
            for (set, flag) in [
                (part.guard.conditional, 'c'),
                (part.guard.looped, 'l'),
                (part.guard.handler, 'h'),
                (part.guard.trapped, 't'),
            ] {
                if set {
                    flags.push(flag);
                }
            }
            let (kind, text) = match &part.kind {
                PartKind::Sql { sql, role: r } => {
                    assert_eq!(sql.sql.len(), part.span.len(), "{body}");
                    assert_eq!(sql.map.whole, part.span, "{body}");
                    (role(*r).to_owned(), words(&sql.sql))
                }
                PartKind::Execute { sql, role: r } => {
                    (format!("E{}", role(*r)), sql.sql.to_string())
                }
                PartKind::Dynamic {
                    pieces,
                    reason,
                    role: r,
                } => {
                    let pieces: Vec<_> = pieces.iter().map(|piece| piece.text.as_str()).collect();
                    let r = if *r == Role::Statement { "" } else { role(*r) };
                    (
                        format!("D{r}"),
                        format!("{} ({reason})", pieces.join("|"))
                            .trim_start()
                            .to_owned(),
                    )
                }
                PartKind::Transaction { commit } => (
                    "T".to_owned(),
                    if *commit { "commit" } else { "rollback" }.to_owned(),
                ),
            };
            let gap = if flags.is_empty() { "" } else { " " };
            format!("{kind} {flags}{gap}{text}")
        })
        .collect()
}

/// Runs of blanks as one blank.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Body, parts.
const BODIES: &[(&str, &[&str])] = &[
    // Backfills.
    (
        "DECLARE n int;
BEGIN
  LOOP
    UPDATE users SET a = 1 WHERE id IN (SELECT id FROM users WHERE a IS NULL LIMIT 1000);
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0;
    COMMIT;
    PERFORM pg_sleep(0.1);
  END LOOP;
END",
        &[
            "S l UPDATE users SET a = 1 WHERE id IN (SELECT id FROM users WHERE a IS NULL LIMIT 1000)",
            "T l commit",
            "P l SELECT pg_sleep(0.1)",
        ],
    ),
    (
        "declare lo bigint := 0; hi bigint; begin
  select max(id) into strict hi from orders;
  while lo < hi loop
    update orders set total = 0 where id > lo and id <= lo + 1000;
    lo := lo + 1000; commit and no chain;
  end loop;
end;",
        &["I select max(id) from orders", "S l update orders set total = 0 where id > lo and id <= lo + 1000", "T l commit"],
    ),
    (
        "begin for i in reverse 10..1 by 2 loop delete from t where id = i; end loop; for i in a.lo..f(1, 2) loop rollback; end loop; end",
        &["S l delete from t where id = i", "T l rollback"],
    ),
    (
        "begin
  <<outer_loop>>
  for r in select id, name from users where x is null order by id loop
    continue outer_loop when r.id = 3;
    insert into audit (id) values (r.id);
  end loop outer_loop;
end",
        &["L select id, name from users where x is null order by id", "S l insert into audit (id) values (r.id)"],
    ),
    ("begin for r in (select 1) union (select 2) loop null; end loop; end", &["L (select 1) union (select 2)"]),
    ("begin foreach x slice 1 in array array[[1,2],[3,4]] loop insert into t values (x[1]); end loop; end", &["S l insert into t values (x[1])"]),
    ("declare c cursor for select 1; begin for r in c loop null; end loop; for r in c(1) loop null; end loop; end", &["C select 1"]),
    // Guarded changes.
    (
        "BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'c') THEN
    ALTER TABLE t ADD COLUMN c int;
  ELSE
    RAISE NOTICE 'exists; %', 1 USING HINT = 'x';
    ALTER TABLE t ALTER COLUMN c SET DEFAULT 1;
  END IF;
END",
        &["S c ALTER TABLE t ADD COLUMN c int", "S c ALTER TABLE t ALTER COLUMN c SET DEFAULT 1"],
    ),
    (
        "begin if a then drop table x; elsif b then drop table y; elseif c then null; else if d then drop table z; end if; end if; drop table w; end",
        &["S c drop table x", "S c drop table y", "S c drop table z", "S drop table w"],
    ),
    (
        "BEGIN CREATE TYPE mood AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL; END",
        &["S t CREATE TYPE mood AS ENUM ('a', 'b')"],
    ),
    (
        "BEGIN
  BEGIN
    ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
  EXCEPTION
    WHEN duplicate_object OR duplicate_table THEN RAISE NOTICE 'x';
    WHEN OTHERS THEN INSERT INTO log VALUES (SQLERRM); RAISE;
  END;
  CREATE INDEX i ON t (a);
END",
        &["S t ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "S h INSERT INTO log VALUES (SQLERRM)", "S CREATE INDEX i ON t (a)"],
    ),
    (
        "begin begin select 1; exception when others then select 2; begin select 3; end; end; exception when others then null; end",
        &["S t select 1", "S ht select 2", "S ht select 3"],
    ),
    (
        "begin case x when 1, 2 then drop table a; when 3 then drop table b; else drop table c; end case;
 case when (case when true then 1 end) = 1 then truncate d; end case; end",
        &["S c drop table a", "S c drop table b", "S c drop table c", "S c truncate d"],
    ),
    // EXECUTE of constants.
    ("begin execute 'alter table t add c text default ''x'''; end", &["ES alter table t add c text default 'x'"]),
    (r"begin execute E'comment on table t is \'a\\nb\''; end", &["ES comment on table t is 'a\\nb'"]),
    ("begin execute $q$ create table t (a text default $x$;$x$) $q$; end", &["ES  create table t (a text default $x$;$x$) "]),
    ("begin execute 'create ' || ('index i ' || $$on t (a)$$)::text; end", &["ES create index i on t (a)"]),
    ("begin execute format('alter table %I.%I add column %s int default %L', 'public', 'User', 'c', 'it''s'); end", &["ES alter table public.\"User\" add column c int default 'it''s'"]),
    ("begin execute format('drop table %2$I, %1$I', 'a', 'order') ; end", &["ES drop table \"order\", a"]),
    ("begin execute 'drop table ' || quote_ident('A b'); end", &["ES drop table \"A b\""]),
    ("begin execute 'select count(*) from t where a = $1' into strict n, r.x using 5, v; end", &["ES select count(*) from t where a = $1"]),
    ("begin for r in execute 'select 1' using x loop null; end loop; end", &["EL select 1"]),
    ("begin return query execute 'select 1' using x; return query select 2; return next x; return (select 3); return; end", &["ER select 1", "R select 2"]),
    // EXECUTE of what is not known.
    (
        "declare p record;
begin
  for p in select tablename from pg_tables loop
    execute format('create table %I partition of %I for values in (%L)', p.tablename || '_p', 'parent', 1);
  end loop;
end",
        &["L select tablename from pg_tables", "D l create table %I partition of %I for values in (%L)|_p|parent (depends on `p`)"],
    ),
    ("begin execute 'ALTER TABLE ' || tbl || ' ADD COLUMN c int'; end", &["D ALTER TABLE | ADD COLUMN c int (depends on `tbl`)"]),
    ("begin execute v_sql; execute; end", &["D (depends on `v_sql`)", "D (has no end)"]),
    ("begin execute (select string_agg(x, ';') from y) using 1; end", &["D ; (depends on `select`)"]),
    ("begin for r in execute q loop null; end loop; end", &["DL (depends on `q`)"]),
    // Cursors.
    (
        "declare c1 cursor (k int) for select * from t where a = k; c2 no scroll cursor is select 2; c3 refcursor; x int := 5;
begin open c1(1); open c3 for select 3; open c3 no scroll for execute 'select 4' using 1; open c3 for execute q; fetch c1 into x; move next from c1; close c1; end",
        &["C select * from t where a = k", "C select 2", "C select 3", "EC select 4", "DC (depends on `q`)"],
    ),
    // Trigger functions.
    ("BEGIN NEW.updated_at := now(); NEW.x = 1; RETURN NEW; END;", &[]),
    (
        "BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit SELECT NEW.*;
    RETURN NEW;
  ELSIF (TG_OP = 'DELETE') THEN
    DELETE FROM audit WHERE id = OLD.id RETURNING id, b INTO x, y;
  END IF;
  RETURN NULL;
END",
        &["S c INSERT INTO audit SELECT NEW.*", "I c DELETE FROM audit WHERE id = OLD.id RETURNING id, b"],
    ),
    // INTO.
    ("begin select into x, r.y a, b from t; insert into t values (1) returning id into r; end", &["I select a, b from t", "I insert into t values (1) returning id"]),
    ("begin with a as (insert into t values (1) returning id) select id into x from a; end", &["I with a as (insert into t values (1) returning id) select id from a"]),
    ("begin merge into t using u on t.a = u.a when matched then delete; end", &["S merge into t using u on t.a = u.a when matched then delete"]),
    // Everything around.
    (
        "#variable_conflict use_column
-- a comment; with 'quote
<<main>>
declare
  -- begin
  a constant int not null default 1; b alias for $1; c t.x%type; d text collate \"C\" := 'begin; end';
begin /* end; */
  assert a = 1, 'x;';
  $1 := 2; a[1] := 3; a[f(1)].b = 4;
  null;
  call p(1, 'a;b');
  do $x$ begin null; end $x$;
  perform 1 from t where a = any (array[1, 2]);
  set local lock_timeout = '1s';
  lock table t in exclusive mode;
exception when sqlstate '22012' then
  get stacked diagnostics d = message_text;
end main;",
        &[
            "S t call p(1, 'a;b')",
            "S t do $x$ begin null; end $x$",
            "P t SELECT 1 from t where a = any (array[1, 2])",
            "S t set local lock_timeout = '1s'",
            "S t lock table t in exclusive mode",
        ],
    ),
    (
        "begin create rule r as on insert to t do (select 1; select 2); create function f() returns int begin atomic select case when true then 1 end; end; drop table t; end",
        &[
            "S create rule r as on insert to t do (select 1; select 2)",
            "S create function f() returns int begin atomic select case when true then 1 end; end",
            "S drop table t",
        ],
    ),
    ("\r\nBEGIN\r\n  SELECT 1\r\n    INTO x\r\n  FROM t;\r\nEND;\r\n", &["I SELECT 1 FROM t"]),
    ("begin create table \"é\" (\"ü\" text default 'ß;'); end", &["S create table \"é\" (\"ü\" text default 'ß;')"]),
    ("begin end", &[]),
];

#[test]
fn bodies() {
    for (body, expected) in BODIES {
        assert_eq!(shown(body), *expected, "{body}");
        let found = read(body);
        assert!(found.problems.is_empty(), "{body}: {:?}", found.problems);
        for part in &found.parts {
            if let PartKind::Sql { sql, .. } | PartKind::Execute { sql, .. } = &part.kind {
                assert!(
                    pg_query::parse(&sql.sql, 0).is_ok(),
                    "{:?} of {body}",
                    sql.sql
                );
            }
        }
    }
}

#[test]
fn conditions_point_at_the_if() {
    let body = "begin if a = 1 then select 1; elsif (b) then select 2; else case x when 1 then select 3; end case; end if; select 4; end";
    let found = read(body);
    let conditions: Vec<_> = found
        .parts
        .iter()
        .map(|part| {
            part.guard
                .condition
                .map(|condition| (&body[condition.span.range()], condition.otherwise))
        })
        .collect();
    assert_eq!(
        conditions,
        [
            Some(("a = 1", false)),
            Some(("(b)", false)),
            Some(("(b)", true)),
            None
        ]
    );
}

#[test]
fn executed_text_maps_back_to_the_body() {
    for (body, part, expected) in [
        ("begin execute 'drop table t'; end", "table", "table"),
        (
            "begin execute 'drop ' || 'table t'; end",
            "table t",
            "table t",
        ),
        ("begin execute E'drop\\ttable t'; end", "table", "table"),
        ("begin execute 'select ''a'', b'; end", "b", "b"),
        (
            "begin execute format('drop table %I, %I', 'a', 'b c'); end",
            "b c",
            "b c",
        ),
        (
            "begin execute format('drop table %I, %I', 'a', 'b c'); end",
            "drop table ",
            "drop table ",
        ),
        // Text that stands nowhere: the whole expression.
        (
            "begin execute format('drop table %I', 'b c'); end",
            "\"",
            "format('drop table %I', 'b c')",
        ),
    ] {
        let found = read(body);
        let Some(PartKind::Execute { sql, .. }) = found.parts.first().map(|part| &part.kind) else {
            panic!("{body}");
        };
        let at = sql.sql.find(part).unwrap();
        let span = sql.map.to_file(Span::new(at, at + part.len()));
        assert_eq!(&body[span.range()], expected, "{body}");
    }
}

#[test]
fn broken_bodies_give_what_was_understood() {
    for (body, expected, problems) in [
        ("select 1; select 2;", &["S select 1", "S select 2"][..], 1),
        ("begin drop table t", &["S drop table t"], 2),
        (
            "begin if a; drop table t; end if; end",
            &["S c drop table t"],
            1,
        ),
        (
            "begin loop drop table t; end if; end",
            &["S l drop table t"],
            2,
        ),
        (
            "begin drop table t; end if; end loop; end; end",
            &["S drop table t"],
            4,
        ),
        ("begin 'x' y; drop table t; end", &["S drop table t"], 1),
        (
            "begin drop table t; execute 'open; end",
            &["S drop table t", "D (depends on `'open; end`)"],
            2,
        ),
        (
            "declare x int begin drop table t; end",
            &["S drop table t"],
            1,
        ),
        (
            "begin else when 1 then exception drop table t; end",
            &["S h drop table t"],
            2,
        ),
        (
            "begin for x loop drop table t; end loop; end",
            &["S l drop table t"],
            1,
        ),
        (
            "begin create rule r as (select 1; drop table t; end",
            &["S create rule r as (select 1", "S drop table t"],
            0,
        ),
        ("", &[], 0),
    ] {
        let found = read(body);
        assert_eq!(shown(body), expected, "{body}");
        assert_eq!(
            found.problems.len(),
            problems,
            "{body}: {:?}",
            found.problems
        );
    }
}

#[test]
fn random_and_hostile_bodies_do_no_harm() {
    const WORDS: &[&str] = &[
        "begin",
        "end",
        "declare",
        "if",
        "then",
        "else",
        "elsif",
        "loop",
        "end loop;",
        "end if;",
        "for",
        "in",
        "..",
        "execute",
        "format(",
        "'a%I'",
        "||",
        ")",
        "(",
        "[",
        "]",
        ";",
        ":=",
        "=",
        "a",
        "into",
        "using",
        "case",
        "when",
        "exception",
        "perform",
        "select",
        "<<",
        ">>",
        "#",
        "cursor",
        "open",
        "return query",
        "'",
        "$$",
        "\n",
        "é",
        "create rule",
        "begin atomic",
        "E'\\x'",
        ",",
        ".",
    ];
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for _ in 0..20_000 {
        let mut body = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            body.push_str(WORDS[usize::try_from(state % WORDS.len() as u64).unwrap()]);
            body.push(' ');
        }
        shown(&body);
    }
    for part in [
        "begin ",
        "if ",
        "loop end if ",
        "a[",
        "create rule (;",
        "create function begin atomic;",
        "declare x cursor begin ",
        "begin exception ",
        "execute (",
        "case ",
        "for x in ",
        "<<",
        "execute 'a' || ",
        "begin select 1; exception ",
        "select into a,",
        "end ",
        "open x for ",
        "x;",
        "(((;",
    ] {
        let text = part.repeat((1 << 19) / part.len());
        let passes = passes(text.len(), || drop(read(&text)));
        assert!(passes <= 40, "{part}… was read {passes} times");
    }
    // An argument repeated by `format` of `format` would be larger than memory.
    let mut bomb = "'0123456789'".to_owned();
    for _ in 0..20 {
        bomb = format!("format('{}', {bomb})", "%1$s".repeat(10));
    }
    let found = read(&format!("begin execute {bomb}; end"));
    assert!(matches!(found.parts[0].kind, PartKind::Dynamic { .. }));
}
