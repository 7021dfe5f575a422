#!/usr/bin/env python3
"""How the time of a check grows with the length of a history.

Writes histories of 500, 2,000 and 8,000 files with seven statements each and measures the processor time of
`lockgate check --format short` in user mode:

    cargo build --release && tests/bench/history.py target/release/lockgate

It is no test: what it prints depends on the machine. What must not depend on it is the last column, the factor
against the row before, which stays close to the factor of the number of files (four).
"""

import os
import resource
import subprocess
import sys
import tempfile

SIZES = [500, 2000, 8000]


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


def write(directory, files):
    seed = 1

    def rnd(limit):
        nonlocal seed
        seed = (seed * 1103515245 + 12345) % 2**31
        return seed % limit

    with open(os.path.join(directory, f"{0:06}_begin.sql"), "w") as out:
        out.write("CREATE TABLE users (id bigint PRIMARY KEY, email text);\n")
        out.write("CREATE TABLE events (at integer NOT NULL, kind text) PARTITION BY RANGE (at);\n")
        out.write("CREATE INDEX events_kind ON events (kind);\n")
    for n in range(files):
        with open(os.path.join(directory, f"{n + 1:06}_change.sql"), "w") as out:
            for statement in statements(n, rnd):
                out.write(statement + "\n")


def measure(program, files):
    with tempfile.TemporaryDirectory() as directory:
        write(directory, files)
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
        return best


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    sizes = [int(size) for size in sys.argv[2:]] or SIZES
    last = None
    print(f"{'files':>6} {'statements':>10} {'seconds':>8} {'ms/1000':>8} {'factor':>7}")
    for files in sizes:
        used = measure(program, files)
        count = files * 7
        factor = f"{used / last:.2f}" if last else ""
        print(f"{files:>6} {count:>10} {used:>8.3f} {used * 1e6 / count:>8.2f} {factor:>7}")
        last = used


if __name__ == "__main__":
    main()
