use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, c_char};

use super::ffi::{ParseResult, pg_query_free_parse_result};
use super::testing::{agrees_with_protobuf, difference, json};
use super::*;

/// One text per line; together they reach every kind of node.
const STATEMENTS: &str = include_str!("tests/statements.sql");

unsafe extern "C" {
    fn pg_query_parse(input: *const c_char) -> ParseResult;
}

/// The C library's own JSON of a text that parses.
fn c_json(sql: &str) -> serde_json::Value {
    let input = CString::new(sql).expect("no NUL");
    let text = exclusive(|| unsafe {
        let result = pg_query_parse(input.as_ptr());
        assert!(result.error.is_null(), "does not parse: {sql}");
        let text = CStr::from_ptr(result.parse_tree)
            .to_str()
            .expect("UTF-8")
            .to_owned();
        pg_query_free_parse_result(result);
        text
    });
    let value: serde_json::Value =
        serde_json::from_str(&text.expect("no tree is open")).expect("JSON");
    value["stmts"].clone()
}

#[test]
fn every_node_reads_as_the_c_library_prints_it() {
    let mut failures = Vec::new();
    for sql in STATEMENTS.split('\n') {
        match with_tree(sql, Mode::Statements, |tree| tree.map(json)) {
            Ok(ours) => failures.extend(difference(sql, &ours, &c_json(sql))),
            Err(error) => failures.push(format!("{sql}\n{error:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_node_reads_as_in_the_protocol_buffers() {
    // The semicolon on the next line, behind comments.
    let all = STATEMENTS.replace('\n', "\r\n;");
    let count = with_tree(&all, Mode::Statements, |tree| {
        tree.map(|tree| tree.statements().count())
    });
    assert!(count.is_ok_and(|count| count >= STATEMENTS.split('\n').count()));
    let failures: Vec<_> = STATEMENTS
        .split('\n')
        .chain([all.as_str()])
        .filter_map(|sql| agrees_with_protobuf(sql).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Fields that the raw grammar never fills: they are for later stages of the server.
const NEVER_SET: &[&str] = &[
    "AlterOwnerStmt.relation",
    "AlterPublicationStmt.for_all_tables",
    "AlterSeqStmt.for_identity",
    "AlterTableCmd.recurse",
    "CTECycleClause.cycle_mark_collation",
    "CTECycleClause.cycle_mark_neop",
    "CTECycleClause.cycle_mark_type",
    "CTECycleClause.cycle_mark_typmod",
    "CallStmt.funcexpr",
    "CallStmt.outargs",
    "CaseExpr.casecollid",
    "CaseExpr.casetype",
    "CoalesceExpr.coalescecollid",
    "CoalesceExpr.coalescetype",
    "ColumnDef.collOid",
    "ColumnDef.cooked_default",
    "ColumnDef.generated",
    "ColumnDef.identity",
    "ColumnDef.identitySequence",
    "ColumnDef.inhcount",
    "ColumnDef.is_from_type",
    "ColumnDef.is_not_null",
    "ColumnDef.storage",
    "CommonTableExpr.ctecolcollations",
    "CommonTableExpr.ctecolnames",
    "CommonTableExpr.ctecoltypes",
    "CommonTableExpr.ctecoltypmods",
    "CommonTableExpr.cterecursive",
    "CommonTableExpr.cterefcount",
    "Constraint.cooked_expr",
    "Constraint.old_conpfeqop",
    "Constraint.old_pktable_oid",
    "Constraint.reset_default_tblspc",
    "CreateSeqStmt.for_identity",
    "CreateSeqStmt.ownerId",
    "CreateStatsStmt.owner",
    "CreateStatsStmt.stxcomment",
    "CreateStatsStmt.transformed",
    "CreateStmt.constraints",
    "CreateStmt.nnconstraints",
    "CreateTableAsStmt.is_select_into",
    "CurrentOfExpr.cursor_param",
    "CurrentOfExpr.cvarno",
    "GroupingFunc.agglevelsup",
    "GroupingFunc.cols",
    "GroupingFunc.refs",
    "IndexElem.indexcolname",
    "IndexStmt.deferrable",
    "IndexStmt.excludeOpNames",
    "IndexStmt.idxcomment",
    "IndexStmt.indexOid",
    "IndexStmt.initdeferred",
    "IndexStmt.isconstraint",
    "IndexStmt.iswithoutoverlaps",
    "IndexStmt.oldCreateSubid",
    "IndexStmt.oldFirstRelfilelocatorSubid",
    "IndexStmt.oldNumber",
    "IndexStmt.primary",
    "IndexStmt.reset_default_tblspc",
    "IndexStmt.transformed",
    "IntoClause.viewQuery",
    "JoinExpr.rtindex",
    "JsonBehavior.coerce",
    "JsonFuncExpr.column_name",
    "JsonParseExpr.output",
    "JsonReturning.typid",
    "JsonReturning.typmod",
    "JsonScalarExpr.output",
    "JsonValueExpr.formatted_expr",
    "MergeSupportFunc.msfcollid",
    "MinMaxExpr.inputcollid",
    "MinMaxExpr.minmaxcollid",
    "MinMaxExpr.minmaxtype",
    "NullTest.argisrow",
    "RowExpr.colnames",
    "RowExpr.row_typeid",
    "SQLValueFunction.type",
    "SetToDefault.collation",
    "SetToDefault.typeId",
    "SetToDefault.typeMod",
    "SubLink.subLinkId",
    "TableLikeClause.relationOid",
    "TypeName.typeOid",
    "VacuumRelation.oid",
    "XmlExpr.arg_names",
    "XmlExpr.indent",
    "XmlExpr.type",
    "XmlExpr.typmod",
];

#[test]
fn the_statements_reach_every_kind_and_field() {
    let mut kinds = BTreeSet::new();
    let mut fields: BTreeMap<String, bool> = BTreeMap::new();
    let mut reach = |tree: Tree<'_>| {
        for root in tree.roots().iter() {
            walk(root, &mut |node| {
                assert!(!matches!(node, Node::Other(_)), "{node:?}");
                kinds.insert(node.kind());
                node.fields(&mut |name, value| {
                    if let Value::Literal(Some(literal)) = value {
                        kinds.insert(literal.kind());
                    }
                    let set = match value {
                        Value::Text(text) => text.is_some(),
                        Value::Flag(flag) => flag,
                        Value::Letter(letter) => letter != '\0',
                        Value::Int(number) => number != 0,
                        Value::Code { rank, .. } => rank != 0,
                        Value::Any(node) | Value::Of(node) | Value::Literal(node) => node.is_some(),
                        Value::Items(list) => !list.is_empty(),
                        Value::Unset => false,
                    };
                    *fields.entry(format!("{}.{name}", node.kind())).or_default() |= set;
                });
                Walk::Enter
            });
        }
    };
    for sql in STATEMENTS.split('\n') {
        with_tree(sql, Mode::Statements, |tree| reach(tree.expect("parses")));
    }
    with_tree(" a.b[1] := 2", Mode::PlpgsqlAssign2, |tree| {
        reach(tree.expect("parses"))
    });
    let missed: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missed.is_empty(), "no statement reaches {missed:?}");
    let unset: Vec<_> = fields
        .iter()
        .filter(|(_, set)| !**set)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(unset, NEVER_SET);
}

#[test]
fn the_self_check_passes() {
    assert_eq!(self_check(), Ok(()));
}

/// Message and offset of the error that a text gets.
fn error(sql: &str) -> (String, Option<usize>) {
    with_tree(sql, Mode::Statements, |tree| {
        let error = tree.expect_err(sql);
        (error.message, error.offset)
    })
}

#[test]
fn error_offsets_are_bytes() {
    let cases = [
        ("selec 1", "syntax error at or near \"selec\"", Some(0)),
        (
            "select 'ünï', ), 1",
            "syntax error at or near \")\"",
            Some("select 'ünï', ".len()),
        ),
        (
            "select 'ünï' frm 日本 x",
            "syntax error at or near \"日本\"",
            Some("select 'ünï' frm ".len()),
        ),
        ("select (1", "syntax error at end of input", Some(9)),
        (
            "/* é */ select (",
            "syntax error at end of input",
            Some("/* é */ select (".len()),
        ),
        (
            "select 'abc",
            "unterminated quoted string at or near \"'abc\"",
            Some(7),
        ),
        ("é; select $a$ x", "syntax error at or near \"é\"", Some(0)),
        (
            "select $a$ x",
            "unterminated dollar-quoted string at or near \"$a$ x\"",
            Some(7),
        ),
        (
            "select 1 /* é",
            "unterminated /* comment at or near \"/* é\"",
            Some(9),
        ),
        (
            "select \"é",
            "unterminated quoted identifier at or near \"\"é\"",
            Some(7),
        ),
        (
            "\u{feff}select 1",
            "syntax error at or near \"\u{feff}select\"",
            Some(0),
        ),
        (
            "select 'é' \0 x",
            "a NUL byte cannot be part of a text",
            Some("select 'é' ".len()),
        ),
        ("\\d t", "syntax error at or near \"\\\"", Some(0)),
        (
            "select E'\\xff'",
            "invalid byte sequence for encoding \"UTF8\": 0xff",
            None,
        ),
        (
            "select U&'\\d800'",
            "invalid Unicode surrogate pair",
            Some(15),
        ),
    ];
    for (sql, message, offset) in cases {
        assert_eq!(error(sql), (message.to_owned(), offset), "{sql:?}");
    }
}

#[test]
fn statements_have_byte_ranges() {
    let sql = " -- é\n select 'ö' ;; /* x */\r\nselect 2 /* y */ ;select 3 -- z";
    let texts = with_tree(sql, Mode::Statements, |tree| {
        let tree = tree.expect("parses");
        tree.statements()
            .map(|statement| sql[statement.range].to_owned())
            .collect::<Vec<_>>()
    });
    assert_eq!(texts, ["select 'ö' ", "select 2 /* y */ ", "select 3 -- z"]);
    for empty in ["", " ", ";", "-- x", "/* é */;;"] {
        let count = with_tree(empty, Mode::Statements, |tree| {
            tree.map(|tree| tree.statements().count())
        });
        assert_eq!(count, Ok(0), "{empty:?}");
    }
}

#[test]
fn other_modes() {
    let kinds = |sql: &str, mode| {
        with_tree(sql, mode, |tree| {
            tree.map(|tree| {
                tree.roots()
                    .iter()
                    .map(|root| format!("{root:?}"))
                    .collect::<String>()
            })
        })
    };
    assert_eq!(kinds("s.t[3]", Mode::TypeName), Ok("TypeName@0".to_owned()));
    assert_eq!(
        kinds("a + 1", Mode::PlpgsqlExpression),
        Ok("RawStmt".to_owned())
    );
    assert_eq!(
        kinds("a := 1", Mode::PlpgsqlAssign1),
        Ok("RawStmt".to_owned())
    );
    assert_eq!(
        kinds("a.b.c := 1", Mode::PlpgsqlAssign3),
        Ok("RawStmt".to_owned())
    );
    assert!(kinds("select 1", Mode::TypeName).is_err());
    with_tree("numeric(10, 2)", Mode::TypeName, |tree| {
        let name = tree.expect("parses").type_name().expect("a type name");
        assert_eq!(
            name.names().strings().collect::<Vec<_>>(),
            ["pg_catalog", "numeric"]
        );
        assert_eq!(name.typmods().len(), 2);
    });
}

/// Number of nodes below the statements of a text.
fn count(sql: &str) -> Result<usize, SyntaxError> {
    with_tree(sql, Mode::Statements, |tree| {
        tree.map(|tree| {
            let mut nodes = 0;
            for statement in tree.statements() {
                assert!(walk(statement.node, &mut |_| {
                    nodes += 1;
                    Walk::Enter
                }));
            }
            nodes
        })
    })
}

#[test]
fn deep_trees_are_walked_and_too_deep_texts_refused() {
    let chain = format!("select 1{}", "||2".repeat(100_000));
    assert_eq!(count(&chain), Ok(300_003));
    let unions = format!("select 1{}", " union select 2".repeat(20_000));
    assert_eq!(count(&unions), Ok(80_003));
    let wide = format!("insert into t values {}(0)", "(1),".repeat(100_000));
    assert_eq!(count(&wide), Ok(2 + 1 + 100_001 * 2));
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("case when ", "true", " then 1 end"),
        ("f(", "1", ")"),
        ("array[", "1", "]"),
    ] {
        let sql = format!(
            "select {}{middle}{}",
            open.repeat(200_000),
            close.repeat(200_000)
        );
        let error = count(&sql).expect_err("too deep");
        assert!(error.message.starts_with("memory exhausted"), "{error:?}");
    }
    assert_eq!(count("select 1"), Ok(3), "the parser is fine after errors");
}

#[test]
fn walks_skip_and_stop() {
    with_tree("select a, (select b), c", Mode::Statements, |tree| {
        let root = tree.expect("parses").statements().next().expect("one").node;
        let mut seen = Vec::new();
        let whole = walk(root, &mut |node| {
            seen.push(node.kind());
            match node {
                Node::SubLink(_) => Walk::Skip,
                Node::ColumnRef(column) if column.fields().strings().eq(["c"]) => Walk::Stop,
                _ => Walk::Enter,
            }
        });
        assert!(!whole);
        let expected =
            "SelectStmt ResTarget ColumnRef String ResTarget SubLink ResTarget ColumnRef";
        assert_eq!(seen.join(" "), expected);
    });
}

#[test]
fn empty_cells_are_kept() {
    with_tree(
        "select distinct a; drop operator -(none, int)",
        Mode::Statements,
        |tree| {
            let statements: Vec<_> = tree.expect("parses").statements().collect();
            let Node::SelectStmt(select) = statements[0].node else {
                panic!()
            };
            let distinct = select.distinctClause();
            assert_eq!(
                (
                    distinct.len(),
                    distinct.first().is_none(),
                    distinct.iter().count()
                ),
                (1, true, 0)
            );
            let Node::DropStmt(drop) = statements[1].node else {
                panic!()
            };
            let operator = drop
                .objects()
                .of::<ObjectWithArgs<'_>>()
                .next()
                .expect("an operator");
            let operands: Vec<_> = operator
                .objargs()
                .cells()
                .map(|cell| cell.is_some())
                .collect();
            assert_eq!(operands, [false, true]);
        },
    );
}

#[test]
fn nested_calls_are_refused() {
    with_tree("select 1", Mode::Statements, |outer| {
        let outer = outer.expect("parses");
        let inner = with_tree("select 2", Mode::Statements, |inner| inner.map(|_| ()));
        assert!(inner.is_err());
        assert_eq!(exclusive(|| 1), None);
        assert_eq!(outer.statements().count(), 1);
    });
    assert_eq!(
        exclusive(|| count("select 1").is_err()),
        Some(true),
        "inside another call, too"
    );
    assert_eq!(count("select 1"), Ok(3));
}

#[test]
fn a_panic_gives_the_parser_back() {
    for _ in 0..100 {
        let caught = std::panic::catch_unwind(|| {
            with_tree("select 1", Mode::Statements, |tree| {
                assert!(tree.is_ok());
                std::panic::resume_unwind(Box::new("from the visitor"));
            })
        });
        assert!(caught.is_err());
    }
    assert_eq!(count("select 1"), Ok(3));
}

#[test]
fn threads_do_not_disturb_each_other() {
    let expected: Vec<_> = STATEMENTS.split('\n').map(count).collect();
    std::thread::scope(|scope| {
        for start in 0..8 {
            let expected = &expected;
            scope.spawn(move || {
                for round in 0..5 {
                    for (sql, expected) in STATEMENTS.split('\n').zip(expected).skip(start * round)
                    {
                        assert_eq!(&count(sql), expected);
                        assert!(count("select (").is_err());
                    }
                }
            });
        }
    });
}

#[test]
fn sets_of_bits() {
    let sql = "create trigger g instead of insert or delete on v execute function f(); create table t (like u including indexes)";
    with_tree(sql, Mode::Statements, |tree| {
        let statements: Vec<_> = tree.expect("parses").statements().collect();
        let Node::CreateTrigStmt(trigger) = statements[0].node else {
            panic!("{statements:?}")
        };
        assert_eq!(trigger.timing(), bits::TRIGGER_TYPE_INSTEAD);
        assert_eq!(
            trigger.events(),
            bits::TRIGGER_TYPE_INSERT | bits::TRIGGER_TYPE_DELETE
        );
        let Node::CreateStmt(table) = statements[1].node else {
            panic!("{statements:?}")
        };
        let options: Vec<_> = table
            .tableElts()
            .of::<TableLikeClause<'_>>()
            .map(TableLikeClause::options)
            .collect();
        assert_eq!(options, [bits::CREATE_TABLE_LIKE_INDEXES]);
    });
}
