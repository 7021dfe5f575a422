//! Tools whose migrations are programs: what is read of them runs in this order and in these transactions.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{Tool, output};
use crate::servers::{Database, node_tools, python_tool, system_tool};

/// Runs a program in JavaScript that finds the packages of npm, with the project's directory as its argument.
fn node(script: &str, project: &Path, database: &Database) -> Option<Output> {
    Some(connected(
        Command::new("node")
            .args(["-e", script])
            .arg(project.join("migrations"))
            .current_dir(node_tools()?),
        database,
    ))
}

fn connected(command: &mut Command, database: &Database) -> Output {
    output(
        command
            .env("PGHOST", database.socket())
            .env("PGUSER", "postgres")
            .env("PGDATABASE", database.name()),
    )
}

pub(super) const KNEX: Tool = Tool {
    layout: "knex",
    run: |project, database| {
        node(
            "const { PGHOST: host, PGUSER: user, PGDATABASE: database } = process.env;\n\
             const knex = require('knex')({ client: 'pg', connection: { host, user, database } });\n\
             knex.migrate.latest({ directory: process.argv[1] })\n\
               .catch((error) => { console.error(error.message); process.exitCode = 1; })\n\
               .then(() => knex.destroy());",
            project,
            database,
        )
    },
    probes: &[
        (
            "names are compared as text, and everything that is pending is one transaction",
            &[
                (
                    "migrations/2_b.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('2')\"); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/10_a.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('10')\"); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/1_c.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('1')\"); };\nexports.down = async (knex) => {};\n",
                ),
            ],
        ),
        (
            "a failure takes the run back",
            &[
                (
                    "migrations/1_a.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('a')\"); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/2_b.js",
                    "exports.up = async (knex) => { await knex.raw('SELECT 1/0'); };\nexports.down = async (knex) => {};\n",
                ),
            ],
        ),
        (
            "one that leaves the transaction gives each of the others its own",
            &[
                (
                    "migrations/1_a.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('a')\"); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/2_b.js",
                    "exports.config = { transaction: false };\nexports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('b')\"); await knex.raw('CREATE INDEX CONCURRENTLY i ON ran (name)'); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/3_c.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('c')\"); };\nexports.down = async (knex) => {};\n",
                ),
                (
                    "migrations/4_d.js",
                    "exports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('d')\"); await knex.raw('SELECT 1/0'); };\nexports.down = async (knex) => {};\n",
                ),
            ],
        ),
        (
            "no index is built concurrently by default",
            &[(
                "migrations/1_a.js",
                "exports.up = async (knex) => { await knex.raw('CREATE INDEX CONCURRENTLY i ON ran (name)'); };\nexports.down = async (knex) => {};\n",
            )],
        ),
        (
            "a string is one message",
            &[(
                "migrations/1_a.js",
                "exports.config = { transaction: false };\nexports.up = async (knex) => { await knex.raw(\"INSERT INTO ran VALUES ('a')\"); await knex.raw(\"INSERT INTO ran VALUES ('b'); SELECT 1/0\"); };\nexports.down = async (knex) => {};\n",
            )],
        ),
    ],
    refuses: &[],
};

