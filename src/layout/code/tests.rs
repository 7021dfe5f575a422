use super::javascript::Library;
use super::program::Program;
use super::{elixir, javascript, ruby};
use crate::layout::Direction;
use crate::source::Span;

/// The SQL of a program: `+` for up, `-` for down, `?` at the end where something is not read. Where text was copied, it
/// is what stands in the file there.
fn sql(text: &str, program: &Program) -> String {
    let mut all: Vec<String> = Vec::new();
    for call in &program.calls {
        let fragment = &call.fragment;
        let place = fragment.map.to_file(Span::new(0, fragment.sql.len()));
        let there = text.get(place.range()).expect("a place in the file");
        if !there.contains('\\') && !there.contains('+') && !there.contains("<>") {
            assert_eq!(there, &*fragment.sql);
        }
        let sign = if call.direction == Direction::Up {
            '+'
        } else {
            '-'
        };
        all.push(format!("{sign}{}", fragment.sql.trim()));
    }
    if program.unread {
        all.push("?".to_owned());
    }
    all.join("|")
}

fn check(read: impl Fn(&str) -> Program, around: (&str, &str), cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        let text = format!("{}{body}{}", around.0, around.1);
        assert_eq!(sql(&text, &read(&text)), *expected, "{body}");
        // Whatever is cut off, nothing panics and every place is in the file.
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            sql(&text[..end], &read(&text[..end]));
        }
    }
}

#[test]
fn ruby_strings_are_told_from_code() {
    let around = (
        "class A < ActiveRecord::Migration[7.0]\n  def up\n    ",
        "\n  end\nend\n",
    );
    check(
        ruby::read,
        around,
        &[
            ("execute 'DROP TABLE a'", "+DROP TABLE a"),
            ("execute('DROP TABLE a')", "+DROP TABLE a"),
            (
                "execute \"SELECT '\\\\', \\\"a\\\"\"",
                "+SELECT '\\', \"a\"",
            ),
            ("execute \"DROP TABLE #{\"a\"}\"", "?"),
            ("execute 'DROP TABLE #{a}'", "+DROP TABLE #{a}"),
            (
                "execute 'drop table a; ' \\\n  'drop table b'",
                "+drop table a; drop table b",
            ),
            (
                "execute <<~SQL\n  DROP TABLE a -- #1\n  SQL",
                "+DROP TABLE a -- #1",
            ),
            ("execute <<~SQL.squish\n  DROP TABLE a -- b\n  SQL", "?"),
            (
                "execute <<~'SQL'\n  DROP TABLE #{a}\n  SQL",
                "+DROP TABLE #{a}",
            ),
            ("execute <<~SQL\n  DROP TABLE #{a}\n  SQL", "?"),
            ("execute <<~SQL\n  DROP TABLE a\n", "?"),
            ("execute %(DROP TABLE f(a))", "+DROP TABLE f(a)"),
            ("execute sql", "?"),
            ("execute 'a partial thing'", "?"),
            ("execute 'DROP TABLE a' if x", "+DROP TABLE a|?"),
            ("if x\n execute 'DROP TABLE a'\n end", "+DROP TABLE a|?"),
            (
                "while x do\n execute 'DROP TABLE a'\n end",
                "+DROP TABLE a|?",
            ),
            ("x.each { |a| execute 'DROP TABLE a' }", "+DROP TABLE a|?"),
            ("=begin\nexecute 'DROP TABLE a'\n=end\n", "+DROP TABLE a|?"),
            (
                "x = a / b # '\n execute 'DROP TABLE a' # /",
                "+DROP TABLE a|?",
            ),
            ("connection.execute 'DROP TABLE a'", "+DROP TABLE a|?"),
            ("other.execute 'DROP TABLE a'", "?"),
            ("puts :execute, 'DROP TABLE a'", "?"),
            ("y = ?\"\n execute 'DROP TABLE a'", "+DROP TABLE a|?"),
        ],
    );
}

