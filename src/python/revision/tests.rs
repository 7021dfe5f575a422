use super::*;

const HEAD: &str =
    "from alembic import op\nimport sqlalchemy as sa\nrevision = 'r'\ndown_revision = None\n";

fn file(body: &str) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("def upgrade():\n");
    for line in body.split('\n') {
        text.push_str("    ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn upgrade(text: &str) -> Script {
    read(text).upgrade.expect("the file has `upgrade`")
}

fn sql(script: &Script) -> Vec<&str> {
    script.ops.iter().map(|op| &*op.fragment.sql).collect()
}

#[test]
fn identity_of_a_revision() {
    let revision = read(
        "\"\"\"add users\n\nRevision ID: b\n\"\"\"\nrevision: str = \"b\"  # why\ndown_revision = (\"a\", 'c')\n\
         branch_labels = [\"main\"]\ndepends_on = None\ndef upgrade(): pass\n",
    );
    assert!(revision.is_revision);
    assert_eq!(revision.revision.map(|id| id.text), Some("b".to_owned()));
    let down: Vec<String> = revision
        .down_revision
        .expect("it is known")
        .into_iter()
        .map(|id| id.text)
        .collect();
    assert_eq!(down, ["a", "c"]);
    assert_eq!(revision.branch_labels.len(), 1);
    assert_eq!(revision.depends_on, []);
    assert_eq!(revision.message.as_deref(), Some("add users"));
    assert_eq!(revision.comments.len(), 1);
    assert!(revision.downgrade.is_none());

    assert_eq!(read(HEAD).down_revision, Some(Vec::new()));
    let unknown = read("revision = 'a'\ndown_revision = previous()\n");
    assert_eq!(unknown.down_revision, None);
    assert_eq!(unknown.problems.len(), 1);
    assert!(!read("x = 1\n").is_revision);
}

#[test]
fn bodies() {
    for (body, kind) in [
        ("pass", BodyKind::Pass),
        ("...", BodyKind::Pass),
        ("return", BodyKind::Pass),
        ("\"\"\"Doc.\"\"\"", BodyKind::Docstring),
        ("\"\"\"Doc.\"\"\"\npass", BodyKind::Pass),
        ("op.execute('SELECT 1')", BodyKind::Ops),
        (
            "\"\"\"Doc.\"\"\"\nraise Exception('no')",
            BodyKind::Raises {
                text: "raise Exception('no')".to_owned(),
            },
        ),
    ] {
        assert_eq!(upgrade(&file(body)).body, kind, "{body}");
    }
}

#[test]
fn sql_leads_back_into_the_literal() {
    for (body, word) in [
        ("op.execute('DROP TABLE users')", "users"),
        ("op.execute('''\nDROP TABLE\n users''')", "users"),
        ("op.execute('DROP ' 'TABLE ' 'users')", "users"),
        ("t = 'users'\nop.execute(f'DROP TABLE {t}')", "users"),
        ("op.execute(sa.text('DROP TABLE\\t users'))", "users"),
        ("op.execute('DROP TABLE {}'.format('users'))", "users"),
        ("op.drop_table('users')", "users"),
        (
            "op.add_column('t', sa.Column('total', sa.Integer()))",
            "total",
        ),
        (
            "op.create_index('ix', 't', [sa.text('lower(email)')])",
            "email",
        ),
        ("op.create_check_constraint('ck', 't', 'age > 18')", "age"),
    ] {
        let text = file(body);
        let script = upgrade(&text);
        let op = &script.ops[0];
        let at = op.fragment.sql.find(word).expect("the SQL holds the word");
        let place = op.fragment.map.to_file(Span::new(at, at + word.len()));
        assert_eq!(&text[place.range()], word, "{body}");
        assert!(text[op.span.range()].starts_with("op."), "{body}");
    }
}

#[test]
fn autocommit_blocks_are_numbered() {
    let text = file(
        "op.execute('SELECT 0')\nwith op.get_context().autocommit_block():\n    op.execute('SELECT 1')\n    \
         op.execute('SELECT 2')\nwith op.get_context().autocommit_block():\n    op.execute('SELECT 3')\nop.execute('SELECT 4')",
    );
    let numbers: Vec<Option<u32>> = upgrade(&text).ops.iter().map(|op| op.autocommit).collect();
    assert_eq!(numbers, [None, Some(1), Some(1), Some(2), None]);
}

#[test]
fn unknown_conditions_are_followed_both_ways() {
    for (body, expected) in [
        (
            "if x():\n    op.execute('a')\nelse:\n    op.execute('b')\nop.execute('c')",
            "a? b? c",
        ),
        ("if y:\n    return\nop.execute('a')", "a?"),
        ("if y:\n    raise E\nop.execute('a')", "a"),
        (
            "if True:\n    op.execute('a')\nelse:\n    op.execute('b')",
            "a",
        ),
        (
            "if op.get_bind().dialect.name == 'sqlite':\n    op.execute('a')\nelse:\n    op.execute('b')",
            "b",
        ),
        (
            "for r in rows:\n    op.execute('a')\nop.execute('b')",
            "a? b",
        ),
        ("while q:\n    op.execute('a')", "a?"),
        (
            "try:\n    op.execute('a')\nexcept E:\n    op.execute('b')\nfinally:\n    op.execute('c')",
            "a b? c",
        ),
        ("v = 'a'\nif y:\n    v = 'b'\nop.execute(v)", ""),
        ("v = 'a'\nif y:\n    op.execute(v)\nop.execute(v)", "a? a"),
        (
            "for i in [1, 2]:\n    if y:\n        continue\n    op.execute('a')",
            "a? a?",
        ),
        (
            "if op.get_context().is_offline_mode():\n    op.execute('a')",
            "",
        ),
    ] {
        let script = upgrade(&file(body));
        let shown: Vec<String> = script
            .ops
            .iter()
            .map(|op| {
                format!(
                    "{}{}",
                    op.fragment.sql,
                    if op.conditional { "?" } else { "" }
                )
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{body}");
    }
}

#[test]
fn what_cannot_be_followed_is_listed() {
    for body in [
        "op.execute(open('x.sql').read())",
        "op.execute(config.SQL)",
        "op.drop_table(name)",
        "op.create_entity(f)",
        "op.add_column('t', column)",
        "op.create_table('t', *columns)",
        "op.create_table('t', **options)",
        "helper(op)",
        "helper()",
        "x = outside()\nif x:\n    pass",
        "sa.MetaData().create_all(op.get_bind())",
        "session = sa.orm.Session(bind=op.get_bind())\nsession.add(1)",
        "with manager():\n    pass",
        "match x:\n    case 1: pass",
        "def f():\n    f()\nf()",
        "for i in range(100000):\n    op.execute('SELECT 1')",
        "op.execute('%s' % values)",
    ] {
        let text = format!("from project import outside\n{}", file(body));
        assert!(!upgrade(&text).not_analysed.is_empty(), "{body}");
    }
    for body in [
        "print('x')",
        "logging.getLogger('a').info('x')",
        "x = sa.Column('a', sa.Text())",
        "sa.inspect(op.get_bind())",
    ] {
        let text = format!("import logging\n{}", file(body));
        assert_eq!(upgrade(&text).not_analysed, [], "{body}");
    }
}

#[test]
fn unknown_details_become_placeholders() {
    for (body, expected) in [
        (
            "op.add_column('t', sa.Column('a', GUID(), nullable=False))",
            "ALTER TABLE t ADD COLUMN a lockgate_unknown NOT NULL",
        ),
        (
            "op.add_column('t', sa.Column('a', sa.Text(), server_default=DEFAULT))",
            "ALTER TABLE t ADD COLUMN a TEXT DEFAULT 'lockgate_unknown'",
        ),
        (
            "op.add_column('t', sa.Column('a', sa.String(LENGTH)))",
            "ALTER TABLE t ADD COLUMN a VARCHAR",
        ),
    ] {
        let text = format!(
            "from project.types import GUID, DEFAULT, LENGTH\n{}",
            file(body)
        );
        let script = upgrade(&text);
        assert_eq!(sql(&script), [expected]);
        assert!(script.ops[0].approximate, "{body}");
        assert_eq!(script.not_analysed, [], "{body}");
    }
}

#[test]
fn ways_to_reach_the_operations() {
    for (head, call) in [
        ("from alembic import op as o\n", "o.drop_table('t')"),
        ("import alembic\n", "alembic.op.drop_table('t')"),
        ("import alembic.op\n", "alembic.op.drop_table('t')"),
        ("import alembic.op as x\n", "x.drop_table('t')"),
        ("from alembic.op import drop_table\n", "drop_table('t')"),
        (
            "from alembic import op\n",
            "drop = op.drop_table\n    drop('t')",
        ),
        (
            "from alembic import op, context\n",
            "context.get_context()\n    getattr(op, 'drop_table')('t')",
        ),
    ] {
        let text = format!("{head}revision = 'a'\ndef upgrade():\n    {call}\n");
        assert_eq!(sql(&upgrade(&text)), ["DROP TABLE t"], "{head}{call}");
    }
    let text = "revision = 'a'\ndef upgrade(op, tables, tester):\n    op.drop_table('t')\n    tester.fill(op)\n";
    let script = upgrade(text);
    assert_eq!(sql(&script), ["DROP TABLE t"]);
    assert_eq!(script.not_analysed.len(), 1);
}

#[test]
fn a_commit_by_hand_is_shown() {
    let script = upgrade(&file(
        "conn = op.get_bind()\nconn.execute(sa.text('SELECT 1'))\nconn.commit()",
    ));
    assert_eq!(sql(&script), ["SELECT 1", "COMMIT", "BEGIN"]);
}

#[test]
fn defects_are_problems() {
    for (body, word) in [
        ("op.alter_column('t', 'a', default=1)", "`default=…`"),
        (
            "op.create_foreign_key('f', 't', 'u', ['a'], ['b'], on_delete='CASCADE')",
            "`on_delete=…`",
        ),
        (
            "op.execute(\"UPDATE t SET a = '{\\\"k\\\" :true}'\")",
            "`:true`",
        ),
        ("op.drop_constraint(None, 't')", "without its name"),
        (
            "op.create_table('t', sa.Column('a', sa.Integer(), sa.ForeignKey('u.id', use_alter=True)))",
            "never creates it",
        ),
        (
            "op.add_column('t', sa.Column('a', sa.Text(), server_default=5))",
            "server_default",
        ),
    ] {
        let problems = read(&file(body)).problems;
        assert!(
            problems
                .iter()
                .any(|problem| problem.message.contains(word)),
            "{body}: {problems:?}"
        );
    }
    assert_eq!(
        read(&file(
            "op.alter_column('t', 'a', nullable=True, existing_type=sa.Text())"
        ))
        .problems,
        []
    );
}

#[test]
fn hostile_values_stay_small() {
    for body in [
        "x = 'a'\nfor i in range(60):\n    x = x + x\nop.execute(x)".to_owned(),
        "x = []\nfor i in range(1900):\n    x = [x]\nop.create_table('t', *x)".to_owned(),
        "x = []\nfor i in range(60):\n    x = [x, x]\nop.execute(str(x))".to_owned(),
        "x = sa.column('a')\nfor i in range(1900):\n    x = x + 1\nop.create_index('i', 't', [x])"
            .to_owned(),
        "def f(x):\n    return f(f(x))\nop.execute(f('a'))".to_owned(),
        "f = lambda x: f(x)\nf(1)".to_owned(),
        format!("x = {}", "[".repeat(190) + &"]".repeat(190)),
        format!("if a:\n    pass\n{}", "elif a:\n    pass\n".repeat(3_000)),
        "x = 9223372036854775807 + 1\nx = -9223372036854775807 - 2\nop.execute(f'{x}')".to_owned(),
        "for i in range(-9223372036854775807, 9223372036854775807, 2):\n    pass".to_owned(),
    ] {
        let script = upgrade(&file(&body));
        assert!(script.ops.len() <= 1, "{body}");
    }
}