pub(super) const TYPEORM: Tool = Tool {
    layout: "typeorm",
    run: |project, database| {
        node(
            "const { DataSource } = require('typeorm');\n\
             const { PGHOST: host, PGUSER: username, PGDATABASE: database } = process.env;\n\
             const directory = process.argv[1];\n\
             const source = new DataSource({ type: 'postgres', host, username, database, migrations: [directory + '/*.js'] });\n\
             (async () => {\n\
               await source.initialize();\n\
               const each = source.migrations.some((migration) => migration.transaction === false);\n\
               await source.runMigrations({ transaction: each ? 'each' : 'all' });\n\
             })()\n\
               .catch((error) => { console.error(error.message); process.exitCode = 1; })\n\
               .then(() => source.destroy());",
            project,
            database,
        )
    },
    probes: &[
        (
            "the time in the class's name is the order",
            &[
                (
                    "migrations/1-a.js",
                    "module.exports = class A1700000000003 {\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('3')\"); }\n  async down(queryRunner) {}\n};\n",
                ),
                (
                    "migrations/2-b.js",
                    "module.exports = class B1700000000001 {\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('1')\"); }\n  async down(queryRunner) {}\n};\n",
                ),
                (
                    "migrations/3-c.js",
                    "module.exports = class C1700000000009 {\n  name = 'C1700000000002';\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('2')\"); }\n  async down(queryRunner) {}\n};\n",
                ),
            ],
        ),
        (
            "everything that is pending is one transaction",
            &[
                (
                    "migrations/1700000000001-a.js",
                    "module.exports = class A1700000000001 {\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('a')\"); }\n  async down(queryRunner) {}\n};\n",
                ),
                (
                    "migrations/1700000000002-b.js",
                    "module.exports = class B1700000000002 {\n  async up(queryRunner) { await queryRunner.query('SELECT 1/0'); }\n  async down(queryRunner) {}\n};\n",
                ),
            ],
        ),
        (
            "one that leaves the transaction gives each of the others its own",
            &[
                (
                    "migrations/1700000000001-a.js",
                    "module.exports = class A1700000000001 {\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('a')\"); }\n  async down(queryRunner) {}\n};\n",
                ),
                (
                    "migrations/1700000000002-b.js",
                    "module.exports = class B1700000000002 {\n  transaction = false;\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('b')\"); await queryRunner.query('CREATE INDEX CONCURRENTLY i ON ran (name)'); }\n  async down(queryRunner) {}\n};\n",
                ),
                (
                    "migrations/1700000000003-c.js",
                    "module.exports = class C1700000000003 {\n  async up(queryRunner) { await queryRunner.query(\"INSERT INTO ran VALUES ('c')\"); await queryRunner.query('SELECT 1/0'); }\n  async down(queryRunner) {}\n};\n",
                ),
            ],
        ),
    ],
    refuses: &[],
};

pub(super) const SEQUELIZE: Tool = Tool {
    layout: "sequelize",
    run: |project, database| {
        let tools = node_tools()?;
        let config = format!(
            r#"{{"development": {{"dialect": "postgres", "username": "postgres", "database": "{}", "host": "{}"}}}}"#,
            database.name(),
            database.socket().display()
        );
        fs::write(project.join("config.json"), config).unwrap();
        Some(output(
            Command::new(tools.join("node_modules/.bin/sequelize-cli"))
                .arg("db:migrate")
                .arg("--config")
                .arg(project.join("config.json"))
                .arg("--migrations-path")
                .arg(project.join("migrations"))
                .current_dir(tools),
        ))
    },
    probes: &[
        (
            "names are compared as text",
            &[
                (
                    "migrations/2_b.js",
                    "module.exports = {\n  async up(queryInterface) { await queryInterface.sequelize.query(\"INSERT INTO ran VALUES ('2')\"); },\n  async down(queryInterface) {},\n};\n",
                ),
                (
                    "migrations/10_a.js",
                    "module.exports = {\n  async up(queryInterface) { await queryInterface.sequelize.query(\"INSERT INTO ran VALUES ('10')\"); },\n  async down(queryInterface) {},\n};\n",
                ),
                (
                    "migrations/1_c.js",
                    "module.exports = {\n  async up(queryInterface) { await queryInterface.sequelize.query(\"INSERT INTO ran VALUES ('1')\"); },\n  async down(queryInterface) {},\n};\n",
                ),
            ],
        ),
        (
            "there is no transaction",
            &[(
                "migrations/1_a.js",
                "module.exports = {\n  async up(queryInterface) {\n    await queryInterface.sequelize.query(\"INSERT INTO ran VALUES ('a')\");\n    await queryInterface.sequelize.query('CREATE INDEX CONCURRENTLY i ON ran (name)');\n    await queryInterface.sequelize.query(\"INSERT INTO ran VALUES ('b'); SELECT 1/0\");\n  },\n  async down(queryInterface) {},\n};\n",
            )],
        ),
    ],
    refuses: &[],
};

