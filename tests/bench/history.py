#!/usr/bin/env python3
"""How the time of a check grows with the length of a history.

Writes histories of growing length in several shapes and measures the processor time of `lockgate check --format short`
in user mode:

    cargo build --release && tests/bench/history.py target/release/lockgate [SHAPE…]

- `mixed`: files with seven statements, the mixture that projects have
- `rows`: files that insert and update rows of one table
- `downs`: files with a down script each, all on tables that refer to one another
- `file`: one file, as large as a dump

It is no test: what it prints depends on the machine. What must not depend on it is the last column, the factor
against the row before, which stays close to the factor of the number of statements (four).
"""

import os
import resource
import subprocess
import sys
import tempfile

def statements(n, rnd):
    """Seven statements of one migration: what projects do, and all of it on tables that refer to one hot table."""
    table = f"table_{n}"
    older = f"table_{rnd(n)}" if n else table
    yield f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, state text DEFAULT 'new', amount numeric(10, 2), user_id bigint);"
    yield f"ALTER TABLE {table} ADD CONSTRAINT {table}_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;"
    yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_user;"
    kind = n % 10
    if kind == 0:
        day = n // 10
        yield f"CREATE TABLE events_{n} PARTITION OF events FOR VALUES FROM ({day}) TO ({day + 1});"
    elif kind == 1:
        yield f"ALTER TABLE users ADD COLUMN flag_{n} boolean;"
    elif kind == 2 and n > 10:
        yield f"ALTER TABLE users DROP COLUMN flag_{n - 1};"
    elif kind == 3:
        yield f"CREATE VIEW view_{n} AS SELECT t.id, t.name, u.email FROM {table} t JOIN users u ON u.id = t.user_id;"
    elif kind == 4:
        yield f"ALTER TABLE {table} RENAME TO renamed_{n};"
        table = f"renamed_{n}"
    elif kind == 5:
        yield f"CREATE TYPE type_{n} AS ENUM ('a', 'b', 'c');"
    elif kind == 6:
        yield f"CREATE FUNCTION function_{n}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE {table} SET name = 'x'; RETURN NEW; END $$;"
    elif kind == 7:
        yield f"DROP TABLE IF EXISTS renamed_{n - 3} CASCADE;"
    else:
        yield f"INSERT INTO {table} (name) SELECT 'x' FROM users WHERE id < 10;"
    yield f"CREATE INDEX CONCURRENTLY {table}_name ON {table} (name);"
    yield f"ALTER TABLE IF EXISTS {older} ADD COLUMN IF NOT EXISTS note_{n % 7} text;"
    yield f"UPDATE {table} SET state = 'old' WHERE amount > 10;"


def mixed(files):
    seed = 1

    def rnd(limit):
        nonlocal seed
        seed = (seed * 1103515245 + 12345) % 2**31
        return seed % limit

    yield (
        f"{0:06}_begin.sql",
        [
            "CREATE TABLE users (id bigint PRIMARY KEY, email text);",
            "CREATE TABLE events (at integer NOT NULL, kind text) PARTITION BY RANGE (at);",
            "CREATE INDEX events_kind ON events (kind);",
        ],
    )
    for n in range(files):
        yield f"{n + 1:06}_change.sql", statements(n, rnd)


def rows(files):
    yield f"{0:06}_begin.sql", ["CREATE TABLE kinds (id serial PRIMARY KEY, name text);"]
    for n in range(files):
        insert = f"INSERT INTO kinds (id, name) VALUES ({n}, 'x');"
        update = f"UPDATE kinds SET name = 'y' WHERE id = {n};"
        yield f"{n + 1:06}_rows.sql", [insert, update] * 3


def downs(files):
    for n in range(files):
        table, older, oldest = f"table_{n}", f"table_{n // 2}", f"table_{n // 3}"
        yield (
            f"{n:06}_change.up.sql",
            [
                f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text NOT NULL, a bigint REFERENCES table_{max(n - 1, 0)} (id));",
                f"CREATE UNIQUE INDEX {table}_name ON {table} (lower(name));",
                f"ALTER TABLE {older} ADD COLUMN c_{n} int;",
                f"ALTER TABLE {older} ADD CONSTRAINT k_{n} CHECK (c_{n} > 0) NOT VALID;",
                f"ALTER TABLE {oldest} RENAME COLUMN name TO name_{n};",
                f"ALTER TABLE {oldest} RENAME COLUMN name_{n} TO name;",
                f"CREATE TYPE type_{n} AS ENUM ('a');",
            ],
        )
        yield f"{n:06}_change.down.sql", [f"DROP TABLE {table} CASCADE;", f"DROP TYPE type_{n};"]


def file(files):
    parts = []
    for n in range(files):
        table = f"table_{n}"
        parts += [
            f"CREATE TABLE {table} (id bigserial PRIMARY KEY, name text NOT NULL, a int);",
            f"CREATE INDEX {table}_name ON {table} (lower(name));",
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_a CHECK (a > 0) NOT VALID;",
            f"INSERT INTO {table} (id, name) VALUES (1, 'x');",
            f"GRANT SELECT ON {table} TO app;",
        ]
    yield "000001_all.sql", parts


# With the numbers of files (or tables) that are tried.
SHAPES = {
    "mixed": (mixed, [500, 2000, 8000]),
    "rows": (rows, [500, 2000, 8000]),
    "downs": (downs, [250, 1000, 4000]),
    "file": (file, [500, 2000, 8000]),
}


def write(directory, files, shape=mixed):
    """Writes a history and says how many statements it has."""
    count = 0
    for name, parts in shape(files):
        parts = list(parts)
        count += len(parts)
        with open(os.path.join(directory, name), "w") as out:
            out.write("".join(part + "\n" for part in parts))
    return count


def measure(program, files, shape):
    with tempfile.TemporaryDirectory() as directory:
        count = write(directory, files, shape)
        best = None
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [program, "check", "--format", "short", directory],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime - before.ru_utime
            best = used if best is None else min(best, used)
        return count, best


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    print(f"{'shape':<6} {'files':>6} {'statements':>10} {'seconds':>8} {'us each':>8} {'factor':>7}")
    for name in sys.argv[2:] or SHAPES:
        shape, sizes = SHAPES[name]
        last = None
        for files in sizes:
            count, used = measure(program, files, shape)
            factor = f"{used / last:.2f}" if last else ""
            print(f"{name:<6} {files:>6} {count:>10} {used:>8.3f} {used * 1e6 / count:>8.2f} {factor:>7}", flush=True)
            last = used


if __name__ == "__main__":
    main()