#[test]
fn javascript_strings_are_told_from_code() {
    let around = (
        "exports.up = async (knex) => {\n  ",
        "\n};\nexports.down = async () => {};\n",
    );
    check(
        |text| javascript::read(text, Library::Knex),
        around,
        &[
            ("await knex.raw('DROP TABLE a')", "+DROP TABLE a"),
            ("await knex.raw('DROP TABLE a',);", "+DROP TABLE a"),
            ("await knex.raw(`DROP TABLE ${`a${1}`}`)", "?"),
            ("await knex.raw(`DROP ` + \"TABLE a\")", "+DROP TABLE a"),
            ("await knex.raw('SELECT \\u0041')", "?"),
            ("// knex.raw('DROP TABLE a')", ""),
            ("/* knex.raw('DROP TABLE a') */", ""),
            ("const x = /'/; knex.raw('DROP TABLE a')", "+DROP TABLE a|?"),
            (
                "const x = a / b; knex.raw('DROP TABLE a') / 2",
                "+DROP TABLE a|?",
            ),
            ("await knex.raw('UPDATE a SET b = ?', [1])", "?"),
            ("t.defaultTo(knex.raw('SELECT 1'))", "?"),
            ("await sql`DROP TABLE a`", "?"),
            (
                "if (x) { await knex.raw('DROP TABLE a'); }",
                "+DROP TABLE a|?",
            ),
            (
                "await knex.raw('DROP TABLE a').then(() => knex.raw('DROP TABLE b'))",
                "+DROP TABLE a|+DROP TABLE b|?",
            ),
        ],
    );
    let text = "module.exports = {\n up: (q) => q.raw('SELECT 1'),\n down: (q) => q.raw('SELECT 2'),\n other: (q) => q.raw('SELECT 3'),\n}";
    assert_eq!(
        sql(text, &javascript::read(text, Library::Knex)),
        "+SELECT 1|-SELECT 2|?"
    );
    let text = "exports.up = (q) => q.raw('SELECT 1')\nexports.down = (q) => q.raw('SELECT 2')\n";
    assert_eq!(
        sql(text, &javascript::read(text, Library::Knex)),
        "+SELECT 1|-SELECT 2"
    );
}

#[test]
fn elixir_strings_are_told_from_code() {
    let around = (
        "defmodule A do\n  use Ecto.Migration\n  def up do\n    ",
        "\n  end\nend\n",
    );
    check(
        elixir::read,
        around,
        &[
            ("execute \"DROP TABLE a\"", "+DROP TABLE a"),
            (
                "execute(\"DROP TABLE a\", \"CREATE TABLE a ()\")",
                "+DROP TABLE a|-CREATE TABLE a ()",
            ),
            ("execute \"DROP \" <> \"TABLE a\"", "+DROP TABLE a"),
            ("execute \"\"\"\n DROP TABLE a\n \"\"\"", "+DROP TABLE a"),
            ("execute ~s[DROP TABLE a]", "+DROP TABLE a"),
            ("execute ~S|DROP TABLE #{a}|", "+DROP TABLE #{a}"),
            ("execute \"DROP TABLE #{\"a\"}\"", "?"),
            ("execute(fn -> repo().query!(\"DROP TABLE a\") end)", "?"),
            ("# execute \"DROP TABLE a\"", ""),
            ("x = ?\"\n execute \"DROP TABLE a\"", "+DROP TABLE a|?"),
            ("if x, do: 1\n execute \"DROP TABLE a\"", "+DROP TABLE a|?"),
        ],
    );
    let text = "defmodule A do\n def up, do: execute(\"DROP TABLE a\")\n def down do\n execute \"SELECT 1\"\n end\nend";
    assert_eq!(sql(text, &elixir::read(text)), "+DROP TABLE a|-SELECT 1");
}

#[test]
fn deep_and_endless_strings_are_read_once() {
    for part in [
        "`${",
        "\"#{",
        "<<~SQL\n",
        "a.raw('SELECT 1', (",
        "execute %(",
        "{",
        "def up do\n",
        "~s(",
    ] {
        let text = part.repeat(20_000);
        ruby::read(&text);
        elixir::read(&text);
        javascript::read(&text, Library::Knex);
    }
}