pub(super) const NODE_PG_MIGRATE_JS: Tool = Tool {
    layout: "node-pg-migrate-js",
    run: |project, database| {
        let program = node_tools()?.join("node_modules/.bin/node-pg-migrate");
        Some(connected(
            Command::new(program)
                .args(["-m", "migrations", "up"])
                .env("DATABASE_URL", database.url())
                .current_dir(project),
            database,
        ))
    },
    probes: &[
        (
            "numbers are compared, and everything that is pending is one transaction",
            &[
                (
                    "migrations/2_b.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('2')\"); };\n",
                ),
                (
                    "migrations/10_a.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('10')\"); };\n",
                ),
                (
                    "migrations/1_c.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('1')\"); };\n",
                ),
            ],
        ),
        (
            "a failure takes the run back",
            &[
                (
                    "migrations/1_a.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('a')\"); };\n",
                ),
                (
                    "migrations/2_b.js",
                    "exports.up = (pgm) => { pgm.sql('SELECT 1/0'); };\n",
                ),
            ],
        ),
        (
            "one that leaves the transaction commits what ran before, and another one begins behind it",
            &[
                (
                    "migrations/1_a.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('a')\"); };\n",
                ),
                (
                    "migrations/2_b.js",
                    "exports.up = (pgm) => { pgm.noTransaction(); pgm.sql(\"INSERT INTO ran VALUES ('b')\"); pgm.sql('CREATE INDEX CONCURRENTLY i ON ran (name)'); };\n",
                ),
                (
                    "migrations/3_c.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('c')\"); };\n",
                ),
                (
                    "migrations/4_d.js",
                    "exports.up = (pgm) => { pgm.sql(\"INSERT INTO ran VALUES ('d')\"); pgm.sql('SELECT 1/0'); };\n",
                ),
            ],
        ),
    ],
    refuses: &[],
};

pub(super) const RAILS: Tool = Tool {
    layout: "rails",
    run: |project, database| {
        // Newer versions take no second argument.
        let script = "require 'active_record'\n\
            include ActiveRecord\n\
            Base.establish_connection(adapter: 'postgresql', host: ENV['PGHOST'], username: ENV['PGUSER'], database: ENV['PGDATABASE'])\n\
            table = VERSION::MAJOR < 7 ? [SchemaMigration] : []\n\
            MigrationContext.new('db/migrate', *table).migrate\n";
        Some(connected(
            Command::new(system_tool("ruby")?)
                .args(["-e", script])
                .current_dir(project),
            database,
        ))
    },
    probes: &[
        (
            "numbers are compared",
            &[
                (
                    "db/migrate/2_two.rb",
                    "class Two < ActiveRecord::Migration[6.1]\n  def up\n    execute \"INSERT INTO ran VALUES ('2')\"\n  end\nend\n",
                ),
                (
                    "db/migrate/10_ten.rb",
                    "class Ten < ActiveRecord::Migration[6.1]\n  def up\n    execute \"INSERT INTO ran VALUES ('10')\"\n  end\nend\n",
                ),
                (
                    "db/migrate/001_one.rb",
                    "class One < ActiveRecord::Migration[6.1]\n  def up\n    execute \"INSERT INTO ran VALUES ('1')\"\n  end\nend\n",
                ),
            ],
        ),
        (
            "a migration is rolled back as a whole, the one before it stays",
            &[
                (
                    "db/migrate/1_one.rb",
                    "class One < ActiveRecord::Migration[6.1]\n  def up\n    execute \"INSERT INTO ran VALUES ('1')\"\n  end\nend\n",
                ),
                (
                    "db/migrate/2_two.rb",
                    "class Two < ActiveRecord::Migration[6.1]\n  def up\n    execute \"INSERT INTO ran VALUES ('2')\"\n    execute \"SELECT 1/0\"\n  end\nend\n",
                ),
            ],
        ),
        (
            "without its transaction each string is one message",
            &[(
                "db/migrate/1_one.rb",
                "class One < ActiveRecord::Migration[6.1]\n  disable_ddl_transaction!\n\n  def up\n    execute \"INSERT INTO ran VALUES ('1')\"\n    execute \"CREATE INDEX CONCURRENTLY i ON ran (name)\"\n    execute \"INSERT INTO ran VALUES ('2'); SELECT 1/0\"\n  end\nend\n",
            )],
        ),
        (
            "no index is built concurrently by default",
            &[(
                "db/migrate/1_one.rb",
                "class One < ActiveRecord::Migration[6.1]\n  def up\n    execute \"CREATE INDEX CONCURRENTLY i ON ran (name)\"\n  end\nend\n",
            )],
        ),
    ],
    refuses: &[],
};

/// Two applications, `a` and `b`.
pub(super) const DJANGO: Tool = Tool {
    layout: "django",
    run: |project, database| {
        for app in ["a", "b"] {
            for module in [app.to_owned(), format!("{app}/migrations")] {
                fs::create_dir_all(project.join(&module)).unwrap();
                fs::write(project.join(module).join("__init__.py"), "").unwrap();
            }
        }
        Some(connected(
            Command::new(python_tool("python")?)
                .args(["manage.py", "migrate", "--no-input", "-v", "0"])
                .current_dir(project),
            database,
        ))
    },
    probes: &[
        ("migrations run behind those that they need", GRAPH),
        (
            "a migration is rolled back as a whole, the one before it stays",
            &[
                ("manage.py", MANAGE),
                (
                    "a/migrations/0001_one.py",
                    "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('1')\")]\n",
                ),
                (
                    "a/migrations/0002_two.py",
                    "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('a', '0001_one')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('2')\"), migrations.RunSQL('SELECT 1/0')]\n",
                ),
            ],
        ),
        (
            "without its transaction each string is one message",
            &[
                ("manage.py", MANAGE),
                (
                    "a/migrations/0001_one.py",
                    "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    atomic = False\n    operations = [\n        migrations.RunSQL(\"INSERT INTO ran VALUES ('1')\"),\n        migrations.RunSQL('CREATE INDEX CONCURRENTLY i ON ran (name)'),\n        migrations.RunSQL(\"INSERT INTO ran VALUES ('2'); SELECT 1/0\"),\n    ]\n",
                ),
            ],
        ),
        (
            "no index is built concurrently by default",
            &[
                ("manage.py", MANAGE),
                (
                    "a/migrations/0001_one.py",
                    "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    operations = [migrations.RunSQL('CREATE INDEX CONCURRENTLY i ON ran (name)')]\n",
                ),
            ],
        ),
    ],
    refuses: &[],
};

/// Migrations of two applications that need each other in turn, one that replaces two, and one that wants to run early.
const GRAPH: &[(&str, &str)] = &[
    ("manage.py", MANAGE),
    (
        "a/migrations/0001_one.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('a1')\")]\n",
    ),
    (
        "a/migrations/0002_two.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('a', '0001_one'), ('b', '0002_two')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('a2')\")]\n",
    ),
    (
        "a/migrations/0003_three.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('a', '0002_two'), ('b', '__latest__')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('a3')\")]\n",
    ),
    (
        "b/migrations/0001_one.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('a', '__first__')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('b1')\")]\n",
    ),
    (
        "b/migrations/0002_two.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('b', '0001_one')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('b2')\")]\n",
    ),
    (
        "b/migrations/0003_a_late.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('b', '0002_two')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('b3')\")]\n",
    ),
    (
        "b/migrations/0002_z_beside.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [('b', '0001_one')]\n    run_before = [('b', '0002_two')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('bz')\")]\n",
    ),
    (
        "b/migrations/0004_squashed.py",
        "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    replaces = [('b', '0002_two'), ('b', '0003_a_late')]\n    dependencies = [('b', '0001_one')]\n    operations = [migrations.RunSQL(\"INSERT INTO ran VALUES ('b23')\")]\n",
    ),
];

const MANAGE: &str = "import os, sys\n\
    from django.conf import settings\n\
    from django.core.management import execute_from_command_line\n\
    settings.configure(\n    \
        INSTALLED_APPS=['a', 'b'],\n    \
        DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'],\n        \
            'HOST': os.environ['PGHOST'], 'USER': 'postgres'}},\n\
    )\n\
    execute_from_command_line(sys.argv)\n";
